//! The one global thing: whether a signal asked parsim to end.
//!
//! A signal handler only sets the flag and wakes; whoever waits has the wake
//! descriptor in its `poll`, so nobody polls on a timer.
//! Does not know what has to be tidied up, nor how the process then ends.

use std::io;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use signal_hook::consts::{
    SIGABRT, SIGALRM, SIGHUP, SIGINT, SIGPROF, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGVTALRM, SIGXCPU,
};

use super::{catch, end_by, errno, exchange, file_limits_are_errors, is_ignored, send};
use crate::process::poll::Waker;
use crate::process::poll::{Interest, PollEntry, poll};

/// A flag that a signal (or [`Interrupt::trigger`]) sets once and for all.
#[derive(Clone, Debug)]
pub struct Interrupt {
    asked: Arc<Asked>,
}

/// What a signal, or somebody else, asked for.
#[derive(Debug)]
struct Asked {
    /// The signal's number; 0 as long as there was none.
    signal: AtomicI32,
    /// How many signals have come that end a process.
    n_signals: AtomicU32,
    /// Whether nothing more is to be begun, for whatever reason.
    draining: AtomicBool,
    /// From when on nothing more is to be begun.
    deadline: OnceLock<Instant>,
    /// Whether somebody was called back from waiting for input.
    left_input: AtomicBool,
    /// Wakes once it is time to end, for good.
    end: Waker,
    /// Wakes once nothing more is to be begun, for good.
    drain: Waker,
    /// Woken, too, by each signal that ends a process.
    other: OnceLock<Waker>,
}

/// What a HUP asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hup {
    /// To end, as INT and TERM do.
    Ends,
    /// To begin nothing more, and to finish what has begun.
    Drains,
}

impl Interrupt {
    /// An interrupt that no signal is bound to: for programs that use the
    /// library and for tests.
    ///
    /// # Errors
    /// When the process has no descriptor left for the wake pair.
    pub fn unbound() -> anyhow::Result<Self> {
        let waker = || Waker::new().context("cannot open the wake descriptors");
        let asked = Asked {
            signal: AtomicI32::new(0),
            n_signals: AtomicU32::new(0),
            draining: AtomicBool::new(false),
            deadline: OnceLock::new(),
            left_input: AtomicBool::new(false),
            end: waker()?,
            drain: waker()?,
            other: OnceLock::new(),
        };
        Ok(Self { asked: Arc::new(asked) })
    }

