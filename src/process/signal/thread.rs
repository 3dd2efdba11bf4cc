//! Signals that ask for something other than an end, handed to a thread that
//! may do what a handler must not: take locks, write, stop this process.

use std::io;
use std::os::fd::AsFd as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use signal_hook::SigId;
use signal_hook::low_level;

use super::{catch, is_ignored};
use crate::process::poll::Waker;
use crate::process::poll::{PollEntry, poll};

/// Signals that are caught from now on.
pub struct CaughtSignals {
    /// Those that came, as bit `signal - 1`.
    came: Arc<AtomicU64>,
    ids: Vec<SigId>,
    waker: Waker,
}

impl CaughtSignals {
    /// Catches `signals`, those excepted that this process was started with
    /// ignored: for them `nohup` and shells have their reasons.
    ///
    /// # Errors
    /// When a handler cannot be installed, or descriptors have run out.
    pub fn catch(signals: &[i32]) -> io::Result<Self> {
        let mut all = Self { came: Arc::default(), ids: Vec::new(), waker: Waker::new()? };
        for &signal in signals.iter().filter(|signal| !is_ignored(**signal)) {
            let (came, waker) = (Arc::clone(&all.came), all.waker.clone());
            let tell = move || {
                came.fetch_or(1 << (signal - 1), Ordering::SeqCst);
                waker.wake();
            };
            all.ids.push(catch(signal, tell)?);
        }
        Ok(all)
    }

    /// What wakes whoever waits for them.
    pub fn waker(&self) -> Waker {
        self.waker.clone()
    }

    /// Waits for signals, for `time` at most. Two of a kind that come together
    /// are one; which came first is not known.
    fn wait(&self, time: Option<Duration>) -> Vec<i32> {
        // Never without a wait, whatever the caller says.
        let time = time.map(|time| time.max(Duration::from_millis(1)));
        // Whether it was woken, interrupted or the time is over: the bits tell.
        let _ = poll(&mut [PollEntry::readable(self.waker.as_fd())], time);
        self.waker.clear();
        let came = self.came.swap(0, Ordering::SeqCst);
        (1..=64).filter(|signal| came & 1 << (signal - 1) != 0).collect()
    }
}

impl Drop for CaughtSignals {
    fn drop(&mut self) {
        for &id in &self.ids {
            low_level::unregister(id);
        }
    }
}

/// Why the thread looks up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wakeup {
    /// This signal came.
    Signal(i32),
    /// It is time, or it was woken for something else.
    Time,
}

/// A thread that attends to signals and to the time. Dropped, it ends.
pub struct SignalThread {
    over: Arc<AtomicBool>,
    waker: Waker,
    thread: Option<JoinHandle<()>>,
}

impl SignalThread {
    /// Calls `attend` for each signal and whenever the time is over that the
    /// last call gave; `None` is until a signal comes.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub fn start(
        signals: CaughtSignals,
        mut attend: impl FnMut(Wakeup) -> Option<Duration> + Send + 'static,
    ) -> io::Result<Self> {
        let over = Arc::new(AtomicBool::new(false));
        let waker = signals.waker();
        let is_over = Arc::clone(&over);
        let thread = Builder::new().name("signals".to_owned()).spawn(move || {
            let mut time = attend(Wakeup::Time);
            loop {
                let came = signals.wait(time);
                if is_over.load(Ordering::SeqCst) {
                    return;
                }
                if came.is_empty() {
                    time = attend(Wakeup::Time);
                }
                // Who is stopped and continued in one breath is to run in the end.
                let continued = came.contains(&libc::SIGCONT);
                for signal in came.into_iter().filter(|&signal| !(continued && signal == libc::SIGTSTP)) {
                    time = attend(Wakeup::Signal(signal));
                }
            }
        })?;
        Ok(Self { over, waker, thread: Some(thread) })
    }
}

impl Drop for SignalThread {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        self.waker.wake();
        if let Some(Err(panic)) = self.thread.take().map(JoinHandle::join) {
            std::panic::resume_unwind(panic);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn a_signal_reaches_the_thread_and_so_does_the_time() {
        let signals = CaughtSignals::catch(&[libc::SIGURG]).unwrap();
        let (told, hears) = mpsc::channel();
        let thread = SignalThread::start(signals, move |wakeup| {
            told.send(wakeup).unwrap();
            Some(Duration::from_millis(if wakeup == Wakeup::Time { 600_000 } else { 1 }))
        });
        let thread = thread.unwrap();
        assert_eq!(hears.recv().unwrap(), Wakeup::Time);
        low_level::raise(libc::SIGURG).unwrap();
        assert_eq!(hears.recv().unwrap(), Wakeup::Signal(libc::SIGURG));
        assert_eq!(hears.recv().unwrap(), Wakeup::Time);
        drop(thread);
    }
}
