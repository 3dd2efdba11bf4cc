//! The tables of a study: its columns side by side, and the slowest tasks and those
//! that failed, with how much longer each took beside others than alone.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::document::{Audience, Cells, Content, Grid, GridRow, ReportSection, Sentence, Tone};
use super::laws;
use super::nodes::{called, is_on_hosts, machine};
use super::timeline::{ShownRun, ShownRuns};
use crate::numbers::{self, TimeUnit, seconds};
use crate::sorting;
use crate::study::{
    ColumnResult, Comparison, ElsewhereCosts, Spread, Study, Verdict, WorkerCosts, karp_flatt,
};
use crate::task::{Column, Record};
use crate::text::{printable, shortened};

/// CPU times below this are dominated by the kernel's ticks (4 ms), which only
/// add up to something in the long run: the split is marked as rough.
const ROUGH_BELOW: f64 = 1.0;

/// Fewer bytes than this are a result, not a stream to be told the rate of.
const WORTH_A_RATE: f64 = 1e6;

/// How many of the slowest tasks are named.
const SLOWEST: usize = 10;

/// How many failures are named; the rest are counted.
const FAILED: usize = 20;

/// What is not told of tasks where there is little room.
const LESSER: [&str; 7] = ["host", "node", "slot", "start", "serial", "CPU", "stretch"];

/// How much of a name is shown.
const LONGEST_NAME: usize = 200;

