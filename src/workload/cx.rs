//! What a task is given to work with: writers, a clock for its own spans, the
//! interrupt, and a place for what it found out.
//!
//! Knows the task's surroundings, not the batch it belongs to.

use std::borrow::Cow;
use std::io;
use std::time::Duration;

use serde_json::Value;

use super::{OutputDigest, Workload};
use crate::event::{Event, Observer};
use crate::measure::{Clock, Floor};
use crate::output::{Channel, TaskOutput, Wake};
use crate::process::Interrupt;
use crate::sync::StartOrder;
use crate::task::{Column, Finding, ProcessCounts, Record, SharedText};

/// The way to the process that began the run, for a task that is done elsewhere.
pub trait Desk: Sync {
    /// The answer of its [`Portable::answer`](super::Portable::answer); `None` where nobody is
    /// left to give one.
    fn ask(&self, question: Value) -> Option<Value>;
}

/// Where a task asks for what only the process knows that began the run.
#[derive(Clone, Copy)]
pub struct Consultant<'a> {
    workload: &'a dyn Workload,
    desk: Option<&'a dyn Desk>,
}

impl Consultant<'_> {
    /// The answer of [`Portable::answer`](super::Portable::answer); `None` where the task is to end.
    #[must_use]
    pub fn ask(&self, question: Value) -> Option<Value> {
        match self.desk {
            Some(desk) => desk.ask(question),
            None => Some(self.workload.portable().map_or(Value::Null, |portable| portable.answer(question))),
        }
    }
}

/// The surroundings of one attempt at one task.
#[derive(Clone, Copy)]
pub struct Setting<'a> {
    /// How the batch is run, and by which engine.
    pub column: &'a Column,
    /// The slot, from 0.
    pub slot: u32,
    /// Which attempt, from 1.
    pub attempt: u32,
    /// Whether the bytes written are digested, for a comparison of ways.
    pub digested: bool,
    /// The run's clock.
    pub clock: &'a dyn Clock,
    /// When to stop early.
    pub interrupt: &'a Interrupt,
    /// Who hears of progress.
    pub observer: &'a dyn Observer,
    /// Who starts before whom.
    pub start_order: &'a StartOrder,
    /// What the task is of.
    pub workload: &'a dyn Workload,
    /// Who began the run, where that was another process.
    pub desk: Option<&'a dyn Desk>,
    /// Its turn among them, from 0.
    pub turn: u64,
}

/// The context of a running task.
pub struct Cx<'a> {
    setting: Setting<'a>,
    output: Box<dyn TaskOutput + 'a>,
    /// Of what it writes, where ways are compared.
    digest: OutputDigest,
    /// How long it took to hand on what a child process wrote.
    handing_on: Duration,
    /// What it did and found out: the record of the attempt, as far as it is known.
    found: Record,
}

impl<'a> Cx<'a> {
    /// The context of a task that writes to `output` and has so much of a record.
    #[must_use]
    pub fn new(setting: Setting<'a>, output: Box<dyn TaskOutput + 'a>, found: Record) -> Self {
        Self { setting, output, digest: OutputDigest::default(), handing_on: Duration::ZERO, found }
    }

