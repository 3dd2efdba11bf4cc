//! What a batch runs over: input sources, and how their values combine into
//! the arguments of one job after another.
//!
//! Everything is lazy: a record is handed out as soon as its last byte has been
//! read, no source is read further than the next job needs, and one that is
//! read once only is never held. Semantics are GNU parallel's. Knows neither
//! commands nor options, and never waits on its own: who calls says how to wait
//! ([`Patience`]).
//!
//! | file | what it does |
//! |---|---|
//! | `source` | the description: [`InputSource`], [`Reading`] |
//! | `stream` | records out of a file descriptor |
//! | `columns` | a record into columns: regular expression or CSV |
//! | `feed` | one source's rows: header, blank, trimmed, end marks |
//! | `combine` | several sources into one row |
//! | `count` | how many jobs there are: [`InputCount`], [`RowCounter`] |
//! | `jobs` | [`Inputs`], which puts these together, and [`JobPacker`], which makes jobs of rows |
//! | `blocks`, `parts` | standard input cut into blocks (`--pipe`), files into parts (`--pipe-part`) |
//! | `separator` | where their records end |

mod blocks;
mod columns;
mod combine;
mod count;
mod feed;
mod jobs;
mod parts;
mod separator;
mod source;
mod stream;
#[cfg(test)]
mod tests;

use std::io;
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};

pub use blocks::{BlockSpec, Blocks};
pub use count::{InputCount, JobsFound, RowCounter};
pub use jobs::{Inputs, JobPacker, LineLength, RowsPerJob, Shuffler};
pub use parts::{FileParts, Seekable};
pub use separator::Separator;
pub use source::{Combine, Header, InputSource, Joined, Origin, Reading, Split, Trim, unescape};

/// What asking for the next row, job or block came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadNext {
    /// There is one.
    Ready,
    /// [`Patience`] was woken before there was one; asking again goes on where
    /// this left off, and nothing is lost.
    Woken,
    /// There is none, now or ever.
    End,
}

/// What [`Patience`] waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// A read would not block.
    Readable,
    /// Somebody wants the waiting thread back.
    Woken,
}

/// How to wait for bytes. Called before each read, so that a thread that waits
/// for input can be called back.
pub trait Patience {
    /// Returns when `fd` can be read, or somebody wants the thread back.
    fn wait(&mut self, fd: BorrowedFd<'_>) -> io::Result<Wait>;
}

impl<F: FnMut(BorrowedFd<'_>) -> io::Result<Wait>> Patience for F {
    fn wait(&mut self, fd: BorrowedFd<'_>) -> io::Result<Wait> {
        self(fd)
    }
}

/// Inputs that cannot be opened, read or made sense of.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// A file that cannot be opened.
    #[error("cannot open {}: {cause}", .path.display())]
    Open { path: PathBuf, cause: io::Error },
    /// A file that could be opened but not read on; the path of standard input is `-`.
    #[error("cannot read {}: {cause}", called(.path, "input file "))]
    Read { path: PathBuf, cause: io::Error },
    /// A regular expression of `--colsep`, `--recstart`, ... that is none, or one that
    /// this engine cannot do.
    #[error("{option} is not a regular expression: {reason}")]
    Pattern { option: &'static str, reason: String },
    /// A record, of which this is the beginning, that is no CSV.
    #[error("cannot read CSV record {record}: {reason}")]
    Csv { record: String, reason: String },
    /// A record that has not ended after so many bytes, and what may help.
    #[error("{}: a record does not end within {limit} bytes: {hint}", called(.path, ""))]
    Endless { path: PathBuf, limit: usize, hint: &'static str },
    /// The values that begin like this alone make a longer command line than is allowed.
    #[error("command line too long: {length} bytes, at most {limit} are allowed, at input {values}")]
    TooLong { length: usize, limit: usize, values: String },
}

/// A file with `kind` before its name, or standard input.
fn called(path: &Path, kind: &str) -> String {
    if path.as_os_str() == "-" {
        return "standard input".to_owned();
    }
    format!("{kind}{}", path.display())
}

/// The beginning of `bytes` for a message, in one line.
fn beginning(bytes: &[u8]) -> String {
    const MOST: usize = 60;
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(4 * MOST)]);
    let mut shown: String = text.chars().take(MOST).flat_map(char::escape_debug).collect();
    if text.chars().count() > MOST || bytes.len() > 4 * MOST {
        shown.push_str("...");
    }
    shown
}

/// Why a step has come to nothing.
enum ReadStop {
    /// [`Patience`] was woken: the same step, taken again, goes on where it left off.
    Woken,
    Failed(InputError),
}

impl From<InputError> for ReadStop {
    fn from(error: InputError) -> Self {
        Self::Failed(error)
    }
}

/// What is done as far as bytes are there; of a `bool`, whether there is a next one.
type Step<T> = Result<T, ReadStop>;

/// What a step came to; `None` when woken.
fn unless_woken<T>(step: Step<T>) -> Result<Option<T>, InputError> {
    match step {
        Ok(done) => Ok(Some(done)),
        Err(ReadStop::Woken) => Ok(None),
        Err(ReadStop::Failed(error)) => Err(error),
    }
}

impl ReadNext {
    fn of(step: Step<bool>) -> Result<Self, InputError> {
        Ok(match unless_woken(step)? {
            Some(true) => Self::Ready,
            Some(false) => Self::End,
            None => Self::Woken,
        })
    }
}
