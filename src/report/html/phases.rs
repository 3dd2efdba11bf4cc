//! What each service was waited for: its check as a bar of phases.

use std::cmp::Reverse;
use std::time::Duration;

use super::axis::TimeAxis;
use super::legend::NamedSwatch;
use super::strip::{STEP, STRIP, head};
use super::{PagePart, picture};
use crate::numbers::{self, seconds};
use crate::report::services::{CheckedService, services, span, total};
use crate::report::timeline::TimeUnit;
use crate::sorting;
use crate::study::Study;
use crate::svg::Svg;

/// So many services are drawn, the slowest; the table has more.
const DRAWN: usize = 12;

/// Phases in the order in which they come: as records and as people call them, and their
/// class.
const PHASES: [(&str, &str, &str); 6] = [
    ("resolve", "resolve", "phase-resolve"),
    ("connect", "connect", "phase-connect"),
    ("tls", "TLS", "phase-tls"),
    ("first_byte", "first byte", "phase-first-byte"),
    ("body", "body", "phase-body"),
    ("query", "query", "phase-query"),
];

/// The rest of a check: redirects, retries, turns waited for.
const REST: &str = "phase-rest";

/// What takes a smaller share of the longest check is not seen, and needs no name.
const SEEN: f64 = 0.004;

/// The phases of the services of `study`; nothing where it is about something else.
pub(super) fn picture_of(study: &Study) -> Option<PagePart> {
    let all = services(study);
    let mut places: Vec<usize> = (0..all.len()).collect();
    if all.len() > DRAWN {
        let totals: Vec<Duration> = all.iter().map(|service| total(service.record())).collect();
        sorting::sort_by_key(&mut places, |place| Reverse(totals.get(*place).copied()));
        places.truncate(DRAWN);
    }
    let drawn: Vec<CheckedService<'_>> = places.into_iter().filter_map(|place| all.get(place)).collect();
    let longest = drawn.iter().map(|service| total(service.record()).as_secs_f64()).fold(0.0, f64::max);
    if longest <= 0.0 {
        return None;
    }
    let x = TimeAxis::exact(longest);
    let what = if drawn.iter().all(CheckedService::is_cone) { "search" } else { "check" };
    let bottom = drawn.len() as f64 * STEP;
    let mut svg = Svg::fluid("plot bare", bottom + 36.0, &format!("how long each phase of a {what} took"));
    x.draw_below(&mut svg, 0.0, bottom, &format!("time of a {what}"));
    let mut rest = false;
    for (at, service) in drawn.iter().enumerate() {
        rest |= row(&mut svg, x, STEP * at as f64, service);
    }
    let is_seen = |name: &str| {
        let mut times = drawn.iter().filter_map(|service| span(service.record(), name));
        times.any(|time| time.as_secs_f64() > SEEN * longest)
    };
    let mut entries: Vec<NamedSwatch> = PHASES
        .iter()
        .filter(|(name, ..)| is_seen(name))
        .map(|(_, called, class)| NamedSwatch::area(class, *called))
        .collect();
    entries.extend(rest.then(|| NamedSwatch::area(REST, "other")));
    let about = match all.len() {
        ..=DRAWN => String::new(),
        _ => format!("The slowest {DRAWN} of {}.", numbers::count(all.len() as u64)),
    };
    Some(PagePart::Wide(picture(&format!("Phases of each {what}"), &about, &entries, svg)))
}

/// One service; whether a part of its time is in no phase.
fn row(svg: &mut Svg, x: TimeAxis, top: f64, service: &CheckedService<'_>) -> bool {
    let finding = service.finding();
    let whole = total(service.record()).as_secs_f64();
    let figure = format!("{} {}", service.outcome(), TimeUnit::brief(whole));
    let top = head(svg, top, service.name(), finding.verdict.is_up(), &figure);
    let mut from = 0.0;
    let phases = PHASES.iter().filter_map(|(name, called, class)| {
        Some((*called, *class, span(service.record(), name)?.as_secs_f64()))
    });
    for (called, class, time) in phases.filter(|(.., time)| *time > 0.0) {
        let to = (from + time).min(whole);
        let title = format!("{called} {} of {}", seconds(time), seconds(whole));
        svg.rect_with_title(class, [x.at(from), top, x.at(to) - x.at(from), STRIP], &title);
        from = to;
    }
    let rest = whole - from;
    if rest > 0.0 {
        let title = format!("other {} of {}", seconds(rest), seconds(whole));
        svg.rect_with_title(REST, [x.at(from), top, x.at(whole) - x.at(from), STRIP], &title);
    }
    x.share(rest) > SEEN
}
