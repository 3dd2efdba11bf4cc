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

/// Where this process is given orphans, makes another one for the work and stays until
/// that has ended: then it is told how. None in the one that does the work, and where
/// there is nothing to stay for. To be called before there are threads.
#[must_use]
pub fn stay_behind() -> Option<ProcessEnd> {
    if !is_given_orphans() {
        return None;
    }
    let awaited = awaited();
    let before = block(&awaited);
    match fork() {
        // Without a process to be had, orphans stay as they are.
        Err(_) => restore(&before),
        Ok(None) => {
            restore(&before);
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

/// All signals but those that tell of a fault in this very process.
#[expect(unsafe_code, reason = "std knows no sets of signals")]
fn awaited() -> libc::sigset_t {
    let own = [libc::SIGSEGV, libc::SIGBUS, libc::SIGFPE, libc::SIGILL, libc::SIGTRAP, libc::SIGSYS];
    // SAFETY: an all-zero set is a valid value to be written over; it is ours.
    unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigfillset(&raw mut set);
        for signal in own {
            libc::sigdelset(&raw mut set, signal);
        }
        set
    }
}

/// Blocks `signals` and hands back what was blocked before.
#[expect(unsafe_code, reason = "std does not know signal masks")]
fn block(signals: &libc::sigset_t) -> libc::sigset_t {
    // SAFETY: both sets are valid and live through the call. The default of CHLD runs
    // no code of ours; ignored, it would have no children left to wait for.
    unsafe {
        let mut before: libc::sigset_t = std::mem::zeroed();
        libc::signal(libc::SIGCHLD, libc::SIG_DFL);
        libc::pthread_sigmask(libc::SIG_BLOCK, signals, &raw mut before);
        before
    }
}

#[expect(unsafe_code, reason = "std does not know signal masks")]
fn restore(before: &libc::sigset_t) {
    // SAFETY: the set is valid and lives through the call.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, before, std::ptr::null_mut()) };
}

/// The number of the child; None in the child.
#[expect(unsafe_code, reason = "std does not copy a process")]
fn fork() -> io::Result<Option<i32>> {
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
#[expect(unsafe_code, reason = "std neither waits for signals nor sends any")]
fn attend(child: i32, awaited: &libc::sigset_t) -> ProcessEnd {
    loop {
        // SAFETY: an all-zero siginfo is a valid value to be written over; both live
        // through the call.
        let (signal, sender) = unsafe {
            let mut info: libc::siginfo_t = std::mem::zeroed();
            (libc::sigwaitinfo(awaited, &raw mut info), info.si_code)
        };
        match signal {
            libc::SIGCHLD => {
                if let Some(ended) = reap_all(child) {
                    return ended;
                }
            }
            // The kernel has told the child as well: it was typed.
            1.. if sender != SI_KERNEL => {
                // SAFETY: takes numbers; the child was not reaped.
                unsafe { libc::kill(child, signal) };
            }
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
            // SAFETY: takes a number; STOP runs no handler.
            unsafe { libc::raise(libc::SIGSTOP) };
            continue;
        }
        let how = ProcessEnd::from_status(status);
        if how.signal().is_some() {
            without_a_second_dump();
        }
        ended = Some(how);
    }
}

/// The child has left its memory for whoever wants to look: this one's says nothing.
#[expect(unsafe_code, reason = "std does not know limits")]
fn without_a_second_dump() {
    let none = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the limit is ours and lives through the call.
    unsafe { libc::setrlimit(libc::RLIMIT_CORE, &raw const none) };
}
