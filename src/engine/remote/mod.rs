//! Several tasks at a time, in worker processes: each is told once what it is to
//! be, then given task after task; records come back.
//!
//! Three parts that do not know each other's business: what is said (`protocol`),
//! what carries the words ([`Transport`]), and who says what when (`worker_link` here,
//! [`serve()`] there). Workers elsewhere than on this machine are another transport.
//! Knows nothing of what tasks do: a worker builds the workload anew from its
//! blueprint.

#[cfg(test)]
mod policy_tests;
mod protocol;
mod serve;
#[cfg(test)]
mod tests;
mod transport;
mod worker_link;

use crate::sync::Mutex;
use std::num::NonZeroUsize;
use std::sync::OnceLock;
use std::time::Duration;

use anyhow::Context as _;

pub use self::serve::serve;
pub use self::transport::Children;

use self::protocol::{Hello, PROTOCOL};
use self::transport::{StopSignal, Transport};
use self::worker_link::{LinkCost, WorkerInit, WorkerLink};
use super::local::{drive_threads, fewer, on_threads};
use super::{Engine, EngineRow, needed};
use crate::engine::Run;
use crate::event::Event;
use crate::study::WorkerCosts;
use crate::task::Column;
use crate::text::without_numbers;
use crate::workload::Workload;

/// What a worker process takes of this one: its two ends, those that are on their way to
/// it, and what tells of its end.
const OPENS_FOR_A_WORKER: usize = 6;

/// The row of the table of engines.
pub(super) const ROW: EngineRow = EngineRow {
    name: "processes",
    about: "Worker processes, to which tasks are passed",
    shares_memory: false,
    descriptors: OPENS_FOR_A_WORKER,
    new: |width, own| Ok(Box::new(Processes::new(width, own()?))),
};

/// The engine of worker processes.
pub struct Processes<'a> {
    width: NonZeroUsize,
    /// How many workers there were the last time, where that were fewer.
    had: OnceLock<usize>,
    transport: Box<dyn Transport + 'a>,
}

impl<'a> Processes<'a> {
    /// At most `width` tasks at a time, each in a worker of `link`.
    pub fn new(width: NonZeroUsize, transport: impl Transport + 'a) -> Self {
        Self { width, had: OnceLock::new(), transport: Box::new(transport) }
    }
}

impl Engine for Processes<'_> {
    fn column(&self) -> Column {
        Column::of_engine(ROW.name)
    }

    fn width(&self) -> usize {
        self.had.get().copied().unwrap_or(self.width.get())
    }

    fn drive(&self, run: &Run<'_>, workload: &dyn Workload) -> anyhow::Result<Option<WorkerCosts>> {
        let n_workers = needed(self.width(), workload);
        let begun = run.clock.now();
        let portable = workload.portable();
        let portable =
            portable.with_context(|| format!("{} cannot be done by worker processes", workload.name()))?;
        let orders = WorkerInit {
            hello: Hello {
                protocol: PROTOCOL.to_owned(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
                workload: workload.name().to_owned(),
                blueprint: portable.wire_spec(),
                column: run.column.clone(),
                digested: run.digested,
            },
            shared: portable.export_shared(),
            grace: workload.profile().grace,
        };
        let packed = run.clock.now();
        let stop = StopSignal::of(run.interrupt)?;
        let prepared = self.start(n_workers, run, &orders, &stop).and_then(|mut workers| {
            let ready = run.clock.now();
            share(&mut workers, &stop)?;
            Ok((workers, ready))
        });
        let (workers, ready) = match prepared {
            Ok(prepared) => prepared,
            // That parsim is to end is for the experiment to tell.
            Err(_) if run.interrupt.is_set() => return Ok(None),
            Err(error) => return Err(error),
        };
        let sharing = packed.saturating_sub(begun) + run.clock.now().saturating_sub(ready);
        let costs = feed(workers, run, workload, &stop)?;
        if costs.len() < n_workers {
            // Told once; what there was too little of may be there the next time, but
            // ways are compared at one width.
            let _ = self.had.set(costs.len());
        }
        Ok(Some(crew(&costs, ready.saturating_sub(packed), sharing)))
    }
}

