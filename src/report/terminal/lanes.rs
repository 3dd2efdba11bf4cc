//! One run over time: a lane for each slot, and the CPU time spent.

use std::time::Duration;

use super::cells::{Cell, Lane, cores, lanes};
use super::glyphs::Glyphs;
use super::{Look, labels, nice_step, place, short, typical};
use crate::format;
use crate::study::{ColumnResult, RunResult, Study};
use crate::style::paint;

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
    let Some(run) = typical(column).filter(|run| !run.records.is_empty() && !run.wall.is_zero()) else {
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
    lanes: &[Lane],
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

fn drawn_lane(lane: &Lane, glyphs: Glyphs, look: Look) -> String {
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

fn character(cell: &Cell, glyphs: Glyphs) -> char {
    match cell {
        Cell { failed: true, .. } => glyphs.failed,
        Cell { busy, .. } if *busy < 0.5 => glyphs.idle,
        // Two are the end of one and the start of the next.
        Cell { n_tasks: 3.., .. } => glyphs.several,
        Cell { task, .. } => glyphs.tasks[task % 2],
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
    let cores = cores(run, n_cells);
    let top = cores.iter().copied().fold(column.width.min(study.host.usable) as f64, f64::max);
    let heights: String = cores.iter().map(|cores| glyphs.height(cores / top)).collect();
    let scale = format!("{} = {}", glyphs.height(1.0), format::percent(top));
    [format!("{:LABEL$}{heights}", "CPU"), format!("{:LABEL$}{scale}", "")]
}
