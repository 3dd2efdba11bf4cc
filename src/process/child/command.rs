//! What can be asked for: a command that is prepared once, and a job of it.
//!
//! Does not know how a process is started.

use std::ffi::CString;
use std::io::BufRead;
use std::os::fd::BorrowedFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

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
    pub stdin: Stdin<'a>,
    /// Where its output goes.
    pub stdout: Stdout<'a>,
    /// Where its messages go.
    pub stderr: Stdout<'a>,
    /// Whether it is told how much of what it was fed the job never read.
    pub counts_unread: bool,
    /// A terminal that is the job's alone as long as it runs.
    pub terminal: Option<BorrowedFd<'a>>,
    /// When it is killed for lasting too long. A pause of the run shifts it.
    pub deadline: Option<Instant>,
    /// A descriptor that asks for attention by becoming readable: then
    /// [`Listener::woken`](super::Listener::woken) is called.
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
            stdin: Stdin::Null,
            stdout: Stdout::Listener,
            stderr: Stdout::Listener,
            counts_unread: false,
            terminal: None,
            deadline: None,
            wake: None,
        }
    }
}

/// Where a job's standard input comes from.
pub enum Stdin<'a> {
    /// /dev/null.
    Null,
    /// This process's own.
    Inherited,
    /// An open file.
    File(BorrowedFd<'a>),
    /// Bytes written to a pipe by the worker: a `&mut &[u8]` will do. A source
    /// that has nothing yet answers [`WouldBlock`](std::io::ErrorKind::WouldBlock)
    /// and is asked again when the worker's bell rings.
    Feed(&'a mut dyn BufRead),
}

/// Where a job's output or messages go.
#[derive(Clone, Copy, Debug)]
pub enum Stdout<'a> {
    /// Through a pipe to the [`Listener`](super::Listener).
    Listener,
    /// Where this process's own go.
    Inherited,
    /// To an open file.
    File(BorrowedFd<'a>),
}
