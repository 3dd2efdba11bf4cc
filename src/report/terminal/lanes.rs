//! One run over time: a lane for each slot, and the CPU time spent.

use std::time::Duration;

use super::{Glyphs, Look, labels, nice_step, place, short};
use crate::format;
use crate::report::timeline;
use crate::study::{ColumnResult, RunResult, Study};
use crate::style::paint;
use crate::task::Record;

/// So many lanes are drawn; the others are told of in a line.
const MOST_LANES: usize = 16;

/// What stands before a lane: the slot and how busy it was.
const LABEL: usize = 11;

/// Two marks of the axis are at least so many cells apart.
const APART: usize = 12;

/// The typical run of the widest column of each parallel way, or of the serial one
/// when it ran alone; nothing where the tasks' records were not kept.
pub(super) fn draw(study: &Study, look: Look) -> Vec<String> {
    let mut columns: Vec<&ColumnResult> = study.widest_of_each().collect();
    if columns.is_empty() {
        columns.extend(study.serial());
    }
    columns.into_iter().flat_map(|column| drawn(study, column, look)).collect()
}

fn drawn(study: &Study, column: &ColumnResult, look: Look) -> Vec<String> {
    let shown = timeline::shown(column).map(|(_, run)| run);
    let Some(run) = shown.filter(|run| !run.records.is_empty() && !run.wall.is_zero()) else {
        return Vec::new();
    };
    let glyphs = Glyphs::of(look.unicode);
    let n_cells = look.width.saturating_sub(LABEL).max(1);
    let all = lanes(run, n_cells);
    let mut lines = legend(study, column, run, &all, n_cells, glyphs);
    lines.extend(all.iter().take(MOST_LANES).map(|lane| drawn_lane(lane, glyphs, look)));
    if let Some(more) = all.get(MOST_LANES..).filter(|more| !more.is_empty()) {
        let busy = more.iter().map(|lane| lane.busy).sum::<f64>() / more.len() as f64;
        lines.push(format!(
            "... and {}, on average {} busy",
            format::plural(more.len() as u64, "more slot"),
            format::percent(busy)
        ));
    }
    lines.push(axis(run.wall, n_cells));
    lines.extend(sparkline(study, column, run, n_cells, glyphs));
    lines
}

/// What a lane means; only characters that are there are explained.
fn legend(
    study: &Study,
    column: &ColumnResult,
    run: &RunResult,
    lanes: &[SlotCells],
    n_cells: usize,
    glyphs: Glyphs,
) -> Vec<String> {
    let cell = format::duration(run.wall.div_f64(n_cells as f64));
    let name = match study.called(column.way()) {
        "parallel" => format!("-j {}", column.width),
        name if column.is_serial() => name.to_owned(),
        name => format!("{name} -j {}", column.width),
    };
    let is_shown = |glyph: char| {
        let mut cells = lanes.iter().take(MOST_LANES).flat_map(|lane| &lane.cells);
        cells.any(|cell| character(cell, glyphs) == glyph)
    };
    let meanings = [(glyphs.several, "several tasks"), (glyphs.failed, "failed"), (glyphs.idle, "idle")];
    let meanings: Vec<String> = meanings
        .iter()
        .filter(|(glyph, _)| is_shown(*glyph))
        .map(|(glyph, meaning)| format!("{glyph} {meaning}"))
        .collect();
    let mut told = vec![format!("{:LABEL$}{name}, one cell = {cell}, shade = task", "lanes")];
    if !meanings.is_empty() {
        told.push(format!("{:LABEL$}{}", "", meanings.join(", ")));
    }
    told
}

fn drawn_lane(lane: &SlotCells, glyphs: Glyphs, look: Look) -> String {
    let mut drawn = format!("{:>3} {:>5}  ", lane.slot, format::percent(lane.busy));
    for cell in &lane.cells {
        let character = character(cell, glyphs);
        if character == glyphs.failed {
            drawn += &paint(look.styles.bad, &character.to_string());
        } else {
            drawn.push(character);
        }
    }
    drawn
}

