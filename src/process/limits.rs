//! The limits this process was started with: what it raises for itself, what its
//! children get back, and what is left.
//!
//! Does not know how much of anything is needed.

use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::sync::OnceLock;

/// How many descriptors this process was allowed, where it has allowed itself more.
static DESCRIPTORS: OnceLock<libc::rlimit> = OnceLock::new();

/// What the kernel allows the strings of a program's arguments and environment, with
/// their addresses, whatever the stack: its own `ARG_MAX`.
const LEAST_ARGUMENTS: u64 = 128 << 10;

/// ... and at most: three quarters of a usual stack.
const MOST_ARGUMENTS: u64 = 6 << 20;

/// So many descriptors a process has open of its own or was handed down, as a rule.
const USUAL_DESCRIPTORS: usize = 256;

/// Lets this process open as many descriptors as it may allow itself: the soft limit
/// is there for programs that cannot handle many. Children get theirs back. Where
/// memory is limited as addresses (`ulimit -v`), the C library is kept from setting
/// aside 64 MiB of them for each thread. To be called before there are threads.
pub fn make_use_of_limits() {
    if let Some(soft) = limit(libc::RLIMIT_NOFILE)
        && soft.rlim_cur < soft.rlim_max
    {
        let hard = libc::rlimit { rlim_cur: soft.rlim_max, ..soft };
        if set_limit(libc::RLIMIT_NOFILE, &hard) {
            // Nobody else sets it.
            let _ = DESCRIPTORS.set(soft);
        }
    }
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    if limit(libc::RLIMIT_AS).is_some_and(|limit| limit.rlim_cur != libc::RLIM_INFINITY) {
        share_memory();
    }
}

/// The limit of descriptors that children are to have; `None` where it is this
/// process's.
pub(super) fn descriptors_of_children() -> Option<&'static libc::rlimit> {
    DESCRIPTORS.get()
}

/// Has `command` start its program with the limits that this process was started with.
pub fn with_first_limits(command: &mut Command) -> &mut Command {
    let Some(limit) = descriptors_of_children() else { return command };
    let lower = move || {
        // What cannot be lowered is no reason not to run.
        set_limit(libc::RLIMIT_NOFILE, limit);
        Ok(())
    };
    #[expect(unsafe_code, reason = "std runs no code in the child otherwise")]
    // SAFETY: one system call, which a copy of a process with threads may make.
    unsafe {
        command.pre_exec(lower)
    }
}

/// How many bytes the arguments and the environment of a program may take together,
/// the addresses of each string included.
pub fn room_for_arguments() -> u64 {
    let stack = limit(libc::RLIMIT_STACK).map_or(libc::RLIM_INFINITY, |limit| limit.rlim_cur);
    room_on(stack)
}

/// The kernel's bounds; but what leaves a program less than half of its stack ends it
/// before it begins.
fn room_on(stack: u64) -> u64 {
    (stack / 4).clamp(LEAST_ARGUMENTS, MOST_ARGUMENTS).min(stack / 2)
}

/// Of `wanted` more descriptors those that this process may open; all of them
/// where the system does not tell.
///
/// Those that are open are counted only where the limit is near.
pub fn of_descriptors(wanted: usize) -> usize {
    match most_descriptors() {
        Some(most) if most < wanted.saturating_add(USUAL_DESCRIPTORS) => {
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
    Some(most_descriptors()?.saturating_sub(open))
}

/// The soft limit: `ulimit -n`.
fn most_descriptors() -> Option<usize> {
    let limit = limit(libc::RLIMIT_NOFILE)?;
    Some(usize::try_from(limit.rlim_cur).unwrap_or(usize::MAX))
}

#[expect(unsafe_code, reason = "std does not know limits")]
fn limit(which: u32) -> Option<libc::rlimit> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` is ours and lives through the call.
    let asked = unsafe { libc::getrlimit(which as _, &raw mut limit) };
    (asked == 0).then_some(limit)
}

#[expect(unsafe_code, reason = "std does not know limits")]
pub(super) fn set_limit(which: u32, limit: &libc::rlimit) -> bool {
    // SAFETY: `limit` lives through the call.
    unsafe { libc::setrlimit(which as _, std::ptr::from_ref(limit)) == 0 }
}

/// All threads take memory from one pool.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(unsafe_code, reason = "std does not know the allocator's options")]
fn share_memory() {
    // SAFETY: takes two plain numbers; where it is refused nothing changes.
    unsafe { libc::mallopt(libc::M_ARENA_MAX, 1) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_have_a_quarter_of_the_stack_within_bounds() {
        for (stack, room) in [
            (64 << 10, 32 << 10),
            (256 << 10, 128 << 10),
            (512 << 10, 128 << 10),
            (8 << 20, 2 << 20),
            (1 << 30, 6 << 20),
            (libc::RLIM_INFINITY, 6 << 20),
        ] {
            assert_eq!(room_on(stack), room, "{stack}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn no_more_are_promised_than_the_limit_leaves() {
        let free = free_descriptors().unwrap();
        assert_eq!(of_descriptors(1), 1);
        // Other tests open and close some meanwhile.
        let promised = of_descriptors(usize::MAX);
        assert!(promised.abs_diff(free) < USUAL_DESCRIPTORS && promised < most_descriptors().unwrap());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn there_are_some_and_fewer_than_the_limit() {
        let free = free_descriptors().unwrap();
        assert!(free > 0 && free < most_descriptors().unwrap());
    }
}
