//! Segments: what workers record, entry behind entry, each with its length and its
//! checksum, so that what was cut off is no entry.
//!
//! ```text
//! length of the payload: u32 | XXH3 of the payload: u64 | payload: kind, and what goes with it
//! ```
//!
//! Numbers are little-endian. An entry is one write; a segment has one writer and grows
//! until it is so long that the next one is begun. Knows nothing of who reads.

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use super::layout::RunLayout;
use crate::engine::remote::{PayloadCursor, TaskReport, put_string};
use crate::measure::Usage;
use crate::output::Channel;
use crate::task::Record;

const HEAD: usize = 12;

/// No entry is longer.
const LONGEST: u32 = 1 << 30;

/// So much is read at a time.
const PIECE: u64 = 1 << 20;

/// Something that a worker recorded.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Entry {
    /// Who and where it is: the first one.
    Worker(WorkerEntry),
    /// The task at a place begins.
    Begun(BegunEntry),
    /// More of what a task wrote.
    Written { execution: u32, channel: Channel, bytes: Vec<u8> },
    /// A task is over.
    Done(Box<DoneEntry>),
    /// The worker cannot go on, and why.
    Failed(String),
    /// The worker ends by itself.
    Bye(ByeEntry),
}

/// Who and where a worker is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct WorkerEntry {
    /// The version of the program.
    pub(super) version: String,
    /// The node, as the user knows it.
    pub(super) node: String,
    /// Its process there.
    pub(super) process: u32,
    /// How many tasks it does at a time.
    pub(super) slots: u32,
    /// When it began, in milliseconds since 1970 by its clock.
    pub(super) epoch: u64,
}

/// A task begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BegunEntry {
    /// The place of the task.
    pub(super) place: u64,
    /// In this slot of the batch.
    pub(super) slot: u32,
    /// So many nanoseconds after the worker began.
    pub(super) at: u64,
}

/// A task is over.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct DoneEntry {
    pub(super) begun: BegunEntry,
    /// Which of the worker's executions it was: that of the [`Entry::Written`] before it.
    pub(super) execution: u32,
    /// The rest of what it wrote.
    pub(super) written: Vec<(Channel, Vec<u8>)>,
    pub(super) record: Record,
}

/// What a worker had cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ByeEntry {
    /// The most memory it held, in bytes, where the system tells.
    pub(super) peak_memory: Option<u64>,
    /// What it and its jobs used.
    pub(super) usage: Usage,
}

mod kind {
    pub(super) const WORKER: u8 = b'W';
    pub(super) const BEGUN: u8 = b'G';
    pub(super) const WRITTEN: u8 = b'O';
    pub(super) const DONE: u8 = b'D';
    pub(super) const FAILED: u8 = b'F';
    pub(super) const BYE: u8 = b'B';
}

impl BegunEntry {
    fn put(&self, bytes: &mut Vec<u8>) {
        bytes.extend(self.place.to_le_bytes());
        bytes.extend(self.slot.to_le_bytes());
        bytes.extend(self.at.to_le_bytes());
    }

    fn read(cursor: &mut PayloadCursor<'_>) -> Option<Self> {
        Some(Self { place: cursor.u64()?, slot: cursor.u32()?, at: cursor.u64()? })
    }
}

fn put_channel(channel: Channel, bytes: &mut Vec<u8>) {
    bytes.push(match channel {
        Channel::Out => 1,
        Channel::Err => 2,
    });
}

fn channel(cursor: &mut PayloadCursor<'_>) -> Option<Channel> {
    match cursor.u8()? {
        1 => Some(Channel::Out),
        2 => Some(Channel::Err),
        _ => None,
    }
}

