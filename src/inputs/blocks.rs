//! Blocks of whole records out of a stream, one at a time.
//!
//! Holds one block and the beginning of the next, whatever the stream's length.

use std::fs::File;
use std::num::NonZeroUsize;
use std::path::Path;

use super::error::InputError;
use super::separator::{RecordFinder, Scan, Separator, check_header, end_of_header, end_of_line};
use super::source::Header;
use super::stream::{CHUNK, InputStream};
use super::{Patience, ReadNext};

/// A block grows until it holds a record, but not beyond this, unless blocks may be
/// larger: it is held in memory.
pub(super) const LONGEST_RECORD: usize = 256 << 20;

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
    stream: InputStream,
    cut: RecordFinder,
    size: usize,
    /// How long a record may be.
    largest: usize,
    records: Option<NonZeroUsize>,
    lines: Option<NonZeroUsize>,
    remove_marks: bool,
    /// Whether the first line is still to be passed over.
    skips_line: bool,
    skip_blank: bool,
    head: StreamHeader,
    /// While a block of `records` is gathered: how far, and how many it has.
    scan: Scan,
    n_marks: usize,
    /// Where the last record of it ends.
    marked: usize,
}

/// What is put before each block.
enum StreamHeader {
    Unread(Option<Header>),
    Read(Vec<u8>),
}

impl Blocks {
    /// Cuts `file`, of which nothing is read yet.
    ///
    /// # Errors
    /// A regular expression that is none.
    pub fn new(spec: &BlockSpec, file: File) -> Result<Self, InputError> {
        check_header(spec.header.as_ref())?;
        Ok(Self {
            stream: InputStream::new(Path::new("-"), file),
            cut: RecordFinder::new(&spec.separator)?,
            size: spec.size.get(),
            largest: spec.size.get().max(LONGEST_RECORD),
            records: spec.records,
            lines: spec.lines,
            remove_marks: spec.remove_marks,
            skips_line: spec.skip_first,
            skip_blank: spec.skip_blank,
            head: StreamHeader::Unread(spec.header.clone()),
            scan: Scan::default(),
            n_marks: 0,
            marked: 0,
        })
    }

    /// The same, of a file that messages call `path`.
    #[must_use]
    pub fn called(self, path: &Path) -> Self {
        Self { stream: self.stream.called(path), ..self }
    }

    /// How large blocks may be: grows when a record turns out to be longer.
    #[must_use]
    pub fn block_size(&self) -> usize {
        self.size
    }

    /// Makes `block` the next one, with its header. When woken, `block` is as it
    /// was.
    ///
    /// # Errors
    /// A stream that cannot be read on.
    pub fn next(&mut self, block: &mut Vec<u8>, patience: &mut dyn Patience) -> Result<ReadNext, InputError> {
        let next = self.next_without_header(block, patience)?;
        if let (ReadNext::Ready, StreamHeader::Read(head)) = (next, &self.head)
            && !head.is_empty()
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
        if let StreamHeader::Unread(header) = &self.head {
            let header = header.clone();
            if self.read_head(header.as_ref(), patience)? == ReadNext::Woken {
                return Ok(ReadNext::Woken);
            }
        }
        let next = match self.records {
            Some(records) => self.gather_records(records, patience)?,
            None => self.gather_bytes(patience)?,
        };
        match next {
            Ok(length) => self.hand_out(length, block),
            Err(other) => return Ok(other),
        }
        Ok(ReadNext::Ready)
    }

    fn hand_out(&mut self, length: usize, block: &mut Vec<u8>) {
        let mut body = std::mem::take(block);
        body.clear();
        body.extend_from_slice(&self.stream.unread()[..length]);
        self.stream.consume(length);
        (self.scan, self.n_marks, self.marked) = (Scan::default(), 0, 0);
        if self.remove_marks {
            self.cut.remove_marks(&mut body);
        }
        *block = body;
    }

