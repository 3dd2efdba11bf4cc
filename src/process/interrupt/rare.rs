//! Signals beside INT, TERM and HUP that end a process by default, as batch systems send
//! them before a limit and a terminal for Ctrl-\.
//!
//! Does not know what has to be ended.

use std::io::{self, Write as _};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use signal_hook::consts::{
    SIGABRT, SIGALRM, SIGHUP, SIGINT, SIGPROF, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGVTALRM, SIGXCPU,
};

use super::{Interrupt, end_by};

/// Signals that nobody sends but to end the process. They have a handler that needs
/// not be undone in a job before it is executed, which would take a system call for
/// each of them and each job.
pub(super) struct Rare {
    /// The process that they are meant for, and not one that it is about to make.
    process: i32,
    interrupt: Interrupt,
    /// That of all signals together.
    count: Arc<AtomicUsize>,
    /// Those that are bound, as bit `signal - 1`.
    bound: AtomicU64,
    /// Who attends to signals, and whether there was one since it was asked last.
    attendant: OnceLock<Arc<UnixStream>>,
    came: AtomicBool,
}

/// A handler cannot be given anything but its number.
static RARE: OnceLock<Rare> = OnceLock::new();

impl Rare {
    /// The first interrupt of the process is the one.
    pub(super) fn of(interrupt: &Interrupt, count: &Arc<AtomicUsize>) -> &'static Self {
        RARE.get_or_init(|| Self {
            process: i32::try_from(std::process::id()).unwrap_or_default(),
            interrupt: interrupt.clone(),
            count: Arc::clone(count),
            bound: AtomicU64::new(0),
            attendant: OnceLock::new(),
            came: AtomicBool::new(false),
        })
    }

    /// All whose default is to end a process, and that do not tell of a fault in the
    /// program itself, as SEGV does.
    pub(super) fn signals() -> impl Iterator<Item = i32> {
        let everywhere = [SIGQUIT, SIGABRT, SIGALRM, SIGUSR1, SIGUSR2, SIGXCPU, SIGVTALRM, SIGPROF];
        #[cfg(target_os = "linux")]
        let further = [libc::SIGIO, libc::SIGPWR, libc::SIGSTKFLT]
            .into_iter()
            .chain(libc::SIGRTMIN()..=libc::SIGRTMAX().min(64));
        #[cfg(not(target_os = "linux"))]
        let further = [];
        everywhere.into_iter().chain(further)
    }

    #[expect(unsafe_code, reason = "a ready-made handler has to be undone in every job")]
    pub(super) fn bind(&self, signal: i32) -> io::Result<()> {
        self.bound.fetch_or(1 << (signal - 1), Ordering::SeqCst);
        let handler: extern "C" fn(libc::c_int) = rare_came;
        // SAFETY: an all-zero sigaction is a valid value to be filled in: an empty
        // mask and no flags. The handler keeps to what a handler may do.
        let done = unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = handler as libc::sighandler_t;
            action.sa_flags = libc::SA_RESTART;
            libc::sigaction(signal, &raw const action, std::ptr::null_mut())
        };
        if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }
}

/// The handler of all of [`Rare::signals`].
#[expect(unsafe_code, reason = "system calls that a handler may make")]
extern "C" fn rare_came(signal: libc::c_int) {
    let Some(rare) = RARE.get() else { return };
    // SAFETY: errno is this thread's own, and always there; the rest takes numbers.
    unsafe {
        let errno = errno();
        let before = *errno;
        let process = libc::getpid();
        if process == rare.process {
            rare.came.store(true, Ordering::SeqCst);
            rare.interrupt.trigger(signal);
            if let Some(attendant) = rare.attendant.get() {
                // Full, it wakes already.
                let _ = (&**attendant).write(&[0]);
            }
            if rare.count.fetch_add(1, Ordering::SeqCst) >= 2 {
                // Nothing comes after that.
                let _ = end_by(signal);
            }
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
    [SIGINT, SIGTERM, SIGHUP].into_iter().chain(Rare::signals())
}

/// The signals, as bit `signal - 1`, whose handler does no harm in a process that
/// shares this one's memory, and hence need not be undone there.
#[must_use]
pub fn harmless_in_children() -> u64 {
    RARE.get().map_or(0, |rare| rare.bound.load(Ordering::SeqCst))
}

/// Has `attendant` woken by such a signal, too.
pub(super) fn wake(attendant: Arc<UnixStream>) {
    if let Some(rare) = RARE.get() {
        // There is one attendant in a process.
        let _ = rare.attendant.set(attendant);
    }
}

/// Whether one came since this was asked last.
pub(super) fn another_came() -> bool {
    RARE.get().is_some_and(|rare| rare.came.swap(false, Ordering::SeqCst))
}
