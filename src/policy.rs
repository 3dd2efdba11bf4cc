//! When tasks of a batch are started, tried again and given up: plain data.
//!
//! Knows neither how it is written on a command line nor who acts on it.

use std::num::NonZeroU64;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::measure::seconds;

/// What a batch does besides starting each task once, as soon as a slot is free.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Policy {
    /// When the batch stops early.
    pub halt: Option<Halt>,
    /// How often a failing task is tried.
    pub retry: Retry,
    /// How far apart tasks start.
    pub delay: Option<Delay>,
    /// How busy the machine may be when a task starts.
    pub load: Option<Load>,
    /// How many bytes of memory must be available when a task starts.
    pub memory: Option<u64>,
    /// Whether none is started while the machine swaps.
    pub spares_swap: bool,
    /// After which time none is started any more.
    pub max_time: Option<Duration>,
}

/// How often a failing task is tried, and how long is waited in between.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Retry {
    /// Tries in all; `None` is without end.
    pub tries: Option<NonZeroU64>,
    /// The wait before the second try.
    #[serde(with = "seconds")]
    pub wait: Duration,
    /// What each wait is multiplied by for the next one; at least 1.
    pub backoff: f64,
}

impl Default for Retry {
    fn default() -> Self {
        Self { tries: Some(NonZeroU64::MIN), wait: Duration::ZERO, backoff: 1.0 }
    }
}

impl Retry {
    /// Whether a task that failed in its `attempt`-th try, from 1, is tried again.
    pub fn goes_on(&self, attempt: u32) -> bool {
        self.tries.is_none_or(|tries| u64::from(attempt) < tries.get())
    }

    /// How long to wait after the `attempt`-th try, from 1.
    pub fn wait_after(&self, attempt: u32) -> Duration {
        let exponent = i32::try_from(attempt.saturating_sub(1)).unwrap_or(i32::MAX);
        let seconds = self.wait.as_secs_f64() * self.backoff.powi(exponent);
        Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
    }
}

/// A number of jobs, or a share of them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Amount {
    /// This many.
    Count(u64),
    /// This share of all, in percent.
    Percent(f64),
}

/// When a batch stops early.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Halt {
    /// What becomes of running jobs.
    pub when: HaltWhen,
    /// What is counted.
    pub why: HaltWhy,
    /// How many it takes.
    pub amount: Amount,
}

/// What becomes of running jobs when a batch stops early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HaltWhen {
    /// They are killed.
    Now,
    /// They finish.
    Soon,
}

/// Which jobs decide that a batch stops early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HaltWhy {
    /// Those that fail.
    Fail,
    /// Those that succeed.
    Success,
    /// All that end.
    Done,
}

/// How long to wait between the starts of two jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delay {
    /// The wait to begin with.
    pub pause: Duration,
    /// Whether it grows when jobs fail and shrinks when they succeed (`auto`).
    pub adapts: bool,
}

/// How busy the machine may be when a job starts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Load {
    /// A load average below this.
    Average(f64),
    /// A load average below this share of the cores, in percent.
    Percent(f64),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_by_the_backoff_and_never_overflow() {
        let retry = Retry { tries: None, wait: Duration::from_secs(2), backoff: 3.0 };
        let waits: Vec<u64> = (1..4).map(|attempt| retry.wait_after(attempt).as_secs()).collect();
        assert_eq!(waits, [2, 6, 18]);
        assert_eq!(retry.wait_after(u32::MAX), Duration::MAX);
        assert!(retry.goes_on(u32::MAX));
    }

    #[test]
    fn three_tries_are_one_and_two_more() {
        let retry = Retry { tries: NonZeroU64::new(3), ..Retry::default() };
        assert!(retry.goes_on(1) && retry.goes_on(2) && !retry.goes_on(3));
    }
}
