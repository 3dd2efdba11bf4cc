//! The memory below which nobody can tell what a child process held: what the
//! process that started it held itself.
//!
//! A child shares its parent's memory until it becomes another program, and the
//! kernel counts the peak of that as the child's own. Does not know of jobs.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{memory, unix};

/// Threads count their pages in batches, so that two readings of one peak are
/// this much apart.
const ALLOWANCE: u64 = 256 << 10;

/// This process's own peak, read again only where that can decide something.
#[derive(Debug, Default)]
pub struct Floor {
    known: AtomicU64,
}

impl Floor {
    /// Whether a child's `peak`, in bytes, is this process's own. False where the
    /// system does not tell.
    #[must_use]
    pub fn covers(&self, peak: u64) -> bool {
        // What it was, it is at least: a small command costs no system call.
        if peak <= self.known.load(Ordering::Relaxed) {
            return true;
        }
        // Never below, and cheap: a large command costs one.
        if peak > unix::own_peak() + ALLOWANCE {
            return false;
        }
        let Some(own) = memory::high_water(Path::new("/proc/self")) else { return false };
        self.known.store(own + ALLOWANCE, Ordering::Relaxed);
        peak <= own + ALLOWANCE
    }

    /// The peak begins anew, and may be lower.
    pub fn forget(&self) {
        self.known.store(0, Ordering::Relaxed);
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;

    #[test]
    fn a_peak_is_covered_up_to_what_this_process_holds() {
        let floor = Floor::default();
        assert!(floor.covers(1 << 20));
        assert!(!floor.covers(1 << 40));
        // Still so when it is asked again, and after it was forgotten.
        assert!(floor.covers(1 << 20));
        floor.forget();
        assert!(floor.covers(1 << 20));
        let more = memory::high_water(Path::new("/proc/self")).unwrap() + (64 << 20);
        assert!(!floor.covers(more));
        let held = vec![1_u8; 128 << 20];
        assert!(floor.covers(more), "{} bytes are held", std::hint::black_box(held).len());
    }
}
