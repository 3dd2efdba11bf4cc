//! How many tasks may run side by side, by the limits on processes and on memory.
//!
//! A task is a thread and, where it is a command, a process that may start others:
//! tasks take at most a quarter of what a limit leaves. Looks closer only where a
//! limit is near. Does not know descriptors.

use super::cgroup::folders;
use super::{System, threads};
use crate::measure::parse_kib;

/// The stack of a thread that does tasks.
pub const STACK: usize = 512 << 10;

/// What such a thread takes of a process's addresses: its stack, and what it works with.
const ADDRESSES: u64 = 1 << 20;

/// A task that is a command is a thread, a shell, and what that starts.
const SHARE: u64 = 4;

/// Room for fewer tasks than were wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotRoom {
    /// How many there is room for, at least one.
    pub tasks: usize,
    /// What leaves no room for more, and what helps.
    pub why: String,
}

impl SlotRoom {
    /// The room for `wanted` tasks side by side; `None` where there is enough.
    pub fn short_of(wanted: usize) -> Option<Self> {
        if wanted <= 1 { None } else { Self::seen(&System::real(), wanted) }
    }

    fn seen(system: &System<'_>, wanted: usize) -> Option<Self> {
        let limits = system.read("/proc/self/limits")?;
        let found = [processes(system, &limits, wanted), group(system), addresses(system, &limits)];
        let least = found.into_iter().flatten().min_by_key(|(tasks, _)| *tasks)?;
        let tasks = usize::try_from(least.0.max(1)).unwrap_or(usize::MAX);
        (tasks < wanted).then_some(Self { tasks, why: least.1 })
    }
}

