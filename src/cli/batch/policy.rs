//! When jobs start, are tried again and given up: from options to a [`Policy`], and a
//! limit that follows how long jobs take.

use std::num::NonZeroU64;
use std::time::Duration;

use crate::cli::flags::{Flag, Timeout, Typed};
use crate::event::Journal;
use crate::policy::{Policy, Retry};
use crate::process::child::RunningJobs;
use crate::study::Remedian;
use crate::sync::Mutex;
use crate::task::{Outcome, Record};

/// What the options say of the batch as a whole.
pub(super) fn policy(typed: &Typed) -> Policy {
    let run = &typed.run;
    // `--retries 0` is without end.
    let tries = run.retries.map_or(Some(NonZeroU64::MIN), NonZeroU64::new);
    Policy {
        halt: run.halt,
        retry: Retry {
            tries,
            wait: run.retry_delay.unwrap_or_default(),
            backoff: run.backoff.unwrap_or(1.0).max(1.0),
        },
        delay: run.delay,
        load: run.load,
        // Running jobs are not stopped for lack of memory; others wait all the same.
        memory: run.memfree.max(run.memsuspend),
        spares_swap: typed.has(Flag::NoSwap),
        max_time: run.max_time,
    }
}

/// So many jobs have to end before it is known what is usual.
const FEWEST: usize = 3;

/// `--timeout N%`: limits jobs to a share of the median of those that succeeded so far. One that
/// met the limit counts as having lasted that long at least: it is no sign that
/// jobs are short.
pub(super) struct MedianLimit {
    running: &'static RunningJobs,
    /// 1.0 is the median itself.
    factor: f64,
    ended: Mutex<JobTimes>,
}

/// How long jobs lasted.
#[derive(Default)]
struct JobTimes {
    seconds: Remedian,
    n_jobs: usize,
    limit: Duration,
}

impl MedianLimit {
    /// No limit until three jobs have ended; then the share of the median that was typed, if
    /// one was.
    pub(super) fn of(typed: &Typed, running: &'static RunningJobs) -> Option<Self> {
        let Some(Timeout::Percent(percent)) = typed.run.timeout else { return None };
        Some(Self { running, factor: percent / 100.0, ended: Mutex::default() })
    }
}

impl Journal for MedianLimit {
    fn ended(&self, record: &Record) {
        let limit = {
            let mut ended = self.ended.lock();
            ended.enter(record, self.factor)
        };
        if let Some(limit) = limit {
            self.running.set_time_limit(Some(limit));
        }
    }
}

impl JobTimes {
    /// Takes note of `record`; the limit from now on, where it has changed.
    fn enter(&mut self, record: &Record, factor: f64) -> Option<Duration> {
        let lasted = match record.outcome {
            Outcome::Success => record.wall,
            Outcome::TimedOut => record.wall.max(self.limit),
            _ => return None,
        };
        self.seconds.add(lasted.as_secs_f64());
        self.n_jobs += 1;
        if self.n_jobs < FEWEST {
            return None;
        }
        let limit = self.seconds.estimate() * factor;
        self.limit = Duration::try_from_secs_f64(limit).unwrap_or(Duration::MAX);
        Some(self.limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::tests::record;

    fn ended(outcome: Outcome, seconds: u64) -> Record {
        Record { outcome, wall: Duration::from_secs(seconds), ..record(0) }
    }

    #[test]
    fn nobody_has_a_limit_before_three_jobs_have_ended() {
        let mut jobs = JobTimes::default();
        let mut limit = |outcome, seconds| jobs.enter(&ended(outcome, seconds), 2.0).map(|it| it.as_secs());
        assert_eq!(limit(Outcome::Success, 1), None);
        assert_eq!(limit(Outcome::Exited(1), 9), None, "one that failed tells nothing");
        assert_eq!(limit(Outcome::Success, 9), None);
        assert_eq!(limit(Outcome::Success, 8), Some(16));
    }

    #[test]
    fn jobs_that_met_the_limit_raise_it_until_such_jobs_pass() {
        let mut jobs = JobTimes::default();
        let mut limit = |outcome, seconds| jobs.enter(&ended(outcome, seconds), 3.0).map(|it| it.as_secs());
        for _ in 0..3 {
            let _ = limit(Outcome::Success, 1);
        }
        let raised: Vec<_> = (0..4).filter_map(|_| limit(Outcome::TimedOut, 3)).collect();
        assert_eq!(raised.last(), Some(&9), "{raised:?}");
        assert_eq!(limit(Outcome::TimedOut, 0), Some(9), "it lasted as long as it was let");
    }
}
