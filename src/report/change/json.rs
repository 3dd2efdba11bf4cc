//! What changed, as JSON.
#![doc = include_str!("json.md")]

use std::io::Write;

use anyhow::Context as _;
use serde::Serialize;

use super::{Pair, Side, interval, peak, trend};
use crate::report::hyperfine::nanos;
use crate::study::{Change, ColumnResult, Verdict};

/// The version of the written form.
const SCHEMA: &str = "parsim-change/1";

#[derive(Serialize)]
struct Written<'a> {
    schema: &'a str,
    before: Source<'a>,
    after: Source<'a>,
    unlike: Option<&'a str>,
    columns: Vec<Entry<'a>>,
    results: Option<Results>,
    notes: Vec<String>,
}

#[derive(Serialize)]
struct Source<'a> {
    name: &'a str,
    version: &'a str,
    command: &'a [String],
    started: u64,
    workload: &'a str,
}

#[derive(Serialize)]
struct Entry<'a> {
    way: &'a str,
    width: usize,
    before: Figures,
    after: Figures,
    verdict: &'static str,
    ratio: Option<f64>,
    ratio_low: Option<f64>,
    ratio_high: Option<f64>,
    why: Option<&'a str>,
}

#[derive(Serialize)]
struct Figures {
    wall: f64,
    runs: usize,
    cpu: f64,
    peak_memory: Option<f64>,
    speedup: Option<f64>,
}

#[derive(Serialize)]
struct Results {
    same: u64,
    of: u64,
}

pub(in crate::report) fn render(pair: &Pair<'_>, out: &mut dyn Write) -> anyhow::Result<()> {
    let written = Written {
        schema: SCHEMA,
        before: source(&pair.before),
        after: source(&pair.after),
        unlike: pair.changes.unlike.as_deref(),
        columns: pair.changes.columns.iter().map(entry).collect(),
        results: pair.changes.results.map(|(same, of)| Results { same, of }),
        notes: pair.notes(),
    };
    serde_json::to_writer_pretty(&mut *out, &written).context("write the change as JSON")?;
    Ok(out.write_all(b"\n")?)
}

fn source<'a>(side: &Side<'a>) -> Source<'a> {
    let Side { name, study } = *side;
    Source {
        name,
        version: &study.version,
        command: &study.command,
        started: study.started,
        workload: &study.workload,
    }
}

fn entry<'a>(change: &'a Change<'_>) -> Entry<'a> {
    let (why, ratio) = match &change.verdict {
        Verdict::Unclaimed(why) => (Some(why.as_str()), None),
        _ => (None, Some(nanos(change.ratio()))),
    };
    let interval = interval(change);
    Entry {
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

fn figures(column: &ColumnResult, speedup: Option<f64>) -> Figures {
    Figures {
        wall: nanos(column.wall()),
        runs: column.runs.len(),
        cpu: nanos(column.cpu()),
        peak_memory: peak(column),
        speedup: speedup.map(nanos),
    }
}
