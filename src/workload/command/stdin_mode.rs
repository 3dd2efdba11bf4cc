//! How a command comes by what it is given to read: on standard input, or under
//! a file's name.
//!
//! Does not know where the bytes come from.

use std::fs;
use std::io::{self, BufRead, Read, Write as _};
use std::path::{Path, PathBuf};

use crate::temporary::{free_name, named_file};

/// How a command is offered what it reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Offer {
    /// On standard input.
    #[default]
    Stdin,
    /// As a file whose name is in `$PARALLEL_TMP`: `--cat`.
    File,
    /// As a named pipe whose name is there: `--fifo`.
    Fifo,
}

/// What a line with `{}` holds in its place: the shell knows the name.
pub const NAME: &[u8] = b"$PARALLEL_TMP";

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
pub(super) struct Name {
    pub(super) path: PathBuf,
}

impl Name {
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

    /// The file as standard input.
    pub(super) fn open(&self) -> io::Result<fs::File> {
        fs::File::open(Path::new(&self.path))
    }
}

impl Drop for Name {
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
