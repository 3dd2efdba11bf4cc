//! What each task of one run wrote, put aside in two files without a name, and
//! what other runs write compared with it as it comes: so that the first
//! difference can be told, however much it was.
//!
//! Memory: 16 bytes a task. Does not know which run is which.

use crate::sync::Mutex;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Write as _};

use super::traits::{Acknowledge, Channel, Sink, TaskOutput, TaskRef};
use crate::mismatch::{AFTER, FileStretch, Mismatch};
use crate::task::{Outcome, Record};
use crate::temporary::unnamed_file;

/// So many differing tasks are told about: the first ones in input order.
const KEPT: usize = 10;

/// What each task of a run wrote, by channel.
#[derive(Debug)]
pub struct Reference {
    streams: [RecordedStream<File>; 2],
}

/// What all tasks wrote to one channel, one after the other.
#[derive(Debug)]
struct RecordedStream<F> {
    file: F,
    /// Where the bytes of each task begin, by sequence number.
    starts: Vec<u64>,
    end: u64,
}

impl Reference {
    /// What the task `seq` wrote.
    fn stretch(&self, channel: Channel, seq: u64) -> FileStretch<'_> {
        let RecordedStream { file, starts, end } = &self.streams[channel as usize];
        let start =
            |seq: u64| usize::try_from(seq).ok().and_then(|seq| starts.get(seq)).copied().unwrap_or(*end);
        FileStretch { file, start: start(seq), length: start(seq + 1) - start(seq) }
    }
}

/// Puts aside what the tasks of a serial run write, and hands it on.
pub struct Recording<'a> {
    sink: &'a dyn Sink,
    streams: Mutex<io::Result<[RecordedStream<BufWriter<File>>; 2]>>,
}

impl<'a> Recording<'a> {
    /// Hands on to `sink`. Trouble with the files shows in [`Self::finish`]: it
    /// is none of the tasks'.
    #[must_use]
    pub fn new(sink: &'a dyn Sink) -> Self {
        let stream = || -> io::Result<_> {
            Ok(RecordedStream { file: BufWriter::new(unnamed_file()?), starts: Vec::new(), end: 0 })
        };
        let streams = stream().and_then(|out| Ok([out, stream()?]));
        Self { sink, streams: Mutex::new(streams) }
    }

    /// What was put aside.
    ///
    /// # Errors
    /// When it could not be put aside.
    pub fn finish(self) -> io::Result<Reference> {
        let [out, err] = self.streams.into_inner()?;
        let whole = |RecordedStream { file, starts, end }: RecordedStream<BufWriter<File>>| {
            let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
            Ok::<_, io::Error>(RecordedStream { file, starts, end })
        };
        Ok(Reference { streams: [whole(out)?, whole(err)?] })
    }

    fn put(&self, seq: u64, channel: Channel, bytes: &[u8]) {
        let mut streams = self.streams.lock();
        if let Ok(all) = &mut *streams
            && let Err(error) = all[channel as usize].put(seq, bytes)
        {
            *streams = Err(error);
        }
    }
}

impl RecordedStream<BufWriter<File>> {
    fn put(&mut self, seq: u64, bytes: &[u8]) -> io::Result<()> {
        let n_begun = usize::try_from(seq).map_err(io::Error::other)? + 1;
        if self.starts.len() > n_begun {
            return Err(io::Error::other("tasks wrote side by side"));
        }
        self.starts.resize(n_begun, self.end);
        self.file.write_all(bytes)?;
        self.end += bytes.len() as u64;
        Ok(())
    }
}

impl Sink for Recording<'_> {
    fn open<'s>(&'s self, task: TaskRef<'s>) -> Box<dyn TaskOutput + 's> {
        Box::new(Recorded { recording: self, seq: task.seq, output: self.sink.open(task) })
    }
}

struct Recorded<'s> {
    recording: &'s Recording<'s>,
    seq: u64,
    output: Box<dyn TaskOutput + 's>,
}