/// The columns of `study` side by side, and how the parallel one changed where
/// there is just one of each.
pub(super) fn side_by_side(study: &Study) -> Grid {
    let comparisons = Comparison::of_each(study);
    let (columns, comparisons): (Vec<&ColumnResult>, Vec<Option<Comparison>>) =
        study.columns.iter().zip(comparisons).filter(|(column, _)| !column.runs.is_empty()).unzip();
    let mut grid = Grid { columns: vec![(Cells::Labels, String::new())], ..Grid::default() };
    let several = study.parallel().count() > 1;
    grid.columns.extend(columns.iter().map(|column| (Cells::Figures, head(study, column))));
    let pair = match columns[..] {
        [serial, parallel] if serial.is_serial() => Some((serial, parallel)),
        _ => None,
    };
    if pair.is_some() {
        grid.columns.push((Cells::Remarks, "change".to_owned()));
    }
    let mut line = |label: &str,
                    cell: &dyn Fn(&ColumnResult) -> String,
                    change: &dyn Fn(&ColumnResult, &ColumnResult) -> String| {
        let mut cells = vec![printable(label)];
        cells.extend(columns.iter().map(|column| cell(column)));
        cells.extend(pair.map(|(serial, parallel)| change(serial, parallel)));
        grid.add(cells);
    };
    let nothing = |_: &ColumnResult, _: &ColumnResult| String::new();

    let faster = pair.map_or_else(String::new, |_| faster(comparisons[1].as_ref()));
    let unit = study.time_unit.as_deref().and_then(TimeUnit::called);
    let told = |time| unit.map_or_else(|| seconds(time), |unit| unit.told(time));
    line("wall", &|column| told(column.wall()), &|_, _| faster.clone());
    if columns.iter().any(|column| column.spread().is_some()) {
        let spread = |column: &ColumnResult, show: &dyn Fn(Spread) -> String| {
            column.spread().map_or_else(String::new, show)
        };
        line(
            "mean ± sigma",
            &|column| spread(column, &|it| numbers::spread(it.mean, it.sigma, unit)),
            &nothing,
        );
        line("min ... max", &|column| spread(column, &|it| numbers::range(it.low, it.high, unit)), &nothing);
    }
    let user = |column: &ColumnResult| column.median(|run| run.usage.user.as_secs_f64());
    let sys = |column: &ColumnResult| column.median(|run| run.usage.sys.as_secs_f64());
    let more = |one, other| numbers::cpu_change(one, other).unwrap_or_default();
    line("user", &|column| rough(column, user(column), unit), &|one, other| more(user(one), user(other)));
    line("sys", &|column| rough(column, sys(column), unit), &|one, other| more(sys(one), sys(other)));
    line("CPU total", &|column| numbers::cpu_time(column.cpu(), unit), &|one, other| {
        more(one.cpu(), other.cpu())
    });
    let cores = study.host.usable as u64;
    line("CPU use", &cpu_use, &|_, _| format!("of {} % ({})", cores * 100, numbers::plural(cores, "core")));
    line(&format!("{}s/s", study.unit), &per_second, &nothing);
    if columns.iter().any(|column| bytes(column) >= WORTH_A_RATE) {
        line("bytes/s", &|column| numbers::rate(over(bytes(column), column.wall())), &nothing);
    }
    if columns.iter().all(|column| peak(column).is_some()) {
        let peak = |column: &ColumnResult| peak(column).unwrap_or_default();
        line("peak memory", &|column| numbers::memory(peak(column)), &|one, other| {
            changed(peak(one), peak(other))
        });
    }
    let is_elsewhere = columns.iter().any(|column| column.of_elsewhere(|_| 0.0).is_some());
    for &(label, figure, show, remark) in ELSEWHERE.iter().filter(|_| is_elsewhere) {
        let cell = |column: &ColumnResult| column.of_elsewhere(figure).map(show).unwrap_or_default();
        // No batch system lets hosts wait.
        let is_ssh = columns.iter().any(|column| is_on_hosts(column));
        let label = if is_ssh && label == "queue wait" { "connecting" } else { label };
        line(label, &cell, &|_, _| remark.to_owned());
    }
    if is_elsewhere {
        let cell = |column: &ColumnResult| overhead(column).map(numbers::percent).unwrap_or_default();
        line("engine overhead", &cell, &|_, _| "slots without a task".to_owned());
    }
    for &(label, figure, show, remark) in CREW.iter().filter(|_| !is_elsewhere) {
        if columns.iter().any(|column| column.of_crew(figure).is_some()) {
            let cell = |column: &ColumnResult| column.of_crew(figure).map(show).unwrap_or_default();
            line(label, &cell, &|_, _| remark.to_owned());
        }
    }
    line("preparation", &|column| told(preparation(column)), &|_, _| "not in wall".to_owned());
    let waited = |column: &ColumnResult| {
        column.of_elsewhere(|costs| costs.queue_wait.as_secs_f64()).unwrap_or_default()
    };
    let whole = |column: &ColumnResult| {
        study.startup.as_secs_f64() + preparation(column) + waited(column) + column.wall()
    };
    line("whole command", &|column| told(whole(column)), &|_, _| "including start-up".to_owned());
    let failed = |column: &ColumnResult| column.runs.iter().map(|run| run.failed).max().unwrap_or(0);
    line("failed", &|column| numbers::count(failed(column)), &nothing);
    if pair.is_some() {
        grid.rows[0].tone = Tone::Strong;
    }
    if let Some(row) = grid.rows.last_mut().filter(|_| study.n_failed() > 0) {
        row.tone = Tone::Bad;
    }
    if several && study.base().is_some() {
        let [speedup, rest @ ..] = scaling(study, &columns, &comparisons);
        grid.rows.push(GridRow { cells: speedup, tone: Tone::Strong });
        for cells in rest {
            grid.add(cells);
        }
    }
    grid
}

/// Every run of `study`, in the order of the columns.
pub(super) fn each_run(study: &Study) -> Grid {
    let columns = [
        (Cells::Labels, "way"),
        (Cells::Figures, "run"),
        (Cells::Figures, "wall"),
        (Cells::Figures, "CPU"),
        (Cells::Figures, "failed"),
    ];
    let mut grid =
        Grid { columns: columns.map(|(cells, head)| (cells, head.to_owned())).into(), ..Grid::default() };
    for column in &study.columns {
        for (number, run) in (1_u64..).zip(&column.runs) {
            grid.rows.push(GridRow {
                cells: vec![
                    study.name(column),
                    number.to_string(),
                    numbers::duration(run.wall),
                    numbers::cpu_time(run.usage.cpu().as_secs_f64(), None),
                    numbers::count(run.failed),
                ],
                tone: if run.failed > 0 { Tone::Bad } else { Tone::Plain },
            });
        }
    }
    grid
}

