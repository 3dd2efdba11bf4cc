//! How a worker writes a segment: entry behind entry, each in one write, until it is so long
//! that the next one is begun.
//!
//! Does not know what stands in an entry.

use std::fs::File;
use std::io::{self, Write as _};

use super::layout::{RunLayout, private};
use super::segment::Entry;

/// A segment that is so long is followed by the next one.
pub(super) const LONG: u64 = 256 << 20;

/// Writes what one worker records.
#[derive(Debug)]
pub(super) struct SegmentWriter {
    layout: RunLayout,
    worker: String,
    number: u32,
    file: File,
    pub(super) length: u64,
    /// Whether there is a piece of an entry at the end that could not be taken away: what
    /// follows would not be found.
    is_torn: bool,
}

impl SegmentWriter {
    pub(super) fn create(layout: &RunLayout, worker: &str) -> io::Result<Self> {
        let file = Self::open(layout, worker, 0)?;
        let (layout, worker) = (layout.clone(), worker.to_owned());
        Ok(Self { layout, worker, number: 0, file, length: 0, is_torn: false })
    }

    fn open(layout: &RunLayout, worker: &str, number: u32) -> io::Result<File> {
        private().append(true).create_new(true).open(layout.segment(worker, number))
    }

    /// Appends `entry`, in one write as far as the system does that.
    pub(super) fn put(&mut self, entry: &Entry) -> io::Result<()> {
        self.append(&entry.encoded()?, |mut file, bytes| file.write_all(bytes))
    }

    /// Appends by `write`. What that leaves of an entry when it fails, on a disk that is full,
    /// is taken away: a later entry may have room.
    fn append(&mut self, bytes: &[u8], write: impl FnOnce(&File, &[u8]) -> io::Result<()>) -> io::Result<()> {
        if self.is_torn {
            return Err(io::Error::other("an entry before it is not whole"));
        }
        if self.length > 0 && self.length + bytes.len() as u64 > LONG {
            self.file = Self::open(&self.layout, &self.worker, self.number + 1)?;
            (self.number, self.length) = (self.number + 1, 0);
        }
        write(&self.file, bytes).inspect_err(|_| self.is_torn = self.file.set_len(self.length).is_err())?;
        self.length += bytes.len() as u64;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::segment::{RawEntry, SegmentReader};
    use super::*;

    #[test]
    fn an_entry_for_which_there_is_no_room_hides_none_behind_it() {
        let folder = tempfile::tempdir().unwrap();
        let layout = RunLayout::create(&folder.path().join("run")).unwrap();
        let mut writer = SegmentWriter::create(&layout, "0r0").unwrap();
        let entry = |text: &str| Entry::Failed(text.to_owned());
        writer.put(&entry("first")).unwrap();
        let is_full = |mut file: &File, bytes: &[u8]| {
            file.write_all(&bytes[..bytes.len() / 2])?;
            Err(io::ErrorKind::StorageFull.into())
        };
        let failed = writer.append(&entry("too long").encoded().unwrap(), is_full);
        assert_eq!(failed.unwrap_err().kind(), io::ErrorKind::StorageFull);
        writer.put(&entry("last")).unwrap();
        let found = SegmentReader::new("0r0").read(&layout).unwrap();
        let found: Vec<Option<Entry>> = found.iter().map(RawEntry::entry).collect();
        assert_eq!(found, [Some(entry("first")), Some(entry("last"))]);
        // Where that piece stays, nothing is put behind it.
        writer.file = File::open(layout.segment("0r0", 0)).unwrap();
        assert!(writer.put(&entry("x")).is_err() && writer.is_torn);
        assert!(writer.put(&entry("x")).unwrap_err().to_string().contains("not whole"));
    }
}
