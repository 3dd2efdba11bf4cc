//! An engine without time: tasks are not done, their durations are given.
//!
//! It lays tasks on slots as a real pool would (each to the slot that is free
//! first) and moves a [`FakeClock`] to the end of the run, so that order,
//! statistics and reports can be tested without time passing.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use super::Executor;
use crate::measure::FakeClock;
use crate::record::{Outcome, Record, Task, Way};
use crate::run::Run;
use crate::study::Crew;
use crate::workload::Workload;

/// Lays out tasks whose durations `time_of` tells.
pub struct Mock<'a, F> {
    way: Way,
    width: usize,
    clock: &'a FakeClock,
    time_of: F,
}

impl<'a, F: Fn(&Task) -> Duration> Mock<'a, F> {
    /// `width` slots; `clock` must be the experiment's clock.
    #[must_use]
    pub fn new(way: Way, width: usize, clock: &'a FakeClock, time_of: F) -> Self {
        Self { way, width, clock, time_of }
    }
}

impl<F: Fn(&Task) -> Duration> Executor for Mock<'_, F> {
    fn way(&self) -> Way {
        self.way
    }

    fn width(&self) -> usize {
        self.width
    }

    fn drive(&self, run: &Run<'_>, _workload: &dyn Workload) -> anyhow::Result<Option<Crew>> {
        let mut running: BinaryHeap<Reverse<Running>> = BinaryHeap::new();
        let mut now = Duration::ZERO;
        loop {
            if running.len() == self.width {
                now = finish_first(run, &mut running).unwrap_or(now);
            }
            let Some(ticket) = run.batch.take() else { break };
            let wall = (self.time_of)(&ticket.task);
            running.push(Reverse(Running {
                end: now + wall,
                slot: ticket.slot,
                start: now,
                seq: ticket.task.seq,
                label: ticket.task.label,
            }));
        }
        while let Some(end) = finish_first(run, &mut running) {
            now = end;
        }
        self.clock.set(run.started + now);
        Ok(None)
    }
}

/// A task on its slot; ordered by its end, then by its slot.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Running {
    end: Duration,
    slot: u32,
    start: Duration,
    seq: u64,
    label: String,
}

fn finish_first(run: &Run<'_>, running: &mut BinaryHeap<Reverse<Running>>) -> Option<Duration> {
    let Reverse(task) = running.pop()?;
    let wall = task.end.saturating_sub(task.start);
    // What runs here is over in no time: there is nothing to be ended.
    let _ = run.batch.finish(Record {
        seq: task.seq,
        label: task.label,
        line: None,
        item: None,
        slot: task.slot,
        attempt: 1,
        start: task.start,
        wall,
        cpu: wall,
        peak_memory: None,
        peak_memory_is_bound: false,
        bytes: 0,
        outcome: Outcome::Success,
        digest: None,
        spans: Vec::new(),
        sent: 0,
        facts: Vec::new(),
    });
    Some(task.end)
}
