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

/// Nobody looks less often: whatever is more between two looks, this process did not run.
pub(super) const AWAKE: Duration = Duration::from_millis(100);

/// So much of what a task writes is kept; more is put down at once.
const KEPT: usize = 256 << 10;

/// Puts down what happens to a worker's tasks.
pub(super) struct Scribe {
    segment: Mutex<SegmentWriter>,
    held: Mutex<HeldTasks>,
    executions: AtomicU32,
}

impl Scribe {
    pub(super) fn new(segment: SegmentWriter) -> Self {
        Self {
            segment: Mutex::new(segment),
            held: Mutex::new(HeldTasks::new(Instant::now())),
            executions: AtomicU32::new(0),
        }
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
        self.held.lock().hold(task, done);
    }

    /// Those that were held back for long enough, or all.
    pub(super) fn due(&self, all: bool) -> Vec<(AssignedTask, Box<DoneEntry>)> {
        self.held.lock().due(Instant::now(), all)
    }

    /// How long until one is due.
    pub(super) fn next_due(&self) -> Option<Duration> {
        self.held.lock().waiting.iter().map(|(left, ..)| *left).min()
    }
}

/// Ends of tasks that are held back. Only time in which this process was awake counts: where a
/// machine stands still, whoever ends all does so, too.
struct HeldTasks {
    /// Each with the time that is left.
    waiting: Vec<(Duration, AssignedTask, Box<DoneEntry>)>,
    looked: Instant,
}

impl HeldTasks {
    fn new(now: Instant) -> Self {
        Self { waiting: Vec::new(), looked: now }
    }

    fn hold(&mut self, task: AssignedTask, done: Box<DoneEntry>) {
        self.waiting.push((LAG, task, done));
    }

    fn due(&mut self, now: Instant, all: bool) -> Vec<(AssignedTask, Box<DoneEntry>)> {
        let awake = now.saturating_duration_since(self.looked).min(AWAKE);
        self.looked = now;
        for (left, ..) in &mut self.waiting {
            *left = left.saturating_sub(awake);
        }
        let is_due = |held: &mut (Duration, _, _)| all || held.0.is_zero();
        self.waiting.extract_if(.., is_due).map(|(_, task, done)| (task, done)).collect()
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

#[cfg(test)]
mod tests {
    use super::super::claims::WorkItem;
    use super::super::segment::BegunEntry;
    use super::*;
    use crate::task::Outcome;

    #[test]
    fn time_in_which_a_machine_stood_still_does_not_count() {
        let start = Instant::now();
        let mut held = HeldTasks::new(start);
        let record = Record::without_measures(0, Outcome::Signaled(9));
        let begun = BegunEntry { place: 0, slot: 0, at: 0 };
        let done = Box::new(DoneEntry { begun, execution: 0, written: Vec::new(), record });
        held.hold(AssignedTask { place: 0, item: WorkItem::Claim(0), lost: 0 }, done);
        // It stands still for an hour, and goes on.
        let after = start + Duration::from_secs(3600);
        assert!(held.due(after, false).is_empty());
        assert!(held.due(after + AWAKE, false).is_empty());
        assert_eq!(held.due(after + 2 * AWAKE, false).len(), 1);
    }
}