fn character(cell: &TimeCell, glyphs: Glyphs) -> char {
    match cell {
        TimeCell { failed: true, .. } => glyphs.failed,
        TimeCell { busy, .. } if *busy < 0.5 => glyphs.idle,
        // Two are the end of one and the start of the next.
        TimeCell { n_tasks: 3.., .. } => glyphs.several,
        TimeCell { task, .. } => glyphs.tasks[task % 2],
    }
}

fn axis(wall: Duration, n_cells: usize) -> String {
    let (unit, name) = match wall.as_secs_f64() {
        seconds if seconds >= 1.0 => (1.0, "s"),
        seconds if seconds >= 1e-3 => (1e-3, "ms"),
        _ => (1e-6, "us"),
    };
    let span = wall.as_secs_f64() / unit;
    let step = nice_step(span, n_cells / APART);
    let marks = (0..).map(|number| f64::from(number) * step).take_while(|value| *value <= span);
    let mut texts: Vec<(usize, String)> =
        marks.map(|value| (place(value / span, n_cells), short(value))).collect();
    if let Some((_, last)) = texts.last_mut() {
        *last += &format!(" {name}");
    }
    format!("{:LABEL$}{}", "", labels(n_cells, &texts))
}

/// How many cores computed, as heights below those that could have.
fn sparkline(
    study: &Study,
    column: &ColumnResult,
    run: &RunResult,
    n_cells: usize,
    glyphs: Glyphs,
) -> [String; 2] {
    let cores = timeline::cpu(&run.records, run.wall.as_secs_f64(), n_cells);
    let top = cores.iter().copied().fold(column.width.min(study.host.usable) as f64, f64::max);
    let heights: String = cores.iter().map(|cores| glyphs.height(cores / top)).collect();
    let scale = format!("{} = {}", glyphs.height(1.0), format::percent(top));
    [format!("{:LABEL$}{heights}", "CPU"), format!("{:LABEL$}{scale}", "")]
}

/// A span of time in one slot.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct TimeCell {
    /// The share of it in which the slot had a task.
    busy: f64,
    /// The task that had most of it, by its place in the slot, from 0.
    task: usize,
    /// The share that task had.
    most: f64,
    /// How many tasks had a part of it.
    n_tasks: usize,
    /// Whether one of them failed.
    failed: bool,
}

/// One slot of a run.
#[derive(Clone, Debug, PartialEq)]
struct SlotCells {
    /// The slot, from 0.
    slot: u32,
    /// The share of the run in which it had a task.
    busy: f64,
    /// The run in equal spans.
    cells: Vec<TimeCell>,
}

/// The slots of `run` that had a task, each in `n_cells` spans of time.
fn lanes(run: &RunResult, n_cells: usize) -> Vec<SlotCells> {
    let wall = run.wall.as_secs_f64();
    let lane = |(slot, records): (u32, Vec<&Record>)| {
        let mut cells = vec![TimeCell::default(); n_cells];
        for (number, record) in records.iter().enumerate() {
            spread(record, wall, n_cells, |index, share| {
                let cell = &mut cells[index];
                cell.busy += share;
                cell.n_tasks += 1;
                cell.failed |= record.outcome.is_failure();
                if share > cell.most {
                    (cell.task, cell.most) = (number, share);
                }
            });
        }
        let busy: f64 = records.iter().map(|record| record.wall.as_secs_f64()).sum();
        SlotCells { slot, busy: (busy / wall).min(1.0), cells }
    };
    timeline::lanes(&run.records).into_iter().map(lane).collect()
}

/// Calls `with` for each cell that `record` has a part of: its index, and the
/// share of the cell.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a float cast saturates")]
fn spread(record: &Record, wall: f64, n_cells: usize, mut with: impl FnMut(usize, f64)) {
    let scale = n_cells as f64 / wall;
    let (start, end) = (record.start.as_secs_f64() * scale, record.end().as_secs_f64() * scale);
    let first = start.max(0.0) as usize;
    for index in first..n_cells.min(end.ceil() as usize) {
        let share = end.min(index as f64 + 1.0) - start.max(index as f64);
        if share > 0.0 {
            with(index, share);
        }
    }
}
