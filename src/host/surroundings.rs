//! What the machine does beside the work that is measured, as counters to be read
//! before and after.
//!
//! Knows Linux's files; elsewhere there is nothing to read, and the answer is None. Does not know
//! what was measured meanwhile: whose CPU time is whose is for the reader to subtract.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::cgroup::{memory_room as memory_room_of_groups, throttle_files, throttled};
use super::limits::{CpuSet, Limits};
use super::{System, number, threads};
use crate::measure::{parse_kib, seconds};

/// What a machine counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Surroundings {
    /// CPU time of all processes and of the kernel on the cores this process may use; counted in
    /// ticks of 10 ms.
    #[serde(with = "seconds")]
    pub cpu: Duration,
    /// Time in which a hypervisor gave these cores to others although they were wanted.
    #[serde(with = "seconds")]
    pub stolen: Duration,
    /// Time in which these cores had nothing to do but wait for a disk.
    #[serde(with = "seconds", default)]
    pub disk_wait: Duration,
    /// Time in which this process's groups were held back by a quota, summed over the cores.
    #[serde(with = "seconds")]
    pub throttled: Duration,
    /// Bytes that the whole machine wrote to swap and read from it.
    pub swapped: u64,
}

impl Surroundings {
    /// What was counted between an `earlier` reading and this one.
    pub fn since(&self, earlier: &Self) -> Self {
        Self {
            cpu: self.cpu.saturating_sub(earlier.cpu),
            stolen: self.stolen.saturating_sub(earlier.stolen),
            disk_wait: self.disk_wait.saturating_sub(earlier.disk_wait),
            throttled: self.throttled.saturating_sub(earlier.throttled),
            swapped: self.swapped.saturating_sub(earlier.swapped),
        }
    }
}

/// Where to look: found once, read before and after each run.
#[derive(Clone, Debug)]
pub struct SurroundingsWatch {
    /// The cores that count; all of them if unknown.
    cpus: Option<CpuSet>,
    throttle_files: Vec<String>,
}

impl SurroundingsWatch {
    /// The counters of this machine that concern this process.
    pub fn detect() -> Self {
        Self::of(&System::real())
    }

    fn of(system: &System<'_>) -> Self {
        Self { cpus: Limits::of(system).mask, throttle_files: throttle_files(system) }
    }

    /// The counters now; None where the system has none. Takes some 50 us.
    pub fn look(&self) -> Option<Surroundings> {
        self.look_at(&System::real())
    }

    fn look_at(&self, system: &System<'_>) -> Option<Surroundings> {
        let stat = system.read("/proc/stat")?;
        let [cpu, disk_wait, stolen] = of_the_cores(&stat, self.cpus.as_ref());
        // Nested groups are held back together, so the longest time is that of all.
        let held_back = self.throttle_files.iter().filter_map(|file| throttled(system, file)).max();
        let swapped = swapped(&system.read("/proc/vmstat").unwrap_or_default()).unwrap_or_default();
        Some(Surroundings {
            cpu,
            stolen,
            disk_wait,
            throttled: held_back.unwrap_or_default(),
            swapped: swapped[0].saturating_add(swapped[1]).saturating_mul(PAGE),
        })
    }
}

/// A tick of /proc/stat: `USER_HZ` is 100 on every architecture that Rust's standard library knows.
const TICK: Duration = Duration::from_millis(10);

/// Swap is counted in pages.
const PAGE: u64 = 4096;

/// Sums the lines `cpuN user nice system idle iowait irq softirq steal ...` of the given cores.
fn of_the_cores(stat: &str, cpus: Option<&CpuSet>) -> [Duration; 3] {
    let mut ticks = [0_u64; 3];
    for line in stat.lines() {
        let Some((number, counts)) = line.strip_prefix("cpu").and_then(|line| line.split_once(' ')) else {
            continue;
        };
        let Ok(number) = number.parse() else { continue };
        if cpus.is_some_and(|cpus| !cpus.contains(&number)) {
            continue;
        }
        let counts: Vec<u64> = counts.split_whitespace().map_while(|count| count.parse().ok()).collect();
        let count = |index: usize| counts.get(index).copied().unwrap_or(0);
        ticks[0] += count(0) + count(1) + count(2) + count(5) + count(6);
        ticks[1] += count(4);
        ticks[2] += count(7);
    }
    ticks.map(|ticks| TICK.saturating_mul(u32::try_from(ticks).unwrap_or(u32::MAX)))
}

/// CPU time of all processes and of the kernel on all cores, in ticks of 10 ms.
pub(super) fn cpu_of_all() -> Option<Duration> {
    Some(of_the_cores(&System::real().read("/proc/stat")?, None)[0])
}

/// Counts the threads of the whole machine that run or are ready to run, by a file that
/// stays open: whoever looks does so again and again.
#[derive(Debug)]
pub struct RunningThreads(File);

impl RunningThreads {
    /// `None` where the system does not tell.
    pub fn open() -> Option<Self> {
        File::open(System::real().below_root("/proc/loadavg")).ok().map(Self)
    }

    /// How many there are now, the asking one not counted.
    pub fn count(&self) -> Option<u64> {
        let mut text = [0; LONGEST_LOADAVG];
        let length = self.0.read_at(&mut text, 0).ok()?;
        running(&String::from_utf8_lossy(&text[..length]))
    }
}

