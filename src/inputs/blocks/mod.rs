//! Standard input cut into blocks of whole records, for jobs that read it, and
//! files cut into parts.

mod cut;
mod cutter;
mod head;
mod parts;
#[cfg(test)]
mod tests;

pub use cut::Separator;
pub use cutter::{BlockSpec, Blocks};
pub use parts::{Part, Parts, Seekable};

/// Hands blocks to slots in turn, for `--round-robin`.
#[derive(Clone, Copy, Debug)]
pub struct RoundRobin {
    slots: std::num::NonZeroUsize,
    next: usize,
}

impl RoundRobin {
    /// Begins with the first of `slots`.
    #[must_use]
    pub fn new(slots: std::num::NonZeroUsize) -> Self {
        Self { slots, next: 0 }
    }

    /// The slot of the next block, counted from 0.
    pub fn slot(&mut self) -> usize {
        let slot = self.next;
        self.next = (slot + 1) % self.slots;
        slot
    }
}
