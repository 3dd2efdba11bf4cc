//! Blocks of standard input dealt out to jobs that run all the while:
//! `--round-robin`.
//!
//! Jobs take their turns in order; one that is slow is passed over, unless order
//! is kept. Whoever has nothing to read reads on for all: no thread of its own.

use crate::event::{Event, Observer};
use crate::sync::Mutex;
use std::collections::VecDeque;
use std::io::{self, BufRead, ErrorKind, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::job_feed::{BoxedPatience, next_block};
use crate::inputs::{Blocks, InputError, Patience, ReadNext};
use crate::numbers;
use crate::process::Waker;

/// How much may wait for one job, if it is more than one block: about what a pipe
/// holds.
const WAITING: usize = 64 << 10;

/// Blocks on their way to jobs.
pub struct RoundRobin {
    /// Held by whoever reads, which may wait for input. Taken before `state`.
    source: Mutex<(VecDeque<Blocks>, BoxedPatience)>,
    state: Mutex<DealState>,
    /// How many jobs there are at most.
    most: AtomicUsize,
    /// Whether a slow job is waited for.
    in_turn: bool,
}

#[derive(Default)]
struct DealState {
    jobs: Vec<DealtJob>,
    /// The job that the next block is for.
    turn: usize,
    /// Whether all jobs that there will be have been opened.
    all_open: bool,
    ended: bool,
}

#[derive(Default)]
struct DealtJob {
    waiting: VecDeque<Vec<u8>>,
    n_bytes: usize,
    /// Whom to wake when something has come.
    waker: Option<Waker>,
    closed: bool,
    /// Whether somebody attends to it, or did.
    attended: bool,
    /// How much of what was dealt to it it was never given.
    lost: u64,
}

impl DealtJob {
    /// Whether something was dealt to it, and nobody is there to read it yet.
    fn has_nobody(&self) -> bool {
        !self.attended && !self.waiting.is_empty()
    }
}

/// Has the blocks dealt out among as many jobs as there are slots for.
pub struct Narrows<'a> {
    pub(super) jobs: Option<Arc<RoundRobin>>,
    pub(super) observer: &'a dyn Observer,
}

impl Observer for Narrows<'_> {
    fn observe(&self, event: &Event<'_>) {
        // Told before any task is begun: as many run at a time.
        if let (Some(jobs), Event::FewerSlots { slots, .. }) = (&self.jobs, event) {
            jobs.most.fetch_min(*slots, Ordering::Relaxed);
        }
        self.observer.observe(event);
    }
}

impl RoundRobin {
    /// At most `most` jobs for the blocks of one stream after another. With
    /// `in_turn` each block goes where its number says, however long that takes.
    pub fn new(streams: Vec<Blocks>, patience: BoxedPatience, most: usize, in_turn: InTurn) -> Self {
        let in_turn = in_turn == InTurn::Always;
        Self {
            source: Mutex::new((streams.into(), patience)),
            state: Mutex::default(),
            most: AtomicUsize::new(most),
            in_turn,
        }
    }

    fn most(&self) -> usize {
        self.most.load(Ordering::Relaxed)
    }

    /// Opens another job with a block for it; `false` when there is none to be. After
    /// an error there is none, either, and those that are open get no more.
    pub(super) fn open(&self, patience: &mut dyn Patience) -> Result<bool, InputError> {
        let mut source = self.source.lock();
        let may_open = {
            let state = self.state.lock();
            state.jobs.len() < self.most() && !state.ended
        };
        let mut block = Vec::new();
        let next = if may_open {
            // Each job reads the stream's header once.
            next_block(&mut source.0, |blocks| blocks.next(&mut block, patience))
        } else {
            Ok(ReadNext::End)
        };
        drop(source);
        let opened = matches!(next, Ok(ReadNext::Ready));
        let mut state = self.state.lock();
        if opened {
            state.jobs.push(DealtJob {
                n_bytes: block.len(),
                waiting: [block].into(),
                ..DealtJob::default()
            });
        }
        state.ended |= may_open && !opened;
        state.all_open |= !opened || state.jobs.len() >= self.most();
        // Those that wait for the others to open have to hear of an error, too.
        state.ring_all();
        next.map(|_| opened)
    }

