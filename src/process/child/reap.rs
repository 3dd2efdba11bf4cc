//! How a process ended and what it used, from `wait4` of that very process:
//! what other children used at the same time is not in it. And whether the kernel killed
//! for lack of memory, as far as it tells.
//!
//! Does not know why else it ended.

use std::fs;
use std::io;
use std::path::PathBuf;
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
    pub fn is_success(self) -> bool {
        self == Self::Exited(0)
    }

    /// The signal that ended it.
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

/// What became of the child `pid` since this was asked last: of `which`, stopped or continued.
pub(super) fn changes(pid: i32, which: libc::c_int) -> Option<StopChange> {
    let (code, status) = waitid(pid, which | libc::WNOHANG).ok().flatten()?;
    Some(if code == libc::CLD_CONTINUED { StopChange::Continued } else { StopChange::Stopped(status) })
}

/// Whether the child `pid` has ended, or is none any more. It is left to be reaped.
pub(super) fn has_ended(pid: i32) -> bool {
    !matches!(waitid(pid, libc::WEXITED | libc::WNOHANG | libc::WNOWAIT), Ok(None))
}

/// What the kernel has to tell of the child `pid`, code and status; None where it has
/// nothing yet.
#[expect(unsafe_code, reason = "std neither waits without reaping nor tells of stops")]
fn waitid(pid: i32, which: libc::c_int) -> io::Result<Option<(libc::c_int, libc::c_int)>> {
    let pid = libc::id_t::try_from(pid).expect("a child's number is positive");
    // SAFETY: an all-zero siginfo is a valid value to be written over; it is ours
    // and lives through the call. What was asked for is what its fields hold.
    unsafe {
        let mut told: libc::siginfo_t = std::mem::zeroed();
        match libc::waitid(libc::P_PID, pid, &raw mut told, which) {
            0 => Ok((told.si_pid() != 0).then(|| (told.si_code, told.si_status()))),
            _ => Err(io::Error::last_os_error()),
        }
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
pub(super) fn await_end(pid: i32) {
    let is_interrupted = |error: io::Error| error.kind() == io::ErrorKind::Interrupted;
    while waitid(pid, libc::WEXITED | libc::WNOWAIT).is_err_and(is_interrupted) {}
}

/// The kernel's count of processes killed for lack of memory in this process's control
/// group, and how many of them were accounted for. It does not tell which they were.
#[derive(Debug)]
pub(super) struct OomKills {
    source: Option<PathBuf>,
    accounted: u64,
}

impl OomKills {
    /// Begins to count now.
    pub(super) fn since_now() -> Self {
        let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        Self::of(candidates(&groups))
    }

    /// Accounts for a process that something killed: was it the kernel, for lack
    /// of memory? None if the kernel does not say.
    pub(super) fn account(&mut self) -> Option<bool> {
        let kills = kills(&fs::read_to_string(self.source.as_ref()?).ok()?)?;
        let rose = kills > self.accounted;
        // One kill explains one death: two jobs may have been hit at once.
        self.accounted += u64::from(rose);
        Some(rose)
    }

    fn of(candidates: Vec<PathBuf>) -> Self {
        let read = |file: PathBuf| Some((kills(&fs::read_to_string(&file).ok()?)?, file));
        match candidates.into_iter().find_map(read) {
            Some((accounted, file)) => Self { source: Some(file), accounted },
            None => Self { source: None, accounted: 0 },
        }
    }
}

/// Where the count may be: version 2 of control groups, version 1, the machine.
fn candidates(groups: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for line in groups.lines() {
        let mut parts = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (parts.next(), parts.next()) else { continue };
        if controllers.is_empty() {
            files.push(format!("/sys/fs/cgroup{path}/memory.events"));
            files.push(format!("/sys/fs/cgroup/unified{path}/memory.events"));
        } else if controllers.split(',').any(|name| name == "memory") {
            files.push(format!("/sys/fs/cgroup/memory{path}/memory.oom_control"));
            // Inside a container its own group is what is mounted there.
            files.push("/sys/fs/cgroup/memory/memory.oom_control".to_owned());
        }
    }
    files.push("/proc/vmstat".to_owned());
    files.into_iter().map(PathBuf::from).collect()
}

fn kills(text: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix("oom_kill "))?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kill_of_the_kernel_explains_one_death() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("memory.events");
        let set = |kills: u64| fs::write(&file, format!("low 0\noom 9\noom_kill {kills}\n")).unwrap();
        set(4);
        let mut count = OomKills::of(vec![dir.path().join("missing"), file.clone()]);
        assert_eq!(count.account(), Some(false), "an old one is none of ours");
        set(6);
        assert_eq!(
            [count.account(), count.account(), count.account()],
            [Some(true), Some(true), Some(false)]
        );
        fs::remove_file(&file).unwrap();
        assert_eq!(count.account(), None);
    }

    #[test]
    fn the_group_of_the_memory_controller_is_asked_first() {
        let groups = "8:pids:/\n4:memory:/jobs/7\n0::/\n";
        let files = candidates(groups);
        assert_eq!(files[0], PathBuf::from("/sys/fs/cgroup/memory/jobs/7/memory.oom_control"));
        let files = candidates("0::/user.slice\n");
        assert_eq!(files[0], PathBuf::from("/sys/fs/cgroup/user.slice/memory.events"));
        assert_eq!(files.last(), Some(&PathBuf::from("/proc/vmstat")));
        assert_eq!(OomKills::of(Vec::new()).account(), None);
    }
}
