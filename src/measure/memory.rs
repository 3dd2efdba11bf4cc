//! The peak of resident memory since a moment of our choosing, through Linux's /proc, and the
//! floor below which nobody can tell what a child process held: what the process that
//! started it held itself.
//!
//! A child shares its parent's memory until it becomes another program, and the kernel counts
//! the peak of that as the child's own. Does not know when a run begins or ends, nor of jobs.
//! Elsewhere than on Linux the files are missing, and the answers are "no" and None.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use super::monotonic::own_peak;

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
        if peak > own_peak() + ALLOWANCE {
            return false;
        }
        let Some(own) = high_water(Path::new("/proc/self")) else { return false };
        self.known.store(own + ALLOWANCE, Ordering::Relaxed);
        peak <= own + ALLOWANCE
    }

    /// The peak begins anew, and may be lower.
    pub fn forget(&self) {
        self.known.store(0, Ordering::Relaxed);
    }
}

/// Sets the kernel's high-water mark of this process to what is resident now.
///
/// False if the kernel does not offer it or does not let us.
pub(super) fn reset_high_water(proc_self: &Path) -> bool {
    // "5" is the kernel's word for it: see proc_pid_clear_refs(5).
    let clear_refs = proc_self.join("clear_refs");
    // Opened, never created: elsewhere than on Linux the directory may be anything.
    let Ok(mut file) = OpenOptions::new().write(true).open(clear_refs) else {
        return false;
    };
    file.write_all(b"5").is_ok()
}

/// The kernel's high-water mark of this process, in bytes.
///
/// Threads count their pages in batches, so it may be off by a few hundred KiB a core.
pub(super) fn high_water(proc_self: &Path) -> Option<u64> {
    // The first line is the process's name, in whatever bytes it has.
    let status = fs::read(proc_self.join("status")).ok()?;
    parse_high_water(&String::from_utf8_lossy(&status))
}

fn parse_high_water(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib = line.trim().strip_suffix("kB")?.trim_end();
    kib.parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_high_water_mark_is_read_in_bytes() {
        let status = "Name:\tx\nVmPeak:\t  900 kB\nVmHWM:\t    1656 kB\nVmRSS:\t    1200 kB\n";
        assert_eq!(parse_high_water(status), Some(1656 * 1024));
    }

    #[test]
    fn a_status_without_a_sound_high_water_mark_is_none() {
        for status in [
            "",
            "VmRSS:\t 12 kB\n",
            "VmHWM:\t 12\n",
            "VmHWM:\t many kB\n",
            "VmHWM:\t 18446744073709551615 kB\n",
        ] {
            assert_eq!(parse_high_water(status), None, "{status:?}");
        }
    }

    #[test]
    fn a_reset_writes_five_and_a_missing_file_is_not_created() {
        let dir = tempfile::tempdir().unwrap();
        let clear_refs = dir.path().join("clear_refs");
        assert!(!reset_high_water(dir.path()));
        assert!(!clear_refs.exists());
        fs::write(&clear_refs, "").unwrap();
        assert!(reset_high_water(dir.path()));
        assert_eq!(fs::read_to_string(&clear_refs).unwrap(), "5");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_peak_is_covered_up_to_what_this_process_holds() {
        let floor = Floor::default();
        assert!(floor.covers(1 << 20));
        assert!(!floor.covers(1 << 40));
        // Still so when it is asked again, and after it was forgotten.
        assert!(floor.covers(1 << 20));
        floor.forget();
        assert!(floor.covers(1 << 20));
        let more = high_water(Path::new("/proc/self")).unwrap() + (64 << 20);
        assert!(!floor.covers(more));
        let held = vec![1_u8; 128 << 20];
        assert!(floor.covers(more), "{} bytes are held", std::hint::black_box(held).len());
    }
}
