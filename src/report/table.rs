//! The side-by-side table, computed once as cells; formats only draw it.

use std::ops::Range;

use crate::format;
use crate::study::{ColumnResult, Comparison, Study, Verdict, WorkerCosts, karp_flatt};
use crate::task::Column;

/// The cells of a table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// The heads of the columns; the first is empty.
    pub header: Vec<String>,
    /// The lines.
    pub lines: Vec<Line>,
}

/// One line of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// What the line tells.
    pub label: String,
    /// One cell for each column, and a remark where there are two.
    pub cells: Vec<String>,
}

/// CPU times below this are dominated by the kernel's ticks (4 ms), which only
/// add up to something in the long run: the split is marked as rough.
const ROUGH_BELOW: f64 = 1.0;

/// What stands between two columns of text, the padding included.
const GAP: usize = 3;

/// Fewer bytes than this are a result, not a stream to be told the rate of.
const WORTH_A_RATE: f64 = 1e6;

impl Table {
    /// The table of `study`: its columns side by side, and how the parallel one
    /// changed where there is just one of each.
    #[must_use]
    pub fn of(study: &Study) -> Self {
        let comparisons = Comparison::of_each(study);
        let (columns, comparisons): (Vec<&ColumnResult>, Vec<Option<Comparison>>) =
            study.columns.iter().zip(comparisons).filter(|(column, _)| !column.runs.is_empty()).unzip();
        let mut table = Self { header: vec![String::new()], lines: Vec::new() };
        let several = study.parallel().count() > 1;
        table.header.extend(columns.iter().map(|column| head(study, column)));
        let pair = match columns[..] {
            [serial, parallel] if serial.is_serial() => Some((serial, parallel)),
            _ => None,
        };
        if pair.is_some() {
            table.header.push("change".to_owned());
        }
        let mut line = |label: &str,
                        cell: &dyn Fn(&ColumnResult) -> String,
                        change: &dyn Fn(&ColumnResult, &ColumnResult) -> String| {
            let mut cells: Vec<String> = columns.iter().map(|column| cell(column)).collect();
            cells.extend(pair.map(|(serial, parallel)| change(serial, parallel)));
            table.lines.push(Line { label: label.to_owned(), cells });
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
            line("bytes/s", &|column| format::rate(over(bytes(column), column.wall())), &nothing);
        }
        if columns.iter().all(|column| column.runs.iter().all(|run| run.memory().is_some())) {
            let peak = |column: &ColumnResult| column.median(|run| run.memory().unwrap_or_default() as f64);
            line("peak memory", &|column| format::memory(peak(column)), &|one, other| {
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
        line("failed", &|column| format::count(failed(column)), &nothing);
        if several && study.base().is_some() {
            table.lines.extend(scaling(study, &columns, &comparisons));
        }
        table
    }

    /// How many columns hold figures: those after the first but for a remark.
    #[must_use]
    pub fn n_figures(&self) -> usize {
        let has_remarks = self.header.last().is_some_and(|head| head == "change");
        self.header.len().saturating_sub(1 + usize::from(has_remarks))
    }

    /// The same lines in as many tables side by side as it takes for none to be
    /// wider than `width`, each with the labels; one column at least is in each.
    pub(super) fn split(self, width: usize) -> Vec<Self> {
        let length = |texts: &mut dyn Iterator<Item = &String>| {
            texts.map(|text| text.chars().count()).max().unwrap_or(0) + GAP
        };
        let labels = length(&mut self.lines.iter().map(|line| &line.label));
        let mut ranges: Vec<Range<usize>> = Vec::new();
        let mut room = 0;
        for column in 1..self.header.len() {
            let cells = self.lines.iter().filter_map(|line| line.cells.get(column - 1));
            let needed = length(&mut cells.chain([&self.header[column]]));
            match ranges.last_mut() {
                Some(range) if needed <= room => range.end = column + 1,
                _ => {
                    ranges.push(column..column + 1);
                    room = width.saturating_sub(labels);
                }
            }
            room = room.saturating_sub(needed);
        }
        if ranges.len() <= 1 {
            return vec![self];
        }
        let cut = |range: Range<usize>| {
            let cells = range.start - 1..range.end - 1;
            let line =
                |line: &Line| Line { label: line.label.clone(), cells: line.cells[cells.clone()].to_vec() };
            let header = std::iter::once(&self.header[0]).chain(&self.header[range]).cloned().collect();
            Self { header, lines: self.lines.iter().map(line).collect() }
        };
        ranges.into_iter().map(cut).collect()
    }
}

/// What a column is called over its figures: by its way, or by its width where one
/// way was swept.
pub(super) fn head(study: &Study, column: &ColumnResult) -> String {
    let is_alone = column.column == Column::PARALLEL && study.called(column.way()) == column.way();
    if is_alone && study.is_swept(column.way()) {
        return format!("-j {}", column.width);
    }
    study.name(column)
}

/// What a sweep adds: how each width compares with the base.
fn scaling(study: &Study, columns: &[&ColumnResult], comparisons: &[Option<Comparison>]) -> Vec<Line> {
    let line = |label: &str, cell: &dyn Fn(&Comparison, usize) -> String| {
        let cell = |(column, comparison): (&&ColumnResult, &Option<Comparison>)| {
            comparison.as_ref().map_or_else(String::new, |comparison| cell(comparison, column.width))
        };
        Line { label: label.to_owned(), cells: columns.iter().zip(comparisons).map(cell).collect() }
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
        line(&speedup, &|comparison, _| claimed(comparison, comparison.speedup, format::factor)),
        line("efficiency", &|comparison, _| claimed(comparison, comparison.efficiency, format::percent)),
        line("serial share", &|comparison, width| {
            let share = karp_flatt(comparison.speedup, width);
            share.map_or_else(String::new, |share| claimed(comparison, share, format::percent))
        }),
    ]
}

type Figure = fn(&ColumnResult) -> f64;

/// A line on what worker processes cost: label, figure, how it is shown, a remark.
type Cost = (&'static str, fn(&WorkerCosts) -> f64, fn(f64) -> String, &'static str);

const CREW: &[Cost] = &[
    ("workers' start", |crew| crew.startup.as_secs_f64(), seconds, "in wall"),
    ("workers' memory", |crew| crew.peak_memory.unwrap_or_default() as f64, format::memory, "in peak memory"),
    ("data passed", |crew| crew.passed as f64, format::bytes, ""),
    ("passing it", WorkerCosts::passing_each, seconds, "in wall, for each worker"),
];

const SPLIT: [(&str, Figure); 2] = [
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
    format::seconds(value)
}

fn rough(column: &ColumnResult, value: f64) -> String {
    let mark = if column.cpu() < ROUGH_BELOW { "~" } else { "" };
    format!("{mark}{}", seconds(value))
}

fn cpu_use(column: &ColumnResult) -> String {
    format::percent(over(column.cpu(), column.wall()))
}

fn per_second(column: &ColumnResult) -> String {
    format::three_digits(over(column.median(|run| run.tasks as f64), column.wall()))
}

fn over(amount: f64, time: f64) -> f64 {
    if time > 0.0 { amount / time } else { 0.0 }
}

/// How a figure changed; nothing where it is too small to be told.
fn changed(one: f64, other: f64) -> String {
    if one > 0.0 { format::change(other / one) } else { String::new() }
}

fn faster(comparison: Option<&Comparison>) -> String {
    match comparison {
        None => String::new(),
        Some(Comparison { verdict: Verdict::Unclaimed(_), .. }) => "not compared".to_owned(),
        Some(Comparison { verdict: Verdict::NoDifference(_), .. }) => "no measurable difference".to_owned(),
        Some(Comparison { speedup, .. }) if format::factor(*speedup) == "1.00x" => "1.00x".to_owned(),
        Some(Comparison { speedup, .. }) if *speedup >= 1.0 => format!("{} faster", format::factor(*speedup)),
        Some(Comparison { speedup, .. }) => format!("{} slower", format::factor(1.0 / speedup)),
    }
}

fn claimed(comparison: &Comparison, figure: f64, show: fn(f64) -> String) -> String {
    match comparison.verdict {
        Verdict::Unclaimed(_) => "not compared".to_owned(),
        _ => show(figure),
    }
}
