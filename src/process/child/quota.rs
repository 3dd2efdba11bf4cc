//! Whether a quota holds a job back in a control group that is not this process's.
//!
//! Knows where cgroups are mounted as a rule. The groups of this process, and who else is
//! in them, are looked at elsewhere.

use std::fs;
use std::time::{Duration, Instant};

/// A job in a group of its own, as it was seen first and last.
#[derive(Debug, Default)]
pub(super) struct GroupSight {
    first: Option<Reading>,
    last: Option<Reading>,
}

#[derive(Clone, Debug)]
struct Reading {
    group: String,
    at: Instant,
    throttled: Duration,
}

impl GroupSight {
    /// Looks at the groups of `pid`, which lives: one that is dead is in none.
    pub(super) fn look(&mut self, pid: i32, now: Instant) {
        let groups = |of: &str| fs::read_to_string(format!("/proc/{of}/cgroup")).ok();
        let (Some(own), Some(its)) = (groups("self"), groups(&pid.to_string())) else { return };
        let others = its.lines().filter(|line| !own.lines().any(|own| own == *line));
        let Some((group, throttled)) = others.filter_map(stat_file).find_map(|file| {
            let throttled = throttled(&fs::read_to_string(&file).ok()?)?;
            Some((file, throttled))
        }) else {
            return;
        };
        let reading = Reading { group, at: now, throttled };
        if self.first.as_ref().is_none_or(|first| first.group != reading.group) {
            self.first = Some(reading.clone());
        }
        self.last = Some(reading);
    }

    /// The share of its time in which the job was held back.
    pub(super) fn share_throttled(&self) -> f64 {
        let (Some(first), Some(last)) = (&self.first, &self.last) else { return 0.0 };
        let time = last.at.saturating_duration_since(first.at).as_secs_f64();
        let throttled = last.throttled.saturating_sub(first.throttled).as_secs_f64();
        if time > 0.0 { (throttled / time).min(1.0) } else { 0.0 }
    }
}

/// The file that counts how long the group of a line of /proc/PID/cgroup was held back:
/// `0::/job`, or `4:cpu,cpuacct:/job` of the first version.
fn stat_file(line: &str) -> Option<String> {
    let mut parts = line.splitn(3, ':').skip(1);
    let (controllers, group) = (parts.next()?, parts.next()?.trim_end_matches('/'));
    let mount = match controllers {
        "" => "/sys/fs/cgroup".to_owned(),
        list if list.split(',').any(|name| name == "cpu") => "/sys/fs/cgroup/cpu".to_owned(),
        _ => return None,
    };
    Some(format!("{mount}{group}/cpu.stat"))
}

/// For how long a group was held back, summed over the cores.
fn throttled(stat: &str) -> Option<Duration> {
    let field = |name: &str| {
        let mut lines = stat.lines().filter_map(|line| line.split_once(' '));
        lines.find(|(key, _)| *key == name)?.1.trim().parse::<u64>().ok()
    };
    let v1 = || field("throttled_time").map(Duration::from_nanos);
    field("throttled_usec").map(Duration::from_micros).or_else(v1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_has_a_file_that_counts_in_both_versions() {
        assert_eq!(stat_file("0::/job/step").as_deref(), Some("/sys/fs/cgroup/job/step/cpu.stat"));
        assert_eq!(stat_file("4:cpu,cpuacct:/job").as_deref(), Some("/sys/fs/cgroup/cpu/job/cpu.stat"));
        assert_eq!(stat_file("2:cpuacct:/job"), None);
        assert_eq!(throttled("nr_throttled 3\nthrottled_usec 250000\n"), Some(Duration::from_millis(250)));
        assert_eq!(throttled("nr_throttled 3\nthrottled_time 7000000\n"), Some(Duration::from_millis(7)));
        assert_eq!(throttled("usage_usec 7\n"), None);
    }

    #[test]
    fn what_a_group_was_held_back_is_a_share_of_the_time_between_two_looks() {
        let now = Instant::now();
        let reading = |group: &str, at: u64, throttled: u64| Reading {
            group: group.to_owned(),
            at: now + Duration::from_millis(at),
            throttled: Duration::from_millis(throttled),
        };
        let share = |first, last| GroupSight { first, last }.share_throttled();
        assert!((share(Some(reading("a", 10, 500)), Some(reading("a", 110, 540))) - 0.4).abs() < 1e-9);
        assert!(share(Some(reading("a", 10, 500)), Some(reading("a", 10, 500))) < 1e-9);
        assert!((share(Some(reading("a", 0, 0)), Some(reading("a", 10, 900))) - 1.0).abs() < 1e-9);
        assert!(share(None, None) < 1e-9);
    }
}
