//! A clock for tests: time passes only when told to.
//!
//! Order, rates and statistics can so be tested without sleeping. It knows nothing of real time.

use crate::sync::Mutex;
use std::collections::HashMap;
use std::sync::MutexGuard;
use std::thread::{self, ThreadId};
use std::time::Duration;

use super::{Clock, Usage};

/// A [`Clock`] that stands still until it is moved by hand.
///
/// Its parts are independent: advancing time adds no CPU, and a thread's CPU adds nothing to the
/// process's usage. It can be shared by threads, each of which has a CPU clock of its own.
#[derive(Debug, Default)]
pub struct FakeClock {
    readings: Mutex<Readings>,
}

impl FakeClock {
    /// A clock at zero, with nothing used and no peak memory known.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Moves time forward by `span`.
    pub fn advance(&self, span: Duration) {
        let mut readings = self.readings();
        readings.now = readings.now.saturating_add(span);
    }

    /// Moves time forward to `now`; an earlier moment is ignored, as time never goes backwards.
    pub fn set(&self, now: Duration) {
        let mut readings = self.readings();
        readings.now = readings.now.max(now);
    }

    /// Adds to the CPU time of the calling thread.
    pub fn advance_thread_cpu(&self, span: Duration) {
        let mut readings = self.readings();
        let cpu = readings.thread_cpu.entry(thread::current().id()).or_default();
        *cpu = cpu.saturating_add(span);
    }

    /// Sets the CPU time of the calling thread.
    pub fn set_thread_cpu(&self, cpu: Duration) {
        let id = thread::current().id();
        self.readings().thread_cpu.insert(id, cpu);
    }

    /// Adds to what the process has used.
    pub fn advance_usage(&self, usage: Usage) {
        let mut readings = self.readings();
        readings.usage = readings.usage + usage;
    }

    /// Sets what the process has used.
    pub fn set_usage(&self, usage: Usage) {
        self.readings().usage = usage;
    }

    /// Sets the resident memory in bytes; both peaks rise to it, and a reset falls back to it.
    pub fn set_memory(&self, bytes: u64) {
        let mut readings = self.readings();
        readings.memory = Some(bytes);
        readings.peak = readings.peak.map(|peak| peak.max(bytes));
    }

    fn readings(&self) -> MutexGuard<'_, Readings> {
        // No reading is ever half written, so a test that panicked in another thread harms none.
        self.readings.lock()
    }
}

impl Clock for FakeClock {
    fn now(&self) -> Duration {
        self.readings().now
    }

    fn thread_cpu(&self) -> Duration {
        let id = thread::current().id();
        self.readings().thread_cpu.get(&id).copied().unwrap_or_default()
    }

    fn usage(&self) -> Usage {
        self.readings().usage
    }

    fn reset_peak(&self) {
        let mut readings = self.readings();
        readings.peak = readings.memory;
    }

    fn peak_memory(&self) -> Option<u64> {
        self.readings().peak
    }
}

#[derive(Debug, Default)]
struct Readings {
    now: Duration,
    thread_cpu: HashMap<ThreadId, Duration>,
    usage: Usage,
    memory: Option<u64>,
    peak: Option<u64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn time_stands_still_until_it_is_moved() {
        let clock = FakeClock::new();
        assert_eq!(clock.now(), Duration::ZERO);
        clock.advance(SECOND);
        clock.advance(SECOND);
        assert_eq!(clock.now(), 2 * SECOND);
        clock.set(5 * SECOND);
        assert_eq!(clock.now(), 5 * SECOND);
    }

    #[test]
    fn time_cannot_be_set_back() {
        let clock = FakeClock::new();
        clock.set(5 * SECOND);
        clock.set(SECOND);
        assert_eq!(clock.now(), 5 * SECOND);
    }

    #[test]
    fn each_thread_has_cpu_time_of_its_own() {
        let clock = FakeClock::new();
        clock.set_thread_cpu(SECOND);
        clock.advance_thread_cpu(SECOND);
        let other = thread::scope(|scope| {
            let thread = scope.spawn(|| {
                clock.advance_thread_cpu(7 * SECOND);
                clock.thread_cpu()
            });
            thread.join().unwrap()
        });
        assert_eq!((clock.thread_cpu(), other), (2 * SECOND, 7 * SECOND));
        assert_eq!((clock.now(), clock.usage()), (Duration::ZERO, Usage::default()));
    }

    #[test]
    fn usage_is_what_it_was_set_and_advanced_to() {
        let clock = FakeClock::new();
        let read = Usage { block_reads: 3, ..Usage::default() };
        clock.set_usage(read);
        clock.advance_usage(read);
        assert_eq!(clock.usage().block_reads, 6);
    }

    #[test]
    fn the_peak_of_a_span_needs_a_reset() {
        let clock = FakeClock::new();
        clock.set_memory(100);
        assert_eq!(clock.peak_memory(), None);
        clock.set_memory(20);
        clock.reset_peak();
        clock.set_memory(30);
        clock.set_memory(10);
        assert_eq!(clock.peak_memory(), Some(30));
    }

    #[test]
    fn a_clock_can_be_handed_on_as_a_trait_object() {
        let clock: &dyn Clock = &FakeClock::new();
        assert_eq!(clock.thread_cpu(), Duration::ZERO);
    }
}