    /// The length of a block of as many bytes as it may have.
    fn gather_bytes(&mut self, patience: &mut dyn Patience) -> Result<Result<usize, ReadNext>, InputError> {
        let nth = self.lines.map_or(1, NonZeroUsize::get);
        loop {
            let unread = self.stream.unread();
            if let Some(window) = unread.get(..self.size) {
                if let Some(length) = self.cut.last(window, nth) {
                    return Ok(Ok(length));
                }
                if unread.len() > self.size || !self.stream.ended() {
                    self.check_end(unread.len())?;
                    self.size = self.size.saturating_mul(13).div_ceil(10).saturating_add(1);
                    continue;
                }
            }
            if self.stream.ended() {
                // What is no whole number of `-L` lines is a block of its own.
                let whole = self.lines.and_then(|_| self.cut.last(unread, nth));
                let rest = unread.len();
                return Ok(if rest == 0 { Err(ReadNext::End) } else { Ok(whole.unwrap_or(rest)) });
            }
            let room = self.size - unread.len();
            if self.stream.fill(room, patience)? == ReadNext::Woken {
                return Ok(Err(ReadNext::Woken));
            }
        }
    }

    /// The length of a block of `records` records, as soon as they are complete.
    fn gather_records(
        &mut self,
        records: NonZeroUsize,
        patience: &mut dyn Patience,
    ) -> Result<Result<usize, ReadNext>, InputError> {
        let n_wanted = records.get() * self.lines.map_or(1, NonZeroUsize::get);
        loop {
            let unread = self.stream.unread();
            let more = !self.stream.ended();
            while let Some(end) = self.cut.next(&mut self.scan, unread, more) {
                self.n_marks += 1;
                self.marked = end;
                if self.n_marks == n_wanted {
                    return Ok(Ok(end));
                }
            }
            if !more {
                let unread = unread.len();
                return Ok(if unread == 0 { Err(ReadNext::End) } else { Ok(unread) });
            }
            self.check_end(unread.len() - self.marked)?;
            if self.stream.fill(CHUNK, patience)? == ReadNext::Woken {
                return Ok(Err(ReadNext::Woken));
            }
        }
    }

    /// Refuses a record that has not ended after `length` bytes, if these are too many.
    fn check_end(&self, length: usize) -> Result<(), InputError> {
        let limit = self.largest;
        if length <= limit {
            Ok(())
        } else {
            Err(self.stream.endless(limit, "--block SIZE allows longer ones; what ends one (--recend)?"))
        }
    }

    /// Reads what comes before the first block.
    fn read_head(
        &mut self,
        header: Option<&Header>,
        patience: &mut dyn Patience,
    ) -> Result<ReadNext, InputError> {
        loop {
            if self.skips_line {
                let unread = self.stream.unread();
                let end = end_of_line(unread, 1);
                self.skips_line = end.is_none() && !self.stream.ended();
                // A long line takes no memory.
                let passed = end.unwrap_or(unread.len());
                self.stream.consume(passed);
            }
            if !self.skips_line {
                let unread = self.stream.unread();
                let length = match header {
                    None => Some(0),
                    Some(header) => end_of_header(header, unread, self.size, self.stream.ended())?,
                };
                if let Some(length) = length {
                    self.head = StreamHeader::Read(unread[..length].to_vec());
                    self.stream.consume(length);
                    if self.skip_blank {
                        self.stream.leave_blank_lines_out();
                    }
                    return Ok(ReadNext::Ready);
                }
            }
            if !self.skips_line && self.stream.unread().len() > LONGEST_HEAD.max(self.size) {
                let limit = LONGEST_HEAD.max(self.size);
                return Err(self
                    .stream
                    .endless(limit, "it is the --header; --block SIZE allows a longer one"));
            }
            if self.stream.fill(CHUNK.min(self.size), patience)? == ReadNext::Woken {
                return Ok(ReadNext::Woken);
            }
        }
    }
}

#[cfg(test)]
mod tests;
