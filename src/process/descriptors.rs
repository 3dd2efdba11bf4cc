//! How many more descriptors this process may open.
//!
//! Does not know what they are for.

/// How many more descriptors this process may open; `None` where the system
/// does not tell.
#[must_use]
pub fn free_descriptors() -> Option<usize> {
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
    fn there_are_some_and_fewer_than_the_limit() {
        let free = free_descriptors().unwrap();
        assert!(free > 0 && free < most().unwrap());
    }
}
