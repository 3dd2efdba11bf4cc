//! A process beside this one that outlives it: when this one is gone before its time, by
//! KILL or for lack of memory, the guard ends the process groups that it leaves behind.
//!
//! It is told of each group by one small write when that begins and when it is over, and
//! notices the end of this process by the end of the pipe. It has a session of its own, so
//! that no terminal reaches it, ignores what asks processes to end, and keeps no descriptor
//! but the pipe, so that nobody waits for it. Does not know what the groups do.

use std::ffi::CStr;
use std::fs;
use std::io::{self, PipeReader, Read as _, Write as _};
use std::os::fd::{AsFd as _, AsRawFd};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use super::canary::{self, Canary};
use super::reap;
use crate::process::descriptor::set_nonblocking;
use crate::process::init::fork;
use crate::process::signal;

/// What a message says; each is followed by a number and a value.
mod message {
    /// The group of this leader has begun; it did by this time.
    pub(super) const BEGAN: u32 = 1;
    /// That group is over, or may live on.
    pub(super) const OVER: u32 = 2;
    /// The next signal to send, and for how many milliseconds to wait for it to work.
    pub(super) const STEP: u32 = 3;
    /// Nothing more will come.
    pub(super) const DISMISSED: u32 = 4;
}

/// Short enough to be written whole or not at all.
const LENGTH: usize = 16;

/// How often it is looked whether a group is gone that was asked to end.
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// The way to the guard of this process.
#[derive(Clone, Debug)]
pub struct Guard {
    line: Arc<GuardLine>,
}

#[derive(Debug)]
struct GuardLine {
    /// Never waits: a guard that does not read must not hold anybody up.
    to: io::PipeWriter,
    pid: i32,
    canary: Option<Canary>,
}

impl Guard {
    /// Starts the guard of this process. To be called before there are threads and handlers
    /// of signals.
    ///
    /// # Errors
    /// When there is no process or descriptor for it.
    pub fn start() -> io::Result<Self> {
        Self::start_as(None)
    }

    /// The same where a batch system may kill one process of this tree after the other: with a
    /// [canary], if there can be one.
    ///
    /// # Errors
    /// As [`Guard::start`].
    pub fn start_with_canary() -> io::Result<Self> {
        Self::start_as(Some(io::pipe()?))
    }

    fn start_as(canary: Option<(PipeReader, io::PipeWriter)>) -> io::Result<Self> {
        let (from, to) = io::pipe()?;
        set_nonblocking(to.as_fd())?;
        let (number, told) = canary.unzip();
        if let Some(pid) = fork()? {
            drop(told);
            let canary = number.and_then(Canary::watch);
            return Ok(Self { line: Arc::new(GuardLine { to, pid, canary }) });
        }
        drop(to);
        drop(number);
        // As long as what ends processes ends this one, too.
        if let Some(told) = told {
            canary::make(told);
        }
        // INT and its like are for those who know what to end, and STOP by a terminal for those
        // whom somebody continues.
        let stops = [libc::SIGTSTP, libc::SIGTTIN, libc::SIGTTOU];
        signal::ending_signals().chain(stops).for_each(signal::ignore);
        keep_apart(Some(&from), c"parsim-guard");
        keep_guard(from);
        leave()
    }

    /// How groups are to be ended: which signals to send, and how long to wait for each.
    pub(super) fn ends_by(&self, steps: &[(i32, Duration)]) {
        for (signal, wait) in steps {
            self.tell(message::STEP, *signal, u64::try_from(wait.as_millis()).unwrap_or(u64::MAX));
        }
    }

    /// The group of `leader` has just begun.
    pub(super) fn began(&self, leader: i32) {
        self.tell(message::BEGAN, leader, since_boot());
    }

    /// The group of `leader`, which is about to be reaped, is nobody's any more.
    pub(super) fn over(&self, leader: i32) {
        self.tell(message::OVER, leader, 0);
    }

