//! Made-up services, by the first part of their path: one for each kind of answer
//! that a service can give.

use crate::support::{Asked, Reply};

pub(crate) const NAMESPACE: &str = "http://www.ivoa.net/xml/VOSIAvailability/v1.0";
pub(crate) const SINCE: &str = "2026-01-02T03:04:05Z";

pub(crate) fn document(inside: &str) -> String {
    format!("<v:availability xmlns:v=\"{NAMESPACE}\">{inside}</v:availability>")
}

pub(crate) fn up(more: &str) -> String {
    document(&format!("<v:available>true</v:available><v:upSince>{SINCE}</v:upSince>{more}"))
}

pub(crate) fn down(more: &str) -> String {
    document(&format!("<v:available>false</v:available>{more}"))
}

pub(crate) fn answer(infos: &str, rows: &str) -> String {
    format!(
        "<VOTABLE><RESOURCE type=\"results\"><INFO name=\"QUERY_STATUS\" value=\"OK\"/><TABLE><FIELD name=\"x\" datatype=\"int\"/><DATA><TABLEDATA>{rows}</TABLEDATA></DATA></TABLE>{infos}</RESOURCE></VOTABLE>"
    )
}

pub(crate) fn capabilities(standards: &[(&str, &str)]) -> String {
    let list: String = standards
        .iter()
        .map(|(name, url)| {
            format!("<capability standardID=\"{name}\"><interface><accessURL>{url}</accessURL></interface></capability>")
        })
        .collect();
    format!(
        "<c:capabilities xmlns:c=\"http://www.ivoa.net/xml/VOSICapabilities/v1.0\">{list}</c:capabilities>"
    )
}

pub(crate) fn raw(head: &str, body: impl AsRef<[u8]>) -> Reply {
    Reply::Bytes([head.as_bytes(), body.as_ref()].concat())
}

/// A sound service, and services with something the matter, by the first part of
/// the path.
pub(crate) fn service(asked: &Asked) -> Reply {
    let mut parts = asked.path.split('/').skip(1);
    let (name, rest) = (parts.next().unwrap_or(""), parts.collect::<Vec<_>>().join("/"));
    let to = |status: &str, place: &str| Reply::with(status, &[&format!("Location: {place}")], "");
    let missing = || Reply::with("404 Not Found", &[], "");
    match (name, rest.as_str()) {
        ("sound" | "lies" | "empty" | "beside", "availability") => Reply::xml(up("")),
        ("sound", "sync") => Reply::xml(answer("", "<TR/>")),
        ("sound", "capabilities") => Reply::xml(capabilities(&[("ivo://ivoa.net/std/TAP", "x")])),
        ("sound", "tables") => Reply::xml(
            "<t:tableset xmlns:t=\"http://www.ivoa.net/xml/VOSITables/v1.0\"><schema><table/></schema></t:tableset>",
        ),
        ("down", _) => Reply::xml(down("<v:backAt>2036-01-01T00:00:00Z</v:backAt><v:note>a disk</v:note>")),
        ("down-503", _) => Reply::with("503 Service Unavailable", &["Content-Type: text/xml"], down("")),
        ("up-500", _) => Reply::with("500 Internal Server Error", &["Content-Type: text/xml"], up("")),
        ("page-503", _) => Reply::with(
            "503 Service Unavailable",
            &["Retry-After: 7"],
            "<html><title>Back soon</title></html>",
        ),
        ("nothing", _) => Reply::with("204 No Content", &[], ""),
        ("choices", _) => Reply::with("300 Multiple Choices", &["Content-Type: text/xml"], up("")),
        ("status-999", _) => Reply::with("999 No", &[], ""),
        ("silent", _) => Reply::Hang(Vec::new()),
        ("slow", _) => Reply::Hang(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n<v:availab".to_vec()),
        ("close", _) => Reply::Bytes(Vec::new()),
        ("short", _) => {
            raw("HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: 9000\r\n\r\n", up(""))
        }
        ("chunk-end", _) => {
            raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", format!("5\r\n{}\r\n", &up("")[..5]))
        }
        ("banner", _) => raw("SSH-2.0-OpenSSH_9.2\r\n", ""),
        ("coding", _) => raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: foo\r\n\r\n", up("")),
        ("lengths", _) => raw("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", up("")),
        ("head", _) => raw(&format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "x".repeat(40_000)), up("")),
        ("packed", _) => Reply::with("200 OK", &["Content-Encoding: gzip"], up("")),
        ("brotli", _) => Reply::with("200 OK", &["Content-Encoding: br"], up("")),
        ("bomb", _) => Reply::with("200 OK", &["Content-Encoding: gzip"], packed(&up(&" ".repeat(3 << 20)))),
        ("gzip", _) => {
            Reply::with("200 OK", &["Content-Encoding: gzip", "Content-Type: text/xml"], packed(&up("")))
        }
        ("long", _) => Reply::xml(up(&" ".repeat(2 << 20))),
        ("announced", _) => raw("HTTP/1.1 200 OK\r\nContent-Length: 10000000000000\r\n\r\n", up("")),
        ("deep", _) => Reply::xml(document(&"<v:a>".repeat(300_000))),
        ("page", _) => {
            Reply::with("200 OK", &["Content-Type: text/html"], "<!DOCTYPE html><title>Log in</title>")
        }
        ("cut", _) => Reply::xml(&up("")[..60]),
        ("entity", _) => {
            let url = format!("{}/canary", asked.server);
            Reply::xml(format!("<!DOCTYPE l [<!ENTITY x SYSTEM \"{url}\">]>{}", up("<v:note>&x;</v:note>")))
        }
        ("foreign", _) => Reply::xml(up("").replace(NAMESPACE, "http://example.org/")),
        ("vague", _) => Reply::xml(document("<v:available>perhaps</v:available>")),
        ("typed", _) => Reply::with("200 OK", &["Content-Type: text/plain"], up("")),
        ("moved", _) => to("301 Moved Permanently", "../sound/availability"),
        ("circle", _) => to("302 Found", &asked.path),
        ("endless", _) => to("302 Found", &format!("/endless/{}", asked.before)),
        ("nowhere", _) => Reply::with("302 Found", &[], ""),
        ("file", _) => to("302 Found", "file:///etc/hostname"),
        ("lies", "sync") => {
            Reply::xml(answer("<INFO name=\"QUERY_STATUS\" value=\"ERROR\">no database</INFO>", "<TR/>"))
        }
        ("empty", "sync") => Reply::xml(answer("", "")),
        ("listed", "capabilities") => {
            Reply::xml(capabilities(&[("ivo://ivoa.net/std/VOSI#availability", "/sound/availability")]))
        }
        ("query-only", "sync") => to("303 See Other", "/sound/sync"),
        ("maintained", _) => Reply::xml(up(
            "<v:downAt>2036-01-01T00:00:00Z</v:downAt><v:backAt>2036-01-02T00:00:00Z</v:backAt><v:note>new disks</v:note>",
        )),
        ("dated", _) => Reply::xml(up("").replace(SINCE, "yesterday")),
        ("early", _) => Reply::xml(up("").replace(SINCE, "2136-01-01T00:00:00Z")),
        ("stale", _) => Reply::xml(up("<v:downAt>2020-01-01T00:00:00Z</v:downAt>")),
        ("loud", _) => Reply::xml(document("<v:available>TRUE</v:available>")),
        _ => missing(),
    }
}

pub(crate) fn packed(text: &str) -> Vec<u8> {
    use std::io::Write as _;
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packer.write_all(text.as_bytes()).unwrap();
    packer.finish().unwrap()
}
