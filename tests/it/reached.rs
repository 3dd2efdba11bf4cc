//! The way to a service: redirects, logins, proxies, and reasons that are true.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread;

use serde_json::Value;

use crate::services::{NAMESPACE, answer, capabilities, raw, service, up};
use crate::support::{Asked, Fresh, Ran, Reply, Stub};

const CA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/tls/ca.pem");
const PROXIED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/tls/proxied.pem");

/// The object that a check of one service tells.
fn object(ran: &Ran) -> Value {
    ran.expect(ran.stdout.lines().count() == 1, "one object");
    serde_json::from_str(&ran.stdout).unwrap()
}

/// Verdict, class and warnings.
fn told(object: &Value) -> String {
    let warnings: Vec<&str> =
        object["warnings"].as_array().unwrap().iter().map(|it| it.as_str().unwrap()).collect();
    let text = |name: &str| object[name].as_str().unwrap().to_owned();
    [text("verdict"), text("class"), warnings.join(",")].join(" ").trim_end().to_owned()
}

fn reason(object: &Value) -> &str {
    object["reason"].as_str().unwrap()
}

/// A check of one service as an object.
fn check(url: &str, more: &str) -> Ran {
    check_with(&[], url, more)
}

/// The same where the environment has these variables.
fn check_with(variables: &[(&str, &str)], url: &str, more: &str) -> Ran {
    let fresh = Fresh::new();
    let limit = if more.contains("--timeout") { "" } else { "--timeout 60" };
    let line = format!("tap {url} --format json-lines --progress=never {limit} {more}");
    let line = fresh.parsim(&line);
    variables.iter().fold(line, |line, (name, value)| line.env(name, value)).run()
}

fn moved(status: &str, place: &str) -> Reply {
    Reply::with(status, &[&format!("Location: {place}")], "")
}

/// The status that the first part of a path asks for: `302 x` of `/302/...`.
fn status_of(asked: &Asked) -> String {
    format!("{} x", asked.path.split('/').nth(1).unwrap())
}

#[test]
fn a_query_follows_a_service_that_moved_with_its_form() {
    let stub = Stub::start(|asked| match asked.path.rsplit('/').next().unwrap() {
        "availability" => Reply::xml(up("")),
        "sync" => moved(&status_of(asked), "new"),
        _ => Reply::xml(answer("", "<TR/>")),
    });
    for (status, method) in [(301, "POST"), (302, "POST"), (303, "GET"), (307, "POST"), (308, "POST")] {
        let ran = check(&stub.url(&format!("/{status}")), "--query");
        ran.exits(0);
        assert_eq!(told(&object(&ran)), "up  redirected", "{status}: {}", ran.stdout);
        let asked = stub.asked();
        let [form, again] = &asked[asked.len() - 2..] else { panic!("{asked:?}") };
        assert!(again.head.starts_with(&format!("{method} /{status}/new ")), "{status}: {}", again.head);
        assert!(form.body.contains("QUERY=SELECT"), "{}", form.body);
        let wanted = if method == "POST" { form.body.as_str() } else { "" };
        assert_eq!(again.body, wanted, "{status}");
        assert_eq!(
            again.head.contains("application/x-www-form-urlencoded"),
            method == "POST",
            "{}",
            again.head
        );
    }
}

#[test]
fn a_service_that_moved_to_https_is_up_and_no_form_goes_back_to_http() {
    let to_plain = Stub::start(service);
    let secure = {
        let plain = to_plain.url("");
        Stub::secure("good.pem", move |asked| match asked.path.as_str() {
            path if path.ends_with("/availability") => Reply::xml(up("")),
            "/tap/sync" => Reply::xml(answer("", "<TR/>")),
            path => moved(&status_of(asked), &format!("{plain}{path}")),
        })
    };
    let place = secure.url("");
    let old = Stub::start(move |asked| moved("301 x", &format!("{place}{}", asked.path)));
    let ran = check(&old.url("/tap"), &format!("--query --cacert {CA}"));
    ran.exits(0);
    assert_eq!(told(&object(&ran)), "up  redirected");
    assert!(secure.asked().last().unwrap().head.starts_with("POST /tap/sync "));
    for status in [301, 302, 307, 308] {
        let ran = check(&secure.url(&format!("/{status}")), &format!("--query --cacert {CA}"));
        ran.exits(1);
        let object = object(&ran);
        assert_eq!(told(&object), "error probe", "{status}");
        let why = "says it is up, but a query fails: redirected from https to http, where no form is sent";
        assert!(reason(&object).starts_with(why), "{status}: {object}");
    }
    assert_eq!(to_plain.asked().len(), 0);
}

