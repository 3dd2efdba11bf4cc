//! How much CPU time the control groups around this process grant it.
//!
//! Knows the files of cgroup v1 and v2, and that any ancestor may be the one that binds. Does not
//! know what else limits the process: a cpuset shows in the affinity mask.

use std::path::{Component, Path};

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
    let groups = system.read("/proc/self/cgroup")?;
    let mounts = system.read("/proc/self/mountinfo").unwrap_or_default();
    groups
        .lines()
        .filter_map(Group::parse)
        .flat_map(|group| quotas(system, &group, &mounts))
        .min_by(|a, b| a.cores.total_cmp(&b.cores))
}

#[derive(Clone, Copy, PartialEq)]
enum Version {
    V1,
    V2,
}

/// This process's place in a hierarchy that can limit CPU time.
struct Group<'a> {
    version: Version,
    path: &'a Path,
}

impl<'a> Group<'a> {
    /// Reads a line "number:controllers:path"; None if it is of a hierarchy without CPU limits.
    fn parse(line: &'a str) -> Option<Self> {
        let mut parts = line.splitn(3, ':');
        let (_number, controllers, path) = (parts.next()?, parts.next()?, parts.next()?);
        let version = match controllers {
            "" => Version::V2,
            list if list.split(',').any(|name| name == "cpu") => Version::V1,
            _ => return None,
        };
        let path = Path::new(path);
        Some(Self { version, path })
    }
}

/// Where a hierarchy can be seen, and which of its groups is seen there.
struct Mount<'a> {
    point: &'a str,
    group: &'a Path,
}

impl<'a> Mount<'a> {
    /// Reads a line of mountinfo; None if it is not a mount of the hierarchy of that version.
    fn parse(line: &'a str, version: Version) -> Option<Self> {
        let (mount, file_system) = line.split_once(" - ")?;
        let mut mount = mount.split(' ').skip(3);
        let (group, point) = (Path::new(mount.next()?), mount.next()?);
        let mut file_system = file_system.split(' ');
        let kind = file_system.next()?;
        let wanted = match version {
            Version::V2 => kind == "cgroup2",
            Version::V1 => {
                let mut options = file_system.nth(1)?.split(',');
                kind == "cgroup" && options.any(|option| option == "cpu")
            }
        };
        wanted.then_some(Self { point, group })
    }

    /// Where systemd and the container runtimes mount it, for when mountinfo does not tell.
    fn usual(version: Version) -> Self {
        let point = match version {
            Version::V1 => "/sys/fs/cgroup/cpu",
            Version::V2 => "/sys/fs/cgroup",
        };
        let group = Path::new("/");
        Self { point, group }
    }
}

/// The quotas of a group and of each ancestor that can be seen.
fn quotas(system: &System<'_>, group: &Group<'_>, mounts: &str) -> Vec<Quota> {
    let mount = mounts
        .lines()
        .find_map(|line| Mount::parse(line, group.version))
        .unwrap_or_else(|| Mount::usual(group.version));
    // A container may see its own group at the mount point, yet be told its path on the host.
    let path = group.path.strip_prefix(mount.group).unwrap_or(group.path);
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
        .iter()
        .filter_map(|folder| match group.version {
            Version::V1 => quota_v1(system, folder),
            Version::V2 => quota_v2(system, folder),
        })
        .collect()
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
