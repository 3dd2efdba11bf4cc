//! What a process has used of the machine, as plain data that can be added and subtracted.
//!
//! Does not know where the figures come from.

use std::ops::Add;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::seconds;

/// The unit of [`Usage::block_reads`] and [`Usage::block_writes`], in bytes.
const BLOCK_BYTES: u64 = 512;

/// CPU time, page faults, disk blocks and context switches, as `getrusage` counts them.
///
/// There is no separate field for the total CPU time: the kernel counts that in nanoseconds and
/// scales the tick-sampled user and system times to it, so their sum is right to the two
/// microseconds lost in rounding, however wrong the split of a short span is. Adding
/// `CLOCK_PROCESS_CPUTIME_ID` would cost another system call and gain only those microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// CPU time in user code; sampled by ticks of about 4 ms, so noise for short spans.
    #[serde(with = "seconds")]
    pub user: Duration,
    /// CPU time in the kernel; sampled by ticks of about 4 ms, so noise for short spans.
    #[serde(with = "seconds")]
    pub sys: Duration,
    /// Page faults served from memory.
    pub minor_faults: u64,
    /// Page faults that needed the disk.
    pub major_faults: u64,
    /// Blocks of 512 bytes that were really read from disk, not from the page cache.
    pub block_reads: u64,
    /// Blocks of 512 bytes dirtied in the page cache, to be written to disk sooner or later.
    pub block_writes: u64,
    /// Times a thread gave up its core, mostly to wait.
    pub voluntary_switches: u64,
    /// Times a thread was taken off its core in favour of another.
    pub involuntary_switches: u64,
}

impl Usage {
    /// Total CPU time, user and system; precise to microseconds.
    pub fn cpu(&self) -> Duration {
        self.user.saturating_add(self.sys)
    }

    /// What was used between an `earlier` reading and this one; a field that shrank is zero.
    pub fn since(&self, earlier: &Self) -> Self {
        self.with(earlier, Duration::saturating_sub, u64::saturating_sub)
    }

    /// Field by field what two functions make of it and another one.
    fn with(
        &self,
        other: &Self,
        time: fn(Duration, Duration) -> Duration,
        count: fn(u64, u64) -> u64,
    ) -> Self {
        Self {
            user: time(self.user, other.user),
            sys: time(self.sys, other.sys),
            minor_faults: count(self.minor_faults, other.minor_faults),
            major_faults: count(self.major_faults, other.major_faults),
            block_reads: count(self.block_reads, other.block_reads),
            block_writes: count(self.block_writes, other.block_writes),
            voluntary_switches: count(self.voluntary_switches, other.voluntary_switches),
            involuntary_switches: count(self.involuntary_switches, other.involuntary_switches),
        }
    }

    /// Bytes that were really read from disk, not from the page cache.
    pub fn bytes_read(&self) -> u64 {
        self.block_reads.saturating_mul(BLOCK_BYTES)
    }

    /// Bytes dirtied in the page cache, to be written to disk sooner or later.
    pub fn bytes_written(&self) -> u64 {
        self.block_writes.saturating_mul(BLOCK_BYTES)
    }
}

impl Add for Usage {
    type Output = Self;

    /// Adds field by field, staying at the largest value rather than wrapping.
    fn add(self, other: Self) -> Self {
        self.with(&other, Duration::saturating_add, u64::saturating_add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A different number in every field, so that a mix-up cannot go unseen.
    fn distinct(step: u32) -> Usage {
        let n = u64::from(step);
        Usage {
            user: Duration::from_micros(1) * step,
            sys: Duration::from_micros(2) * step,
            minor_faults: 3 * n,
            major_faults: 4 * n,
            block_reads: 5 * n,
            block_writes: 6 * n,
            voluntary_switches: 7 * n,
            involuntary_switches: 8 * n,
        }
    }

    #[test]
    fn a_difference_and_a_sum_are_taken_field_by_field() {
        assert_eq!(distinct(7).since(&distinct(2)), distinct(5));
        assert_eq!(distinct(7) + distinct(2), distinct(9));
    }

    #[test]
    fn a_difference_never_goes_below_zero() {
        assert_eq!(distinct(2).since(&distinct(7)), Usage::default());
    }

    #[test]
    fn total_cpu_is_user_plus_system() {
        assert_eq!(distinct(5).cpu(), Duration::from_micros(15));
    }

    #[test]
    fn a_block_is_512_bytes() {
        assert_eq!(distinct(2).bytes_read(), 5_120);
        assert_eq!(distinct(2).bytes_written(), 6_144);
    }

    #[test]
    fn usage_survives_json() {
        let json = serde_json::to_string(&distinct(3)).unwrap();
        assert_eq!(serde_json::from_str::<Usage>(&json).unwrap(), distinct(3));
    }
}
