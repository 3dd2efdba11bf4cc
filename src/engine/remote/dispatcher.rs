//! Gives tasks to workers and hears of them, all links on one thread: which worker gets
//! the next task, what becomes of a task whose worker is gone, and when everything ends.
//!
//! One `poll` for all that can happen, without an interval. Knows nothing of what carries
//! the words.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;

use super::distance::RecentWalls;
use super::feeder::TaskFeeder;
use super::hosts::SlotRule;
use super::protocol::{BEAT, kind};
use super::relay::OutputRelay;
use super::waiting::WaitingLives;
use super::worker_link::{LinkCost, LinkStage, PATIENCE, Unbegun, WorkerLink};
use crate::engine::Run;
use crate::engine::halt::AfterTask;
use crate::engine::lifecycle::{AfterTry, TaskLife};
use crate::event::Event;
use crate::measure::Usage;
use crate::output::{Sink, Wake};
use crate::process::Waker;
use crate::study::ElsewhereCosts;
use crate::task::{Outcome, Record};
use crate::text::{printable, without_numbers};
use crate::workload::Workload;

/// No host has more slots, whatever `-j` makes of its cores: room is made for each.
const MOST_SLOTS: u32 = 1 << 16;

/// A task that workers did not begin is given to so many.
const TRIES: usize = 3;

/// The status of a task for which there is no host, as of one with which ssh cannot connect.
const NO_HOST: i32 = 255;

/// Those that do the tasks of one run, and who gets what.
pub(super) struct Dispatcher<'r, 'q> {
    pub(super) run: &'r Run<'q>,
    pub(super) workload: &'r dyn Workload,
    /// Where what tasks write goes.
    pub(super) sink: &'r dyn Sink,
    /// The way there, where somebody may have to be waited for.
    relay: Option<&'r OutputRelay<'r, 'q>>,
    pub(super) links: Vec<WorkerLink<'r, 'q>>,
    /// Tasks that no worker has, those first that came back from one.
    pub(super) ready: VecDeque<Unbegun<'r, 'q>>,
    pub(super) waiting: WaitingLives<'r, 'q>,
    pub(super) walls: RecentWalls,
    /// Whether tasks are given to workers before one of their slots is free.
    pub(super) runs_ahead: bool,
    pub(super) waker: Waker,
    /// Whether there is no task any more beside those that are here.
    pub(super) is_last: bool,
    pub(super) ending: Ending,
    /// Why there is no worker on one of the links.
    pub(super) trouble: Option<anyhow::Error>,
    pub(super) next_beat: Instant,
    /// Whether tasks may be begun.
    pub(super) is_driving: bool,
    /// Where workers are on hosts of which each comes and goes by itself.
    hosts: Option<HostRules<'r>>,
}

/// What holds where workers are on hosts.
struct HostRules<'r> {
    slots: &'r SlotRule,
    /// Whether it is an error that none is there.
    needs_one: bool,
    /// The next slot that no host has.
    next_slot: u32,
    /// When the first was ready, by the run's clock.
    first_ready: Option<Duration>,
    /// Why the last one is down that is.
    why_down: Option<String>,
}

/// How far the end has come of what runs.
#[derive(Default)]
pub(super) struct Ending {
    /// A rule has the running tasks ended.
    is_halted: bool,
    /// Nothing more is begun, and all were asked to hand back what has not.
    pub(super) drains: bool,
    /// Until when running tasks may take to end, once they were told to.
    pub(super) until: Option<Instant>,
    /// Parsim is to end, and all were told.
    pub(super) is_stopped: bool,
}

impl Ending {
    /// Whether what runs has had its time to end.
    pub(super) fn is_over_time(&self) -> bool {
        self.until.is_some_and(|until| Instant::now() >= until)
    }
}

impl<'r, 'q> Dispatcher<'r, 'q> {
    /// Nobody does tasks of `run` yet. What they write goes by way of `relay`, if there is one.
    pub(super) fn new(
        run: &'r Run<'q>,
        workload: &'r dyn Workload,
        relay: Option<&'r OutputRelay<'r, 'q>>,
        waker: Waker,
    ) -> Self {
        let sink = relay.map_or(run.sink, |relay| relay as &dyn Sink);
        let wake: Wake = {
            let waker = waker.clone();
            Arc::new(move || waker.wake())
        };
        Self {
            run,
            workload,
            sink,
            relay,
            links: Vec::new(),
            ready: VecDeque::new(),
            waiting: WaitingLives::new(run, sink, wake),
            walls: RecentWalls::default(),
            runs_ahead: run.batch.may_run_ahead(),
            waker,
            is_last: false,
            ending: Ending::default(),
            trouble: None,
            next_beat: Instant::now() + BEAT,
            is_driving: false,
            hosts: None,
        }
    }