impl Entry {
    fn payload(&self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::with_capacity(64);
        match self {
            Self::Worker(worker) => {
                bytes.push(kind::WORKER);
                serde_json::to_writer(&mut bytes, worker)?;
            }
            Self::Begun(begun) => {
                bytes.push(kind::BEGUN);
                begun.put(&mut bytes);
            }
            Self::Written { execution, channel, bytes: written } => {
                bytes.push(kind::WRITTEN);
                bytes.extend(execution.to_le_bytes());
                put_channel(*channel, &mut bytes);
                bytes.extend_from_slice(written);
            }
            Self::Done(done) => {
                bytes.push(kind::DONE);
                done.begun.put(&mut bytes);
                bytes.extend(done.execution.to_le_bytes());
                bytes.extend((done.written.len() as u64).to_le_bytes());
                for (channel, written) in &done.written {
                    put_channel(*channel, &mut bytes);
                    put_string(&mut bytes, written);
                }
                bytes.extend(TaskReport(done.record.clone()).encoded()?);
            }
            Self::Failed(why) => {
                bytes.push(kind::FAILED);
                bytes.extend_from_slice(why.as_bytes());
            }
            Self::Bye(bye) => {
                bytes.push(kind::BYE);
                serde_json::to_writer(&mut bytes, bye)?;
            }
        }
        Ok(bytes)
    }

    /// The entry as it is written.
    ///
    /// # Errors
    /// When it is longer than an entry may be.
    pub(super) fn encoded(&self) -> io::Result<Vec<u8>> {
        let payload = self.payload()?;
        let length = u32::try_from(payload.len()).ok().filter(|length| *length <= LONGEST);
        let length = length.ok_or_else(|| io::Error::other("too much to be recorded at a time"))?;
        let mut bytes = Vec::with_capacity(HEAD + payload.len());
        bytes.extend(length.to_le_bytes());
        bytes.extend(xxh3_64(&payload).to_le_bytes());
        bytes.extend(payload);
        Ok(bytes)
    }

    /// What a payload says; `None` where that means nothing here.
    fn decoded(payload: &[u8]) -> Option<Self> {
        let (kind, rest) = payload.split_first()?;
        let mut cursor = PayloadCursor(rest);
        Some(match *kind {
            kind::WORKER => Self::Worker(serde_json::from_slice(rest).ok()?),
            kind::BEGUN => Self::Begun(BegunEntry::read(&mut cursor)?),
            kind::WRITTEN => {
                let (execution, channel) = (cursor.u32()?, channel(&mut cursor)?);
                Self::Written { execution, channel, bytes: cursor.0.to_vec() }
            }
            kind::DONE => {
                let (begun, execution) = (BegunEntry::read(&mut cursor)?, cursor.u32()?);
                let count = cursor.u64()?;
                let piece = |cursor: &mut PayloadCursor<'_>| {
                    Some((channel(cursor)?, cursor.string().map(<[u8]>::to_vec)?))
                };
                let written = (0..count).map(|_| piece(&mut cursor)).collect::<Option<_>>()?;
                let TaskReport(record) = TaskReport::decoded(cursor.0)?;
                Self::Done(Box::new(DoneEntry { begun, execution, written, record }))
            }
            kind::FAILED => Self::Failed(String::from_utf8_lossy(rest).into_owned()),
            kind::BYE => Self::Bye(serde_json::from_slice(rest).ok()?),
            _ => return None,
        })
    }
}

/// An entry as it was found, not yet understood: what a task wrote may be long, and need
/// not be looked at again.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct RawEntry {
    payload: Vec<u8>,
    /// Where it begins in its segment.
    pub(super) offset: u64,
}

impl RawEntry {
    /// What it says; `None` where that means nothing here.
    pub(super) fn entry(&self) -> Option<Entry> {
        Entry::decoded(&self.payload)
    }

    /// The place of the task that is over, if it says that.
    pub(super) fn done_place(&self) -> Option<u64> {
        let (kind, rest) = self.payload.split_first()?;
        (*kind == kind::DONE).then(|| PayloadCursor(rest).u64()).flatten()
    }

    /// Which task begins, if it says that one does.
    pub(super) fn begun(&self) -> Option<BegunEntry> {
        let (kind, rest) = self.payload.split_first()?;
        (*kind == kind::BEGUN).then(|| BegunEntry::read(&mut PayloadCursor(rest))).flatten()
    }

    /// Whether the worker says that it ends by itself.
    pub(super) fn is_bye(&self) -> bool {
        self.payload.first() == Some(&kind::BYE)
    }