#[test]
fn a_query_that_is_sent_round_and_round_ends() {
    let stub = Stub::start(|asked| match asked.path.as_str() {
        path if path.ends_with("/availability") => Reply::xml(up("")),
        path if path.starts_with("/endless") => moved("301 x", &format!("/endless/{}", asked.before)),
        "/back/sync" if asked.head.starts_with("POST") => moved("303 x", "/back/sync"),
        "/back/sync" => Reply::xml(answer("", "<TR/>")),
        "/round/sync" => moved("301 x", "/round/other"),
        path => moved("302 x", if path == "/round/other" { "/round/sync" } else { path }),
    });
    for (name, why) in [
        ("endless", "more than 10 redirects"),
        ("round", "redirected in a circle, to "),
        ("same", "redirected in a circle, to "),
    ] {
        let ran = check(&stub.url(&format!("/{name}")), "--query");
        ran.exits(1);
        let why = format!("says it is up, but a query fails: {why}");
        assert!(reason(&object(&ran)).starts_with(&why), "{name}: {}", ran.stdout);
    }
    // The answer to a form may lie where the form was sent to.
    check(&stub.url("/back"), "--query").exits(0);
}

#[test]
fn a_login_is_shown_to_the_place_that_it_was_given_for_only() {
    let other = Stub::start(service);
    let place = other.url("");
    let stub = Stub::start(move |asked| match asked.path.as_str() {
        "/away/availability" => moved("302 x", &format!("{place}/sound/availability")),
        "/away/sync" => moved("308 x", &format!("{place}/sound/sync")),
        "/near/availability" => moved("302 x", "/sound/availability"),
        "/near/sync" => moved("301 x", "/sound/sync"),
        _ => service(asked),
    });
    for name in ["away", "near"] {
        let url = stub.url(&format!("/{name}")).replace("http://", "http://u:s3cr@");
        let ran = check(&url, "--query");
        ran.exits(0).does_not_say("s3cr");
    }
    assert!(stub.asked().iter().all(|asked| asked.head.contains("\r\nauthorization: Basic ")));
    assert_eq!((stub.asked().len(), other.asked().len()), (6, 2));
    assert!(other.asked().iter().all(|asked| !asked.head.contains("uthorization")), "{:?}", other.asked());
}

#[test]
fn availability_of_an_old_draft_or_without_a_namespace_is_judged_with_a_warning() {
    let stub = Stub::start(|asked| {
        let namespace = match asked.path.as_str() {
            "/draft/availability" => "http://www.ivoa.net/xml/Availability/v0.4",
            "/draft5/availability" => "http://www.ivoa.net/xml/Availability/v0.5",
            _ => return Reply::xml("<availability><available>0</available></availability>"),
        };
        Reply::with("200 OK", &["Content-Type: text/plain"], up("").replace(NAMESPACE, namespace))
    });
    for (name, expected) in
        [("draft", "up  content-type,namespace"), ("bare", "down  namespace"), ("draft5", "error wrong-doc")]
    {
        let ran = check(&stub.url(&format!("/{name}")), "");
        assert_eq!(told(&object(&ran)), expected, "{}", ran.stdout);
    }
}