/// The soft limit of that name; `None` where there is none.
fn limit(limits: &str, name: &str) -> Option<u64> {
    let line = limits.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

/// What the user may start. Root may start anything.
fn processes(system: &System<'_>, limits: &str, wanted: usize) -> Option<(u64, String)> {
    let limit = limit(limits, "Max processes")?;
    let own = user(system, "self")?;
    if own == "0" {
        return None;
    }
    // All of the machine's are more than this user's, and known at once.
    let all = system.read("/proc/loadavg").and_then(|text| threads(&text));
    let enough = (wanted as u64).saturating_mul(SHARE);
    if all.is_some_and(|(_, all)| limit.saturating_sub(all) >= enough) {
        return None;
    }
    let names = system.names("/proc");
    let processes = names.iter().filter(|name| name.bytes().all(|byte| byte.is_ascii_digit()));
    let theirs = processes.filter(|name| user(system, name).as_deref() == Some(&*own));
    let used = theirs.filter_map(|name| threads_of(system, name)).sum();
    Some(share(limit, used, "ulimit -u"))
}

fn user(system: &System<'_>, process: &str) -> Option<String> {
    let users = system.field(&format!("/proc/{process}/status"), &["Uid"])?;
    users.split_whitespace().next().map(str::to_owned)
}

fn threads_of(system: &System<'_>, process: &str) -> Option<u64> {
    system.field(&format!("/proc/{process}/status"), &["Threads"])?.parse().ok()
}

/// How many tasks there is room for where a `place` limits processes, and how that is told.
fn share(limit: u64, used: u64, place: &str) -> (u64, String) {
    let why = format!(
        "{used} of {limit} processes are in use ({place}), and a job may start some: raise the limit for more"
    );
    (limit.saturating_sub(used) / SHARE, why)
}

/// What the tightest of this process's control groups may start.
fn group(system: &System<'_>) -> Option<(u64, String)> {
    let left = |(_, folder)| {
        let file = format!("{folder}/pids.max");
        let limit: u64 = system.read(&file)?.parse().ok()?;
        let used: u64 = system.read(&format!("{folder}/pids.current"))?.parse().ok()?;
        Some(share(limit, used, &file))
    };
    folders(system, "pids").into_iter().filter_map(left).min_by_key(|(tasks, _)| *tasks)
}

/// What threads this process has addresses for, half of which are for other things.
fn addresses(system: &System<'_>, limits: &str) -> Option<(u64, String)> {
    let limit = limit(limits, "Max address space")?;
    let used = system.field("/proc/self/status", &["VmSize"]).and_then(|text| parse_kib(&text))?;
    let why = format!("memory is limited to {} KiB (ulimit -v): raise the limit for more", limit / 1024);
    Some((limit.saturating_sub(used) / 2 / ADDRESSES, why))
}

#[cfg(test)]
mod tests {
    use super::super::made_up::Machine;
    use super::*;

    const LIMITS: &str = "Limit                     Soft Limit           Hard Limit           Units     \n\
        Max processes             45                   100                  processes \n\
        Max address space         unlimited            unlimited            bytes     \n";

    fn user(name: &str, user: u32, threads: u32) -> (String, String) {
        let text = format!("Name:\tx\nUid:\t{user}\t7\t7\t7\nVmSize:\t  10240 kB\nThreads:\t{threads}\n");
        (format!("/proc/{name}/status"), text)
    }

    fn room(files: &[(&str, &str)], own: u32, wanted: usize) -> Option<SlotRoom> {
        let made = [user("self", own, 1), user("10", 1000, 1), user("11", 1000, 4), user("12", 0, 50)];
        let made = made.iter().map(|(path, text)| (path.as_str(), text.as_str()));
        let files: Vec<(&str, &str)> = made.chain(files.iter().copied()).collect();
        Machine::new(&files).see(|system| SlotRoom::seen(system, wanted))
    }

    #[test]
    fn tasks_take_a_quarter_of_the_processes_that_are_left_to_the_user() {
        let found = room(&[("/proc/self/limits", LIMITS)], 1000, 30);
        let why =
            "5 of 45 processes are in use (ulimit -u), and a job may start some: raise the limit for more";
        let why = why.to_owned();
        assert_eq!(found, Some(SlotRoom { tasks: 10, why }));
        assert_eq!(room(&[("/proc/self/limits", LIMITS)], 1000, 10), None);
        assert_eq!(room(&[("/proc/self/limits", LIMITS)], 0, 30), None);
        let busy = [("/proc/self/limits", LIMITS), ("/proc/loadavg", "0 0 0 1/5 7")];
        assert_eq!(room(&busy, 1000, 10), None);
    }

    #[test]
    fn there_is_always_room_for_one() {
        let limits = LIMITS.replace("45 ", "5  ");
        assert_eq!(room(&[("/proc/self/limits", &limits)], 1000, 30).map(|room| room.tasks), Some(1));
    }

    #[test]
    fn every_control_group_around_counts() {
        let none = LIMITS.replace("45 ", "unlimited ");
        let files = [
            ("/proc/self/limits", none.as_str()),
            ("/proc/self/cgroup", "0::/a/b\n"),
            ("/sys/fs/cgroup/a/pids.max", "100\n"),
            ("/sys/fs/cgroup/a/pids.current", "60\n"),
            ("/sys/fs/cgroup/a/b/pids.max", "max\n"),
            ("/sys/fs/cgroup/a/b/pids.current", "3\n"),
        ];
        let why = share(100, 60, "/sys/fs/cgroup/a/pids.max").1;
        assert_eq!(room(&files, 0, 30), Some(SlotRoom { tasks: 10, why }));
        let old = [
            ("/proc/self/limits", none.as_str()),
            ("/proc/self/cgroup", "5:pids:/a\n4:cpu,cpuacct:/c\n"),
            ("/sys/fs/cgroup/pids/a/pids.max", "20\n"),
            ("/sys/fs/cgroup/pids/a/pids.current", "8\n"),
        ];
        assert_eq!(room(&old, 0, 30).map(|room| room.tasks), Some(3));
    }

    #[test]
    fn threads_take_half_of_the_addresses_that_are_left() {
        let limits =
            LIMITS.replace("45 ", "unlimited ").replace("space         unlimited", "space         51380224");
        let found = room(&[("/proc/self/limits", &limits)], 0, 30);
        let why = "memory is limited to 50176 KiB (ulimit -v): raise the limit for more".to_owned();
        assert_eq!(found, Some(SlotRoom { tasks: 19, why }));
    }
}
