//! How a worker records: what tasks write is kept until they are over, or put down where
//! it is much; what may mean that all is being ended is held back for a moment.

use std::io;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use super::segment::{DoneEntry, Entry};
use super::segment_writer::SegmentWriter;
use super::work_list::AssignedTask;
use crate::engine::RecordSink;
use crate::event::{Event, Observer};
use crate::output::{Acknowledge, Channel, Sink, TaskOutput, TaskRef};
use crate::sync::Mutex;
use crate::task::Record;

/// A batch system ends tasks before their worker hears that it is to end as well: so long
/// it is open what a task that did not succeed means.
const LAG: Duration = Duration::from_millis(300);

/// So much of what a task writes is kept; more is put down at once.
const KEPT: usize = 256 << 10;

/// Puts down what happens to a worker's tasks.
pub(super) struct Scribe {
    segment: Mutex<SegmentWriter>,
    held: Mutex<Vec<(Instant, AssignedTask, Box<DoneEntry>)>>,
    executions: AtomicU32,
}

impl Scribe {
    pub(super) fn new(segment: SegmentWriter) -> Self {
        Self { segment: Mutex::new(segment), held: Mutex::default(), executions: AtomicU32::new(0) }
    }

    pub(super) fn put(&self, entry: &Entry) -> io::Result<()> {
        self.segment.lock().put(entry)
    }

    /// A number for what is done now.
    pub(super) fn execution(&self) -> u32 {
        self.executions.fetch_add(1, Ordering::Relaxed)
    }

    /// The end of a task is put down later, if that still means something.
    pub(super) fn hold(&self, task: AssignedTask, done: Box<DoneEntry>) {
        self.held.lock().push((Instant::now() + LAG, task, done));
    }

    /// Those that were held back for long enough, or all.
    pub(super) fn due(&self, all: bool) -> Vec<(AssignedTask, Box<DoneEntry>)> {
        let now = Instant::now();
        let mut held = self.held.lock();
        held.extract_if(.., |(due, ..)| all || *due <= now).map(|(_, task, done)| (task, done)).collect()
    }

    /// How long until one is due.
    pub(super) fn next_due(&self) -> Option<Duration> {
        let due = self.held.lock().iter().map(|(due, ..)| *due).min();
        due.map(|due| due.saturating_duration_since(Instant::now()))
    }
}

/// A task that is over: its record, which execution it was, and what it wrote that is not
/// put down.
pub(super) struct ScribedTask {
    pub(super) record: Record,
    pub(super) execution: u32,
    pub(super) written: Vec<(Channel, Vec<u8>)>,
}

/// Takes down the tasks of one slot, one after the other.
pub(super) struct SlotScribe<'a> {
    scribe: &'a Scribe,
    told: Mutex<ToldTask>,
}

/// What a task told so far.
#[derive(Default)]
struct ToldTask {
    execution: u32,
    written: Vec<(Channel, Vec<u8>)>,
    /// How much that is.
    length: usize,
    record: Option<Record>,
    trouble: Option<io::Error>,
}

impl<'a> SlotScribe<'a> {
    pub(super) fn new(scribe: &'a Scribe) -> Self {
        Self { scribe, told: Mutex::default() }
    }

    /// A task begins.
    pub(super) fn begins(&self) {
        *self.told.lock() = ToldTask { execution: self.scribe.execution(), ..ToldTask::default() };
    }

    /// It is over.
    pub(super) fn ended(&self) -> io::Result<Option<ScribedTask>> {
        let ToldTask { execution, written, record, trouble, .. } = std::mem::take(&mut *self.told.lock());
        match trouble {
            Some(error) => Err(error),
            None => Ok(record.map(|record| ScribedTask { record, execution, written })),
        }
    }
}

impl ToldTask {
    fn write(&mut self, channel: Channel, bytes: &[u8]) {
        self.length += bytes.len();
        match self.written.last_mut() {
            Some((last, kept)) if *last == channel => kept.extend_from_slice(bytes),
            _ => self.written.push((channel, bytes.to_vec())),
        }
    }
}

impl Sink for SlotScribe<'_> {
    fn open<'a>(&'a self, _task: TaskRef<'a>) -> Box<dyn TaskOutput + 'a> {
        Box::new(ScribedOutput(self))
    }
}

/// What one task writes.
struct ScribedOutput<'a, 's>(&'a SlotScribe<'s>);

impl TaskOutput for ScribedOutput<'_, '_> {
    fn write(&mut self, channel: Channel, bytes: &[u8]) -> io::Result<()> {
        let mut told = self.0.told.lock();
        told.write(channel, bytes);
        if told.length < KEPT {
            return Ok(());
        }
        told.length = 0;
        let execution = told.execution;
        for (channel, bytes) in std::mem::take(&mut told.written) {
            if let Err(error) = self.0.scribe.put(&Entry::Written { execution, channel, bytes }) {
                told.trouble.get_or_insert(error);
            }
        }
        Ok(())
    }

    fn close(self: Box<Self>, record: Record, acknowledge: &dyn Acknowledge) {
        acknowledge.acknowledge(record);
    }
}

impl Observer for SlotScribe<'_> {
    fn observe(&self, _event: &Event<'_>) {}
}

impl RecordSink for &SlotScribe<'_> {
    fn enter(&mut self, record: Record) {
        self.told.lock().record = Some(record);
    }
}
