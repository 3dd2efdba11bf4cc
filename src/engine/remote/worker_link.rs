//! One worker and the way to it: what was said to it and what is heard, the tasks that it
//! has, and how it ends. It is made ready, replaced when it ends before its time, and sent
//! home.
//!
//! Waits for nothing, but for the end of a worker that is to end. Knows nothing of the
//! other workers, nor of what becomes of tasks.

use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};
use std::io::{self, ErrorKind};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};

use super::distance::ClockOffset;
use super::failures::Failures;
use super::frame::{Frame, FrameQueue, FrameReader, LONGEST_ANSWER};
use super::protocol::{Bye, Hello, SlotRange, WorkerHost, kind, nanoseconds};
use super::request::TaskRequest;
use super::transport::{Transport, WorkerStream};
use crate::engine::Run;
use crate::engine::lifecycle::TaskLife;
use crate::output::Sink;
use crate::process::PollEntry;
use crate::study::NodeTotal;
use crate::task::{Record, Task};
use crate::workload::{OutputDigest, Portable};

/// So long a worker may take to end.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// What every worker is told before its first task.
pub(super) struct WorkerInit {
    pub(super) hello: Hello,
    /// What tasks share; `None`: each worker makes it by itself.
    pub(super) shared: Option<Arc<[u8]>>,
}

/// A place for one worker after another, and what they cost.
pub(super) struct WorkerLink<'r, 'q> {
    transport: &'r dyn Transport,
    init: &'r WorkerInit,
    pub(super) slots: SlotRange,
    stream: Option<Box<dyn WorkerStream>>,
    pub(super) stage: LinkStage,
    out: FrameQueue,
    reader: FrameReader,
    /// Where it is, once it said so.
    pub(super) host: WorkerHost,
    /// Of how many cores the number of its slots goes out, where the user said so.
    pub(super) cores: Option<NonZeroU32>,
    /// The groups of hosts that it is of, beside the one of its name.
    pub(super) groups: &'r [String],
    /// How often in a row no worker got ready there, and since when none is to be tried.
    pub(super) failures: Failures,
    pub(super) clock: ClockOffset,
    /// Tasks that it was given and has not begun, as far as is known, in that order.
    pub(super) sent: VecDeque<Unbegun<'r, 'q>>,
    pub(super) in_hand: BTreeMap<u64, TaskInHand<'r, 'q>>,
    /// By slot: since when it has had no task.
    pub(super) free_since: Vec<Duration>,
    /// Whether it was asked to hand back tasks and has not answered.
    pub(super) is_asked_back: bool,
    /// So often it could have been heard of since it was.
    pub(super) silent_beats: u32,
    /// Whether there ever was one.
    had_worker: bool,
    pub(super) cost: LinkCost,
    /// What its machine did, where it is one of several.
    pub(super) total: NodeTotal,
}

/// How far a link has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum LinkStage {
    /// The worker was told what it is to be.
    Greeted,
    /// It is that.
    Present,
    /// It was given what tasks share.
    Sharing,
    /// It does tasks.
    Ready,
    /// It hears nothing more, and is to end.
    Leaving,
    /// There is no worker. There may be another.
    Vacant,
    /// There is none, and none to be had.
    GivenUp,
}

/// A task that a worker does.
pub(super) struct TaskInHand<'r, 'q> {
    pub(super) life: TaskLife<'r, 'q>,
    /// When it began, by the run's clock.
    pub(super) at: Duration,
    pub(super) slot: u32,
    /// Where the answer to its last question ends in what its worker is told.
    pub(super) answered: u64,
    /// Of what it wrote, where that is compared and its worker makes none.
    pub(super) digest: Option<OutputDigest>,
}

/// A task that no worker has begun.
pub(super) struct Unbegun<'r, 'q> {
    what: NextTry<'r, 'q>,
    /// To how many workers it was given that ended before they began it.
    pub(super) n_lost: usize,
    /// When it was given to the one that has it.
    pub(super) sent: Duration,
}

enum NextTry<'r, 'q> {
    First(Task),
    /// After one that ended so.
    Another(Box<(TaskLife<'r, 'q>, Record)>),
}

/// What the workers of one link cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct LinkCost {
    /// Bytes passed both ways.
    pub(super) passed: u64,
    /// How long was waited for something to be passed.
    pub(super) passing: Duration,
    /// The most memory that one of them held.
    pub(super) peak_memory: Option<u64>,
    /// How many were replaced.
    pub(super) replaced: u64,
}

