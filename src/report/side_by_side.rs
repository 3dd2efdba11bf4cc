//! The table of a study: its columns side by side, as cells.

use super::document::{Cells, Grid};
use super::laws;
use crate::numbers;
use crate::study::{ColumnResult, Comparison, Study, Verdict, WorkerCosts, karp_flatt};
use crate::task::Column;
use crate::text::printable;

/// CPU times below this are dominated by the kernel's ticks (4 ms), which only
/// add up to something in the long run: the split is marked as rough.
const ROUGH_BELOW: f64 = 1.0;

/// Fewer bytes than this are a result, not a stream to be told the rate of.
const WORTH_A_RATE: f64 = 1e6;

/// The columns of `study` side by side, and how the parallel one changed where
/// there is just one of each.
pub(super) fn grid(study: &Study) -> Grid {
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
    line("wall", &|column| seconds(column.wall()), &|_, _| faster.clone());
    for (label, figure) in SPLIT {
        line(label, &|column| rough(column, figure(column)), &|one, other| {
            changed(figure(one), figure(other))
        });
    }
    line("CPU total", &|column| seconds(column.cpu()), &|one, other| changed(one.cpu(), other.cpu()));
    line("CPU use", &cpu_use, &|_, parallel| format!("of {} %", parallel.width * 100));
    line(&format!("{}s/s", study.unit), &per_second, &nothing);
    if columns.iter().any(|column| bytes(column) >= WORTH_A_RATE) {
        line("bytes/s", &|column| numbers::rate(over(bytes(column), column.wall())), &nothing);
    }
    if columns.iter().all(|column| column.runs.iter().all(|run| run.memory().is_some())) {
        let peak = |column: &ColumnResult| column.median(|run| run.memory().unwrap_or_default() as f64);
        line("peak memory", &|column| numbers::memory(peak(column)), &|one, other| {
            changed(peak(one), peak(other))
        });
    }
    for &(label, figure, show, remark) in CREW {
        if columns.iter().any(|column| column.of_crew(figure).is_some()) {
            let cell = |column: &ColumnResult| column.of_crew(figure).map(show).unwrap_or_default();
            line(label, &cell, &|_, _| remark.to_owned());
        }
    }
    line("preparation", &|column| seconds(preparation(column)), &|_, _| "not in wall".to_owned());
    let whole = |column: &ColumnResult| study.startup.as_secs_f64() + preparation(column) + column.wall();
    line("whole command", &|column| seconds(whole(column)), &|_, _| {
        "start-up + preparation + wall".to_owned()
    });
    let failed = |column: &ColumnResult| column.runs.iter().map(|run| run.failed).max().unwrap_or(0);
    line("failed", &|column| numbers::count(failed(column)), &nothing);
    if several && study.base().is_some() {
        for cells in scaling(study, &columns, &comparisons) {
            grid.add(cells);
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
fn scaling(study: &Study, columns: &[&ColumnResult], comparisons: &[Option<Comparison>]) -> Vec<Vec<String>> {
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
    vec![
        line(&speedup, &|comparison, _| claimed(comparison, comparison.speedup, numbers::factor)),
        line("efficiency", &|comparison, _| claimed(comparison, comparison.efficiency, numbers::percent)),
        line("serial share", &|comparison, width| {
            let share = karp_flatt(comparison.speedup, width);
            match comparison.verdict {
                Verdict::Unclaimed(_) => claimed(comparison, 0.0, numbers::percent),
                _ => laws::serial_share(share, width),
            }
        }),
    ]
}

type ColumnFigure = fn(&ColumnResult) -> f64;

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

const SPLIT: [(&str, ColumnFigure); 2] = [
    ("user", |column| column.median(|run| run.usage.user.as_secs_f64())),
    ("sys", |column| column.median(|run| run.usage.sys.as_secs_f64())),
];

fn preparation(column: &ColumnResult) -> f64 {
    column.median(|run| run.preparation.as_secs_f64())
}

fn bytes(column: &ColumnResult) -> f64 {
    column.median(|run| run.bytes as f64)
}

fn seconds(value: f64) -> String {
    numbers::seconds(value)
}

fn rough(column: &ColumnResult, value: f64) -> String {
    let mark = if column.cpu() < ROUGH_BELOW { "~" } else { "" };
    format!("{mark}{}", seconds(value))
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

/// How a figure changed; nothing where it is too small to be told.
fn changed(one: f64, other: f64) -> String {
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
    match comparison.verdict {
        Verdict::Unclaimed(_) => "not compared".to_owned(),
        _ => show(figure),
    }
}
