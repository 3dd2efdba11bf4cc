//! A study as CSV, one line for each column: hyperfine's fields under
//! hyperfine's names, then ours. Of services one line for each check. Or what changed
//! between two.
//!
//! Plain numbers for programs: seconds, bytes and ratios. Empty where there is
//! nothing to tell.

use std::borrow::Borrow;
use std::io::Write;

use super::change::{StudyPair, trend};
use super::json::{HyperfineResult, hyperfine};
use super::tables::peak;
use super::{Format, services};
use crate::numbers::nanos;
use crate::study::{Change, ColumnResult, Comparison, RunResult, Study, WorkerCosts};
use crate::text::printable;

/// The row of the table of formats.
pub const ROW: Format = Format {
    option: "export-csv",
    about: "one line for each way and width (of services: each check) as CSV",
    tells_half_a_run: false,
    render,
    between: Some(render_change),
    history: None,
};

/// What a line of a study is made from.
struct CsvLine<'a> {
    column: &'a ColumnResult,
    result: HyperfineResult,
    /// How it compares with the serial way, where that may be claimed.
    claimed: Option<Comparison>,
}

/// What a line says under a name.
type CsvField<L> = (&'static str, fn(&L) -> String);

/// What is told of a column. The first eight and those called
/// `parameter_` are hyperfine's.
fn fields<'a>() -> [CsvField<CsvLine<'a>>; 29] {
    [
        ("command", |it| printable(&it.result.command)),
        ("mean", |it| it.result.mean.to_string()),
        ("stddev", |it| known(it.result.stddev)),
        ("median", |it| it.result.median.to_string()),
        ("user", |it| it.result.user.to_string()),
        ("system", |it| it.result.system.to_string()),
        ("min", |it| it.result.min.to_string()),
        ("max", |it| it.result.max.to_string()),
        ("parameter_way", |it| it.column.way().to_owned()),
        ("parameter_jobs", |it| it.column.width.to_string()),
        ("runs", |it| it.column.runs.len().to_string()),
        ("tasks", |it| it.column.median(|run| run.tasks as f64).to_string()),
        ("failed", |it| it.column.runs.iter().map(|run| run.failed).max().unwrap_or(0).to_string()),
        ("bytes", |it| it.column.median(|run| run.bytes as f64).to_string()),
        ("cpu", |it| nanos(it.column.cpu()).to_string()),
        ("peak_memory", |it| {
            let memory = it.column.runs.iter().map(RunResult::memory).max().flatten();
            memory.map(|bytes| bytes.to_string()).unwrap_or_default()
        }),
        ("preparation", |it| nanos(it.column.median(|run| run.preparation.as_secs_f64())).to_string()),
        ("task_wall", |it| nanos(it.column.median(|run| run.task_wall.as_secs_f64())).to_string()),
        ("longest", |it| nanos(it.column.median(|run| run.longest.as_secs_f64())).to_string()),
        ("speedup", |it| it.of_claim(|claim| Some(claim.speedup))),
        ("speedup_low", |it| it.of_claim(|claim| Some(claim.verdict.interval()?.low))),
        ("speedup_high", |it| it.of_claim(|claim| Some(claim.verdict.interval()?.high))),
        ("efficiency", |it| it.of_claim(|claim| Some(claim.efficiency))),
        ("lower_bound", |it| it.of_claim(|claim| Some(claim.lower_bound))),
        ("workers", |it| it.of_crew(|crew| crew.workers as f64)),
        ("workers_startup", |it| it.of_crew(|crew| nanos(crew.startup.as_secs_f64()))),
        ("workers_memory", |it| it.of_crew(|crew| crew.peak_memory.unwrap_or_default() as f64)),
        ("passed_bytes", |it| it.of_crew(|crew| crew.passed as f64)),
        ("passing", |it| it.of_crew(|crew| nanos(crew.passing_each()))),
    ]
}

/// The same of a way and width that both of two studies have.
fn change_fields<'a>() -> [CsvField<Change<'a>>; 16] {
    [
        ("way", |it| it.after.way().to_owned()),
        ("jobs", |it| it.after.width.to_string()),
        ("before", |it| known(Some(it.before.wall()))),
        ("after", |it| known(Some(it.after.wall()))),
        ("runs_before", |it| it.before.runs.len().to_string()),
        ("runs_after", |it| it.after.runs.len().to_string()),
        ("verdict", |it| trend(it).name().to_owned()),
        ("ratio", |it| known(it.verdict.is_claimed().then(|| it.ratio()))),
        ("ratio_low", |it| known(it.verdict.interval().map(|interval| interval.low))),
        ("ratio_high", |it| known(it.verdict.interval().map(|interval| interval.high))),
        ("cpu_before", |it| known(Some(it.before.cpu()))),
        ("cpu_after", |it| known(Some(it.after.cpu()))),
        ("peak_memory_before", |it| known(peak(it.before))),
        ("peak_memory_after", |it| known(peak(it.after))),
        ("speedup_before", |it| known(it.speedups.map(|(before, _)| before))),
        ("speedup_after", |it| known(it.speedups.map(|(_, after)| after))),
    ]
}

fn render(study: &Study, out: &mut dyn Write) -> anyhow::Result<()> {
    if services::are_told(study) {
        return services::write_csv(study, out);
    }
    let line = |column| {
        let compared = Comparison::of(study, column).filter(|_| column.column.is_parallel());
        let claimed = compared.filter(|it| it.verdict.is_claimed());
        CsvLine { column, result: hyperfine(study, column), claimed }
    };
    let columns = study.columns.iter().filter(|column| !column.runs.is_empty());
    write(out, &fields(), columns.map(line))
}

fn render_change(pair: &StudyPair<'_>, out: &mut dyn Write) -> anyhow::Result<()> {
    write(out, &change_fields(), &pair.changes.columns)
}

fn write<L: Borrow<T>, T>(
    out: &mut dyn Write,
    fields: &[CsvField<T>],
    lines: impl IntoIterator<Item = L>,
) -> anyhow::Result<()> {
    let mut writer = ::csv::Writer::from_writer(out);
    writer.write_record(fields.iter().map(|(name, _)| name))?;
    for line in lines {
        writer.write_record(fields.iter().map(|(_, figure)| figure(line.borrow())))?;
    }
    Ok(writer.flush()?)
}

impl CsvLine<'_> {
    fn of_claim(&self, figure: fn(&Comparison) -> Option<f64>) -> String {
        known(self.claimed.as_ref().and_then(figure))
    }

    fn of_crew(&self, figure: fn(&WorkerCosts) -> f64) -> String {
        self.column.of_crew(figure).map(|figure| figure.to_string()).unwrap_or_default()
    }
}

fn known(value: Option<f64>) -> String {
    value.map(|value| nanos(value).to_string()).unwrap_or_default()
}
