//! Output task by task, in the order in which tasks end: what they produced
//! first, then what they had to say, never mixed with another's.
//!
//! Waiting output of all tasks shares one budget of memory; beyond it a task
//! writes to a spill file of its own.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use super::spill::{Piece, Spill};
use crate::output::{Channel, Destination, Sink, TaskOutput};
use crate::record::{Outcome, Task};

/// Hands the output of each task on as a whole.
pub struct Grouped<D> {
    destination: Mutex<D>,
    in_memory: AtomicUsize,
    budget: usize,
}

impl<D: Destination> Grouped<D> {
    /// Keeps at most about `budget` bytes in memory.
    #[must_use]
    pub fn new(destination: D, budget: usize) -> Self {
        Self { destination: Mutex::new(destination), in_memory: AtomicUsize::new(0), budget }
    }
}

impl<D: Destination> Sink for Grouped<D> {
    fn open<'a>(&'a self, task: &'a Task) -> Box<dyn TaskOutput + 'a> {
        Box::new(Group { grouped: self, task, out: Vec::new(), err: Vec::new(), spill: Spill::default() })
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
        let mut destination = grouped.destination.lock().unwrap_or_else(PoisonError::into_inner);
        let mut result = Ok(());
        // What was cut off in the middle is no whole of anything.
        let wanted = *outcome != Outcome::Interrupted;
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
        result.and(destination.close(task, outcome))
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
            two.close(&Outcome::Success).unwrap();
            one.close(&Outcome::Success).unwrap();
            assert_eq!(kept.head(), b"b1 b2 a1 a2 ");
        }
    }
}
