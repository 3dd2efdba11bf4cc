//! The side-by-side table, computed once as cells; formats only draw it.

use crate::format;
use crate::record::Way;
use crate::study::{Column, Comparison, Study, Verdict};

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

/// Fewer bytes than this are a result, not a stream to be told the rate of.
const WORTH_A_RATE: f64 = 1e6;

impl Table {
    /// The table of `study`: its columns side by side, and how the parallel one
    /// changed where there is just one of each.
    #[must_use]
    pub fn of(study: &Study) -> Self {
        let columns: Vec<&Column> = study.columns.iter().filter(|column| !column.runs.is_empty()).collect();
        let mut table = Self { header: vec![String::new()], lines: Vec::new() };
        let several = study.parallel().count() > 1;
        table.header.extend(columns.iter().map(|column| head(study, column)));
        let pair = match columns[..] {
            [serial, parallel] if serial.way == Way::Serial => Some((serial, parallel)),
            _ => None,
        };
        if pair.is_some() {
            table.header.push("change".to_owned());
        }
        let mut line =
            |label: &str, cell: &dyn Fn(&Column) -> String, change: &dyn Fn(&Column, &Column) -> String| {
                let mut cells: Vec<String> = columns.iter().map(|column| cell(column)).collect();
                cells.extend(pair.map(|(serial, parallel)| change(serial, parallel)));
                table.lines.push(Line { label: label.to_owned(), cells });
            };
        let nothing = |_: &Column, _: &Column| String::new();

        line("wall", &|column| seconds(column.wall()), &|_, parallel| faster(study, parallel));
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
        if columns.iter().all(|column| column.runs.iter().all(|run| run.peak_memory.is_some())) {
            let peak = |column: &Column| column.median(|run| run.peak_memory.unwrap_or_default() as f64);
            line("peak memory", &|column| format::memory(peak(column)), &|one, other| {
                changed(peak(one), peak(other))
            });
        }
        line("preparation", &|column| seconds(preparation(column)), &|_, _| "not in wall".to_owned());
        let whole = |column: &Column| study.startup.as_secs_f64() + preparation(column) + column.wall();
        line("whole command", &|column| seconds(whole(column)), &|_, _| {
            "start-up + preparation + wall".to_owned()
        });
        let failed = |column: &Column| column.runs.iter().map(|run| run.failed).max().unwrap_or(0);
        line("failed", &|column| format::count(failed(column)), &nothing);
        if several && study.serial().is_some() {
            let compared =
                |column: &Column| Comparison::of(study, column).filter(|_| column.way == Way::Parallel);
            line(
                "speed-up",
                &|column| compared(column).map_or_else(String::new, |it| claimed(&it)),
                &nothing,
            );
            let efficiency = |column: &Column| {
                compared(column).map_or_else(String::new, |it| format::percent(it.efficiency))
            };
            line("efficiency", &efficiency, &nothing);
        }
        table
    }

    /// How many columns hold figures: those after the first but for a remark.
    #[must_use]
    pub fn n_figures(&self) -> usize {
        let has_remarks = self.header.last().is_some_and(|head| head == "change");
        self.header.len().saturating_sub(1 + usize::from(has_remarks))
    }
}

/// What a column is called: by its way, or by its width where several of them
/// are parallel.
pub(super) fn head(study: &Study, column: &Column) -> String {
    match column.way {
        Way::Parallel if study.parallel().count() > 1 => format!("-j {}", column.width),
        way => way.to_string(),
    }
}

/// What a column is called where it stands alone: `serial`, `parallel -j 4`.
pub(super) fn name(study: &Study, column: &Column) -> String {
    match column.way {
        Way::Parallel if study.parallel().count() > 1 => format!("{} -j {}", column.way, column.width),
        way => way.to_string(),
    }
}

type Figure = fn(&Column) -> f64;

const SPLIT: [(&str, Figure); 2] = [
    ("user", |column| column.median(|run| run.usage.user.as_secs_f64())),
    ("sys", |column| column.median(|run| run.usage.sys.as_secs_f64())),
];

fn preparation(column: &Column) -> f64 {
    column.median(|run| run.preparation.as_secs_f64())
}

fn bytes(column: &Column) -> f64 {
    column.median(|run| run.bytes as f64)
}

fn seconds(value: f64) -> String {
    format::duration(std::time::Duration::from_secs_f64(value))
}

fn rough(column: &Column, value: f64) -> String {
    let mark = if column.cpu() < ROUGH_BELOW { "~" } else { "" };
    format!("{mark}{}", seconds(value))
}

fn cpu_use(column: &Column) -> String {
    format::percent(over(column.cpu(), column.wall()))
}

fn per_second(column: &Column) -> String {
    format::three_digits(over(column.median(|run| run.tasks as f64), column.wall()))
}

fn over(amount: f64, time: f64) -> f64 {
    if time > 0.0 { amount / time } else { 0.0 }
}

/// How a figure changed; nothing where it is too small to be told.
fn changed(one: f64, other: f64) -> String {
    if one > 0.0 { format::change(other / one) } else { String::new() }
}

fn faster(study: &Study, parallel: &Column) -> String {
    match Comparison::of(study, parallel) {
        None => String::new(),
        Some(Comparison { verdict: Verdict::Unclaimed(_), .. }) => "not compared".to_owned(),
        Some(Comparison { verdict: Verdict::NoDifference(_), .. }) => "no measurable difference".to_owned(),
        Some(Comparison { speedup, .. }) if format::factor(speedup) == "1.00x" => "1.00x".to_owned(),
        Some(Comparison { speedup, .. }) if speedup >= 1.0 => format!("{} faster", format::factor(speedup)),
        Some(Comparison { speedup, .. }) => format!("{} slower", format::factor(1.0 / speedup)),
    }
}

fn claimed(comparison: &Comparison) -> String {
    match comparison.verdict {
        Verdict::Unclaimed(_) => "not compared".to_owned(),
        _ => format::factor(comparison.speedup),
    }
}
