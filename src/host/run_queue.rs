//! How many threads of the machine want a core, looked at now and then while something
//! runs: those that run, and those that wait for one.
//!
//! Knows Linux's files; elsewhere there is nothing to read, and the answer is None. Does not
//! know whose threads they are.

use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use super::limits::Limits;
use super::surroundings::{cpu_of_all, running_threads};

/// The shortest rest between two looks; each takes some 10 us.
const SHORTEST_REST: Duration = Duration::from_millis(5);

/// The longest one.
const LONGEST_REST: Duration = Duration::from_millis(50);

/// A rest is this part of the time so far: short batches are looked at often enough, too.
const PART: u32 = 20;

/// Fewer looks say nothing.
const FEWEST_LOOKS: usize = 5;

/// Looks that follow each other see much the same: so many are worth one.
const WORTH_ONE: f64 = 3.0;

/// What was seen.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RunQueue {
    /// How long threads of all processes wanted a core, or had one, added up, in seconds.
    pub wanted: f64,
    /// How far that may be off, in seconds.
    pub off: f64,
    /// CPU time of all processes meanwhile, in seconds.
    pub had: f64,
}

/// Looks added up.
#[derive(Clone, Copy, Debug, Default)]
struct Looks {
    number: usize,
    /// What they stand for, in seconds.
    time: f64,
    wanted: f64,
    squares: f64,
}

impl Looks {
    /// So many threads wanted a core, and that stands for so many seconds.
    fn add(&mut self, ready: f64, time: f64) {
        self.number += 1;
        self.time += time;
        self.wanted += ready * time;
        self.squares += ready * ready * time;
    }

    /// What they come to, where the processes had so many seconds of CPU time meanwhile.
    fn queue(&self, had: f64) -> Option<RunQueue> {
        if self.number < FEWEST_LOOKS {
            return None;
        }
        let time = self.time.max(f64::MIN_POSITIVE);
        let variance = (self.squares / time - (self.wanted / time).powi(2)).max(0.0);
        let off = 2.0 * (variance * WORTH_ONE / self.number as f64).sqrt() * time;
        Some(RunQueue { wanted: self.wanted, off, had })
    }
}

impl RunQueue {
    /// How long threads waited for a core, in seconds, where `own` is what is known better of
    /// the CPU time.
    #[must_use]
    pub fn waited(&self, own: f64) -> f64 {
        (self.wanted - self.had.max(own)).max(0.0)
    }
}

/// Looks until it is stopped.
#[derive(Debug)]
pub struct RunQueueWatch {
    stop: Sender<()>,
    thread: JoinHandle<Looks>,
    had_before: Duration,
}

impl RunQueueWatch {
    /// Begins to look; `None` where there is nothing to be seen, or of other cores than
    /// those that this process may use.
    #[must_use]
    pub fn start() -> Option<Self> {
        running_threads()?;
        let limits = Limits::detect();
        if limits.quota.is_some() || limits.usable < limits.logical {
            return None;
        }
        let had_before = cpu_of_all()?;
        let (stop, stopped) = mpsc::channel();
        let look = move || {
            let (begin, mut last) = (Instant::now(), Instant::now());
            let mut looks = Looks::default();
            loop {
                let rest = (begin.elapsed() / PART).clamp(SHORTEST_REST, LONGEST_REST);
                let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(rest) else { return looks };
                let time = std::mem::replace(&mut last, Instant::now()).elapsed();
                if let Some(ready) = running_threads() {
                    looks.add(ready as f64, time.as_secs_f64());
                }
            }
        };
        let thread = Builder::new().name("run queue".to_owned()).stack_size(super::STACK).spawn(look).ok()?;
        Some(Self { stop, thread, had_before })
    }

    /// What was seen; `None` where that is too little.
    #[must_use]
    pub fn stop(self) -> Option<RunQueue> {
        drop(self.stop);
        let had = cpu_of_all()?.saturating_sub(self.had_before);
        self.thread.join().ok()?.queue(had.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(ready: impl Iterator<Item = f64>, time: f64, had: f64) -> Option<RunQueue> {
        let mut looks = Looks::default();
        ready.for_each(|ready| looks.add(ready, time));
        looks.queue(had)
    }

    #[test]
    fn what_threads_wanted_beyond_what_they_had_is_what_they_waited() {
        let queue = queue(std::iter::repeat_n(4.0, 50), 0.1, 10.0).unwrap();
        assert!((queue.wanted - 20.0).abs() < 1e-9 && queue.off < 1e-3, "{queue:?}");
        assert!((queue.waited(0.0) - 10.0).abs() < 1e-9 && (queue.waited(12.0) - 8.0).abs() < 1e-9);
        assert!(queue.waited(30.0).abs() < 1e-9);
    }

    #[test]
    fn few_looks_say_nothing_and_many_are_less_off() {
        assert_eq!(queue(std::iter::repeat_n(4.0, 4), 0.1, 0.0), None);
        let of = |n: u32| queue((0..n).map(|i| f64::from(i % 2) * 8.0), 10.0 / f64::from(n), 0.0).unwrap();
        let [few, many] = [of(10), of(1000)];
        assert!((few.wanted - many.wanted).abs() < 1e-6 && few.off > 5.0 * many.off, "{few:?} {many:?}");
    }
}