#[test]
fn every_reason_is_true() {
    let sound = || Reply::xml(answer("", "<TR/>"));
    let votable = |inside: &str| {
        let ok = "<INFO name=\"QUERY_STATUS\" value=\"OK\"/>";
        Reply::xml(format!("<VOTABLE><RESOURCE type=\"results\">{ok}{inside}</RESOURCE></VOTABLE>"))
    };
    let stub = Stub::start(move |asked| {
        let mut parts = asked.path.split('/').skip(1);
        let (name, rest) = (parts.next().unwrap(), parts.next().unwrap_or_default());
        let status = |number: u16| Reply::with(&format!("{number} x"), &[], "");
        let tap = || Reply::xml(capabilities(&[("ivo://ivoa.net/std/TAP", "x")]));
        match (name, rest) {
            ("availability", _) => status(404),
            ("login", _) => status(401),
            ("closed-down", _) => Reply::with("404 x", &[], up("").replace(">true<", ">false<")),
            ("none" | "none-query" | "none-login" | "none-caps" | "none-deaf", "availability") => status(404),
            (_, "availability") => Reply::xml(up("")),
            ("none-query" | "broken", "sync") => status(500),
            ("query-401", "sync") => {
                Reply::with("401 x", &["WWW-Authenticate: Basic realm=\"x\""], "<title>Who?</title>")
            }
            ("none-login" | "query-403", "sync") => status(403),
            ("no-table", "sync") => votable(""),
            ("no-field", "sync") => votable("<TABLE><DATA><TABLEDATA><TR/></TABLEDATA></DATA></TABLE>"),
            ("no-row", "sync") => votable("<TABLE><FIELD/><DATA><TABLEDATA/></DATA></TABLE>"),
            ("no-status", "sync") => {
                Reply::xml("<VOTABLE><RESOURCE><TABLE><FIELD/></TABLE></RESOURCE></VOTABLE>")
            }
            ("maybe", "sync") => Reply::xml(answer("<INFO name=\"QUERY_STATUS\" value=\"MAYBE\"/>", "<TR/>")),
            ("defined", "sync") => Reply::xml(format!(
                "<!DOCTYPE VOTABLE SYSTEM \"http://us-vo.org/xml/VOTable.dtd\">{}",
                answer("", "<TR/>")
            )),
            ("entities", "sync") => {
                Reply::xml(format!("<!DOCTYPE VOTABLE [<!ENTITY a 'b'>]>{}", answer("", "<TR/>")))
            }
            (_, "sync") => sound(),
            ("caps-404", "capabilities") => status(404),
            ("caps-401", "capabilities") => status(401),
            ("caps-page", "capabilities") => Reply::xml("<html><title>Back soon</title></html>"),
            ("caps-other" | "none-caps", "capabilities") => Reply::xml(capabilities(&[("ivo://x", "x")])),
            ("caps-cut" | "none-deaf", "capabilities") => Reply::Bytes(Vec::new()),
            (_, "capabilities") => tap(),
            ("no-tables", "tables") => status(404),
            ("chunks", "tables") => {
                raw("HTTP/1.1 200 x\r\nTransfer-Encoding: chunked\r\n\r\n", "+5\r\nhello\r\n")
            }
            _ => service(&Asked { path: "/sound/tables".to_owned(), ..asked.clone() }),
        }
    });
    let fails = |why: &str| format!("says it is up, but a query fails: {why}");
    let unread = |why: &str| format!("says it is up, but its capabilities cannot be read: {why}");
    let none = "no availability resource";
    for (name, verdict, why) in [
        ("sound", "up", String::new()),
        ("defined", "up", String::new()),
        ("no-tables", "up  tables", String::new()),
        ("chunks", "up  tables", String::new()),
        ("login", "error http", "asks for a login: HTTP 401 Unauthorized".to_owned()),
        ("closed-down", "down  http-status", "it says that it is not available".to_owned()),
        ("none", "up  no-availability", format!("{none}; a query is answered")),
        ("none-query", "error http", format!("{none}, and a query fails: HTTP 500 Internal Server Error")),
        ("none-login", "error login", format!("{none}, and a query asks for a login: HTTP 403 Forbidden")),
        (
            "none-caps",
            "error probe no-availability",
            format!("{none}; a query is answered, but its capabilities do not name ivo://ivoa.net/std/TAP"),
        ),
        (
            "none-deaf",
            "error probe no-availability",
            format!(
                "{none}; a query is answered, but its capabilities cannot be read: closed without an answer"
            ),
        ),
        (
            "query-401",
            "error login",
            "says it is up, but a query asks for a login: HTTP 401 Unauthorized, a page titled \"Who?\""
                .to_owned(),
        ),
        (
            "query-403",
            "error login",
            "says it is up, but a query asks for a login: HTTP 403 Forbidden".to_owned(),
        ),
        ("broken", "error probe", fails("HTTP 500 Internal Server Error")),
        ("no-table", "error probe", fails("the answer has no TABLE")),
        ("no-field", "error probe", fails("the answer's TABLE has no FIELD")),
        ("no-status", "error probe", fails("the answer has no QUERY_STATUS")),
        ("maybe", "error probe", fails("QUERY_STATUS is \"MAYBE\", which means nothing")),
        ("entities", "error probe", fails("it has a document type definition, which is not read")),
        (
            "no-row",
            "error probe",
            fails("the answer has no row, and a service has at least the table that was asked"),
        ),
        ("caps-404", "error probe", unread("HTTP 404 Not Found")),
        ("caps-401", "error login", unread("asks for a login: HTTP 401 Unauthorized")),
        ("caps-page", "error probe", unread("not XML but a web page titled \"Back soon\"")),
        ("caps-cut", "error probe", unread("closed without an answer")),
        (
            "caps-other",
            "error probe",
            "says it is up, but its capabilities do not name ivo://ivoa.net/std/TAP".to_owned(),
        ),
    ] {
        let ran = check(&stub.url(&format!("/{name}")), "--deep");
        ran.exits(i32::from(!verdict.starts_with("up")));
        let object = object(&ran);
        assert_eq!((told(&object), reason(&object)), (verdict.to_owned(), why.as_str()), "{name}");
    }
}