/// What all workers cost: `costs` of each link, how long they took to start, and for
/// how long all of them waited for what they share.
fn crew(costs: &[LinkCost], startup: Duration, sharing: Duration) -> WorkerCosts {
    WorkerCosts {
        workers: costs.len(),
        startup,
        peak_memory: costs.iter().map(|cost| cost.peak_memory).sum(),
        passed: costs.iter().map(|cost| cost.passed).sum(),
        passing: costs.iter().map(|cost| sharing + cost.passing).sum(),
        replaced: costs.iter().map(|cost| cost.replaced).sum(),
    }
}

impl Processes<'_> {
    /// Starts them all, or as many as there can be; when one of these does not get ready, no
    /// task is begun.
    fn start<'s>(
        &'s self,
        n_workers: usize,
        run: &Run<'_>,
        orders: &'s WorkerInit,
        stop: &StopSignal,
    ) -> anyhow::Result<Vec<WorkerLink<'s>>> {
        let many = || format!("cannot start {n_workers} worker processes (a smaller -j needs fewer)");
        // First all are started, then all are waited for: they get ready side by side.
        let mut workers = Vec::with_capacity(n_workers);
        while workers.len() < n_workers {
            match WorkerLink::open(&*self.transport, orders) {
                Ok(worker) => workers.push(worker),
                Err(error) if is_shortage(&error) && !workers.is_empty() => {
                    let slots = fewer(workers.len()).max(1);
                    let why = format!("no more processes can be started: {error:#} (see ulimit -u and -n)");
                    let why = without_numbers(&why);
                    run.observer.observe(&Event::FewerSlots { slots, wanted: n_workers, why: &why });
                    // What they took is free again before the others are given work.
                    workers.truncate(slots);
                    break;
                }
                Err(error) => return Err(error.context(many())),
            }
        }
        workers.iter_mut().try_for_each(|worker| worker.get_ready(stop)).with_context(many)?;
        Ok(workers)
    }
}

/// Whether there was no process, descriptor or memory to be had.
fn is_shortage(error: &anyhow::Error) -> bool {
    let number = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::raw_os_error);
    matches!(number, Some(libc::EAGAIN | libc::ENOMEM | libc::EMFILE | libc::ENFILE))
}

/// Gives all of them what tasks share.
fn share(workers: &mut [WorkerLink<'_>], stop: &StopSignal) -> anyhow::Result<()> {
    for worker in &mut *workers {
        worker.share();
    }
    workers.iter_mut().try_for_each(|worker| worker.get_ready(stop))
}

/// Gives each of them task after task until there are none. What it cost.
fn feed(
    workers: Vec<WorkerLink<'_>>,
    run: &Run<'_>,
    workload: &dyn Workload,
    stop: &StopSignal,
) -> anyhow::Result<Vec<LinkCost>> {
    let n_links = workers.len();
    let waiting: Mutex<Vec<WorkerLink<'_>>> = Mutex::new(workers);
    let over: Mutex<(Vec<LinkCost>, Option<anyhow::Error>)> = Mutex::default();
    let feed_one = || {
        let worker = waiting.lock().pop();
        let mut worker = worker.expect("there are as many threads as workers");
        let mut trouble = None;
        while trouble.is_none()
            && let Some(task) = run.batch.take()
        {
            trouble = worker.work(run, workload, stop, task).err();
        }
        worker.dismiss();
        let mut over = over.lock();
        over.0.push(worker.cost);
        over.1 = over.1.take().or(trouble);
    };
    let had = on_threads(n_links, run.observer, &|n_threads| drive_threads(n_threads, &feed_one))?;
    if had.is_none() {
        feed_one();
    }
    for mut worker in waiting.into_inner() {
        worker.dismiss();
    }
    let (costs, trouble) = over.into_inner();
    match trouble {
        // The others did what there was left to do.
        Some(error) if !run.interrupt.is_set() && run.batch.take().is_some() => {
            Err(error.context("no worker process is left, and tasks are"))
        }
        Some(_) | None => Ok(costs),
    }
}
