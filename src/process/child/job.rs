//! What can be asked for: a command that is prepared once, and a job of it; what is
//! reported of it; and the ends of its three standard descriptors, those it gets and those
//! that are kept here.
//!
//! Every descriptor made here is closed on exec, so that no job keeps another's
//! pipe open. Pipes are never used twice: a background process of the last job
//! may still write to its own. Does not know how a process is started.

use std::ffi::CString;
use std::fmt;
use std::io::{self, BufRead, PipeReader};
use std::os::fd::{AsRawFd as _, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use super::pipes::InputPipe;
use super::reap::{ChildUsage, ProcessEnd};
use super::witness::Seen;
use crate::byte_list::ByteList;

/// What many jobs have in common.
#[derive(Clone, Debug)]
pub struct Command {
    /// The program's absolute path: see [`resolve`](super::resolve()).
    pub program: CString,
    /// The environment that all jobs share: see [`inherited_environment`](super::inherited_environment).
    pub environment: Arc<ByteList>,
    /// Where jobs run; None is this process's own directory.
    pub directory: Option<PathBuf>,
    /// The niceness of jobs, absolute, not an increment; None is this process's own.
    pub nice: Option<i32>,
}

impl Command {
    /// A command that runs here, with no other niceness.
    #[must_use]
    pub fn new(program: CString, environment: Arc<ByteList>) -> Self {
        Self { program, environment, directory: None, nice: None }
    }
}

/// One execution of a [`Command`].
pub struct Job<'a> {
    /// What it executes.
    pub command: &'a Command,
    /// Its arguments, the zeroth included.
    pub argv: &'a ByteList,
    /// `NAME=value` variables of this job alone. The shared environment must not
    /// hold these names.
    pub variables: &'a ByteList,
    /// Where it reads from.
    pub stdin: JobStdin<'a>,
    /// Where its output goes.
    pub stdout: JobStdout<'a>,
    /// Where its messages go.
    pub stderr: JobStdout<'a>,
    /// Whether it is told how much of what it was fed the job never read.
    pub counts_unread: bool,
    /// Whether it is looked at what it waits for.
    pub is_witnessed: bool,
    /// A terminal that is the job's alone as long as it runs.
    pub terminal: Option<BorrowedFd<'a>>,
    /// When it is killed for lasting too long. A pause of the run shifts it.
    pub deadline: Option<Instant>,
    /// A descriptor that begins the kill sequence by becoming readable.
    pub wake: Option<BorrowedFd<'a>>,
}

impl<'a> Job<'a> {
    /// A job that reads nothing, whose output and messages go to the listener,
    /// and which may last as long as it likes.
    #[must_use]
    pub fn new(command: &'a Command, argv: &'a ByteList) -> Self {
        static NONE: ByteList = ByteList::new();
        Self {
            command,
            argv,
            variables: &NONE,
            stdin: JobStdin::Null,
            stdout: JobStdout::Listener,
            stderr: JobStdout::Listener,
            counts_unread: false,
            is_witnessed: false,
            terminal: None,
            deadline: None,
            wake: None,
        }
    }
}

/// Where a job's standard input comes from.
pub enum JobStdin<'a> {
    /// /dev/null.
    Null,
    /// An open file.
    File(BorrowedFd<'a>),
    /// Bytes written to a pipe by the worker: a `&mut &[u8]` will do. A source
    /// that has nothing yet answers [`WouldBlock`](std::io::ErrorKind::WouldBlock)
    /// and is asked again when the worker's waker wakes it.
    Feed(&'a mut dyn BufRead),
}

/// Where a job's output or messages go.
#[derive(Clone, Copy, Debug)]
pub enum JobStdout<'a> {
    /// Through a pipe to the [`Listener`](super::Listener).
    Listener,
    /// Where this process's own go.
    Inherited,
    /// To an open file.
    File(BorrowedFd<'a>),
}

/// What is known of a job that was started.
#[derive(Debug)]
pub struct Report {
    /// How its process ended.
    pub ended: ProcessEnd,
    /// What it used.
    pub usage: ChildUsage,
    /// What it was seen to wait for, where that was looked at.
    pub seen: Option<Seen>,
    /// Why it was killed. It may have ended by itself meanwhile, or ended before
    /// and only its output been cut short.
    pub cause: Option<Cause>,
    /// What went wrong with its output or its input.
    pub broken: Option<Broken>,
    /// How many bytes that it was fed it never read, where that was to be counted.
    pub unread: u64,
    /// Whether the kernel killed it for lack of memory, if something did and the
    /// kernel tells. Asked only of jobs that ended with KILL (or 137, as a shell
    /// puts it) without our doing; then None means that it is not known.
    pub out_of_memory: Option<bool>,
}

/// Why a job was killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// It lasted too long.
    TimedOut,
    /// Its kill sequence was asked for.
    Terminated,
    /// It was to be killed at once.
    Killed,
    /// Its output could not be handed on, or its input not be had.
    Broken,
}

/// What went wrong between a job and this process.
#[derive(Debug)]
pub enum Broken {
    /// Its input could not be read for it, or not be written to it.
    Input(io::Error),
    /// Its output could not be read, or not be handed on.
    Output(io::Error),
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Input(error) => write!(f, "cannot pass on its input: {error}"),
            Self::Output(error) => write!(f, "cannot write its output: {error}"),
        }
    }
}

/// What the job gets as 0, 1 and 2.
pub(super) type Theirs<'a> = [Given<'a>; 3];

/// One descriptor of the job.
pub(super) enum Given<'a> {
    /// Its number here.
    Inherited,
    Lent(BorrowedFd<'a>),
    /// To be closed here when the job has it, or has ended.
    Owned(OwnedFd),
}

impl Given<'_> {
    /// What was made for this job alone.
    pub(super) fn into_owned(self) -> Option<OwnedFd> {
        match self {
            Self::Owned(file) => Some(file),
            Self::Inherited | Self::Lent(_) => None,
        }
    }
}

/// What is kept here.
pub(super) struct Ours<'a> {
    pub(super) stdin: Option<InputPipe<'a>>,
    pub(super) stdout: Option<PipeReader>,
    pub(super) stderr: Option<PipeReader>,
}

/// Opens what a job needs.
pub(super) fn open_streams<'a, 'source: 'a>(
    stdin: JobStdin<'source>,
    stdout: JobStdout<'a>,
    stderr: JobStdout<'a>,
    null: BorrowedFd<'a>,
) -> io::Result<(Theirs<'a>, Ours<'a>)> {
    let (stdin, feed) = match stdin {
        JobStdin::Null => (lend(null, 0)?, None),
        JobStdin::File(file) => (lend(file, 0)?, None),
        JobStdin::Feed(source) => {
            let (theirs, ours) = feed(source)?;
            (theirs, Some(ours))
        }
    };
    let (stdout, from_stdout) = output(stdout, 1)?;
    let (stderr, from_stderr) = output(stderr, 2)?;
    Ok(([stdin, stdout, stderr], Ours { stdin: feed, stdout: from_stdout, stderr: from_stderr }))
}

fn feed(source: &mut dyn BufRead) -> io::Result<(Given<'static>, InputPipe<'_>)> {
    let (reader, writer) = io::pipe()?;
    Ok((Given::Owned(above_standard(reader.into())?), InputPipe::new(writer, source)?))
}

fn output(output: JobStdout<'_>, number: i32) -> io::Result<(Given<'_>, Option<PipeReader>)> {
    Ok(match output {
        JobStdout::Inherited => (Given::Inherited, None),
        JobStdout::File(file) => (lend(file, number)?, None),
        JobStdout::Listener => {
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
