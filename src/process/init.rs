//! The first process of a container, or another one that orphans fall to: it stays
//! behind, reaps them, passes signals on, and ends as the process does that it made
//! for the work.
//!
//! Such a process has duties that no other has, and the kernel spares it signals that
//! it sends itself. Reaping whatever has ended beside those who wait for their own
//! children would take the endings away from them: it takes a process that has only
//! one child of its own.
//!
//! Does not know what the work is.

use std::io;

use super::child::ProcessEnd;
use super::limits::set_limit;
use super::signal::{self, SignalSet};

/// Where this process is given orphans, makes another one for the work and stays until
/// that has ended: then it is told how. None in the one that does the work, and where
/// there is nothing to stay for. To be called before there are threads.
pub fn stay_behind() -> Option<ProcessEnd> {
    if !is_given_orphans() {
        return None;
    }
    // All signals but those that tell of a fault in this very process.
    let own = [libc::SIGSEGV, libc::SIGBUS, libc::SIGFPE, libc::SIGILL, libc::SIGTRAP, libc::SIGSYS];
    let awaited = SignalSet::of((1..=64).filter(|signal| !own.contains(signal)));
    // Ignored, CHLD would have no children left to wait for.
    signal::keep_children();
    let before = awaited.mask(libc::SIG_BLOCK);
    match fork() {
        // Without a process to be had, orphans stay as they are.
        Err(_) => {
            before.mask(libc::SIG_SETMASK);
        }
        Ok(None) => {
            before.mask(libc::SIG_SETMASK);
            prepare_for_work();
        }
        Ok(Some(child)) => return Some(attend(child, &awaited)),
    }
    None
}

#[expect(unsafe_code, reason = "std knows no process that orphans fall to")]
fn is_given_orphans() -> bool {
    if std::process::id() == 1 {
        return true;
    }
    #[cfg(target_os = "linux")]
    {
        let mut is_reaper: libc::c_int = 0;
        // SAFETY: the call writes one int, which is ours.
        let asked = unsafe { libc::prctl(libc::PR_GET_CHILD_SUBREAPER, &raw mut is_reaper, 0, 0, 0) };
        asked == 0 && is_reaper != 0
    }
    #[cfg(not(target_os = "linux"))]
    false
}

/// The number of the child; None in the child.
#[expect(unsafe_code, reason = "std does not copy a process")]
pub(super) fn fork() -> io::Result<Option<i32>> {
    // SAFETY: there is no other thread yet, so that the copy is a whole process.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        0 => Ok(None),
        child => Ok(Some(child)),
    }
}

/// In the process that does the work.
#[expect(unsafe_code, reason = "std knows neither terminals nor the death of parents")]
fn prepare_for_work() {
    // SAFETY: all of it takes numbers.
    unsafe {
        // Who is sent KILL is not to leave the work to itself.
        #[cfg(target_os = "linux")]
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL, 0, 0, 0);
        // What is sent to a group reaches this process from there, and is not to come
        // twice; but what is typed comes to the group that has the terminal.
        if std::fs::File::open("/dev/tty").is_err() {
            libc::setpgid(0, 0);
        }
    }
}

/// Passes signals on to `child` and reaps everything until `child` has ended.
fn attend(child: i32, awaited: &SignalSet) -> ProcessEnd {
    loop {
        match awaited.wait() {
            (libc::SIGCHLD, _) => {
                if let Some(ended) = reap_all(child) {
                    return ended;
                }
            }
            (signal @ 1.., sender) if sender != SI_KERNEL => {
                signal::send(child, signal);
            }
            // The kernel has told the child as well: it was typed.
            _ => {}
        }
    }
}

/// What a signal of the kernel's own has in the place of its sender.
const SI_KERNEL: libc::c_int = 0x80;

/// Reaps all that have ended. How `child` did, if it is one of them.
#[expect(unsafe_code, reason = "std waits for its own children only")]
fn reap_all(child: i32) -> Option<ProcessEnd> {
    let mut ended = None;
    loop {
        let mut status = 0;
        // SAFETY: `status` is ours and lives through the call.
        let pid = unsafe { libc::waitpid(-1, &raw mut status, libc::WNOHANG | libc::WUNTRACED) };
        if pid <= 0 {
            return ended;
        }
        if pid != child {
            continue;
        }
        if libc::WIFSTOPPED(status) {
            // Whoever stopped the work sees this process only. The first one of a
            // container is not stopped by it.
            signal::stop_here();
            continue;
        }
        let how = ProcessEnd::from_status(status);
        if how.signal().is_some() {
            // The child has left its memory for whoever wants to look: this one's says nothing.
            set_limit(libc::RLIMIT_CORE, &libc::rlimit { rlim_cur: 0, rlim_max: 0 });
        }
        ended = Some(how);
    }
}
