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
    /// By thread: how long it had a core, and how long it waited for one.
    threads: BTreeMap<i32, [Duration; 2]>,
    /// To which cores those are pinned that were seen to compute; `None` before the first.
    computes_on: Option<BTreeSet<u32>>,
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
            computes_on: None,
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
        for ThreadSight { id, is_ready, ran_and_waited, .. } in threads {
            if let Some(times) = ran_and_waited {
                self.threads.insert(id, times);
            }
            if is_ready {
                self.computes(pinned(id));
            }
        }
        self.group.look(leader, now);
    }

    fn computes(&mut self, pinned_to: BTreeSet<u32>) {
        match &mut self.computes_on {
            Some(cores) if pinned_to.is_empty() => cores.clear(),
            Some(cores) if !cores.is_empty() => cores.extend(pinned_to),
            Some(_) => {}
            none => *none = Some(pinned_to),
        }
    }

    /// The job `leader` has ended and is not yet reaped. What is known of it before it is
    /// known what CPU time it took.
    pub(super) fn look_at_end(mut self, leader: i32) -> EndSight {
        self.threads.remove(&leader);
        let own = schedstat(&format!("/proc/{leader}"));
        let lasted = self.started.elapsed();
        let pinned_to = Some(pinned(leader)).filter(|cores| !cores.is_empty());
        EndSight {
            own,
            children: self
                .threads
                .into_values()
                .reduce(|[ran, waited], [more, longer]| [ran + more, waited + longer]),
            pinned_to: pinned_to.or(self.computes_on).unwrap_or_default(),
            throttled: lasted.mul_f64(self.group.share_throttled()),
            waits: self.waits,
        }
    }
}

/// What was seen of a job that has ended.
#[derive(Debug)]
pub(super) struct EndSight {
    /// How long its own process had a core, and how long it waited for one.
    own: Option<[Duration; 2]>,
    /// The same of what was seen of its children.
    children: Option<[Duration; 2]>,
    pinned_to: BTreeSet<u32>,
    waits: BTreeMap<Awaited, Duration>,
    throttled: Duration,
}

impl EndSight {
    /// The job took this much CPU time in all. Its children waited for a core as they did
    /// while they were seen.
    pub(super) fn of_all(self, cpu: Duration) -> Seen {
        let Self { own, children, pinned_to, waits, throttled } = self;
        let run_delay = own.map(|[ran, waited]| {
            let [seen, their_wait] = children.unwrap_or_default();
            let theirs = cpu.saturating_sub(ran).as_secs_f64();
            let part = (theirs / seen.as_secs_f64().max(1e-6)).clamp(1.0, LARGEST_PART);
            waited + their_wait.mul_f64(part)
        });
        Seen { run_delay, pinned_to, waits, throttled }
    }
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

    #[test]
    fn children_waited_as_they_did_while_they_were_seen() {
        let ms = Duration::from_millis;
        let end = |children| EndSight {
            own: Some([ms(10), ms(1)]),
            children,
            pinned_to: BTreeSet::new(),
            waits: BTreeMap::new(),
            throttled: Duration::ZERO,
        };
        let delay = |children, cpu| end(children).of_all(cpu).run_delay.unwrap().as_millis();
        assert_eq!(delay(None, ms(200)), 1);
        assert_eq!(delay(Some([ms(95), ms(20)]), ms(200)), 41);
        // A glimpse does not stand for all, and what was seen was there.
        assert_eq!(delay(Some([ms(1), ms(5)]), ms(200)), 21);
        assert_eq!(delay(Some([ms(300), ms(5)]), ms(200)), 6);
    }

    #[test]
    fn cores_are_those_of_all_that_were_seen_to_compute() {
        let cores = |seen: &[&[u32]]| {
            let mut witness = Witness::new();
            seen.iter().for_each(|cores| witness.computes(cores.iter().copied().collect()));
            witness.computes_on.unwrap()
        };
        assert_eq!(cores(&[&[0], &[1]]), BTreeSet::from([0, 1]));
        assert_eq!(cores(&[&[0], &[], &[1]]), BTreeSet::new());
        assert_eq!(cores(&[&[], &[1]]), BTreeSet::new());
        assert_eq!(pinned(std::process::id().cast_signed()), BTreeSet::new());
        assert!(!core_numbers(&allowed_cores(0).unwrap()).is_empty());
    }
}
