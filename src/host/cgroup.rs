//! How much CPU time the control groups around this process grant it.
//!
//! Knows the files of cgroup v1 and v2, and that any ancestor may be the one that binds. Does not
//! know what else limits the process: a cpuset shows in the affinity mask.

use std::path::{Component, Path};
use std::time::Duration;

use super::system::System;

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
    #[must_use]
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
    let quota = |(version, folder): &(Version, String)| match version {
        Version::V1 => quota_v1(system, folder),
        Version::V2 => quota_v2(system, folder),
    };
    folders(system).iter().filter_map(quota).min_by(|a, b| a.cores.total_cmp(&b.cores))
}

/// The files in which the kernel counts how long this process's groups, and their
/// ancestors, were held back by their quotas.
pub(super) fn throttle_files(system: &System<'_>) -> Vec<String> {
    let files = folders(system).into_iter().map(|(_, folder)| format!("{folder}/cpu.stat"));
    files.filter(|file| throttled(system, file).is_some()).collect()
}

/// For how long a group was held back, summed over the cores: what `file` says.
pub(super) fn throttled(system: &System<'_>, file: &str) -> Option<Duration> {
    let text = system.read(file)?;
    let field = |name: &str| {
        let mut lines = text.lines().filter_map(|line| line.split_once(' '));
        lines.find(|(key, _)| *key == name)?.1.trim().parse::<u64>().ok()
    };
    let v1 = || field("throttled_time").map(Duration::from_nanos);
    field("throttled_usec").map(Duration::from_micros).or_else(v1)
}

/// The folders of this process's groups and of each ancestor that can be seen.
fn folders(system: &System<'_>) -> Vec<(Version, String)> {
    folders_with(system, Hierarchy::Cpu)
}

/// The folders of this process's groups, and of each ancestor that can be seen, which
/// can limit that.
pub(super) fn folders_of(system: &System<'_>, hierarchy: Hierarchy) -> Vec<String> {
    folders_with(system, hierarchy).into_iter().map(|(_, folder)| folder).collect()
}

fn folders_with(system: &System<'_>, hierarchy: Hierarchy) -> Vec<(Version, String)> {
    let Some(groups) = system.read("/proc/self/cgroup") else { return Vec::new() };
    let mounts = system.read("/proc/self/mountinfo").unwrap_or_default();
    let below = |group: ControlGroup<'_>| {
        let folders = group.folders(&mounts, hierarchy);
        folders.into_iter().map(move |folder| (group.version, folder))
    };
    groups.lines().filter_map(|line| ControlGroup::parse(line, hierarchy)).flat_map(below).collect()
}

/// What is limited: version 1 has a hierarchy for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hierarchy {
    /// CPU time.
    Cpu,
    /// Processes and threads.
    Pids,
}

impl Hierarchy {
    fn controller(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Pids => "pids",
        }
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Version {
    V1,
    V2,
}

/// This process's place in a hierarchy.
struct ControlGroup<'a> {
    version: Version,
    path: &'a Path,
}

impl<'a> ControlGroup<'a> {
    /// Reads a line "number:controllers:path"; None if it is of another hierarchy.
    fn parse(line: &'a str, hierarchy: Hierarchy) -> Option<Self> {
        let mut parts = line.splitn(3, ':');
        let (_number, controllers, path) = (parts.next()?, parts.next()?, parts.next()?);
        let version = match controllers {
            "" => Version::V2,
            list if list.split(',').any(|name| name == hierarchy.controller()) => Version::V1,
            _ => return None,
        };
        let path = Path::new(path);
        Some(Self { version, path })
    }

    /// Where the group and each of its ancestors can be seen.
    fn folders(&self, mounts: &str, hierarchy: Hierarchy) -> Vec<String> {
        let mount = mounts
            .lines()
            .find_map(|line| Mount::parse(line, self.version, hierarchy))
            .unwrap_or_else(|| Mount::usual(self.version, hierarchy));
        // A container may see its own group at the mount point, yet be told its path on the host.
        let path = self.path.strip_prefix(mount.group).unwrap_or(self.path);
        let mut folder = mount.point.trim_end_matches('/').to_owned();
        let mut folders = vec![folder.clone()];
        for part in path.components() {
            // Outside of its namespace a group's path begins with "..", which cannot be seen.
            if let Component::Normal(name) = part {
                folder = format!("{folder}/{}", name.display());
                folders.push(folder.clone());
            }
        }
        folders
    }
}

/// Where a hierarchy can be seen, and which of its groups is seen there.
struct Mount<'a> {
    point: &'a str,
    group: &'a Path,
}

impl<'a> Mount<'a> {
    /// Reads a line of mountinfo; None if it is not a mount of the hierarchy of that version.
    fn parse(line: &'a str, version: Version, hierarchy: Hierarchy) -> Option<Self> {
        let (mount, file_system) = line.split_once(" - ")?;
        let mut mount = mount.split(' ').skip(3);
        let (group, point) = (Path::new(mount.next()?), mount.next()?);
        let mut file_system = file_system.split(' ');
        let kind = file_system.next()?;
        let wanted = match version {
            Version::V2 => kind == "cgroup2",
            Version::V1 => {
                let mut options = file_system.nth(1)?.split(',');
                kind == "cgroup" && options.any(|option| option == hierarchy.controller())
            }
        };
        wanted.then_some(Self { point, group })
    }

    /// Where systemd and the container runtimes mount it, for when mountinfo does not tell.
    fn usual(version: Version, hierarchy: Hierarchy) -> Self {
        let point = match (version, hierarchy) {
            (Version::V1, Hierarchy::Cpu) => "/sys/fs/cgroup/cpu",
            (Version::V1, Hierarchy::Pids) => "/sys/fs/cgroup/pids",
            (Version::V2, _) => "/sys/fs/cgroup",
        };
        let group = Path::new("/");
        Self { point, group }
    }
}

fn quota_v2(system: &System<'_>, folder: &str) -> Option<Quota> {
    let file = format!("{folder}/cpu.max");
    let text = system.read(&file)?;
    let (quota, period) = text.split_once(' ')?;
    quota_of(quota, period, file)
}

fn quota_v1(system: &System<'_>, folder: &str) -> Option<Quota> {
    let file = format!("{folder}/cpu.cfs_quota_us");
    let quota = system.read(&file)?;
    let period = system.read(&format!("{folder}/cpu.cfs_period_us"))?;
    quota_of(&quota, &period, file)
}

/// None for "max" and "-1", which say that there is no limit, and for nonsense.
fn quota_of(quota: &str, period: &str, file: String) -> Option<Quota> {
    let quota = quota.parse::<u64>().ok().filter(|quota| *quota > 0)?;
    let period = period.trim().parse::<u64>().ok().filter(|period| *period > 0)?;
    let cores = quota as f64 / period as f64;
    Some(Quota { cores, file })
}

#[cfg(test)]
mod tests;
