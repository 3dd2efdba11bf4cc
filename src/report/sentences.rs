//! What there is to say of a study, in sentences: each is made here once, whoever
//! draws it.

use super::command_line::command_line;
use super::document::{Sentence, Subject, Tone};
use super::nodes::machine;
use super::services;
use crate::moment::Moment;
use crate::numbers;
use crate::study::{
    Agreement, ColumnResult, Comparison, Difference, Prediction, RateFloor, RunResult, Study, Verdict,
    efficiency_within,
};
use crate::task::Mode;
use crate::text::{printable, with_short_words};

/// How many failures are named; the rest are counted.
const NAMED: usize = 20;

/// So many results are shown; a saved study has more.
const RESULTS: usize = 20;

/// From this load for each core on, other work takes a visible share.
const BUSY: f64 = 0.75;

/// What a title says of `study`.
pub(super) fn subject(study: &Study) -> Subject {
    Subject {
        command: command_line(study),
        about: about(study),
        moment: Moment::of_seconds(study.started.cast_signed()).in_words(),
        place: place(study),
        ..Subject::default()
    }
}

/// How many tasks, how many at a time, on what, and how often.
fn about(study: &Study) -> String {
    let n_tasks = study.columns.iter().find_map(|column| column.runs.first()).map_or(0, |run| run.tasks);
    let widths = widths(study);
    let mut about = numbers::plural(n_tasks, &study.unit);
    if !widths.is_empty() {
        about += &format!(", {} at a time", widths.join(", "));
    }
    let count = |run: &RunResult| Some(run.crew.as_ref()?.elsewhere.as_ref()?.by_node.len());
    let machines = study.columns.iter().filter_map(|column| {
        let most = column.runs.iter().filter_map(count).max()?;
        Some((most, machine(column)))
    });
    about += &match machines.max().filter(|(count, _)| *count > 0) {
        Some((count, machine)) => format!(" on {}", numbers::plural(count as u64, machine)),
        None => format!(" on {}", numbers::plural(study.host.usable as u64, "core")),
    };
    let most = study.columns.iter().map(|column| column.runs.len()).max().unwrap_or(0);
    if most > 1 {
        about += &format!(", median of {most}");
    }
    about
}

/// How many tasks there were at a time, each number once.
pub(super) fn widths(study: &Study) -> Vec<String> {
    let mut widths: Vec<String> = Vec::new();
    for width in study.parallel().map(|column| column.width.to_string()) {
        if !widths.contains(&width) {
            widths.push(width);
        }
    }
    widths
}

/// Where it was measured.
fn place(study: &Study) -> String {
    let host = &study.host;
    let mut place = Vec::new();
    place.extend(host.hostname.as_ref().map(|name| format!("host {name}")));
    place.extend(host.cpu_model.clone());
    let physical = host.physical.map_or_else(String::new, |n| format!(", {n} physical"));
    place.push(format!("{} of {} logical cores{physical}", host.usable, host.logical));
    place.push(format!("{} {}", host.os, host.kernel.as_deref().unwrap_or("")));
    printable(place.join(" · ").trim_end())
}

/// Speed-up and efficiency, of threads and processes a line for each; agreement; the bound.
pub(super) fn summary(study: &Study) -> Vec<Sentence> {
    let compared: Vec<(&ColumnResult, Comparison)> =
        study.widest_of_each().filter_map(|column| Some((column, Comparison::of(study, column)?))).collect();
    let several = compared.len() > 1;
    let which = |column: &ColumnResult| match (several, study.is_swept(column.way())) {
        (false, false) => String::new(),
        (false, true) => format!("at -j {}: ", column.width),
        (true, _) => format!("{}: ", study.name(column)),
    };
    let told = |(column, it): &(&ColumnResult, Comparison)| Sentence {
        tone: if it.verdict.is_claimed() { Tone::Strong } else { Tone::Bad },
        ..Sentence::plain(format!("{}{}", which(column), gained(column, it)))
    };
    let mut lines: Vec<Sentence> = compared.iter().map(told).collect();
    if let Some(agreement) = &study.agreement {
        let tone = if agreement.holds() { Tone::Good } else { Tone::Bad };
        lines.push(Sentence { tone, ..Sentence::plain(identical(agreement)) });
    }
    let bounds = compared.iter().max_by_key(|(column, _)| column.width);
    if let Some((parallel, comparison)) = bounds {
        let bound = numbers::seconds(comparison.lower_bound);
        let slots = parallel.width;
        let why = match study.serial().and_then(|serial| RateFloor::of(study, serial)) {
            None => format!("the larger of serial / {slots} and the longest task"),
            Some(floor) if floor.seconds >= comparison.lower_bound => {
                let rate = numbers::three_digits(floor.rate);
                format!("{} at {rate} a second", numbers::plural(floor.requests, "request"))
            }
            Some(_) => format!("serial without its waits for --rate / {slots}"),
        };
        lines.push(Sentence::plain(format!("lower bound {bound}: {why}")));
    }
    lines.extend(sample(study).into_iter().map(Sentence::plain));
    if let Some(agreement) = &study.agreement {
        let checked = agreement.checked.as_deref().map(printable);
        lines.extend(checked.map(Sentence::plain));
        let what = if agreement.outside { "changed between the ways" } else { "differs" };
        let differences = agreement.differences.iter();
        lines.extend(differences.map(|it| Sentence::bad(differs(what, it, &study.shown_name(&it.way)))));
        lines.extend(and_more(agreement).map(Sentence::plain));
    }
    lines
}

