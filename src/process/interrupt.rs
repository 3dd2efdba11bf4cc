//! The one global thing: whether a signal asked parsim to end.
//!
//! A signal handler only sets the flag and makes the wake descriptor readable;
//! whoever waits has that descriptor in its `poll`, so nobody polls on a timer.
//! Does not know what has to be tidied up, nor how the process then ends.

mod rare;

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};

pub use self::rare::{ending_signals, harmless_in_children};

use self::rare::Rare;

/// A flag that a signal (or [`Interrupt::trigger`]) sets once and for all.
#[derive(Clone, Debug)]
pub struct Interrupt {
    /// The signal's number; 0 as long as there was none.
    signal: Arc<AtomicUsize>,
    /// Whether nothing more is to be begun, for whatever reason.
    draining: Arc<AtomicBool>,
    /// From when on nothing more is to be begun.
    deadline: Arc<OnceLock<Instant>>,
    /// Whether somebody was called back from waiting for input.
    left_input: Arc<AtomicBool>,
    /// Readable once it is time to end.
    end: Waker,
    /// Readable once nothing more is to be begun.
    drain: Waker,
}

/// What a HUP asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hup {
    /// To end, as INT and TERM do.
    Ends,
    /// To begin nothing more, and to finish what has begun.
    Drains,
}

/// Never read from: once readable it wakes every waiter, for good.
#[derive(Clone, Debug)]
struct Waker {
    wake: Arc<UnixStream>,
    ring: Arc<UnixStream>,
}

impl Waker {
    fn new() -> anyhow::Result<Self> {
        let (wake, ring) = UnixStream::pair().context("open the wake descriptors")?;
        ring.set_nonblocking(true).context("prepare the wake descriptors")?;
        Ok(Self { wake: Arc::new(wake), ring: Arc::new(ring) })
    }

    fn ring(&self) {
        // A full pair is readable already, which is all that is wanted.
        let _ = io::Write::write(&mut &*self.ring, &[0]);
    }
}

/// From now on a limit on the size of files is an error of the write that meets it,
/// and not the end of the process. Children get the default back.
///
/// # Errors
/// When the handler cannot be installed.
pub fn file_limits_are_errors() -> anyhow::Result<()> {
    signal_hook::flag::register(SIGXFSZ, Arc::default()).context("install the handler of SIGXFSZ")?;
    Ok(())
}

