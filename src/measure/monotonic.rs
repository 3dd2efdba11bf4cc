//! The real clock: the system's monotonic time, CPU clocks and memory accounts.
//!
//! Does not know the time of day; a wall-clock start, for people only, is taken elsewhere.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::{Clock, Usage, memory, unix};

/// The system's own clocks; `now` counts from the moment of [`MonotonicClock::start`].
///
/// In a Linux virtual machine `now` was measured to cost 25 ns, `thread_cpu` 0.4 us and `usage`
/// 0.7 us: a task's four readings fit into 1 us, and `usage` is for whole runs.
#[derive(Debug)]
pub struct MonotonicClock {
    started: Instant,
    proc_self: PathBuf,
    /// Whether the last reset worked, so that the high-water mark belongs to that span.
    peak_is_fresh: AtomicBool,
}

impl MonotonicClock {
    /// Starts a clock: its `now` is zero at this moment.
    #[must_use]
    pub fn start() -> Self {
        Self::with_proc(Path::new("/proc/self"))
    }

    fn with_proc(proc_self: &Path) -> Self {
        Self {
            started: Instant::now(),
            proc_self: proc_self.to_path_buf(),
            peak_is_fresh: AtomicBool::new(false),
        }
    }
}

impl Default for MonotonicClock {
    fn default() -> Self {
        Self::start()
    }
}

impl Clock for MonotonicClock {
    fn now(&self) -> Duration {
        self.started.elapsed()
    }

    fn thread_cpu(&self) -> Duration {
        unix::thread_cpu()
    }

    fn usage(&self) -> Usage {
        unix::own_usage() + unix::children_usage()
    }

    fn reset_peak(&self) {
        let fresh = memory::reset_high_water(&self.proc_self);
        self.peak_is_fresh.store(fresh, Ordering::Relaxed);
    }

    fn peak_memory(&self) -> Option<u64> {
        if !self.peak_is_fresh.load(Ordering::Relaxed) {
            return None;
        }
        memory::high_water(&self.proc_self)
    }
}

#[cfg(test)]
mod tests;
