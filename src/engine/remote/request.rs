//! A task on its way to a worker and its record on the way back, as bytes: what commands
//! are made of and read is passed as it is, and not as text that is many times as long.
//!
//! Knows nothing of when they are sent.

use std::borrow::Cow;

use super::frame::{PayloadCursor, put_string};
use crate::task::{Block, Record, Stretch, Task, TaskInput};

/// A task to be tried once: whether it is tried again is for the reader of its record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::engine) struct TaskRequest<'a> {
    /// What to do. Its slot is for the worker to choose.
    pub(in crate::engine) task: Cow<'a, Task>,
    /// Which try this is, from 1.
    pub(in crate::engine) attempt: u32,
}

/// What a task is to do, by the byte that tells it.
mod input_kind {
    pub(super) const SEQUENCE: u8 = 0;
    pub(super) const PART: u8 = 1;
    pub(super) const VALUES: u8 = 2;
    pub(super) const BLOCK: u8 = 3;
    pub(super) const BLOCK_AND_STRETCH: u8 = 4;
    pub(super) const JSON: u8 = 5;
}

impl TaskRequest<'_> {
    /// Number, attempt, label, groups of hosts and input, one behind the other.
    pub(in crate::engine) fn encoded(&self) -> Vec<u8> {
        let Task { seq, turn: _, slot: _, label, spec, hosts } = &*self.task;
        let mut bytes = Vec::with_capacity(64);
        bytes.extend(seq.to_le_bytes());
        bytes.extend(self.attempt.to_le_bytes());
        put_string(&mut bytes, label.as_bytes());
        put_string(&mut bytes, hosts.join("+").as_bytes());
        match spec {
            TaskInput::Sequence => bytes.push(input_kind::SEQUENCE),
            TaskInput::Part { item, part } => {
                bytes.push(input_kind::PART);
                bytes.extend(item.to_le_bytes());
                bytes.extend(part.to_le_bytes());
            }
            TaskInput::Values(values) => {
                bytes.push(input_kind::VALUES);
                put_values(&mut bytes, values);
            }
            TaskInput::Block(block) => {
                let Block { values, bytes: content, stretch } = &**block;
                let kind = if stretch.is_some() { input_kind::BLOCK_AND_STRETCH } else { input_kind::BLOCK };
                bytes.push(kind);
                if let Some(Stretch { file, from, length }) = stretch {
                    bytes.extend((*file as u64).to_le_bytes());
                    bytes.extend(from.to_le_bytes());
                    bytes.extend(length.to_le_bytes());
                }
                put_values(&mut bytes, values);
                put_string(&mut bytes, content);
            }
            TaskInput::Json(value) => {
                bytes.push(input_kind::JSON);
                bytes.extend_from_slice(value.to_string().as_bytes());
            }
        }
        bytes
    }

    /// What [`encoded`](Self::encoded) made; `None` of anything else.
    pub(in crate::engine) fn decoded(payload: &[u8]) -> Option<TaskRequest<'static>> {
        let mut cursor = PayloadCursor(payload);
        let (seq, attempt) = (cursor.u64()?, cursor.u32()?);
        let mut text = || String::from_utf8(cursor.string()?.to_vec()).ok();
        let (label, hosts) = (text()?, text()?);
        let hosts = hosts.split('+').filter(|group| !group.is_empty()).map(str::to_owned).collect();
        let spec = match cursor.u8()? {
            input_kind::SEQUENCE => TaskInput::Sequence,
            input_kind::PART => TaskInput::Part { item: cursor.u64()?, part: cursor.u64()? },
            input_kind::VALUES => TaskInput::Values(values(&mut cursor)?),
            kind @ (input_kind::BLOCK | input_kind::BLOCK_AND_STRETCH) => {
                let stretch = if kind == input_kind::BLOCK { None } else { Some(stretch(&mut cursor)?) };
                let values = values(&mut cursor)?;
                TaskInput::Block(Box::new(Block { values, bytes: cursor.string()?.to_vec(), stretch }))
            }
            input_kind::JSON => TaskInput::Json(serde_json::from_slice(std::mem::take(&mut cursor.0)).ok()?),
            _ => return None,
        };
        let task = Task { spec, hosts, ..Task::numbered(seq, label) };
        cursor.0.is_empty().then_some(TaskRequest { task: Cow::Owned(task), attempt })
    }
}

fn put_values(bytes: &mut Vec<u8>, values: &[Vec<u8>]) {
    bytes.extend((values.len() as u64).to_le_bytes());
    for value in values {
        put_string(bytes, value);
    }
}

fn values(cursor: &mut PayloadCursor<'_>) -> Option<Vec<Vec<u8>>> {
    let count = cursor.u64()?;
    // No room is made beforehand: the number may be anything.
    (0..count).map(|_| cursor.string().map(<[u8]>::to_vec)).collect()
}

