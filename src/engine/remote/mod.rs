//! Several tasks at a time, in worker processes: each is told once what it is to
//! be, then given task after task; records come back.
//!
//! One thread here holds all links. Workers on other machines are another transport and an
//! engine of their own, for machines come and go. Knows nothing of what tasks do: a worker
//! builds the workload anew from its blueprint.
//!
//! | file | what it knows |
//! |---|---|
//! | `protocol`, `request`, `frame` | what is said, tasks and records as bytes, how messages are cut out of a stream |
//! | `transport` | what carries the words, [`Transport`], and workers of this machine |
//! | `worker_link`, `failures` | one worker and the way to it; when a lost one is replaced |
//! | `dispatcher`, `assignment`, `distance` | who gets what, and how much ahead |
//! | `feeder`, `waiting` | where tasks come from; those that no worker has for now |
//! | `watching`, `hearing` | the wait for all links; what a worker says, and what that means |
//! | `relay` | output on its way to where it belongs |
//! | `serve`, `seats`, `voice` | the other end: its loop, its slots, what it tells |
//! | `hosts`, `ssh`, `sshlogin` | the engine of several machines; a remote shell; how hosts are spelled |
//! | `bootstrap`, `python3` | how a worker is begun there, and one where no parsim runs |
//! | `survey` | what a machine offers |

mod assignment;
mod bootstrap;
mod dispatcher;
mod distance;
mod failures;
mod feeder;
mod frame;
mod hearing;
mod hosts;
#[cfg(test)]
mod policy_tests;
mod protocol;
mod python3;
mod relay;
mod request;
#[cfg(test)]
mod scripted;
mod seats;
mod serve;
#[cfg(test)]
mod slots_tests;
mod ssh;
mod sshlogin;
mod survey;
#[cfg(test)]
mod tests;
mod transport;
mod voice;
mod waiting;
mod watching;
mod worker_link;

use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::OnceLock;
use std::time::Duration;

use anyhow::Context as _;

pub use self::bootstrap::WorkerChoice;
pub(super) use self::frame::{PayloadCursor, put_string};
pub use self::hosts::{HostPlace, SlotRule, SshHosts};
pub use self::protocol::PROTOCOL;
pub(super) use self::request::{TaskReport, TaskRequest};
pub use self::serve::serve;
pub use self::ssh::{OwnProgram, SshHost};
pub use self::sshlogin::{SshLogin, SshLogins};
pub use self::survey::{HostOffer, survey};
pub use self::transport::{Children, Transport};

use self::dispatcher::Dispatcher;
use self::feeder::TaskFeeder;
use self::protocol::{Hello, SlotRange};
use self::relay::OutputRelay;
use self::worker_link::{LinkCost, LinkStage, WorkerInit, WorkerLink};
use super::local::fewer;
use super::{Engine, EngineRow, needed};
use crate::engine::Run;
use crate::event::Event;
use crate::process::Waker;
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
    is_elsewhere: false,
    new: |width, means| Ok(Box::new(Processes::new(width, (means.own)()?))),
};

/// The engine of worker processes.
pub struct Processes<'a> {
    width: NonZeroUsize,
    /// How many tasks each worker does at a time.
    slots_each: NonZeroU32,
    /// How many workers there were the last time, where that were fewer.
    had: OnceLock<usize>,
    transport: Box<dyn Transport + 'a>,
}

impl<'a> Processes<'a> {
    /// At most `width` tasks at a time, each in a worker of `link`.
    pub fn new(width: NonZeroUsize, transport: impl Transport + 'a) -> Self {
        let slots_each = NonZeroU32::MIN;
        Self { width, slots_each, had: OnceLock::new(), transport: Box::new(transport) }
    }

