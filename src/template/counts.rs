//! How many slots and jobs a batch has: what the numbers of its jobs are padded to,
//! and what `{##}` stands for, wherever something is made of a job.

use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize};

use super::piece::Numbers;

/// The counts of a batch; clones are the same counts. The number of jobs may come
/// later, when all inputs are read.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(from = "(u64, Option<u64>)", into = "(u64, Option<u64>)")]
pub struct Counts {
    slots: u64,
    total: Arc<OnceLock<u64>>,
}

impl Counts {
    /// A batch of so many slots, and of `total` jobs where somebody said so.
    #[must_use]
    pub fn new(slots: usize, total: Option<u64>) -> Self {
        Self::from((slots as u64, total))
    }

    /// The inputs make `total` jobs; what was said of their number stays.
    pub fn found(&self, total: u64) {
        let _ = self.total.set(total);
    }

    /// The number of slots.
    #[must_use]
    pub fn slots(&self) -> u64 {
        self.slots
    }

    /// Whether the number of jobs is known.
    #[must_use]
    pub fn has_total(&self) -> bool {
        self.total.get().is_some()
    }

    /// The numbers of job `seq` in `slot`, both from 0.
    #[must_use]
    pub fn numbers(&self, seq: u64, slot: u32) -> Numbers {
        Numbers {
            seq: seq + 1,
            slot: u64::from(slot) + 1,
            slots: self.slots,
            total: self.total.get().copied().unwrap_or(0),
        }
    }
}

impl From<(u64, Option<u64>)> for Counts {
    fn from((slots, total): (u64, Option<u64>)) -> Self {
        Self { slots, total: Arc::new(total.map_or_else(OnceLock::new, OnceLock::from)) }
    }
}

impl From<Counts> for (u64, Option<u64>) {
    fn from(counts: Counts) -> Self {
        (counts.slots, counts.total.get().copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_clones_know_the_total_once_it_is_found_unless_somebody_said_another() {
        let counts = Counts::new(4, None);
        let clone = counts.clone();
        assert!(!clone.has_total());
        counts.found(7);
        assert_eq!(clone.numbers(0, 3), Numbers { seq: 1, slot: 4, slots: 4, total: 7 });
        let told = Counts::new(4, Some(9));
        told.found(7);
        assert_eq!(told.numbers(0, 0).total, 9);
    }
}
