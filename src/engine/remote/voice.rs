//! How a worker tells what happens to its tasks.
//!
//! What is told of a task's end waits a moment for what is told of the next one's start:
//! one write for both. Knows nothing of what carries the words.

use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::frame::{LONGEST_ANSWER, put_frame};
use super::protocol::{Incident, TaskBegun, kind};
use super::request::TaskReport;
use super::seats::WorkerSeats;
use crate::engine::RecordSink;
use crate::event::{Event, Observer};
use crate::output::{Acknowledge, Channel, Sink, TaskOutput, TaskRef};
use crate::sync::Mutex;
use crate::task::{Outcome, Record};
use crate::workload::Desk;

/// Progress within a task is told at most so often.
const INTERVAL: Duration = Duration::from_millis(100);

/// What a task writes is told in pieces of at most so many bytes.
const PIECE: usize = 1 << 20;

/// Tells the other side what happens here.
pub(super) struct Voice<W>(Mutex<Speaker<W>>);

struct Speaker<W> {
    to: W,
    /// What was said and not written yet.
    unwritten: Vec<u8>,
    /// Whether nobody listens any more.
    is_broken: bool,
}

impl<W: Write> Speaker<W> {
    fn say(&mut self, kind: u8, parts: &[&[u8]]) -> io::Result<()> {
        put_frame(&mut self.unwritten, kind, parts, LONGEST_ANSWER)
    }

    /// What follows a message that was cut is no message.
    fn flush(&mut self) -> io::Result<()> {
        if self.is_broken {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let written = self.to.write_all(&self.unwritten);
        self.is_broken = written.is_err();
        self.unwritten.clear();
        self.unwritten.shrink_to(PIECE);
        written
    }
}

impl<W: Write> Voice<W> {
    pub(super) fn new(to: W) -> Self {
        Self(Mutex::new(Speaker { to, unwritten: Vec::new(), is_broken: false }))
    }

    /// Says something, and all that waited.
    pub(super) fn say(&self, kind: u8, parts: &[&[u8]]) -> io::Result<()> {
        let mut speaker = self.0.lock();
        speaker.say(kind, parts)?;
        speaker.flush()
    }

    /// Says something that means nothing where somebody else is saying something.
    pub(super) fn say_unless_busy(&self, kind: u8) {
        if let Some(mut speaker) = self.0.try_lock() {
            // That nobody listens shows when a record is handed back.
            let _ = speaker.say(kind, &[]).and_then(|()| speaker.flush());
        }
    }

    /// Says all that waited.
    pub(super) fn flush(&self) {
        let mut speaker = self.0.lock();
        if !speaker.unwritten.is_empty() {
            // That nobody listens shows in the next task.
            let _ = speaker.flush();
        }
    }

    pub(super) fn is_broken(&self) -> bool {
        self.0.lock().is_broken
    }
}

/// Tells of the tasks of one slot, one after the other.
pub(super) struct SlotVoice<'a, W> {
    voice: &'a Voice<W>,
    seats: &'a WorkerSeats,
    /// Which of the slots here, from 0.
    slot: usize,
    /// Which task is told of.
    seq: AtomicU64,
    progress: Mutex<TaskProgress>,
}

/// What a task has produced.
struct TaskProgress {
    /// Bytes that were not told of yet.
    untold: u64,
    /// When they were last told of.
    last: Instant,
}

impl<'a, W: Write + Send> SlotVoice<'a, W> {
    pub(super) fn new(voice: &'a Voice<W>, seats: &'a WorkerSeats, slot: usize) -> Self {
        let progress = Mutex::new(TaskProgress { untold: 0, last: Instant::now() });
        Self { voice, seats, slot, seq: AtomicU64::new(0), progress }
    }

    /// A task begins.
    pub(super) fn begins(&self, begun: &TaskBegun) {
        self.seq.store(begun.seq, Ordering::Relaxed);
        self.progress.lock().untold = 0;
        // That nobody listens shows when the record is handed back.
        let _ = self.voice.say(kind::BEGUN, &[&begun.encoded()]);
    }

    /// Tells of the task that is being done.
    fn tell(&self, kind: u8, payload: &[u8]) -> io::Result<()> {
        self.voice.say(kind, &[&self.seq.load(Ordering::Relaxed).to_le_bytes(), payload])
    }
}

impl<W: Write + Send> Desk for SlotVoice<'_, W> {
    fn ask(&self, question: Value) -> Option<Value> {
        self.tell(kind::CONSULT, &serde_json::to_vec(&question).ok()?).ok()?;
        self.seats.wait_for_answer(self.slot)
    }
}

impl<W: Write + Send> Sink for SlotVoice<'_, W> {
    fn open<'a>(&'a self, _task: TaskRef<'a>) -> Box<dyn TaskOutput + 'a> {
        Box::new(SpokenOutput(self))
    }
}

/// What one task writes.
struct SpokenOutput<'a, 'v, W>(&'a SlotVoice<'v, W>);

impl<W: Write + Send> TaskOutput for SpokenOutput<'_, '_, W> {
    fn write(&mut self, channel: Channel, bytes: &[u8]) -> io::Result<()> {
        let kind = match channel {
            Channel::Out => kind::OUT,
            Channel::Err => kind::ERR,
        };
        bytes.chunks(PIECE).try_for_each(|piece| self.0.tell(kind, piece))
    }

    fn close(self: Box<Self>, record: Record, acknowledge: &dyn Acknowledge) {
        acknowledge.acknowledge(record);
    }
}

impl<W: Write + Send> Observer for SlotVoice<'_, W> {
    fn observe(&self, event: &Event<'_>) {
        // That nobody listens shows when the record is handed back.
        let _ = match event {
            Event::Advanced { bytes } => {
                let mut progress = self.progress.lock();
                progress.untold += bytes;
                if progress.last.elapsed() < INTERVAL {
                    return;
                }
                progress.last = Instant::now();
                self.tell(kind::ADVANCED, &std::mem::take(&mut progress.untold).to_le_bytes())
            }
            Event::TaskNamed { label, .. } => self.tell(kind::NAMED, label.as_bytes()),
            other => match Incident::of(other).map(|incident| serde_json::to_vec(&incident)) {
                Some(Ok(incident)) => self.tell(kind::INCIDENT, &incident),
                Some(Err(_)) | None => return,
            },
        };
    }
}

impl<W: Write + Send> RecordSink for &SlotVoice<'_, W> {
    fn enter(&mut self, record: Record) {
        let seq = record.seq;
        let report = TaskReport(record).encoded().expect("a record can be written");
        let mut speaker = self.voice.0.lock();
        let said = speaker.say(kind::DONE, &[&report]).or_else(|error| {
            // Whoever waits for it is to know, at least.
            let why = format!("its record is too long to be passed on: {error}");
            let record = Record::without_measures(seq, Outcome::Failed(why.into()));
            speaker.say(kind::DONE, &[&TaskReport(record).encoded().expect("a record can be written")])
        });
        if said.is_ok() && !self.seats.has_waiting() {
            let _ = speaker.flush();
        }
    }
}
