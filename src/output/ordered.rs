//! Output of many tasks, handed on in input order while every task may write
//! at any time.
//!
//! The task whose turn it is streams straight through; its messages may be kept for
//! its end, so that they are not mixed into what it produces. The others wait in
//! memory up to one budget for all, then in one spill file. If spilling fails
//! the others are held up until their turn, or until there is memory; nothing
//! is dropped. The record of a task that is over waits with its output and is
//! acknowledged behind it: in input order, too, and never before its time.

use crate::sync::{Condvar, Mutex};
use std::collections::BTreeMap;
use std::io;
use std::mem::size_of;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::spill_buffer::{PIECE_OVERHEAD, SpillBuffer, SpillFile, SpillPiece, Spilled, no_room};
use super::traits::{Acknowledge, Channel, Destination, Sink, TaskOutput, TaskRef, Wake, handed_on};
use crate::task::{Outcome, Record, Task, TaskInput};

/// The share of the budget that records of tasks that are over may take: they come
/// back from the spill file as well, and what tasks write is to have the room.
const SHARE_OF_RECORDS: usize = 8;

/// Puts the outputs of tasks in input order.
pub struct Ordered<D> {
    state: Mutex<Turns>,
    /// Used by the task whose turn it is, and by nobody else until it is over:
    /// the others need not wait while it writes. Never taken under `state`.
    destination: Mutex<D>,
    /// Rung when a turn has passed.
    passed: Condvar,
}

/// When messages, of which the other channel is, are handed on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Messages {
    AsTheyCome,
    /// Behind all that the task produces.
    Last,
}

/// Whose turn it is, and what waits for its own.
struct Turns {
    messages: Messages,
    /// Whose turn it is.
    turn: u64,
    waiting: BTreeMap<u64, WaitingTask>,
    in_memory: usize,
    /// How much of it is records.
    records_in_memory: usize,
    budget: usize,
    spill: SpillFile,
    /// Why the spill file took nothing more the last time.
    full: Option<String>,
    /// Those who wait until there is a place again.
    held_up: Vec<Wake>,
}

/// What a task has written so far that was not handed on.
#[derive(Default)]
struct WaitingTask {
    produced: SpillBuffer,
    /// What comes last.
    messages: SpillBuffer,
    /// Set when the task is over.
    closed: Option<Early>,
}

impl<D: Destination> Ordered<D> {
    /// Keeps at most `budget` bytes in memory; the first turn is that of the
    /// task handed out first. What a task writes comes as it was written.
    pub fn new(destination: D, budget: usize) -> Self {
        Self::with(destination, budget, Messages::AsTheyCome)
    }

    /// The same, but the messages of each task come behind what it produces.
    pub fn grouped(destination: D, budget: usize) -> Self {
        Self::with(destination, budget, Messages::Last)
    }

    fn with(destination: D, budget: usize, messages: Messages) -> Self {
        let state = Turns {
            messages,
            turn: 0,
            waiting: BTreeMap::new(),
            in_memory: 0,
            records_in_memory: 0,
            budget,
            spill: SpillFile::default(),
            full: None,
            held_up: Vec::new(),
        };
        Self { state: Mutex::new(state), destination: Mutex::new(destination), passed: Condvar::new() }
    }

    fn with_state<T>(&self, work: impl FnOnce(&mut Turns) -> T) -> T {
        work(&mut self.state.lock())
    }

    /// Hands on what `task`, whose turn it is, had to hold back until now, but what
    /// comes last.
    fn release(&self, destination: &mut D, task: &Task) -> io::Result<()> {
        let waiting = |state: &mut Turns| state.waiting.get_mut(&task.turn).map(|it| it.produced.take());
        self.hand_on(destination, task, self.with_state(waiting).unwrap_or_default())
    }

    /// Hands on all that `task`, whose turn it is, had to hold back until now.
    fn release_all(&self, destination: &mut D, task: &Task) -> io::Result<()> {
        let Some(mut waiting) = self.with_state(|state| state.waiting.remove(&task.turn)) else {
            return Ok(());
        };
        let produced = self.hand_on(destination, task, waiting.produced.take());
        produced.and(self.hand_on(destination, task, waiting.messages.take()))
    }

    fn hand_on(&self, destination: &mut D, task: &Task, pieces: Vec<SpillPiece>) -> io::Result<()> {
        if pieces.is_empty() {
            return Ok(());
        }
        // It is emptied only by who has the destination.
        let spill = self.with_state(|state| state.spill.clone());
        let mut result = Ok(());
        for piece in pieces {
            let handed_on = piece.read(&spill, |channel, block| destination.write(task, channel, block));
            let in_memory = piece.in_memory();
            drop(piece);
            self.with_state(|state| state.in_memory -= in_memory);
            result = result.and(handed_on);
        }
        self.with_state(Turns::wake);
        result
    }

