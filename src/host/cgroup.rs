//! How much CPU time the control groups around this process grant it.
//!
//! Knows the files of cgroup v1 and v2, and that any ancestor may be the one that binds. Does not
//! know what else limits the process: a cpuset shows in the affinity mask.

use std::path::{Component, Path};
use std::time::Duration;

use super::{System, number};

/// A limit on CPU time, as so many cores' worth.
#[derive(Clone, Debug, PartialEq)]
pub struct Quota {
    /// Cores' worth of CPU time: 1.5 is 150 ms in every 100 ms. Always above zero.
    pub cores: f64,
    /// The file that says so.
    pub file: String,
}

impl Quota {
    /// The number of threads that can spend the quota: rounded up, so at least one.
    pub fn whole_cores(&self) -> usize {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a float cast saturates, and quotas are positive"
        )]
        let cores = self.cores.ceil() as usize;
        cores.max(1)
    }
}

/// The tightest quota of this process's groups and all their ancestors, in both hierarchies.
pub(super) fn tightest_quota(system: &System<'_>) -> Option<Quota> {
    let quotas =
        folders(system, "cpu").into_iter().filter_map(|(version, folder)| quota(system, version, &folder));
    quotas.min_by(|a, b| a.cores.total_cmp(&b.cores))
}

fn quota(system: &System<'_>, version: Version, folder: &str) -> Option<Quota> {
    let (name, period) = match version {
        Version::V1 => ("cpu.cfs_quota_us", system.read(&format!("{folder}/cpu.cfs_period_us"))?),
        Version::V2 => ("cpu.max", String::new()),
    };
    let file = format!("{folder}/{name}");
    let text = format!("{} {period}", system.read(&file)?);
    let (quota, period) = text.split_once(' ')?;
    // There is no limit where it says "max" or "-1", nor where it is nonsense.
    let positive = |text: &str| text.trim().parse::<u64>().ok().filter(|number| *number > 0);
    Some(Quota { cores: positive(quota)? as f64 / positive(period)? as f64, file })
}

/// How many bytes more the control groups around this process let it have, where one of them
/// limits that. What files take of it is given back when somebody needs it.
pub(super) fn memory_room(system: &System<'_>) -> Option<u64> {
    let rooms = folders(system, "memory").into_iter().filter_map(|(version, folder)| {
        let [limit, used, files] = match version {
            Version::V1 => ["memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"],
            Version::V2 => ["memory.max", "memory.current", "inactive_file"],
        };
        // There is no limit where it says "max".
        let read = |name| system.read(&format!("{folder}/{name}"))?.trim().parse::<u64>().ok();
        let files = system.read(&format!("{folder}/memory.stat")).and_then(|text| number(&text, files));
        Some(read(limit)?.saturating_sub(read(used)?.saturating_sub(files.unwrap_or(0))))
    });
    rooms.min()
}

/// The files in which the kernel counts how long this process's groups, and their
/// ancestors, were held back by their quotas.
pub(super) fn throttle_files(system: &System<'_>) -> Vec<String> {
    let files = folders(system, "cpu").into_iter().map(|(_, folder)| format!("{folder}/cpu.stat"));
    files.filter(|file| throttled(system, file).is_some()).collect()
}

/// For how long a group was held back, summed over the cores: what `file` says.
pub(super) fn throttled(system: &System<'_>, file: &str) -> Option<Duration> {
    let text = system.read(file)?;
    let v1 = || number(&text, "throttled_time").map(Duration::from_nanos);
    number(&text, "throttled_usec").map(Duration::from_micros).or_else(v1)
}

/// Version 1 has a hierarchy for each of what can be limited, version 2 one for all.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Version {
    V1,
    V2,
}

/// The folders of this process's groups, and of each ancestor that can be seen, which can
/// limit that: "cpu" is CPU time, "pids" are processes and threads.
pub(super) fn folders(system: &System<'_>, controller: &str) -> Vec<(Version, String)> {
    let Some(kept) = system.groups_and_mounts() else { return Vec::new() };
    let (groups, mounts) = &*kept;
    let mut folders = Vec::new();
    for (version, path) in groups.lines().filter_map(|line| parse_group(line, controller)) {
        let mount = mounts.lines().find_map(|line| parse_mount(line, version, controller));
        // Where systemd and the container runtimes mount it, for when mountinfo does not tell.
        let usual = match version {
            Version::V1 => format!("/sys/fs/cgroup/{controller}"),
            Version::V2 => "/sys/fs/cgroup".to_owned(),
        };
        let (group, point) = mount.unwrap_or((Path::new("/"), &usual));
        // A container may see its own group at the mount point, yet be told its path on the host.
        let path = path.strip_prefix(group).unwrap_or(path);
        let mut folder = point.trim_end_matches('/').to_owned();
        folders.push((version, folder.clone()));
        for part in path.components() {
            // Outside of its namespace a group's path begins with "..", which cannot be seen.
            if let Component::Normal(name) = part {
                folder = format!("{folder}/{}", name.display());
                folders.push((version, folder.clone()));
            }
        }
    }
    folders
}

/// This process's place in a hierarchy, by a line "number:controllers:path"; None if it is of
/// another hierarchy.
fn parse_group<'a>(line: &'a str, controller: &str) -> Option<(Version, &'a Path)> {
    let mut parts = line.splitn(3, ':');
    let (_number, controllers, path) = (parts.next()?, parts.next()?, parts.next()?);
    let version = match controllers {
        "" => Version::V2,
        list if list.split(',').any(|name| name == controller) => Version::V1,
        _ => return None,
    };
    Some((version, Path::new(path)))
}

/// Which group of a hierarchy can be seen, and where, by a line of mountinfo; None if it is
/// not a mount of the hierarchy of that version.
fn parse_mount<'a>(line: &'a str, version: Version, controller: &str) -> Option<(&'a Path, &'a str)> {
    let (mount, file_system) = line.split_once(" - ")?;
    let mut mount = mount.split(' ').skip(3);
    let (group, point) = (Path::new(mount.next()?), mount.next()?);
    let mut file_system = file_system.split(' ');
    let kind = file_system.next()?;
    let is_wanted = match version {
        Version::V2 => kind == "cgroup2",
        Version::V1 => {
            let mut options = file_system.nth(1)?.split(',');
            kind == "cgroup" && options.any(|option| option == controller)
        }
    };
    is_wanted.then_some((group, point))
}

#[cfg(test)]
mod tests;
