//! What can be asked for, a job of a command; who takes its output as it comes, and how it
//! says "not now"; and what is reported in the end.
//!
//! Does not know how a process is started, nor where the bytes go.

use std::io::{self, BufRead};
use std::os::fd::BorrowedFd;
use std::time::Instant;

use super::command::Command;
use super::reap::{ChildUsage, ProcessEnd};
use super::witness::Seen;
use crate::byte_list::ByteList;

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
    /// Through a pipe to the [`Listener`].
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
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// Its input could not be read for it, or not be written to it.
    #[error("cannot pass on its input: {0}")]
    Input(io::Error),
    /// Its output could not be read, or not be handed on.
    #[error("cannot write its output: {0}")]
    Output(io::Error),
}

/// Which of a job's two streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum JobStream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// What becomes of a channel after some of its bytes were taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// More of it is welcome.
    Continue,
    /// The bytes were taken, but the pipe is not read again until the worker's
    /// [`Waker`](crate::process::Waker) woke it and [`Listener::resumes`] agrees. The job
    /// itself blocks once the pipe is full.
    Pause,
}

/// What was noticed of a job that a signal stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// It does nothing until something continues it.
    Stopped {
        /// The signal's number.
        signal: i32,
        /// Whether it is for the first time.
        is_news: bool,
    },
    /// It runs again.
    Continued,
}

/// Whoever takes a job's output. A closure that takes every byte is one.
pub trait Listener {
    /// Takes all of `bytes`, as they come. An error kills the job.
    fn output(&mut self, channel: JobStream, bytes: &[u8]) -> io::Result<Flow>;

    /// The job is about to be started.
    fn starts(&mut self) {}

    /// The job, which leads the process group `leader`, was stopped or continued.
    fn stopped(&mut self, _leader: i32, _stop: Stop) {}

    /// Whether a paused channel may be read again; asked when the waker woke it.
    fn resumes(&mut self, _channel: JobStream) -> bool {
        true
    }
}

impl<F: FnMut(JobStream, &[u8]) -> io::Result<Flow>> Listener for F {
    fn output(&mut self, channel: JobStream, bytes: &[u8]) -> io::Result<Flow> {
        self(channel, bytes)
    }
}
