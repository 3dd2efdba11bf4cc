//! What carries the words between an engine and its workers: the traits, and
//! processes of this machine.
//!
//! Knows nothing of what is said.

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context as _;

use crate::process::{PollEntry, poll, set_nonblocking, with_first_limits};
use crate::task::NodeName;

/// Starts workers somewhere.
pub trait Transport: Sync {
    /// Starts one and connects with it. It has said nothing yet.
    ///
    /// # Errors
    /// When it cannot be started.
    fn open(&self) -> anyhow::Result<Box<dyn WorkerStream>>;

    /// Whether its workers are so far away that one may be gone without the end of its
    /// stream being seen: then it is to be heard of now and then.
    fn is_far(&self) -> bool {
        false
    }

    /// Which machine its workers are on, where the user named one.
    fn node(&self) -> Option<&NodeName> {
        None
    }
}

/// A worker and the way to it. Neither reading nor writing waits. Dropped, it leaves no
/// worker behind.
pub trait WorkerStream: Read + Write + Send {
    /// The worker in a person's words: `process 4711`.
    fn name(&self) -> String;

    /// The worker's number, where it is a process of this machine.
    fn process(&self) -> Option<u32> {
        None
    }

    /// What becomes readable when there is something to be read, the end of the stream,
    /// too; `None` once there is nothing any more.
    fn descriptor(&self) -> Option<BorrowedFd<'_>>;

    /// What becomes writable when there is room for something to be said; `None` once
    /// nothing more is said.
    fn write_descriptor(&self) -> Option<BorrowedFd<'_>>;

    /// Whether nobody has answered yet at the other end.
    fn is_connecting(&self) -> bool {
        false
    }

    /// What is to be told of the worker once it is there: that it is another than the user may
    /// think.
    fn remark(&self) -> Option<&str> {
        None
    }

    /// Nothing more will be said to the worker, which ends by itself then.
    fn hang_up(&mut self);

    /// Waits until the worker is gone, or makes it go when that takes longer than
    /// `patience`. How it ended, unless it did as it should: `was killed by signal 9`.
    fn reap(&mut self, patience: Duration) -> Option<String>;
}

/// Worker processes on this machine, which hear on their standard input and answer
/// on their standard output.
#[derive(Clone, Debug)]
pub struct Children {
    program: PathBuf,
    arguments: Vec<OsString>,
    node: Option<NodeName>,
}

impl Children {
    /// Each worker is `program` with `arguments`.
    pub fn new(program: PathBuf, arguments: Vec<OsString>) -> Self {
        Self { program, arguments, node: None }
    }

    /// The same as one of several machines, which the user calls so.
    pub fn at(self, node: NodeName) -> Self {
        Self { node: Some(node), ..self }
    }
}

impl Transport for Children {
    fn open(&self) -> anyhow::Result<Box<dyn WorkerStream>> {
        let mut command = Command::new(&self.program);
        let child = with_first_limits(&mut command)
            // Whatever the file is called, it is parsim that is meant.
            .arg0("parsim")
            .args(&self.arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start a worker: {}", self.program.display()))?;
        Ok(Box::new(Process::new(child)?))
    }

    fn node(&self) -> Option<&NodeName> {
        self.node.as_ref()
    }
}

/// A process at the other end of two pipes, neither of which waits.
pub(super) struct Process {
    /// With its standard input until nothing more is said, and its standard output until
    /// it is gone.
    child: Child,
    ended: Option<ExitStatus>,
}

impl Process {
    /// `child` was started with pipes.
    pub(super) fn new(child: Child) -> anyhow::Result<Self> {
        let process = Self { child, ended: None };
        let mut ends = process.write_descriptor().into_iter().chain(process.descriptor());
        ends.try_for_each(set_nonblocking).context("cannot open a way to a worker")?;
        drop(ends);
        Ok(process)
    }

    /// Reads to the end of the stream, which comes when the process ends; `false`
    /// when it does not come in time.
    fn falls_silent(&mut self, end: Instant) -> bool {
        let mut rest = [0; 4096];
        loop {
            match self.read(&mut rest) {
                Ok(0) => return true,
                Err(error) if !is_passing(&error) => return false,
                Ok(_) | Err(_) => {}
            }
            // That parsim is to end is no reason not to wait for this: it is quick.
            let left = end.saturating_duration_since(Instant::now());
            let Some(fd) = self.descriptor().filter(|_| !left.is_zero()) else { return false };
            if poll(&mut [PollEntry::readable(fd)], Some(left)).is_err() {
                return false;
            }
        }
    }
}

/// Whether there may be something to be read later.
fn is_passing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock)
}

impl WorkerStream for Process {
    fn name(&self) -> String {
        format!("process {}", self.child.id())
    }

    fn process(&self) -> Option<u32> {
        Some(self.child.id())
    }

    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        self.child.stdout.as_ref().map(AsFd::as_fd)
    }

    fn write_descriptor(&self) -> Option<BorrowedFd<'_>> {
        self.child.stdin.as_ref().map(AsFd::as_fd)
    }

    fn hang_up(&mut self) {
        self.child.stdin = None;
    }

    fn reap(&mut self, patience: Duration) -> Option<String> {
        self.hang_up();
        let is_over = self.ended.is_some() || self.falls_silent(Instant::now() + patience);
        if !is_over {
            // One that has ended meanwhile cannot be killed.
            let _ = self.child.kill();
        }
        if self.ended.is_none() {
            self.ended = self.child.wait().ok();
        }
        self.child.stdout = None;
        match self.ended {
            _ if !is_over => Some(format!("did not end within {} s", patience.as_secs_f64())),
            None => Some("could not be waited for".to_owned()),
            Some(status) if status.success() => None,
            Some(status) => Some(match (status.signal(), status.code()) {
                (Some(signal), _) => format!("was killed by signal {signal}"),
                (None, code) => format!("ended with status {}", code.unwrap_or_default()),
            }),
        }
    }
}

impl Read for Process {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.child.stdout.as_mut().map_or(Ok(0), |from| from.read(bytes))
    }
}

impl Write for Process {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.child.stdin {
            Some(to) => to.write(bytes),
            None => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.ended.is_none() {
            // Nothing better can be done with an error than to go on.
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}
