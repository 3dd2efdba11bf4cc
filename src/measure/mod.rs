//! What time, CPU and memory something cost: one trait and a real clock (for
//! tests a fake one).
//!
//! Knows nothing of tasks, runs or workloads: callers read the clock before and after, and
//! subtract. What a child process cost is measured by `wait4` where it is reaped, not here.

#[cfg(any(test, feature = "testing"))]
mod fake;
mod memory;
mod monotonic;
pub mod seconds;
mod usage;

use std::time::Duration;

#[cfg(any(test, feature = "testing"))]
pub use fake::FakeClock;
pub use memory::Floor;
pub use monotonic::MonotonicClock;
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
