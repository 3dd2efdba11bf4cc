//! Proxies of the environment, and passwords of all kinds.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread;

use serde_json::Value;

use crate::reached::{check_with, moved, object, reason, told};
use crate::services::{service, up};
use crate::support::{Asked, Fresh, Ran, Reply, Stub};

const PROXIED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/tls/proxied.pem");

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
    let monitor = fresh.parsim(&format!("tap {url} --format nagios")).env("all_proxy", &variable).run();
    monitor.exits(0).says(&format!("TAP OK - 1 of 1 up; through proxy {} | ", proxy.authority()));
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
    line("u:s3cr@127.0.0.1:x").refuses("http_proxy is u:***@127.0.0.1:x: the port is not a number");
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

#[test]
fn a_proxy_that_stops_a_query_or_the_capabilities_is_not_taken_for_the_service() {
    let login = || Reply::with("407 x", &["Proxy-Authenticate: Basic realm=\"x\""], "");
    let proxy = Stub::start(move |asked| {
        let path = asked.path.strip_prefix("http://").unwrap_or(&asked.path);
        match path.split_once('/').unwrap_or((path, "")) {
            ("query.invalid", "sync") | ("capable.invalid", "capabilities") => login(),
            ("moved.invalid", "sync") => moved("307", "https://moved.invalid/sync"),
            ("odd.invalid:443", "") => Reply::Bytes(b"HTTP/1.1 2000 x\r\n\r\n".to_vec()),
            (_, path) => service(&Asked { path: format!("/sound/{path}"), ..asked.clone() }),
        }
    });
    let place = proxy.authority();
    let variables = [("http_proxy", place.as_str()), ("https_proxy", "127.0.0.1:1")];
    let asks = "the proxy asks for a login: HTTP 407 Proxy Authentication Required";
    for (host, why) in [
        ("query", format!("says it is up, but a query fails: {asks}")),
        ("capable", format!("says it is up, but its capabilities cannot be read: {asks}")),
        ("moved", "says it is up, but a query fails: proxy 127.0.0.1:1: connection refused".to_owned()),
    ] {
        let ran = check_with(&variables, &format!("http://{host}.invalid/"), "--deep");
        let object = object(&ran);
        assert_eq!((told(&object).as_str(), reason(&object)), ("error proxy", why.as_str()), "{host}");
    }
    let ran = check_with(&[("https_proxy", &place)], "https://odd.invalid/", "");
    assert_eq!(reason(&object(&ran)), format!("proxy {place}: does not speak HTTP"));
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
