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
use std::mem::take;
use std::sync::Arc;

use super::early::{Early, Over};
use super::spill::{Piece, Spill};
use crate::output::{Acknowledge, Channel, Destination, Sink, TaskOutput, TaskRef, Wake, handed_on};
use crate::task::{Record, Task};

/// What a piece in memory takes beside its bytes.
const PIECE: usize = 64;

/// The share of the budget that records of tasks that are over may take: they come
/// back from the spill file as well, and what tasks write is to have the room.
const SHARE_OF_RECORDS: usize = 8;

/// Puts the outputs of tasks in input order.
pub struct Ordered<D> {
    state: Mutex<State>,
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

struct State {
    messages: Messages,
    /// Whose turn it is.
    turn: u64,
    waiting: BTreeMap<u64, Waiting>,
    in_memory: usize,
    /// How much of it is records.
    records_in_memory: usize,
    budget: usize,
    spill: Spill,
    /// Why the spill file took nothing more the last time.
    full: Option<String>,
    /// Those who wait until there is a place again.
    held_up: Vec<Wake>,
}

/// What a task has written so far that was not handed on.
#[derive(Default)]
struct Waiting {
    pieces: Vec<(Channel, Bytes)>,
    /// What comes last.
    messages: Vec<(Channel, Bytes)>,
    /// Set when the task is over.
    closed: Option<Early>,
}

enum Bytes {
    Memory(Vec<u8>),
    Spilled(Piece),
}

impl<D: Destination> Ordered<D> {
    /// Keeps at most `budget` bytes in memory; the first turn is that of the
    /// task handed out first. What a task writes comes as it was written.
    #[must_use]
    pub fn new(destination: D, budget: usize) -> Self {
        Self::with(destination, budget, Messages::AsTheyCome)
    }

    /// The same, but the messages of each task come behind what it produces.
    #[must_use]
    pub fn grouped(destination: D, budget: usize) -> Self {
        Self::with(destination, budget, Messages::Last)
    }

    fn with(destination: D, budget: usize, messages: Messages) -> Self {
        let state = State {
            messages,
            turn: 0,
            waiting: BTreeMap::new(),
            in_memory: 0,
            records_in_memory: 0,
            budget,
            spill: Spill::default(),
            full: None,
            held_up: Vec::new(),
        };
        Self { state: Mutex::new(state), destination: Mutex::new(destination), passed: Condvar::new() }
    }

    fn with_state<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.state.lock())
    }

    /// Hands on what `task`, whose turn it is, had to hold back until now, but what
    /// comes last.
    fn release(&self, destination: &mut D, task: &Task) -> io::Result<()> {
        let waiting = |state: &mut State| state.waiting.get_mut(&task.turn).map(|it| take(&mut it.pieces));
        self.hand_on(destination, task, self.with_state(waiting).unwrap_or_default())
    }

    /// Hands on all that `task`, whose turn it is, had to hold back until now.
    fn release_all(&self, destination: &mut D, task: &Task) -> io::Result<()> {
        let Some(waiting) = self.with_state(|state| state.waiting.remove(&task.turn)) else { return Ok(()) };
        let produced = self.hand_on(destination, task, waiting.pieces);
        produced.and(self.hand_on(destination, task, waiting.messages))
    }

    fn hand_on(&self, destination: &mut D, task: &Task, pieces: Vec<(Channel, Bytes)>) -> io::Result<()> {
        if pieces.is_empty() {
            return Ok(());
        }
        let mut result = Ok(());
        for (channel, bytes) in pieces {
            let handed_on = match bytes {
                Bytes::Memory(bytes) => {
                    let handed_on = destination.write(task, channel, &bytes);
                    self.with_state(|state| state.in_memory -= bytes.len() + PIECE);
                    handed_on
                }
                Bytes::Spilled(piece) => self.with_state(|state| {
                    state.spill.read(piece, |block| destination.write(task, channel, block))
                }),
            };
            result = result.and(handed_on);
        }
        self.with_state(State::wake);
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
        while let Some(next) = self.with_state(State::next_that_is_over) {
            pass(&next.task, next.record);
        }
    }
}

impl<D: Destination> Sink for Ordered<D> {
    fn open<'a>(&'a self, task: TaskRef<'a>) -> Box<dyn TaskOutput + 'a> {
        Box::new(Writer { ordered: self, task })
    }
}

struct Writer<'a, D> {
    ordered: &'a Ordered<D>,
    task: TaskRef<'a>,
}

impl<D: Destination> TaskOutput for Writer<'_, D> {
    fn write(&mut self, channel: Channel, bytes: &[u8]) -> io::Result<()> {
        let path = self.ordered.with_state(|state| state.path(&self.task, channel, bytes));
        if let Path::Aside = path {
            return Ok(());
        }
        let mut destination = self.ordered.destination.lock();
        match path {
            Path::Overflowing => self.ordered.release_all(&mut destination, &self.task),
            Path::Through | Path::Aside => {
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
        let has_no_room = |state: &mut State| state.has_no_room_for(&self.task);
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
enum Path {
    /// Straight through.
    Through,
    /// It was put aside.
    Aside,
    /// It was put aside, where there is no place for more, though its task need not
    /// wait.
    Overflowing,
}

impl State {
    /// Puts aside what `task` writes, unless it may go straight through.
    fn path(&mut self, task: &Task, channel: Channel, bytes: &[u8]) -> Path {
        let is_early = task.turn != self.turn;
        if !is_early && !self.comes_last(channel) {
            return Path::Through;
        }
        self.put_aside(task, channel, bytes);
        let has_no_room = self.full.is_some() && self.in_memory > self.budget;
        if has_no_room && !is_early { Path::Overflowing } else { Path::Aside }
    }

    fn comes_last(&self, channel: Channel) -> bool {
        self.messages == Messages::Last && channel == Channel::Err
    }

    /// Takes what `task` writes before it can be handed on.
    fn put_aside(&mut self, task: &Task, channel: Channel, bytes: &[u8]) {
        let fits = self.in_memory + bytes.len() + PIECE <= self.budget;
        let comes_last = self.comes_last(channel);
        let waiting = self.waiting.entry(task.turn).or_default();
        let pieces = if comes_last { &mut waiting.messages } else { &mut waiting.pieces };
        match pieces.last_mut() {
            Some((last, Bytes::Memory(kept))) if fits && *last == channel => {
                kept.extend_from_slice(bytes);
                self.in_memory += bytes.len();
            }
            _ if fits => {
                pieces.push((channel, Bytes::Memory(bytes.to_vec())));
                self.in_memory += bytes.len() + PIECE;
            }
            last => {
                let piece = match self.spill.put(bytes) {
                    Ok(piece) => piece,
                    Err(error) => {
                        self.full = Some(no_room(&error));
                        // Little more than what the pipe had: the task is held up now.
                        pieces.push((channel, Bytes::Memory(bytes.to_vec())));
                        self.in_memory += bytes.len() + PIECE;
                        return;
                    }
                };
                self.full = None;
                let joined = match last {
                    Some((last, Bytes::Spilled(kept))) => *last == channel && kept.joins(piece),
                    _ => false,
                };
                if !joined {
                    pieces.push((channel, Bytes::Spilled(piece)));
                }
            }
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
        waiting.pieces.shrink_to_fit();
        waiting.messages.shrink_to_fit();
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

fn no_room(error: &io::Error) -> String {
    format!("cannot put output aside in TMPDIR: {}", crate::format::reason(error))
}

#[cfg(test)]
mod tests;
