//! A job that has the terminal: what is typed there stops or ends the job alone,
//! though it was meant for all of us.
//!
//! Does not know what the job does with it.

use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use super::{reap, signal};

/// How often a job is looked at that may have been stopped. The kernel tells of it
/// by a signal only, which every end of every job would send, too.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// The terminal in the hands of a job, until this is dropped.
pub(super) struct Foreground<'a> {
    terminal: BorrowedFd<'a>,
    leader: i32,
    next: Instant,
}

impl<'a> Foreground<'a> {
    /// Hands `terminal` to the group of `leader`.
    pub(super) fn give(terminal: BorrowedFd<'a>, leader: i32) -> Self {
        signal::give_terminal(terminal, Some(leader));
        // It may have asked too early and been stopped.
        let _ = signal::send_to_group(leader, libc::SIGCONT);
        Self { terminal, leader, next: Instant::now() + LOOK_AGAIN }
    }

    /// When to look at the job.
    pub(super) fn due(&self) -> Instant {
        self.next
    }

    /// Looks whether the job was stopped, before it is reaped: by Ctrl-Z, and then
    /// everybody stops; or because it asked for the terminal after that.
    pub(super) fn look(&mut self) {
        if self.next > Instant::now() {
            return;
        }
        self.next = Instant::now() + LOOK_AGAIN;
        let Some(stopped_by) = reap::stopped_by(self.leader) else { return };
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
            let _ = signal::send_to_group(self.leader, libc::SIGCONT);
        }
    }
}

impl Drop for Foreground<'_> {
    fn drop(&mut self) {
        signal::give_terminal(self.terminal, None);
    }
}
