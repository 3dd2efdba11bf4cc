//! Names of targets, and who is asked where they are.

use std::fmt::Write as _;
use std::fs;

use crate::skies::{answer, sky, table};
use crate::support::{Fresh, Reply, Stub};

/// A list of `n` names that are like this.
fn list(fresh: &Fresh, n: usize, name: impl Fn(usize) -> String) {
    let mut text = "target\n".to_owned();
    (0..n).for_each(|number| _ = writeln!(text, "{}", name(number)));
    fs::write(fresh.path("list.csv"), text).unwrap();
}

fn line(stub: &Stub, resolver: &Stub, options: &str) -> String {
    format!(
        "cone --targets list.csv --radius 0.01 --parallel --out rows.csv --status status.csv --retries 0 \
         --service {} --resolver {} {options}",
        stub.url("/tap"),
        resolver.url("/cgi-bin/nph-sesame")
    )
}

/// The classes of all targets.
fn classes(fresh: &Fresh) -> Vec<String> {
    let text = fs::read_to_string(fresh.path("status.csv")).unwrap();
    table(&text).iter().map(|row| row["class"].clone()).collect()
}

#[test]
fn a_resolver_that_does_not_answer_is_waited_for_once() {
    let (sky, dead) = (sky(), Stub::start(|_| Reply::Hang(Vec::new())));
    let fresh = Fresh::new();
    list(&fresh, 120, |number| format!("object {number}"));
    let ran = fresh.parsim(&line(&sky, &dead, "--timeout 0.3")).run();
    ran.exits(101).says("the name resolver http://127.0.0.1");
    assert_eq!((dead.asked().len(), sky.asked().len()), (1, 0));
    assert_eq!(classes(&fresh), vec!["timeout"; 120]);
}

#[test]
fn a_resolver_that_only_fails_is_left_alone_in_the_end() {
    let (sky, broken) = (sky(), Stub::start(|_| Reply::with("500 Internal Server Error", &[], "")));
    let fresh = Fresh::new();
    list(&fresh, 120, |number| format!("object {number}"));
    fresh.parsim(&line(&sky, &broken, "")).run().exits(101);
    assert_eq!(broken.asked().len(), 10);
    assert_eq!(classes(&fresh), vec!["http"; 120]);
}

#[test]
fn a_name_that_spoils_the_answer_for_all_fails_alone() {
    let sky = sky();
    let spoilt = Stub::start(|asked| {
        let is_bad = asked.head.contains("BAD");
        if is_bad { Reply::with("500 Internal Server Error", &[], "") } else { answer(asked) }
    });
    let fresh = Fresh::new();
    for bad in [0, 20, 49] {
        list(&fresh, 50, |number| if number == bad { "BAD".to_owned() } else { format!("object {number}") });
        let before = spoilt.asked().len();
        fresh.parsim(&line(&sky, &spoilt, "")).run().exits(50);
        let classes = classes(&fresh);
        assert_eq!(classes[bad], "http");
        assert_eq!(classes.iter().filter(|class| *class == "unknown-name").count(), 49);
        let n_asked = spoilt.asked().len() - before;
        assert!(n_asked < 15, "{n_asked} requests");
    }
}
