//! A job from its start to its report.
//!
//! Does not know which job comes next.

use std::io;
use std::os::fd::AsFd as _;
use std::sync::Arc;

use super::command::StartError;
use super::event_loop::Supervision;
use super::job::{Job, Listener, Report};
use super::pipes::{FIRST_BUFFER, open_streams};
use super::reap::ProcessEnd;
use super::running::{RunningJob, RunningJobs};
use super::spawn::Spawner;
use crate::process::poll::Waker;
use crate::process::signal;

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
        let running_job = running.add_running_job(slot)?;
        let spawner = Spawner::fastest(running.caught);
        Ok(Self { running, running_job, spawner, buffer: vec![0; FIRST_BUFFER] })
    }

    /// A runner that starts processes through std only.
    #[cfg(test)]
    pub(super) fn portable(running: &'r RunningJobs, slot: usize) -> io::Result<Self> {
        let mut runner = Self::new(running, slot)?;
        runner.spawner = Spawner::Portable;
        Ok(runner)
    }

    /// What wakes this thread from its wait: when a paused channel may be read again,
    /// or when a feed has something.
    pub fn waker(&self) -> Waker {
        self.running_job.waker.clone()
    }

    /// Runs one job to its end.
    ///
    /// # Errors
    /// When it could not be started, or its end could not be learned.
    pub fn run(&mut self, mut job: Job<'_>, listener: &mut dyn Listener) -> Result<Report, StartError> {
        if self.running.is_ending() {
            return Err(StartError::Ending);
        }
        let allowance = self.running.clock.lock().start(job.deadline);
        let (theirs, ours) =
            open_streams(&mut job, self.running.null.as_fd()).map_err(StartError::Resources)?;
        let starting = self.running.starting.read();
        // Before the call that starts it, for that comes back only when the program is
        // there: the next start need not wait so long for its turn.
        listener.starts();
        let child = self.spawner.spawn(&job, theirs)?;
        let (running, wake, counts_unread) = (self.running, job.wake, job.counts_unread);
        let mut supervision =
            Supervision::new(running, &self.running_job, child, ours, allowance, wake, counts_unread);
        if job.is_witnessed {
            supervision.witness();
        }
        if let Some(terminal) = job.terminal {
            supervision.hand_over(terminal).map_err(StartError::Lost)?;
        }
        drop(starting);
        let mut report = supervision.attend(&mut self.buffer, listener).map_err(StartError::Lost)?;
        if job.terminal.is_some() && report.cause.is_none() && report.ended.signal() == Some(libc::SIGINT) {
            // Ctrl-C was typed for all of us, and only the job was asked.
            signal::send_to_self(libc::SIGINT);
        }
        let killed = matches!(
            report.ended,
            ProcessEnd::Signaled { signal: libc::SIGKILL, .. } | ProcessEnd::Exited(137)
        );
        if killed && report.cause.is_none() {
            report.out_of_memory = self.running.oom().lock().account();
        }
        Ok(report)
    }
}

impl Drop for JobRunner<'_> {
    fn drop(&mut self) {
        self.running.remove_running_job(&self.running_job);
    }
}