    /// How the batch is run, and by which engine.
    #[must_use]
    pub fn column(&self) -> &'a Column {
        self.setting.column
    }

    /// The slot the task runs in, from 0.
    #[must_use]
    pub fn slot(&self) -> u32 {
        self.setting.slot
    }

    /// Which attempt this is, from 1.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.setting.attempt
    }

    /// Waits until the tasks taken before this one have started: for a workload
    /// that [starts in order](super::Profile::ordered_starts).
    pub fn wait_for_turn(&self) {
        self.setting.start_order.wait(self.setting.turn);
    }

    /// Whom the task asks for what all tasks of the run have in common.
    #[must_use]
    pub fn consultant(&self) -> Consultant<'a> {
        Consultant { workload: self.setting.workload, desk: self.setting.desk }
    }

    /// The task has started, or is about to: the next one may.
    pub fn has_started(&self) {
        self.setting.start_order.begin(self.setting.turn);
    }

    /// When to stop early.
    #[must_use]
    pub fn interrupt(&self) -> &Interrupt {
        self.setting.interrupt
    }

    /// Who hears of what happens.
    #[must_use]
    pub fn observer(&self) -> &dyn Observer {
        self.setting.observer
    }

    /// Writes to what the task produces. Parsim keeps outputs in input order.
    ///
    /// # Errors
    /// When the place that takes the bytes cannot.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_to(Channel::Out, bytes)
    }

    /// The same of what is none of the task's results: it is neither compared nor counted.
    ///
    /// # Errors
    /// When the place that takes the bytes cannot.
    pub fn write_uncompared(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.output.write(Channel::Out, bytes)
    }

    /// Writes to what the task has to say about it.
    ///
    /// # Errors
    /// When the place that takes the bytes cannot.
    pub fn write_err(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_to(Channel::Err, bytes)
    }

    /// Writes what the task's child process wrote.
    ///
    /// # Errors
    /// When the place that takes the bytes cannot.
    pub fn hand_on(&mut self, channel: Channel, bytes: &[u8]) -> io::Result<()> {
        let before = self.setting.clock.now();
        let written = self.write_to(channel, bytes);
        self.handing_on += self.setting.clock.now().saturating_sub(before);
        written
    }

    fn write_to(&mut self, channel: Channel, bytes: &[u8]) -> io::Result<()> {
        self.digest(channel, bytes);
        self.output.write(channel, bytes)?;
        if channel == Channel::Out {
            self.produced(bytes.len() as u64);
        }
        Ok(())
    }

    /// Whether what the task writes next would find no place: it is to wait until
    /// `wake` was called, and to ask again. All that was written has its place.
    pub fn is_held_up(&mut self, wake: &Wake) -> bool {
        let why = self.output.holds_up(wake);
        if let Some(why) = &why {
            self.setting.observer.observe(&Event::OutputHeldUp { why });
        }
        why.is_some()
    }

    /// There was nothing to start the task with, and it waits; `is_news` if it is the
    /// first one that does.
    pub fn waits_to_start(&self, why: &str, is_news: bool) {
        self.setting.observer.observe(&Event::TaskWaitsToStart { why, is_news });
    }

    /// Whether ways are compared, so that it is worth a look what the task waits for.
    #[must_use]
    pub fn is_compared(&self) -> bool {
        self.setting.digested
    }

    /// Takes `bytes` for the comparison of ways, and shows them to nobody.
    pub fn judged(&mut self, bytes: &[u8]) {
        self.digest(Channel::Out, bytes);
    }

    fn digest(&mut self, channel: Channel, bytes: &[u8]) {
        if self.setting.digested {
            self.digest.update(channel, bytes);
        }
    }

    /// Counts bytes that the task put somewhere by itself.
    pub fn produced(&mut self, bytes: u64) {
        self.found.bytes += bytes;
        self.setting.observer.observe(&Event::Advanced { bytes });
    }

    /// Does `work` and adds its wall time to the span `name`.
    pub fn timed<T>(&mut self, name: &'static str, work: impl FnOnce(&mut Self) -> T) -> T {
        let start = self.setting.clock.now();
        let result = work(self);
        let wall = self.setting.clock.now().saturating_sub(start);
        self.spent(name, wall);
        result
    }

    /// Adds `wall` to the span `name`.
    pub fn spent(&mut self, name: &'static str, wall: Duration) {
        self.found.spans.add(name, wall);
    }

    /// The wall time of the span `name` so far.
    #[must_use]
    pub fn span(&self, name: &str) -> Duration {
        self.found.spans.get(name).unwrap_or_default()
    }

    /// Says what the task is called, now that it is known.
    pub fn relabel(&mut self, label: impl Into<SharedText>) {
        self.found.label = label.into();
        let Record { label, .. } = &self.found;
        self.setting.observer.observe(&Event::TaskNamed { slot: self.setting.slot, label });
    }

    /// The task is this command line, which may be no text.
    pub fn command_line(&mut self, line: &[u8]) {
        self.found.called(line);
        self.relabel(self.found.label.clone());
    }

    /// The task was done by a child process, which used this much: CPU time in user
    /// mode and in the kernel, and memory. That was less where parsim's own, under
    /// which none is told, covers it.
    pub fn child_used(&mut self, user: Duration, sys: Duration, peak_memory: u64, floor: &Floor) {
        (self.found.user, self.found.sys) = (Some(user), Some(sys));
        self.found.peak_memory = Some(peak_memory);
        self.found.peak_memory_is_bound = floor.covers(peak_memory);
    }

    /// What the kernel counted of the task's child process.
    pub fn child_counted(&mut self, counts: ProcessCounts) {
        self.found.counts = Some(Box::new(ProcessCounts { handing_on: self.handing_on, ..counts }));
    }

    /// The task was given this many bytes to read.
    pub fn input_offered(&mut self, bytes: u64) {
        self.found.input_offered += bytes;
    }

    /// The task did read this many bytes of its input.
    pub fn input_read(&mut self, bytes: u64) {
        self.found.input_read = Some(bytes);
    }

    /// The task was left out because of its values.
    pub fn skip(&mut self) {
        self.found.skipped = true;
    }

    /// Notes a fact about the task.
    pub fn fact(&mut self, name: &'static str, value: impl Into<String>) {
        self.found.facts.push((Cow::Borrowed(name), value.into()));
    }

    /// Notes what was found out about the service that the task asked.
    pub fn found(&mut self, finding: Finding) {
        self.found.finding = Some(Box::new(finding));
    }

    /// The task is over: the record with what it found, and its output to be closed.
    #[must_use]
    pub fn into_parts(mut self) -> (Record, Box<dyn TaskOutput + 'a>) {
        self.found.digest = self.setting.digested.then(|| self.digest.finish());
        (self.found, self.output)
    }
}
