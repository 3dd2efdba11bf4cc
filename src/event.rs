//! What happens, told sideways while it happens: the one seam between doing
//! and showing.
//!
//! Who observes may draw a bar, print lines or do nothing; who does the work
//! never learns which. A [`Journal`] is told too, but what it has to say matters.

use std::sync::Arc;
use std::time::SystemTime;

use crate::task::{Column, Record};

/// A run that is going to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedRun {
    /// How the batch is run.
    pub column: Column,
    /// At most how many tasks at a time.
    pub width: usize,
}

/// Something that just happened.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// More runs are going to be made, one after another.
    RunsPlanned {
        /// In their order.
        runs: &'a [PlannedRun],
    },
    /// A run over the whole batch begins.
    RunStarted {
        /// How the batch is run.
        column: &'a Column,
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
    /// No task is started for now. Told again as long as that lasts.
    StartsHeldUp {
        /// Why not.
        why: &'a str,
        /// Whether it is for the first time that this is the reason.
        is_news: bool,
    },
    /// Tasks are started again.
    StartsGoOn,
    /// A running task was stopped: it does nothing until something continues it.
    TaskStopped {
        /// Position in input order, from 0.
        seq: u64,
        /// Its slot, from 0.
        slot: u32,
        /// By which signal.
        signal: i32,
        /// The process group that was stopped.
        group: i32,
        /// Whether it is for the first time.
        is_news: bool,
    },
    /// A task that was stopped runs again.
    TaskContinued {
        /// Its slot, from 0.
        slot: u32,
    },
    /// A task waits for a process or a descriptor that others hold.
    TaskWaitsToStart {
        /// What there was none of.
        why: &'a str,
        /// Whether it is for the first time that a task does.
        is_news: bool,
    },
    /// Something that a person should hear at once.
    Told {
        /// In words.
        text: &'a str,
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
    /// A task ended. Its output may still wait for its turn.
    TaskFinished(&'a Record),
    /// The run is over.
    RunFinished {
        /// How the batch was run.
        column: &'a Column,
    },
}

/// Hears of every event. Called from the threads that do the work, so it must
/// be quick.
pub trait Observer: Sync {
    /// Takes note of `event`.
    fn observe(&self, event: &Event<'_>);
}

/// Puts down each finished task somewhere durable: a job log, whole records. Its
/// failure ends the batch: a log that misses jobs is worse than none.
pub trait Journal: Sync {
    /// A run begins at `started`, the wall clock's time, from which the records
    /// count. What earlier runs left and is to go goes now.
    ///
    /// # Errors
    /// When nothing can be put down.
    fn begin(&self, started: SystemTime) -> anyhow::Result<()> {
        let _ = started;
        Ok(())
    }

    /// A task has ended as `record` says, and its slot is about to be free. What it
    /// wrote may still wait for its turn.
    fn ended(&self, record: &Record) {
        let _ = record;
    }

    /// Puts down `record`, whose task's output has been handed on to where it
    /// belongs: who finds the row need not do the task again. Where output keeps the
    /// order of tasks, rows keep it, too.
    ///
    /// # Errors
    /// When it cannot be put down.
    fn enter(&self, record: &Record) -> anyhow::Result<()> {
        let _ = record;
        Ok(())
    }
}

impl<J: Journal + Send + ?Sized> Journal for Arc<J> {
    fn begin(&self, started: SystemTime) -> anyhow::Result<()> {
        (**self).begin(started)
    }

    fn ended(&self, record: &Record) {
        (**self).ended(record);
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
