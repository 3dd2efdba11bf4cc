//! The ends of a job's three standard descriptors: those it gets, and those
//! that are kept here.
//!
//! Every descriptor made here is closed on exec, so that no job keeps another's
//! pipe open. Pipes are never used twice: a background process of the last job
//! may still write to its own.

use std::io::{self, BufRead, PipeReader};
use std::os::fd::{AsRawFd as _, BorrowedFd, OwnedFd};

use super::command::{Stdin, Stdout};
use super::feed::Feed;

/// What the job gets as 0, 1 and 2.
pub(super) type Theirs<'a> = [Given<'a>; 3];

/// One descriptor of the job.
pub(super) enum Given<'a> {
    /// Its number here.
    Inherited,
    Lent(BorrowedFd<'a>),
    /// To be closed here once the job has it.
    Owned(OwnedFd),
}

/// What is kept here.
pub(super) struct Ours<'a> {
    pub(super) stdin: Option<Feed<'a>>,
    pub(super) stdout: Option<PipeReader>,
    pub(super) stderr: Option<PipeReader>,
}

/// Opens what a job needs.
pub(super) fn open<'a, 'source: 'a>(
    stdin: Stdin<'source>,
    stdout: Stdout<'a>,
    stderr: Stdout<'a>,
    null: BorrowedFd<'a>,
) -> io::Result<(Theirs<'a>, Ours<'a>)> {
    let (stdin, feed) = match stdin {
        Stdin::Null => (lend(null, 0)?, None),
        Stdin::Inherited => (Given::Inherited, None),
        Stdin::File(file) => (lend(file, 0)?, None),
        Stdin::Feed(source) => {
            let (theirs, ours) = feed(source)?;
            (theirs, Some(ours))
        }
    };
    let (stdout, from_stdout) = output(stdout, 1)?;
    let (stderr, from_stderr) = output(stderr, 2)?;
    Ok(([stdin, stdout, stderr], Ours { stdin: feed, stdout: from_stdout, stderr: from_stderr }))
}

fn feed(source: &mut dyn BufRead) -> io::Result<(Given<'static>, Feed<'_>)> {
    let (reader, writer) = io::pipe()?;
    Ok((Given::Owned(above_standard(reader.into())?), Feed::new(writer, source)?))
}

fn output(output: Stdout<'_>, number: i32) -> io::Result<(Given<'_>, Option<PipeReader>)> {
    Ok(match output {
        Stdout::Inherited => (Given::Inherited, None),
        Stdout::File(file) => (lend(file, number)?, None),
        Stdout::Listener => {
            let (reader, writer) = io::pipe()?;
            (Given::Owned(above_standard(writer.into())?), Some(reader))
        }
    })
}

/// Lends `file` as descriptor `number`. One of the other two standard
/// descriptors is copied first, for it is replaced before its turn comes.
fn lend(file: BorrowedFd<'_>, number: i32) -> io::Result<Given<'_>> {
    if file.as_raw_fd() == number {
        return Ok(Given::Inherited);
    }
    if file.as_raw_fd() > 2 {
        return Ok(Given::Lent(file));
    }
    Ok(Given::Owned(file.try_clone_to_owned()?))
}

/// A program that closed its standard descriptors gets new ones in their place.
fn above_standard(file: OwnedFd) -> io::Result<OwnedFd> {
    if file.as_raw_fd() > 2 { Ok(file) } else { file.try_clone() }
}