impl<'r, 'q> Unbegun<'r, 'q> {
    pub(super) fn first(task: Task) -> Self {
        Self { what: NextTry::First(task), n_lost: 0, sent: Duration::ZERO }
    }

    pub(super) fn another(life: TaskLife<'r, 'q>, ended: Record) -> Self {
        Self { what: NextTry::Another(Box::new((life, ended))), n_lost: 0, sent: Duration::ZERO }
    }

    pub(super) fn seq(&self) -> u64 {
        self.task().0.seq
    }

    /// Groups of hosts that may do it, where not all may.
    pub(super) fn hosts(&self) -> &[String] {
        &self.task().0.hosts
    }

    /// Where it failed last, if it did.
    pub(super) fn failed_on(&self) -> Option<&str> {
        match &self.what {
            NextTry::First(_) => None,
            NextTry::Another(tried) => tried.1.node.as_deref(),
        }
    }

    /// The task, and which try is next.
    fn task(&self) -> (&Task, u32) {
        match &self.what {
            NextTry::First(task) => (task, 1),
            NextTry::Another(tried) => (tried.0.task(), tried.0.attempt() + 1),
        }
    }

    /// It began `at` this time of the run's clock.
    pub(super) fn begin(
        self,
        run: &'r Run<'q>,
        sink: &'r dyn Sink,
        slot: u32,
        at: Duration,
    ) -> TaskLife<'r, 'q> {
        match self.what {
            NextTry::First(mut task) => {
                run.batch.start_in(slot, &mut task);
                TaskLife::begin_elsewhere(run, sink, task, at)
            }
            NextTry::Another(tried) => {
                let (mut life, ended) = *tried;
                life.again_elsewhere(&ended, slot, at);
                life
            }
        }
    }

    /// It will not begin: the task, or its life and how the last try ended.
    pub(super) fn give_up(self) -> Result<Task, Box<(TaskLife<'r, 'q>, Record)>> {
        match self.what {
            NextTry::First(task) => Ok(task),
            NextTry::Another(tried) => Err(tried),
        }
    }
}

impl<'r, 'q> WorkerLink<'r, 'q> {
    /// Starts a worker and tells it what it is to be. It is not waited for.
    pub(super) fn open(
        transport: &'r dyn Transport,
        init: &'r WorkerInit,
        slots: SlotRange,
    ) -> anyhow::Result<Self> {
        let mut link = Self::place(transport, init, slots);
        link.start()?;
        Ok(link)
    }

    /// A place for a worker, of which there is none yet.
    pub(super) fn place(transport: &'r dyn Transport, init: &'r WorkerInit, slots: SlotRange) -> Self {
        Self {
            transport,
            init,
            slots,
            stream: None,
            stage: LinkStage::Vacant,
            out: FrameQueue::default(),
            reader: FrameReader::new(LONGEST_ANSWER),
            host: WorkerHost::default(),
            cores: None,
            groups: &[],
            failures: Failures::default(),
            clock: ClockOffset::default(),
            sent: VecDeque::new(),
            in_hand: BTreeMap::new(),
            free_since: Vec::new(),
            is_asked_back: false,
            silent_beats: 0,
            had_worker: false,
            cost: LinkCost::default(),
            total: NodeTotal::default(),
        }
    }

    /// A task ended there.
    pub(super) fn count(&mut self, record: &Record) {
        self.total.add(record);
    }

    /// Starts a worker where there is none.
    pub(super) fn start(&mut self) -> anyhow::Result<()> {
        self.stream = Some(self.transport.open()?);
        self.had_worker = true;
        (self.out, self.reader) = (FrameQueue::default(), FrameReader::new(LONGEST_ANSWER));
        (self.is_asked_back, self.silent_beats) = (false, 0);
        self.clock = ClockOffset::default();
        let hello = Hello { node: self.transport.node().cloned(), ..self.init.hello.clone() };
        self.out.put(kind::HELLO, &[&serde_json::to_vec(&hello)?])?;
        self.stage = LinkStage::Greeted;
        Ok(())
    }

    /// Starts a worker where there is none, in the place of one that is gone or as the first.
    pub(super) fn replace(&mut self) -> anyhow::Result<()> {
        let is_first = !self.had_worker;
        self.start()?;
        self.cost.replaced += u64::from(!is_first);
        Ok(())
    }