    /// Ends the turn of `task`, and of those behind it that are over themselves.
    fn end_turn(&self, task: &Task, record: Record, acknowledge: &dyn Acknowledge) {
        let mut destination = self.destination.lock();
        let mut pass = |task: &Task, record: Record| {
            let written = self.release_all(&mut destination, task);
            let closed = destination.close(task, &record.outcome);
            acknowledge.acknowledge(handed_on(record, written.and(closed)));
        };
        pass(task, record);
        while let Some(next) = self.with_state(Turns::next_that_is_over) {
            pass(&next.task, next.record);
        }
    }
}

impl<D: Destination> Sink for Ordered<D> {
    fn open<'a>(&'a self, task: TaskRef<'a>) -> Box<dyn TaskOutput + 'a> {
        Box::new(OrderedOutput { ordered: self, task })
    }
}

struct OrderedOutput<'a, D> {
    ordered: &'a Ordered<D>,
    task: TaskRef<'a>,
}

impl<D: Destination> TaskOutput for OrderedOutput<'_, D> {
    fn write(&mut self, channel: Channel, bytes: &[u8]) -> io::Result<()> {
        let route = self.ordered.with_state(|state| state.route(&self.task, channel, bytes));
        if let WriteRoute::Aside = route {
            return Ok(());
        }
        let mut destination = self.ordered.destination.lock();
        match route {
            WriteRoute::Overflowing => self.ordered.release_all(&mut destination, &self.task),
            WriteRoute::Through | WriteRoute::Aside => {
                self.ordered.release(&mut destination, &self.task)?;
                destination.write(&self.task, channel, bytes)
            }
        }
    }

    fn holds_up(&mut self, wake: &Wake) -> Option<String> {
        self.ordered.with_state(|state| {
            let why = state.full.clone().filter(|_| state.has_no_room_for(&self.task))?;
            state.held_up.push(Arc::clone(wake));
            Some(why)
        })
    }

    fn close(self: Box<Self>, record: Record, acknowledge: &dyn Acknowledge) {
        let state = self.ordered.state.lock();
        // Who is over would make room for another task, and that for another:
        // without a place for what they write none is to begin.
        let has_no_room = |state: &mut Turns| state.has_no_room_for(&self.task);
        let mut state = self.ordered.passed.wait_while(state, has_no_room);
        if self.task.turn != state.turn {
            state.over_early(&self.task, record);
            return;
        }
        drop(state);
        self.ordered.end_turn(&self.task, record, acknowledge);
        self.ordered.passed.notify_all();
    }
}

/// Where a piece goes.
enum WriteRoute {
    /// Straight through.
    Through,
    /// It was put aside.
    Aside,
    /// It was put aside, where there is no place for more, though its task need not
    /// wait.
    Overflowing,
}

impl Turns {
    /// Puts aside what `task` writes, unless it may go straight through.
    fn route(&mut self, task: &Task, channel: Channel, bytes: &[u8]) -> WriteRoute {
        let is_early = task.turn != self.turn;
        if !is_early && !self.comes_last(channel) {
            return WriteRoute::Through;
        }
        self.put_aside(task, channel, bytes);
        let has_no_room = self.full.is_some() && self.in_memory > self.budget;
        if has_no_room && !is_early { WriteRoute::Overflowing } else { WriteRoute::Aside }
    }

    fn comes_last(&self, channel: Channel) -> bool {
        self.messages == Messages::Last && channel == Channel::Err
    }

    /// Takes what `task` writes before it can be handed on.
    fn put_aside(&mut self, task: &Task, channel: Channel, bytes: &[u8]) {
        let comes_last = self.comes_last(channel);
        let waiting = self.waiting.entry(task.turn).or_default();
        let buffer = if comes_last { &mut waiting.messages } else { &mut waiting.produced };
        if self.in_memory + bytes.len() + PIECE_OVERHEAD <= self.budget {
            self.in_memory += buffer.keep(channel, bytes);
            return;
        }
        self.full = buffer.spill(channel, bytes, &mut self.spill).err().map(|error| no_room(&error));
        if self.full.is_some() {
            // Little more than what the pipe had: the task is held up now.
            self.in_memory += buffer.keep(channel, bytes);
        }
    }

