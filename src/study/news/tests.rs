//! News of services, from one run to the next.

use super::*;
use crate::task::{SelfReport, SharedText};

fn finding(verdict: ServiceVerdict, at: i64) -> Finding {
    let class = (verdict == ServiceVerdict::Error).then_some(ErrorClass::Refused);
    let time = Some(Moment::of_seconds(at));
    Finding { url: "http://h/".into(), verdict, class, time, ..Finding::default() }
}

fn seen(finding: &Finding, total: Duration) -> Observation<'_> {
    Observation { finding: Cow::Borrowed(finding), total }
}

fn take(known: &mut KnownServices, finding: &Finding, millis: u64) -> Vec<String> {
    let total = Duration::from_millis(millis);
    known.take([seen(finding, total)].into_iter()).into_iter().map(|it| it.text).collect()
}

#[test]
fn a_change_is_told_once_with_how_it_was_and_how_long() {
    let mut known = KnownServices::default();
    let day = 86_400;
    let up = |at| finding(ServiceVerdict::Up, at);
    let refused = |at| finding(ServiceVerdict::Error, at);
    assert!(take(&mut known, &up(0), 100).is_empty(), "nothing was known before");
    assert!(take(&mut known, &up(day), 100).is_empty());
    assert_eq!(
        take(&mut known, &refused(12 * day), 1),
        ["error/refused since 1970-01-13 00:00, was up 12 d"]
    );
    assert!(take(&mut known, &refused(12 * day + 300), 1).is_empty());
    assert!(take(&mut known, &up(12 * day), 1).is_empty(), "that was found out earlier");
    let timeout = Finding { class: Some(ErrorClass::Timeout), ..refused(12 * day + 600) };
    assert_eq!(take(&mut known, &timeout, 1), ["timeout, was refused"]);
    let again = take(&mut known, &up(12 * day + 3000), 1);
    assert_eq!(again, ["up again since 1970-01-13 00:50, was error/timeout 50 min"]);
    for (at, verdict) in [(1, ServiceVerdict::Down), (2, ServiceVerdict::Up)] {
        let told = take(&mut known, &finding(verdict, 12 * day + 3000 + at), 1);
        assert_eq!(told[0].contains("; flapping: 4 changes in 24 h"), at == 2, "{told:?}");
    }
}

#[test]
fn what_joins_or_leaves_the_list_is_told() {
    let mut known = KnownServices::default();
    take(&mut known, &finding(ServiceVerdict::Up, 1), 1);
    let other = Finding { url: "http://i/".into(), ..finding(ServiceVerdict::Down, 2) };
    assert_eq!(take(&mut known, &other, 0), ["new in the list, down", "no longer checked, was up"]);
    assert!(take(&mut known, &other, 0).is_empty());
}

#[test]
fn a_service_that_is_listed_twice_is_no_news() {
    let mut known = KnownServices::default();
    let findings = [1, 2, 3, 4].map(|at| finding(ServiceVerdict::Up, at));
    let total = Duration::ZERO;
    for pair in findings.chunks(2) {
        assert!(known.take(pair.iter().map(|finding| seen(finding, total))).is_empty());
    }
}

#[test]
fn two_slow_checks_in_a_row_are_news_and_then_two_fast_ones() {
    let mut known = KnownServices::default();
    let mut at = 0;
    let mut check = |millis| {
        at += 1;
        take(&mut known, &finding(ServiceVerdict::Up, at), millis)
    };
    for millis in [100, 110, 90, 105, 95, 120, 100, 100] {
        assert!(check(millis).is_empty());
    }
    assert!(check(900).is_empty());
    assert_eq!(check(900), ["slower than usual: took 900.0 ms, mostly 100.0 ms"]);
    assert!(check(900).is_empty(), "told already");
    assert!(check(100).is_empty());
    assert_eq!(check(100), ["as fast as usual again: took 100.0 ms, mostly 102.5 ms"]);
}

