//! A kill sequence on its way: who has been sent what, and when the next step
//! is due.
//!
//! Does not wait: the loop that does asks for the time and says what happened.

use std::os::fd::{AsFd as _, OwnedFd};
use std::time::{Duration, Instant};

use super::descriptor::Watch;
use super::group::{Members, members};
use super::running_job::RunningJob;
use super::sequence::TermSequence;

/// KILL is sent again to who has not gone by then: a signal that could not be sent must
/// not leave a job that nobody ends.
const AGAIN: Duration = Duration::from_secs(1);

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

/// A job that is being killed.
pub(super) struct Killing<'a> {
    pub(super) cause: Cause,
    sequence: &'a TermSequence,
    next: usize,
    /// KILL was sent, which nobody survives: there is no next step.
    killed: bool,
    due: Option<Instant>,
    /// One of those who outlived the leader.
    survivor: Option<OwnedFd>,
}

impl<'a> Killing<'a> {
    /// Takes the first step.
    pub(super) fn begin(cause: Cause, sequence: &'a TermSequence, running_job: &RunningJob) -> Self {
        let mut killing = Self { cause, sequence, next: 0, killed: false, due: None, survivor: None };
        killing.step(running_job);
        killing
    }

    /// Kills at once.
    pub(super) fn at_once(cause: Cause, sequence: &'a TermSequence, running_job: &RunningJob) -> Self {
        running_job.send(libc::SIGKILL);
        Self { cause, sequence, next: 0, killed: true, due: again(), survivor: None }
    }

    /// Leaves out the steps that are left.
    pub(super) fn hurry(&mut self, running_job: &RunningJob) {
        if !self.killed {
            running_job.send(libc::SIGKILL);
            (self.killed, self.due) = (true, again());
        }
    }

    /// Sends the next signal; KILL once more where that was the last one.
    pub(super) fn step(&mut self, running_job: &RunningJob) {
        // After the last step those who are left are sent KILL in any case.
        let step = if self.killed { None } else { self.sequence.step(self.next) };
        self.next += 1;
        let signal = step.map_or(libc::SIGKILL, |(signal, _)| signal);
        running_job.send(signal);
        if signal == libc::SIGKILL {
            (self.killed, self.due) = (true, again());
            return;
        }
        // Those who are stopped have to run for the signal to do anything.
        running_job.send(libc::SIGCONT);
        self.due = step.and_then(|(_, wait)| Instant::now().checked_add(wait));
    }

    pub(super) fn due(&self) -> Option<Instant> {
        self.due
    }

    pub(super) fn watch(&self) -> Watch<'_> {
        self.survivor.as_ref().map_or(Watch::NOTHING, |survivor| Watch::readable(survivor.as_fd()))
    }

    /// The leader is dead: whether the others are, too. After KILL they are, or
    /// will be before they can do anything.
    pub(super) fn is_over(&mut self, leader: i32, running_job: &RunningJob) -> bool {
        if self.killed {
            return true;
        }
        match members(leader) {
            Members::Some(survivor) => {
                self.survivor = survivor;
                false
            }
            Members::Nobody => {
                // Who was born while we looked is not to survive, either.
                running_job.send(libc::SIGKILL);
                true
            }
        }
    }
}

fn again() -> Option<Instant> {
    Instant::now().checked_add(AGAIN)
}
