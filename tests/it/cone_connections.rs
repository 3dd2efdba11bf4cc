//! Connections that cone searches keep for the next target.

use std::collections::BTreeSet;

use crate::skies::results;
use crate::support::{Asked, Fresh, Reply, Stub};

/// A table of one row at 10, 20, as chunks for every second request.
fn row(asked: &Asked) -> Reply {
    let reply = results(&["ra double pos.eq.ra;meta.main", "dec double pos.eq.dec;meta.main"], &["10 20"]);
    let Reply::Bytes(bytes) = reply else { unreachable!() };
    if asked.before.is_multiple_of(2) {
        return Reply::Keep(bytes);
    }
    let text = String::from_utf8(bytes).unwrap();
    let (_, body) = text.split_once("\r\n\r\n").unwrap();
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nTransfer-Encoding: chunked\r\n\r\n";
    let (one, other) = body.split_at(100);
    let chunk = |part: &str| format!("{:x}\r\n{part}\r\n", part.len());
    Reply::Keep(format!("{head}{}{}0\r\n\r\n", chunk(one), chunk(other)).into_bytes())
}

const LINE: &str = "cone 10,20 10.1,20 10.2,20 10.3,20 --radius 1 --serial --retries 0 --service";

/// On how many connections `stub` was asked, and how often.
fn asked(stub: &Stub) -> (usize, usize) {
    let asked = stub.asked();
    let connections: BTreeSet<usize> = asked.iter().map(|asked| asked.connection.0).collect();
    (connections.len(), asked.len())
}

#[test]
fn all_targets_are_asked_on_one_connection_and_another_run_begins_anew() {
    let fresh = Fresh::new();
    let cacert = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/tls/ca.pem");
    for stub in [Stub::start(row), Stub::secure("good.pem", row)] {
        let line = format!("{LINE} {} --cacert {cacert}", stub.url("/scs?"));
        fresh.parsim(&line).run().exits(0).tells("4 of 4 cones answered");
        assert_eq!(asked(&stub), (1, 4), "{line}");
    }
    let stub = Stub::start(row);
    fresh.parsim(&format!("{LINE} {}", stub.url("/scs?")).replace("--serial", "-j 2")).run().exits(0);
    let (connections, requests) = asked(&stub);
    assert_eq!(requests, 8);
    let first: Vec<_> = stub.asked().iter().map(|asked| asked.connection).collect();
    assert!((2..=3).contains(&connections) && first[4] != (0, 4), "{first:?}");
}

#[test]
fn a_kept_connection_that_is_closed_costs_no_target_and_a_fresh_one_does() {
    let fresh = Fresh::new();
    let closes = |when: fn(&Asked) -> bool| {
        Stub::start(move |asked| if when(asked) { Reply::Bytes(Vec::new()) } else { row(asked) })
    };
    let stub = closes(|asked| asked.connection.1 > 0);
    fresh.parsim(&format!("{LINE} {}", stub.url("/scs?"))).run().exits(0).tells("4 of 4 cones answered");
    // Each but the first was asked twice.
    assert_eq!(asked(&stub), (4, 7));
    let stub = closes(|_| true);
    fresh.parsim(&format!("{LINE} {}", stub.url("/scs?"))).run().exits(4).tells("closed without an answer");
    assert_eq!(asked(&stub), (4, 4));
    // Half of an answer is one.
    let stub = Stub::start(|asked| match row(asked) {
        Reply::Keep(bytes) if asked.connection.1 == 1 => Reply::Bytes(bytes[..bytes.len() / 2].to_vec()),
        reply => reply,
    });
    fresh.parsim(&format!("{LINE} {}", stub.url("/scs?"))).run().exits(2).tells("2 of 4 cones answered");
    assert_eq!(asked(&stub), (2, 4));
}

#[test]
fn what_follows_an_answer_is_never_taken_for_the_next_one() {
    let fresh = Fresh::new();
    let stub = Stub::start(|asked| match row(asked) {
        Reply::Keep(mut bytes) => {
            bytes.extend(b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: 1\r\n\r\n<");
            Reply::Keep(bytes)
        }
        reply => reply,
    });
    fresh.parsim(&format!("{LINE} {}", stub.url("/scs?"))).run().exits(0).tells("4 of 4 cones answered");
    assert_eq!(asked(&stub), (4, 4));
    // Where the server says that it closes, it is believed.
    let stub = Stub::start(|asked| match row(asked) {
        Reply::Keep(bytes) => {
            let text = String::from_utf8(bytes).unwrap();
            Reply::Keep(text.replacen("\r\n", "\r\nConnection: close\r\n", 1).into_bytes())
        }
        reply => reply,
    });
    fresh.parsim(&format!("{LINE} {}", stub.url("/scs?"))).run().exits(0);
    assert_eq!(asked(&stub), (4, 4));
}