    /// No worker gets ready on this machine in the place of another. Tried again some times,
    /// for what was missing may be there soon.
    pub(super) fn none_came(&mut self) {
        self.stage = if self.failures.again_here() { LinkStage::Vacant } else { LinkStage::GivenUp };
    }

    /// Tells the worker its slots and gives it what tasks share, or has that made there.
    pub(super) fn share(&mut self) -> io::Result<()> {
        self.stage = LinkStage::Sharing;
        self.out.put(kind::SLOTS, &[&self.slots.encoded()])?;
        match &self.init.shared {
            Some(bytes) => self.out.put_shared(kind::SHARED, bytes),
            None => self.out.put(kind::PREPARE, &[]),
        }
    }

    /// What is heard of a worker before it does tasks.
    pub(super) fn hear_ready(&mut self, frame: &Frame) -> anyhow::Result<()> {
        let name = self.name();
        self.stage = match (frame.kind, self.stage) {
            (kind::READY, LinkStage::Greeted) => {
                self.host = WorkerHost::decoded(&frame.payload)
                    .with_context(|| format!("the worker ({name}) sent a greeting that cannot be read"))?;
                LinkStage::Present
            }
            (kind::READY, LinkStage::Sharing) => LinkStage::Ready,
            (kind::FAILED, _) => bail!("the worker ({name}): {}", text_of(&frame.payload)),
            _ => bail!("the worker ({name}) is no parsim worker"),
        };
        Ok(())
    }

    /// It can begin tasks from `now` on.
    pub(super) fn begin(&mut self, now: Duration) -> io::Result<()> {
        self.free_since = vec![now; self.slots.count as usize];
        self.ask_time(now)
    }

    /// Asks what its clock shows.
    pub(super) fn ask_time(&mut self, now: Duration) -> io::Result<()> {
        self.out.put(kind::TIME, &[&nanoseconds(now)])
    }

    /// Says something to it, where it hears anything.
    pub(super) fn say(&mut self, kind: u8, payload: &[u8]) -> io::Result<()> {
        if self.stream.is_some() && self.stage != LinkStage::Leaving {
            self.out.put(kind, &[payload])?;
        }
        Ok(())
    }

    /// Answers a question of a task. It is no answer where that has not heard the last one:
    /// who asks and does not listen would have answers pile up here.
    pub(super) fn answer(&mut self, seq: u64, answer: &[u8]) -> Option<()> {
        let task = self.in_hand.get_mut(&seq)?;
        if !self.out.is_written_to(task.answered) {
            return None;
        }
        if self.stream.is_some() && self.stage != LinkStage::Leaving {
            self.out.put(kind::CONSULT, &[&seq.to_le_bytes(), answer]).ok()?;
            task.answered = self.out.end();
        }
        Some(())
    }

    /// Gives it a task. Where that cannot be told in one message, it comes back.
    pub(super) fn give(
        &mut self,
        mut unbegun: Unbegun<'r, 'q>,
        now: Duration,
        portable: Option<&dyn Portable>,
    ) -> io::Result<()> {
        let (task, attempt) = unbegun.task();
        let portable = portable.filter(|_| self.host.takes_lines);
        let spelled = portable.and_then(|portable| portable.spelled_out(task, &self.init.hello.column));
        let task = match spelled {
            Some(spec) => {
                Cow::Owned(Task { spec, hosts: task.hosts.clone(), ..Task::numbered(task.seq, "") })
            }
            None => Cow::Borrowed(task),
        };
        let request = TaskRequest { task, attempt };
        let put = self.out.put(kind::TASK, &[&request.encoded()]);
        unbegun.sent = now;
        self.sent.push_back(unbegun);
        put
    }

    /// How many tasks it has.
    pub(super) fn n_tasks(&self) -> usize {
        self.sent.len() + self.in_hand.len()
    }

    /// Whether it would begin another task at once.
    pub(super) fn has_free_slot(&self) -> bool {
        self.n_tasks() < self.slots.count as usize
    }

    /// Whether it does, or will do, what it is given.
    pub(super) fn takes_tasks(&self) -> bool {
        matches!(self.stage, LinkStage::Greeted | LinkStage::Present | LinkStage::Sharing | LinkStage::Ready)
    }

