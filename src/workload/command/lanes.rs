//! Blocks of standard input dealt out to jobs that run all the while:
//! `--round-robin`.
//!
//! Jobs take their turns in order; one that is slow is passed over, unless order
//! is kept. Whoever has nothing to read reads on for all: no thread of its own.

use std::collections::VecDeque;
use std::io::{self, BufRead, ErrorKind, Read};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

use super::feed::Patient;
use crate::inputs::{Blocks, InputError, Next, Patience};
use crate::process::child::Bell;

/// How much may wait for one job, if it is more than one block: about what a pipe
/// holds.
const WAITING: usize = 64 << 10;

/// Blocks on their way to jobs.
pub struct Lanes {
    /// Held by whoever reads, which may wait for input. Taken before `state`.
    source: Mutex<(Blocks, Patient)>,
    state: Mutex<State>,
    /// How many jobs there are at most.
    most: AtomicUsize,
    /// Whether a slow job is waited for.
    in_turn: bool,
}

#[derive(Default)]
struct State {
    lanes: Vec<Lane>,
    /// The lane that the next block is for.
    turn: usize,
    /// Whether all lanes that there will be have been opened.
    all_open: bool,
    ended: bool,
}

#[derive(Default)]
struct Lane {
    waiting: VecDeque<Vec<u8>>,
    n_bytes: usize,
    /// Whom to wake when something has come.
    bell: Option<Bell>,
    closed: bool,
}

/// What became of an attempt to read on.
enum Progress {
    Some,
    /// Somebody else reads, or a job is waited for; a bell will ring.
    Later,
}

impl Lanes {
    /// At most `most` lanes for the blocks of `blocks`. With `in_turn` each block
    /// goes where its number says, however long that takes.
    #[must_use]
    pub fn new(blocks: Blocks, patience: Patient, most: usize, in_turn: InTurn) -> Self {
        let in_turn = in_turn == InTurn::Always;
        Self {
            source: Mutex::new((blocks, patience)),
            state: Mutex::default(),
            most: AtomicUsize::new(most),
            in_turn,
        }
    }

    /// No more lanes than this, before any is open: as many jobs run at a time.
    pub(super) fn narrow(&self, most: usize) {
        self.most.fetch_min(most, Ordering::Relaxed);
    }

    fn most(&self) -> usize {
        self.most.load(Ordering::Relaxed)
    }

    /// Opens another lane with a block in it; `false` when there is none to be.
    pub(super) fn open(&self, patience: &mut dyn Patience) -> Result<bool, InputError> {
        let mut source = self.source.lock().unwrap_or_else(PoisonError::into_inner);
        let may_open = {
            let state = self.state();
            state.lanes.len() < self.most() && !state.ended
        };
        let mut block = Vec::new();
        let opened = may_open && source.0.next(&mut block, patience)? == Next::Ready;
        drop(source);
        let mut state = self.state();
        if opened {
            state.lanes.push(Lane { n_bytes: block.len(), waiting: [block].into(), ..Lane::default() });
        }
        state.ended |= may_open && !opened;
        state.all_open |= !opened || state.lanes.len() >= self.most();
        state.ring_all();
        Ok(opened)
    }

    /// What the job of lane `number` reads; `bell` wakes it when there is more.
    pub(super) fn reader(&self, number: usize, bell: Bell) -> Reader<'_> {
        Reader { lanes: self, number, bell, block: Vec::new(), at: 0 }
    }

    /// Reads the next block for whose turn it is.
    fn read_on(&self) -> io::Result<Progress> {
        let mut source = match self.source.try_lock() {
            Ok(source) => source,
            Err(TryLockError::WouldBlock) => return Ok(Progress::Later),
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
        };
        let Some(lane) = self.state().next_lane(self.in_turn) else { return Ok(Progress::Later) };
        let mut block = Vec::new();
        let (blocks, patience) = &mut *source;
        let next = blocks.next(&mut block, &mut **patience);
        drop(source);
        let mut state = self.state();
        match next {
            Ok(Next::Ready) => {
                state.turn = (lane + 1) % state.lanes.len();
                let lane = &mut state.lanes[lane];
                lane.n_bytes += block.len();
                lane.waiting.push_back(block);
            }
            Ok(Next::Woken | Next::End) | Err(_) => state.ended = true,
        }
        state.ring_all();
        next.map(|_| Progress::Some).map_err(io::Error::other)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether blocks may be dealt out of turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InTurn {
    /// Never.
    Always,
    /// Past jobs that are slow.
    UnlessSlow,
}

impl State {
    /// The lane that takes the next block, if one does now.
    fn next_lane(&self, in_turn: bool) -> Option<usize> {
        if !self.all_open {
            return None;
        }
        let n = self.lanes.len();
        let mut open = (0..n).map(|step| (self.turn + step) % n).filter(|&lane| !self.lanes[lane].closed);
        let has_room = |lane: &usize| self.lanes[*lane].n_bytes < WAITING;
        if in_turn { open.next().filter(has_room) } else { open.find(has_room) }
    }

    fn ring_all(&self) {
        self.lanes.iter().filter_map(|lane| lane.bell.as_ref()).for_each(Bell::ring);
    }
}

/// One job's blocks.
pub(super) struct Reader<'a> {
    lanes: &'a Lanes,
    number: usize,
    bell: Bell,
    block: Vec<u8>,
    at: usize,
}

impl BufRead for Reader<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.at == self.block.len() {
            {
                let mut state = self.lanes.state();
                let ended = state.ended;
                let Some(lane) = state.lanes.get_mut(self.number) else { return Ok(&[]) };
                lane.n_bytes -= std::mem::take(&mut self.block).len();
                self.at = 0;
                if let Some(block) = lane.waiting.pop_front() {
                    self.block = block;
                    state.ring_all();
                    continue;
                }
                if ended {
                    return Ok(&[]);
                }
                lane.bell.get_or_insert_with(|| self.bell.clone());
            }
            if let Progress::Later = self.lanes.read_on()? {
                return Err(ErrorKind::WouldBlock.into());
            }
        }
        Ok(&self.block[self.at..])
    }

    fn consume(&mut self, amount: usize) {
        self.at += amount;
    }
}

impl Read for Reader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.fill_buf()?.read(buffer)?;
        self.consume(length);
        Ok(length)
    }
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        let mut state = self.lanes.state();
        if let Some(lane) = state.lanes.get_mut(self.number) {
            *lane = Lane { closed: true, ..Lane::default() };
        }
        state.ring_all();
    }
}