impl TaskOutput for Recorded<'_> {
    fn write(&mut self, channel: Channel, bytes: &[u8]) -> io::Result<()> {
        self.recording.put(self.seq, channel, bytes);
        self.output.write(channel, bytes)
    }

    fn close(self: Box<Self>, record: Record, acknowledge: &dyn Acknowledge) {
        self.output.close(record, acknowledge);
    }
}

/// Compares what tasks write with a reference, and hands it on.
pub struct Comparing<'a> {
    sink: &'a dyn Sink,
    reference: &'a Reference,
    found: Mutex<BTreeMap<u64, (Channel, Mismatch)>>,
}

impl<'a> Comparing<'a> {
    /// Compares with `reference` and hands on to `sink`.
    #[must_use]
    pub fn new(sink: &'a dyn Sink, reference: &'a Reference) -> Self {
        Self { sink, reference, found: Mutex::default() }
    }

    /// The first difference of each task that differs, of the first such tasks.
    #[must_use]
    pub fn finish(self) -> BTreeMap<u64, (Channel, Mismatch)> {
        self.found.into_inner()
    }

    /// Whether one more, of task `seq`, would be kept.
    fn is_wanted(&self, seq: u64) -> bool {
        let found = self.found.lock();
        found.len() < KEPT || found.last_key_value().is_some_and(|(&last, _)| seq < last)
    }

    fn keep(&self, seq: u64, channel: Channel, mismatch: Mismatch) {
        let mut found = self.found.lock();
        found.insert(seq, (channel, mismatch));
        if found.len() > KEPT {
            found.pop_last();
        }
    }
}

impl Sink for Comparing<'_> {
    fn open<'s>(&'s self, task: TaskRef<'s>) -> Box<dyn TaskOutput + 's> {
        let seq = task.seq;
        let output = self.sink.open(task);
        Box::new(Compared { comparing: self, seq, output, places: Default::default() })
    }
}

struct Compared<'s> {
    comparing: &'s Comparing<'s>,
    seq: u64,
    output: Box<dyn TaskOutput + 's>,
    places: [SameSoFar; 2],
}

/// How far a channel has come.
#[derive(Default)]
struct SameSoFar {
    /// So many bytes agree.
    same: u64,
    /// Once they do not: what came instead, as much as is quoted.
    rest: Option<Vec<u8>>,
}

impl SameSoFar {
    fn take(&mut self, expected: FileStretch<'_>, bytes: &[u8]) {
        // What cannot be read back is not told about; digests decide all the same.
        let same = match &self.rest {
            Some(_) => 0,
            None => expected.agrees(self.same, bytes).unwrap_or(bytes.len()),
        };
        self.same += same as u64;
        if same < bytes.len() {
            let rest = self.rest.get_or_insert_default();
            let room = AFTER.saturating_sub(rest.len());
            rest.extend(bytes[same..].iter().take(room));
        }
    }

    fn mismatch(self, expected: FileStretch<'_>) -> Option<Mismatch> {
        let ended_early = self.same < expected.length;
        let rest = self.rest.or_else(|| ended_early.then(Vec::new))?;
        Mismatch::at(expected, self.same, &rest).ok()
    }
}

impl TaskOutput for Compared<'_> {
    fn write(&mut self, channel: Channel, bytes: &[u8]) -> io::Result<()> {
        let expected = self.comparing.reference.stretch(channel, self.seq);
        self.places[channel as usize].take(expected, bytes);
        self.output.write(channel, bytes)
    }

    fn close(self: Box<Self>, record: Record, acknowledge: &dyn Acknowledge) {
        let Self { comparing, seq, output, places } = *self;
        if record.outcome != Outcome::Interrupted && comparing.is_wanted(seq) {
            let found = [Channel::Out, Channel::Err].into_iter().zip(places).find_map(|(channel, place)| {
                Some((channel, place.mismatch(comparing.reference.stretch(channel, seq))?))
            });
            if let Some((channel, mismatch)) = found {
                comparing.keep(seq, channel, mismatch);
            }
        }
        output.close(record, acknowledge);
    }
}

#[cfg(test)]
mod tests {
    use crate::task::Task;
    use proptest::prelude::*;