/// What differs in which way, and how.
pub(super) fn differs(what: &str, difference: &Difference, way: &str) -> String {
    let Difference { label, why, .. } = difference;
    let why = if why.is_empty() { String::new() } else { format!(": {}", printable(why)) };
    format!("{what}: {} ({way}){why}", printable(label))
}

/// Of those that differ the first are named.
pub(super) fn and_more(agreement: &Agreement) -> Option<String> {
    let more = agreement.more_differences;
    (more > 0).then(|| format!("... and {} more differ", numbers::count(more)))
}

/// The speed-up of `column`, and what the slots made of it.
fn gained(column: &ColumnResult, comparison: &Comparison) -> String {
    let speedup = speedup(comparison);
    if matches!(comparison.verdict, Verdict::Unclaimed(_)) {
        return speedup;
    }
    let slots = numbers::plural(column.width as u64, "slot");
    match efficiency_within(comparison.speedup, column.width) {
        Some(efficiency) => format!("{speedup}, efficiency {} of {slots}", numbers::percent(efficiency)),
        None => format!("{speedup}, more than {slots} can give"),
    }
}

/// What the whole would take, where only a sample was run, and how that may mislead.
fn sample(study: &Study) -> Vec<String> {
    let Some(total) = study.sample_of else { return Vec::new() };
    let predicted: Vec<(&ColumnResult, Prediction)> =
        study.columns.iter().filter_map(|column| Some((column, Prediction::of(column, total)?))).collect();
    let wholes: Vec<String> =
        predicted.iter().map(|(column, whole)| format!("{} {whole}", study.name(column))).collect();
    let ran = study.columns.iter().find_map(|column| column.runs.first()).map_or(0, |run| run.tasks);
    let (ran, total) = (numbers::count(ran), numbers::plural(total, &study.unit));
    let mut lines = vec![format!("a sample of {ran} of {total}; all of them: {}", wholes.join(", "))];
    let caution = predicted.iter().find_map(|(_, whole)| whole.caution);
    lines.extend(caution.map(|caution| caution.sentence(&study.unit)));
    lines
}

fn speedup(comparison: &Comparison) -> String {
    let ratio = numbers::factor(comparison.speedup);
    match &comparison.verdict {
        Verdict::Untested { runs } => {
            format!("speed-up {ratio} over serial ({}, no test)", numbers::plural(*runs as u64, "run"))
        }
        Verdict::Different(interval) | Verdict::NoDifference(interval) => {
            let verdict = if interval.holds(1.0) { "no measurable difference: " } else { "" };
            let (low, high) = (numbers::three_digits(interval.low), numbers::three_digits(interval.high));
            format!("{verdict}speed-up {ratio} ({low}-{high}) over serial")
        }
        Verdict::Unclaimed(text) => format!("no speed-up is claimed: {text}"),
    }
}

/// How far the ways agree: items, and files where these were compared too.
pub(super) fn identical(agreement: &Agreement) -> String {
    let told = |identical, of, unit: &str| {
        let noun = if of == 1 { unit.to_owned() } else { format!("{unit}s") };
        format!("{} of {} {noun} identical", numbers::count(identical), numbers::count(of))
    };
    let mut text = told(agreement.identical, agreement.items, &agreement.unit);
    if let Some(files) = agreement.files {
        text += &format!(", {}", told(files.identical, files.files, "file"));
    }
    text
}

/// What the tasks wrote, where it is little: one line for each way unless all agree.
pub(super) fn results(study: &Study) -> Vec<String> {
    let shown = |output: &str| {
        let mut results: Vec<&str> = output.lines().take(RESULTS).collect();
        if output.lines().count() > RESULTS {
            results.push("...");
        }
        printable(&results.join(", "))
    };
    let mut lines: Vec<(&str, String)> = Vec::new();
    for column in study.columns.iter().filter(|column| !column.output.is_empty()) {
        let text = shown(&column.output);
        if lines.iter().all(|(_, known)| *known != text) {
            lines.push((column.way(), text));
        }
    }
    match &lines[..] {
        [(_, text)] => vec![format!("results {text}")],
        _ => lines.iter().map(|(way, text)| format!("results {} {text}", study.shown_name(way))).collect(),
    }
}