    /// The execution of which it has output, if it has some.
    pub(super) fn written_execution(&self) -> Option<u32> {
        let (kind, rest) = self.payload.split_first()?;
        (*kind == kind::WRITTEN).then(|| PayloadCursor(rest).u32()).flatten()
    }
}

/// The whole entries at the start of `bytes`, and how long they are.
pub(super) fn entries_in(bytes: &[u8], offset: u64) -> (Vec<RawEntry>, usize) {
    let mut entries = Vec::new();
    let mut used = 0;
    while let Some((payload, length)) = first_entry(&bytes[used..]) {
        entries.push(RawEntry { payload: payload.to_vec(), offset: offset + used as u64 });
        used += length;
    }
    (entries, used)
}

fn first_entry(bytes: &[u8]) -> Option<(&[u8], usize)> {
    let mut cursor = PayloadCursor(bytes);
    let (length, sum) = (cursor.u32()?, cursor.u64()?);
    let payload = cursor.bytes(usize::try_from(length).ok()?)?;
    (xxh3_64(payload) == sum).then_some((payload, HEAD + payload.len()))
}

/// Reads what one worker recorded, as far as it is there.
#[derive(Debug)]
pub(super) struct SegmentReader {
    pub(super) worker: String,
    /// Which segment is read, and where the next entry begins there.
    number: u32,
    offset: u64,
}

impl SegmentReader {
    pub(super) fn new(worker: &str) -> Self {
        Self { worker: worker.to_owned(), number: 0, offset: 0 }
    }

    /// Which segment is read.
    pub(super) fn number(&self) -> u32 {
        self.number
    }

    /// Whole entries that were not read yet; none: there are none for now. A segment that
    /// is not there has none.
    pub(super) fn read(&mut self, layout: &RunLayout) -> io::Result<Vec<RawEntry>> {
        loop {
            let path = layout.segment(&self.worker, self.number);
            // Opened anew: only so others' bytes are seen on network file systems.
            let entries = match File::open(&path) {
                Ok(file) => self.read_from(file)?,
                Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
                Err(error) => return Err(error),
            };
            // Nothing follows in a segment behind which there is another one.
            if entries.is_empty() && self.offset > 0 && exists(layout.segment(&self.worker, self.number + 1))
            {
                (self.number, self.offset) = (self.number + 1, 0);
                continue;
            }
            return Ok(entries);
        }
    }

    fn read_from(&mut self, mut file: File) -> io::Result<Vec<RawEntry>> {
        let mut room = PIECE;
        loop {
            file.seek(SeekFrom::Start(self.offset))?;
            let mut bytes = Vec::new();
            let n_read = (&file).take(room).read_to_end(&mut bytes)? as u64;
            let (entries, used) = entries_in(&bytes, self.offset);
            // One that is longer than what was read.
            if entries.is_empty() && n_read == room && room <= u64::from(LONGEST) + PIECE {
                room *= 2;
                continue;
            }
            self.offset += used as u64;
            return Ok(entries);
        }
    }
}

fn exists(path: PathBuf) -> bool {
    fs::metadata(path).is_ok()
}