    /// Nothing is left to be guarded. Waits until the guard is gone.
    #[expect(unsafe_code, reason = "std waits for its own children only")]
    pub fn dismiss(&self) {
        if self.tell(message::DISMISSED, 0, 0) {
            // SAFETY: takes plain numbers and null; the guard is a child that nobody else reaps.
            unsafe { libc::waitpid(self.line.pid, std::ptr::null_mut(), 0) };
        }
    }

    /// Whether it has ended, which it does not before this process.
    pub fn is_gone(&self) -> bool {
        reap::has_ended(self.line.pid)
    }

    /// Whether somebody kills one process of this tree after the other, as far as can be seen.
    pub fn is_being_killed(&self) -> bool {
        self.line.canary.as_ref().is_some_and(Canary::is_hit) || self.is_gone()
    }

    /// Says whether it was told. Where it was not, the guard is gone or stands still: then
    /// things are as they would be without one.
    fn tell(&self, what: u32, number: i32, value: u64) -> bool {
        let mut bytes = [0; LENGTH];
        bytes[..4].copy_from_slice(&what.to_ne_bytes());
        bytes[4..8].copy_from_slice(&number.to_ne_bytes());
        bytes[8..].copy_from_slice(&value.to_ne_bytes());
        (&self.line.to).write(&bytes).is_ok()
    }
}

/// Away from all that this process was started from, and from all that it has open but `kept`;
/// it shows in ps as `name`.
#[expect(unsafe_code, reason = "std knows neither sessions nor descriptors of others")]
pub(super) fn keep_apart(kept: Option<&PipeReader>, name: &CStr) {
    let _ = std::env::set_current_dir("/");
    let null = fs::File::options().read(true).write(true).open("/dev/null");
    let kept = kept.map_or(2, AsRawFd::as_raw_fd);
    // SAFETY: this is a copy of a process with one thread, in which nobody uses any
    // descriptor but `kept`; all calls take numbers, or a name that lives through them.
    unsafe {
        libc::setsid();
        for standard in 0..3 {
            if let Ok(null) = &null {
                libc::dup2(null.as_raw_fd(), standard);
            }
        }
        close_all(3, kept - 1);
        close_all(kept + 1, i32::MAX);
        #[cfg(target_os = "linux")]
        libc::prctl(libc::PR_SET_NAME, name.as_ptr());
    }
    // It was closed with the others.
    std::mem::forget(null);
}

/// Closes all descriptors from `first` to `last`.
///
/// # Safety
/// Nobody uses one of them.
#[expect(unsafe_code, reason = "std closes what it opened")]
unsafe fn close_all(first: i32, last: i32) {
    if first > last {
        return;
    }
    // SAFETY: the caller's promise; the calls take numbers.
    unsafe {
        #[cfg(target_os = "linux")]
        if libc::syscall(libc::SYS_close_range, first, last, 0) == 0 {
            return;
        }
        // An older kernel: those that there usually are.
        for fd in first..=last.min(1023) {
            libc::close(fd);
        }
    }
}

/// Ends at once, without what the process has to do at its own end.
#[expect(unsafe_code, reason = "std runs what was registered for the end")]
pub(super) fn leave() -> ! {
    // SAFETY: it takes a number and does not come back.
    unsafe { libc::_exit(0) }
}