/// What a column is called over its figures: by its way, or by its width where one
/// way was swept.
fn head(study: &Study, column: &ColumnResult) -> String {
    let is_alone = column.column == Column::PARALLEL && study.called(column.way()) == column.way();
    if is_alone && study.is_swept(column.way()) {
        return format!("-j {}", column.width);
    }
    study.name(column)
}

/// What a sweep adds: how each width compares with the base.
fn scaling(study: &Study, columns: &[&ColumnResult], comparisons: &[Option<Comparison>]) -> [Vec<String>; 3] {
    let line = |label: &str, cell: &dyn Fn(&Comparison, usize) -> String| {
        let cell = |(column, comparison): (&&ColumnResult, &Option<Comparison>)| {
            comparison.as_ref().map_or_else(String::new, |comparison| cell(comparison, column.width))
        };
        std::iter::once(label.to_owned()).chain(columns.iter().zip(comparisons).map(cell)).collect()
    };
    let speedup = match study.base() {
        Some(base) if !base.is_serial() => {
            let engine = study.called(base.way());
            let engine = if engine == base.way() { String::new() } else { format!("{engine} ") };
            format!("speed-up over {engine}-j 1")
        }
        _ => "speed-up".to_owned(),
    };
    [
        line(&speedup, &|comparison, _| claimed(comparison, comparison.speedup, numbers::factor)),
        line("efficiency", &|comparison, width| match comparison.verdict {
            Verdict::Unclaimed(_) => claimed(comparison, 0.0, numbers::percent),
            _ => laws::efficiency(comparison.speedup, width),
        }),
        line("serial share", &|comparison, width| {
            let share = karp_flatt(comparison.speedup, width);
            match comparison.verdict {
                Verdict::Unclaimed(_) => claimed(comparison, 0.0, numbers::percent),
                _ => laws::serial_share(share, width),
            }
        }),
    ]
}

/// A line on what worker processes cost: label, figure, how it is shown, a remark.
type WorkerCostLine = (&'static str, fn(&WorkerCosts) -> f64, fn(f64) -> String, &'static str);

const CREW: &[WorkerCostLine] = &[
    ("workers' start", |crew| crew.startup.as_secs_f64(), seconds, "in wall"),
    (
        "workers' memory",
        |crew| crew.peak_memory.unwrap_or_default() as f64,
        numbers::memory,
        "in peak memory",
    ),
    ("data passed", |crew| crew.passed as f64, numbers::bytes, ""),
    ("passing it", WorkerCosts::passing_each, seconds, "in wall, for each worker"),
];

/// The same on workers that a batch system starts.
type ElsewhereCostLine = (&'static str, fn(&ElsewhereCosts) -> f64, fn(f64) -> String, &'static str);

const ELSEWHERE: &[ElsewhereCostLine] = &[
    ("queue wait", |costs| costs.queue_wait.as_secs_f64(), seconds, "not in wall"),
    ("nodes", |costs| costs.nodes.len() as f64, whole, ""),
    ("done again", |costs| costs.reruns as f64, whole, "tasks whose worker ended"),
    ("duplicates", |costs| costs.duplicates as f64, whole, "results that did not count"),
];

fn whole(number: f64) -> String {
    format!("{number:.0}")
}

