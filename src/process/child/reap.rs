//! How a process ended and what it used, from `wait4` of that very process:
//! what other children used at the same time is not in it.
//!
//! Does not know why it ended.

use std::io;
use std::time::Duration;

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProcessEnd {
    /// By itself, with this status.
    Exited(i32),
    /// By a signal.
    Signaled {
        /// The signal's number.
        signal: i32,
        /// Whether the kernel left a core dump.
        core_dumped: bool,
    },
}

impl ProcessEnd {
    /// Whether it ended by itself with 0.
    #[must_use]
    pub fn is_success(self) -> bool {
        self == Self::Exited(0)
    }

    /// The signal that ended it.
    #[must_use]
    pub fn signal(self) -> Option<i32> {
        match self {
            Self::Exited(_) => None,
            Self::Signaled { signal, .. } => Some(signal),
        }
    }

    /// As `wait` has it.
    pub(in crate::process) fn from_status(status: libc::c_int) -> Self {
        if libc::WIFSIGNALED(status) {
            return Self::Signaled { signal: libc::WTERMSIG(status), core_dumped: libc::WCOREDUMP(status) };
        }
        Self::Exited(libc::WEXITSTATUS(status))
    }
}

/// What a process and those of its children that it waited for have used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChildUsage {
    /// CPU time in user mode. For short work only the sum with `sys` is
    /// meaningful: the kernel splits it by ticks.
    pub user: Duration,
    /// CPU time in the kernel.
    pub sys: Duration,
    /// Peak resident memory of the largest of them, never below the peak of the
    /// process that started it.
    pub max_rss_bytes: u64,
    /// Page faults that needed the disk.
    pub major_faults: u64,
    /// Blocks of 512 bytes that were really read from disk.
    pub block_reads: u64,
    /// Blocks of 512 bytes that are to be written to disk.
    pub block_writes: u64,
    /// Times a thread gave up its core to wait.
    pub voluntary_switches: u64,
    /// Times a thread was taken off its core in favour of another.
    pub involuntary_switches: u64,
}

impl ChildUsage {
    fn from_rusage(usage: &libc::rusage) -> Self {
        /// Linux counts memory in KiB, macOS in bytes.
        const RSS_UNIT: u64 = if cfg!(target_vendor = "apple") { 1 } else { 1024 };
        Self {
            user: duration(usage.ru_utime),
            sys: duration(usage.ru_stime),
            max_rss_bytes: count(usage.ru_maxrss) * RSS_UNIT,
            major_faults: count(usage.ru_majflt),
            block_reads: count(usage.ru_inblock),
            block_writes: count(usage.ru_oublock),
            voluntary_switches: count(usage.ru_nvcsw),
            involuntary_switches: count(usage.ru_nivcsw),
        }
    }
}

/// C's signed counters, whose width differs from system to system; they are never negative.
fn count(raw: impl TryInto<u64>) -> u64 {
    raw.try_into().unwrap_or(0)
}

fn duration(time: libc::timeval) -> Duration {
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    let micros = u32::try_from(time.tv_usec).unwrap_or(0);
    Duration::new(seconds, micros * 1000)
}

/// What became of a child that lives on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StopChange {
    /// This signal stopped it.
    Stopped(i32),
    /// It was continued.
    Continued,
}

/// The signal that stopped the child `pid` since this was asked last.
pub(super) fn stopped_by(pid: i32) -> Option<i32> {
    match changes(pid, libc::WSTOPPED) {
        Some(StopChange::Stopped(signal)) => Some(signal),
        Some(StopChange::Continued) | None => None,
    }
}

/// Whether the child `pid` was stopped or continued since this was asked last.
pub(super) fn changed(pid: i32) -> Option<StopChange> {
    changes(pid, libc::WSTOPPED | libc::WCONTINUED)
}

#[expect(unsafe_code, reason = "std does not tell that a child was stopped")]
fn changes(pid: i32, which: libc::c_int) -> Option<StopChange> {
    let pid = libc::id_t::try_from(pid).ok()?;
    // SAFETY: an all-zero siginfo is a valid value to be written over; it is ours
    // and lives through the call. What was asked for is what its fields hold.
    unsafe {
        let mut told: libc::siginfo_t = std::mem::zeroed();
        let asked = libc::waitid(libc::P_PID, pid, &raw mut told, which | libc::WNOHANG);
        if asked != 0 || told.si_pid() == 0 {
            return None;
        }
        Some(match told.si_code {
            libc::CLD_CONTINUED => StopChange::Continued,
            _ => StopChange::Stopped(told.si_status()),
        })
    }
}

/// Waits for the child `pid` and frees its number.
#[expect(unsafe_code, reason = "std's wait does not tell what the child used")]
pub(super) fn reap(pid: i32) -> io::Result<(ProcessEnd, ChildUsage)> {
    let mut status = 0;
    // SAFETY: an all-zero rusage is a valid value to be written over.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    loop {
        // SAFETY: `status` and `usage` are ours and live through the call.
        let reaped = unsafe { libc::wait4(pid, &raw mut status, 0, &raw mut usage) };
        if reaped == pid {
            return Ok((ProcessEnd::from_status(status), ChildUsage::from_rusage(&usage)));
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
}

/// Waits until the child `pid` has ended, and leaves it to be reaped.
#[expect(unsafe_code, reason = "std cannot wait without reaping")]
pub(super) fn await_end(pid: i32) {
    let id = libc::id_t::try_from(pid).expect("a child's number is positive");
    loop {
        // SAFETY: an all-zero siginfo is a valid value to be written over, and
        // lives through the call.
        let done = unsafe {
            let mut info: libc::siginfo_t = std::mem::zeroed();
            libc::waitid(libc::P_PID, id, &raw mut info, libc::WEXITED | libc::WNOWAIT)
        };
        if done == 0 || io::Error::last_os_error().kind() != io::ErrorKind::Interrupted {
            return;
        }
    }
}