    use super::*;
    use crate::output::HeadCapture;
    use crate::output::traits_tests::Acknowledged;
    use crate::task::tests::record;

    /// Each task's chunks for stdout, then for stderr.
    type Writes = Vec<[Vec<Vec<u8>>; 2]>;

    fn write_all(sink: &dyn Sink, writes: &Writes) {
        for (seq, [out, err]) in (0..).zip(writes) {
            let task = Task::numbered(seq, "");
            let mut output = sink.open((&task).into());
            for (channel, chunks) in [(Channel::Err, err), (Channel::Out, out)] {
                for chunk in chunks {
                    output.write(channel, chunk).unwrap();
                }
            }
            output.close(record(0), &Acknowledged::default());
        }
    }

    fn found(first: &Writes, second: &Writes) -> Vec<(u64, Channel, String)> {
        let nowhere = HeadCapture::new(0);
        let recording = Recording::new(&nowhere);
        write_all(&recording, first);
        let reference = recording.finish().unwrap();
        let comparing = Comparing::new(&nowhere, &reference);
        write_all(&comparing, second);
        let told =
            |(seq, (channel, mismatch)): (u64, (Channel, Mismatch))| (seq, channel, mismatch.told("a", "b"));
        comparing.finish().into_iter().map(told).collect()
    }

    fn chunks(texts: &[&str]) -> Vec<Vec<u8>> {
        texts.iter().map(|text| text.as_bytes().to_vec()).collect()
    }

    #[test]
    fn chunks_do_not_matter_and_the_first_difference_of_each_task_is_found() {
        let first = vec![
            [chunks(&["one\ntwo\n"]), chunks(&[])],
            [chunks(&[]), chunks(&["same"])],
            [chunks(&["ab", "cd"]), chunks(&["x"])],
        ];
        let same = vec![
            [chunks(&["one", "\ntwo\n"]), chunks(&[])],
            [chunks(&[]), chunks(&["sa", "me"])],
            [chunks(&["abcd"]), chunks(&["x"])],
        ];
        assert_eq!(found(&first, &same), []);
        let other = vec![
            [chunks(&["one", "\nt", "wi", "ce\n"]), chunks(&["more"])],
            [chunks(&[]), chunks(&["sam"])],
            [chunks(&["abcd"]), chunks(&["x"])],
        ];
        let told = found(&first, &other);
        assert_eq!(told[0], (0, Channel::Out, r#"line 2, byte 7: a "two\n", b "twice\n""#.to_owned()));
        assert_eq!(told[1], (1, Channel::Err, r#"line 1, byte 4: a "same", b ends there"#.to_owned()));
        assert_eq!(told.len(), 2);
    }

    #[test]
    fn of_many_differing_tasks_the_first_ones_are_told() {
        let writes = |text: &str| (0..50).map(|_| [chunks(&[text]), chunks(&[])]).collect::<Writes>();
        let tasks: Vec<u64> = found(&writes("a"), &writes("b")).into_iter().map(|(seq, ..)| seq).collect();
        assert_eq!(tasks, (0..10).collect::<Vec<_>>());
    }

    proptest! {
        #[test]
        fn tasks_differ_just_where_their_bytes_do(
            first in prop::collection::vec(prop::collection::vec(0..3_u8, 0..6), 1..8),
            second in prop::collection::vec(prop::collection::vec(0..3_u8, 0..6), 8),
        ) {
            let writes = |all: &[Vec<u8>]| -> Writes {
                all.iter().map(|bytes| [bytes.chunks(2).map(<[u8]>::to_vec).collect(), Vec::new()]).collect()
            };
            let second = &second[..first.len()];
            let differing: Vec<u64> = found(&writes(&first), &writes(second)).into_iter().map(|(seq, ..)| seq).collect();
            let expected: Vec<u64> =
                (0..).zip(first.iter().zip(second)).filter(|(_, (one, other))| one != other).map(|(seq, _)| seq).collect();
            prop_assert_eq!(differing, expected);
        }
    }
}
