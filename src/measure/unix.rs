//! The two system calls behind [`MonotonicClock`](super::MonotonicClock).
//!
//! Knows the C structures and their units; decides nothing.

use std::mem::MaybeUninit;
use std::time::Duration;

use super::Usage;

/// CPU time of the calling thread.
///
/// `getrusage(RUSAGE_THREAD)` costs little more than half as much, but on Linux it does not
/// bring the running thread's account up to date: it moves in scheduler ticks of about 4 ms, so
/// that nearly every task of 20 us reads exactly zero. This clock is right to a microsecond.
pub(super) fn thread_cpu() -> Duration {
    let mut time = MaybeUninit::<libc::timespec>::zeroed();
    // SAFETY: the pointer is to a timespec of our own, which the call only writes; all-zero bytes
    // are a valid timespec, so it may be read even if the call failed.
    let time = unsafe {
        libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, time.as_mut_ptr());
        time.assume_init()
    };
    Duration::from_secs(count(time.tv_sec)) + Duration::from_nanos(count(time.tv_nsec))
}

/// What this process has used.
pub(super) fn own_usage() -> Usage {
    usage(&rusage(libc::RUSAGE_SELF))
}

/// The most memory this process has held, in bytes, counting what it was before it
/// became this program.
pub(super) fn own_peak() -> u64 {
    // Apple counts in bytes, the others in KiB.
    let unit = if cfg!(target_vendor = "apple") { 1 } else { 1024 };
    count(rusage(libc::RUSAGE_SELF).ru_maxrss).saturating_mul(unit)
}

/// What the children that this process has waited for have used, and theirs.
pub(super) fn children_usage() -> Usage {
    usage(&rusage(libc::RUSAGE_CHILDREN))
}

fn rusage(who: libc::c_int) -> libc::rusage {
    let mut usage = MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: the pointer is to an rusage of our own, which the call only writes; all-zero bytes
    // are a valid rusage, so it may be read even if the call failed.
    unsafe {
        libc::getrusage(who, usage.as_mut_ptr());
        usage.assume_init()
    }
}

fn usage(raw: &libc::rusage) -> Usage {
    Usage {
        user: duration(raw.ru_utime),
        sys: duration(raw.ru_stime),
        minor_faults: count(raw.ru_minflt),
        major_faults: count(raw.ru_majflt),
        block_reads: count(raw.ru_inblock),
        block_writes: count(raw.ru_oublock),
        voluntary_switches: count(raw.ru_nvcsw),
        involuntary_switches: count(raw.ru_nivcsw),
    }
}

fn duration(time: libc::timeval) -> Duration {
    Duration::from_secs(count(time.tv_sec)) + Duration::from_micros(count(time.tv_usec))
}

/// C's signed counters, whose width differs from system to system; they are never negative.
fn count(raw: impl TryInto<u64>) -> u64 {
    raw.try_into().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_counter_of_getrusage_lands_in_its_field() {
        let mut raw = rusage(libc::RUSAGE_CHILDREN);
        (raw.ru_utime.tv_sec, raw.ru_utime.tv_usec) = (1, 500_000);
        (raw.ru_stime.tv_sec, raw.ru_stime.tv_usec) = (0, 7);
        (raw.ru_minflt, raw.ru_majflt) = (3, 4);
        (raw.ru_inblock, raw.ru_oublock) = (5, 6);
        (raw.ru_nvcsw, raw.ru_nivcsw) = (7, -1);
        let expected = Usage {
            user: Duration::from_millis(1_500),
            sys: Duration::from_micros(7),
            minor_faults: 3,
            major_faults: 4,
            block_reads: 5,
            block_writes: 6,
            voluntary_switches: 7,
            involuntary_switches: 0,
        };
        assert_eq!(usage(&raw), expected);
    }
}
