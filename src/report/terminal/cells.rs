//! The tasks of one run as cells of time: who had a slot when, and how much CPU
//! time was spent.

use std::collections::BTreeMap;

use crate::study::RunResult;
use crate::task::Record;

/// A span of time in one slot.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Cell {
    /// The share of it in which the slot had a task.
    pub(super) busy: f64,
    /// The task that had most of it, by its place in the slot, from 0.
    pub(super) task: usize,
    /// The share that task had.
    most: f64,
    /// How many tasks had a part of it.
    pub(super) n_tasks: usize,
    /// Whether one of them failed.
    pub(super) failed: bool,
}

/// One slot of a run.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Lane {
    /// The slot, from 0.
    pub(super) slot: u32,
    /// The share of the run in which it had a task.
    pub(super) busy: f64,
    /// The run in equal spans.
    pub(super) cells: Vec<Cell>,
}

/// The slots of `run` that had a task, each in `n_cells` spans of time.
pub(super) fn lanes(run: &RunResult, n_cells: usize) -> Vec<Lane> {
    let mut slots: BTreeMap<u32, Vec<&Record>> = BTreeMap::new();
    for record in &run.records {
        slots.entry(record.slot).or_default().push(record);
    }
    let wall = run.wall.as_secs_f64();
    let lane = |(slot, mut records): (u32, Vec<&Record>)| {
        records.sort_by_key(|record| record.start);
        let mut cells = vec![Cell::default(); n_cells];
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
        Lane { slot, busy: (busy / wall).min(1.0), cells }
    };
    slots.into_iter().map(lane).collect()
}

/// How many cores the tasks of `run` kept busy in each of `n_cells` spans of
/// time, if each task computed as much at any time of its own.
pub(super) fn cores(run: &RunResult, n_cells: usize) -> Vec<f64> {
    let wall = run.wall.as_secs_f64();
    let mut cores = vec![0.0; n_cells];
    for record in &run.records {
        let rate = record.cpu.as_secs_f64() / record.wall.as_secs_f64().max(f64::MIN_POSITIVE);
        spread(record, wall, n_cells, |index, share| cores[index] += share * rate);
    }
    cores
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
