//! The slowest tasks and those that failed, with how much longer each took
//! beside others than alone.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};

use super::{Shown, View, seconds};
use crate::numbers;
use crate::task::Record;
use crate::text::{printable, shortened};

/// How many of the slowest are named.
const SLOWEST: usize = 10;

/// How many failures are named; the rest are counted.
const FAILED: usize = 20;

/// How much of a name is shown.
const LONGEST_NAME: usize = 200;

pub(super) fn draw(view: &View<'_>) -> Markup {
    let Some(shown) = view.main() else { return html! {} };
    if shown.run.records.is_empty() {
        return failures_alone(view);
    }
    let rows = rows(view, shown);
    let alone = (view.parallel.is_some()).then_some(view.serial).flatten();
    let walls = alone.map(|serial| walls(serial, &rows)).unwrap_or_default();
    let heading = if view.study.n_failed() > 0 { "Slowest and failed tasks" } else { "Slowest tasks" };
    let way = shown.name;
    html! {
        section {
            h2 { (heading) }
            @if alone.is_some() {
                p { "Stretch is the time in the " (way) " run over the time in the serial run." }
            }
            div.wide tabindex="0" {
                table {
                    thead {
                        tr {
                            th { "task" } th.name { "name" } th { "slot" } th { "start" }
                            @if alone.is_some() { th { "serial" } }
                            th { (way) } th { "CPU" }
                            @if alone.is_some() { th { "stretch" } }
                            th.name { "outcome" }
                        }
                    }
                    tbody {
                        @for row in &rows {
                            @let serial = walls.get(&row.record.seq).copied();
                            tr.bad[row.why.is_some()] {
                                td { (row.record.seq + 1) }
                                td.name { bdi { (short(&row.record.label)) } }
                                td { (u64::from(row.record.slot) + 1) }
                                td { (seconds(row.record.start.as_secs_f64())) }
                                @if alone.is_some() { td { (serial.map(seconds).unwrap_or_default()) } }
                                td { (seconds(row.record.wall.as_secs_f64())) }
                                td { (seconds(row.record.cpu.as_secs_f64())) }
                                @if alone.is_some() { td { (stretch(row.record, serial)) } }
                                td.name {
                                    @match &row.why {
                                        Some(why) => { "× " bdi { (short(why)) } }
                                        None => { (row.record.outcome) }
                                    }
                                }
                            }
                        }
                    }
                }
            }
            @let told = rows.iter().filter(|row| row.why.is_some()).count();
            @if view.study.n_failed() > told {
                p { "… and " (numbers::count((view.study.n_failed() - told) as u64)) " more that failed." }
            }
        }
    }
}

struct Row<'a> {
    record: &'a Record,
    /// Why it failed, in this run or in another one.
    why: Option<String>,
}

/// The slowest tasks of the run, then those that failed in any run.
fn rows<'a>(view: &View<'_>, shown: Shown<'a>) -> Vec<Row<'a>> {
    let failures = &view.study.failures;
    let why = |record: &Record| {
        if record.outcome.is_failure() {
            return Some(format!("{} ({})", record.outcome, shown.name));
        }
        let failure = failures.get(&record.item.unwrap_or(record.seq))?;
        Some(format!("{} ({})", failure.why, view.study.failed_in(failure)))
    };
    let mut records: Vec<&Record> = shown.run.records.iter().collect();
    let slowest = SLOWEST.min(records.len());
    if slowest < records.len() {
        records.select_nth_unstable_by(slowest, |one, other| other.wall.cmp(&one.wall));
    }
    let mut chosen: Vec<&Record> = records[..slowest].to_vec();
    chosen.sort_by(|one, other| other.wall.cmp(&one.wall).then(one.seq.cmp(&other.seq)));
    let mut failed: Vec<&Record> =
        records[slowest..].iter().filter(|it| why(it).is_some()).copied().collect();
    failed.sort_by_key(|record| (record.seq, record.attempt));
    chosen.extend(failed.into_iter().take(FAILED));
    chosen.into_iter().map(|record| Row { record, why: why(record) }).collect()
}

/// How long the tasks of `rows` took one by one, in seconds.
fn walls(serial: Shown<'_>, rows: &[Row<'_>]) -> BTreeMap<u64, f64> {
    let wanted: BTreeSet<u64> = rows.iter().map(|row| row.record.seq).collect();
    let known = serial.run.records.iter().filter(|record| wanted.contains(&record.seq));
    known.map(|record| (record.seq, record.wall.as_secs_f64())).collect()
}

fn stretch(record: &Record, serial: Option<f64>) -> String {
    match serial {
        Some(serial) if serial > 0.0 => numbers::factor(record.wall.as_secs_f64() / serial),
        _ => String::new(),
    }
}

/// What is known of failures when the records of tasks are not.
fn failures_alone(view: &View<'_>) -> Markup {
    let failures = &view.study.failures;
    html! {
        @if !failures.is_empty() {
            section {
                h2 { "Failed tasks" }
                ul {
                    @for failure in failures.values().take(FAILED) {
                        li.bad {
                            "× " bdi { (short(&failure.label)) } ": " bdi { (short(&failure.why)) }
                            " (" (view.study.failed_in(failure)) ")"
                        }
                    }
                }
                @let told = failures.len().min(FAILED);
                @if view.study.n_failed() > told {
                    p { "… and " (numbers::count((view.study.n_failed() - told) as u64)) " more." }
                }
            }
        }
    }
}

fn short(text: &str) -> String {
    printable(&shortened(text, LONGEST_NAME))
}
