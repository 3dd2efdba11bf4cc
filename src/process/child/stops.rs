//! Jobs that a signal stops: a job that has the terminal, where what is typed stops or
//! ends it alone, though it was meant for all of us; and a job that has it not and asks
//! for it, which would wait for ever without a word.
//!
//! A stop is told by CHLD only, which comes for each end as well, and of which two are
//! one: for jobs without the terminal a handler would cost every job something and still
//! miss some. A look is one system call, the first after a second and the next ever later;
//! what is over by then costs nothing, nor does a batch without a terminal.
//!
//! Does not know who is told.

use std::io;
use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use signal_hook::SigId;
use signal_hook::low_level;

use super::job::Stop;
use super::reap::{StopChange, changes};
use crate::process::poll::Waker;
use crate::process::signal;

/// How long a job is left alone that was just continued: one that stops again at
/// once would keep us busy.
const REST: Duration = Duration::from_millis(100);

/// The terminal in the hands of a job, until this is dropped.
pub(super) struct Foreground<'a> {
    terminal: BorrowedFd<'a>,
    leader: i32,
    /// Wakes the worker when a child was stopped, or ended.
    told: SigId,
    /// Left alone until then.
    rest: Instant,
}

impl<'a> Foreground<'a> {
    /// Hands `terminal` to the group of `leader`. From now on `waker` wakes when it
    /// may have been stopped.
    ///
    /// # Errors
    /// When the handler cannot be installed.
    pub(super) fn give(terminal: BorrowedFd<'a>, leader: i32, waker: Waker) -> io::Result<Self> {
        let told = signal::catch(libc::SIGCHLD, move || waker.wake())?;
        let mut foreground = Self { terminal, leader, told, rest: Instant::now() };
        signal::give_terminal(terminal, Some(leader));
        // It may have asked too early and been stopped.
        foreground.go_on();
        Ok(foreground)
    }

    /// When to look at the job even if nobody wakes.
    pub(super) fn due(&self) -> Option<Instant> {
        (self.rest > Instant::now()).then_some(self.rest)
    }

    /// Looks whether the job was stopped, before it is reaped: by Ctrl-Z, and then
    /// everybody stops; or because it asked for the terminal after that.
    pub(super) fn look(&mut self) {
        if self.due().is_some() {
            return;
        }
        let Some(StopChange::Stopped(stopped_by)) = changes(self.leader, libc::WSTOPPED) else { return };
        let asks = [libc::SIGTTIN, libc::SIGTTOU].contains(&stopped_by);
        let waits = if asks {
            // In the background it waits until all of us are brought back.
            !signal::has_terminal(self.terminal)
        } else {
            signal::give_terminal(self.terminal, None);
            true
        };
        if !(waits && signal::stop_own_group()) {
            signal::give_terminal(self.terminal, Some(self.leader));
            self.go_on();
        }
    }

    fn go_on(&mut self) {
        let _ = signal::send_to_group(self.leader, libc::SIGCONT);
        self.rest = Instant::now() + REST;
    }
}

impl Drop for Foreground<'_> {
    fn drop(&mut self) {
        low_level::unregister(self.told);
        signal::give_terminal(self.terminal, None);
    }
}

/// What has lasted so long is looked at for the first time.
const FIRST_LOOK: Duration = Duration::from_secs(1);

/// There is so much time between two looks at most.
const LONGEST_REST: Duration = Duration::from_secs(10);

/// When to look at one job.
pub(super) struct Stops {
    /// None: never.
    next: Option<Instant>,
    rest: Duration,
    /// Whether it was ever stopped.
    was_stopped: bool,
}

impl Stops {
    /// Of a job that starts now. One that is not minded is never looked at.
    pub(super) fn new(is_minded: bool) -> Self {
        let next = is_minded.then(|| Instant::now() + FIRST_LOOK);
        Self { next, rest: FIRST_LOOK, was_stopped: false }
    }

    /// When to look even if nothing stirs.
    pub(super) fn due(&self) -> Option<Instant> {
        self.next
    }

    /// Looks at the job `leader`, which was not reaped, if it is time to.
    pub(super) fn look(&mut self, leader: i32, is_paused: bool) -> Option<Stop> {
        let now = Instant::now();
        if self.next.is_none_or(|next| next > now) {
            return None;
        }
        self.next = now.checked_add(self.rest);
        self.rest = (self.rest * 2).min(LONGEST_REST);
        // Of all jobs that parsim has stopped itself there is nothing to be told.
        match (!is_paused).then(|| changes(leader, libc::WSTOPPED | libc::WCONTINUED)).flatten()? {
            StopChange::Stopped(signal) => {
                let is_news = !std::mem::replace(&mut self.was_stopped, true);
                Some(Stop::Stopped { signal, is_news })
            }
            StopChange::Continued => Some(Stop::Continued),
        }
    }
}
