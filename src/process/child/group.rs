//! Whether anybody is left in a process group whose leader is dead but not
//! reaped, so that its number still means this group.
//!
//! Does not know what is to become of them.

use std::os::fd::OwnedFd;

/// Who is left in a group beside its leader.
#[derive(Debug)]
pub(super) enum Members {
    #[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "never known"))]
    Nobody,
    /// At least one; the descriptor becomes readable when that one ends, where
    /// the system offers that. Also when the system does not tell.
    Some(Option<OwnedFd>),
}

/// Looks who is left in the group of the dead `leader`.
#[cfg(target_os = "linux")]
pub(super) fn members(leader: i32) -> Members {
    use std::{fs, io};

    use super::descriptor;

    let Ok(processes) = fs::read_dir("/proc") else { return Members::Some(None) };
    for entry in processes.flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else {
            continue;
        };
        if pid == leader {
            continue;
        }
        let Ok(stat) = fs::read(entry.path().join("stat")) else { continue };
        if living_group(&String::from_utf8_lossy(&stat)) != Some(leader) {
            continue;
        }
        match descriptor::process(pid) {
            Ok(member) => return Members::Some(Some(member)),
            // It is gone by now.
            Err(error) if error.raw_os_error() == Some(libc::ESRCH) => {}
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => {}
            Err(_) => return Members::Some(None),
        }
    }
    Members::Nobody
}

/// Looks who is left in the group of the dead `leader`.
#[cfg(not(target_os = "linux"))]
pub(super) fn members(_leader: i32) -> Members {
    Members::Some(None)
}

/// The group of a living process, from its line in /proc: number, name in
/// parentheses, which may hold anything, state, parent, group.
#[cfg(target_os = "linux")]
fn living_group(stat: &str) -> Option<i32> {
    let (_, after_name) = stat.rsplit_once(") ")?;
    let mut fields = after_name.split(' ');
    if matches!(fields.next()?, "Z" | "X") {
        return None;
    }
    fields.nth(1)?.parse().ok()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn the_group_is_read_behind_any_name_and_the_dead_have_none() {
        assert_eq!(living_group("71 (sh) S 70 42 42 0"), Some(42));
        assert_eq!(living_group("71 (a) Z 1 (b)) R 70 43 42 0"), Some(43));
        assert_eq!(living_group("71 (sh) Z 70 42 42 0"), None);
        assert_eq!(living_group(""), None);
    }
}
