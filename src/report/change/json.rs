//! What changed, as JSON.
#![doc = include_str!("json.md")]

use std::io::Write;

use anyhow::Context as _;
use serde::Serialize;

use super::{Side, StudyPair, interval, peak, trend};
use crate::report::hyperfine::nanos;
use crate::study::{Change, ColumnResult, Verdict};

/// The version of the written form.
const SCHEMA: &str = "parsim-change/1";

#[derive(Serialize)]
struct SavedChange<'a> {
    schema: &'a str,
    before: SavedSide<'a>,
    after: SavedSide<'a>,
    unlike: Option<&'a str>,
    columns: Vec<ColumnChange<'a>>,
    results: Option<SameResults>,
    notes: Vec<String>,
}

#[derive(Serialize)]
struct SavedSide<'a> {
    name: &'a str,
    version: &'a str,
    command: &'a [String],
    started: u64,
    workload: &'a str,
}

#[derive(Serialize)]
struct ColumnChange<'a> {
    way: &'a str,
    width: usize,
    before: SideFigures,
    after: SideFigures,
    verdict: &'static str,
    ratio: Option<f64>,
    ratio_low: Option<f64>,
    ratio_high: Option<f64>,
    why: Option<&'a str>,
}

#[derive(Serialize)]
struct SideFigures {
    wall: f64,
    runs: usize,
    cpu: f64,
    peak_memory: Option<f64>,
    speedup: Option<f64>,
}

#[derive(Serialize)]
struct SameResults {
    same: u64,
    of: u64,
}

pub(in crate::report) fn render(pair: &StudyPair<'_>, out: &mut dyn Write) -> anyhow::Result<()> {
    let written = SavedChange {
        schema: SCHEMA,
        before: source(&pair.before),
        after: source(&pair.after),
        unlike: pair.changes.unlike.as_deref(),
        columns: pair.changes.columns.iter().map(entry).collect(),
        results: pair.changes.results.map(|(same, of)| SameResults { same, of }),
        notes: pair.notes(),
    };
    serde_json::to_writer_pretty(&mut *out, &written).context("write the change as JSON")?;
    Ok(out.write_all(b"\n")?)
}

fn source<'a>(side: &Side<'a>) -> SavedSide<'a> {
    let Side { name, study } = *side;
    SavedSide {
        name,
        version: &study.version,
        command: &study.command,
        started: study.started,
        workload: &study.workload,
    }
}

fn entry<'a>(change: &'a Change<'_>) -> ColumnChange<'a> {
    let (why, ratio) = match &change.verdict {
        Verdict::Unclaimed(why) => (Some(why.as_str()), None),
        _ => (None, Some(nanos(change.ratio()))),
    };
    let interval = interval(change);
    ColumnChange {
        way: change.after.way(),
        width: change.after.width,
        before: figures(change.before, change.speedups.map(|speedups| speedups.0)),
        after: figures(change.after, change.speedups.map(|speedups| speedups.1)),
        verdict: trend(change).name(),
        ratio,
        ratio_low: interval.map(|it| nanos(it.low)),
        ratio_high: interval.map(|it| nanos(it.high)),
        why,
    }
}

fn figures(column: &ColumnResult, speedup: Option<f64>) -> SideFigures {
    SideFigures {
        wall: nanos(column.wall()),
        runs: column.runs.len(),
        cpu: nanos(column.cpu()),
        peak_memory: peak(column),
        speedup: speedup.map(nanos),
    }
}