    /// The same with workers on hosts, which have as many slots as `slots` says, and of which
    /// one may have to be there.
    pub(super) fn of_hosts(self, slots: &'r SlotRule, needs_one: bool) -> Self {
        let rules = HostRules { slots, needs_one, next_slot: 0, first_ready: None, why_down: None };
        Self { hosts: Some(rules), ..self }
    }

    /// Another host, with which one connects so long from now.
    pub(super) fn add_host(&mut self, mut link: WorkerLink<'r, 'q>, wait: Duration) {
        link.failures.is_first = true;
        link.failures.until = Some(Instant::now() + wait);
        self.links.push(link);
    }

    /// Connects with hosts whose time has come. That it cannot be is told, and is no error.
    fn connect(&mut self) {
        for index in 0..self.links.len() {
            let link = &mut self.links[index];
            if link.failures.is_first && link.failures.are_over() {
                link.failures.is_first = false;
                if let Err(error) = link.start() {
                    self.host_is_down(index, &format!("{error:#}"));
                }
            }
        }
    }

    /// What it took to have tasks done on hosts, the first of which was waited for since
    /// `begun`.
    pub(super) fn hosts_cost(&self, begun: Duration) -> ElsewhereCosts {
        let first_ready = self.hosts.as_ref().and_then(|rules| rules.first_ready);
        let total = |link: &WorkerLink<'_, '_>| {
            link.total.clone().concluded(link.node().unwrap_or_default().into(), link.slots.count)
        };
        let there = || self.links.iter().filter(|link| link.slots.count > 0);
        // What ran on this machine counts as it is.
        let far: Duration = there().filter(|link| link.is_far()).map(|link| link.total.cpu).sum();
        ElsewhereCosts {
            queue_wait: first_ready.unwrap_or(begun).saturating_sub(begun),
            usage: Usage { user: far, ..Usage::default() },
            nodes: there().map(|link| total(link).node).collect(),
            by_node: there().map(total).collect(),
            ..ElsewhereCosts::default()
        }
    }

    /// Where workers are on hosts: the one of a link is there, and is told what it is to be.
    pub(super) fn host_is_there(&mut self, index: usize) -> io::Result<bool> {
        let Some(rules) = &mut self.hosts else { return Ok(false) };
        let link = &mut self.links[index];
        if link.slots.count == 0 {
            link.slots.count = (rules.slots)(link.cores, link.host.cores).get().min(MOST_SLOTS);
            link.slots.first = rules.next_slot;
            rules.next_slot = rules.next_slot.saturating_add(link.slots.count);
        }
        if let Some(text) = link.remark() {
            self.run.observer.observe(&Event::Told { text: &printable(&text) });
        }
        link.share().map(|()| true)
    }

    /// The worker of a link is ready for tasks.
    pub(super) fn host_is_ready(&mut self, index: usize, now: Duration) {
        let failures = &mut self.links[index].failures;
        let comes_back = failures.in_a_row > 0 || failures.was_ready;
        failures.ready();
        if let Some(rules) = &mut self.hosts {
            rules.first_ready.get_or_insert(now);
            if let (true, Some(host)) = (comes_back, self.links[index].node()) {
                self.run
                    .observer
                    .observe(&Event::Told { text: &printable(&format!("{host} is there again")) });
            }
        }
    }

    /// Where workers are on hosts: there is none on the one of a link, `why` says why. What
    /// it had to do is others'. `false` where they are not.
    pub(super) fn host_is_down(&mut self, index: usize, why: &str) -> bool {
        let is_alone = self.links.len() == 1;
        let Some(rules) = &mut self.hosts else { return false };
        let link = &mut self.links[index];
        let host = link.node().unwrap_or_default();
        let is_tried_again = link.failures.again();
        link.stage = if is_tried_again { LinkStage::Vacant } else { LinkStage::GivenUp };
        if !self.run.interrupt.is_draining() {
            let next = match (is_tried_again, is_alone) {
                (true, _) => " (it is tried again)",
                (false, false) => " (the others have its jobs)",
                (false, true) => "",
            };
            let text = printable(&format!("{host} is down: {why}{next}"));
            self.run.observer.observe(&Event::Told { text: &text });
        }
        rules.why_down = Some(without_numbers(&format!("{host}: {why}")));
        true
    }

