//! Standard input that every job reads from its beginning: `--tee`.
//!
//! Jobs need not run at the same time, so that one that reads slowly holds up no
//! other: what is no file already is put aside first.

use std::fs::File;
use std::io::{self, BufRead, Read, Seek as _, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::fs::FileExt as _;
use std::sync::OnceLock;

use crate::inputs::{Patience, ReadNext, Wait};
use crate::temporary::unnamed_file;

/// How much is read at a time.
const CHUNK: usize = 64 << 10;

/// A stream that can be read by many.
#[derive(Debug)]
pub struct Spool {
    stream: File,
    /// The file that holds it, and where in it.
    filled: OnceLock<(File, u64)>,
}

impl Spool {
    /// A spool of what is left of `stream`, of which nothing is read yet.
    #[must_use]
    pub fn new(stream: File) -> Self {
        Self { stream, filled: OnceLock::new() }
    }

    /// Reads the stream to its end, unless it was read before.
    pub(super) fn fill(&self, patience: &mut dyn Patience) -> io::Result<ReadNext> {
        if self.filled.get().is_some() {
            return Ok(ReadNext::Ready);
        }
        let mut stream = &self.stream;
        if stream.metadata()?.is_file() {
            let _ = self.filled.set((stream.try_clone()?, stream.stream_position()?));
            return Ok(ReadNext::Ready);
        }
        let mut file = unnamed_file()?;
        let mut buffer = vec![0; CHUNK];
        loop {
            if patience.wait(stream.as_fd())? == Wait::Woken {
                return Ok(ReadNext::Woken);
            }
            match stream.read(&mut buffer) {
                Ok(0) => break,
                Ok(length) => file.write_all(&buffer[..length])?,
                Err(e) if matches!(e.kind(), io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock) => {}
                Err(error) => return Err(error),
            }
        }
        let _ = self.filled.set((file, 0));
        Ok(ReadNext::Ready)
    }

    /// All of it, from the beginning.
    pub(super) fn reader(&self) -> Option<impl BufRead + '_> {
        let (file, offset) = self.filled.get()?;
        Some(io::BufReader::with_capacity(CHUNK, At { file, offset: *offset }))
    }
}

/// `length` bytes of `file` from `offset` on.
pub(super) fn part(file: &File, offset: u64, length: u64) -> impl BufRead {
    io::BufReader::with_capacity(CHUNK, At { file, offset }.take(length))
}

/// A place in a file that other readers share.
pub(super) struct At<'a> {
    pub(super) file: &'a File,
    pub(super) offset: u64,
}

impl Read for At<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.file.read_at(buffer, self.offset)?;
        self.offset += length as u64;
        Ok(length)
    }
}
