//! How often services are asked and how many at a time, when they are asked again, and what
//! an interrupt leaves.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use quick_junit::{Report, TestCaseStatus};
use serde_json::Value;

use crate::services::{SINCE, service, up};
use crate::support::{Fresh, Reply, Stub};
use crate::tap::{objects, told};

#[test]
fn a_failure_that_may_pass_is_asked_again_within_the_time() {
    let stub = Stub::start(|asked| match (asked.path.as_str(), asked.before) {
        ("/later/availability", _) => Reply::with("503 Service Unavailable", &["Retry-After: 3600"], ""),
        (_, 0 | 1) => Reply::with("503 Service Unavailable", &["Retry-After: 0"], ""),
        _ => Reply::xml(up("")),
    });
    let fresh = Fresh::new();
    let ran = fresh.parsim(&format!("tap {} --retries 2 --format json-lines", stub.url("/x"))).run();
    ran.exits(0);
    assert_eq!(
        (told(&objects(&ran)[0]), &objects(&ran)[0]["attempts"]),
        ("up  retried".to_owned(), &3.into())
    );
    let before = stub.asked().len();
    let ran = fresh.parsim(&format!("tap {} --retries 2 --format json-lines", stub.url("/later"))).run();
    ran.exits(1);
    assert_eq!(stub.asked().len() - before, 1, "an hour was waited for");
}

#[test]
fn no_more_are_in_one_host_at_a_time_than_asked_for() {
    let inside = Arc::new(AtomicUsize::new(0));
    let most = Arc::new(AtomicUsize::new(0));
    let (inner, highest) = (Arc::clone(&inside), Arc::clone(&most));
    let stub = Stub::start(move |_| {
        highest.fetch_max(inner.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(20));
        inner.fetch_sub(1, Ordering::SeqCst);
        Reply::xml(up(""))
    });
    let url = stub.url("/x");
    let ran = Fresh::new().parsim(&format!("tap {url} --repeat 12 --per-host 2 --parallel")).run();
    ran.exits(0).says("p50").says("p95").says("p99").says("1 of 1 service up");
    assert!(most.load(Ordering::SeqCst) <= 2, "{} at a time", most.load(Ordering::SeqCst));
    assert_eq!(stub.asked().len(), 12);
}

#[test]
fn a_service_that_changes_its_answer_between_the_ways_is_flagged_and_is_no_fault() {
    let stub = Stub::start(|asked| {
        let since = if asked.before == 0 { SINCE } else { "2026-02-02T00:00:00Z" };
        Reply::xml(up("").replace(SINCE, since))
    });
    let ran = Fresh::new().parsim(&format!("tap {} --compare", stub.url("/x"))).run();
    ran.exits(0).says("changed between the ways: ").says("up (changed)").says("0 of 1 service identical");
}

#[test]
fn each_service_is_asked_once_unless_both_ways_are_asked_for() {
    let stub = Stub::start(service);
    let fresh = Fresh::new();
    fs::write(fresh.path("list"), format!("{}\n", stub.url("/sound")).repeat(3)).unwrap();
    let ran = fresh.parsim("tap --urls list").run();
    ran.exits(0).says("ran in parallel only, because each service is asked once; --compare shows both ways");
    assert_eq!(stub.asked().len(), 3);
    fresh.parsim("tap --urls list --compare").run().exits(0).says("3 of 3 services identical");
    assert_eq!(stub.asked().len(), 9);
    fresh.parsim("tap --demo").run().exits(0).says("4 of 4 services up").does_not_say("identical");
    let url = stub.url("/sound");
    let ran = fresh.parsim(&format!("tap {url} --format json-lines --compare")).run();
    let ways: Vec<Value> =
        ran.stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["way"].clone()).collect();
    assert_eq!(ways, ["serial", "parallel"]);
}

#[test]
fn an_interrupt_ends_it_at_once_and_what_was_done_is_told() {
    let stub = Stub::start(service);
    let fresh = Fresh::new();
    // One at a time, so that the last one is asked when the others are done.
    let urls = ["/sound", "/page", "/silent"].map(|path| stub.url(path)).join(" ");
    let mut started = fresh.parsim(&format!("tap {urls} --parallel -j 1 --timeout 600 --retries 9")).start();
    started.until("the last one is asked", || stub.asked().len() == 3);
    started.signal("INT");
    let ran = started.end_within(Duration::from_secs(10));
    ran.ends_by_signal(libc::SIGINT).tells("interrupted in the parallel run: 2 of 3 tasks had finished");
    ran.says("/sound   up  ")
        .says("error/not-xml")
        .says("1 of 3 services up, 1 error, 1 not checked")
        .does_not_say("/silent  ");
}

#[test]
fn ci_is_told_what_an_interrupted_check_found_and_how_much_is_left() {
    let stub = Stub::start(service);
    let fresh = Fresh::new();
    let urls = ["/sound", "/page", "/silent", "/sound"].map(|path| stub.url(path)).join(" ");
    let line = format!("tap {urls} --parallel -j 1 --timeout 600 --retries 0 --export-junit j.xml");
    let mut started = fresh.parsim(&line).start();
    started.until("the third one is asked", || stub.asked().len() == 3);
    started.signal("TERM");
    started.end_within(Duration::from_secs(10)).ends_by_signal(libc::SIGTERM);
    let report = Report::deserialize_from_str(&fs::read_to_string(fresh.path("j.xml")).unwrap()).unwrap();
    let [suite] = &report.test_suites[..] else { panic!("{:?}", report.test_suites) };
    assert_eq!(suite.name.as_str(), "parallel (interrupted)");
    let told = suite.test_cases.iter().map(|case| {
        let is_skipped = matches!(case.status, TestCaseStatus::Skipped { .. });
        (case.name.as_str().rsplit('/').next().unwrap(), is_skipped)
    });
    let told: Vec<_> = told.collect();
    let left = ("1 task that was not finished", true);
    assert_eq!((told, suite.failures), (vec![("sound", false), ("page", false), ("silent", true), left], 1));
}
