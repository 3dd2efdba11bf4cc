//! A job from its start to its report.
//!
//! Does not know which job comes next.

use std::sync::Arc;
use std::{fmt, io};

use super::event_loop::Supervision;
use super::job::{Job, Report, open_streams};
use super::listener::Listener;
use super::pipes::FIRST_BUFFER;
use super::reap::ProcessEnd;
use super::running::{RunningJob, RunningJobs};
use super::spawn::{Program, Spawner};
use super::start_error::StartError;
use crate::process::signal;
use crate::process::waker::Waker;

/// Runs jobs, one at a time; belongs to one thread of a run.
pub struct JobRunner<'r> {
    running: &'r RunningJobs,
    running_job: Arc<RunningJob>,
    spawner: Spawner,
    buffer: Vec<u8>,
}

impl<'r> JobRunner<'r> {
    /// A runner that goes by the number `slot`.
    ///
    /// # Errors
    /// When there is no descriptor left for its waker.
    pub fn new(running: &'r RunningJobs, slot: usize) -> io::Result<Self> {
        Self::with(running, slot, Spawner::fastest())
    }

    /// A runner that starts processes through std only.
    #[cfg(test)]
    pub(super) fn portable(running: &'r RunningJobs, slot: usize) -> io::Result<Self> {
        Self::with(running, slot, Spawner::Portable)
    }

    /// What wakes this thread from its wait: when a paused channel may be read again,
    /// or when a feed has something.
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
        let (counts_unread, is_witnessed) = (job.counts_unread, job.is_witnessed);
        let (theirs, ours) =
            open_streams(stdin, stdout, stderr, self.running.null()).map_err(StartError::Resources)?;
        let program = Program { command, argv, variables, caught: self.running.caught };
        let starting = self.running.starting.read();
        // Before the call that starts it, for that comes back only when the program is
        // there: the next start need not wait so long for its turn.
        listener.starts();
        let child = self.spawner.spawn(&program, theirs)?;
        let mut supervision = Supervision::new(self.running, &self.running_job, child, ours, allowance, wake);
        if counts_unread {
            supervision.count_unread();
        }
        if is_witnessed {
            supervision.witness();
        }
        if let Some(terminal) = terminal {
            supervision.hand_over(terminal).map_err(StartError::Lost)?;
        }
        drop(starting);
        let mut report = supervision.attend(&mut self.buffer, listener).map_err(StartError::Lost)?;
        if terminal.is_some() && report.cause.is_none() && report.ended.signal() == Some(libc::SIGINT) {
            // Ctrl-C was typed for all of us, and only the job was asked.
            signal::send_to_self(libc::SIGINT);
        }
        let killed = matches!(
            report.ended,
            ProcessEnd::Signaled { signal: libc::SIGKILL, .. } | ProcessEnd::Exited(137)
        );
        if killed && report.cause.is_none() {
            report.out_of_memory = self.running.oom_killed();
        }
        Ok(report)
    }

    fn with(running: &'r RunningJobs, slot: usize, spawner: Spawner) -> io::Result<Self> {
        let running_job = running.add_running_job(slot)?;
        Ok(Self { running, running_job, spawner, buffer: vec![0; FIRST_BUFFER] })
    }
}

impl Drop for JobRunner<'_> {
    fn drop(&mut self) {
        self.running.remove_running_job(&self.running_job);
    }
}

impl fmt::Debug for JobRunner<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JobRunner").field("running_job", &self.running_job).finish_non_exhaustive()
    }
}