/// The share of the slots' time in which they had no task, where tasks were done elsewhere.
fn overhead(column: &ColumnResult) -> Option<f64> {
    column.of_elsewhere(|_| 0.0)?;
    let slots = column.width as f64 * column.wall();
    let busy = column.median(|run| run.task_wall.as_secs_f64());
    (slots > 0.0).then(|| (1.0 - busy / slots).max(0.0))
}

fn preparation(column: &ColumnResult) -> f64 {
    column.median(|run| run.preparation.as_secs_f64())
}

fn bytes(column: &ColumnResult) -> f64 {
    column.median(|run| run.bytes as f64)
}

fn rough(column: &ColumnResult, value: f64, unit: Option<TimeUnit>) -> String {
    let told = numbers::cpu_time(value, unit);
    let mark = if column.cpu() < ROUGH_BELOW && !told.starts_with('~') { "~" } else { "" };
    format!("{mark}{told}")
}

fn cpu_use(column: &ColumnResult) -> String {
    numbers::percent(over(column.cpu(), column.wall()))
}

fn per_second(column: &ColumnResult) -> String {
    numbers::three_digits(over(column.median(|run| run.tasks as f64), column.wall()))
}

fn over(amount: f64, time: f64) -> f64 {
    if time > 0.0 { amount / time } else { 0.0 }
}

/// The peak memory, median over the runs; nothing where a system does not tell.
pub(super) fn peak(column: &ColumnResult) -> Option<f64> {
    let is_known = column.runs.iter().all(|run| run.memory().is_some());
    is_known.then(|| column.median(|run| run.memory().unwrap_or_default() as f64))
}

/// How a figure changed; nothing where it is too small to be told.
pub(super) fn changed(one: f64, other: f64) -> String {
    if one > 0.0 { numbers::change(other / one) } else { String::new() }
}

fn faster(comparison: Option<&Comparison>) -> String {
    match comparison {
        None => String::new(),
        Some(Comparison { verdict: Verdict::Unclaimed(_), .. }) => "not compared".to_owned(),
        Some(Comparison { verdict: Verdict::NoDifference(_), .. }) => "no measurable difference".to_owned(),
        Some(Comparison { speedup, .. }) if numbers::factor(*speedup) == "1.00x" => "1.00x".to_owned(),
        Some(Comparison { speedup, .. }) if *speedup >= 1.0 => {
            format!("{} faster", numbers::factor(*speedup))
        }
        Some(Comparison { speedup, .. }) => format!("{} slower", numbers::factor(1.0 / speedup)),
    }
}

fn claimed(comparison: &Comparison, figure: f64, show: fn(f64) -> String) -> String {
    if comparison.verdict.is_claimed() { show(figure) } else { "not compared".to_owned() }
}

