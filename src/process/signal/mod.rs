//! Signals: those that this process is sent and what they set, those that it sends,
//! and what it does with them by itself, which a job must not inherit.
//!
//! ```text
//! Interrupt: whether to end, or to begin nothing more   (all that end a process)
//! SignalThread: what a handler must not do              (USR1, TSTP, CONT, ...)
//! ```
//!
//! Does not know what has to be ended, nor what else a signal asks for.

mod interrupt;
mod thread;

use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd};
use std::os::unix::process::parent_id;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::Context as _;
use signal_hook::SigId;
use signal_hook::low_level;

pub use interrupt::{Hup, Interrupt, Waited, ending_signals, harmless_in_children};
pub use thread::{CaughtSignals, SignalThread, Wakeup};

/// From now on `signal` calls `handler`, beside the handlers that are there already, until
/// it is unregistered by what this returns. A handler may do next to nothing: set what is
/// atomic, and wake.
#[expect(unsafe_code, reason = "handlers do what no ready-made one does")]
pub(super) fn catch(signal: i32, handler: impl Fn() + Send + Sync + 'static) -> io::Result<SigId> {
    // SAFETY: each caller's handler uses atomics and system calls only.
    unsafe { low_level::register(signal, handler) }
}

/// From now on a limit on the size of files is an error of the write that meets it,
/// and not the end of the process. Children get the default back.
///
/// # Errors
/// When the handler cannot be installed.
pub fn file_limits_are_errors() -> anyhow::Result<()> {
    let ignored = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register(libc::SIGXFSZ, ignored).context("cannot install the handler of SIGXFSZ")?;
    Ok(())
}

/// Ends this process by `signal`, so that whoever waits for it sees that. It only
/// comes back where that is not to be, as in the first process of a container: with
/// the status that says the same. A handler may do all of it.
pub fn end_by(signal: i32) -> u8 {
    let _ = exchange(signal, Some(libc::SIG_DFL));
    SignalSet::of([signal]).mask(libc::SIG_UNBLOCK);
    let _ = low_level::raise(signal);
    u8::try_from(128 + signal).unwrap_or(u8::MAX)
}

/// Stops this process until it is sent CONT.
pub fn stop_here() {
    send_to_self(libc::SIGSTOP);
}

/// Whether the process was started with `signal` ignored.
fn is_ignored(signal: i32) -> bool {
    disposition(signal) == libc::SIG_IGN
}

/// The signals that have a handler here, as bit `signal - 1`, those of `known` excepted.
///
/// A handler must not run in a job between `clone` and `execve`, where it would
/// work on this process's memory.
pub(super) fn caught_beside(known: u64) -> u64 {
    (1..=64)
        .filter(|&signal| known & 1 << (signal - 1) == 0 && disposition(signal) > libc::SIG_IGN)
        .fold(0, |set, signal| set | 1 << (signal - 1))
}

/// Makes sure that children can be waited for: a parent that ignored CHLD
/// leaves a process whose children vanish without a trace.
pub(super) fn keep_children() {
    if is_ignored(libc::SIGCHLD) {
        let _ = exchange(libc::SIGCHLD, Some(libc::SIG_DFL));
    }
}

/// Has this process ignore `signal` from now on, where it may be ignored.
pub(super) fn ignore(signal: i32) {
    let _ = exchange(signal, Some(libc::SIG_IGN));
}

fn disposition(signal: i32) -> libc::sighandler_t {
    exchange(signal, None).unwrap_or(libc::SIG_DFL)
}

/// What `signal` does by now; from now on it does what is `new`, if that is given. A
/// handler may do it.
#[expect(unsafe_code, reason = "std does not know dispositions")]
fn exchange(signal: i32, new: Option<libc::sighandler_t>) -> io::Result<libc::sighandler_t> {
    // SAFETY: an all-zero sigaction is a valid value to be filled in (an empty mask and no
    // flags) or to be written over; a null one only asks. What is new is the default, to
    // ignore it, or a handler that keeps to what a handler may do.
    let (done, before) = unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        let mut before: libc::sigaction = std::mem::zeroed();
        (action.sa_sigaction, action.sa_flags) = (new.unwrap_or_default(), libc::SA_RESTART);
        let action = new.map_or(std::ptr::null(), |_| &raw const action);
        (libc::sigaction(signal, action, &raw mut before), before)
    };
    if done == 0 { Ok(before.sa_sigaction) } else { Err(io::Error::last_os_error()) }
}

/// Signals together, as the C library has them. A handler may do all of it.
pub(super) struct SignalSet(libc::sigset_t);

impl SignalSet {
    /// Those of `signals` that the C library does not keep for itself.
    #[expect(unsafe_code, reason = "std knows no sets of signals")]
    pub(super) fn of(signals: impl IntoIterator<Item = i32>) -> Self {
        // SAFETY: an all-zero set is a valid value to be written over; it is ours.
        unsafe {
            let mut set: libc::sigset_t = std::mem::zeroed();
            libc::sigemptyset(&raw mut set);
            for signal in signals {
                libc::sigaddset(&raw mut set, signal);
            }
            Self(set)
        }
    }

    #[expect(unsafe_code, reason = "std knows no sets of signals")]
    fn has(&self, signal: i32) -> bool {
        // SAFETY: the set is valid and lives through the call.
        unsafe { libc::sigismember(&raw const self.0, signal) == 1 }
    }