/// All that `worker` wrote of `execution` before it was over, from its segment `number`
/// and the ones before it.
pub(super) fn written_before(
    layout: &RunLayout,
    worker: &str,
    pieces: &[(u32, u64)],
    mut take: impl FnMut(Channel, &[u8]),
) -> io::Result<()> {
    for &(number, offset) in pieces {
        let mut reader = SegmentReader { worker: worker.to_owned(), number, offset };
        let file = File::open(layout.segment(worker, number))?;
        let entries = reader.read_from(file)?;
        match entries.first().and_then(RawEntry::entry) {
            Some(Entry::Written { channel, bytes, .. }) => take(channel, &bytes),
            _ => return Err(io::Error::other("what a task wrote is not where it was")),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::segment_writer::{LONG, SegmentWriter};
    use super::*;
    use crate::task::Outcome;

    fn entries() -> impl Strategy<Value = Entry> {
        let bytes = || prop::collection::vec(any::<u8>(), 0..20);
        let channel = || prop_oneof![Just(Channel::Out), Just(Channel::Err)];
        let begun = || {
            (any::<u64>(), any::<u32>(), any::<u64>()).prop_map(|(place, slot, at)| BegunEntry {
                place,
                slot,
                at,
            })
        };
        let written = prop::collection::vec((channel(), bytes()), 0..3);
        prop_oneof![
            ".*".prop_map(|node| Entry::Worker(WorkerEntry { node, slots: 3, ..WorkerEntry::default() })),
            begun().prop_map(Entry::Begun),
            (any::<u32>(), channel(), bytes()).prop_map(|(execution, channel, bytes)| Entry::Written {
                execution,
                channel,
                bytes
            }),
            (begun(), any::<u32>(), written).prop_map(|(begun, execution, written)| {
                let record = Record {
                    line: Some(vec![255].into()),
                    ..Record::without_measures(7, Outcome::Exited(3))
                };
                Entry::Done(Box::new(DoneEntry { begun, execution, written, record }))
            }),
            ".*".prop_map(Entry::Failed),
            any::<Option<u64>>()
                .prop_map(|peak_memory| Entry::Bye(ByeEntry { peak_memory, ..ByeEntry::default() })),
        ]
    }

    proptest! {
        #[test]
        fn a_segment_that_is_cut_at_any_byte_holds_the_entries_before_the_cut(
            entries in prop::collection::vec(entries(), 0..4), flipped: u8
        ) {
            let encoded: Vec<Vec<u8>> = entries.iter().map(|entry| entry.encoded().unwrap()).collect();
            let whole = encoded.concat();
            let ends: Vec<usize> = encoded.iter().scan(0, |end, bytes| { *end += bytes.len(); Some(*end) }).collect();
            for cut in 0..=whole.len() {
                let (found, used) = entries_in(&whole[..cut], 0);
                let n_whole = ends.iter().filter(|end| **end <= cut).count();
                let read: Vec<Entry> = found.iter().map(|raw| raw.entry().unwrap()).collect();
                prop_assert_eq!(&read[..], &entries[..n_whole]);
                prop_assert_eq!(used, n_whole.checked_sub(1).map_or(0, |last| ends[last]));
            }
            // A byte that is another ends it.
            if let (Some(last), true) = (whole.len().checked_sub(1), flipped != 0) {
                let mut broken = whole;
                broken[last] ^= flipped;
                prop_assert_eq!(entries_in(&broken, 0).0.len(), entries.len() - 1);
            }
        }

        #[test]
        fn any_bytes_are_entries_or_none(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = (entries_in(&bytes, 0), Entry::decoded(&bytes));
        }
    }

    #[test]
    fn a_reader_follows_a_writer_and_long_output_is_found_again() {
        let folder = tempfile::tempdir().unwrap();
        let layout = RunLayout::create(&folder.path().join("run")).unwrap();
        let mut reader = SegmentReader::new("0r0");
        assert!(reader.read(&layout).unwrap().is_empty());
        let mut writer = SegmentWriter::create(&layout, "0r0").unwrap();
        assert!(SegmentWriter::create(&layout, "0r0").is_err());
        let long = Entry::Written { execution: 4, channel: Channel::Err, bytes: vec![7; 3 << 20] };
        writer.put(&Entry::Failed("one".to_owned())).unwrap();
        writer.put(&long).unwrap();
        let first = reader.read(&layout).unwrap();
        assert_eq!(first.len(), 1);
        let second = reader.read(&layout).unwrap();
        assert_eq!(second[0].entry().unwrap(), long);
        assert_eq!(second[0].written_execution(), Some(4));
        assert!(reader.read(&layout).unwrap().is_empty());
        let mut found = 0;
        written_before(&layout, "0r0", &[(0, second[0].offset)], |channel, bytes| {
            assert_eq!(channel, Channel::Err);
            found += bytes.len();
        })
        .unwrap();
        assert_eq!(found, 3 << 20);
        // As if it had become too long.
        writer.length = LONG;
        writer.put(&Entry::Failed("two".to_owned())).unwrap();
        assert_eq!(reader.read(&layout).unwrap()[0].entry(), Some(Entry::Failed("two".to_owned())));
        assert_eq!(reader.number(), 1);
    }
}