#[test]
fn a_size_of_a_chunk_that_is_not_hexadecimal_is_no_http() {
    let stub = Stub::start(|asked| {
        let document = up("");
        let size = format!("{:x}", document.len());
        let size = match asked.path.split('/').nth(1).unwrap() {
            "plus" => format!("+{size}"),
            "hex" => format!("0x{size}"),
            "blank" => format!(" {size}"),
            "line" => format!("{size}_"),
            "much" => format!("1{:016x}", document.len()),
            "extended" => format!("{size};name=\"{}\"", "value;".repeat(20)),
            _ => size.to_uppercase(),
        };
        let head = "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nTransfer-Encoding: chunked\r\n\r\n";
        raw(head, format!("{size}\r\n{document}\r\n0\r\n\r\n"))
    });
    for (name, expected) in [
        ("plain", "up"),
        ("extended", "up"),
        ("plus", "error protocol"),
        ("hex", "error protocol"),
        ("blank", "error protocol"),
        ("line", "error protocol"),
        ("much", "error protocol"),
    ] {
        let ran = check(&stub.url(&format!("/{name}")), "");
        assert_eq!(told(&object(&ran)), expected, "{}", ran.stdout);
    }
}

#[test]
fn a_service_is_asked_through_the_proxy_of_the_environment_and_the_report_says_so() {
    let proxy = Stub::start(|asked| {
        let path = asked.path.strip_prefix("http://service.invalid").unwrap_or(&asked.path).to_owned();
        service(&Asked { path, ..asked.clone() })
    });
    let variable = format!("http://us%65r:s3cr%40t@{}/", proxy.authority());
    let url = "http://service.invalid/sound";
    for workers in ["", "--workers=processes"] {
        let before = proxy.asked().len();
        let ran = check_with(&[("http_proxy", &variable)], url, &format!("--query --parallel {workers}"));
        ran.exits(0).is_quiet().does_not_say("s3cr");
        assert_eq!(object(&ran)["proxy"], proxy.authority().as_str());
        let asked = &proxy.asked()[before..];
        assert_eq!(asked.len(), 2, "{asked:?}");
        assert!(asked[0].head.starts_with("GET http://service.invalid/sound/availability HTTP/1.1\r\n"));
        assert!(asked[1].head.starts_with("POST http://service.invalid/sound/sync HTTP/1.1\r\n"));
        for asked in asked {
            assert!(asked.head.contains("\r\nhost: service.invalid\r\n"), "{}", asked.head);
            assert!(
                asked.head.contains("\r\nproxy-authorization: Basic dXNlcjpzM2NyQHQ=\r\n"),
                "{}",
                asked.head
            );
            assert!(!asked.head.contains("\r\nauthorization"), "{}", asked.head);
        }
    }
    let fresh = Fresh::new();
    let line = format!("tap {url} {} --parallel --export-json study.json", proxy.url("/down"));
    let ran = fresh.parsim(&line).env("all_proxy", &variable).run();
    ran.exits(1).says(&format!("1 of 2 services up, 1 down; 1 through proxy {}\n", proxy.authority()));
    ran.does_not_say("s3cr");
    assert!(!std::fs::read_to_string(fresh.path("study.json")).unwrap().contains("s3cr"));
    let again = fresh.parsim("report study.json").run();
    again.exits(0).says(&format!("through proxy {}\n", proxy.authority()));
    fresh.parsim("tap --help").run().exits(0).says("http_proxy, https_proxy, all_proxy and no_proxy");
}

