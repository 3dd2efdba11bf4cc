//! A study as CSV, one line for each column: hyperfine's fields under
//! hyperfine's names, then ours. Or what changed between two.
//!
//! Plain numbers for programs: seconds, bytes and ratios. Empty where there is
//! nothing to tell.

use std::io::Write;

use super::Format;
use super::change::{StudyPair, interval, peak, trend};
use super::hyperfine::{self, nanos};
use crate::format;
use crate::study::{Change, ColumnResult, Comparison, RunResult, Study, Verdict, WorkerCosts};

/// The row of the table of formats.
pub const ROW: Format = Format {
    option: "export-csv",
    about: "one line of figures for each way and width as CSV",
    tells_half_a_run: false,
    render,
    between: Some(render_change),
};

/// The first eight and those called `parameter_` are hyperfine's.
const HEADER: [&str; 29] = [
    "command",
    "mean",
    "stddev",
    "median",
    "user",
    "system",
    "min",
    "max",
    "parameter_way",
    "parameter_jobs",
    "runs",
    "tasks",
    "failed",
    "bytes",
    "cpu",
    "peak_memory",
    "preparation",
    "task_wall",
    "longest",
    "speedup",
    "speedup_low",
    "speedup_high",
    "efficiency",
    "lower_bound",
    "workers",
    "workers_startup",
    "workers_memory",
    "passed_bytes",
    "passing",
];

fn render(study: &Study, out: &mut dyn Write) -> anyhow::Result<()> {
    let mut writer = ::csv::Writer::from_writer(out);
    writer.write_record(HEADER)?;
    let columns = study.columns.iter().filter(|column| !column.runs.is_empty());
    for (column, result) in columns.zip(hyperfine::results(study)) {
        writer.write_record(figures(study, column, &result))?;
    }
    Ok(writer.flush()?)
}

fn figures(study: &Study, column: &ColumnResult, result: &hyperfine::Result) -> [String; HEADER.len()] {
    let compared = Comparison::of(study, column).filter(|_| !column.is_serial());
    let claimed = compared.filter(|it| !matches!(it.verdict, Verdict::Unclaimed(_)));
    let interval = claimed.as_ref().and_then(|it| match &it.verdict {
        Verdict::Different(interval) | Verdict::NoDifference(interval) => Some(*interval),
        Verdict::Untested { .. } | Verdict::Unclaimed(_) => None,
    });
    let known = |value: Option<f64>| value.map(|value| nanos(value).to_string()).unwrap_or_default();
    let memory = column.runs.iter().map(RunResult::memory).max().flatten();
    let of_crew = |figure: &dyn Fn(&WorkerCosts) -> f64| {
        column.of_crew(figure).map(|figure| figure.to_string()).unwrap_or_default()
    };
    let failed = column.runs.iter().map(|run| run.failed).max().unwrap_or(0);
    [
        format::printable(&result.command),
        result.mean.to_string(),
        known(result.stddev),
        result.median.to_string(),
        result.user.to_string(),
        result.system.to_string(),
        result.min.to_string(),
        result.max.to_string(),
        column.way().to_owned(),
        column.width.to_string(),
        column.runs.len().to_string(),
        column.median(|run| run.tasks as f64).to_string(),
        failed.to_string(),
        column.median(|run| run.bytes as f64).to_string(),
        nanos(column.cpu()).to_string(),
        memory.map(|bytes| bytes.to_string()).unwrap_or_default(),
        nanos(column.median(|run| run.preparation.as_secs_f64())).to_string(),
        nanos(column.median(|run| run.task_wall.as_secs_f64())).to_string(),
        nanos(column.median(|run| run.longest.as_secs_f64())).to_string(),
        known(claimed.as_ref().map(|it| it.speedup)),
        known(interval.map(|it| it.low)),
        known(interval.map(|it| it.high)),
        known(claimed.as_ref().map(|it| it.efficiency)),
        known(claimed.as_ref().map(|it| it.lower_bound)),
        of_crew(&|crew| crew.workers as f64),
        of_crew(&|crew| nanos(crew.startup.as_secs_f64())),
        of_crew(&|crew| crew.peak_memory.unwrap_or_default() as f64),
        of_crew(&|crew| crew.passed as f64),
        of_crew(&|crew| nanos(crew.passing_each())),
    ]
}

/// Of two studies: one line for each way and width that both have.
const CHANGE_HEADER: [&str; 16] = [
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

fn render_change(pair: &StudyPair<'_>, out: &mut dyn Write) -> anyhow::Result<()> {
    let mut writer = ::csv::Writer::from_writer(out);
    writer.write_record(CHANGE_HEADER)?;
    for change in &pair.changes.columns {
        writer.write_record(figures_of_change(change))?;
    }
    Ok(writer.flush()?)
}

fn figures_of_change(change: &Change<'_>) -> [String; CHANGE_HEADER.len()] {
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
