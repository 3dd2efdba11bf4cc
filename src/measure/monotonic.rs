//! The real clock: the system's monotonic time, CPU clocks and memory accounts.
//!
//! The peak of resident memory since a moment of our choosing comes from Linux's /proc;
//! elsewhere the files are missing, and the answers are "no" and None.
//! Does not know the time of day; a wall-clock start, for people only, is taken elsewhere.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::mem::MaybeUninit;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::{Clock, Usage};

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
        thread_cpu()
    }

    fn usage(&self) -> Usage {
        own_usage() + children_usage()
    }

    fn reset_peak(&self) {
        let fresh = reset_high_water(&self.proc_self);
        self.peak_is_fresh.store(fresh, Ordering::Relaxed);
    }

    fn peak_memory(&self) -> Option<u64> {
        if !self.peak_is_fresh.load(Ordering::Relaxed) {
            return None;
        }
        high_water(&self.proc_self)
    }
}

/// CPU time of the calling thread.
///
/// `getrusage(RUSAGE_THREAD)` costs little more than half as much, but on Linux it does not
/// bring the running thread's account up to date: it moves in scheduler ticks of about 4 ms, so
/// that nearly every task of 20 us reads exactly zero. This clock is right to a microsecond.
#[expect(unsafe_code, reason = "clock_gettime is a C function")]
fn thread_cpu() -> Duration {
    let mut time = MaybeUninit::<libc::timespec>::zeroed();
    // SAFETY: the pointer is to a timespec of our own, which the call only writes; all-zero bytes
    // are a valid timespec, so it may be read even if the call failed.
    let time = unsafe {
        libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, time.as_mut_ptr());
        time.assume_init()
    };
    Duration::from_secs(count(time.tv_sec)) + Duration::from_nanos(count(time.tv_nsec))
}

/// What this process has used.
fn own_usage() -> Usage {
    usage(&rusage(libc::RUSAGE_SELF))
}

/// The most memory this process has held, in bytes, counting what it was before it
/// became this program.
fn own_peak() -> u64 {
    // Apple counts in bytes, the others in KiB.
    let unit = if cfg!(target_vendor = "apple") { 1 } else { 1024 };
    count(rusage(libc::RUSAGE_SELF).ru_maxrss).saturating_mul(unit)
}

/// What the children that this process has waited for have used, and theirs.
fn children_usage() -> Usage {
    usage(&rusage(libc::RUSAGE_CHILDREN))
}

#[expect(unsafe_code, reason = "getrusage is a C function")]
fn rusage(who: libc::c_int) -> libc::rusage {
    let mut usage = MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: the pointer is to an rusage of our own, which the call only writes; all-zero bytes
    // are a valid rusage, so it may be read even if the call failed.
    unsafe {
        libc::getrusage(who, usage.as_mut_ptr());
        usage.assume_init()
    }
}

fn usage(raw: &libc::rusage) -> Usage {
    Usage {
        user: duration(raw.ru_utime),
        sys: duration(raw.ru_stime),
        minor_faults: count(raw.ru_minflt),
        major_faults: count(raw.ru_majflt),
        block_reads: count(raw.ru_inblock),
        block_writes: count(raw.ru_oublock),
        voluntary_switches: count(raw.ru_nvcsw),
        involuntary_switches: count(raw.ru_nivcsw),
    }
}

fn duration(time: libc::timeval) -> Duration {
    Duration::from_secs(count(time.tv_sec)) + Duration::from_micros(count(time.tv_usec))
}

/// C's signed counters, whose width differs from system to system; they are never negative.
fn count(raw: impl TryInto<u64>) -> u64 {
    raw.try_into().unwrap_or(0)
}

/// Threads count their pages in batches, so that two readings of one peak are
/// this much apart.
const ALLOWANCE: u64 = 256 << 10;

/// The floor below which nobody can tell what a child process held: this process's own peak,
/// read again only where that can decide something. A child shares its parent's memory until
/// it becomes another program, and the kernel counts the peak of that as the child's own.
#[derive(Debug, Default)]
pub struct Floor {
    known: AtomicU64,
}

impl Floor {
    /// Whether a child's `peak`, in bytes, is this process's own. False where the
    /// system does not tell.
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
fn reset_high_water(proc_self: &Path) -> bool {
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
fn high_water(proc_self: &Path) -> Option<u64> {
    // The first line is the process's name, in whatever bytes it has.
    let status = fs::read(proc_self.join("status")).ok()?;
    parse_high_water(&String::from_utf8_lossy(&status))
}

fn parse_high_water(status: &str) -> Option<u64> {
    parse_kib(status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?)
}

/// Reads `24684092 kB`, as files of /proc have it, as bytes.
pub fn parse_kib(text: &str) -> Option<u64> {
    let kib = text.trim().strip_suffix("kB")?.trim_end();
    kib.parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests;
