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
//! | `jobs` | [`Inputs`], which puts these together |
//! | `packing` | several rows into one job |
//! | `blocks`, `parts` | standard input cut into blocks (`--pipe`), files into parts (`--pipe-part`) |
//! | `separator` | where their records end |

mod blocks;
mod columns;
mod combine;
mod error;
mod feed;
mod jobs;
mod packing;
mod parts;
mod separator;
mod source;
mod stream;
#[cfg(test)]
mod tests;

use std::io;
use std::os::fd::BorrowedFd;

pub use blocks::{BlockSpec, Blocks};
pub use error::InputError;
pub use jobs::{Inputs, Shuffler};
pub use packing::{JobPacker, LineLength, RowsPerJob};
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
