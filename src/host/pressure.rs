//! How busy the machine is at this moment.

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

/// The first number of `1/83` in `3.00 0.14 0.05 1/83 3878`, without ourselves.
fn running(loadavg: &str) -> Option<u64> {
    let (running, _) = loadavg.split_whitespace().nth(3)?.split_once('/')?;
    running.parse::<u64>().ok().map(|running| running.saturating_sub(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_asking_thread_is_not_counted() {
        assert_eq!(running("3.00 0.14 0.05 4/83 3878\n"), Some(3));
        assert_eq!(running("3.00 0.14 0.05 0/83 3878\n"), Some(0));
        assert_eq!(running("nonsense"), None);
    }
}
