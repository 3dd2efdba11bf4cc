//! What changed, as CSV: one line for each way and width. Plain numbers for
//! programs: seconds, bytes and ratios. Empty where there is nothing to tell.

use std::io::Write;

use super::{Pair, interval, peak, trend};
use crate::report::hyperfine::nanos;
use crate::study::{Change, Verdict};

const HEADER: [&str; 16] = [
    "way",
    "jobs",
    "before",
    "after",
    "runs_before",
    "runs_after",
    "verdict",
    "ratio",
    "ratio_low",
    "ratio_high",
    "cpu_before",
    "cpu_after",
    "peak_memory_before",
    "peak_memory_after",
    "speedup_before",
    "speedup_after",
];

pub(in crate::report) fn render(pair: &Pair<'_>, out: &mut dyn Write) -> anyhow::Result<()> {
    let mut writer = ::csv::Writer::from_writer(out);
    writer.write_record(HEADER)?;
    for change in &pair.changes.columns {
        writer.write_record(figures(change))?;
    }
    Ok(writer.flush()?)
}

fn figures(change: &Change<'_>) -> [String; HEADER.len()] {
    let known = |value: Option<f64>| value.map(|value| nanos(value).to_string()).unwrap_or_default();
    let (before, after) = (change.before, change.after);
    let is_claimed = !matches!(change.verdict, Verdict::Unclaimed(_));
    let interval = interval(change);
    [
        after.way().to_owned(),
        after.width.to_string(),
        known(Some(before.wall())),
        known(Some(after.wall())),
        before.runs.len().to_string(),
        after.runs.len().to_string(),
        trend(change).name().to_owned(),
        known(is_claimed.then(|| change.ratio())),
        known(interval.map(|it| it.low)),
        known(interval.map(|it| it.high)),
        known(Some(before.cpu())),
        known(Some(after.cpu())),
        known(peak(before)),
        known(peak(after)),
        known(change.speedups.map(|speedups| speedups.0)),
        known(change.speedups.map(|speedups| speedups.1)),
    ]
}
