//! The table of services, and what else is to be said of some of them.

use std::collections::BTreeMap;

use super::{CheckedService, n_asked_for, services, span, targets, total};
use crate::numbers;
use crate::report::document::{Cells, Content, Grid, GridRow, ReportSection, Sentence, Tone};
use crate::study::Study;
use crate::task::{Finding, ServiceVerdict, Warning};
use crate::text::printable;

/// Up to so many services are all shown; of more, those that are not up.
const SHOWN: usize = 200;

/// So many services are gone into.
const PARTICULARS: usize = 50;

/// So many notes of a service are shown.
const NOTES: usize = 3;

/// Characters of a service's name or a note that are shown.
const LONGEST: usize = 72;

/// Characters of a time that are shown: nanoseconds and a zone fit.
const LONGEST_TIME: usize = 36;

/// Phases as the table calls them, and as records do.
const PHASES: [(&str, &str); 5] = [
    ("resolve", "resolve"),
    ("connect", "connect"),
    ("TLS", "tls"),
    ("first byte", "first_byte"),
    ("query", "query"),
];

/// The services that `study` checked, and what else is to be said of some of them; `None`
/// where it is about something else.
pub(in crate::report) fn section(study: &Study) -> Option<ReportSection<'static>> {
    let all = services(study);
    if all.is_empty() {
        return None;
    }
    let table = Content::Table(grid(study, &all));
    let heading = if targets::are_all(&all) { "Targets" } else { "Services" };
    Some(ReportSection::new(heading, vec![table, Content::Lines(particulars(&all))]))
}

fn grid(study: &Study, all: &[CheckedService<'_>]) -> Grid {
    let (shown, left_out) = shown(all);
    // What no service needed is no column; nor is a lookup of what is an address.
    let is_told = |(_, name): &(&str, &str)| all.iter().any(|service| worth_telling(service, name));
    let phases: Vec<_> = PHASES.into_iter().filter(is_told).collect();
    let repeated = all.iter().any(|service| service.totals.len() > 1);
    let of_sky = targets::are_all(all);
    let texts = if of_sky {
        [(Cells::Texts, "target"), (Cells::Verdicts, "status"), (Cells::Figures, "rows")]
    } else {
        [(Cells::Texts, "service"), (Cells::Verdicts, "verdict"), (Cells::Texts, "up since")]
    };
    let totals = if repeated { &["p50", "p95", "p99"][..] } else { &["total"] };
    // Who, the verdict and the first of the totals stay.
    let lesser = |at: &usize| *at != texts.len() + phases.len();
    let lesser = (2..texts.len() + phases.len() + totals.len()).filter(lesser).collect();
    let figures = phases.iter().map(|(label, _)| label).chain(totals).map(|head| (Cells::Figures, *head));
    let heads = texts.into_iter().chain(figures);
    let row = |service: &CheckedService<'_>| {
        let finding = service.finding;
        let verdict = match &finding.verdict {
            ServiceVerdict::Error => format!("error/{}", finding.class_name()),
            other => other.to_string(),
        };
        let changed = if service.changed { " (changed)" } else { "" };
        let since = finding.says.as_ref().and_then(|says| says.up_since.as_deref());
        let since = since.map_or_else(String::new, |since| cut_to(LONGEST_TIME, since));
        let mut cells = match finding.cone.as_deref().filter(|_| of_sky) {
            Some(cone) => {
                let [target, status, rows] = targets::cells(finding, cone);
                vec![cut(&target), printable(&(status + changed)), printable(&rows)]
            }
            None => vec![cut(finding.label()), printable(&(verdict + changed)), since],
        };
        let phase = |name: &str| span(service.record, name).map(numbers::duration).unwrap_or_default();
        cells.extend(phases.iter().map(|(_, name)| phase(name)));
        if repeated {
            cells.extend([50, 95, 99].map(|per_cent| numbers::duration(service.quantile(per_cent))));
        } else {
            cells.push(numbers::duration(total(service.record)));
        }
        let tone = if finding.verdict.is_up() { Tone::Good } else { Tone::Bad };
        GridRow { cells, tone }
    };
    Grid {
        rows: shown.into_iter().map(row).collect(),
        columns: heads.map(|(cells, head)| (cells, head.to_owned())).collect(),
        caption: format!("{}{left_out}", tally(all, n_asked_for(study, all))),
        lesser,
    }
}