#[test]
fn a_limit_that_is_exceeded_twice_in_a_row_is_news_once_though_nobody_knows_what_is_usual() {
    let mut known = KnownServices::default();
    let mut at = 0;
    let mut check = |millis, is_slow: bool| {
        at += 1;
        let warnings = if is_slow { vec![Warning::Slow] } else { Vec::new() };
        take(&mut known, &Finding { warnings, ..finding(ServiceVerdict::Up, at) }, millis)
    };
    for is_slow in [false, true, false, true] {
        assert!(check(300, is_slow).is_empty(), "one alone is weather");
    }
    assert_eq!(check(300, true), ["slower than it should be: took 300.0 ms"]);
    assert!(check(300, true).is_empty() && check(10, false).is_empty());
    assert_eq!(check(10, false), ["no longer slow: took 10.00 ms"]);
    assert!(check(10, false).is_empty());

    let mut known = KnownServices::default();
    for at in 1..5 {
        let slow = Finding { warnings: vec![Warning::Slow], ..finding(ServiceVerdict::Up, at) };
        assert!(take(&mut known, &slow, 300).is_empty(), "it was so from the first");
    }
}

#[test]
fn what_will_break_before_long_is_told_once_and_once_that_it_will_not() {
    let mut known = KnownServices::default();
    let with = |at, warnings: &[Warning]| Finding {
        warnings: warnings.to_vec(),
        cert_expires: Some(20 * 86_400),
        says: Some(Box::new(SelfReport { down_at: Some("2036-01-01".into()), ..SelfReport::default() })),
        ..finding(ServiceVerdict::Up, at)
    };
    let expires = [Warning::Redirected, Warning::CertExpires];
    take(&mut known, &with(1, &[Warning::Redirected]), 1);
    assert_eq!(take(&mut known, &with(2, &expires), 1), ["warning: cert-expires: on 1970-01-21 00:00"]);
    assert!(take(&mut known, &with(3, &expires), 1).is_empty(), "told already");
    let text = serde_json::to_string(&known).unwrap();
    let mut known = KnownServices::read(text.as_bytes()).unwrap();
    let down = Finding { warnings: expires.to_vec(), ..finding(ServiceVerdict::Down, 4) };
    assert_eq!(take(&mut known, &down, 1).len(), 1);
    assert_eq!(take(&mut known, &with(5, &expires), 1).len(), 1, "up again, and nothing else is new");
    let told = take(&mut known, &with(6, &[Warning::Maintenance]), 1);
    assert_eq!(told, ["warning: maintenance: down at 2036-01-01", "no longer: warning: cert-expires"]);
    assert_eq!(take(&mut known, &with(7, &[]), 1), ["no longer: warning: maintenance"]);
}

#[test]
fn other_standards_are_news_where_both_checks_asked_for_them() {
    let mut known = KnownServices::default();
    let with = |at, words: &[&str]| Finding {
        capabilities: words.iter().map(|word| SharedText::from(*word)).collect(),
        ..finding(ServiceVerdict::Up, at)
    };
    take(&mut known, &with(1, &["TAP 1.0"]), 1);
    assert!(take(&mut known, &with(2, &[]), 1).is_empty());
    let told = take(&mut known, &with(3, &["TAP 1.1"]), 1);
    assert_eq!(told, ["its capabilities now have TAP 1.1, and no longer TAP 1.0"]);
}

#[test]
fn what_is_known_is_read_back_as_it_was() {
    let mut known = KnownServices::default();
    take(&mut known, &finding(ServiceVerdict::Up, 1), 100);
    take(&mut known, &finding(ServiceVerdict::Error, 2), 100);
    let text = serde_json::to_string(&known).unwrap();
    assert_eq!(KnownServices::read(text.as_bytes()).unwrap(), known);
    assert!(KnownServices::read(text.replace("services/1", "services/9").as_bytes()).is_err());
}
