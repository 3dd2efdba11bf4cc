//! Jobs counted, or read before anybody asks for them, so that their number is known early:
//! those whose inputs are there already are taken in beside the running ones.
//!
//! They wait in memory as far as there is room, then in a file without a name, both of
//! limited size: a producer without an end fills neither. Knows nothing of who wants the
//! number.

use std::collections::VecDeque;
use std::io::Cursor;
use std::sync::Arc;
use std::thread;

use anyhow::Context as _;

use super::Settings;
use super::job_feed::{BoxedPatience, JobFeed};
use super::saved_inputs::{READ_BACK, read_job, write_job};
use crate::inputs::{InputCount, RowCounter};
use crate::output::{SpillFile, Spilled};
use crate::sync::{Condvar, Mutex};
use crate::task::TaskInput;

/// Jobs are put aside and taken back so many bytes at a time.
const BLOCK: usize = 64 << 10;

/// Whole blocks take at most this much memory: with the one that is filled and the one that
/// is taken from, 512 KiB.
const IN_MEMORY: usize = 6 * BLOCK;

/// The file takes at most this much: some million jobs.
const IN_FILE: u64 = 64 << 20;

/// Has `counter` tell `count` how many jobs there are, each of which is a row, as long as
/// `patience` lasts.
pub fn count_beside(counter: RowCounter, count: InputCount, mut patience: BoxedPatience) {
    let rows = move || {
        // Whoever needs the rows themselves tells what is wrong with them.
        if let Ok(Some(rows)) = counter.count(&mut *patience) {
            count.add(rows);
            count.end();
        }
    };
    // Without the thread the number is known at the end.
    let _ = thread::Builder::new().name("inputs".to_owned()).spawn(rows);
}

/// Where jobs come from.
pub(super) enum Jobs {
    /// Read when they are asked for.
    OnDemand(JobFeed),
    /// Read by a thread of its own.
    Ahead(ReadAhead),
}

impl Jobs {
    /// The next job; `None` when there is none, or nobody wants it any more.
    pub(super) fn next(&mut self, settings: &Settings) -> anyhow::Result<Option<TaskInput>> {
        match self {
            Self::OnDemand(feed) => feed.next(settings),
            Self::Ahead(ahead) => ahead.next(),
        }
    }
}

/// Jobs that a thread reads as long as there is room for them.
pub(super) struct ReadAhead(Arc<Shared>);

#[derive(Default)]
struct Shared {
    queue: Mutex<JobQueue>,
    /// Rung when there is a job, or none any more.
    arrived: Condvar,
    /// Rung when a job was taken, or nobody wants one.
    taken: Condvar,
}

#[derive(Default)]
struct JobQueue {
    waiting: WaitingJobs,
    /// How reading ended; an error is handed on once.
    ended: Option<anyhow::Result<()>>,
    /// Whether nobody wants another job.
    is_left: bool,
}

impl ReadAhead {
    /// Reads the jobs of `feed`, which makes them as `settings` say, and tells `count`.
    ///
    /// # Errors
    /// When there can be no thread.
    pub(super) fn start(feed: JobFeed, settings: Settings, count: InputCount) -> anyhow::Result<Self> {
        let shared = Arc::<Shared>::default();
        let reader = Arc::clone(&shared);
        let read = move || reader.read(feed, &settings, &count);
        let thread = thread::Builder::new().name("inputs".to_owned()).spawn(read);
        // It ends by itself: with the inputs, or when nothing more is to be begun.
        thread.context("cannot start the thread that reads the inputs")?;
        Ok(Self(shared))
    }

    fn next(&self) -> anyhow::Result<Option<TaskInput>> {
        let mut queue = self.0.queue.lock();
        loop {
            if let Some(job) = queue.waiting.take()? {
                if !queue.waiting.is_full() {
                    self.0.taken.notify_one();
                }
                return Ok(Some(job));
            }
            match &mut queue.ended {
                None => queue = self.0.arrived.wait(queue),
                Some(ended) => return std::mem::replace(ended, Ok(())).map(|()| None),
            }
        }
    }
}

impl Drop for ReadAhead {
    fn drop(&mut self) {
        self.0.queue.lock().is_left = true;
        self.0.taken.notify_one();
    }
}

impl Shared {
    fn read(&self, mut feed: JobFeed, settings: &Settings, count: &InputCount) {
        loop {
            let next = feed.next(settings);
            let mut queue = self.queue.lock();
            match next {
                Ok(Some(job)) => {
                    queue.waiting.put(&job);
                    count.add(1);
                }
                Ok(None) => {
                    if feed.has_ended() {
                        count.end();
                    }
                    queue.ended = Some(Ok(()));
                }
                Err(error) => queue.ended = Some(Err(error)),
            }
            self.arrived.notify_one();
            while queue.waiting.is_full() && !queue.is_left {
                queue = self.taken.wait(queue);
            }
            if queue.ended.is_some() || queue.is_left {
                return;
            }
        }
    }
}

