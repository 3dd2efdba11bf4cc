//! A job that has the terminal: what is typed there stops or ends the job alone,
//! though it was meant for all of us.
//!
//! Does not know what the job does with it.

use std::io;
use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use signal_hook::SigId;
use signal_hook::low_level;

use super::waker::Waker;
use super::{reap, signal};

/// How long a job is left alone that was just continued: one that stops again at
/// once would keep us busy.
const REST: Duration = Duration::from_millis(100);

/// The terminal in the hands of a job, until this is dropped.
pub(super) struct Foreground<'a> {
    terminal: BorrowedFd<'a>,
    leader: i32,
    /// Rings the bell of the worker when a child was stopped, or ended.
    told: SigId,
    /// Left alone until then.
    rest: Instant,
}

impl<'a> Foreground<'a> {
    /// Hands `terminal` to the group of `leader`. From now on `waker` rings when it
    /// may have been stopped.
    ///
    /// # Errors
    /// When the handler cannot be installed.
    #[expect(unsafe_code, reason = "std knows no signals")]
    pub(super) fn give(terminal: BorrowedFd<'a>, leader: i32, waker: Waker) -> io::Result<Self> {
        // SAFETY: the handler calls write(2) only.
        let told = unsafe { low_level::register(libc::SIGCHLD, move || waker.ring()) }?;
        let mut foreground = Self { terminal, leader, told, rest: Instant::now() };
        signal::give_terminal(terminal, Some(leader));
        // It may have asked too early and been stopped.
        foreground.go_on();
        Ok(foreground)
    }

    /// When to look at the job even if nobody rings.
    pub(super) fn due(&self) -> Option<Instant> {
        (self.rest > Instant::now()).then_some(self.rest)
    }

    /// Looks whether the job was stopped, before it is reaped: by Ctrl-Z, and then
    /// everybody stops; or because it asked for the terminal after that.
    pub(super) fn look(&mut self) {
        if self.due().is_some() {
            return;
        }
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
