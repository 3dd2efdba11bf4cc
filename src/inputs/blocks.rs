//! Blocks of whole records out of a stream, one at a time.
//!
//! Holds one block and the beginning of the next, whatever the stream's length.

use std::fs::File;
use std::num::NonZeroUsize;
use std::path::Path;

use super::separator::{HeaderFinder, RecordFinder, Scan, Separator};
use super::source::Header;
use super::stream::{CHUNK, InputStream};
use super::{InputError, Patience, ReadNext, Step};

/// A block grows until it holds a record, but not beyond this, unless blocks may be
/// larger: it is held in memory.
const LONGEST_RECORD: usize = 256 << 20;

/// The header may have so many bytes, unless blocks may be larger.
const LONGEST_HEAD: usize = 8 << 20;

/// How a stream is cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockSpec {
    /// How many bytes a block has at most, unless one record is longer; a part of a
    /// file has at least as many.
    pub size: NonZeroUsize,
    /// How many records a block has, whatever their size (`-N`).
    pub records: Option<NonZeroUsize>,
    /// How many separators it takes to end a record (`-L`).
    pub lines: Option<NonZeroUsize>,
    /// What stands between records.
    pub separator: Separator,
    /// Whether separators are left out of blocks (`--rrs`).
    pub remove_marks: bool,
    /// Whether the first line is passed over, before the header.
    pub skip_first: bool,
    /// Whether blank lines are left out (`-r`), but for those of the header.
    pub skip_blank: bool,
    /// What is put before each block.
    pub header: Option<Header>,
}

impl Default for BlockSpec {
    fn default() -> Self {
        Self {
            size: NonZeroUsize::new(1 << 20).expect("a mebibyte is not nothing"),
            records: None,
            lines: None,
            separator: Separator::default(),
            remove_marks: false,
            skip_first: false,
            skip_blank: false,
            header: None,
        }
    }
}

/// The blocks of a stream.
pub struct Blocks {
    spec: BlockSpec,
    stream: InputStream,
    cut: RecordFinder,
    /// How large blocks may be: grows when a record turns out to be longer.
    size: usize,
    /// How long a record may be.
    largest: usize,
    header: HeaderFinder,
    /// What is put before each block, once it was read.
    head: Option<Vec<u8>>,
    /// While a block of so many records is gathered: how far, and how many it has.
    scan: Scan,
    n_marks: usize,
    /// Where the last record of it ends.
    marked: usize,
}

impl Blocks {
    /// Cuts `file`, of which nothing is read yet.
    ///
    /// # Errors
    /// A regular expression that is none.
    pub fn new(spec: &BlockSpec, file: File) -> Result<Self, InputError> {
        Ok(Self {
            spec: spec.clone(),
            stream: InputStream::new(Path::new("-"), file),
            cut: RecordFinder::new(&spec.separator)?,
            size: spec.size.get(),
            largest: spec.size.get().max(LONGEST_RECORD),
            header: HeaderFinder::new(spec)?,
            head: None,
            scan: Scan::default(),
            n_marks: 0,
            marked: 0,
        })
    }

    /// The same, of a file that messages call `path`.
    pub fn called(mut self, path: &Path) -> Self {
        path.clone_into(&mut self.stream.path);
        self
    }

    /// Makes `block` the next one, with its header. When woken, `block` is as it
    /// was.
    ///
    /// # Errors
    /// A stream that cannot be read on.
    pub fn next(&mut self, block: &mut Vec<u8>, patience: &mut dyn Patience) -> Result<ReadNext, InputError> {
        let next = self.next_without_header(block, patience)?;
        if next == ReadNext::Ready
            && let Some(head) = self.head.as_ref().filter(|head| !head.is_empty())
        {
            block.splice(0..0, head.iter().copied());
        }
        Ok(next)
    }