    /// An interrupt set by INT, TERM and HUP, and by every other signal that would
    /// end the process, those excepted that mean something else: `other`. The third such
    /// signal ends the process at once, whatever it hangs in; until then whoever has
    /// children ends them. What the parent had ignored stays ignored, for `nohup`;
    /// but not INT and TERM: scripts start jobs in the background, where the shell
    /// ignores INT, and end them with `kill -INT`.
    ///
    /// # Errors
    /// When a handler cannot be installed.
    pub fn on_signals(hup: Hup, other: &[i32]) -> anyhow::Result<Self> {
        let interrupt = Self::unbound()?;
        file_limits_are_errors()?;
        let install = |signal| format!("install the handler of signal {signal}");
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            let asked = interrupt.clone();
            let bound = match (signal, hup) {
                (SIGHUP, _) if is_ignored(SIGHUP) => continue,
                (SIGHUP, Hup::Drains) => catch(signal, move || asked.drain()),
                _ => catch(signal, move || asked.signal_came(signal)),
            };
            bound.with_context(|| install(signal))?;
        }
        let rare = RareSignals::of(&interrupt);
        for signal in rare_signals().filter(|signal| !other.contains(signal)) {
            rare.bind(signal).with_context(|| install(signal))?;
        }
        Ok(interrupt)
    }

    /// In the handler of a signal that ends a process.
    fn signal_came(&self, signal: i32) {
        let before = self.asked.n_signals.fetch_add(1, Ordering::SeqCst);
        self.trigger(signal);
        if let Some(other) = self.asked.other.get() {
            other.wake();
        }
        if before >= 2 {
            // Nothing comes after that.
            let _ = end_by(signal);
        }
    }

    /// Sets the flag as if `signal` had come.
    pub fn trigger(&self, signal: i32) {
        self.asked.signal.store(signal, Ordering::SeqCst);
        self.asked.end.wake();
        self.asked.drain.wake();
    }

    /// Asks that nothing more be begun; what has begun goes on.
    pub fn drain(&self) {
        self.asked.draining.store(true, Ordering::SeqCst);
        self.asked.drain.wake();
    }

    /// As [`drain`](Self::drain), once `time` has passed; the first call counts.
    pub fn drain_after(&self, time: Duration) {
        if let Some(deadline) = Instant::now().checked_add(time) {
            self.asked.deadline.get_or_init(|| deadline);
        }
    }

    /// Wakes `other` from now on, too, when a signal came that ends a process. There is
    /// one such waker.
    pub fn wake_too(&self, other: Waker) {
        let _ = self.asked.other.set(other);
    }

    /// How many signals have come that end a process.
    pub fn n_signals(&self) -> u32 {
        self.asked.n_signals.load(Ordering::SeqCst)
    }

    /// Whether nothing more is to be begun: asked to drain or to end.
    pub fn is_draining(&self) -> bool {
        self.is_set() || self.asked.draining.load(Ordering::Relaxed) || self.is_past_deadline()
    }

    /// Whether it was the time of [`drain_after`](Self::drain_after) alone after which
    /// nothing more is to be begun: nobody had asked to drain or to end.
    pub fn is_time_over(&self) -> bool {
        self.is_past_deadline() && !self.is_set() && !self.asked.draining.load(Ordering::Relaxed)
    }

    /// Whether input that was waited for may have come later.
    pub fn has_left_input(&self) -> bool {
        self.asked.left_input.load(Ordering::Relaxed)
    }

    /// Whether the time of [`drain_after`](Self::drain_after) has passed.
    fn is_past_deadline(&self) -> bool {
        self.asked.deadline.get().is_some_and(|deadline| Instant::now() >= *deadline)
    }

    /// Whether it is time to stop.
    pub fn is_set(&self) -> bool {
        self.asked.signal.load(Ordering::Relaxed) != 0
    }

    /// The signal that came last, if one did.
    pub fn signal(&self) -> Option<i32> {
        Some(self.asked.signal.load(Ordering::SeqCst)).filter(|&signal| signal != 0)
    }

    /// The descriptor that becomes readable when it is time to end, for a
    /// caller's own `poll`.
    pub fn wake_fd(&self) -> BorrowedFd<'_> {
        self.asked.end.as_fd()
    }

    /// The descriptor that becomes readable when nothing more is to be begun, but not when
    /// the time of [`drain_after`](Self::drain_after) is over.
    pub fn drain_fd(&self) -> BorrowedFd<'_> {
        self.asked.drain.as_fd()
    }

    /// Waits for `time`, or less when the flag is set. Tells whether the time
    /// passed whole. The wait itself takes no CPU.
    pub fn sleep(&self, time: Duration) -> bool {
        wait_out(&self.asked.end, time, || self.is_set())
    }

    /// As [`sleep`](Self::sleep), for whoever waits to begin something: a wait
    /// that is over too when nothing more is to be begun.
    pub fn sleep_before_a_start(&self, time: Duration) -> bool {
        let time = self.until_deadline().map_or(time, |left| time.min(left));
        wait_out(&self.asked.drain, time, || self.is_draining()) && !self.is_draining()
    }

    /// Waits until `fd` can be read (`true`) or nothing more is to be begun
    /// (`false`).
    ///
    /// # Errors
    /// When the system cannot wait for `fd`.
    pub fn wait_readable(&self, fd: BorrowedFd<'_>) -> io::Result<bool> {
        loop {
            let mut entries = [self.asked.drain.as_fd(), fd].map(PollEntry::readable);
            let ready = poll(&mut entries, self.until_deadline())?;
            let is_over = if ready > 0 { entries[0].is_ready() } else { self.is_past_deadline() };
            if is_over {
                self.asked.left_input.store(true, Ordering::Relaxed);
            }
            if is_over || ready > 0 {
                return Ok(!is_over);
            }
        }
    }

    /// Waits until `fd` is ready, the flag is set, or `end` has come.
    ///
    /// # Errors
    /// When the system cannot wait for `fd`.
    pub fn wait_until(&self, fd: BorrowedFd<'_>, interest: Interest, end: Instant) -> io::Result<Waited> {
        loop {
            let mut entries = [PollEntry::readable(self.wake_fd()), PollEntry::of(fd, interest)];
            poll(&mut entries, Some(end.saturating_duration_since(Instant::now())))?;
            if self.is_set() {
                return Ok(Waited::Interrupted);
            }
            if entries[1].is_ready() {
                return Ok(Waited::Ready);
            }
            if Instant::now() >= end {
                return Ok(Waited::TimedOut);
            }
        }
    }

    /// How long until [`drain_after`](Self::drain_after) has nothing more begun, if it was
    /// called.
    pub fn until_deadline(&self) -> Option<Duration> {
        self.asked.deadline.get().map(|deadline| deadline.saturating_duration_since(Instant::now()))
    }
}

/// How a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waited {
    /// The descriptor is ready.
    Ready,
    /// The time ran out.
    TimedOut,
    /// The flag is set.
    Interrupted,
}

