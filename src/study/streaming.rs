//! What is kept of the tasks of a run whose records are not: of constant size,
//! however many tasks there are.

use std::borrow::Borrow;
use std::time::Duration;

use super::{OneByOne, Sketch};
use crate::task::{Record, SharedText};

/// So many of the longest tasks are kept by name.
const LONGEST: usize = 10;

/// The tasks of a run, folded.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Streaming {
    /// How long tasks took.
    pub walls: Sketch,
    /// By slot: how long tasks ran there.
    pub busy: Vec<Duration>,
    /// What they would have taken one after another.
    pub one_by_one: OneByOne,
    /// The longest tasks, the longest first.
    pub longest: Vec<Long>,
    /// The most memory that a task's process held, in bytes.
    pub peak_memory: Option<u64>,
    /// Whether each held less than that: see [`Record::peak_memory_is_bound`].
    pub peak_memory_is_bound: bool,
}

/// One of the longest tasks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Long {
    /// Position in input order, from 0.
    pub seq: u64,
    /// How long it took.
    pub wall: Duration,
    /// The task in a person's words.
    pub label: SharedText,
}

impl Streaming {
    /// Folds `records`.
    #[must_use]
    pub fn of(records: impl IntoIterator<Item = impl Borrow<Record>>) -> Self {
        let mut folded = Self::default();
        for record in records {
            folded.add(record.borrow());
        }
        folded
    }

    /// Adds one task.
    pub fn add(&mut self, record: &Record) {
        self.walls.add(record.wall);
        let slot = record.slot as usize;
        if self.busy.len() <= slot {
            self.busy.resize(slot + 1, Duration::ZERO);
        }
        self.busy[slot] += record.wall;
        self.one_by_one.add(record);
        if record.peak_memory > self.peak_memory {
            self.peak_memory = record.peak_memory;
            self.peak_memory_is_bound = record.peak_memory_is_bound;
        }
        let place = self.longest.partition_point(|long| long.wall >= record.wall);
        if place < LONGEST {
            self.longest.truncate(LONGEST - 1);
            let long = Long { seq: record.seq, wall: record.wall, label: record.label.clone() };
            self.longest.insert(place, long);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::tests::record;

    #[test]
    fn the_ten_longest_are_kept_in_order_and_each_slot_has_its_time() {
        let mut folded = Streaming::default();
        for seq in 0..1000 {
            let wall = Duration::from_millis(seq * 7919 % 1000);
            folded.add(&Record { seq, slot: u32::from(seq % 2 == 1), wall, ..record(seq) });
        }
        let longest: Vec<u128> = folded.longest.iter().map(|long| long.wall.as_millis()).collect();
        assert_eq!(longest, (990..1000).rev().collect::<Vec<u128>>());
        assert_eq!(folded.busy.iter().sum::<Duration>(), Duration::from_millis(499_500));
        assert_eq!(folded.busy.len(), 2);
    }
}
