//! What a job waits for, as seen from beside it: for a core, or for nothing that shows.
//!
//! Only where ways are compared: what it costs to look is no part of running a batch.
//! Knows Linux's files; elsewhere nothing is seen.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

/// What was seen of one job, its process and those that this started.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// How long it was ready to run and waited for a core; `None` where the kernel does
    /// not tell.
    pub run_delay: Option<Duration>,
    /// The cores to which it was pinned, where these are fewer than this process may use.
    pub pinned_to: BTreeSet<u32>,
}

/// Looks at one job.
#[derive(Debug, Default)]
pub(super) struct Witness {
    seen: Seen,
}

impl Witness {
    /// The job `pid` has ended and is not yet reaped.
    pub(super) fn look_at_end(mut self, pid: i32) -> Seen {
        self.seen.run_delay = schedstat(pid).map(|[_, delay]| delay);
        self.seen.pinned_to = pinned(pid);
        self.seen
    }
}

/// How long the thread `pid` had a core, and how long it waited for one.
fn schedstat(pid: i32) -> Option<[Duration; 2]> {
    let text = fs::read_to_string(format!("/proc/{pid}/schedstat")).ok()?;
    let mut numbers = text.split_whitespace().map_while(|number| number.parse().ok());
    let mut next = || numbers.next().map(Duration::from_nanos);
    Some([next()?, next()?])
}

/// The cores to which `pid` is pinned, where it may use fewer than this process.
fn pinned(pid: i32) -> BTreeSet<u32> {
    match (allowed_cores(0), allowed_cores(pid)) {
        (Some(own), Some(its)) if its.len() < own.len() => its,
        _ => BTreeSet::new(),
    }
}

/// The cores that `pid` may use; 0 is the calling thread.
#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "std does not tell the affinity")]
fn allowed_cores(pid: i32) -> Option<BTreeSet<u32>> {
    // SAFETY: the set is ours, all-zero is a valid value of it, and the call writes no
    // more than its length; CPU_ISSET reads within it.
    unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        if libc::sched_getaffinity(pid, size_of::<libc::cpu_set_t>(), &raw mut set) != 0 {
            // More cores than the set has room for, or the process is gone.
            return None;
        }
        let most = usize::try_from(libc::CPU_SETSIZE).unwrap_or(0);
        Some((0_u32..).take(most).filter(|&core| libc::CPU_ISSET(core as usize, &set)).collect())
    }
}

/// The cores that `pid` may use: nobody tells.
#[cfg(not(target_os = "linux"))]
fn allowed_cores(_pid: i32) -> Option<BTreeSet<u32>> {
    None
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_process_has_had_a_core_and_may_use_those_that_it_may() {
        let own = std::process::id().cast_signed();
        assert!(schedstat(own).is_none_or(|[ran, _]| ran > Duration::ZERO));
        assert!(!allowed_cores(0).unwrap().is_empty());
        assert_eq!(schedstat(i32::MAX), None);
        assert_eq!(allowed_cores(i32::MAX), None);
        assert_eq!(pinned(own), BTreeSet::new());
    }
}
