//! What the kernel counted of the process that did a task, and what it was seen to wait
//! for.
//!
//! Does not know how that was found out.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::measure::seconds;
use crate::process::child::Awaited;

/// What the kernel counted of a task's process and of those of its children that it
/// waited for; of a run the sums over its tasks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ProcessCounts {
    /// Page faults that needed the disk.
    pub major_faults: u64,
    /// Blocks of 512 bytes that were really read from disk.
    pub block_reads: u64,
    /// Blocks of 512 bytes that are to be written to disk, sooner or later.
    pub block_writes: u64,
    /// Times a thread gave up its core to wait.
    pub voluntary_switches: u64,
    /// Times a thread was taken off its core in favour of another.
    pub involuntary_switches: u64,
    /// How long threads were ready to run and waited for a core; `None` where nobody
    /// looked, or the kernel does not tell.
    #[serde(with = "seconds::optional", skip_serializing_if = "Option::is_none")]
    pub run_delay: Option<Duration>,
    /// The cores to which it was pinned, where these are fewer than the runner may use;
    /// empty where it was not.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub pinned_to: BTreeSet<u32>,
    /// How long it did not compute, by what it waited for, where that was looked at.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub waits: BTreeMap<Awaited, WaitTime>,
    /// How long a quota held it back, in a control group that is not the runner's.
    #[serde(with = "seconds", skip_serializing_if = "Duration::is_zero")]
    pub throttled: Duration,
    /// How long whoever takes its output had the runner wait.
    #[serde(with = "seconds", skip_serializing_if = "Duration::is_zero")]
    pub handing_on: Duration,
}

/// A time that was spent waiting.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitTime(#[serde(with = "seconds")] pub Duration);

impl ProcessCounts {
    /// How long tasks waited for that, in seconds.
    #[must_use]
    pub fn waited_for(&self, awaited: Awaited) -> f64 {
        self.waits.get(&awaited).map_or(0.0, |time| time.0.as_secs_f64())
    }

    /// Adds those of another task. What is not known of both is not known of the sum, and
    /// together they are pinned to all cores that either may use.
    pub fn add(&mut self, other: &Self) {
        let sum = |count: &mut u64, other: u64| *count = count.saturating_add(other);
        sum(&mut self.major_faults, other.major_faults);
        sum(&mut self.block_reads, other.block_reads);
        sum(&mut self.block_writes, other.block_writes);
        sum(&mut self.voluntary_switches, other.voluntary_switches);
        sum(&mut self.involuntary_switches, other.involuntary_switches);
        for (awaited, time) in &other.waits {
            self.waits.entry(*awaited).or_default().0 += time.0;
        }
        self.throttled += other.throttled;
        self.handing_on += other.handing_on;
        self.run_delay = self.run_delay.zip(other.run_delay).map(|(one, other)| one + other);
        if other.pinned_to.is_empty() {
            self.pinned_to.clear();
        } else if !self.pinned_to.is_empty() {
            self.pinned_to.extend(&other.pinned_to);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(step: u32, pinned_to: &[u32]) -> ProcessCounts {
        let n = u64::from(step);
        ProcessCounts {
            major_faults: n,
            block_reads: 2 * n,
            block_writes: 3 * n,
            voluntary_switches: 4 * n,
            involuntary_switches: 5 * n,
            run_delay: Some(Duration::from_micros(6) * step),
            pinned_to: pinned_to.iter().copied().collect(),
            waits: BTreeMap::from([(Awaited::Lock, WaitTime(Duration::from_micros(7) * step))]),
            throttled: Duration::from_micros(8) * step,
            handing_on: Duration::from_micros(9) * step,
        }
    }

    #[test]
    fn counts_add_up_and_cores_are_those_that_any_may_use() {
        let mut sum = counts(2, &[0]);
        sum.add(&counts(5, &[0, 3]));
        assert_eq!(sum, counts(7, &[0, 3]));
        // One that may use all of them makes it all, whoever comes next.
        sum.add(&counts(1, &[]));
        sum.add(&counts(1, &[2]));
        assert_eq!(sum, counts(9, &[]));
    }

    #[test]
    fn what_is_not_known_of_one_is_not_known_of_all() {
        let mut sum = counts(2, &[]);
        sum.add(&ProcessCounts { run_delay: None, ..counts(1, &[]) });
        sum.add(&counts(1, &[]));
        assert_eq!(sum.run_delay, None);
    }

    #[test]
    fn counts_survive_json_and_what_is_missing_is_nothing() {
        let counts = counts(3, &[1, 2]);
        let json = serde_json::to_string(&counts).unwrap();
        assert_eq!(serde_json::from_str::<ProcessCounts>(&json).unwrap(), counts);
        assert_eq!(serde_json::from_str::<ProcessCounts>("{}").unwrap(), ProcessCounts::default());
    }
}