#[test]
fn variables_that_name_no_proxy_for_a_service_change_nothing() {
    let proxy = Stub::start(service);
    let stub = Stub::start(service);
    let url = format!("http://{}", proxy.authority());
    let unknown = "http://service.invalid/sound";
    for (variables, asked) in [
        (&[("HTTP_PROXY", url.as_str())][..], unknown),
        (&[("https_proxy", &url), ("HTTPS_PROXY", &url)], unknown),
        (&[("http_proxy", &url), ("no_proxy", "service.invalid")], unknown),
        (&[("http_proxy", &url), ("NO_PROXY", "x, .invalid")], unknown),
        (&[("all_proxy", &url), ("no_proxy", "*")], unknown),
        (&[("http_proxy", "")], unknown),
        // This machine is asked itself, whatever cannot be asked otherwise.
        (&[("http_proxy", &url)], &stub.url("/sound")),
        (&[("ALL_PROXY", "socks5://127.0.0.1:1")], &stub.url("/sound")),
        (&[("http_proxy", &url)], &stub.url("/sound").replace("127.0.0.1", "localhost")),
    ] {
        let ran = check_with(variables, asked, "");
        let expected = if asked == unknown { "error dns" } else { "up" };
        let object = object(&ran);
        assert_eq!((told(&object).as_str(), &object["proxy"]), (expected, &Value::Null), "{variables:?}");
    }
    assert_eq!(proxy.asked().len(), 0);
}

