//! Signals beside INT, TERM and HUP that end a process by default, as batch systems send
//! them before a limit and a terminal for Ctrl-\.
//!
//! Nobody sends them but to end the process. They have a handler that needs not be undone
//! in a job before it is executed, which would take a system call for each of them and
//! each job.

use std::io;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use signal_hook::consts::{
    SIGABRT, SIGALRM, SIGHUP, SIGINT, SIGPROF, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGVTALRM, SIGXCPU,
};

use super::Interrupt;

/// Whom they are meant for.
pub(super) struct RareSignals {
    /// The process, and not one that it is about to make.
    process: i32,
    interrupt: Interrupt,
    /// Those that are bound, as bit `signal - 1`.
    bound: AtomicU64,
}

/// A handler cannot be given anything but its number.
static RARE: OnceLock<RareSignals> = OnceLock::new();

impl RareSignals {
    /// The first interrupt of the process is the one.
    pub(super) fn of(interrupt: &Interrupt) -> &'static Self {
        RARE.get_or_init(|| Self {
            process: i32::try_from(std::process::id()).unwrap_or_default(),
            interrupt: interrupt.clone(),
            bound: AtomicU64::new(0),
        })
    }

    /// All whose default is to end a process, and that do not tell of a fault in the
    /// program itself, as SEGV does.
    pub(super) fn all() -> impl Iterator<Item = i32> {
        let everywhere = [SIGQUIT, SIGABRT, SIGALRM, SIGUSR1, SIGUSR2, SIGXCPU, SIGVTALRM, SIGPROF];
        #[cfg(target_os = "linux")]
        let further = [libc::SIGIO, libc::SIGPWR, libc::SIGSTKFLT]
            .into_iter()
            .chain(libc::SIGRTMIN()..=libc::SIGRTMAX().min(64));
        #[cfg(not(target_os = "linux"))]
        let further = [];
        everywhere.into_iter().chain(further)
    }

    /// Catches `signal`, unless this process was started with it ignored.
    #[expect(unsafe_code, reason = "a ready-made handler has to be undone in every job")]
    pub(super) fn bind(&self, signal: i32) -> io::Result<()> {
        let bit = 1 << (signal - 1);
        self.bound.fetch_or(bit, Ordering::SeqCst);
        let handler: extern "C" fn(libc::c_int) = rare_came;
        // SAFETY: an all-zero sigaction is a valid value to be filled in: an empty
        // mask and no flags; another one is there to be written over. The handler keeps
        // to what a handler may do.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            let mut before: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = handler as libc::sighandler_t;
            action.sa_flags = libc::SA_RESTART;
            if libc::sigaction(signal, &raw const action, &raw mut before) != 0 {
                return Err(io::Error::last_os_error());
            }
            if before.sa_sigaction == libc::SIG_IGN {
                libc::sigaction(signal, &raw const before, std::ptr::null_mut());
                self.bound.fetch_and(!bit, Ordering::SeqCst);
            }
        }
        Ok(())
    }
}

/// The handler of all of [`RareSignals::all`].
#[expect(unsafe_code, reason = "system calls that a handler may make")]
extern "C" fn rare_came(signal: libc::c_int) {
    let Some(rare) = RARE.get() else { return };
    // SAFETY: errno is this thread's own, and always there; the rest takes numbers.
    unsafe {
        let errno = errno();
        let before = *errno;
        let process = libc::getpid();
        if process == rare.process {
            rare.interrupt.signal_came(signal);
        } else {
            // A job on its way to its program, in which the signal has its default:
            // it comes once more when this handler has returned.
            libc::signal(signal, libc::SIG_DFL);
            libc::kill(process, signal);
        }
        *errno = before;
    }
}

/// Where this thread's error number is.
#[expect(unsafe_code, reason = "a bare pointer of the C library's")]
unsafe fn errno() -> *mut libc::c_int {
    // SAFETY: it only says where.
    #[cfg(target_os = "linux")]
    return unsafe { libc::__errno_location() };
    // SAFETY: as above.
    #[cfg(not(target_os = "linux"))]
    return unsafe { libc::__error() };
}

/// All signals that end a process and may be caught.
pub fn ending_signals() -> impl Iterator<Item = i32> {
    [SIGINT, SIGTERM, SIGHUP].into_iter().chain(RareSignals::all())
}

/// The signals, as bit `signal - 1`, whose handler does no harm in a process that
/// shares this one's memory, and hence need not be undone there.
#[must_use]
pub fn harmless_in_children() -> u64 {
    RARE.get().map_or(0, |rare| rare.bound.load(Ordering::SeqCst))
}