/// Hears of groups until the process that it guards is gone, and ends those that are left.
fn keep_guard(mut from: PipeReader) {
    let mut groups = LeftGroups::default();
    let mut bytes = [0; 256 * LENGTH];
    loop {
        match from.read(&mut bytes) {
            Ok(0) => return groups.end(),
            Ok(n_bytes) => {
                for message in bytes[..n_bytes].as_chunks::<LENGTH>().0 {
                    if !groups.hear(message) {
                        return;
                    }
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return,
        }
    }
}

/// The groups that are not over, and how they are to be ended.
#[derive(Default)]
struct LeftGroups {
    /// Each leader, and by when it had begun.
    groups: Vec<(i32, u64)>,
    steps: Vec<(i32, Duration)>,
}

impl LeftGroups {
    /// Takes note of a message; `false` when there is nothing to guard any more.
    fn hear(&mut self, message: &[u8; LENGTH]) -> bool {
        let [what, number] = [0, 4].map(|at| {
            let bytes = message[at..at + 4].try_into().unwrap_or_default();
            u32::from_ne_bytes(bytes)
        });
        let number = number.cast_signed();
        let value = u64::from_ne_bytes(message[8..].try_into().unwrap_or_default());
        match what {
            message::BEGAN => self.groups.push((number, value)),
            message::OVER => self.groups.retain(|(leader, _)| *leader != number),
            message::STEP => self.steps.push((number, Duration::from_millis(value))),
            _ => return false,
        }
        true
    }

    /// Ends all that are left: they are asked as a job is, and killed if that does not help.
    fn end(mut self) {
        for (signal, wait) in std::mem::take(&mut self.steps) {
            if signal == libc::SIGKILL {
                break;
            }
            self.send(signal);
            self.send(libc::SIGCONT);
            let end = Instant::now().checked_add(wait);
            while !self.groups.is_empty() && end.is_none_or(|end| Instant::now() < end) {
                thread::sleep(LOOK_AGAIN.min(wait));
                self.groups.retain(|group| is_there(*group));
            }
        }
        self.send(libc::SIGKILL);
    }

    fn send(&mut self, signal: i32) {
        self.groups.retain(|group| is_there(*group) && signal::send_to_group(group.0, signal).is_ok());
    }
}

/// Whether the group of `leader`, which had begun at `by`, is there still and no other one of
/// that number.
fn is_there((leader, by): (i32, u64)) -> bool {
    // While a group has members its number is no other process's, whatever became of its leader.
    started(leader).is_none_or(|started| started <= by) && signal::send_to_group(leader, 0).is_ok()
}

/// When a process began, in nanoseconds since the machine did; `None` where there is none, or
/// nobody tells.
#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "std does not know the kernel's ticks")]
fn started(pid: i32) -> Option<u64> {
    let stat = fs::read(format!("/proc/{pid}/stat")).ok()?;
    let stat = String::from_utf8_lossy(&stat);
    // A name may hold anything.
    let (_, after_name) = stat.rsplit_once(") ")?;
    let ticks: u64 = after_name.split(' ').nth(19)?.parse().ok()?;
    // SAFETY: takes a number.
    let per_second = u64::try_from(unsafe { libc::sysconf(libc::_SC_CLK_TCK) }).ok()?;
    ticks.checked_mul(1_000_000_000 / per_second.max(1))
}

#[cfg(not(target_os = "linux"))]
fn started(_pid: i32) -> Option<u64> {
    None
}

/// The time on the clock of [`started`].
#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "std does not know this clock")]
fn since_boot() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the call writes one timespec, which is ours.
    unsafe { libc::clock_gettime(libc::CLOCK_BOOTTIME, &raw mut time) };
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    seconds * 1_000_000_000 + u64::try_from(time.tv_nsec).unwrap_or(0)
}

#[cfg(not(target_os = "linux"))]
fn since_boot() -> u64 {
    0
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::os::unix::process::CommandExt as _;
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn a_group_is_known_by_its_number_and_by_when_it_began() {
        let mut child =
            Command::new("sleep").arg("600").process_group(0).stdin(Stdio::null()).spawn().unwrap();
        let (leader, by) = (child.id().cast_signed(), since_boot());
        assert!(is_there((leader, by)));
        // One that began later has only the same number.
        let earlier = by - 3_600_000_000_000_u64.min(by);
        assert!(!is_there((leader, earlier)));
        let mut left = LeftGroups { groups: vec![(leader, earlier)], steps: Vec::new() };
        left.send(libc::SIGKILL);
        assert!(left.groups.is_empty() && child.try_wait().unwrap().is_none());
        LeftGroups { groups: vec![(leader, by)], steps: Vec::new() }.end();
        child.wait().unwrap();
        assert!(!is_there((leader, by)));
    }
}
