//! A task that is over before its turn has come: its record waits with its output,
//! in memory as far as there is room, then in the spill file. A hundred thousand may
//! wait behind one that is slow.

use std::io;
use std::mem::size_of;

use serde::{Deserialize, Serialize};

use super::spill_buffer::{SpillFile, Spilled};
use crate::task::{Outcome, Record, Task, TaskInput};

/// The task and its record.
pub(super) enum Early {
    Memory(Box<Over>),
    Spilled {
        place: Spilled,
        /// What is still known should the file not give the rest back.
        seq: u64,
    },
}

/// A task that is over.
#[derive(Serialize, Deserialize)]
pub(super) struct Over {
    /// Without what its command has read.
    pub(super) task: Task,
    pub(super) record: Record,
    /// What the record leaves out where it is written down.
    line: Option<Vec<u8>>,
}

impl Over {
    pub(super) fn new(task: &Task, record: Record) -> Self {
        // It has been read, and may be long.
        let spec = match &task.spec {
            TaskInput::Block(block) => TaskInput::Values(block.values.clone()),
            other => other.clone(),
        };
        let task = Task { seq: task.seq, turn: task.turn, slot: task.slot, label: task.label.clone(), spec };
        Self { task, record, line: None }
    }

    /// About how many bytes it takes in memory.
    pub(super) fn size(&self) -> usize {
        let Self { task, record, .. } = self;
        let values = task.spec.values();
        let texts = [task.label.len(), record.label.len(), record.line.as_ref().map_or(0, Vec::len)];
        let facts = record.facts.iter().map(|(name, fact)| name.len() + fact.len());
        size_of::<Self>()
            + texts.iter().sum::<usize>()
            + facts.sum::<usize>()
            + values.iter().map(|value| size_of::<Vec<u8>>() + value.len()).sum::<usize>()
            + size_of_val(&*record.spans)
            + size_of_val(&*record.facts)
    }

    /// Puts a copy into `spill`, from which it can be taken as if it were this one.
    pub(super) fn put_into(&mut self, spill: &mut SpillFile) -> io::Result<Early> {
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
    pub(super) fn take(self, spill: &SpillFile) -> Box<Over> {
        match self {
            Self::Memory(over) => over,
            Self::Spilled { place, seq } => Box::new(Over::read(place, spill).unwrap_or_else(|error| {
                // Its row is to say that it has to be done again.
                let why = format!("read its record back from TMPDIR: {}", crate::text::reason(&error));
                let record = Record::without_measures(seq, Outcome::Failed(why));
                Over { task: Task::numbered(seq, ""), record, line: None }
            })),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;
    use std::time::Duration;

    use super::*;
    use crate::task::{Block, Span};

    #[test]
    fn a_record_comes_back_from_the_file_as_it_was_without_what_was_read() {
        let values = vec![b"a\xff".to_vec(), Vec::new()];
        let block = Block { values: values.clone(), bytes: vec![b'x'; 10_000], stretch: None };
        let task =
            Task { slot: 3, turn: 4, spec: TaskInput::Block(Box::new(block)), ..Task::numbered(7, "seven") };
        let record = Record {
            slot: 3,
            line: Some(b"cat \xff".to_vec()),
            wall: Duration::new(1, 234_567_891),
            spans: vec![Span { name: Cow::Borrowed("write"), wall: Duration::from_nanos(5) }],
            input_offered: 10_000,
            input_read: Some(9_000),
            user: Some(Duration::from_millis(5)),
            skipped: true,
            facts: vec![(Cow::Borrowed("name"), "10000".to_owned())],
            ..Record::without_measures(7, Outcome::Exited(3))
        };
        let mut over = Over::new(&task, record.clone());
        assert!(over.size() < 1000, "{}", over.size());
        let mut spill = SpillFile::default();
        let Ok(early) = over.put_into(&mut spill) else { panic!("it finds room") };
        let back = early.take(&spill);
        assert_eq!(back.record, record);
        assert_eq!(back.task, Task { spec: TaskInput::Values(values), ..task });
    }

    #[test]
    fn a_record_that_cannot_be_read_back_is_a_failure_of_that_task() {
        let mut spill = SpillFile::default();
        let mut over = Over::new(&Task::numbered(5, ""), Record::without_measures(5, Outcome::Success));
        let Ok(early) = over.put_into(&mut spill) else { panic!("it finds room") };
        spill.reset().unwrap();
        let back = early.take(&spill);
        assert!(back.record.seq == 5 && back.record.outcome.is_failure(), "{:?}", back.record.outcome);
    }
}
