//! The way to a service: redirects, framing, and reasons that are true.

use serde_json::Value;

use crate::services::{NAMESPACE, answer, capabilities, raw, service, up};
use crate::support::{Asked, Fresh, Ran, Reply, Stub};

const CA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/tls/ca.pem");

/// The object that a check of one service tells.
pub(crate) fn object(ran: &Ran) -> Value {
    ran.expect(ran.stdout.lines().count() == 1, "one object");
    serde_json::from_str(&ran.stdout).unwrap()
}

/// Verdict, class and warnings.
pub(crate) fn told(object: &Value) -> String {
    let warnings: Vec<&str> =
        object["warnings"].as_array().unwrap().iter().map(|it| it.as_str().unwrap()).collect();
    let text = |name: &str| object[name].as_str().unwrap().to_owned();
    [text("verdict"), text("class"), warnings.join(",")].join(" ").trim_end().to_owned()
}

pub(crate) fn reason(object: &Value) -> &str {
    object["reason"].as_str().unwrap()
}

/// A check of one service as an object.
pub(crate) fn check(url: &str, more: &str) -> Ran {
    check_with(&[], url, more)
}

/// The same where the environment has these variables.
pub(crate) fn check_with(variables: &[(&str, &str)], url: &str, more: &str) -> Ran {
    let fresh = Fresh::new();
    let limit = if more.contains("--timeout") { "" } else { "--timeout 60" };
    let line = format!("tap {url} --format json-lines --progress=never {limit} {more}");
    let line = fresh.parsim(&line);
    variables.iter().fold(line, |line, (name, value)| line.env(name, value)).run()
}

pub(crate) fn moved(status: &str, place: &str) -> Reply {
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

/// Services with something the matter, by the first part of the path.
fn awkward(asked: &Asked) -> Reply {
    let votable = |inside: &str| {
        let ok = "<INFO name=\"QUERY_STATUS\" value=\"OK\"/>";
        Reply::xml(format!("<VOTABLE><RESOURCE type=\"results\">{ok}{inside}</RESOURCE></VOTABLE>"))
    };
    let status = |number: u16| Reply::with(&format!("{number} x"), &[], "");
    let mut parts = asked.path.split('/').skip(1);
    match (parts.next().unwrap(), parts.next().unwrap_or_default()) {
        ("availability", _)
        | ("none" | "none-query" | "none-login" | "none-caps" | "none-deaf", "availability")
        | ("caps-404", "capabilities")
        | ("no-tables", "tables") => status(404),
        ("login", _) | ("caps-401", "capabilities") => status(401),
        ("none-login" | "query-403", "sync") => status(403),
        ("none-query" | "broken", "sync") => status(500),
        ("closed-down", _) => Reply::with("404 x", &[], up("").replace(">true<", ">false<")),
        (_, "availability") => Reply::xml(up("")),
        ("query-401", "sync") => {
            Reply::with("401 x", &["WWW-Authenticate: Basic realm=\"x\""], "<title>Who?</title>")
        }
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
        (_, "sync") => Reply::xml(answer("", "<TR/>")),
        ("caps-page", "capabilities") => Reply::xml("<html><title>Back soon</title></html>"),
        ("caps-other" | "none-caps", "capabilities") => Reply::xml(capabilities(&[("ivo://x", "x")])),
        ("caps-cut" | "none-deaf", "capabilities") => Reply::Bytes(Vec::new()),
        (_, "capabilities") => Reply::xml(capabilities(&[("ivo://ivoa.net/std/TAP", "x")])),
        ("chunks", "tables") => {
            raw("HTTP/1.1 200 x\r\nTransfer-Encoding: chunked\r\n\r\n", "+5\r\nhello\r\n")
        }
        _ => service(&Asked { path: "/sound/tables".to_owned(), ..asked.clone() }),
    }
}

#[test]
fn every_reason_is_true() {
    let stub = Stub::start(awkward);
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