    /// What to wait for: that something can be heard, where `listens`, and that something can
    /// be said where something is to be.
    pub(super) fn watched(&self, listens: bool) -> [PollEntry<'_>; 2] {
        let Some(stream) = &self.stream else { return [const { PollEntry::NOTHING }; 2] };
        let reads = stream.descriptor().filter(|_| listens);
        let reads = reads.map_or(PollEntry::NOTHING, PollEntry::readable);
        let writes = stream.write_descriptor().filter(|_| !self.out.is_empty());
        [reads, writes.map_or(PollEntry::NOTHING, PollEntry::writable)]
    }

    /// Says as much of what is to be said as can be without waiting. That the worker hears
    /// nothing any more is no error: how it ended will be heard.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        let Some(stream) = self.stream.as_mut().filter(|_| !self.out.is_empty()) else { return Ok(()) };
        match self.out.write_to(&mut **stream) {
            Ok(n_bytes) => self.cost.passed += n_bytes,
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                self.out = FrameQueue::default();
                stream.hang_up();
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Reads what is there; `false` at the end of the stream.
    pub(super) fn read(&mut self) -> io::Result<bool> {
        let Some(stream) = &mut self.stream else { return Ok(true) };
        match self.reader.fill(&mut **stream) {
            Ok(n_bytes) => {
                self.cost.passed += n_bytes as u64;
                self.silent_beats = 0;
                Ok(n_bytes > 0)
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// The next frame of what was read.
    pub(super) fn next_frame(&mut self) -> io::Result<Option<Frame>> {
        self.reader.next()
    }

    /// Sends the worker home. It is not waited for.
    pub(super) fn dismiss(&mut self) {
        // What was to be said before is still said.
        let _ = self.flush();
        if let Some(stream) = &mut self.stream {
            stream.hang_up();
            self.stage = LinkStage::Leaving;
        }
    }

    /// Waits until the worker is gone, at most so long. How it ended, unless it did as it
    /// should.
    pub(super) fn reap(&mut self, patience: Duration) -> Option<String> {
        if self.stage != LinkStage::GivenUp {
            self.stage = LinkStage::Vacant;
        }
        self.out = FrameQueue::default();
        self.reader = FrameReader::new(LONGEST_ANSWER);
        self.stream.take()?.reap(patience)
    }

    /// The same of one that says goodbye.
    pub(super) fn reap_after(&mut self, bye: &Frame) {
        let Bye { peak_memory } = serde_json::from_slice(&bye.payload).unwrap_or_default();
        self.cost.peak_memory = self.cost.peak_memory.max(peak_memory);
        self.reap(PATIENCE);
    }

    pub(super) fn had_worker(&self) -> bool {
        self.had_worker
    }

    pub(super) fn has_worker(&self) -> bool {
        self.stream.is_some()
    }

    /// The worker in a person's words.
    pub(super) fn name(&self) -> String {
        self.stream.as_ref().map_or_else(String::new, |stream| stream.name())
    }

    /// What is to be told of the worker that is there now.
    pub(super) fn remark(&self) -> Option<String> {
        let (node, why) = (self.node()?, self.stream.as_ref()?.remark()?);
        Some(format!("{node}: {} runs the jobs there, because {why}", self.host.version))
    }

    /// Its number, where it is a process of this machine.
    pub(super) fn process(&self) -> Option<u32> {
        self.stream.as_ref()?.process()
    }

    /// What the user calls the machine, where one was named.
    pub(super) fn node(&self) -> Option<Box<str>> {
        let login = &self.transport.node()?.login;
        login.split_whitespace().next_back().map(Into::into)
    }

    /// Whether a task for hosts of these groups may be done there.
    pub(super) fn is_of(&self, groups: &[String]) -> bool {
        let has = |group: &String| {
            self.groups.contains(group)
                || self.transport.node().is_some_and(|node| node.login == *group || node.host == *group)
        };
        groups.is_empty() || groups.iter().any(has)
    }

    /// Whether nobody has answered yet at the other end.
    pub(super) fn is_connecting(&self) -> bool {
        self.stream.as_ref().is_some_and(|stream| stream.is_connecting())
    }

    /// Whether it may fall silent without an end.
    pub(super) fn is_far(&self) -> bool {
        self.transport.is_far()
    }
}

/// A payload as text, whatever it is.
pub(super) fn text_of(payload: &[u8]) -> String {
    String::from_utf8_lossy(payload).into_owned()
}
