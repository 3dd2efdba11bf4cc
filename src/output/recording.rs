//! Puts aside what each task of a run writes, while it is handed on.
//!
//! Does not know what it is compared with, nor which run it is.

use std::fs::File;
use std::io::{self, BufWriter, Write as _};

use super::output_copy::{BLOCK, CopyIndex, OutputCopy, ShortCopy, StreamCopy};
use super::traits::{Acknowledge, Channel, Sink, TaskOutput, TaskRef, Wake};
use crate::sync::Mutex;
use crate::task::Record;
use crate::temporary::unnamed_file;

/// So many bytes of a task's channel are kept at most.
const MOST_OF_A_TASK: u64 = 64 << 20;

/// So many of a run: writing them is little beside what makes as many, and they find room in
/// memory, so that no run waits for the disk while they are written.
const MOST_OF_A_RUN: u64 = 256 << 20;

/// Puts aside what the tasks of a run write, and hands it on.
pub struct Recording<'a> {
    sink: &'a dyn Sink,
    file: Mutex<CopyFile>,
    index: Mutex<CopyIndex>,
}

impl<'a> Recording<'a> {
    /// Hands on to `sink`. Trouble with the file shows in what is put aside: it is none
    /// of the tasks'.
    pub fn new(sink: &'a dyn Sink) -> Self {
        Self { sink, file: Mutex::new(CopyFile::new(MOST_OF_A_RUN)), index: Mutex::default() }
    }

    /// What was put aside.
    pub fn finish(self) -> OutputCopy {
        let (file, trouble) = self.file.into_inner().finish();
        OutputCopy { file, index: self.index.into_inner(), trouble }
    }
}

impl Sink for Recording<'_> {
    fn open<'s>(&'s self, task: TaskRef<'s>) -> Box<dyn TaskOutput + 's> {
        let seq = task.seq;
        let output = self.sink.open(task);
        Box::new(RecordedOutput { recording: self, seq, output, streams: Default::default() })
    }
}

struct RecordedOutput<'s> {
    recording: &'s Recording<'s>,
    seq: u64,
    output: Box<dyn TaskOutput + 's>,
    streams: [StreamRecorder; 2],
}

impl TaskOutput for RecordedOutput<'_> {
    fn write(&mut self, channel: Channel, bytes: &[u8]) -> io::Result<()> {
        self.streams[channel as usize].take(bytes, &self.recording.file);
        self.output.write(channel, bytes)
    }

    fn holds_up(&mut self, wake: &Wake) -> Option<String> {
        self.output.holds_up(wake)
    }

    fn close(self: Box<Self>, record: Record, acknowledge: &dyn Acknowledge) {
        let Self { recording, seq, output, streams } = *self;
        let [out, err] = &streams;
        let short = recording.file.lock().put_short(out, err);
        if let Some(copy) = short {
            recording.index.lock().add_short(seq, copy);
        } else {
            let streams = streams.map(|stream| stream.finish(&recording.file));
            recording.index.lock().long.insert(seq, streams);
        }
        output.close(record, acknowledge);
    }
}

/// What a task writes to one channel, on its way into the file.
#[derive(Default)]
struct StreamRecorder {
    /// Less than a block.
    pending: Vec<u8>,
    copy: StreamCopy,
}

impl StreamRecorder {
    fn take(&mut self, mut bytes: &[u8], file: &Mutex<CopyFile>) {
        while self.pending.len() + bytes.len() >= BLOCK {
            let (now, later) = bytes.split_at(BLOCK - self.pending.len());
            if self.pending.is_empty() {
                self.put(now, file);
            } else {
                let mut block = std::mem::take(&mut self.pending);
                block.extend_from_slice(now);
                self.put(&block, file);
                block.clear();
                self.pending = block;
            }
            bytes = later;
        }
        self.pending.extend_from_slice(bytes);
    }

    /// Puts one block into the file, unless those before it are not there.
    fn put(&mut self, block: &[u8], file: &Mutex<CopyFile>) {
        let is_kept = self.copy.is_whole() && self.copy.kept < MOST_OF_A_TASK;
        let start = is_kept.then(|| file.lock().put(block)).flatten();
        self.copy.add(block, start);
    }

    fn finish(mut self, file: &Mutex<CopyFile>) -> StreamCopy {
        let rest = std::mem::take(&mut self.pending);
        if !rest.is_empty() {
            self.put(&rest, file);
        }
        self.copy
    }
}

/// The file that takes the bytes of all tasks.
struct CopyFile {
    file: Option<BufWriter<File>>,
    /// So many bytes are in it.
    end: u64,
    /// So many there may be.
    room: u64,
    trouble: Option<io::Error>,
}

impl CopyFile {
    fn new(room: u64) -> Self {
        match unnamed_file() {
            Ok(file) => {
                let file = Some(BufWriter::with_capacity(BLOCK, file));
                Self { file, end: 0, room, trouble: None }
            }
            Err(error) => Self { file: None, end: 0, room, trouble: Some(error) },
        }
    }