/// What the only way left behind, and where a person finds it, if it left anything.
pub(super) fn written_alone(study: &Study) -> Option<String> {
    match &study.columns[..] {
        [only] => written(study, only),
        _ => None,
    }
}

/// `20 files written to data_serial (59.9 MB)`, `18 of 20 files done, in data_serial`: what the last run left is what is there.
fn written(study: &Study, column: &ColumnResult) -> Option<String> {
    let (place, run) = (column.whereabouts.as_deref()?, column.runs.last()?);
    let files = numbers::plural(run.tasks, &study.unit);
    let told = match run.failed {
        0 => format!("{files} written to {place} ({})", numbers::bytes(run.bytes as f64)),
        _ if run.succeeded == 0 => return None,
        // Parts of a file that was not finished are gone.
        _ => format!("{} of {files} done, in {place}", numbers::count(run.succeeded)),
    };
    Some(printable(&told))
}

/// What each of several ways left behind.
pub(super) fn whereabouts(study: &Study) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    if study.columns.len() == 1 {
        return lines;
    }
    let longest = study.columns.iter().map(|column| study.shown_name(column.way()).len()).max();
    let wide = longest.unwrap_or(0).max(Mode::Parallel.name().len()) + 1;
    for column in &study.columns {
        let line =
            written(study, column).map(|told| format!("{:wide$}{told}", study.shown_name(column.way())));
        lines.extend(line.filter(|line| !lines.contains(line)));
    }
    lines
}

/// The tasks that failed in any run: the first by name.
pub(super) fn failures(study: &Study) -> Vec<Sentence> {
    let named = study.failures.values().take(NAMED).map(|failure| {
        let text = format!("failed: {}: {} ({})", failure.label, failure.why, study.failed_in(failure));
        Sentence::bad(with_short_words(&printable(&text)))
    });
    let mut lines: Vec<Sentence> = named.collect();
    let more = study.n_failed().saturating_sub(lines.len());
    if more > 0 {
        lines.push(Sentence::plain(format!("... and {} more", numbers::count(more as u64))));
    }
    lines
}

/// The runs that took far longer or shorter than the others of their column.
pub(super) fn outliers(study: &Study) -> Vec<String> {
    let told = |column: &ColumnResult| {
        let outliers = column.outliers();
        let (first, more) = outliers.split_first()?;
        let one = |(number, wall): &(usize, f64)| format!("run {number} ({})", numbers::seconds(*wall));
        let name = study.name(column);
        let named = if more.is_empty() {
            format!("{name} {} is an outlier", one(first))
        } else {
            let all: Vec<String> = outliers.iter().take(NAMED_RUNS).map(one).collect();
            let left = if outliers.len() > NAMED_RUNS { ", ..." } else { "" };
            format!(
                "{} of {} {name} runs are outliers: {}{left}",
                outliers.len(),
                column.runs.len(),
                all.join(", ")
            )
        };
        let way_out = match outliers[..] {
            [(1, wall)] if wall > column.wall() => "use --warmup 1",
            _ => "run it again on an idle machine",
        };
        Some(format!("{named}; the median is {}: {way_out}", numbers::seconds(column.wall())))
    };
    study.columns.iter().filter_map(told).collect()
}

/// So many runs are told by number.
const NAMED_RUNS: usize = 3;

/// A warning when the machine had other work as the experiment began.
pub(super) fn other_load(study: &Study) -> Option<String> {
    let per_core = study.host.other_load()?;
    (per_core >= BUSY).then(|| {
        format!(
            "the load was {} for each core when this began: other work may have slowed it",
            numbers::three_digits(per_core)
        )
    })
}

/// How to see both ways, when only one ran.
pub(super) fn hint(study: &Study) -> Option<String> {
    let is_serial = study.columns.first()?.is_serial();
    let typed = study.command.join(" ");
    // A line that cannot be shown as it was typed cannot be typed again.
    if study.columns.iter().any(|column| column.is_serial() != is_serial) || printable(&typed) != typed {
        return None;
    }
    let flag = format!("--{}", if is_serial { Mode::Serial } else { Mode::Parallel });
    let mut both: Vec<&str> = study.command.iter().map(String::as_str).filter(|word| *word != flag).collect();
    let was_asked_for = both.len() < study.command.len();
    // A long list of services is checked one way unless both are asked for.
    if services::are_told(study) {
        both.push("--compare");
    }
    was_asked_for.then(|| format!("to see both ways side by side: {}", shell_words::join(both)))
}
