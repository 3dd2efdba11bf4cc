//! Where and when tasks run: the trait, and the table of engines.
//!
//! Every executor is a loop of take, [`run_one`], finish. Knows nothing of
//! what tasks do or of what is reported.

mod mock;
mod pool;
mod processes;
mod resizable;
mod serial;
#[cfg(test)]
mod tests;

pub use mock::Mock;
pub use pool::Pool;
pub use processes::{Build, Children, Link, Processes, Transport, serve};
pub use resizable::{ResizablePool, Width};
pub use serial::Serial;

use std::num::NonZeroUsize;

use crate::record::Way;
use crate::run::{Run, Worker, run_one};
use crate::study::WorkerCosts;
use crate::workload::Workload;

/// Drives a run to its end.
pub trait Executor {
    /// Which of the two ways this is.
    fn way(&self) -> Way;

    /// At most how many tasks at a time.
    fn width(&self) -> usize;

    /// Takes tasks until there are none, and hands back a record for each. Where
    /// that took processes of its own, what they cost comes back.
    ///
    /// # Errors
    /// When the engine itself cannot do its job; a task's failure is a record.
    fn drive(&self, run: &Run<'_>, workload: &dyn Workload) -> anyhow::Result<Option<WorkerCosts>>;
}

/// How many workers `width` means here: no more than tasks, for starting one
/// takes its time.
fn needed(width: NonZeroUsize, workload: &dyn Workload) -> usize {
    let n_tasks = workload.size().tasks.and_then(|tasks| usize::try_from(tasks).ok());
    width.get().min(n_tasks.unwrap_or(usize::MAX)).max(1)
}

/// The loop of one worker.
fn work(run: &Run<'_>, workload: &dyn Workload) {
    work_while(run, workload, |step| step());
}

/// The same where each task is taken and done by way of `within`.
fn work_while(run: &Run<'_>, workload: &dyn Workload, within: impl Fn(&mut dyn FnMut() -> bool) -> bool) {
    let mut worker = Worker::new(run);
    let mut step = || match run.batch.take() {
        Some(ticket) => {
            run_one(run, &mut worker, ticket, workload);
            true
        }
        None => false,
    };
    while within(&mut step) {}
}