/// The tasks of the main run that are worth a look; nothing where its records were
/// not kept.
pub(super) fn slowest(runs: &ShownRuns<'_>) -> Option<ReportSection<'static>> {
    let shown = runs.main().filter(|shown| !shown.run.records.is_empty())?;
    let chosen = chosen(runs, shown);
    let alone = runs.parallel().and(runs.serial).map(|serial| walls(serial, &chosen));
    let n_failed = runs.study.n_failed();
    let heading = if n_failed > 0 { "Slowest and failed tasks" } else { "Slowest tasks" };
    let line = |text: String| Content::Lines(vec![Sentence::plain(text)]);
    let mut content = Vec::new();
    if alone.is_some() {
        let way = shown.name;
        content.push(line(format!("Stretch is the time in the {way} run over the time in the serial run.")));
    }
    let serial = |it: &ChosenTask<'_>| alone.as_ref()?.get(&it.record.seq).copied();
    let stretch = |it: &ChosenTask<'_>| {
        let serial = serial(it).filter(|serial| *serial > 0.0)?;
        Some(numbers::factor(it.record.wall.as_secs_f64() / serial))
    };
    let both = alone.is_some();
    let has_nodes = shown.run.records.iter().any(|record| record.node.is_some());
    let columns: [TaskColumn<'_>; 10] = [
        (true, Cells::Figures, "task", &|it| (it.record.seq + 1).to_string()),
        (true, Cells::Texts, "name", &|it| short(&it.record.label)),
        (has_nodes, Cells::Texts, machine(shown.column), &|it| {
            it.record.node.as_deref().map(called).unwrap_or_default()
        }),
        (true, Cells::Figures, "slot", &|it| (u64::from(it.record.slot) + 1).to_string()),
        (true, Cells::Figures, "start", &|it| numbers::duration(it.record.start)),
        (both, Cells::Figures, "serial", &|it| serial(it).map(seconds).unwrap_or_default()),
        (true, Cells::Figures, shown.name, &|it| numbers::duration(it.record.wall)),
        (true, Cells::Figures, "CPU", &|it| numbers::duration(it.record.cpu)),
        (both, Cells::Figures, "stretch", &|it| stretch(it).unwrap_or_default()),
        (true, Cells::Verdicts, "outcome", &|it| match &it.why {
            Some(why) => short(why),
            None => short(&it.record.outcome.to_string()),
        }),
    ];
    let columns: Vec<TaskColumn<'_>> = columns.into_iter().filter(|(is_told, ..)| *is_told).collect();
    let row = |task| GridRow {
        cells: columns.iter().map(|(.., cell)| cell(task)).collect(),
        tone: if task.why.is_some() { Tone::Bad } else { Tone::Plain },
    };
    content.push(Content::Table(Grid {
        rows: chosen.iter().map(row).collect(),
        columns: columns.iter().map(|(_, cells, head, _)| (*cells, (*head).to_owned())).collect(),
        lesser: (0..columns.len()).filter(|at| LESSER.contains(&columns[*at].2)).collect(),
        ..Grid::default()
    }));
    let more = n_failed.saturating_sub(chosen.iter().filter(|task| task.why.is_some()).count());
    if more > 0 {
        content.push(line(format!("… and {} more that failed.", numbers::count(more as u64))));
    }
    Some(ReportSection { audience: Audience::Pages, ..ReportSection::new(heading, content) })
}

/// A column of the table of tasks: whether it is told, what is in it, its head, and a
/// task's cell.
type TaskColumn<'a> = (bool, Cells, &'a str, &'a dyn Fn(&ChosenTask<'_>) -> String);

struct ChosenTask<'a> {
    record: Cow<'a, Record>,
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
    // Records are in the order of tasks and attempts, and so are their places.
    let records = &shown.run.records;
    let mut places: Vec<(Reverse<Duration>, usize)> =
        records.iter().enumerate().map(|(at, record)| (Reverse(record.wall), at)).collect();
    let slowest = SLOWEST.min(places.len());
    if slowest < places.len() {
        places.select_nth_unstable(slowest);
    }
    sorting::sort_by_key(&mut places[..slowest], |place| *place);
    let chosen: Vec<usize> = places[..slowest].iter().map(|(_, at)| *at).collect();
    let task = |record: Cow<'a, Record>| ChosenTask { why: why(&record), record };
    let others = records.iter().enumerate().filter(|(at, _)| !chosen.contains(at));
    let failed = others.map(|(_, record)| task(record)).filter(|it| it.why.is_some()).take(FAILED);
    chosen.iter().filter_map(|at| Some(task(records.get(*at)?))).chain(failed).collect()
}

/// How long the tasks of `chosen` took one by one, in seconds.
fn walls(serial: ShownRun<'_>, chosen: &[ChosenTask<'_>]) -> BTreeMap<u64, f64> {
    let wanted: BTreeSet<u64> = chosen.iter().map(|task| task.record.seq).collect();
    let known = serial.run.records.iter().filter(|record| wanted.contains(&record.seq));
    known.map(|record| (record.seq, record.wall.as_secs_f64())).collect()
}

fn short(text: &str) -> String {
    printable(&shortened(text, LONGEST_NAME))
}