    /// Where `bytes` stand from now on; `None` where they do not.
    fn put(&mut self, bytes: &[u8]) -> Option<u64> {
        let file = self.file.as_mut().filter(|_| self.trouble.is_none())?;
        let (start, end) = (self.end, self.end + bytes.len() as u64);
        if end > self.room {
            return None;
        }
        if let Err(error) = file.write_all(bytes) {
            self.trouble = Some(error);
            return None;
        }
        self.end = end;
        Some(start)
    }

    /// Puts what a task wrote, unless that is much.
    fn put_short(&mut self, out: &StreamRecorder, err: &StreamRecorder) -> Option<ShortCopy> {
        if !out.copy.blocks.is_empty() || !err.copy.blocks.is_empty() {
            return None;
        }
        let [out, err] = [&out.pending, &err.pending];
        let lengths =
            [out, err].map(|bytes| u32::try_from(bytes.len()).expect("less than a block is pending"));
        if out.is_empty() && err.is_empty() {
            return Some(ShortCopy { start: 0, lengths });
        }
        let has_room = self.end + (out.len() + err.len()) as u64 <= self.room;
        let start = if has_room { self.put(out)? } else { return None };
        self.put(err)?;
        Some(ShortCopy { start, lengths })
    }

    /// The file with all that was put, and what went wrong.
    fn finish(self) -> (Option<File>, Option<io::Error>) {
        let Some(mut file) = self.file else { return (None, self.trouble) };
        let trouble = self.trouble.or_else(|| file.flush().err());
        // What it could not write it does not try to write again.
        let (file, _unwritten) = file.into_parts();
        (Some(file), trouble)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::output::HeadCapture;
    use crate::output::output_copy::OutputDifference;
    use crate::output::traits_tests::Acknowledged;
    use crate::task::Task;
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

    fn copied(writes: &Writes, room: u64) -> OutputCopy {
        let nowhere = HeadCapture::new(0);
        let recording = Recording { file: Mutex::new(CopyFile::new(room)), ..Recording::new(&nowhere) };
        write_all(&recording, writes);
        recording.finish()
    }

    fn differences(first: &Writes, second: &Writes, room: u64) -> Vec<(u64, Channel, OutputDifference)> {
        let (first, second) = (copied(first, room), copied(second, room));
        let told = |seq| first.difference(&second, seq).map(|(channel, found)| (seq, channel, found));
        (0..first.index.short.len().max(100) as u64).filter_map(told).collect()
    }

    fn found(first: &Writes, second: &Writes) -> Vec<(u64, Channel, String)> {
        let told = |(seq, channel, found): (_, _, OutputDifference)| (seq, channel, found.told("a", "b"));
        differences(first, second, MOST_OF_A_RUN).into_iter().map(told).collect()
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
    fn what_is_not_kept_is_found_by_its_digests() {
        let long = |at: usize, byte: u8| {
            let mut bytes = vec![b'x'; 5 * BLOCK];
            bytes[at] = byte;
            vec![[vec![bytes], chunks(&[])]]
        };
        let room = 2 * BLOCK as u64;
        let place = |first: &Writes, second: &Writes| match &differences(first, second, room)[..] {
            [(0, Channel::Out, OutputDifference::Between(from, to))] => Some((*from, *to)),
            [(0, Channel::Out, OutputDifference::Quoted(_))] | [] => None,
            other => panic!("{other:?}"),
        };
        let block = BLOCK as u64;
        assert_eq!(differences(&long(0, b'x'), &long(0, b'x'), room), []);
        assert_eq!(place(&long(0, b'x'), &long(BLOCK, b'y')), None);
        assert_eq!(place(&long(0, b'x'), &long(3 * BLOCK + 7, b'y')), Some((3 * block + 1, 4 * block)));
        let shorter = vec![[vec![vec![b'x'; 4 * BLOCK + 9]], chunks(&[])]];
        assert_eq!(place(&long(0, b'x'), &shorter), Some((4 * block + 1, 5 * block)));
        // Where nothing at all can be put aside, little is found like that, too.
        let little = |text: &str| vec![[chunks(&[text]), chunks(&[])]];
        assert_eq!(
            differences(&little("ab"), &little("ac"), 0),
            [(0, Channel::Out, OutputDifference::Between(1, 2))]
        );
        assert_eq!(differences(&little("ab"), &little("ab"), 0), []);
    }

    #[test]
    fn what_stands_in_several_parts_of_the_file_is_one_stream() {
        let nowhere = HeadCapture::new(0);
        let recording = Recording::new(&nowhere);
        let tasks = [0, 1].map(|seq| Task::numbered(seq, ""));
        let mut outputs = tasks.each_ref().map(|task| recording.open(task.into()));
        for number in 0..4 {
            for (output, byte) in outputs.iter_mut().zip([b'a', b'b']) {
                output.write(Channel::Out, &vec![byte + number; BLOCK]).unwrap();
            }
        }
        for output in outputs {
            output.close(record(0), &Acknowledged::default());
        }
        let first = recording.finish();
        let second = (0..4).flat_map(|number| vec![b'a' + number; BLOCK]).chain([b'!']).collect();
        let second = copied(&vec![[vec![second], Vec::new()]], MOST_OF_A_RUN);
        let (_, found) = first.difference(&second, 0).unwrap();
        assert!(
            found.told("a", "b").starts_with("line 1, byte 262145: a ends there, b ...\"dddd"),
            "{found:?}"
        );
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
