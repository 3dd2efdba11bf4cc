//! What happens, told sideways while it happens: the one seam between doing
//! and showing.
//!
//! Who observes may draw a bar, print lines or do nothing; who does the work
//! never learns which. A [`Journal`] is told too, but what it has to say matters.

use std::sync::Arc;
use std::time::SystemTime;

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
    /// What a running task is called turned out only now.
    TaskNamed {
        /// Its slot, from 0.
        slot: u32,
        /// The task in a person's words.
        label: &'a str,
    },
    /// There are no more tasks than those that were started.
    TasksEnded {
        /// How many there are.
        tasks: u64,
    },
    /// Output of a running task finds no place: it waits until it has one.
    OutputHeldUp {
        /// Why there is none.
        why: &'a str,
    },
    /// A task waits for a process or a descriptor that others hold.
    StartHeldUp {
        /// What there was none of.
        why: &'a str,
    },
    /// Fewer tasks run at a time than were asked for.
    FewerSlots {
        /// How many do.
        slots: usize,
        /// How many were to.
        wanted: usize,
        /// Why.
        why: &'a str,
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

/// Puts down each finished task somewhere durable: a job log, a table of
/// results. It is called by the thread that did the task, before the task's slot
/// is free again, and its failure ends the batch: a log that misses jobs is
/// worse than none.
pub trait Journal: Sync {
    /// A run begins at `started`, the wall clock's time, from which the records
    /// count.
    fn begin(&self, started: SystemTime) {
        let _ = started;
    }

    /// Puts down `record`.
    ///
    /// # Errors
    /// When it cannot be put down.
    fn enter(&self, record: &Record) -> anyhow::Result<()>;
}

impl<J: Journal + Send + ?Sized> Journal for Arc<J> {
    fn begin(&self, started: SystemTime) {
        (**self).begin(started);
    }

    fn enter(&self, record: &Record) -> anyhow::Result<()> {
        (**self).enter(record)
    }
}

/// Hears nothing: for programs that use the library and for tests.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unobserved;

impl Observer for Unobserved {
    fn observe(&self, _event: &Event<'_>) {}
}
