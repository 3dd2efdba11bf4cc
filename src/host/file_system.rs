//! What kind of file system something is on.

use std::path::Path;

use super::System;

/// A file system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileSystem {
    kind: String,
}

/// Those that several machines may see, each with its own memory of what is there.
const SHARED: [&str; 15] = [
    "nfs",
    "nfs4",
    "lustre",
    "gpfs",
    "beegfs",
    "ceph",
    "cifs",
    "smb3",
    "9p",
    "afs",
    "panfs",
    "wekafs",
    "pvfs2",
    "orangefs",
    "glusterfs",
];

/// Those that are gone with the machine.
const IN_MEMORY: [&str; 3] = ["tmpfs", "ramfs", "devtmpfs"];

impl FileSystem {
    /// That of `path`, which begins at the root and names no links; `None` where the system
    /// does not tell.
    pub fn of(path: &Path) -> Option<Self> {
        Self::in_mounts(&System::real().read("/proc/self/mountinfo")?, path)
    }

    /// The one that the last mount belongs to among those with the longest way to `path`.
    fn in_mounts(mounts: &str, path: &Path) -> Option<Self> {
        let mount = |line: &str| {
            let (before, after) = line.split_once(" - ")?;
            let point = before.split(' ').nth(4)?.replace("\\040", " ");
            let kind = after.split(' ').next()?.to_owned();
            path.starts_with(&point).then_some((point.len(), Self { kind }))
        };
        mounts.lines().filter_map(mount).max_by_key(|(length, _)| *length).map(|(_, system)| system)
    }

    /// Whether other machines may see it, and see late what changes.
    pub fn is_shared(&self) -> bool {
        SHARED.contains(&&*self.kind) || self.kind.starts_with("fuse.")
    }

    /// Whether it is in this machine's memory.
    pub fn is_in_memory(&self) -> bool {
        IN_MEMORY.contains(&&*self.kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_mount_point_decides_and_the_last_one_of_the_same() {
        let mounts = "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n\
            2 1 0:5 / /dev rw - devtmpfs udev rw\n\
            3 1 0:9 / /home\\040two rw shared:1 - nfs4 server:/home rw\n\
            4 1 0:8 / /scratch rw - ext4 /dev/sdb rw\n\
            5 4 0:7 / /scratch rw - lustre pool rw\n\
            6 1 0:7 / /s rw - fuse.sshfs host: rw\n";
        let system = |path: &str| FileSystem::in_mounts(mounts, Path::new(path)).unwrap();
        assert!(!system("/home/me").is_shared());
        assert!(system("/home two/me").is_shared() && system("/scratch/x").is_shared());
        assert!(system("/s").is_shared() && !system("/sx").is_shared());
        assert!(system("/dev/shm").is_in_memory());
    }
}
