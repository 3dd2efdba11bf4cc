//! How many more descriptors this process may open.
//!
//! Does not know what they are for.

/// So many that a process has open of its own or was handed down, as a rule.
const USUAL: usize = 256;

/// Of `wanted` more descriptors those that this process may open; all of them
/// where the system does not tell.
///
/// Those that are open are counted only where the limit is near.
#[must_use]
pub fn of_descriptors(wanted: usize) -> usize {
    match most() {
        Some(most) if most < wanted.saturating_add(USUAL) => {
            free_descriptors().map_or(wanted, |free| free.min(wanted))
        }
        Some(_) | None => wanted,
    }
}

/// How many more descriptors this process may open; `None` where the system
/// does not tell.
fn free_descriptors() -> Option<usize> {
    // The folder that is read takes one itself, which is free again afterwards.
    let open = std::fs::read_dir("/proc/self/fd").ok()?.count().saturating_sub(1);
    Some(most()?.saturating_sub(open))
}

/// The soft limit: `ulimit -n`.
#[expect(unsafe_code, reason = "std does not know limits")]
fn most() -> Option<usize> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` is ours and lives through the call.
    let asked = unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) };
    (asked == 0).then(|| usize::try_from(limit.rlim_cur).unwrap_or(usize::MAX))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn no_more_are_promised_than_the_limit_leaves() {
        let free = free_descriptors().unwrap();
        assert_eq!(of_descriptors(1), 1);
        // Other tests open and close some meanwhile.
        let promised = of_descriptors(usize::MAX);
        assert!(promised.abs_diff(free) < USUAL && promised < most().unwrap());
    }

    #[test]
    fn there_are_some_and_fewer_than_the_limit() {
        let free = free_descriptors().unwrap();
        assert!(free > 0 && free < most().unwrap());
    }
}
