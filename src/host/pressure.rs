//! How busy the machine is at this moment, and how much memory can be had.

use super::describe::parse_kib;
use super::system::System;

/// How many threads of the whole machine run or are ready to run, the asking one
/// not counted.
#[must_use]
pub fn running_threads() -> Option<u64> {
    running(&System::real().read("/proc/loadavg")?)
}

/// How many bytes of memory can be had without swapping.
#[must_use]
pub fn available_memory() -> Option<u64> {
    System::real().field("/proc/meminfo", &["MemAvailable"]).and_then(|text| parse_kib(&text))
}

/// How many mappings of memory a process may have, of which each thread takes some.
#[must_use]
pub fn most_mappings() -> Option<usize> {
    System::real().read("/proc/sys/vm/max_map_count")?.trim().parse().ok()
}

/// How many pages were swapped in and out since the machine started.
#[must_use]
pub fn swapped_pages() -> Option<[u64; 2]> {
    swapped(&System::real().read("/proc/vmstat")?)
}

pub(super) fn swapped(vmstat: &str) -> Option<[u64; 2]> {
    let number = |name: &str| {
        let mut words = vmstat.lines().map(|line| line.split_once(' ').unwrap_or_default());
        words.find(|(key, _)| *key == name).and_then(|(_, number)| number.trim().parse().ok())
    };
    Some([number("pswpin")?, number("pswpout")?])
}

/// The first number of `1/83` in `3.00 0.14 0.05 1/83 3878`, without ourselves.
fn running(loadavg: &str) -> Option<u64> {
    let (running, _) = loadavg.split_whitespace().nth(3)?.split_once('/')?;
    running.parse::<u64>().ok().map(|running| running.saturating_sub(1))
}

#[cfg(test)]
mod tests {
    use super::*;

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