    /// Job `number` is over once this is dropped, whether it was ever
    /// started or not: nothing is dealt to it any more.
    pub(super) fn attended(&self, number: usize) -> AttendedJob<'_> {
        let mut state = self.state.lock();
        if let Some(job) = state.jobs.get_mut(number) {
            job.attended = true;
        }
        // Those that have read all that was dealt to them may end.
        state.ring_all();
        AttendedJob { dealer: self, number }
    }

    /// There are no more jobs than those that were handed out: the one
    /// that was opened last is not, if nobody has attended to it. Others read what was dealt
    /// to it.
    pub(super) fn no_more_jobs(&self) {
        let mut state = self.state.lock();
        state.all_open = true;
        if let Some(last) = state.jobs.last_mut().filter(|last| !last.attended) {
            let waiting = std::mem::take(last).waiting;
            last.closed = true;
            for block in waiting {
                state.deal(block, 0);
            }
        }
        state.ring_all();
    }

    /// Nothing is dealt to job `number` any more. It was given all that was taken
    /// from it but `unread` bytes.
    fn close(&self, number: usize, unread: usize) {
        let mut state = self.state.lock();
        if let Some(job) = state.jobs.get_mut(number) {
            let waiting: usize = job.waiting.iter().map(Vec::len).sum();
            let lost = job.lost + (waiting + unread) as u64;
            *job = DealtJob { closed: true, attended: true, lost, ..DealtJob::default() };
        }
        state.ring_all();
    }

    /// What job `number` reads; `waker` wakes it when there is more.
    pub(super) fn reader(&self, number: usize, waker: Waker) -> DealtReader<'_> {
        DealtReader { dealer: self, number, waker, block: Vec::new(), at: 0 }
    }

    /// What job `number` left of the input, now that its reader is
    /// gone: as many bytes that were dealt to it, and `unread` more that it was given.
    ///
    /// # Errors
    /// In words, where something is left.
    pub(super) fn check_read(&self, number: usize, unread: u64) -> Result<(), String> {
        let (lost, is_last) = {
            let state = self.state.lock();
            let lost = state.jobs.get(number).map_or(0, |job| job.lost);
            (lost, state.all_open && !state.ended && state.jobs.iter().all(|job| job.closed))
        };
        if lost + unread > 0 {
            let bytes = numbers::plural(lost + unread, "byte");
            return Err(format!("it ended without reading {bytes} that --round-robin dealt to it"));
        }
        if is_last && self.has_more() {
            return Err("it ended, as all other jobs of --round-robin had, before the input did".to_owned());
        }
        Ok(())
    }

    /// Whether there is input that nobody will read.
    fn has_more(&self) -> bool {
        let mut source = self.source.lock();
        let more = matches!(read_block(&mut source, &mut Vec::new()), Ok(ReadNext::Ready));
        drop(source);
        self.state.lock().ended = true;
        more
    }

    /// Reads the next block for whose turn it is; `false` when somebody else reads, or a
    /// job is waited for: a bell will ring.
    fn read_on(&self) -> io::Result<bool> {
        let Some(mut source) = self.source.try_lock() else { return Ok(false) };
        let Some(job) = self.state.lock().next_job(self.in_turn) else { return Ok(false) };
        let mut block = Vec::new();
        let next = read_block(&mut source, &mut block);
        let mut state = self.state.lock();
        match next {
            Ok(ReadNext::Ready) => {
                state.turn = (job + 1) % state.jobs.len();
                state.deal(block, job);
            }
            Ok(ReadNext::Woken | ReadNext::End) | Err(_) => state.ended = true,
        }
        drop(state);
        // Not before it is dealt: whoever finds the end meanwhile would let the job go that this
        // block is for. And before the bell, for who hears that reads on.
        drop(source);
        self.state.lock().ring_all();
        next.map(|_| true).map_err(io::Error::other)
    }
}

/// Reads the next block of all streams, without a header.
fn read_block(
    (streams, patience): &mut (VecDeque<Blocks>, BoxedPatience),
    block: &mut Vec<u8>,
) -> Result<ReadNext, InputError> {
    next_block(streams, |blocks| blocks.next_without_header(block, &mut **patience))
}

/// A job as long as somebody attends to it.
pub(super) struct AttendedJob<'a> {
    dealer: &'a RoundRobin,
    number: usize,
}

impl Drop for AttendedJob<'_> {
    fn drop(&mut self) {
        self.dealer.close(self.number, 0);
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

impl DealState {
    /// The job that takes the next block, if one does now.
    fn next_job(&self, in_turn: bool) -> Option<usize> {
        if !self.all_open {
            return None;
        }
        let n = self.jobs.len();
        let mut open = (0..n).map(|step| (self.turn + step) % n).filter(|&job| !self.jobs[job].closed);
        let has_room = |job: &usize| self.jobs[*job].n_bytes < WAITING;
        if in_turn { open.next().filter(has_room) } else { open.find(has_room) }
    }

    /// Gives `block` to `job`, or to another one if that has ended meanwhile.
    fn deal(&mut self, block: Vec<u8>, job: usize) {
        let n = self.jobs.len();
        let open = (0..n).map(|step| (job + step) % n).find(|&job| !self.jobs[job].closed);
        if let Some(job) = open {
            self.jobs[job].n_bytes += block.len();
            self.jobs[job].waiting.push_back(block);
        }
    }

    fn ring_all(&self) {
        self.jobs.iter().filter_map(|job| job.waker.as_ref()).for_each(Waker::wake);
    }
}

/// One job's blocks.
pub(super) struct DealtReader<'a> {
    dealer: &'a RoundRobin,
    number: usize,
    waker: Waker,
    block: Vec<u8>,
    at: usize,
}

impl BufRead for DealtReader<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.at == self.block.len() {
            {
                let mut state = self.dealer.state.lock();
                let ended = state.ended;
                // It may come to be this one's yet.
                let is_all_dealt = !state.jobs.iter().any(DealtJob::has_nobody);
                let Some(job) = state.jobs.get_mut(self.number) else { return Ok(&[]) };
                job.n_bytes -= std::mem::take(&mut self.block).len();
                self.at = 0;
                if let Some(block) = job.waiting.pop_front() {
                    self.block = block;
                    state.ring_all();
                    continue;
                }
                if ended && is_all_dealt {
                    return Ok(&[]);
                }
                job.waker.get_or_insert_with(|| self.waker.clone());
                if ended {
                    return Err(ErrorKind::WouldBlock.into());
                }
            }
            if !self.dealer.read_on()? {
                return Err(ErrorKind::WouldBlock.into());
            }
        }
        Ok(&self.block[self.at..])
    }

    fn consume(&mut self, amount: usize) {
        self.at += amount;
    }
}

impl Read for DealtReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.fill_buf()?.read(buffer)?;
        self.consume(length);
        Ok(length)
    }
}

impl Drop for DealtReader<'_> {
    fn drop(&mut self) {
        self.dealer.close(self.number, self.block.len() - self.at);
    }
}

#[cfg(test)]
mod tests;
