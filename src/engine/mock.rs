//! An engine without time: tasks are not done, their durations are given.
//!
//! It lays tasks on slots as a real pool would (each to the slot that is free
//! first) and moves a [`FakeClock`] to the end of the run, so that order,
//! statistics and reports can be tested without time passing.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Engine;
use crate::engine::Run;
use crate::measure::FakeClock;
use crate::output::{Channel, handed_on};
use crate::study::WorkerCosts;
use crate::task::{Column, Outcome, Record, Task};
use crate::workload::Workload;

/// Lays out tasks whose durations `time_of` tells.
pub struct Mock<'a, F> {
    column: Column,
    width: usize,
    clock: &'a FakeClock,
    time_of: F,
    text_of: TextOf<'a>,
}

/// What a task writes.
type TextOf<'a> = Box<dyn Fn(&Task) -> Vec<u8> + 'a>;

impl<'a, F: Fn(&Task) -> Duration> Mock<'a, F> {
    /// `width` slots; `clock` must be the experiment's clock.
    pub fn new(column: Column, width: usize, clock: &'a FakeClock, time_of: F) -> Self {
        Self { column, width, clock, time_of, text_of: Box::new(|_| Vec::new()) }
    }

    /// The same where each task writes what `text_of` tells, line by line, at its end.
    pub fn writing(self, text_of: impl Fn(&Task) -> Vec<u8> + 'a) -> Self {
        Self { text_of: Box::new(text_of), ..self }
    }
}

/// Tasks by their ends, then by their slots; with their starts.
type LaidOut = BTreeMap<(Duration, u32), (Duration, Task)>;

impl<F: Fn(&Task) -> Duration> Engine for Mock<'_, F> {
    fn column(&self) -> Column {
        self.column.clone()
    }

    fn width(&self) -> usize {
        self.width
    }

    fn drive(&self, run: &Run<'_>, _workload: &dyn Workload) -> anyhow::Result<Option<WorkerCosts>> {
        let mut running = LaidOut::new();
        let mut now = Duration::ZERO;
        loop {
            if running.len() == self.width {
                now = self.end_first(run, &mut running).unwrap_or(now);
            }
            let Some(task) = run.batch.take() else { break };
            let end = now + (self.time_of)(&task);
            running.insert((end, task.slot), (now, task));
        }
        while let Some(end) = self.end_first(run, &mut running) {
            now = end;
        }
        self.clock.set(run.started + now);
        Ok(None)
    }
}

impl<F: Fn(&Task) -> Duration> Mock<'_, F> {
    fn end_first(&self, run: &Run<'_>, running: &mut LaidOut) -> Option<Duration> {
        let ((end, slot), (start, task)) = running.pop_first()?;
        let wall = end.saturating_sub(start);
        let record = Record {
            label: task.label.clone(),
            slot,
            start,
            wall,
            cpu: wall,
            ..Record::without_measures(task.seq, Outcome::Success)
        };
        let mut output = run.sink.open((&task).into());
        let text = (self.text_of)(&task);
        let mut lines = text.split_inclusive(|&byte| byte == b'\n');
        let written = lines.try_for_each(|line| output.write(Channel::Out, line));
        let record = handed_on(record, written);
        // What runs here is over in no time: there is nothing to be ended.
        let _ = run.batch.ended(&record);
        output.close(record, &run.batch);
        Some(end)
    }
}