/// What a person should know of single services: warnings, maintenance, notes.
fn particulars(all: &[CheckedService<'_>]) -> Vec<Sentence> {
    let name = |finding: &Finding| match &finding.cone {
        Some(cone) => cut(&targets::cells(finding, cone)[0]),
        None => cut(finding.label()),
    };
    let told = all.iter().map(|service| (name(service.finding), particular(service).join("; ")));
    let mut told = told.filter(|(_, told)| !told.is_empty());
    let mut lines: Vec<String> =
        told.by_ref().take(PARTICULARS).map(|(service, told)| format!("{service}: {told}")).collect();
    let left_out = told.count() as u64;
    if left_out > 0 {
        lines.push(format!("... and more to know of {}", numbers::plural(left_out, "service")));
    }
    lines.into_iter().map(Sentence::plain).collect()
}

fn particular(service: &CheckedService<'_>) -> Vec<String> {
    let finding = service.finding;
    let mut told = Vec::new();
    if !finding.warnings.is_empty() {
        let warnings: Vec<&str> = finding.warnings.iter().map(Warning::name).collect();
        told.push(format!("warning: {}", warnings.join(", ")));
    }
    // Why it is not up stands among the failures.
    if finding.verdict.is_up() && !finding.reason.is_empty() {
        told.push(finding.reason.to_string());
    }
    if let Some(permanent) = finding.redirects.iter().find(|redirect| redirect.is_permanent()) {
        told.push(format!("moved for good to {}", cut(&permanent.to)));
    }
    let Some(says) = &finding.says else { return told };
    told.extend(says.down_at.as_deref().map(|at| format!("down at {}", cut(at))));
    told.extend(says.back_at.as_deref().map(|at| format!("back at {}", cut(at))));
    told.extend(says.notes.iter().take(NOTES).map(|note| format!("note: {}", cut(note))));
    let more = says.notes.len().saturating_sub(NOTES).saturating_add(says.more_notes);
    if more > 0 {
        told.push(format!("and {more} more notes"));
    }
    told
}

/// Those to be shown, and a word on the others.
fn shown<'a, 'b>(all: &'b [CheckedService<'a>]) -> (Vec<&'b CheckedService<'a>>, String) {
    if all.len() <= SHOWN {
        return (all.iter().collect(), String::new());
    }
    let mut not_up: Vec<_> = all.iter().filter(|service| !service.finding.verdict.is_up()).collect();
    let text = match not_up.len() {
        0 => String::new(),
        1..=SHOWN => "; those that are not up are shown".to_owned(),
        _ => format!("; {SHOWN} of those that are not up are shown"),
    };
    not_up.truncate(SHOWN);
    (not_up, text)
}

/// `3 of 5 services up, 1 error, 1 not checked; 2 through proxy p:3128`.
pub(super) fn tally(all: &[CheckedService<'_>], n_asked_for: usize) -> String {
    if targets::are_all(all) {
        return targets::tally(all, n_asked_for) + &through_proxies(all);
    }
    let count =
        |verdict: &ServiceVerdict| all.iter().filter(|it| it.finding.verdict == *verdict).count() as u64;
    let n_up = numbers::count(count(&ServiceVerdict::Up));
    let mut text = format!("{n_up} of {} up", numbers::plural(n_asked_for as u64, "service"));
    let [down, error] = [ServiceVerdict::Down, ServiceVerdict::Error].map(|it| (count(&it), it.to_string()));
    let left = (n_asked_for.saturating_sub(all.len()) as u64, "not checked".to_owned());
    for (number, what) in [down, error, left] {
        if number > 0 {
            text += &format!(", {} {what}", numbers::count(number));
        }
    }
    text + &through_proxies(all)
}

/// Through which proxies services were asked: what such a one says is not always
/// the service's own word.
pub(super) fn through_proxies(all: &[CheckedService<'_>]) -> String {
    let mut proxies: BTreeMap<&str, usize> = BTreeMap::new();
    for proxy in all.iter().filter_map(|service| service.finding.proxy.as_deref()) {
        *proxies.entry(proxy).or_default() += 1;
    }
    let told = proxies.into_iter().map(|(proxy, count)| {
        let some =
            if count < all.len() { format!("{} ", numbers::count(count as u64)) } else { String::new() };
        format!("; {some}through proxy {}", cut(proxy))
    });
    told.collect()
}

fn worth_telling(service: &CheckedService<'_>, phase: &str) -> bool {
    span(service.record, phase).is_some_and(|time| match phase {
        "resolve" => time.as_nanos() > 20_000,
        "query" => true,
        _ => !time.is_zero(),
    })
}

pub(super) fn cut(text: &str) -> String {
    cut_to(LONGEST, text)
}

fn cut_to(most: usize, text: &str) -> String {
    let text = printable(text);
    if text.chars().count() <= most {
        return text;
    }
    text.chars().take(most - 3).chain("...".chars()).collect()
}