#[test]
fn a_proxy_that_cannot_be_asked_is_named_without_its_password() {
    let line = |value: &str| {
        let ran = Fresh::new()
            .parsim("tap http://service.invalid/ --progress=never")
            .env("http_proxy", value)
            .run();
        assert!(!ran.stderr.contains("s3cr") && !ran.stdout.contains("s3cr"), "{}{}", ran.stdout, ran.stderr);
        ran
    };
    let why =
        "http_proxy is socks5h://u:***@127.0.0.1:1: parsim does not speak SOCKS; set it to http://HOST:PORT";
    line("socks5h://u:s3cr@127.0.0.1:1").refuses(why);
    line("https://u:s3cr@127.0.0.1:1").refuses("does not speak TLS to a proxy");
    line("u:s3cr@127.0.0.1:x").refuses("http_proxy is u:***@127.0.0.1:x: the port is no number");
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let ran = check_with(&[("http_proxy", &format!("u:s3cr@{closed}"))], "http://service.invalid/", "");
    ran.exits(1).does_not_say("s3cr");
    let told_so = object(&ran);
    assert_eq!(told(&told_so), "error proxy");
    assert_eq!(reason(&told_so), format!("proxy {closed}: connection refused"));
    let strict = Stub::start(|asked| match asked.path.as_str() {
        "closes.invalid:443" => Reply::Bytes(Vec::new()),
        "shouts.invalid:443" => Reply::Bytes(b"SSH-2.0-x\r\n\r\n".to_vec()),
        "silent.invalid:443" => Reply::Hang(Vec::new()),
        "fails.invalid:443" => Reply::with("502 x", &[], ""),
        _ => Reply::with("407 x", &["Proxy-Authenticate: Basic realm=\"x\""], ""),
    });
    let place = strict.authority();
    for (url, class, why) in [
        (
            "http://h.invalid/",
            "error proxy",
            "the proxy asks for a login: HTTP 407 Proxy Authentication Required",
        ),
        ("https://h.invalid/", "error proxy", "asks for a login: HTTP 407 Proxy Authentication Required"),
        (
            "https://fails.invalid/",
            "error proxy",
            "does not connect to fails.invalid:443: HTTP 502 Bad Gateway",
        ),
        ("https://closes.invalid/", "error proxy", "closed without an answer"),
        ("https://shouts.invalid/", "error proxy", "does not speak HTTP"),
        ("https://silent.invalid/", "error timeout", "timeout after 2 s connecting"),
    ] {
        let ran = check_with(&[("all_proxy", &place)], url, "--timeout 2");
        let object = object(&ran);
        let why = if class == "error proxy" && url.starts_with("https") {
            format!("proxy {place}: {why}")
        } else {
            why.to_owned()
        };
        assert_eq!(
            (told(&object).as_str(), reason(&object), &object["proxy"]),
            (class, why.as_str(), &place.as_str().into())
        );
    }
}

/// A proxy that connects one client to `to`, whatever place was asked for; the head
/// that it was asked with.
fn tunnel(to: String) -> (String, thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let place = listener.local_addr().unwrap().to_string();
    let serve = move || {
        let (mut client, _) = listener.accept().unwrap();
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") {
            client.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        client.write_all(b"HTTP/1.0 200 Connection established\r\nVia: x\r\n\r\n").unwrap();
        let server = TcpStream::connect(to).unwrap();
        let pass = |mut from: TcpStream, mut to: TcpStream| {
            let _ = std::io::copy(&mut from, &mut to);
            let _ = to.shutdown(Shutdown::Write);
        };
        let (back, forth) = (client.try_clone().unwrap(), server.try_clone().unwrap());
        let other = thread::spawn(move || pass(client, forth));
        pass(server, back);
        other.join().unwrap();
        String::from_utf8(head).unwrap()
    };
    (place, thread::spawn(serve))
}

#[test]
fn a_secure_service_is_reached_through_a_proxy_that_sees_nothing() {
    let stub = Stub::secure("proxied.pem", service);
    let (place, served) = tunnel(stub.authority());
    let url = "https://u:w0rd@service.invalid/sound";
    let ran = check_with(
        &[("HTTPS_PROXY", &format!("http://p:s3cr@{place}"))],
        url,
        &format!("--cacert {PROXIED}"),
    );
    ran.exits(0).does_not_say("s3cr").does_not_say("w0rd");
    let object = object(&ran);
    assert_eq!((told(&object).as_str(), &object["proxy"]), ("up", &place.as_str().into()));
    let head = served.join().unwrap();
    assert!(
        head.starts_with("CONNECT service.invalid:443 HTTP/1.1\r\nHost: service.invalid:443\r\n"),
        "{head}"
    );
    assert!(
        head.contains("\r\nProxy-Authorization: Basic cDpzM2Ny\r\n") && !head.contains("\r\nAuthorization")
    );
    let asked = &stub.asked()[0].head;
    assert!(
        asked.starts_with("GET /sound/availability HTTP/1.1\r\n") && !asked.contains("proxy-"),
        "{asked}"
    );
    assert!(asked.contains("\r\nauthorization: Basic dTp3MHJk\r\n"), "{asked}");
}

