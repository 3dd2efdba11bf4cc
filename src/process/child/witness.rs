//! What a job waits for, as seen from beside it: looked at now and then while it runs, and
//! once more at its end.
//!
//! Only where ways are compared: what it costs to look is no part of running a batch. A
//! job that is over before the first look costs two system calls and a small file.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use super::awaited::{Awaited, ThreadSight, schedstat, threads_of};
use super::quota::GroupSight;

/// When a job is looked at for the first time.
const FIRST_LOOK: Duration = Duration::from_millis(10);

/// The time between two looks doubles up to this: some hundred looks tell all there is.
const LONGEST_REST: Duration = Duration::from_millis(100);

/// What was seen of a part of the children's CPU time stands for no more than so many
/// times as much.
const LARGEST_PART: f64 = 4.0;

/// What was seen of one job, its process and those that this started.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// How long it was ready to run and waited for a core; `None` where the kernel does
    /// not tell.
    pub run_delay: Option<Duration>,
    /// The cores to which it was pinned, where these are fewer than this process may use.
    pub pinned_to: BTreeSet<u32>,
    /// How long it did not compute, by what it waited for: from looks, so about.
    pub waits: BTreeMap<Awaited, Duration>,
    /// How long a quota held it back, in a control group that is not this process's.
    pub throttled: Duration,
}

/// Looks at one job.
#[derive(Debug)]
pub(super) struct Witness {
    last: Instant,
    next: Instant,
    rest: Duration,
    started: Instant,
    waits: BTreeMap<Awaited, Duration>,
    /// By number, as they were seen last.
    threads: BTreeMap<i32, ThreadTotal>,
    group: GroupSight,
}

impl Witness {
    /// Of a job that starts now.
    pub(super) fn new() -> Self {
        let now = Instant::now();
        Self {
            last: now,
            next: now + FIRST_LOOK,
            rest: FIRST_LOOK,
            started: now,
            waits: BTreeMap::new(),
            threads: BTreeMap::new(),
            group: GroupSight::default(),
        }
    }

    /// When to look even if nothing stirs.
    pub(super) fn due(&self) -> Instant {
        self.next
    }

    /// Looks at the job `leader`, which lives, if it is time to.
    pub(super) fn look(&mut self, leader: i32) {
        let now = Instant::now();
        if now < self.next {
            return;
        }
        let since = now.duration_since(self.last);
        self.rest = (self.rest * 2).min(LONGEST_REST);
        (self.last, self.next) = (now, now + self.rest);
        let threads = threads_of(leader);
        if let Some(awaited) = all_wait_for(&threads) {
            *self.waits.entry(awaited).or_default() += since;
        }
        for ThreadSight { id, ran_and_waited, .. } in threads {
            if let Some([ran, waited]) = ran_and_waited {
                self.threads.insert(id, ThreadTotal { ran, waited, pinned_to: pinned(id) });
            }
        }
        self.group.look(leader, now);
    }

    /// The job `leader` has ended and is not yet reaped. What is known of it before it is
    /// known what CPU time it took.
    pub(super) fn look_at_end(mut self, leader: i32) -> EndSight {
        self.threads.remove(&leader);
        let own = schedstat(&format!("/proc/{leader}"));
        let own = own.map(|[ran, waited]| ThreadTotal { ran, waited, pinned_to: pinned(leader) });
        EndSight {
            throttled: self.started.elapsed().mul_f64(self.group.share_throttled()),
            own,
            children: self.threads.into_values().collect(),
            waits: self.waits,
        }
    }
}

/// What is known of a thread.
#[derive(Clone, Debug, Default)]
struct ThreadTotal {
    /// How long it had a core.
    ran: Duration,
    /// How long it was ready and had none.
    waited: Duration,
    /// The cores to which it was pinned, if it was.
    pinned_to: BTreeSet<u32>,
}

/// What was seen of a job that has ended.
#[derive(Debug)]
pub(super) struct EndSight {
    /// Its own process; `None` where the kernel does not tell.
    own: Option<ThreadTotal>,
    /// What was seen of its children.
    children: Vec<ThreadTotal>,
    waits: BTreeMap<Awaited, Duration>,
    throttled: Duration,
}

impl EndSight {
    /// The job took this much CPU time in all. Its children waited for a core as they did
    /// while they were seen.
    pub(super) fn of_all(self, cpu: Duration) -> Seen {
        let Self { own, children, waits, throttled } = self;
        let run_delay = own.as_ref().map(|own| {
            let seen: Duration = children.iter().map(|child| child.ran).sum();
            let waited: Duration = children.iter().map(|child| child.waited).sum();
            let theirs = cpu.saturating_sub(own.ran).as_secs_f64();
            let part = (theirs / seen.as_secs_f64().max(1e-6)).clamp(1.0, LARGEST_PART);
            own.waited + waited.mul_f64(part)
        });
        let all: Vec<ThreadTotal> = own.into_iter().chain(children).collect();
        Seen { run_delay, pinned_to: pinned_all(&all), waits, throttled }
    }
}

