//! Records out of a file descriptor, each as soon as it is complete.
//!
//! One read at a time, and only when no complete record is left. Does not know
//! what records are for.

use std::collections::TryReserveError;
use std::fs::File;
use std::io::{self, Read as _};
use std::ops::Range;
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};

use super::source::is_space;
use super::{InputError, Patience, ReadStop, Step, Wait};
use crate::process::open_to_read;

/// How much is asked for in one read.
pub(super) const CHUNK: usize = 64 << 10;

/// A buffer from so many bytes on is not doubled any more.
const LARGE: usize = 16 << 20;

/// A record may have so many bytes, of which some columns may be used only: more than
/// a command can be given, and not so much that it fills the memory.
pub(super) const LONGEST: usize = 2 << 20;

/// A file descriptor and what was read from it but not used yet.
pub(super) struct InputStream {
    /// What messages call the file.
    pub(super) path: PathBuf,
    file: File,
    /// Read bytes are `buffer[from..filled]`; the rest is room.
    buffer: Vec<u8>,
    from: usize,
    filled: usize,
    ended: bool,
    /// Leaves blank lines out, where that is wanted.
    sieve: Option<Sieve>,
}

impl InputStream {
    pub(super) fn new(path: &Path, file: File) -> Self {
        Self {
            path: path.to_owned(),
            file,
            buffer: Vec::new(),
            from: 0,
            filled: 0,
            ended: false,
            sieve: None,
        }
    }

    /// From now on what is read, and what was read and not consumed, has no blank
    /// lines. It begins with a line.
    pub(super) fn leave_blank_lines_out(&mut self) {
        self.sieve = Some(Sieve::default());
        self.sift(self.from);
    }

    /// Takes blank lines out of what was filled in from `start` on.
    fn sift(&mut self, start: usize) {
        let Some(sieve) = &mut self.sieve else { return };
        let kept = sieve.sift(&self.buffer[start..self.filled]);
        self.buffer.splice(start..self.filled, kept.iter().copied());
        self.filled = start + kept.len();
    }

    pub(super) fn open(path: &Path) -> Result<Self, InputError> {
        // A directory can be opened, but reading it is an error that comes late.
        let file = open_to_read(path).and_then(|file| {
            if file.metadata()?.is_dir() { Err(io::ErrorKind::IsADirectory.into()) } else { Ok(file) }
        });
        match file {
            Ok(file) => Ok(Self::new(path, file)),
            Err(cause) => Err(InputError::Open { path: path.to_owned(), cause }),
        }
    }

    /// That what was read has no end.
    pub(super) fn endless(&self, limit: usize, hint: &'static str) -> InputError {
        InputError::Endless { path: self.path.clone(), limit, hint }
    }

    /// What was read and not consumed.
    pub(super) fn unread(&self) -> &[u8] {
        &self.buffer[self.from..self.filled]
    }

    /// Whether nothing more will come after [`Self::unread`].
    pub(super) fn ended(&self) -> bool {
        self.ended
    }

    /// Passes over the first `n` bytes of [`Self::unread`].
    pub(super) fn consume(&mut self, n: usize) {
        self.from += n;
    }

    /// Reads once, up to `most` bytes; `false` if there are none any more.
    pub(super) fn fill(&mut self, most: usize, patience: &mut dyn Patience) -> Step<bool> {
        if self.ended {
            return Ok(false);
        }
        let room = self.make_room(most);
        let fault = |cause| InputError::Read { path: self.path.clone(), cause };
        room.map_err(|_| fault(io::ErrorKind::OutOfMemory.into()))?;
        loop {
            if patience.wait(self.file.as_fd()).map_err(fault)? == Wait::Woken {
                return Err(ReadStop::Woken);
            }
            match self.file.read(&mut self.buffer[self.filled..self.filled + most]) {
                Ok(n) => {
                    self.ended = n == 0;
                    let start = self.filled;
                    self.filled += n;
                    self.sift(start);
                    return Ok(n > 0);
                }
                // A descriptor that does not block may have nothing after all.
                Err(e) if matches!(e.kind(), io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock) => {}
                Err(cause) => return Err(fault(cause).into()),
            }
        }
    }