/// Waits for `time`, or less when `waker` wakes and `is_over`.
fn wait_out(waker: &Waker, time: Duration, is_over: impl Fn() -> bool) -> bool {
    // Beyond what the clock can tell is for ever.
    let end = Instant::now().checked_add(time);
    loop {
        if is_over() {
            return false;
        }
        let left = end.map_or(time, |end| end.saturating_duration_since(Instant::now()));
        if left.is_zero() {
            return true;
        }
        // Whatever ends it early: it is looked again.
        let _ = poll(&mut [PollEntry::readable(waker.as_fd())], Some(left));
    }
}

/// Signals beside INT, TERM and HUP that end a process by default, as batch systems send
/// them before a limit and a terminal for Ctrl-\, and that do not tell of a fault in the
/// program itself, as SEGV does.
fn rare_signals() -> impl Iterator<Item = i32> {
    let everywhere = [SIGQUIT, SIGABRT, SIGALRM, SIGUSR1, SIGUSR2, SIGXCPU, SIGVTALRM, SIGPROF];
    #[cfg(target_os = "linux")]
    let further = [libc::SIGIO, libc::SIGPWR, libc::SIGSTKFLT]
        .into_iter()
        .chain(libc::SIGRTMIN()..=libc::SIGRTMAX().min(64));
    #[cfg(not(target_os = "linux"))]
    let further = [];
    everywhere.into_iter().chain(further)
}

/// All signals that end a process and may be caught.
pub fn ending_signals() -> impl Iterator<Item = i32> {
    [SIGINT, SIGTERM, SIGHUP].into_iter().chain(rare_signals())
}

/// Whom the rare signals are meant for. Nobody sends them but to end the process: they have
/// a handler that needs not be undone in a job before it is executed, which would take a
/// system call for each of them and each job.
struct RareSignals {
    /// The process, and not one that it is about to make.
    process: u32,
    interrupt: Interrupt,
    /// Those that are bound, as bit `signal - 1`.
    bound: AtomicU64,
}

/// A handler cannot be given anything but its number.
static RARE: OnceLock<RareSignals> = OnceLock::new();

impl RareSignals {
    /// The first interrupt of the process is the one.
    fn of(interrupt: &Interrupt) -> &'static Self {
        RARE.get_or_init(|| Self {
            process: std::process::id(),
            interrupt: interrupt.clone(),
            bound: AtomicU64::new(0),
        })
    }

    /// Catches `signal`, unless this process was started with it ignored.
    fn bind(&self, signal: i32) -> io::Result<()> {
        let bit = 1 << (signal - 1);
        self.bound.fetch_or(bit, Ordering::SeqCst);
        let handler: extern "C" fn(libc::c_int) = rare_came;
        if exchange(signal, Some(handler as libc::sighandler_t))? == libc::SIG_IGN {
            exchange(signal, Some(libc::SIG_IGN))?;
            self.bound.fetch_and(!bit, Ordering::SeqCst);
        }
        Ok(())
    }
}

/// The handler of all [`rare_signals`].
#[expect(unsafe_code, reason = "a handler leaves errno as it was")]
extern "C" fn rare_came(signal: libc::c_int) {
    let Some(rare) = RARE.get() else { return };
    let errno = errno();
    // SAFETY: it is this thread's own, and always there.
    let before = unsafe { *errno };
    let process = std::process::id();
    if process == rare.process {
        rare.interrupt.signal_came(signal);
    } else {
        // A job on its way to its program, in which the signal has its default:
        // it comes once more when this handler has returned.
        let _ = exchange(signal, Some(libc::SIG_DFL));
        send(process.cast_signed(), signal);
    }
    // SAFETY: as above.
    unsafe { *errno = before };
}

/// The signals, as bit `signal - 1`, whose handler does no harm in a process that
/// shares this one's memory, and hence need not be undone there.
pub fn harmless_in_children() -> u64 {
    RARE.get().map_or(0, |rare| rare.bound.load(Ordering::SeqCst))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trigger_ends_a_long_sleep_at_once() {
        let interrupt = Interrupt::unbound().unwrap();
        let sleeper = interrupt.clone();
        let thread = std::thread::spawn(move || sleeper.sleep(Duration::from_secs(600)));
        interrupt.trigger(SIGINT);
        assert!(!thread.join().unwrap());
        assert_eq!(interrupt.signal(), Some(SIGINT));
    }

    #[test]
    fn draining_ends_waits_for_a_start_but_no_other() {
        let interrupt = Interrupt::unbound().unwrap();
        interrupt.drain();
        assert!(!interrupt.sleep_before_a_start(Duration::from_secs(600)));
        assert!(interrupt.sleep(Duration::ZERO));
        assert!(interrupt.is_draining() && !interrupt.is_set());
    }

    #[test]
    fn an_undisturbed_sleep_lasts_at_least_its_time() {
        let interrupt = Interrupt::unbound().unwrap();
        let start = Instant::now();
        assert!(interrupt.sleep(Duration::from_millis(5)));
        assert!(start.elapsed() >= Duration::from_millis(5));
        assert!(!interrupt.is_set());
    }
}
