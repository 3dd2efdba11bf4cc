//! A study as CSV, one line for each column: hyperfine's fields under
//! hyperfine's names, then ours.
//!
//! Plain numbers for programs: seconds, bytes and ratios. Empty where there is
//! nothing to tell.

use std::io::Write;

use super::hyperfine::{self, nanos};
use super::{Row, change};
use crate::format;
use crate::study::{ColumnResult, Comparison, RunResult, Study, Verdict, WorkerCosts};

/// The row of the table of formats.
pub const ROW: Row = Row {
    option: "export-csv",
    about: "one line of figures for each way and width as CSV",
    render,
    between: Some(change::csv),
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
