//! A clock for tests: time passes only when told to.
//!
//! Order, rates and statistics can so be tested without sleeping. It knows nothing of real time.

use std::time::Duration;

use super::{Clock, Usage};
use crate::sync::Mutex;

/// A [`Clock`] that stands still until it is moved by hand.
///
/// Advancing time adds no usage, and no thread has used any CPU time. It can be shared by
/// threads.
#[derive(Debug, Default)]
pub struct FakeClock {
    readings: Mutex<Readings>,
}

impl FakeClock {
    /// A clock at zero, with nothing used; no peak memory is ever known.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Moves time forward by `span`.
    pub fn advance(&self, span: Duration) {
        let mut readings = self.readings.lock();
        readings.now = readings.now.saturating_add(span);
    }

    /// Moves time forward to `now`; an earlier moment is ignored, as time never goes backwards.
    pub fn set(&self, now: Duration) {
        let mut readings = self.readings.lock();
        readings.now = readings.now.max(now);
    }

    /// Adds to what the process has used.
    pub fn advance_usage(&self, usage: Usage) {
        let mut readings = self.readings.lock();
        readings.usage = readings.usage + usage;
    }
}

impl Clock for FakeClock {
    fn now(&self) -> Duration {
        self.readings.lock().now
    }

    fn thread_cpu(&self) -> Duration {
        Duration::ZERO
    }

    fn usage(&self) -> Usage {
        self.readings.lock().usage
    }

    fn reset_peak(&self) {}

    fn peak_memory(&self) -> Option<u64> {
        None
    }
}

#[derive(Debug, Default)]
struct Readings {
    now: Duration,
    usage: Usage,
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn time_and_usage_stand_still_until_they_are_moved_and_time_cannot_be_set_back() {
        let clock = FakeClock::new();
        assert_eq!((clock.now(), clock.usage()), (Duration::ZERO, Usage::default()));
        clock.advance(SECOND);
        clock.advance(SECOND);
        assert_eq!(clock.now(), 2 * SECOND);
        clock.set(5 * SECOND);
        clock.set(SECOND);
        assert_eq!(clock.now(), 5 * SECOND);
        let read = Usage { block_reads: 3, ..Usage::default() };
        clock.advance_usage(read);
        clock.advance_usage(read);
        assert_eq!(clock.usage().block_reads, 6);
    }
}