/// Three loads, two counts and a number.
const LONGEST_LOADAVG: usize = 128;

/// How many bytes of memory can be had without swapping.
pub fn available_memory() -> Option<u64> {
    System::real().field("/proc/meminfo", &["MemAvailable"]).and_then(|text| parse_kib(&text))
}

/// The same where control groups may let this process have less.
pub fn memory_room() -> Option<u64> {
    available_memory().into_iter().chain(memory_room_of_groups(&System::real())).min()
}

/// How many mappings of memory a process may have, of which each thread takes some.
pub fn most_mappings() -> Option<usize> {
    System::real().read("/proc/sys/vm/max_map_count")?.trim().parse().ok()
}

/// How many pages were swapped in and out since the machine started.
pub fn swapped_pages() -> Option<[u64; 2]> {
    swapped(&System::real().read("/proc/vmstat")?)
}

fn swapped(vmstat: &str) -> Option<[u64; 2]> {
    Some([number(vmstat, "pswpin")?, number(vmstat, "pswpout")?])
}

/// Those that run, without ourselves.
fn running(loadavg: &str) -> Option<u64> {
    threads(loadavg).map(|(running, _)| running.saturating_sub(1))
}

#[cfg(test)]
mod tests {
    use super::super::made_up::Machine;
    use super::*;

    const STAT: &str = "cpu  100 10 20 900 5 1 2 30 0 0\n\
                        cpu0 60 10 10 450 5 1 1 20 0 0\n\
                        cpu1 40 0 10 450 0 0 1 10 0 0\n\
                        intr 5 5\n";

    fn seen(files: &[(&str, &str)]) -> Option<Surroundings> {
        Machine::new(files).see(|system| SurroundingsWatch::of(system).look_at(system))
    }

    #[test]
    fn only_the_cores_of_this_process_count() {
        let all = seen(&[("/proc/stat", STAT)]).unwrap();
        assert_eq!((all.cpu, all.stolen, all.disk_wait), (TICK * 133, TICK * 30, TICK * 5));
        let mask = ("/proc/self/status", "Cpus_allowed_list:\t1\n");
        let one = seen(&[("/proc/stat", STAT), mask]).unwrap();
        assert_eq!((one.cpu, one.stolen, one.disk_wait), (TICK * 51, TICK * 10, Duration::ZERO));
    }

    #[test]
    fn a_quota_that_bites_is_counted_in_both_versions() {
        let v2 = [
            ("/proc/stat", STAT),
            ("/proc/self/cgroup", "0::/job/step\n"),
            ("/sys/fs/cgroup/job/cpu.stat", "usage_usec 9\nnr_throttled 3\nthrottled_usec 250000\n"),
            ("/sys/fs/cgroup/job/step/cpu.stat", "usage_usec 9\nthrottled_usec 1000\n"),
        ];
        assert_eq!(seen(&v2).unwrap().throttled, Duration::from_millis(250));
        let v1 = [
            ("/proc/stat", STAT),
            ("/proc/self/cgroup", "1:cpu,cpuacct:/job\n"),
            ("/sys/fs/cgroup/cpu/job/cpu.stat", "nr_periods 9\nnr_throttled 3\nthrottled_time 7000000\n"),
        ];
        assert_eq!(seen(&v1).unwrap().throttled, Duration::from_millis(7));
    }

    #[test]
    fn pages_in_and_out_of_swap_are_bytes() {
        let vmstat = ("/proc/vmstat", "pgpgin 7\npswpin 2\npswpout 3\n");
        assert_eq!(seen(&[("/proc/stat", STAT), vmstat]).unwrap().swapped, 5 * 4096);
    }

    #[test]
    fn a_machine_that_does_not_count_says_nothing() {
        assert_eq!(seen(&[]), None);
    }

    #[test]
    fn a_difference_is_taken_counter_by_counter_and_survives_json() {
        let reading = |n: u64| Surroundings {
            cpu: TICK * 3 * u32::try_from(n).unwrap(),
            stolen: TICK * 5 * u32::try_from(n).unwrap(),
            disk_wait: TICK * 13 * u32::try_from(n).unwrap(),
            throttled: TICK * 7 * u32::try_from(n).unwrap(),
            swapped: 11 * n,
        };
        assert_eq!(reading(9).since(&reading(4)), reading(5));
        assert_eq!(reading(4).since(&reading(9)), Surroundings::default());
        let json = serde_json::to_string(&reading(3)).unwrap();
        assert_eq!(serde_json::from_str::<Surroundings>(&json).unwrap(), reading(3));
    }

    #[test]
    fn pages_in_and_out_are_told_apart() {
        assert_eq!(swapped("nr_free 7\npswpin 12\npswpout 3\n"), Some([12, 3]));
        assert_eq!(swapped("pswpin 12\n"), None);
    }

    #[test]
    fn the_asking_thread_is_not_counted() {
        assert_eq!(running("3.00 0.14 0.05 4/83 3878\n"), Some(3));
        assert_eq!(running("3.00 0.14 0.05 0/83 3878\n"), Some(0));
        assert_eq!(running("nonsense"), None);
    }
}