/// Jobs in their order, as they are saved.
#[derive(Default)]
struct WaitingJobs {
    /// The block that jobs are taken from.
    front: Cursor<Vec<u8>>,
    blocks: VecDeque<JobBlock>,
    /// The block that is filled.
    back: Vec<u8>,
    in_memory: usize,
    file: SpillFile,
    in_file: u64,
    /// Whether nothing can be put into the file.
    has_no_file: bool,
}

/// Whole jobs, one behind the other.
enum JobBlock {
    Memory(Vec<u8>),
    Spilled(Spilled),
}

impl WaitingJobs {
    fn put(&mut self, job: &TaskInput) {
        write_job(&mut self.back, job).expect("a list takes all there is memory for");
        if self.back.len() < BLOCK {
            return;
        }
        let block = std::mem::take(&mut self.back);
        let block = if let Some(spilled) = self.spilled(&block) {
            JobBlock::Spilled(spilled)
        } else {
            self.in_memory += block.len();
            JobBlock::Memory(block)
        };
        self.blocks.push_back(block);
    }

    /// `block` in the file, where there is no room for it in memory.
    fn spilled(&mut self, block: &[u8]) -> Option<Spilled> {
        if self.has_no_file || self.in_memory + block.len() <= IN_MEMORY {
            return None;
        }
        let spilled = self.file.put(block).ok();
        // What was read is not lost without one; there just will not be more.
        self.has_no_file = spilled.is_none();
        self.in_file += if self.has_no_file { 0 } else { block.len() as u64 };
        spilled
    }

    /// Whether no more is to be put before some of it has been taken.
    fn is_full(&self) -> bool {
        if self.has_no_file { self.in_memory >= IN_MEMORY } else { self.in_file >= IN_FILE }
    }

    fn take(&mut self) -> anyhow::Result<Option<TaskInput>> {
        if self.front.position() >= self.front.get_ref().len() as u64 {
            let block = match self.blocks.pop_front() {
                Some(JobBlock::Memory(block)) => {
                    self.in_memory -= block.len();
                    block
                }
                Some(JobBlock::Spilled(spilled)) => self.read_back(spilled).context(READ_BACK)?,
                None if self.back.is_empty() => return Ok(None),
                None => std::mem::take(&mut self.back),
            };
            self.front = Cursor::new(block);
        }
        read_job(&mut self.front).context(READ_BACK).map(Some)
    }

    fn read_back(&mut self, spilled: Spilled) -> std::io::Result<Vec<u8>> {
        let mut block = Vec::new();
        self.file.read(spilled, |piece| {
            block.extend_from_slice(piece);
            Ok(())
        })?;
        if !self.blocks.iter().any(|block| matches!(block, JobBlock::Spilled(_))) {
            self.in_file = 0;
            self.file.reset()?;
        }
        Ok(block)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn job(value: &[u8]) -> TaskInput {
        TaskInput::Values(vec![value.to_vec()])
    }

    proptest! {
        #[test]
        fn jobs_come_back_in_their_order_wherever_they_waited(
            lengths in prop::collection::vec((0..200_000_usize, any::<bool>()), 0..40),
        ) {
            let mut waiting = WaitingJobs::default();
            let all: Vec<TaskInput> =
                (b'0'..).zip(&lengths).map(|(byte, (length, _))| job(&vec![byte; *length])).collect();
            let mut expected = all.iter();
            for (put, (_, is_taken)) in all.iter().zip(&lengths) {
                waiting.put(put);
                let bytes = waiting.in_memory + waiting.back.len();
                prop_assert!(bytes <= IN_MEMORY + BLOCK, "{bytes} bytes");
                if *is_taken {
                    let taken = waiting.take().unwrap();
                    prop_assert_eq!(taken.as_ref(), expected.next());
                }
            }
            for job in expected {
                let taken = waiting.take().unwrap();
                prop_assert_eq!(taken.as_ref(), Some(job));
            }
            prop_assert_eq!(waiting.take().unwrap(), None);
            prop_assert_eq!((waiting.in_memory, waiting.in_file), (0, 0));
        }
    }

    #[test]
    fn a_producer_without_an_end_fills_neither_memory_nor_the_disk() {
        for (file, room) in [(SpillFile::default(), IN_FILE), (SpillFile::full(), IN_MEMORY as u64)] {
            let mut waiting = WaitingJobs { file, ..WaitingJobs::default() };
            let mut n_put: u64 = 0;
            while !waiting.is_full() {
                waiting.put(&job(&[b'x'; 4000]));
                n_put += 1;
            }
            assert!((room..room + 2 * room / 3).contains(&(n_put * 4000)), "{n_put} jobs of 4000 bytes");
            let mut n_taken = 0;
            while waiting.take().unwrap().is_some() {
                n_taken += 1;
            }
            assert_eq!((n_taken, waiting.is_full()), (n_put, false));
        }
    }
}
