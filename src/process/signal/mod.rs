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
mod rare;
mod thread;

use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::Context as _;
use signal_hook::SigId;

pub use interrupt::{Hup, Interrupt, Waited};
pub use rare::{ending_signals, harmless_in_children};
pub use thread::{CaughtSignals, SignalThread, Wakeup};

use super::waker::Waker;

/// What the handler of a signal does beside those that are there already. A handler may
/// do next to nothing: set what is atomic, and wake.
trait OnSignal: Send + Sync + 'static {
    fn came(&self, signal: i32);
}

/// ... for whoever is only to be woken.
impl OnSignal for Waker {
    fn came(&self, _signal: i32) {
        self.wake();
    }
}

/// From now on `signal` is told to `handler`, until it is unregistered by what this
/// returns.
#[expect(unsafe_code, reason = "handlers do what no ready-made one does")]
fn catch(signal: i32, handler: impl OnSignal) -> io::Result<SigId> {
    // SAFETY: each `OnSignal` uses atomics and system calls only.
    unsafe { signal_hook::low_level::register(signal, move || handler.came(signal)) }
}

/// Has `waker` woken whenever a child was stopped or ended.
pub(super) fn on_child(waker: Waker) -> io::Result<SigId> {
    catch(libc::SIGCHLD, waker)
}

/// From now on a limit on the size of files is an error of the write that meets it,
/// and not the end of the process. Children get the default back.
///
/// # Errors
/// When the handler cannot be installed.
pub fn file_limits_are_errors() -> anyhow::Result<()> {
    let ignored = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register(libc::SIGXFSZ, ignored).context("install the handler of SIGXFSZ")?;
    Ok(())
}

/// Ends this process by `signal`, so that whoever waits for it sees that. It only
/// comes back where that is not to be, as in the first process of a container: with
/// the status that says the same.
#[must_use]
#[expect(unsafe_code, reason = "std raises no signals")]
pub fn end_by(signal: i32) -> u8 {
    // SAFETY: the set is ours and lives through the calls; the default runs no code
    // of ours. A handler may do all of it.
    unsafe {
        let mut only: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut only);
        libc::sigaddset(&raw mut only, signal);
        libc::signal(signal, libc::SIG_DFL);
        libc::pthread_sigmask(libc::SIG_UNBLOCK, &raw const only, std::ptr::null_mut());
        libc::raise(signal);
    }
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
#[expect(unsafe_code, reason = "std does not set dispositions")]
pub(super) fn keep_children() {
    if disposition(libc::SIGCHLD) == libc::SIG_IGN {
        // SAFETY: the default disposition runs no code of ours.
        unsafe { libc::signal(libc::SIGCHLD, libc::SIG_DFL) };
    }
}

#[expect(unsafe_code, reason = "std cannot ask for a signal's disposition")]
fn disposition(signal: i32) -> libc::sighandler_t {
    // SAFETY: an all-zero sigaction is a valid value to be written over; a null
    // new action only asks.
    unsafe {
        let mut current: libc::sigaction = std::mem::zeroed();
        match libc::sigaction(signal, std::ptr::null(), &raw mut current) {
            0 => current.sa_sigaction,
            _ => libc::SIG_DFL,
        }
    }
}

/// Whether this thread blocks a signal.
#[expect(unsafe_code, reason = "std does not know signal masks")]
pub(super) fn blocks_any() -> bool {
    // SAFETY: an all-zero set is a valid value to be written over; a null new
    // mask only asks. The C library's own signals are no members of a set.
    unsafe {
        let mut blocked: libc::sigset_t = std::mem::zeroed();
        libc::pthread_sigmask(libc::SIG_SETMASK, std::ptr::null(), &raw mut blocked) == 0
            && (1..32).any(|signal| libc::sigismember(&raw const blocked, signal) == 1)
    }
}

/// Blocks no signal in this thread.
#[expect(unsafe_code, reason = "std does not know signal masks")]
pub(super) fn unblock_all() {
    // SAFETY: the set is ours and lives through the calls.
    unsafe {
        let mut none: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut none);
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const none, std::ptr::null_mut());
    }
}