    /// Makes room for `most` more bytes, by moving what is left to the front.
    ///
    /// An endless record is the usual reason for the memory to run out, and is no
    /// reason to end without a word to the jobs and the log.
    fn make_room(&mut self, most: usize) -> Result<(), TryReserveError> {
        if self.from == self.filled {
            (self.from, self.filled) = (0, 0);
        }
        if self.filled + most > self.buffer.len() && self.from > 0 {
            self.buffer.copy_within(self.from..self.filled, 0);
            self.filled -= self.from;
            self.from = 0;
        }
        if self.filled + most > self.buffer.len() {
            let more = if self.filled < LARGE { self.filled } else { self.filled / 4 };
            let wanted = self.filled + most.max(more);
            self.buffer.try_reserve_exact(wanted - self.buffer.len())?;
            self.buffer.resize(wanted, 0);
        }
        Ok(())
    }
}

/// Takes blank lines out of bytes that come piece by piece.
#[derive(Default)]
struct Sieve {
    /// The line so far, as long as it is blank.
    blank: Vec<u8>,
    /// Whether the line has something else.
    is_kept: bool,
}

impl Sieve {
    /// What of `bytes`, and of what was held back before them, stays. A blank line
    /// without an end is never heard of again.
    fn sift(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut kept = Vec::with_capacity(self.blank.len() + bytes.len());
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            if self.is_kept || !line.iter().all(|byte| is_space(*byte)) {
                kept.append(&mut self.blank);
                kept.extend_from_slice(line);
                self.is_kept = !line.ends_with(b"\n");
            } else if line.ends_with(b"\n") {
                self.blank.clear();
            } else {
                self.blank.extend_from_slice(line);
            }
        }
        kept
    }
}

/// A stream cut at a delimiter.
pub(super) struct Records {
    stream: InputStream,
    delimiter: Vec<u8>,
    /// How much of the unread bytes holds no delimiter for certain.
    searched: usize,
    /// The record before the unread bytes.
    record: Range<usize>,
}

impl Records {
    pub(super) fn new(stream: InputStream, delimiter: &[u8]) -> Self {
        Self { stream, delimiter: delimiter.to_vec(), searched: 0, record: 0..0 }
    }

    /// Makes the next record the current one; `false` if there is none.
    pub(super) fn advance(&mut self, patience: &mut dyn Patience) -> Step<bool> {
        loop {
            let unread = self.stream.unread();
            if let Some(at) = find(&unread[self.searched..], &self.delimiter) {
                let length = self.searched + at;
                self.take(length, length + self.delimiter.len());
                return Ok(true);
            }
            if unread.len() > LONGEST {
                return Err(self.endless().into());
            }
            self.searched = (unread.len() + 1).saturating_sub(self.delimiter.len()).max(self.searched);
            if !self.stream.fill(CHUNK, patience)? {
                let length = self.stream.unread().len();
                self.take(length, length);
                return Ok(length > 0);
            }
        }
    }

    /// That a record has no end.
    pub(super) fn endless(&self) -> InputError {
        self.stream.endless(LONGEST, "no command can be given so much; which delimiter ends one (-d, -0)?")
    }

    /// The current record, without its delimiter.
    pub(super) fn record(&self) -> &[u8] {
        &self.stream.buffer[self.record.clone()]
    }

    fn take(&mut self, length: usize, with_delimiter: usize) {
        self.record = self.stream.from..self.stream.from + length;
        self.stream.consume(with_delimiter);
        self.searched = 0;
    }
}

/// Where `needle` is first in `hay`.
pub(super) fn find(hay: &[u8], needle: &[u8]) -> Option<usize> {
    match needle {
        [byte] => hay.iter().position(|b| b == byte),
        _ => hay.windows(needle.len()).position(|window| window == needle),
    }
}

/// What is between the marks in `bytes`, and before and behind them.
pub(super) fn split<'a>(bytes: &'a [u8], mark: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
    let mut rest = Some(bytes);
    std::iter::from_fn(move || {
        let bytes = rest?;
        let found = find(bytes, mark);
        rest = found.map(|at| &bytes[at + mark.len()..]);
        Some(&bytes[..found.unwrap_or(bytes.len())])
    })
}
