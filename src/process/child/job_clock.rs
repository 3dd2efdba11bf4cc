//! Time limits of jobs, which stand still while the run is paused.
//!
//! Does not know what happens when one has passed.

use crate::sync::Mutex;
use std::time::{Duration, Instant};

/// The time limit of every job, and how long the run was paused so far.
#[derive(Debug, Default)]
pub(super) struct JobClock {
    state: Mutex<JobClockState>,
}

#[derive(Clone, Copy, Debug, Default)]
struct JobClockState {
    limit: Option<Duration>,
    paused_since: Option<Instant>,
    paused_for: Duration,
}

impl JobClock {
    pub(super) fn set_limit(&self, limit: Option<Duration>) {
        self.with(|state| state.limit = limit);
    }

    pub(super) fn pause(&self, now: Instant) {
        self.with(|state| state.paused_since = state.paused_since.or(Some(now)));
    }

    pub(super) fn resume(&self, now: Instant) {
        self.with(|state| {
            if let Some(since) = state.paused_since.take() {
                state.paused_for += now.saturating_duration_since(since);
            }
        });
    }

    pub(super) fn is_paused(&self) -> bool {
        self.with(|state| state.paused_since.is_some())
    }

    /// A stopwatch for a job that starts now.
    pub(super) fn start(&self, deadline: Option<Instant>) -> Allowance {
        Allowance { started: Instant::now(), deadline, paused_before: self.with(|state| state.paused_for) }
    }

    fn with<T>(&self, look: impl FnOnce(&mut JobClockState) -> T) -> T {
        look(&mut self.state.lock())
    }
}

/// How long one job may last.
#[derive(Clone, Copy, Debug)]
pub(super) struct Allowance {
    pub(super) started: Instant,
    /// The job's own, beside the limit of all.
    deadline: Option<Instant>,
    paused_before: Duration,
}

impl Allowance {
    /// When it has to end, as things are now. None: never, or not while the run
    /// is paused.
    pub(super) fn end(&self, clock: &JobClock) -> Option<Instant> {
        let state = clock.with(|state| *state);
        if state.paused_since.is_some() {
            return None;
        }
        let limit = state.limit.and_then(|limit| self.started.checked_add(limit));
        let end = [self.deadline, limit].into_iter().flatten().min()?;
        end.checked_add(state.paused_for.saturating_sub(self.paused_before))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_pause_shifts_the_deadline_by_its_length_and_until_then_there_is_none() {
        let clock = JobClock::default();
        let now = Instant::now();
        let job = clock.start(Some(now + 10 * SECOND));
        assert_eq!(job.end(&clock), Some(now + 10 * SECOND));
        clock.pause(now + SECOND);
        clock.pause(now + 2 * SECOND);
        assert_eq!(job.end(&clock), None);
        clock.resume(now + 5 * SECOND);
        clock.resume(now + 9 * SECOND);
        assert_eq!(job.end(&clock), Some(now + 14 * SECOND));
        let later = clock.start(Some(now + 20 * SECOND));
        assert_eq!(later.end(&clock), Some(now + 20 * SECOND), "an earlier pause is not its own");
    }

    #[test]
    fn the_earlier_of_deadline_and_limit_holds_and_the_limit_can_change() {
        let clock = JobClock::default();
        let job = clock.start(None);
        assert_eq!(job.end(&clock), None);
        clock.set_limit(Some(3 * SECOND));
        assert_eq!(job.end(&clock), Some(job.started + 3 * SECOND));
        let hurried = clock.start(Some(job.started + 2 * SECOND));
        assert_eq!(hurried.end(&clock), Some(job.started + 2 * SECOND));
        clock.set_limit(Some(Duration::MAX));
        assert_eq!(job.end(&clock), None);
    }
}
