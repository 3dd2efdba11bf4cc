//! The slowest tasks and those that failed, with how much longer each took
//! beside others than alone.

use std::collections::{BTreeMap, BTreeSet};

use super::document::{Audience, Cells, Content, Grid, GridRow, Section, Sentence, Tone};
use super::timeline::{ShownRun, ShownRuns};
use crate::format;
use crate::task::Record;

/// How many of the slowest are named.
const SLOWEST: usize = 10;

/// How many failures are named; the rest are counted.
const FAILED: usize = 20;

/// How much of a name is shown.
const LONGEST_NAME: usize = 200;

/// The tasks of the main run that are worth a look; nothing where its records were
/// not kept.
pub(super) fn slowest(runs: &ShownRuns<'_>) -> Option<Section<'static>> {
    let shown = runs.main().filter(|shown| !shown.run.records.is_empty())?;
    let chosen = chosen(runs, shown);
    let alone = runs.parallel().and(runs.serial);
    let walls = alone.map(|serial| walls(serial, &chosen)).unwrap_or_default();
    let n_failed = runs.study.n_failed();
    let heading = if n_failed > 0 { "Slowest and failed tasks" } else { "Slowest tasks" };
    let mut content = Vec::new();
    if alone.is_some() {
        let way = shown.name;
        let text = format!("Stretch is the time in the {way} run over the time in the serial run.");
        content.push(Content::Lines(vec![Sentence::plain(text)]));
    }
    let column = |cells, head: &str| (cells, head.to_owned());
    let mut columns = vec![column(Cells::Figures, "task"), column(Cells::Texts, "name")];
    let figures = ["slot", "start"].into_iter().chain(alone.map(|_| "serial")).chain([shown.name, "CPU"]);
    columns.extend(figures.chain(alone.map(|_| "stretch")).map(|head| column(Cells::Figures, head)));
    columns.push(column(Cells::Verdicts, "outcome"));
    let row = |ChosenTask { record, why }: &ChosenTask<'_>| {
        let serial = walls.get(&record.seq).copied();
        let mut cells = vec![
            (record.seq + 1).to_string(),
            short(&record.label),
            (u64::from(record.slot) + 1).to_string(),
            format::duration(record.start),
        ];
        cells.extend(alone.map(|_| serial.map(format::seconds).unwrap_or_default()));
        cells.extend([format::duration(record.wall), format::duration(record.cpu)]);
        cells.extend(alone.map(|_| stretch(record, serial)));
        cells.push(why.as_deref().map_or_else(|| short(&record.outcome.to_string()), short));
        GridRow { cells, tone: if why.is_some() { Tone::Bad } else { Tone::Plain } }
    };
    content.push(Content::Table(Grid { columns, rows: chosen.iter().map(row).collect(), ..Grid::default() }));
    let more = n_failed.saturating_sub(chosen.iter().filter(|task| task.why.is_some()).count());
    if more > 0 {
        let text = format!("… and {} more that failed.", format::count(more as u64));
        content.push(Content::Lines(vec![Sentence::plain(text)]));
    }
    Some(Section { audience: Audience::Pages, ..Section::new(heading, content) })
}

struct ChosenTask<'a> {
    record: &'a Record,
    /// Why it failed, in this run or in another one.
    why: Option<String>,
}

/// The slowest tasks of the run, then those that failed in any run.
fn chosen<'a>(runs: &ShownRuns<'_>, shown: ShownRun<'a>) -> Vec<ChosenTask<'a>> {
    let failures = &runs.study.failures;
    let why = |record: &Record| {
        if record.outcome.is_failure() {
            return Some(format!("{} ({})", record.outcome, shown.name));
        }
        let failure = failures.get(&record.item.unwrap_or(record.seq))?;
        Some(format!("{} ({})", failure.why, runs.study.failed_in(failure)))
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
    chosen.into_iter().map(|record| ChosenTask { record, why: why(record) }).collect()
}

/// How long the tasks of `chosen` took one by one, in seconds.
fn walls(serial: ShownRun<'_>, chosen: &[ChosenTask<'_>]) -> BTreeMap<u64, f64> {
    let wanted: BTreeSet<u64> = chosen.iter().map(|task| task.record.seq).collect();
    let known = serial.run.records.iter().filter(|record| wanted.contains(&record.seq));
    known.map(|record| (record.seq, record.wall.as_secs_f64())).collect()
}

fn stretch(record: &Record, serial: Option<f64>) -> String {
    match serial {
        Some(serial) if serial > 0.0 => format::factor(record.wall.as_secs_f64() / serial),
        _ => String::new(),
    }
}

fn short(text: &str) -> String {
    format::printable(&format::shortened(text, LONGEST_NAME))
}