/// The cores to which those of `threads` are pinned that do most of the work.
fn pinned_all(threads: &[ThreadTotal]) -> BTreeSet<u32> {
    let ran = |is_pinned: bool| -> Duration {
        threads
            .iter()
            .filter(|thread| thread.pinned_to.is_empty() != is_pinned)
            .map(|thread| thread.ran)
            .sum()
    };
    if ran(true) < ran(false) {
        return BTreeSet::new();
    }
    threads.iter().flat_map(|thread| thread.pinned_to.iter().copied()).collect()
}

/// What a job waits for, none of whose threads computes.
fn all_wait_for(threads: &[ThreadSight]) -> Option<Awaited> {
    let computes = threads.iter().any(|thread| thread.is_ready);
    threads.iter().filter_map(|thread| thread.awaits).min().filter(|_| !computes)
}

/// The cores to which `pid` is pinned, where it may use fewer than this process.
#[cfg(target_os = "linux")]
fn pinned(pid: i32) -> BTreeSet<u32> {
    let (Some(own), Some(its)) = (allowed_cores(0), allowed_cores(pid)) else { return BTreeSet::new() };
    if is_same(&own, &its) {
        return BTreeSet::new();
    }
    let [own, its] = [own, its].map(|set| core_numbers(&set));
    if its.len() < own.len() { its } else { BTreeSet::new() }
}

/// Where nobody tells, nothing is pinned.
#[cfg(not(target_os = "linux"))]
fn pinned(_pid: i32) -> BTreeSet<u32> {
    BTreeSet::new()
}

/// The cores that `pid` may use; 0 is the calling thread. `None` where it is gone, or
/// there are more cores than a set has room for.
#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "std does not tell the affinity")]
fn allowed_cores(pid: i32) -> Option<libc::cpu_set_t> {
    // SAFETY: the set is ours, all-zero is a valid value of it, and the call writes no
    // more than the length that it is told.
    unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        (libc::sched_getaffinity(pid, size_of::<libc::cpu_set_t>(), &raw mut set) == 0).then_some(set)
    }
}

#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "a set of cores is a C structure")]
fn is_same(one: &libc::cpu_set_t, other: &libc::cpu_set_t) -> bool {
    // SAFETY: both are whole sets.
    unsafe { libc::CPU_EQUAL(one, other) }
}

#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "a set of cores is a C structure")]
fn core_numbers(set: &libc::cpu_set_t) -> BTreeSet<u32> {
    let most = usize::try_from(libc::CPU_SETSIZE).unwrap_or(0);
    // SAFETY: the numbers are within the set.
    (0_u32..).take(most).filter(|&core| unsafe { libc::CPU_ISSET(core as usize, set) }).collect()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    fn thread(is_ready: bool, awaits: Option<Awaited>) -> ThreadSight {
        ThreadSight { id: 7, is_ready, awaits, ran_and_waited: None }
    }

    #[test]
    fn a_job_waits_where_none_of_its_threads_computes_and_what_says_most_counts() {
        let waits = |threads: &[ThreadSight]| all_wait_for(threads);
        let shell = thread(false, None);
        assert_eq!(waits(&[shell.clone(), thread(false, Some(Awaited::Lock))]), Some(Awaited::Lock));
        assert_eq!(waits(&[thread(true, None), thread(false, Some(Awaited::Lock))]), None);
        let both = [thread(false, Some(Awaited::Thread)), thread(false, Some(Awaited::Network))];
        assert_eq!(waits(&both), Some(Awaited::Network));
        assert_eq!(waits(&[shell]), None);
    }

    fn total(ran: u64, waited: u64, pinned_to: &[u32]) -> ThreadTotal {
        ThreadTotal {
            ran: Duration::from_millis(ran),
            waited: Duration::from_millis(waited),
            pinned_to: pinned_to.iter().copied().collect(),
        }
    }

    fn end(own: ThreadTotal, children: &[ThreadTotal]) -> EndSight {
        let (waits, throttled) = (BTreeMap::new(), Duration::ZERO);
        EndSight { own: Some(own), children: children.to_vec(), waits, throttled }
    }

    #[test]
    fn children_waited_as_they_did_while_they_were_seen() {
        let delay = |children: &[ThreadTotal]| {
            let seen = end(total(10, 1, &[]), children).of_all(Duration::from_millis(200));
            seen.run_delay.unwrap().as_millis()
        };
        assert_eq!(delay(&[]), 1);
        assert_eq!(delay(&[total(45, 12, &[]), total(50, 8, &[])]), 41);
        // A glimpse does not stand for all, and what was seen was there.
        assert_eq!(delay(&[total(1, 5, &[])]), 21);
        assert_eq!(delay(&[total(300, 5, &[])]), 6);
    }

    #[test]
    fn a_job_is_pinned_where_those_are_that_do_most_of_the_work() {
        let cores = |own, children: &[ThreadTotal]| end(own, children).of_all(Duration::ZERO).pinned_to;
        assert_eq!(cores(total(5, 0, &[]), &[total(50, 0, &[0]), total(9, 0, &[2])]), BTreeSet::from([0, 2]));
        assert_eq!(cores(total(5, 0, &[]), &[total(4, 0, &[0])]), BTreeSet::new());
        assert_eq!(cores(total(5, 0, &[1]), &[]), BTreeSet::from([1]));
        assert_eq!(pinned(std::process::id().cast_signed()), BTreeSet::new());
        assert!(!core_numbers(&allowed_cores(0).unwrap()).is_empty());
    }
}
