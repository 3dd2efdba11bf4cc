//! Output task by task, in the order in which tasks end: what they produced
//! first, then what they had to say, never mixed with another's.
//!
//! Tasks that are over in no time end in the order in which they were started,
//! give or take what the scheduler does. That noise is taken out: a task waits
//! a moment for an earlier one that has only just begun, so that a batch of short
//! commands prints in input order, as it does under a runner that starts them
//! more slowly.
//!
//! Waiting output of all tasks shares one budget of memory; beyond it a task
//! writes to a spill file of its own.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::spill::{Piece, Spill};
use crate::output::{Channel, Destination, Sink, TaskOutput};
use crate::record::{Outcome, Task};

/// So long after its start a task is waited for by later ones.
const A_MOMENT: Duration = Duration::from_millis(20);

/// Hands the output of each task on as a whole.
pub struct Grouped<D> {
    state: Mutex<State<D>>,
    /// Rung when a task is over.
    over: Condvar,
    in_memory: AtomicUsize,
    budget: usize,
}

struct State<D> {
    destination: D,
    /// By task: when it was opened, as long as it is not closed.
    open: BTreeMap<u64, Instant>,
}

impl<D: Destination> Grouped<D> {
    /// Keeps at most about `budget` bytes in memory.
    #[must_use]
    pub fn new(destination: D, budget: usize) -> Self {
        let state = State { destination, open: BTreeMap::new() };
        Self { state: Mutex::new(state), over: Condvar::new(), in_memory: AtomicUsize::new(0), budget }
    }
}

impl<D: Destination> Sink for Grouped<D> {
    fn open<'a>(&'a self, task: &'a Task) -> Box<dyn TaskOutput + 'a> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.open.insert(task.seq, Instant::now());
        Box::new(Group { grouped: self, task, out: Vec::new(), err: Vec::new(), spill: Spill::default() })
    }
}

impl<D> State<D> {
    /// How long the task `seq` waits for an earlier one that has just begun.
    fn wait_of(&self, seq: u64) -> Option<Duration> {
        let youngest = self.open.range(..seq).map(|(_, opened)| *opened).max()?;
        A_MOMENT.checked_sub(youngest.elapsed()).filter(|wait| !wait.is_zero())
    }
}

struct Group<'a, D> {
    grouped: &'a Grouped<D>,
    task: &'a Task,
    out: Vec<Bytes>,
    err: Vec<Bytes>,
    spill: Spill,
}

enum Bytes {
    Memory(Vec<u8>),
    Spilled(Piece),
}

impl<D: Destination> TaskOutput for Group<'_, D> {
    fn write(&mut self, channel: Channel, bytes: &[u8]) -> io::Result<()> {
        let grouped = self.grouped;
        let held = grouped.in_memory.fetch_add(bytes.len(), Ordering::Relaxed);
        let kept = if held + bytes.len() <= grouped.budget {
            Bytes::Memory(bytes.to_vec())
        } else {
            grouped.in_memory.fetch_sub(bytes.len(), Ordering::Relaxed);
            Bytes::Spilled(self.spill.put(bytes)?)
        };
        match channel {
            Channel::Out => self.out.push(kept),
            Channel::Err => self.err.push(kept),
        }
        Ok(())
    }

    fn close(self: Box<Self>, outcome: &Outcome) -> io::Result<()> {
        let Self { grouped, task, out, err, spill } = *self;
        let mut state = grouped.state.lock().unwrap_or_else(PoisonError::into_inner);
        let has_output = !(out.is_empty() && err.is_empty());
        while let Some(wait) = state.wait_of(task.seq).filter(|_| has_output) {
            state = grouped.over.wait_timeout(state, wait).unwrap_or_else(PoisonError::into_inner).0;
        }
        state.open.remove(&task.seq);
        let destination = &mut state.destination;
        // What was cut off in the middle is no whole of anything.
        let wanted = *outcome != Outcome::Interrupted;
        let mut result = Ok(());
        for (channel, all) in [(Channel::Out, out), (Channel::Err, err)] {
            for bytes in all {
                let handed_on = match bytes {
                    Bytes::Memory(bytes) => {
                        grouped.in_memory.fetch_sub(bytes.len(), Ordering::Relaxed);
                        if wanted { destination.write(task, channel, &bytes) } else { Ok(()) }
                    }
                    Bytes::Spilled(_) if !wanted => Ok(()),
                    Bytes::Spilled(piece) => {
                        spill.read(piece, |block| destination.write(task, channel, block))
                    }
                };
                result = result.and(handed_on);
            }
        }
        let closed = destination.close(task, outcome);
        drop(state);
        grouped.over.notify_all();
        result.and(closed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sink::Kept;

    #[test]
    fn outputs_come_whole_in_the_order_of_ending_whatever_the_budget() {
        for budget in [0, 3, 1000] {
            let kept = Kept::new(100);
            let grouped = Grouped::new(kept.clone(), budget);
            let (first, second) = (Task::new(0, ""), Task::new(1, ""));
            let (mut one, mut two) = (grouped.open(&first), grouped.open(&second));
            one.write(Channel::Out, b"a1 ").unwrap();
            two.write(Channel::Out, b"b1 ").unwrap();
            one.write(Channel::Out, b"a2 ").unwrap();
            two.write(Channel::Out, b"b2 ").unwrap();
            // The first one has begun long ago.
            std::thread::sleep(A_MOMENT);
            two.close(&Outcome::Success).unwrap();
            one.close(&Outcome::Success).unwrap();
            assert_eq!(kept.head(), b"b1 b2 a1 a2 ");
        }
    }

    #[test]
    fn a_task_waits_for_an_earlier_one_that_has_just_begun() {
        let kept = Kept::new(100);
        let grouped = Grouped::new(kept.clone(), 1000);
        let (first, second) = (Task::new(0, ""), Task::new(1, ""));
        let mut one = grouped.open(&first);
        one.write(Channel::Out, b"a ").unwrap();
        let opened = Instant::now();
        let (is_open, opens) = std::sync::mpsc::channel();
        std::thread::scope(|scope| {
            let (grouped, second) = (&grouped, &second);
            scope.spawn(move || {
                let mut two = grouped.open(second);
                two.write(Channel::Out, b"b ").unwrap();
                is_open.send(()).unwrap();
                two.close(&Outcome::Success).unwrap();
            });
            opens.recv().unwrap();
            std::thread::sleep(A_MOMENT / 4);
            one.close(&Outcome::Success).unwrap();
        });
        // On a machine that stood still meanwhile there is nothing to be seen.
        if opened.elapsed() < A_MOMENT {
            assert_eq!(kept.head(), b"a b ");
        }
    }
}
