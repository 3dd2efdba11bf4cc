//! Signals that ask for something other than an end, handed to a thread that
//! may do what a handler must not: take locks, write, stop this process.
//!
//! Does not know what any signal means.

use std::io::{self, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use signal_hook::SigId;
use signal_hook::low_level;

/// Signals that are caught from now on.
pub struct Signals {
    caught: Vec<Caught>,
    wake: UnixStream,
    ring: Arc<UnixStream>,
}

struct Caught {
    signal: i32,
    came: Arc<AtomicBool>,
    id: SigId,
}

impl Signals {
    /// Catches `signals`, those excepted that this process was started with
    /// ignored: for them `nohup` and shells have their reasons.
    ///
    /// # Errors
    /// When a handler cannot be installed, or descriptors have run out.
    pub fn catch(signals: &[i32]) -> io::Result<Self> {
        let (wake, ring) = UnixStream::pair()?;
        ring.set_nonblocking(true)?;
        let ring = Arc::new(ring);
        let caught = signals.iter().filter(|signal| !is_ignored(**signal));
        let caught = caught.map(|&signal| Caught::new(signal, &ring)).collect::<io::Result<Vec<_>>>()?;
        Ok(Self { caught, wake, ring })
    }

    /// What wakes whoever waits for them.
    #[must_use]
    pub fn ring(&self) -> Arc<UnixStream> {
        Arc::clone(&self.ring)
    }

    /// Waits for signals, for `time` at most. Two of a kind that come together
    /// are one; which came first is not known.
    fn wait(&mut self, time: Option<Duration>) -> Vec<i32> {
        // A time of zero would mean no limit.
        let time = time.map(|time| time.max(Duration::from_millis(1)));
        // Whether it was woken, interrupted or the time is over: the flags tell.
        let _ = self.wake.set_read_timeout(time).and_then(|()| self.wake.read(&mut [0; 64]));
        let came = self.caught.iter().filter(|caught| caught.came.swap(false, Ordering::SeqCst));
        came.map(|caught| caught.signal).collect()
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        for caught in &self.caught {
            low_level::unregister(caught.id);
        }
    }
}

impl Caught {
    #[expect(unsafe_code, reason = "a ready-made handler would take a descriptor for each signal")]
    fn new(signal: i32, ring: &Arc<UnixStream>) -> io::Result<Self> {
        let came = Arc::new(AtomicBool::new(false));
        let (flag, ring) = (Arc::clone(&came), Arc::clone(ring));
        let handler = move || {
            flag.store(true, Ordering::SeqCst);
            // Full, it wakes already.
            let _ = (&*ring).write(&[0]);
        };
        // SAFETY: the handler uses an atomic and write(2) only.
        let id = unsafe { low_level::register(signal, handler) }?;
        Ok(Self { signal, came, id })
    }
}

/// Why the thread looks up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stir {
    /// This signal came.
    Signal(i32),
    /// Nothing came: it is time.
    Time,
}

/// A thread that attends to signals and to the time. Dropped, it ends.
pub struct Attendant {
    over: Arc<AtomicBool>,
    ring: Arc<UnixStream>,
    thread: Option<JoinHandle<()>>,
}

impl Attendant {
    /// Calls `attend` for each signal and whenever the time is over that the
    /// last call gave; `None` is until a signal comes.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub fn start(
        mut signals: Signals,
        mut attend: impl FnMut(Stir) -> Option<Duration> + Send + 'static,
    ) -> io::Result<Self> {
        let over = Arc::new(AtomicBool::new(false));
        let ring = Arc::clone(&signals.ring);
        let is_over = Arc::clone(&over);
        let thread = Builder::new().name("signals".to_owned()).spawn(move || {
            let mut time = attend(Stir::Time);
            loop {
                let came = signals.wait(time);
                if is_over.load(Ordering::SeqCst) {
                    return;
                }
                if came.is_empty() {
                    time = attend(Stir::Time);
                }
                // Who is stopped and continued in one breath is to run in the end.
                let continued = came.contains(&libc::SIGCONT);
                for signal in came.into_iter().filter(|&signal| !(continued && signal == libc::SIGTSTP)) {
                    time = attend(Stir::Signal(signal));
                }
            }
        })?;
        Ok(Self { over, ring, thread: Some(thread) })
    }
}

impl Drop for Attendant {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        let _ = (&*self.ring).write(&[0]);
        if let Some(Err(panic)) = self.thread.take().map(JoinHandle::join) {
            std::panic::resume_unwind(panic);
        }
    }
}

/// Stops this process until it is sent CONT.
#[expect(unsafe_code, reason = "std sends no signals")]
pub fn stop_here() {
    // SAFETY: takes plain numbers; STOP runs no handler.
    unsafe { libc::kill(libc::getpid(), libc::SIGSTOP) };
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
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn a_signal_reaches_the_thread_and_so_does_the_time() {
        let signals = Signals::catch(&[libc::SIGURG]).unwrap();
        let (told, hears) = mpsc::channel();
        let attendant = Attendant::start(signals, move |stir| {
            told.send(stir).unwrap();
            Some(Duration::from_millis(if stir == Stir::Time { 600_000 } else { 1 }))
        });
        let attendant = attendant.unwrap();
        assert_eq!(hears.recv().unwrap(), Stir::Time);
        low_level::raise(libc::SIGURG).unwrap();
        assert_eq!(hears.recv().unwrap(), Stir::Signal(libc::SIGURG));
        assert_eq!(hears.recv().unwrap(), Stir::Time);
        drop(attendant);
    }
}