impl Interrupt {
    /// An interrupt that no signal is bound to: for programs that use the
    /// library and for tests.
    ///
    /// # Errors
    /// When the process has no descriptor left for the wake pair.
    pub fn unbound() -> anyhow::Result<Self> {
        Ok(Self {
            signal: Arc::default(),
            draining: Arc::default(),
            deadline: Arc::default(),
            left_input: Arc::default(),
            end: Waker::new()?,
            drain: Waker::new()?,
        })
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
        let count = Arc::new(AtomicUsize::new(0));
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            let bound = match (signal, hup) {
                (SIGHUP, _) if is_ignored(SIGHUP) => Ok(()),
                (SIGHUP, Hup::Drains) => interrupt.bind_drain(signal),
                _ => interrupt.bind(signal, &count),
            };
            bound.with_context(|| format!("install the handler of signal {signal}"))?;
        }
        let rare = Rare::of(&interrupt, &count);
        for signal in Rare::signals().filter(|signal| !other.contains(signal) && !is_ignored(*signal)) {
            rare.bind(signal).with_context(|| format!("install the handler of signal {signal}"))?;
        }
        Ok(interrupt)
    }

    /// `count` is that of all bound signals together.
    #[expect(unsafe_code, reason = "the handler does what no ready-made one does")]
    fn bind(&self, signal: i32, count: &Arc<AtomicUsize>) -> io::Result<()> {
        let (flag, count) = (Arc::clone(&self.signal), Arc::clone(count));
        let number = usize::try_from(signal).expect("signal numbers are positive");
        let handler = move || {
            flag.store(number, Ordering::SeqCst);
            if count.fetch_add(1, Ordering::SeqCst) >= 2 {
                // Nothing comes after that.
                let _ = end_by(signal);
            }
        };
        // SAFETY: the handler uses atomics and system calls only.
        unsafe { signal_hook::low_level::register(signal, handler) }?;
        signal_hook::low_level::pipe::register(signal, self.end.ring.try_clone()?)?;
        signal_hook::low_level::pipe::register(signal, self.drain.ring.try_clone()?)?;
        Ok(())
    }

    fn bind_drain(&self, signal: i32) -> io::Result<()> {
        signal_hook::flag::register(signal, Arc::clone(&self.draining))?;
        signal_hook::low_level::pipe::register(signal, self.drain.ring.try_clone()?)?;
        Ok(())
    }

    /// Sets the flag as if `signal` had come.
    pub fn trigger(&self, signal: i32) {
        self.signal.store(usize::try_from(signal).unwrap_or(0), Ordering::SeqCst);
        self.end.ring();
        self.drain.ring();
    }

    /// Asks that nothing more be begun; what has begun goes on.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::SeqCst);
        self.drain.ring();
    }

    /// As [`drain`](Self::drain), once `time` has passed; the first call counts.
    pub fn drain_after(&self, time: Duration) {
        if let Some(deadline) = Instant::now().checked_add(time) {
            self.deadline.get_or_init(|| deadline);
        }
    }

    /// Whether nothing more is to be begun: asked to drain or to end.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.is_set() || self.draining.load(Ordering::Relaxed) || self.is_past_deadline()
    }

    /// Whether it was the time of [`drain_after`](Self::drain_after) alone after which
    /// nothing more is to be begun: nobody had asked to drain or to end.
    #[must_use]
    pub fn is_time_over(&self) -> bool {
        self.is_past_deadline() && !self.is_set() && !self.draining.load(Ordering::Relaxed)
    }

    /// Whether input that was waited for may have come later.
    #[must_use]
    pub fn has_left_input(&self) -> bool {
        self.left_input.load(Ordering::Relaxed)
    }

    /// Whether the time of [`drain_after`](Self::drain_after) has passed.
    #[must_use]
    pub fn is_past_deadline(&self) -> bool {
        self.deadline.get().is_some_and(|deadline| Instant::now() >= *deadline)
    }

    /// Whether it is time to stop.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.signal.load(Ordering::Relaxed) != 0
    }

    /// The signal that came last, if one did.
    #[must_use]
    pub fn signal(&self) -> Option<i32> {
        i32::try_from(self.signal.load(Ordering::SeqCst)).ok().filter(|&signal| signal != 0)
    }

    /// The descriptor that becomes readable when it is time to end, for a
    /// caller's own `poll`.
    #[must_use]
    pub fn wake_fd(&self) -> BorrowedFd<'_> {
        self.end.wake.as_fd()
    }

    /// Waits for `time`, or less when the flag is set. Tells whether the time
    /// passed whole. The wait itself takes no CPU.
    #[must_use]
    pub fn sleep(&self, time: Duration) -> bool {
        wait_out(&self.end, time, || self.is_set())
    }

    /// As [`sleep`](Self::sleep), for whoever waits to begin something: a wait
    /// that is over too when nothing more is to be begun.
    #[must_use]
    pub fn sleep_before_a_start(&self, time: Duration) -> bool {
        let left = self.deadline.get().map(|deadline| deadline.saturating_duration_since(Instant::now()));
        wait_out(&self.drain, left.map_or(time, |left| time.min(left)), || self.is_draining())
            && !self.is_draining()
    }
}

impl Interrupt {
    /// Waits until `fd` can be read (`true`) or nothing more is to be begun
    /// (`false`).
    ///
    /// # Errors
    /// When the system cannot wait for `fd`.
    #[expect(unsafe_code, reason = "std cannot wait for two things at once")]
    pub fn wait_readable(&self, fd: BorrowedFd<'_>) -> io::Result<bool> {
        let entry =
            |fd: BorrowedFd<'_>| libc::pollfd { fd: fd.as_raw_fd(), events: libc::POLLIN, revents: 0 };
        let mut entries = [entry(self.drain.wake.as_fd()), entry(fd)];
        loop {
            let left = self.deadline.get().map(|deadline| deadline.saturating_duration_since(Instant::now()));
            // A millisecond late rather than a moment early.
            let timeout = left.map_or(-1, |left| i32::try_from(left.as_millis() + 1).unwrap_or(i32::MAX));
            // SAFETY: the array lives through the call and has two entries.
            let ready = unsafe { libc::poll(entries.as_mut_ptr(), 2, timeout) };
            if ready > 0 {
                let is_readable = entries[0].revents == 0;
                if !is_readable {
                    self.left_input.store(true, Ordering::Relaxed);
                }
                return Ok(is_readable);
            }
            if ready == 0 {
                if self.is_past_deadline() {
                    self.left_input.store(true, Ordering::Relaxed);
                    return Ok(false);
                }
                continue;
            }
            let error = io::Error::last_os_error();
            if error.kind() != io::ErrorKind::Interrupted {
                return Err(error);
            }
        }
    }
}

