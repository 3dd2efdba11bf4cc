//! The table of services, and what else is to be said of some of them.

use super::tally::{PHASES, ServiceTally};
use super::{CheckedService, CheckedServices, n_asked_for, services, span, targets, total};
use crate::numbers;
use crate::report::document::{Cells, Content, Grid, GridRow, ReportSection, Sentence, Tone};
use crate::study::Study;
use crate::task::{ServiceVerdict, Warning};
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

/// The services that `study` checked, and what else is to be said of some of them; `None`
/// where it is about something else.
pub(in crate::report) fn section(study: &Study) -> Option<ReportSection<'static>> {
    let all = services(study);
    if all.is_empty() {
        return None;
    }
    let tally = ServiceTally::of(&all);
    let table = Content::Table(grid(study, &all, &tally));
    let heading = if tally.is_of_cones() { "Targets" } else { "Services" };
    Some(ReportSection::new(heading, vec![table, Content::Lines(particulars(&all))]))
}

fn grid(study: &Study, all: &CheckedServices<'_>, tally: &ServiceTally) -> Grid {
    let phases: Vec<_> = PHASES.into_iter().zip(tally.phases).filter(|(_, is_told)| *is_told).collect();
    let repeated = all.are_repeated();
    let of_sky = tally.is_of_cones();
    let texts = if of_sky {
        [(Cells::Texts, "target"), (Cells::Verdicts, "status"), (Cells::Figures, "rows")]
    } else {
        [(Cells::Texts, "service"), (Cells::Verdicts, "verdict"), (Cells::Texts, "up since")]
    };
    let totals = if repeated { &["p50", "p95", "p99"][..] } else { &["total"] };
    // Who, the verdict and the first of the totals stay.
    let lesser = |at: &usize| *at != texts.len() + phases.len();
    let lesser = (2..texts.len() + phases.len() + totals.len()).filter(lesser).collect();
    let figures =
        phases.iter().map(|((label, _), _)| label).chain(totals).map(|head| (Cells::Figures, *head));
    let heads = texts.into_iter().chain(figures);
    let row = |service: CheckedService<'_>| {
        let finding = service.finding();
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
        let phase = |name: &str| span(service.record(), name).map(numbers::duration).unwrap_or_default();
        cells.extend(phases.iter().map(|((_, name), _)| phase(name)));
        if repeated {
            cells.extend([50, 95, 99].map(|per_cent| numbers::duration(service.quantile(per_cent))));
        } else {
            cells.push(numbers::duration(total(service.record())));
        }
        let tone = if finding.verdict.is_up() { Tone::Good } else { Tone::Bad };
        GridRow { cells, tone }
    };
    let is_shown = |service: &CheckedService<'_>| tally.n_all <= SHOWN || !service.finding().verdict.is_up();
    let left_out = match tally.n_all - tally.n_up {
        _ if tally.n_all <= SHOWN => String::new(),
        0 => String::new(),
        1..=SHOWN => "; those that are not up are shown".to_owned(),
        _ => format!("; {SHOWN} of those that are not up are shown"),
    };
    Grid {
        rows: all.iter().filter(is_shown).take(SHOWN).map(row).collect(),
        columns: heads.map(|(cells, head)| (cells, head.to_owned())).collect(),
        caption: tally.in_words(n_asked_for(study, tally.n_all)) + &left_out,
        lesser,
    }
}

/// What a person should know of single services: warnings, maintenance, notes.
fn particulars(all: &CheckedServices<'_>) -> Vec<Sentence> {
    let mut lines = Vec::new();
    let mut left_out = 0;
    for service in all.iter() {
        let told = particular(&service).join("; ");
        if told.is_empty() {
            continue;
        }
        if lines.len() == PARTICULARS {
            left_out += 1;
            continue;
        }
        lines.push(format!("{}: {told}", cut(service.name())));
    }
    if left_out > 0 {
        lines.push(format!("... and more to know of {}", numbers::plural(left_out, "service")));
    }
    lines.into_iter().map(Sentence::plain).collect()
}

fn particular(service: &CheckedService<'_>) -> Vec<String> {
    let finding = service.finding();
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
