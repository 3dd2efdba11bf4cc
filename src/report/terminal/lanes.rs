//! One run over time: a lane for each slot, and the CPU time spent.

use super::{Glyphs, Look, labels, ticks};
use crate::numbers;
use crate::report::nodes::called;
use crate::report::timeline::{self, Lane, LaneTask, ShownRun, ShownRuns, TimeUnit};
use crate::study::RunResult;
use crate::style::paint;
use crate::text::{shortened, wrapped};

/// So many lanes are drawn; the others are told of in a line.
const MOST_LANES: usize = 16;

/// What stands before a lane: the slot and how busy it was.
const LABEL: usize = 11;

/// Two marks of the axis are at least so many cells apart.
const APART: usize = 12;

/// The typical run of the widest column of each parallel way, or of the serial one
/// when it ran alone; nothing where the tasks' records were not kept.
pub(super) fn draw(runs: &ShownRuns<'_>, look: Look) -> Vec<String> {
    let shown = runs.main().into_iter().chain(runs.side_by_side.iter().skip(1).copied());
    let has_lanes = |shown: &ShownRun<'_>| !shown.run.records.is_empty() && !shown.run.wall.is_zero();
    shown.filter(has_lanes).flat_map(|shown| drawn(shown, runs.study.host.usable, look)).collect()
}

fn drawn(shown: ShownRun<'_>, n_cores: usize, look: Look) -> Vec<String> {
    let glyphs = Glyphs::of(look.unicode);
    let n_cells = look.width.saturating_sub(LABEL).max(1);
    let all = lanes(shown.run, n_cells);
    let (lanes, more) = all.split_at(all.len().min(MOST_LANES));
    let mut drawn = legend(shown, lanes, n_cells, glyphs);
    let is_told = timeline::are_of_several(all.iter().map(|lane| lane.node.as_deref()));
    let mut node = &None;
    for lane in lanes {
        if is_told && lane.node != *node {
            node = &lane.node;
            drawn.push(format!("{:LABEL$}{}", "", shortened(node.as_deref().unwrap_or("-"), n_cells)));
        }
        drawn.push(drawn_lane(lane, glyphs, look));
    }
    if !more.is_empty() {
        let busy = more.iter().map(|lane| lane.busy).sum::<f64>() / more.len() as f64;
        let (more, busy) = (numbers::plural(more.len() as u64, "more slot"), numbers::percent(busy));
        drawn.push(format!("... and {more}, {busy} busy"));
    }
    drawn.push(axis(shown.wall(), n_cells));
    drawn.extend(sparkline(shown, n_cores, n_cells, glyphs));
    drawn
}

/// What a lane means; only characters that are there are explained.
fn legend(shown: ShownRun<'_>, lanes: &[SlotCells], n_cells: usize, glyphs: Glyphs) -> Vec<String> {
    let cell = numbers::duration(shown.run.wall.div_f64(n_cells as f64));
    let name = match shown.name {
        "parallel" => format!("-j {}", shown.column.width),
        name if shown.column.is_serial() => name.to_owned(),
        name => format!("{name} -j {}", shown.column.width),
    };
    let is_shown = |glyph: char| {
        let mut cells = lanes.iter().flat_map(|lane| &lane.cells);
        cells.any(|cell| character(cell, glyphs) == glyph)
    };
    let meanings = [(glyphs.several, "several tasks"), (glyphs.failed, "failed"), (glyphs.idle, "idle")];
    let there = meanings.iter().filter(|(glyph, _)| is_shown(*glyph));
    let meanings: Vec<String> = there.map(|(glyph, meaning)| format!("{glyph} {meaning}")).collect();
    let told = wrapped(&format!("{name}, one cell = {cell}, shade = task"), n_cells, 0);
    let meanings =
        if meanings.is_empty() { String::new() } else { wrapped(&meanings.join(", "), n_cells, 0) };
    let heads = std::iter::once("lanes").chain(std::iter::repeat(""));
    told.lines()
        .chain(meanings.lines())
        .zip(heads)
        .map(|(line, head)| format!("{head:LABEL$}{line}"))
        .collect()
}

fn drawn_lane(lane: &SlotCells, glyphs: Glyphs, look: Look) -> String {
    let mut drawn = format!("{:>3} {:>5}  ", lane.slot, numbers::percent(lane.busy));
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

fn axis(wall: f64, n_cells: usize) -> String {
    let unit = TimeUnit::of(wall);
    let mut texts = ticks(unit.scaled(wall), n_cells, APART);
    if let Some((_, last)) = texts.last_mut() {
        *last += &format!(" {}", unit.name);
    }
    format!("{:LABEL$}{}", "", labels(n_cells, &texts))
}

/// How many cores computed, as heights below those that could have.
fn sparkline(shown: ShownRun<'_>, n_cores: usize, n_cells: usize, glyphs: Glyphs) -> [String; 2] {
    let cores = timeline::cpu(&shown.run.records, shown.wall(), n_cells);
    let top = cores.iter().copied().fold(shown.column.width.min(n_cores) as f64, f64::max);
    let heights: String = cores.iter().map(|cores| glyphs.height(cores / top)).collect();
    let scale = format!("{} = {}", glyphs.height(1.0), numbers::percent(top));
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
    /// The machine that it is of, where several were named.
    node: Option<String>,
    /// The slot, from 1, as people count.
    slot: u32,
    /// The share of the run in which it had a task.
    busy: f64,
    /// The run in equal spans.
    cells: Vec<TimeCell>,
}

/// The slots of `run` that had a task, each in `n_cells` spans of time.
fn lanes(run: &RunResult, n_cells: usize) -> Vec<SlotCells> {
    let wall = run.wall.as_secs_f64();
    let lane = |Lane { node, slot, tasks }: Lane| {
        let mut cells = vec![TimeCell::default(); n_cells];
        for (number, task) in tasks.iter().enumerate() {
            add(&mut cells, n_cells as f64 / wall, number, task);
        }
        let busy: f64 = tasks.iter().map(LaneTask::wall).sum();
        SlotCells {
            node: node.as_deref().map(called),
            slot: slot.saturating_add(1),
            busy: (busy / wall).min(1.0),
            cells,
        }
    };
    timeline::lanes(&run.records).into_iter().map(lane).collect()
}

/// Adds a slot's task to each of the `cells` that it has a part of; there are
/// `per_second` of these.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a float cast saturates")]
fn add(cells: &mut [TimeCell], per_second: f64, number: usize, task: &LaneTask) {
    let [start, end] = <[f64; 2]>::from(task.span()).map(|moment| moment * per_second);
    for (index, cell) in cells.iter_mut().enumerate().take(end.ceil() as usize).skip(start as usize) {
        let share = end.min(index as f64 + 1.0) - start.max(index as f64);
        if share > 0.0 {
            cell.busy += share;
            cell.n_tasks += 1;
            cell.failed |= task.is_failure;
            if share > cell.most {
                (cell.task, cell.most) = (number, share);
            }
        }
    }
}
