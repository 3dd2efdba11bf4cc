//! A job from its start to its report.
//!
//! Does not know which job comes next.

use std::sync::Arc;
use std::time::Duration;
use std::{fmt, io};

use super::command::Job;
use super::error::StartError;
use super::event_loop::{Broken, Supervision};
use super::killing::Cause;
use super::listener::Listener;
use super::output;
use super::reap::{Ended, Usage};
use super::running::Running;
use super::running_job::RunningJob;
use super::signal;
use super::spawn::{Program, Spawner};
use super::streams;
use super::waker::Waker;

/// What is known of a job that was started.
#[derive(Debug)]
pub struct Report {
    /// How its process ended.
    pub ended: Ended,
    /// What it used.
    pub usage: Usage,
    /// From before its start until its end was noticed; output that was read
    /// later is not in it.
    pub lasted: Duration,
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

/// Runs jobs, one at a time; belongs to one thread of a run.
pub struct Worker<'r> {
    running: &'r Running,
    running_job: Arc<RunningJob>,
    spawner: Spawner,
    buffer: Vec<u8>,
}

impl<'r> Worker<'r> {
    /// A worker that goes by the number `slot`.
    ///
    /// # Errors
    /// When there is no descriptor left for its bell.
    pub fn new(running: &'r Running, slot: usize) -> io::Result<Self> {
        Self::with(running, slot, Spawner::fastest())
    }

    /// A worker that starts processes through std only. Slower, otherwise the
    /// same: for a system on which the fast way gives trouble.
    ///
    /// # Errors
    /// When there is no descriptor left for its bell.
    pub fn portable(running: &'r Running, slot: usize) -> io::Result<Self> {
        Self::with(running, slot, Spawner::Portable)
    }

    /// What wakes this worker from its wait: to be rung when a paused channel
    /// may be read again, or when a feed has something.
    #[must_use]
    pub fn waker(&self) -> Waker {
        self.running_job.waker.clone()
    }

    /// Runs one job to its end.
    ///
    /// # Errors
    /// When it could not be started, or its end could not be learned.
    pub fn run(&mut self, job: Job<'_>, listener: &mut dyn Listener) -> Result<Report, StartError> {
        if self.running.is_ending() {
            return Err(StartError::Ending);
        }
        let allowance = self.running.clock.start(job.deadline);
        let Job { command, argv, variables, stdin, stdout, stderr, terminal, wake, .. } = job;
        let counts_unread = job.counts_unread;
        let (theirs, ours) =
            streams::open(stdin, stdout, stderr, self.running.null()).map_err(StartError::Resources)?;
        let program = Program { command, argv, variables, caught: self.running.caught };
        let starting = self.running.starting.read();
        let child = self.spawner.spawn(&program, theirs)?;
        listener.started();
        let mut attendance = Supervision::new(self.running, &self.running_job, child, ours, allowance, wake);
        if counts_unread {
            attendance.count_unread();
        }
        if let Some(terminal) = terminal {
            attendance.hand_over(terminal).map_err(StartError::Lost)?;
        }
        drop(starting);
        let attended = attendance.attend(&mut self.buffer, listener);
        let end = attended.map_err(StartError::Lost)?;
        if terminal.is_some() && end.cause.is_none() && end.ended.signal() == Some(libc::SIGINT) {
            // Ctrl-C was typed for all of us, and only the job was asked.
            signal::send_to_self(libc::SIGINT);
        }
        let killed = matches!(end.ended, Ended::Signaled { signal: libc::SIGKILL, .. } | Ended::Exited(137));
        let out_of_memory = if killed && end.cause.is_none() { self.running.oom_killed() } else { None };
        Ok(Report {
            ended: end.ended,
            usage: end.usage,
            lasted: end.lasted,
            cause: end.cause,
            broken: end.broken,
            unread: end.unread,
            out_of_memory,
        })
    }

    fn with(running: &'r Running, slot: usize, spawner: Spawner) -> io::Result<Self> {
        let running_job = running.add_running_job(slot)?;
        Ok(Self { running, running_job, spawner, buffer: vec![0; output::LEAST] })
    }
}

impl Drop for Worker<'_> {
    fn drop(&mut self) {
        self.running.remove_running_job(&self.running_job);
    }
}

impl fmt::Debug for Worker<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker").field("running_job", &self.running_job).finish_non_exhaustive()
    }
}
