//! What happens, told sideways while it happens: the one seam between doing
//! and showing.
//!
//! Who observes may draw a bar, print lines or do nothing; who does the work
//! never learns which. Knows nothing of terminals.

use crate::record::{Record, Way};

/// Something that just happened.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A run over the whole batch begins.
    RunStarted {
        /// How the batch is run.
        way: Way,
        /// At most how many tasks at a time.
        width: usize,
        /// Which repetition, from 1; 0 is a warm-up.
        run: usize,
        /// How many tasks, where that is known beforehand.
        tasks: Option<u64>,
        /// How many bytes the tasks will produce, where that is known beforehand.
        bytes: Option<u64>,
        /// What one task makes, for people: `file`, `task`.
        unit: &'a str,
    },
    /// A task got its slot and starts now.
    TaskStarted {
        /// Position in input order, from 0.
        seq: u64,
        /// The slot, from 0.
        slot: u32,
        /// The task in a person's words.
        label: &'a str,
    },
    /// A running task produced this many more bytes.
    Advanced {
        /// Bytes since the last such event of the task.
        bytes: u64,
    },
    /// A task ended.
    TaskFinished(&'a Record),
    /// The run is over.
    RunFinished {
        /// How the batch was run.
        way: Way,
    },
}

/// Hears of every event. Called from the threads that do the work, so it must
/// be quick.
pub trait Observer: Sync {
    /// Takes note of `event`.
    fn observe(&self, event: &Event<'_>);
}

/// Hears nothing: for programs that use the library and for tests.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unobserved;

impl Observer for Unobserved {
    fn observe(&self, _event: &Event<'_>) {}
}