    /// The same with workers that do so many tasks at a time each.
    #[cfg(test)]
    fn with_slots(self, slots_each: u32) -> Self {
        Self { slots_each: NonZeroU32::new(slots_each).expect("at least one"), ..self }
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
        let init = worker_init(run, workload, "worker processes")?;
        let packed = run.clock.now();
        let waker = Waker::new().context("cannot prepare to wait for workers")?;
        let feeder = TaskFeeder::new(&run.batch, waker.clone());
        let relay = OutputRelay::for_outlet(run, workload, &waker);
        let mut dispatcher = Dispatcher::new(run, workload, relay.as_ref(), waker);
        let prepared = self.start(n_workers, &init, &mut dispatcher).and_then(|()| {
            let ready = run.clock.now();
            dispatcher.share()?;
            Ok(ready)
        });
        let ready = match prepared {
            Ok(ready) => ready,
            // That parsim is to end is for the experiment to tell.
            Err(_) if run.interrupt.is_set() => return Ok(None),
            Err(error) => return Err(error),
        };
        let sharing = packed.saturating_sub(begun) + run.clock.now().saturating_sub(ready);
        relay::while_working(relay.as_ref(), || feeder.while_working(|| dispatcher.drive(&feeder)))?;
        if dispatcher.links.len() < n_workers {
            // Told once; what there was too little of may be there the next time, but
            // ways are compared at one width.
            let _ = self.had.set(dispatcher.links.len());
        }
        let costs = dispatcher.costs();
        Ok(Some(crew(&costs, ready.saturating_sub(packed), sharing)))
    }
}

/// What workers of `run` are told, which are called `who`.
fn worker_init(run: &Run<'_>, workload: &dyn Workload, who: &str) -> anyhow::Result<WorkerInit> {
    let portable = workload.portable();
    let portable = portable.with_context(|| format!("{} cannot be run by {who}", workload.name()))?;
    Ok(WorkerInit {
        hello: Hello {
            protocol: PROTOCOL.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            workload: workload.name().to_owned(),
            blueprint: portable.wire_spec(),
            column: run.column.clone(),
            digested: run.digested,
            node: None,
        },
        shared: portable.export_shared().map(Into::into),
    })
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
        elsewhere: None,
    }
}

impl Processes<'_> {
    /// Starts them all, or as many as there can be; when one of these does not get ready, no
    /// task is begun.
    fn start<'r>(
        &'r self,
        n_workers: usize,
        init: &'r WorkerInit,
        dispatcher: &mut Dispatcher<'r, '_>,
    ) -> anyhow::Result<()> {
        let many = || format!("cannot start {n_workers} worker processes (a smaller -j needs fewer)");
        // First all are started, then all are waited for: they get ready side by side.
        let count = self.slots_each.get();
        let slots = |n_links: usize| {
            let first = u32::try_from(n_links).unwrap_or(u32::MAX).saturating_mul(count);
            SlotRange { first, count }
        };
        // Where nobody knows how many tasks there will be, the others are started as these come.
        let is_counted = dispatcher.workload.profile().size.tasks.is_some();
        let n_at_first = if is_counted { n_workers } else { 1 };
        while dispatcher.links.len() < n_at_first {
            let n_links = dispatcher.links.len();
            match WorkerLink::open(&*self.transport, init, slots(n_links)) {
                Ok(link) => dispatcher.links.push(link),
                Err(error) if is_shortage(&error) && n_links > 0 => {
                    let slots = fewer(n_links).max(1);
                    let why = format!("no more processes can be started: {error:#} (see ulimit -u and -n)");
                    let why = without_numbers(&why);
                    let fewer = Event::FewerSlots { slots, wanted: n_workers, why: &why };
                    dispatcher.run.observer.observe(&fewer);
                    // What they took is free again before the others are given work.
                    dispatcher.links.truncate(slots);
                    break;
                }
                Err(error) => return Err(error.context(many())),
            }
        }
        for number in n_at_first..n_workers {
            dispatcher.links.push(WorkerLink::place(&*self.transport, init, slots(number)));
        }
        dispatcher.wait_for_all(LinkStage::Present).with_context(many)
    }
}

/// Whether there was no process, descriptor or memory to be had.
fn is_shortage(error: &anyhow::Error) -> bool {
    let number = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::raw_os_error);
    matches!(number, Some(libc::EAGAIN | libc::ENOMEM | libc::EMFILE | libc::ENFILE))
}
