//! When a worker that was lost is tried for again.
//!
//! Knows nothing of workers.

use std::time::{Duration, Instant};

/// How often no worker got as far as a task on a link.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Failures {
    /// So often in a row.
    pub(super) in_a_row: u32,
    /// Whether one ever did.
    pub(super) was_ready: bool,
    /// None is tried before.
    pub(super) until: Option<Instant>,
    /// Whether the first is yet to be tried.
    pub(super) is_first: bool,
}

/// So often a host that was there, and another worker on this machine, is tried again before
/// it is given up.
const MOST_FAILURES: u32 = 7;

/// The first wait before that; each is twice as long as the one before.
const FIRST_WAIT: Duration = Duration::from_secs(1);

/// The same on this machine, where a process or memory may be missing for a moment.
const FIRST_WAIT_HERE: Duration = Duration::from_millis(10);

impl Failures {
    /// There was another on a host. Says whether it is to be tried again, some time.
    pub(super) fn again(&mut self) -> bool {
        self.one_more(FIRST_WAIT) && self.was_ready
    }

    /// The same on this machine, where there was a worker before.
    pub(super) fn again_here(&mut self) -> bool {
        self.one_more(FIRST_WAIT_HERE)
    }

    fn one_more(&mut self, first_wait: Duration) -> bool {
        self.in_a_row += 1;
        let wait = first_wait * (1 << (self.in_a_row - 1).min(6));
        self.until = Some(Instant::now() + wait.min(Duration::from_secs(60)));
        self.in_a_row < MOST_FAILURES
    }

    /// A worker is ready. One that is lost before it begins a task is no better than one that
    /// never was.
    pub(super) fn ready(&mut self) {
        *self = Self { was_ready: true, in_a_row: self.in_a_row, ..Self::default() };
    }

    /// A worker has begun a task.
    pub(super) fn end(&mut self) {
        self.in_a_row = 0;
    }

    /// Whether it is time to try.
    pub(super) fn are_over(&self) -> bool {
        self.until.is_none_or(|until| Instant::now() >= until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_whose_workers_get_ready_and_no_further_is_given_up() {
        let mut failures = Failures::default();
        assert!(!failures.again(), "it never was ready");
        failures.ready();
        failures.end();
        for _ in 1..MOST_FAILURES {
            assert!(failures.again());
            failures.ready();
        }
        assert!(!failures.again());
        failures.end();
        assert!(failures.again());
    }
}
