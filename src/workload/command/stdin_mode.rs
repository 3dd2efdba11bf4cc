//! What jobs read, and how they come by it: on standard input, or under a file's name.

use std::fs::{self, File};
use std::io::{self, BufRead, Read, Seek as _, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize};

use super::round_robin::RoundRobin;
use crate::inputs::{Patience, ReadNext, Seekable, Wait};
use crate::temporary::{free_name, named_file, unnamed_file};

/// How a command is offered what it reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum StdinMode {
    /// On standard input.
    #[default]
    Stdin,
    /// As a file whose name is in `$PARALLEL_TMP`: `--cat`.
    File,
    /// As a named pipe whose name is there: `--fifo`.
    Fifo,
}

/// What jobs read.
#[derive(Clone)]
pub enum StdinSource {
    /// The block of their task, or nothing.
    Own,
    /// What is dealt out to each.
    RoundRobin(Arc<RoundRobin>),
    /// The part of a file that their task says.
    Parts(Arc<[Seekable]>),
    /// All of it.
    All(Arc<Spool>),
    /// What is typed.
    Terminal(Arc<File>),
}

impl StdinSource {
    /// What deals it out, where it is dealt out.
    pub(super) fn dealer(&self) -> Option<&Arc<RoundRobin>> {
        if let Self::RoundRobin(dealer) = self { Some(dealer) } else { None }
    }

    /// Where it is typed, if it is.
    pub(super) fn terminal(&self) -> Option<&File> {
        if let Self::Terminal(terminal) = self { Some(terminal) } else { None }
    }
}

/// What a line with `{}` holds in its place: the shell knows the name.
pub const INPUT_NAME: &[u8] = b"$PARALLEL_TMP";

/// The variable with the name.
pub(super) const VARIABLE: &str = "PARALLEL_TMP";

/// Runs `$2` and what follows it, with what comes on standard input in a pipe called
/// `$1`. A command that never opens the pipe is no reason to wait. Functions that the
/// environment hands to sh have no part in it.
pub(super) const THROUGH_FIFO: &str = "exec 3<&0 </dev/null; command mkfifo -m 600 \"$1\" || exit 255; \
    command cat <&3 >\"$1\" & exec 3<&-; shift; \"$@\"; status=$?; \
    { command kill $!; command wait; } 2>/dev/null; exit $status";

/// The same with a file called `$1`, which it reads to its end first: where what
/// comes is not known before the job starts.
pub(super) const THROUGH_FILE: &str =
    "(umask 077; command cat >\"$1\") || exit 255; exec <\"$1\"; shift; exec \"$@\"";

/// A name that is gone when its job is over.
pub(super) struct NamedInput {
    pub(super) path: PathBuf,
}

impl NamedInput {
    /// A file that holds all of `reader`.
    pub(super) fn with(reader: &mut dyn BufRead) -> io::Result<Self> {
        let (path, mut file) = named_file()?;
        let name = Self { path };
        io::copy(reader, &mut file)?;
        file.flush()?;
        Ok(name)
    }

    /// A name that nothing has.
    pub(super) fn free() -> Self {
        Self { path: free_name() }
    }
}

impl Drop for NamedInput {
    fn drop(&mut self) {
        // The job may have removed it.
        let _ = fs::remove_file(&self.path);
    }
}

/// Counts what is taken from a reader.
pub(super) struct Counted<R> {
    pub(super) reader: R,
    pub(super) taken: u64,
}

impl<R: BufRead> BufRead for Counted<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.reader.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.taken += amount as u64;
        self.reader.consume(amount);
    }
}

impl<R: BufRead> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.reader.read(buffer)?;
        self.taken += length as u64;
        Ok(length)
    }
}

/// How much is read at a time.
const CHUNK: usize = 64 << 10;

/// A stream that every job reads from its beginning: `--tee`. Jobs need not run at the
/// same time, so that one that reads slowly holds up no other: what is no file already
/// is put aside first.
#[derive(Debug)]
pub struct Spool {
    stream: File,
    /// The file that holds it, and where in it.
    filled: OnceLock<(File, u64)>,
}

impl Spool {
    /// A spool of what is left of `stream`, of which nothing is read yet.
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
        Some(io::BufReader::with_capacity(CHUNK, FileReader { file, offset: *offset }))
    }
}

/// `length` bytes of `file` from `offset` on.
pub(super) fn part(file: &File, offset: u64, length: u64) -> impl BufRead {
    io::BufReader::with_capacity(CHUNK, FileReader { file, offset }.take(length))
}

/// A place in a file that other readers share.
pub(super) struct FileReader<'a> {
    pub(super) file: &'a File,
    pub(super) offset: u64,
}

impl Read for FileReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.file.read_at(buffer, self.offset)?;
        self.offset += length as u64;
        Ok(length)
    }
}