fn stretch(cursor: &mut PayloadCursor<'_>) -> Option<Stretch> {
    let file = usize::try_from(cursor.u64()?).ok()?;
    Some(Stretch { file, from: cursor.u64()?, length: cursor.u64()? })
}

/// A try that is over: what was measured where it was done. Its start is for the reader
/// to know.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::engine) struct TaskReport(pub(in crate::engine) Record);

impl TaskReport {
    /// The command line where it is no text, which records leave out, and the rest.
    ///
    /// # Errors
    /// When the record cannot be written as JSON.
    pub(in crate::engine) fn encoded(&self) -> serde_json::Result<Vec<u8>> {
        let mut bytes = Vec::with_capacity(512);
        bytes.extend(self.0.seq.to_le_bytes());
        bytes.push(self.0.line.is_some().into());
        if let Some(line) = &self.0.line {
            put_string(&mut bytes, line);
        }
        serde_json::to_writer(&mut bytes, &self.0)?;
        Ok(bytes)
    }

    /// What [`encoded`](Self::encoded) made; `None` of anything else.
    pub(in crate::engine) fn decoded(payload: &[u8]) -> Option<Self> {
        let mut cursor = PayloadCursor(payload);
        let seq = cursor.u64()?;
        let line = match cursor.u8()? {
            0 => None,
            1 => Some(cursor.string()?.into()),
            _ => return None,
        };
        let record: Record = serde_json::from_slice(cursor.0).ok()?;
        (record.seq == seq).then_some(Self(Record { line, ..record }))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::task::Outcome;

    fn bytes() -> impl Strategy<Value = Vec<u8>> {
        prop::collection::vec(any::<u8>(), 0..20)
    }

    fn inputs() -> impl Strategy<Value = TaskInput> {
        let values = || prop::collection::vec(bytes(), 0..4);
        let stretch = prop::option::of((0..9_usize, any::<u64>(), any::<u64>()));
        prop_oneof![
            Just(TaskInput::Sequence),
            (any::<u64>(), any::<u64>()).prop_map(|(item, part)| TaskInput::Part { item, part }),
            values().prop_map(TaskInput::Values),
            (values(), bytes(), stretch).prop_map(|(values, bytes, stretch)| {
                let stretch = stretch.map(|(file, from, length)| Stretch { file, from, length });
                TaskInput::Block(Box::new(Block { values, bytes, stretch }))
            }),
            any::<i64>().prop_map(|number| TaskInput::Json(serde_json::json!({ "n": [number, "x"] }))),
        ]
    }

    proptest! {
        #[test]
        fn a_task_and_its_record_arrive_as_they_were_sent(
            seq: u64, attempt: u32, label: String, spec in inputs(), line in prop::option::of(bytes()),
            hosts in prop::collection::vec("[a-z]{1,3}", 0..3)
        ) {
            let task = Task { label: label.clone().into(), spec, hosts, ..Task::numbered(seq, "") };
            let request = TaskRequest { task: Cow::Owned(task), attempt };
            prop_assert_eq!(TaskRequest::decoded(&request.encoded()), Some(request));
            let record = Record { label: label.into(), line: line.map(Into::into), ..Record::without_measures(seq, Outcome::Exited(7)) };
            let report = TaskReport(record);
            prop_assert_eq!(TaskReport::decoded(&report.encoded().unwrap()), Some(report));
        }

        #[test]
        fn a_message_that_is_cut_or_goes_on_is_none(spec in inputs(), line in bytes(), more: u8) {
            let task = Task { spec, ..Task::numbered(3, "label") };
            let whole = TaskRequest { task: Cow::Owned(task), attempt: 1 }.encoded();
            for length in 0..whole.len() {
                prop_assert_eq!(TaskRequest::decoded(&whole[..length]), None);
            }
            prop_assert_eq!(TaskRequest::decoded(&[&whole[..], &[more, 0]].concat()), None);
            let record = Record { line: Some(line.into()), ..Record::without_measures(3, Outcome::Success) };
            let whole = TaskReport(record).encoded().unwrap();
            for length in 0..whole.len() {
                prop_assert_eq!(TaskReport::decoded(&whole[..length]), None);
            }
        }

        #[test]
        fn any_bytes_are_a_message_or_none(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = (TaskRequest::decoded(&bytes), TaskReport::decoded(&bytes));
            // A number of values that no memory could hold.
            let mut huge = TaskRequest { task: Cow::Owned(Task::numbered(0, "")), attempt: 1 }.encoded();
            *huge.last_mut().unwrap() = input_kind::VALUES;
            huge.extend(u64::MAX.to_le_bytes());
            huge.extend(&bytes);
            prop_assert_eq!(TaskRequest::decoded(&huge), None);
        }
    }
}