    /// Where workers are on hosts: tasks that none is left for fail. Says whether there were
    /// such.
    fn fail_for_want_of_hosts(&mut self) -> bool {
        if self.hosts.is_none() {
            return false;
        }
        let lost = self.placeless();
        let is_news = !lost.is_empty();
        for unbegun in lost {
            let why = self.hosts.as_ref().and_then(|rules| rules.why_down.clone()).unwrap_or_default();
            let node = self.links.iter().find(|link| link.is_of(unbegun.hosts())).and_then(WorkerLink::node);
            let life = unbegun.begin(self.run, self.sink, 0, self.run.clock.now());
            let cause = format!("no host is left to run it on; {why}");
            let mut record = life.unmeasured(Outcome::NotStarted { status: NO_HOST, cause: cause.into() });
            record.node = node;
            self.settle(life, record);
        }
        is_news
    }

    /// Gives all of them what tasks share.
    pub(super) fn share(&mut self) -> anyhow::Result<()> {
        for link in self.links.iter_mut().filter(|link| link.has_worker()) {
            link.share().context("cannot pass the data that tasks share")?;
        }
        self.wait_for_all(LinkStage::Ready)
    }

    /// Has all tasks done that `feeder` has, and sends the workers home.
    ///
    /// # Errors
    /// When no worker is left and tasks are.
    pub(super) fn drive(&mut self, feeder: &TaskFeeder<'_, '_>) -> anyhow::Result<()> {
        let mut is_abandoned = false;
        self.is_driving = true;
        loop {
            self.look_whether_to_end();
            self.take_due();
            self.refill(feeder);
            self.assign();
            self.take_back_from_the_busy();
            match self.flush() {
                Ok(true) => {}
                // There may be something to be given to another.
                Ok(false) => continue,
                Err(error) => {
                    self.trouble.get_or_insert(error);
                    continue;
                }
            }
            if self.is_over() {
                break;
            }
            if self.nobody_is_left()
                && let Some(HostRules { needs_one: true, first_ready: None, why_down, .. }) = &self.hosts
            {
                anyhow::bail!("no host is left; {}", why_down.as_deref().unwrap_or_default());
            }
            if self.fail_for_want_of_hosts() {
                continue;
            }
            if self.nobody_is_left() && !self.ready.is_empty() {
                is_abandoned = true;
                self.run.interrupt.drain();
            }
            if let Err(error) = self.wait_and_hear() {
                self.trouble.get_or_insert(error);
            }
        }
        self.dismiss_all();
        match self.trouble.take() {
            // The others did what there was left to do.
            Some(error) if is_abandoned && !self.run.interrupt.is_set() => {
                Err(error.context("no worker process is left for the tasks that remain"))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// What the workers of each link cost that had any.
    pub(super) fn costs(&self) -> Vec<LinkCost> {
        self.links.iter().filter(|link| link.had_worker()).map(|link| link.cost).collect()
    }

    fn is_over(&self) -> bool {
        let is_idle = self.is_last && self.ready.is_empty() && self.waiting.is_empty();
        is_idle && self.links.iter().all(|link| link.n_tasks() == 0)
    }

    /// Whether there is no worker, and none to be had.
    pub(super) fn nobody_is_left(&self) -> bool {
        self.links.iter().all(|link| link.stage == LinkStage::GivenUp)
    }

    /// Whether what runs was told to end.
    pub(super) fn ends_running(&self) -> bool {
        self.ending.is_halted || self.run.interrupt.is_set()
    }

    /// Whether workers are to wait until what they told of was handed on; where they are to
    /// end, they are heard all the same.
    pub(super) fn has_too_much(&self) -> bool {
        let n_slots = || self.links.iter().map(|link| link.slots.count as usize).sum();
        !self.ends_running() && self.relay.is_some_and(|relay| relay.has_too_much(n_slots()))
    }

    fn look_whether_to_end(&mut self) {
        if self.run.interrupt.is_draining() && !std::mem::replace(&mut self.ending.drains, true) {
            self.say_to_all(kind::HAND_BACK, &u64::MAX.to_le_bytes());
            self.leave_all();
        }
        if self.run.interrupt.is_set() && !std::mem::replace(&mut self.ending.is_stopped, true) {
            self.say_to_all(kind::STOP, &[]);
            self.end_soon();
        } else if self.ending.is_halted && self.ending.until.is_none() {
            self.say_to_all(kind::END_TASK, &[]);
            self.end_soon();
        }
        if self.ending.is_over_time() {
            for index in 0..self.links.len() {
                if self.links[index].n_tasks() > 0 {
                    self.lose(index, None);
                }
            }
        }
    }

    fn say_to_all(&mut self, kind: u8, payload: &[u8]) {
        for link in &mut self.links {
            link.say(kind, payload).expect("it is short");
        }
    }

    fn end_soon(&mut self) {
        let grace = self.workload.profile().grace;
        self.ending.until.get_or_insert_with(|| Instant::now() + PATIENCE + grace);
    }

    /// Nothing more is begun of what no worker has.
    pub(super) fn leave_all(&mut self) {
        let retries: Vec<_> = self.waiting.given_up_retries().collect();
        for (life, record) in retries {
            self.over(life, record);
        }
        while let Some(unbegun) = self.ready.pop_front() {
            self.leave(unbegun);
        }
    }

    fn leave(&mut self, unbegun: Unbegun<'r, 'q>) {
        match unbegun.give_up() {
            Ok(task) => self.waiting.leave(task),
            Err(tried) => self.over(tried.0, tried.1),
        }
    }

    /// What is due by the clock, or because somebody woke us.
    fn take_due(&mut self) {
        self.waker.clear();
        self.connect();
        self.waiting.try_held_up();
        for (life, ended) in self.waiting.due_retries() {
            self.ready.push_front(Unbegun::another(life, ended));
        }
        self.settle_judged(None);
        self.look_for_silent();
    }

    /// Those of which it is clear by now what their end means; `left` was a worker that
    /// left by itself just now.
    pub(super) fn settle_judged(&mut self, left: Option<(usize, u64)>) {
        for (life, record) in self.waiting.judged(left) {
            self.settle(life, record);
        }
    }

    /// A worker has handed back a task, or ended before it began it.
    pub(super) fn came_back(&mut self, unbegun: Unbegun<'r, 'q>, index: usize) {
        if self.run.interrupt.is_draining() {
            self.leave(unbegun);
        } else if unbegun.n_lost >= TRIES {
            self.fail_unbegun(unbegun, index, "its workers ended before it began");
        } else {
            self.ready.push_front(unbegun);
        }
    }

    /// A task has failed that no worker began.
    pub(super) fn fail_unbegun(&mut self, unbegun: Unbegun<'r, 'q>, index: usize, why: &str) {
        let life = unbegun.begin(self.run, self.sink, self.links[index].slots.first, self.run.clock.now());
        let record = Record {
            node: self.links[index].node(),
            ..life.unmeasured(Outcome::Failed(without_numbers(why).into()))
        };
        self.settle(life, record);
    }

    /// A try has ended as `record` says.
    pub(super) fn settle(&mut self, mut life: TaskLife<'r, 'q>, mut record: Record) {
        if let Some(portable) = self.workload.portable() {
            portable.ended_elsewhere(life.task());
            // Another machine does not say what it was: what stands in a job log may be run from
            // there, and here.
            if self.hosts.is_some()
                && let Some(line) = portable.command_line(life.task(), &self.run.column)
            {
                record.called(&line);
            }
        }
        match life.ended(&mut record) {
            AfterTry::Again(wait) => self.waiting.retry_after(wait, life, record),
            AfterTry::Over(next) => {
                self.ending.is_halted |= next == AfterTask::EndRunning;
                self.waiting.hand_on(life, record);
            }
        }
    }

    /// The try that ended as `record` says was the last one, as there cannot be another.
    fn over(&mut self, mut life: TaskLife<'r, 'q>, mut record: Record) {
        self.ending.is_halted |= life.over(&mut record) == AfterTask::EndRunning;
        self.waiting.hand_on(life, record);
    }
}
