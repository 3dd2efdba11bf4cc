//! What each task of one run wrote, put aside in a file without a name, and how that
//! differs from what another run wrote.
//!
//! Every run that is compared is put aside alike, for that takes time within its clock:
//! of much output the beginning, and of all of it digests block by block, which tell
//! where a difference is that cannot be quoted. Memory: 16 bytes a task, and 8 for each
//! 64 KiB of a task that writes more. Does not know which run is which.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;

use xxhash_rust::xxh3::xxh3_64;

use super::traits::Channel;
use crate::mismatch::{FileStream, Mismatch};

/// Digests are of so many bytes.
pub(super) const BLOCK: usize = 64 << 10;

/// What each task of a run wrote, as far as it was kept.
#[derive(Debug, Default)]
pub struct OutputCopy {
    /// The bytes that were kept.
    pub(super) file: Option<File>,
    pub(super) index: CopyIndex,
    /// Why not all was kept that was to be.
    pub(super) trouble: Option<io::Error>,
}

/// Where what each task wrote stands.
#[derive(Debug, Default)]
pub(super) struct CopyIndex {
    /// By sequence number: tasks that wrote little, and those that wrote nothing.
    pub(super) short: Vec<ShortCopy>,
    /// The others, by channel.
    pub(super) long: BTreeMap<u64, [StreamCopy; 2]>,
}

/// Where what a task wrote stands: its output, and behind it its messages.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ShortCopy {
    pub(super) start: u64,
    pub(super) lengths: [u32; 2],
}

/// What a task wrote to one channel.
#[derive(Clone, Debug, Default)]
pub(super) struct StreamCopy {
    /// So much it was.
    pub(super) length: u64,
    /// So much of that was kept, from its beginning.
    pub(super) kept: u64,
    /// Where the parts of it stand: where they begin, and how long they are.
    pub(super) parts: Vec<(u64, u64)>,
    /// The digest of each block.
    pub(super) blocks: Vec<u64>,
}

impl StreamCopy {
    /// The next block is `bytes`, which were kept at `start` if they were.
    pub(super) fn add(&mut self, bytes: &[u8], start: Option<u64>) {
        let length = bytes.len() as u64;
        self.blocks.push(xxh3_64(bytes));
        self.length += length;
        let Some(start) = start else { return };
        self.kept += length;
        match self.parts.last_mut() {
            Some((last, before)) if *last + *before == start => *before += length,
            _ => self.parts.push((start, length)),
        }
    }

    /// Whether all of it was kept.
    pub(super) fn is_whole(&self) -> bool {
        self.kept == self.length
    }
}

/// How what two runs of a task wrote differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutputDifference {
    /// The first byte that differs, with what stands around it.
    Quoted(Mismatch),
    /// It is between these bytes, counted from 1, and was not kept.
    Between(u64, u64),
}

impl OutputDifference {
    /// In words, the runs called by their names.
    pub fn told(&self, one: &str, other: &str) -> String {
        match self {
            Self::Quoted(mismatch) => mismatch.told(one, other),
            Self::Between(from, to) => {
                format!("bytes {from} to {to} differ (so far into the output nothing is kept to quote)")
            }
        }
    }
}

impl OutputCopy {
    /// Why what was written could not be put aside, if something was in the way.
    pub fn trouble(&self) -> Option<&io::Error> {
        self.trouble.as_ref()
    }

    /// What the task `seq` wrote that is not what it wrote in `other`, and to which
    /// channel; `None` where nothing is known of a difference.
    pub fn difference(&self, other: &Self, seq: u64) -> Option<(Channel, OutputDifference)> {
        [Channel::Out, Channel::Err].into_iter().find_map(|channel| {
            let [here, there] = [self, other].map(|copy| copy.index.stream(seq, channel));
            // What cannot be read back is not told about; digests decide all the same.
            let found = self.in_stream(&here, other, &there).ok().flatten()?;
            Some((channel, found))
        })
    }

    fn in_stream(
        &self,
        here: &StreamCopy,
        other: &Self,
        there: &StreamCopy,
    ) -> io::Result<Option<OutputDifference>> {
        let are_whole = here.is_whole() && there.is_whole();
        let known = if are_whole { u64::MAX } else { here.kept.min(there.kept) };
        let [one, two] = [here, there].map(|stream| beginning(&stream.parts, known));
        if let (Some(file), Some(of_other)) = (&self.file, &other.file) {
            let one = FileStream { file, parts: &one };
            if let Some(mismatch) = Mismatch::of(one, FileStream { file: of_other, parts: &two })? {
                return Ok(Some(OutputDifference::Quoted(mismatch)));
            }
        }
        if are_whole {
            return Ok(None);
        }
        let (block, length) = (BLOCK as u64, here.length.max(there.length));
        for number in known / block..length.div_ceil(block) {
            if self.digest(here, number)? != other.digest(there, number)? {
                let (from, to) = ((number * block).max(known) + 1, (number * block + block).min(length));
                return Ok(Some(OutputDifference::Between(from, to)));
            }
        }
        Ok(None)
    }

    /// The digest of one block of `stream`, from 0; that of a short task was not made yet.
    fn digest(&self, stream: &StreamCopy, number: u64) -> io::Result<Option<u64>> {
        let known = usize::try_from(number).ok().and_then(|number| stream.blocks.get(number));
        match (known, &self.file) {
            (Some(digest), _) => Ok(Some(*digest)),
            (None, Some(file)) if stream.is_whole() => {
                let stream = FileStream { file, parts: &stream.parts };
                let bytes = stream.read(number * BLOCK as u64, BLOCK)?;
                Ok((!bytes.is_empty()).then(|| xxh3_64(&bytes)))
            }
            (None, _) => Ok(None),
        }
    }
}

impl CopyIndex {
    /// The task `seq` wrote little: so much to each channel, which stands at `start`.
    pub(super) fn add_short(&mut self, seq: u64, copy: ShortCopy) {
        // Tasks that wrote nothing are not told from those that there were none of.
        let Ok(index) = usize::try_from(seq) else { return };
        if self.short.len() <= index {
            self.short.resize(index + 1, ShortCopy::default());
        }
        self.short[index] = copy;
    }

    fn stream(&self, seq: u64, channel: Channel) -> StreamCopy {
        if let Some(streams) = self.long.get(&seq) {
            return streams[channel as usize].clone();
        }
        let short = usize::try_from(seq).ok().and_then(|index| self.short.get(index));
        let ShortCopy { start, lengths: [out, err] } = short.copied().unwrap_or_default();
        let (start, length) = match channel {
            Channel::Out => (start, u64::from(out)),
            Channel::Err => (start + u64::from(out), u64::from(err)),
        };
        StreamCopy { length, kept: length, parts: vec![(start, length)], blocks: Vec::new() }
    }
}

/// The first `length` bytes of `parts`.
fn beginning(parts: &[(u64, u64)], mut length: u64) -> Vec<(u64, u64)> {
    let cut = |&(start, part): &(u64, u64)| {
        let taken = part.min(length);
        length -= taken;
        (taken > 0).then_some((start, taken))
    };
    parts.iter().map_while(cut).collect()
}