#[test]
fn no_password_of_a_url_is_seen_anywhere() {
    let fresh = Fresh::new();
    let unseen = |ran: &Ran, what: &str| {
        ran.expect(
            !ran.stdout.contains("s3cr") && !ran.stderr.contains("s3cr"),
            &format!("no password of {what}"),
        );
    };
    let urls = [
        "u:s3cr@h/x",
        "https:u:s3cr@h",
        "http:/u:s3cr@h",
        "//u:s3cr@h",
        "http://u:s3cr@h:x/",
        "http://u:s3cr@h:99999/",
        "http://u:s3cr@/",
        "http://u:x@s3cr@h:x/",
        "http://u:x/s3cr@h",
        "http://u:x?s3cr@h",
        "http://u:99999/s3cr@h",
        "http://u%3As3cr@h:x",
        "http://u:s3cr%40h/",
        "http%3A%2F%2Fu%3As3cr%40h",
        "gopher://u:s3cr@h/",
        "http://u:s3cr@a b/",
        "http://u:a s3cr@h:x/",
        "http://u:s3cr@h\\x",
    ];
    for url in urls {
        for more in ["", "--format=nagios", "--no-such-option"] {
            unseen(
                &fresh.parsim("tap --progress=never").args([url]).args(more.split_whitespace()).run(),
                url,
            );
        }
        unseen(&fresh.parsim("tap --urls").args([url]).run(), url);
        for option in ["--urls", "--cacert", "--timeout"] {
            unseen(&fresh.parsim("tap").args([format!("{option}={url}")]).run(), url);
        }
        unseen(&fresh.parsim("").args([url]).run(), url);
        std::fs::write(fresh.path("list"), format!("{url}\tname\n")).unwrap();
        unseen(&fresh.parsim("tap --urls list").run(), url);
        for table in [format!("url,name\n{url},x\n"), format!("name,url\n{url},\n"), format!("{url},b\n")] {
            std::fs::write(fresh.path("list.csv"), table).unwrap();
            unseen(&fresh.parsim("tap --urls list.csv --header").run(), url);
        }
    }
    let fresh = Fresh::new();
    // Sent on to, told of, and named by the service itself.
    let stub = Stub::start(|asked| match asked.path.split('/').nth(1).unwrap() {
        "bad" => moved("302 x", "http://u:s3cr/@h:x/"),
        "long" => moved("302 x", &format!("http://u:{}s3cr@h:x/", "x".repeat(400))),
        "odd" => moved("302 x", "ftp:u:s3cr@h"),
        "self" => moved("302 x", &format!("{}/sound/availability", asked.server.replace("//", "//v:s3cr@"))),
        "noted" => Reply::xml(up("<v:note>see http://u:s3cr@h/ and https:u:s3cr@h</v:note>")),
        "title" => Reply::with("503 x", &[], "<html><title>http://u:s3cr@h/</title>"),
        _ => service(asked),
    });
    let exports = "--export-json s.json --export-csv s.csv --export-junit j.xml --export-prometheus g \
                   --export-html p.html --export-markdown p.md --export-trace t.json";
    for name in ["bad", "long", "odd", "self", "noted", "title", "sound", "silent"] {
        let url = stub.url(&format!("/{name}")).replace("//", "//u:s3cr@");
        std::fs::write(fresh.path("list"), format!("{url} of http://u:s3cr@h\n")).unwrap();
        for format in ["text", "nagios", "json-lines"] {
            let line = format!(
                "tap --urls list --timeout 0.5 --progress=always --parallel --format {format} {exports}"
            );
            unseen(&fresh.parsim(&line).run(), name);
            unseen(
                &fresh
                    .parsim(&format!("tap {url} --timeout 0.5 --progress=always --format {format} {exports}"))
                    .run(),
                name,
            );
            for file in fresh.names(".").iter().filter(|file| *file != "list") {
                let text = String::from_utf8_lossy(&std::fs::read(fresh.path(file)).unwrap()).into_owned();
                assert!(!text.contains("s3cr"), "{name}: {file}: {text}");
            }
        }
        unseen(&fresh.parsim("report s.json").run(), name);
    }
}
