//! How many threads of the machine want a core, looked at now and then while tasks run:
//! fewer than there are tasks when some of these wait for something else, more when tasks
//! have several threads.
//!
//! Knows Linux's files; elsewhere there is nothing to read, and the answer is None. Does not
//! know whose threads they are.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::limits::Limits;
use super::surroundings::{RunningThreads, cpu_of_all};

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

/// What was seen, over all the time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RunQueue {
    /// How long tasks were under way of which no thread had a core or waited for one, added
    /// up over them, in seconds.
    pub slept: f64,
    /// How far that may be off, in seconds.
    pub off: f64,
    /// How long more threads than tasks wanted a core, added up over these, in seconds.
    pub beyond: f64,
    /// CPU time of all processes meanwhile, in seconds.
    pub had: f64,
}

/// Looks added up.
#[derive(Clone, Copy, Debug, Default)]
struct Looks {
    number: usize,
    /// What they stand for, in seconds.
    time: f64,
    slept: f64,
    squares: f64,
    beyond: f64,
}

impl Looks {
    /// So many tasks were under way and so many threads wanted a core, and that stands for so
    /// many seconds.
    fn add(&mut self, tasks: f64, ready: f64, time: f64) {
        let asleep = (tasks - ready).max(0.0);
        self.number += 1;
        self.time += time;
        self.slept += asleep * time;
        self.squares += asleep * asleep * time;
        self.beyond += (ready - tasks).max(0.0) * time;
    }

    /// What they come to for `all` of the time, in seconds, where the processes had so many
    /// seconds of CPU time meanwhile.
    fn queue(&self, all: f64, had: f64) -> Option<RunQueue> {
        if self.number < FEWEST_LOOKS {
            return None;
        }
        let time = self.time.max(f64::MIN_POSITIVE);
        let variance = (self.squares / time - (self.slept / time).powi(2)).max(0.0);
        let off = 2.0 * (variance * WORTH_ONE / self.number as f64).sqrt() * all;
        Some(RunQueue { slept: self.slept / time * all, off, beyond: self.beyond / time * all, had })
    }
}

/// Looks until it is stopped.
#[derive(Debug)]
pub struct RunQueueWatch {
    stop: Sender<()>,
    thread: JoinHandle<Looks>,
    begun: Instant,
    had_before: Duration,
}

impl RunQueueWatch {
    /// Begins to look while so many `tasks` are under way; `None` where there is nothing to
    /// be seen, or of other cores than those that this process may use.
    pub fn start(tasks: Arc<AtomicU64>) -> Option<Self> {
        let running = RunningThreads::open()?;
        running.count()?;
        let limits = Limits::detect();
        if limits.quota.is_some() || limits.usable < limits.logical {
            return None;
        }
        let had_before = cpu_of_all()?;
        let (stop, stopped) = mpsc::channel();
        let begun = Instant::now();
        let look = move || {
            let mut last = begun;
            let mut looks = Looks::default();
            loop {
                let rest = (begun.elapsed() / PART).clamp(SHORTEST_REST, LONGEST_REST);
                let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(rest) else { return looks };
                let time = std::mem::replace(&mut last, Instant::now()).elapsed();
                if let Some(ready) = running.count() {
                    looks.add(tasks.load(Ordering::Relaxed) as f64, ready as f64, time.as_secs_f64());
                }
            }
        };
        let thread =
            thread::Builder::new().name("run queue".to_owned()).stack_size(super::STACK).spawn(look).ok()?;
        Some(Self { stop, thread, begun, had_before })
    }

    /// What was seen; `None` where that is too little.
    pub fn stop(self) -> Option<RunQueue> {
        let all = self.begun.elapsed().as_secs_f64();
        drop(self.stop);
        let had = cpu_of_all()?.saturating_sub(self.had_before);
        self.thread.join().ok()?.queue(all, had.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(tasks: f64, ready: impl Iterator<Item = f64>) -> Option<RunQueue> {
        let mut looks = Looks::default();
        ready.for_each(|ready| looks.add(tasks, ready, 0.1));
        // The last part of the time was not looked at.
        looks.queue(looks.time * 1.1, 0.0)
    }

    #[test]
    fn tasks_without_a_thread_that_wants_a_core_sleep_and_more_threads_are_beyond_them() {
        let is_about = |one: f64, other: f64| (one - other).abs() < 1e-6;
        let seen = queue(16.0, std::iter::repeat_n(12.0, 50)).unwrap();
        assert!(is_about(seen.slept, 4.0 * 5.5) && is_about(seen.beyond, 0.0) && seen.off < 1e-3, "{seen:?}");
        let seen = queue(2.0, std::iter::repeat_n(5.0, 50)).unwrap();
        assert!(is_about(seen.slept, 0.0) && is_about(seen.beyond, 3.0 * 5.5), "{seen:?}");
    }

    #[test]
    fn few_looks_say_nothing_and_many_are_less_off() {
        assert_eq!(queue(8.0, std::iter::repeat_n(4.0, 4)), None);
        let of = |n: u32| queue(8.0, (0..n).map(|i| f64::from(i % 2) * 8.0)).unwrap();
        let [few, many] = [of(10), of(1000)].map(|seen| seen.off / seen.slept);
        assert!(few > 5.0 * many, "{few} {many}");
    }
}
