//! The engine of several machines: a worker with many slots on each, and every task where
//! a slot is free.
//!
//! Unlike workers of this machine, hosts come and go: tasks begin as soon as the first is
//! ready, one that is down is told of and does without, and where none is left the tasks
//! that are left fail one by one.

use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::OnceLock;
use std::time::Duration;

use anyhow::Context as _;

use super::dispatcher::Dispatcher;
use super::feeder::TaskFeeder;
use super::protocol::SlotRange;
use super::relay::{self, OutputRelay};
use super::transport::Transport;
use super::worker_link::WorkerLink;
use super::{crew, worker_init};
use crate::engine::{Engine, Run};
use crate::process::Waker;
use crate::study::WorkerCosts;
use crate::task::Column;
use crate::workload::Workload;

/// What the engine is called.
pub const NAME: &str = "ssh";

/// How many tasks at a time a host does that has so many cores, of which the user may have
/// said how many there are.
pub type SlotRule = Box<dyn Fn(Option<NonZeroU32>, usize) -> NonZeroU32 + Send + Sync>;

/// Several machines.
pub struct SshHosts {
    hosts: Vec<HostPlace>,
    slots: SlotRule,
    /// The wait between two connections.
    delay: Duration,
    /// Whether it is an error that none of them is there, and no job's failure.
    needs_one: bool,
    /// The column that it makes.
    column: Column,
    /// How many slots there were the last time.
    had: OnceLock<usize>,
}

/// A machine and the way to it.
pub struct HostPlace {
    /// What connects with it.
    pub transport: Box<dyn Transport + Send>,
    /// Of how many cores `-j` goes out there, where the user said so.
    pub cores: Option<NonZeroU32>,
    /// The groups that it is in, beside the one of its own name.
    pub groups: Vec<String>,
}

impl SshHosts {
    /// These machines, with as many slots each as `slots` says, and so much time between two
    /// connections.
    pub fn new(hosts: Vec<HostPlace>, slots: SlotRule, delay: Duration) -> Self {
        let needs_one = false;
        Self { hosts, slots, delay, needs_one, column: Column::of_engine(NAME), had: OnceLock::new() }
    }

    /// The same where it is an error that none of them is there.
    pub fn needing_one(self) -> Self {
        Self { needs_one: true, ..self }
    }

    /// One of them, with one slot: what several are compared with.
    pub fn serial(host: HostPlace) -> Self {
        let slots: SlotRule = Box::new(|_, _| NonZeroU32::MIN);
        let column = Column { engine: NAME.into(), ..Column::SERIAL };
        Self { column, ..Self::new(vec![host], slots, Duration::ZERO) }
    }
}

impl Engine for SshHosts {
    fn column(&self) -> Column {
        self.column.clone()
    }

    /// Before the first run, as many as would be if all machines were as this one.
    fn width(&self) -> usize {
        let here = crate::host::Limits::detect().usable;
        let all = self.hosts.iter().map(|host| (self.slots)(host.cores, here).get() as usize);
        self.had.get().copied().unwrap_or_else(|| all.sum())
    }

    fn drive(&self, run: &Run<'_>, workload: &dyn Workload) -> anyhow::Result<Option<WorkerCosts>> {
        let begun = run.clock.now();
        let init = worker_init(run, workload, "other machines")?;
        let waker = Waker::new().context("cannot prepare to wait for workers")?;
        let feeder = TaskFeeder::new(&run.batch, waker.clone());
        let relay = OutputRelay::for_outlet(run, workload, &waker);
        let mut dispatcher =
            Dispatcher::new(run, workload, relay.as_ref(), waker).of_hosts(&self.slots, self.needs_one);
        for (host, number) in self.hosts.iter().zip(0..) {
            let mut link = WorkerLink::place(&*host.transport, &init, SlotRange::default());
            (link.cores, link.groups) = (host.cores, &host.groups);
            dispatcher.add_host(link, self.delay * number);
        }
        relay::while_working(relay.as_ref(), || feeder.while_working(|| dispatcher.drive(&feeder)))?;
        let slots = dispatcher.links.iter().map(|link| link.slots.count as usize).sum();
        if NonZeroUsize::new(slots).is_some() {
            let _ = self.had.set(slots);
        }
        let elsewhere = Some(dispatcher.hosts_cost(begun));
        Ok(Some(WorkerCosts { elsewhere, ..crew(&dispatcher.costs(), Duration::ZERO, Duration::ZERO) }))
    }
}