impl Interrupt {
    /// Rings `attendant` from now on, too, when a signal came that is neither INT, TERM
    /// nor HUP.
    pub fn wake_for_others(&self, attendant: Arc<UnixStream>) {
        rare::wake(attendant);
    }

    /// Whether such a signal came since this was asked last. Two that come together
    /// are one.
    #[must_use]
    pub fn another_came(&self) -> bool {
        rare::another_came()
    }
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

/// Waits for `time`, or less when `waker` rings and `is_over`.
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
        wait_readable(waker.wake.as_raw_fd(), left);
    }
}

/// What a descriptor is to be ready for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interest {
    /// Something can be read, or the end was reached.
    Read,
    /// Something can be written, or a connection stands.
    Write,
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

impl Interrupt {
    /// Waits until `fd` is ready, the flag is set, or `end` has come.
    ///
    /// # Errors
    /// When the system cannot wait for `fd`.
    pub fn wait_until(&self, fd: BorrowedFd<'_>, interest: Interest, end: Instant) -> io::Result<Waited> {
        self.wait_until_or(None, fd, interest, end)
    }

    /// The same, or until the flag of `other` is set.
    ///
    /// # Errors
    /// When the system cannot wait for `fd`.
    #[expect(unsafe_code, reason = "std cannot wait for several things at once")]
    pub fn wait_until_or(
        &self,
        other: Option<&Self>,
        fd: BorrowedFd<'_>,
        interest: Interest,
        end: Instant,
    ) -> io::Result<Waited> {
        let events = match interest {
            Interest::Read => libc::POLLIN,
            Interest::Write => libc::POLLOUT,
        };
        let entry = |fd: BorrowedFd<'_>, events| libc::pollfd { fd: fd.as_raw_fd(), events, revents: 0 };
        loop {
            let left = end.saturating_duration_since(Instant::now());
            // Rounded up, so that the last wait is not many of no time.
            let millis = left.as_nanos().div_ceil(1_000_000);
            // Nothing stands for a descriptor below 0.
            let nothing = libc::pollfd { fd: -1, events: 0, revents: 0 };
            let others = other.map_or(nothing, |other| entry(other.wake_fd(), libc::POLLIN));
            let mut entries = [entry(self.wake_fd(), libc::POLLIN), entry(fd, events), others];
            let timeout = i32::try_from(millis).unwrap_or(i32::MAX);
            // SAFETY: the array lives through the call and has three entries.
            let ready = unsafe { libc::poll(entries.as_mut_ptr(), 3, timeout) };
            if ready < 0 {
                let error = io::Error::last_os_error();
                if error.kind() != io::ErrorKind::Interrupted {
                    return Err(error);
                }
            }
            if self.is_set() || other.is_some_and(Self::is_set) {
                return Ok(Waited::Interrupted);
            }
            if ready > 0 && entries[1].revents != 0 {
                return Ok(Waited::Ready);
            }
            if Instant::now() >= end {
                return Ok(Waited::TimedOut);
            }
        }
    }
}

/// One `ppoll` on `fd`; a signal or an error ends it early, and the caller's
/// loop looks again.
#[expect(unsafe_code, reason = "no safe ppoll in std")]
fn wait_readable(fd: i32, time: Duration) {
    let mut entry = libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
    #[cfg(any(target_os = "linux", target_os = "freebsd"))]
    {
        let timeout = libc::timespec {
            tv_sec: libc::time_t::try_from(time.as_secs()).unwrap_or(libc::time_t::MAX),
            tv_nsec: time.subsec_nanos().into(),
        };
        // SAFETY: `entry` and `timeout` live through the call; no signal mask is given.
        unsafe { libc::ppoll(&raw mut entry, 1, &raw const timeout, std::ptr::null()) };
    }
    #[cfg(not(any(target_os = "linux", target_os = "freebsd")))]
    {
        let millis = i32::try_from(time.as_millis().saturating_add(1)).unwrap_or(i32::MAX);
        // SAFETY: `entry` lives through the call.
        unsafe { libc::poll(&raw mut entry, 1, millis) };
    }
}

/// Whether the process was started with `signal` ignored.
#[expect(unsafe_code, reason = "std cannot ask for a signal's disposition")]
fn is_ignored(signal: i32) -> bool {
    // SAFETY: an all-zero sigaction is a valid value to be written over; a null
    // new action only asks.
    unsafe {
        let mut current: libc::sigaction = std::mem::zeroed();
        libc::sigaction(signal, std::ptr::null(), &raw mut current) == 0
            && current.sa_sigaction == libc::SIG_IGN
    }
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
