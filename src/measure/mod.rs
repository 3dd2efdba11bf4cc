//! What time, CPU and memory something cost: one trait and a real clock (for
//! tests a fake one).
//!
//! Knows nothing of tasks, runs or workloads: callers read the clock before and after, and
//! subtract. What a child process cost is measured by `wait4` where it is reaped, not here.

mod monotonic;
mod usage;

use std::time::Duration;

#[cfg(any(test, feature = "testing"))]
pub use fake::FakeClock;
pub use monotonic::{Floor, MonotonicClock, parse_kib};
pub use usage::Usage;

/// Where durations, CPU time and peak memory are read from, so that tests need no time to pass.
pub trait Clock: Send + Sync {
    /// Time since this clock was started; never goes backwards.
    fn now(&self) -> Duration;

    /// CPU time, user and system, that the calling thread has used since it began.
    fn thread_cpu(&self) -> Duration;

    /// What this process and its reaped children have used since it began.
    ///
    /// Other threads that are running at this moment count up to their last scheduler tick
    /// (a few milliseconds ago), and children count only once they have been waited for.
    fn usage(&self) -> Usage;

    /// Begins a new span for [`peak_memory`](Clock::peak_memory).
    ///
    /// It also lowers the floor under the peak memory that `wait4` reports for children started
    /// from now on, because a child inherits the peak of the process that spawned it.
    fn reset_peak(&self);

    /// Largest resident memory of this process, in bytes, since the last reset.
    ///
    /// None if [`reset_peak`](Clock::reset_peak) was never called or the system cannot do it.
    fn peak_memory(&self) -> Option<u64>;
}

#[cfg(any(test, feature = "testing"))]
mod fake {
    use std::time::Duration;

    use crate::measure::{Clock, Usage};
    use crate::sync::Mutex;

    /// A [`Clock`] for tests that stands still until it is moved by hand: order, rates and
    /// statistics can so be tested without sleeping.
    ///
    /// Advancing time adds no usage, and no thread has used any CPU time. It can be shared by
    /// threads.
    #[derive(Debug, Default)]
    pub struct FakeClock {
        readings: Mutex<Readings>,
    }

    impl FakeClock {
        /// A clock at zero, with nothing used; no peak memory is ever known.
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
}

pub mod seconds {
    //! Durations in saved files: seconds as a plain number, to the nanosecond,
    //! which every reader of JSON understands.
    //!
    //! For `#[serde(with = "seconds")]`. A double holds nanoseconds exactly up to
    //! some hundred days.

    use std::time::Duration;

    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    /// Writes `time` as seconds.
    pub fn serialize<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(time.as_secs_f64())
    }

    /// Some thousand years: a million of these can be added up.
    const LONGEST: f64 = 1e11;

    /// Reads seconds; negative ones and those that nothing can have taken are refused.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        let seconds = f64::deserialize(deserializer)?;
        if seconds > LONGEST {
            return Err(D::Error::custom(format!("{seconds:e} s: longer than anything can have taken")));
        }
        Duration::try_from_secs_f64(seconds)
            .map_err(|error| D::Error::custom(format!("{seconds} s: {error}")))
    }

    /// The same where there may be none: `#[serde(with = "seconds::optional", default)]`.
    pub mod optional {
        use std::time::Duration;

        use serde::{Deserialize, Deserializer, Serializer};

        /// Writes `time` as seconds, or null.
        pub fn serialize<S: Serializer>(time: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
            match time {
                Some(time) => crate::measure::seconds::serialize(time, serializer),
                None => serializer.serialize_none(),
            }
        }

        #[derive(Deserialize)]
        struct Seconds(#[serde(with = "super")] Duration);

        /// Reads seconds, or null.
        pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
            Ok(Option::<Seconds>::deserialize(deserializer)?.map(|Seconds(time)| time))
        }
    }

    #[cfg(test)]
    mod tests {
        use proptest::prelude::*;
        use serde::{Deserialize, Serialize};

        use super::*;

        #[derive(Serialize, Deserialize)]
        struct Timed(#[serde(with = "super")] Duration);

        proptest! {
            #[test]
            fn every_nanosecond_of_a_month_comes_back(nanos in 0..2_600_000_000_000_000_u64) {
                let text = serde_json::to_string(&Timed(Duration::from_nanos(nanos))).unwrap();
                let Timed(back) = serde_json::from_str(&text).unwrap();
                prop_assert_eq!(back, Duration::from_nanos(nanos));
            }
        }

        #[test]
        fn what_is_no_duration_is_refused() {
            assert!(serde_json::from_str::<Timed>("-1").is_err());
            assert!(serde_json::from_str::<Timed>("1e300").is_err());
            assert!(serde_json::from_str::<Timed>("1e18").is_err());
            assert!(serde_json::from_str::<Timed>("1e11").is_ok());
        }
    }
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
