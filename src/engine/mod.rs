//! Where and when tasks run: the trait, and the table of engines.
//!
//! An engine takes tasks and lives their lives: [`run_one`] where a thread does a task,
//! a [`TaskLife`](lifecycle::TaskLife) that is told what happened where it is done
//! elsewhere. Knows nothing of what tasks do or of what is reported. A new engine is a
//! file here and a row in [`ROWS`]: `--workers` and its help come from the row.

mod halt;
mod lifecycle;
mod local;
#[cfg(any(test, feature = "testing"))]
mod mock;
mod queue;
mod remote;
mod run_directory;
#[cfg(test)]
mod tests;
mod throttle;

pub use local::{InOneGo, Pool, ResizablePool, Serial, Width};
#[cfg(any(test, feature = "testing"))]
pub use mock::Mock;
pub use queue::{Closing, RecordSink, TaskQueue};
pub use remote::{
    Children, HostOffer, HostPlace, OwnProgram, PROTOCOL, SlotRule, SshHost, SshHosts, SshLogin, SshLogins,
    WorkerChoice, serve, survey,
};
pub use run_directory::{
    ClusterOptions, Detached, DirectoryOptions, DirectoryRun, RunElement, RunStatus, StoredRun, work_in,
};
#[cfg(feature = "cli")]
pub(crate) use run_directory::{cpus_of_a_node, refused_argument};

pub use crate::sync::StartOrder;

use halt::AfterTask;
use lifecycle::{ThreadCpu, run_one};

use std::num::NonZeroUsize;
use std::time::Duration;

use anyhow::Context as _;

use crate::event::Observer;
use crate::measure::Clock;
use crate::output::Sink;
use crate::process::Interrupt;
use crate::study::WorkerCosts;
use crate::task::Column;
use crate::workload::{Desk, Workload};

/// Everything that the tasks of one pass share.
pub struct Run<'a> {
    /// How the batch is run, and by which engine.
    pub column: Column,
    /// The tasks and what became of them.
    pub batch: TaskQueue<'a>,
    /// Who starts before whom.
    pub start_order: &'a StartOrder,
    /// Whether tasks wait for it.
    pub ordered_starts: bool,
    /// The way to who began the run, where that was another process.
    pub desk: Option<&'a dyn Desk>,
    /// Where outputs go.
    pub sink: &'a dyn Sink,
    /// Whether outputs are digested, for a comparison of ways.
    pub digested: bool,
    /// The clock of all durations.
    pub clock: &'a dyn Clock,
    /// The clock's time at the start of this run.
    pub started: Duration,
    /// When to stop early.
    pub interrupt: &'a Interrupt,
    /// Who hears of what happens.
    pub observer: &'a dyn Observer,
}

/// Drives a run to its end.
pub trait Engine {
    /// The column that it makes.
    fn column(&self) -> Column;

    /// At most how many tasks at a time.
    fn width(&self) -> usize;

    /// Takes tasks until there are none, and hands back a record for each. Where
    /// that took processes of its own, what they cost comes back.
    ///
    /// # Errors
    /// When the engine itself cannot do its job; a task's failure is a record.
    fn drive(&self, run: &Run<'_>, workload: &dyn Workload) -> anyhow::Result<Option<WorkerCosts>>;
}

/// An engine of the command line, which does tasks side by side.
#[derive(Clone, Copy)]
pub struct EngineRow {
    /// The word after `--workers`.
    pub name: &'static str,
    /// One line of help.
    pub about: &'static str,
    /// Whether tasks see the memory of this process. Where they do not, each has to
    /// stand alone.
    pub shares_memory: bool,
    /// How many descriptors a slot takes of this process, where that is more than what its
    /// task opens.
    pub descriptors: usize,
    /// Whether tasks are done by whoever finds them, on this machine or another, and not at
    /// this one's pace.
    pub is_elsewhere: bool,
    /// Makes the engine for at most so many tasks at a time.
    pub new: fn(NonZeroUsize, &WorkerMeans) -> anyhow::Result<Box<dyn Engine>>,
}

/// How workers are started, for engines that have some.
pub struct WorkerMeans {
    /// Those that are processes of the program itself.
    pub own: OwnWorkers,
    /// Those that find their tasks in a directory.
    pub directory: Option<DirectoryOptions>,
}

/// Says how workers are started that are processes of the program itself.
pub type OwnWorkers = fn() -> anyhow::Result<Children>;

impl WorkerMeans {
    /// The engine of this name, whose workers find their tasks in a directory.
    fn directory(&self, name: &'static str) -> anyhow::Result<DirectoryRun> {
        let options = self.directory.clone().context("it was not said where workers find their tasks")?;
        Ok(DirectoryRun::new(name, options))
    }
}

/// Every engine that can be chosen. The first one is used where none is.
pub const ROWS: &[EngineRow] = &[local::ROW, remote::ROW, run_directory::SLURM, run_directory::LOCAL];

/// Those that `--workers both` runs one after the other: what starting processes and
/// passing data costs.
pub const BOTH: &[EngineRow] = &[local::ROW, remote::ROW];

/// How many workers `width` means here: no more than tasks, for starting one
/// takes its time.
fn needed(width: usize, workload: &dyn Workload) -> usize {
    let n_tasks = workload.profile().size.tasks.and_then(|tasks| usize::try_from(tasks).ok());
    width.min(n_tasks.unwrap_or(usize::MAX)).max(1)
}

/// The loop of one worker.
fn work(run: &Run<'_>, workload: &dyn Workload) {
    work_while(run, workload, |step| step());
}

/// The same where each task is taken and done by way of `within`.
fn work_while(run: &Run<'_>, workload: &dyn Workload, within: impl Fn(&mut dyn FnMut() -> bool) -> bool) {
    // Read once the first task is there: what it took to start this thread, and to get that
    // task, is not the task's.
    let mut cpu = None;
    let mut step = || match run.batch.take() {
        Some(task) => {
            run_one(run, cpu.get_or_insert_with(|| ThreadCpu::now(run)), &task, 1, workload);
            true
        }
        None => false,
    };
    while within(&mut step) {}
}