    /// Has this thread block them, too, or nothing else, or them no longer: `how`. What it
    /// blocked before.
    #[expect(unsafe_code, reason = "std does not know signal masks")]
    pub(super) fn mask(&self, how: libc::c_int) -> Self {
        let mut before = Self::of([]);
        // SAFETY: both sets are valid and live through the call.
        unsafe { libc::pthread_sigmask(how, &raw const self.0, &raw mut before.0) };
        before
    }

    /// Waits for one of them, which this thread blocks: its number, 0 or less where there is
    /// none, and what the kernel says of its sender.
    #[expect(unsafe_code, reason = "std does not wait for signals")]
    pub(super) fn wait(&self) -> (i32, libc::c_int) {
        // SAFETY: an all-zero siginfo is a valid value to be written over; both live
        // through the call.
        unsafe {
            let mut info: libc::siginfo_t = std::mem::zeroed();
            (libc::sigwaitinfo(&raw const self.0, &raw mut info), info.si_code)
        }
    }
}

/// Whether this thread blocks a signal. (The C library's own are no members of a set.)
pub(super) fn blocks_any() -> bool {
    let blocked = SignalSet::of([]).mask(libc::SIG_BLOCK);
    (1..32).any(|signal| blocked.has(signal))
}

/// Makes the group of `leader` the one that may read from `terminal`; None is this
/// process's own. What is no terminal of ours stays as it is.
#[expect(unsafe_code, reason = "std knows no foreground")]
pub(super) fn give_terminal(terminal: BorrowedFd<'_>, leader: Option<i32>) {
    // Who is in the background is stopped for asking.
    let before = SignalSet::of([libc::SIGTTOU]).mask(libc::SIG_BLOCK);
    // SAFETY: takes plain numbers.
    unsafe { libc::tcsetpgrp(terminal.as_raw_fd(), leader.unwrap_or_else(|| libc::getpgrp())) };
    before.mask(libc::SIG_SETMASK);
}

/// Whether the group that may read from `terminal` is this process's own.
#[expect(unsafe_code, reason = "std knows no foreground")]
pub(super) fn has_terminal(terminal: BorrowedFd<'_>) -> bool {
    // SAFETY: takes plain numbers.
    unsafe { libc::tcgetpgrp(terminal.as_raw_fd()) == libc::getpgrp() }
}

/// Whether `terminal` is in the hands of another group: whoever started this process in the
/// background.
#[expect(unsafe_code, reason = "std knows no foreground")]
pub fn is_in_background(terminal: BorrowedFd<'_>) -> bool {
    // SAFETY: takes plain numbers.
    let (leader, own) = unsafe { (libc::tcgetpgrp(terminal.as_raw_fd()), libc::getpgrp()) };
    leader > 0 && leader != own
}

/// Stops this process and its group as Ctrl-Z would; `false` where nobody is there
/// who could continue them: no shell that minds jobs.
#[expect(unsafe_code, reason = "std knows no groups")]
pub(super) fn stop_own_group() -> bool {
    let parent = parent_id().cast_signed();
    // SAFETY: takes plain numbers.
    let is_minded =
        unsafe { libc::getsid(parent) == libc::getsid(0) && libc::getpgid(parent) != libc::getpgrp() };
    is_minded && send(0, libc::SIGTSTP)
}

/// Lets this process have `signal`, too.
pub(super) fn send_to_self(signal: i32) {
    send(std::process::id().cast_signed(), signal);
}

/// Sends `signal` to a process that is this one or a child that was not reaped, or to
/// this process's group, which goes by 0. Says whether it was sent. A handler may do it.
#[expect(unsafe_code, reason = "std sends no signals")]
pub(super) fn send(process: i32, signal: i32) -> bool {
    // SAFETY: takes plain numbers.
    unsafe { libc::kill(process, signal) == 0 }
}

/// Sends `signal` to a process that is known by more than its number.
///
/// # Errors
/// When there is none, or it is another user's.
pub fn send_to_process(process: u32, signal: i32) -> io::Result<()> {
    let process = i32::try_from(process).map_err(io::Error::other)?;
    // 0 would mean this process's own group.
    if process > 1 && send(process, signal) { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Sends `signal` to a process group whose leader was not reaped yet: only until
/// then is its number sure to be its own.
#[expect(unsafe_code, reason = "std kills single processes only")]
pub(super) fn send_to_group(leader: i32, signal: i32) -> io::Result<()> {
    // 0 and 1 would mean this process's own group, and everything.
    assert!(leader > 1, "no group of a job has the number {leader}");
    // SAFETY: takes plain numbers.
    if unsafe { libc::killpg(leader, signal) } == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Where this thread's error number is, which is valid as long as the thread lives.
#[expect(unsafe_code, reason = "io::Error cannot put it back")]
pub(super) fn errno() -> *mut libc::c_int {
    // SAFETY: it only says where.
    #[cfg(target_os = "linux")]
    return unsafe { libc::__errno_location() };
    // SAFETY: as above.
    #[cfg(not(target_os = "linux"))]
    return unsafe { libc::__error() };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rust_catches_segv_for_its_stack_guard_and_we_see_it() {
        let caught = caught_beside(0);
        assert_ne!(caught & (1 << (libc::SIGSEGV - 1)), 0);
        assert_eq!(caught & (1 << (libc::SIGPIPE - 1)), 0, "ignored is not caught");
    }
}