/// Makes the group of `leader` the one that may read from `terminal`; None is this
/// process's own. What is no terminal of ours stays as it is.
#[expect(unsafe_code, reason = "std knows no foreground")]
pub(super) fn give_terminal(terminal: BorrowedFd<'_>, leader: Option<i32>) {
    // SAFETY: the sets are ours and live through the calls, the rest is numbers.
    // TTOU is blocked, for whoever is in the background is stopped for asking.
    unsafe {
        let mut asking: libc::sigset_t = std::mem::zeroed();
        let mut before: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut asking);
        libc::sigaddset(&raw mut asking, libc::SIGTTOU);
        libc::pthread_sigmask(libc::SIG_BLOCK, &raw const asking, &raw mut before);
        libc::tcsetpgrp(terminal.as_raw_fd(), leader.unwrap_or_else(|| libc::getpgrp()));
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const before, std::ptr::null_mut());
    }
}

/// Whether the group that may read from `terminal` is this process's own.
#[expect(unsafe_code, reason = "std knows no foreground")]
pub(super) fn has_terminal(terminal: BorrowedFd<'_>) -> bool {
    // SAFETY: takes plain numbers.
    unsafe { libc::tcgetpgrp(terminal.as_raw_fd()) == libc::getpgrp() }
}

/// Stops this process and its group as Ctrl-Z would; `false` where nobody is there
/// who could continue them: no shell that minds jobs.
#[expect(unsafe_code, reason = "std knows no groups")]
pub(super) fn stop_own_group() -> bool {
    // SAFETY: takes plain numbers.
    unsafe {
        let parent = libc::getppid();
        let is_minded = libc::getsid(parent) == libc::getsid(0) && libc::getpgid(parent) != libc::getpgrp();
        is_minded && libc::kill(0, libc::SIGTSTP) == 0
    }
}

/// Lets this process have `signal`, too.
#[expect(unsafe_code, reason = "std sends no signals")]
pub(super) fn send_to_self(signal: i32) {
    // SAFETY: takes plain numbers.
    unsafe { libc::kill(libc::getpid(), signal) };
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

/// The number of a signal given as "TERM", "SIGTERM" or "15".
pub(super) fn number(name: &str) -> Option<i32> {
    if let Ok(number) = name.parse::<i32>() {
        return (1..=64).contains(&number).then_some(number);
    }
    let upper = name.to_ascii_uppercase();
    let bare = upper.strip_prefix("SIG").unwrap_or(&upper);
    NAMES.iter().find(|(known, _)| *known == bare).map(|&(_, number)| number)
}

/// The name of a signal without its SIG.
pub(super) fn name(number: i32) -> Option<&'static str> {
    NAMES.iter().find(|(_, known)| *known == number).map(|&(name, _)| name)
}

const NAMES: [(&str, i32); 28] = [
    ("HUP", libc::SIGHUP),
    ("INT", libc::SIGINT),
    ("QUIT", libc::SIGQUIT),
    ("ILL", libc::SIGILL),
    ("TRAP", libc::SIGTRAP),
    ("ABRT", libc::SIGABRT),
    ("BUS", libc::SIGBUS),
    ("FPE", libc::SIGFPE),
    ("KILL", libc::SIGKILL),
    ("USR1", libc::SIGUSR1),
    ("SEGV", libc::SIGSEGV),
    ("USR2", libc::SIGUSR2),
    ("PIPE", libc::SIGPIPE),
    ("ALRM", libc::SIGALRM),
    ("TERM", libc::SIGTERM),
    ("CHLD", libc::SIGCHLD),
    ("CONT", libc::SIGCONT),
    ("STOP", libc::SIGSTOP),
    ("TSTP", libc::SIGTSTP),
    ("TTIN", libc::SIGTTIN),
    ("TTOU", libc::SIGTTOU),
    ("URG", libc::SIGURG),
    ("XCPU", libc::SIGXCPU),
    ("XFSZ", libc::SIGXFSZ),
    ("VTALRM", libc::SIGVTALRM),
    ("PROF", libc::SIGPROF),
    ("WINCH", libc::SIGWINCH),
    ("SYS", libc::SIGSYS),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_goes_by_name_with_and_without_sig_and_by_number() {
        assert_eq!(number("TERM"), Some(libc::SIGTERM));
        assert_eq!(number("sigint"), Some(libc::SIGINT));
        assert_eq!(number("9"), Some(libc::SIGKILL));
        assert_eq!((number("0"), number("TREM"), number("")), (None, None, None));
        assert_eq!(name(libc::SIGUSR1), Some("USR1"));
    }

    #[test]
    fn rust_catches_segv_for_its_stack_guard_and_we_see_it() {
        let caught = caught_beside(0);
        assert_ne!(caught & (1 << (libc::SIGSEGV - 1)), 0);
        assert_eq!(caught & (1 << (libc::SIGPIPE - 1)), 0, "ignored is not caught");
    }
}
