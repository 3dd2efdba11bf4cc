//! A job's numbers: its own, its slot's, and how many slots and jobs its batch has.

use serde::{Deserialize, Serialize};
use std::sync::{Arc, OnceLock};

/// A job's numbers, for `{#}`, `{%}` and their relatives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Numbers {
    /// `{#}`: the job's number, from 1 in input order.
    pub seq: u64,
    /// `{%}`: the job's slot, from 1.
    pub slot: u64,
    /// The number of slots, for `{0%}`.
    pub slots: u64,
    /// `{##}`: the number of jobs. May be 0 unless
    /// [`needs_total`](super::Template::needs_total).
    pub total: u64,
}

/// Which number of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Number {
    Seq,
    Slot,
    Total,
    /// As wide as the total.
    PaddedSeq,
    /// As wide as the number of slots.
    PaddedSlot,
}

impl Number {
    /// The number in decimal.
    pub(super) fn text(self, numbers: &Numbers) -> String {
        let (number, width) = match self {
            Self::Seq => (numbers.seq, 1),
            Self::Slot => (numbers.slot, 1),
            Self::Total => (numbers.total, 1),
            Self::PaddedSeq => (numbers.seq, width(numbers.total)),
            Self::PaddedSlot => (numbers.slot, width(numbers.slots)),
        };
        format!("{number:0width$}")
    }
}

/// The digits that GNU parallel pads to: 1 + int(log(n)/log(10)), which is one
/// digit short where the division rounds down (1000, 10^6).
pub(super) fn width(number: u64) -> usize {
    let ratio = (number.max(1) as f64).ln() / 10f64.ln();
    let (mut width, mut digits) = (1, 1.0);
    while ratio >= digits {
        width += 1;
        digits += 1.0;
    }
    width
}

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
    pub fn new(slots: usize, total: Option<u64>) -> Self {
        Self::from((slots as u64, total))
    }

    /// The inputs make `total` jobs; what was said of their number stays.
    pub fn found(&self, total: u64) {
        let _ = self.total.set(total);
    }

    /// The number of slots.
    pub fn slots(&self) -> u64 {
        self.slots
    }

    /// Whether the number of jobs is known.
    pub fn has_total(&self) -> bool {
        self.total.get().is_some()
    }

    /// The numbers of job `seq` in `slot`, both from 0.
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