    /// `task` is over before its turn.
    fn over_early(&mut self, task: &Task, record: Record) {
        let mut over = Over::new(task, record);
        let size = over.size();
        let fits = self.in_memory + size <= self.budget
            && self.records_in_memory + size <= self.budget / SHARE_OF_RECORDS;
        let spilled = if fits { None } else { Some(over.put_into(&mut self.spill)) };
        let early = match spilled {
            Some(Ok(early)) => early,
            kept => {
                if let Some(Err(error)) = kept {
                    self.full = Some(no_room(&error));
                }
                self.in_memory += size;
                self.records_in_memory += size;
                Early::Memory(Box::new(over))
            }
        };
        let waiting = self.waiting.entry(task.turn).or_default();
        waiting.produced.shrink();
        waiting.messages.shrink();
        waiting.closed = Some(early);
    }

    /// Whether what `task` writes would find no place before its turn.
    fn has_no_room_for(&self, task: &Task) -> bool {
        task.turn != self.turn && self.full.is_some() && self.in_memory > self.budget
    }

    /// A turn is over: the task whose turn it is now, if it is over already.
    fn next_that_is_over(&mut self) -> Option<Box<Over>> {
        self.turn += 1;
        let next = self.waiting.get_mut(&self.turn).and_then(|waiting| waiting.closed.take());
        let next = next.map(|early| {
            let was_in_memory = matches!(early, Early::Memory(_));
            let over = early.take(&self.spill);
            let size = if was_in_memory { over.size() } else { 0 };
            self.in_memory -= size;
            self.records_in_memory -= size;
            over
        });
        if self.waiting.is_empty() {
            // What cannot be given back is used again.
            let _ = self.spill.reset();
        }
        self.wake();
        next
    }

    /// There is a place again, or another's turn has come.
    fn wake(&mut self) {
        self.held_up.drain(..).for_each(|wake| wake());
    }
}

/// A task that is over before its turn has come, and its record: it waits with its
/// output, in memory as far as there is room, then in the spill file. A hundred thousand
/// may wait behind one that is slow.
enum Early {
    Memory(Box<Over>),
    Spilled {
        place: Spilled,
        /// What is still known should the file not give the rest back.
        seq: u64,
    },
}

/// A task that is over.
#[derive(Serialize, Deserialize)]
struct Over {
    /// Without what its command has read.
    task: Task,
    record: Record,
    /// What the record leaves out where it is written down.
    line: Option<Box<[u8]>>,
}

impl Over {
    fn new(task: &Task, record: Record) -> Self {
        // It has been read, and may be long.
        let spec = match &task.spec {
            TaskInput::Block(block) => TaskInput::Values(block.values.clone()),
            other => other.clone(),
        };
        let task = Task {
            seq: task.seq,
            turn: task.turn,
            slot: task.slot,
            label: task.label.clone(),
            spec,
            hosts: task.hosts.clone(),
        };
        Self { task, record, line: None }
    }

    /// About how many bytes it takes in memory.
    fn size(&self) -> usize {
        let Self { task, record, .. } = self;
        let values = task.spec.values();
        let texts = [task.label.len(), record.label.len(), record.line.as_ref().map_or(0, |line| line.len())];
        let facts = record.facts.iter().map(|(name, fact)| name.len() + fact.len());
        size_of::<Self>()
            + texts.iter().sum::<usize>()
            + facts.sum::<usize>()
            + values.iter().map(|value| size_of::<Vec<u8>>() + value.len()).sum::<usize>()
            + record.spans.size()
            + size_of_val(&*record.facts)
    }

    /// Puts a copy into `spill`, from which it can be taken as if it were this one.
    fn put_into(&mut self, spill: &mut SpillFile) -> io::Result<Early> {
        self.line = self.record.line.take();
        let put = serde_json::to_vec(self).map_err(io::Error::from).and_then(|text| spill.put(&text));
        self.record.line = self.line.take();
        Ok(Early::Spilled { place: put?, seq: self.task.seq })
    }

    fn read(place: Spilled, spill: &SpillFile) -> io::Result<Self> {
        let mut text = Vec::new();
        spill.read(place, |block| {
            text.extend_from_slice(block);
            Ok(())
        })?;
        let mut over: Self = serde_json::from_slice(&text)?;
        over.record.line = over.line.take();
        over.task.slot = over.record.slot;
        Ok(over)
    }
}

impl Early {
    /// The task and its record, from wherever they waited.
    fn take(self, spill: &SpillFile) -> Box<Over> {
        match self {
            Self::Memory(over) => over,
            Self::Spilled { place, seq } => Box::new(Over::read(place, spill).unwrap_or_else(|error| {
                // Its row is to say that it has to be done again.
                let why = format!("read its record back from TMPDIR: {}", crate::text::reason(&error));
                let record = Record::without_measures(seq, Outcome::Failed(why.into()));
                Over { task: Task::numbered(seq, ""), record, line: None }
            })),
        }
    }
}

#[cfg(test)]
mod tests;