    /// As [`next`](Self::next), for whoever reads on after a block with its header.
    ///
    /// # Errors
    /// Those of [`next`](Self::next).
    pub fn next_without_header(
        &mut self,
        block: &mut Vec<u8>,
        patience: &mut dyn Patience,
    ) -> Result<ReadNext, InputError> {
        ReadNext::of(self.hand_out(block, patience))
    }

    fn hand_out(&mut self, block: &mut Vec<u8>, patience: &mut dyn Patience) -> Step<bool> {
        if self.head.is_none() {
            self.head = Some(self.read_head(patience)?);
        }
        let length = match self.spec.records {
            Some(records) => self.gather_records(records, patience)?,
            None => self.gather_bytes(patience)?,
        };
        if length == 0 {
            return Ok(false);
        }
        block.clear();
        block.extend_from_slice(&self.stream.unread()[..length]);
        self.stream.consume(length);
        (self.scan, self.n_marks, self.marked) = (Scan::default(), 0, 0);
        if self.spec.remove_marks {
            self.cut.remove_marks(block);
        }
        Ok(true)
    }

    /// The length of a block of as many bytes as it may have; 0 at the end.
    fn gather_bytes(&mut self, patience: &mut dyn Patience) -> Step<usize> {
        let nth = self.spec.lines.map_or(1, NonZeroUsize::get);
        loop {
            let unread = self.stream.unread();
            if let Some(window) = unread.get(..self.size) {
                if let Some(length) = self.cut.last(window, nth) {
                    return Ok(length);
                }
                if unread.len() > self.size || !self.stream.ended() {
                    self.check_end(unread.len())?;
                    self.size = self.size.saturating_mul(13).div_ceil(10).saturating_add(1);
                    continue;
                }
            }
            if self.stream.ended() {
                // What is no whole number of `-L` lines is a block of its own.
                let whole = self.spec.lines.and_then(|_| self.cut.last(unread, nth));
                return Ok(whole.unwrap_or(unread.len()));
            }
            self.stream.fill(self.size - unread.len(), patience)?;
        }
    }

    /// The length of a block of `records` records, as soon as they are complete; 0 at
    /// the end.
    fn gather_records(&mut self, records: NonZeroUsize, patience: &mut dyn Patience) -> Step<usize> {
        let n_wanted = records.get() * self.spec.lines.map_or(1, NonZeroUsize::get);
        loop {
            let unread = self.stream.unread();
            let more = !self.stream.ended();
            while let Some(end) = self.cut.next(&mut self.scan, unread, more) {
                self.n_marks += 1;
                self.marked = end;
                if self.n_marks == n_wanted {
                    return Ok(end);
                }
            }
            if !more {
                return Ok(unread.len());
            }
            self.check_end(unread.len() - self.marked)?;
            self.stream.fill(CHUNK, patience)?;
        }
    }

    /// Refuses a record that has not ended after `length` bytes, if these are too many.
    fn check_end(&self, length: usize) -> Result<(), InputError> {
        let limit = self.largest;
        if length <= limit {
            return Ok(());
        }
        Err(self.stream.endless(limit, "--block SIZE allows longer ones; what ends one (--recend)?"))
    }

    /// Reads what comes before the first block.
    fn read_head(&mut self, patience: &mut dyn Patience) -> Step<Vec<u8>> {
        let limit = LONGEST_HEAD.max(self.size);
        loop {
            let (passed, length) = self.header.find(self.stream.unread(), self.stream.ended());
            self.stream.consume(passed);
            if let Some(length) = length {
                let head = self.stream.unread()[..length].to_vec();
                self.stream.consume(length);
                if self.spec.skip_blank {
                    self.stream.leave_blank_lines_out();
                }
                return Ok(head);
            }
            if self.stream.unread().len() > limit {
                let hint = "it is the --header; --block SIZE allows a longer one";
                return Err(self.stream.endless(limit, hint).into());
            }
            self.stream.fill(CHUNK.min(self.size), patience)?;
        }
    }
}

#[cfg(test)]
mod tests;
