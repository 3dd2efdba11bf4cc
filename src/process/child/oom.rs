//! Whether the kernel killed a process for lack of memory, as far as it tells:
//! by the count of such kills in this process's control group.
//!
//! Does not know which process it was.

use std::fs;
use std::path::PathBuf;

/// The kernel's count of processes killed for lack of memory, and how many of
/// them were accounted for.
#[derive(Debug)]
pub(super) struct OomKills {
    source: Option<PathBuf>,
    accounted: u64,
}

impl OomKills {
    /// Begins to count now.
    pub(super) fn since_now() -> Self {
        let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        Self::of(candidates(&groups))
    }

    /// Accounts for a process that something killed: was it the kernel, for lack
    /// of memory? None if the kernel does not say.
    pub(super) fn account(&mut self) -> Option<bool> {
        let kills = kills(&fs::read_to_string(self.source.as_ref()?).ok()?)?;
        let rose = kills > self.accounted;
        // One kill explains one death: two jobs may have been hit at once.
        self.accounted += u64::from(rose);
        Some(rose)
    }

    fn of(candidates: Vec<PathBuf>) -> Self {
        let read = |file: PathBuf| Some((kills(&fs::read_to_string(&file).ok()?)?, file));
        match candidates.into_iter().find_map(read) {
            Some((accounted, file)) => Self { source: Some(file), accounted },
            None => Self { source: None, accounted: 0 },
        }
    }
}

/// Where the count may be: version 2 of control groups, version 1, the machine.
fn candidates(groups: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for line in groups.lines() {
        let mut parts = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (parts.next(), parts.next()) else { continue };
        if controllers.is_empty() {
            files.push(format!("/sys/fs/cgroup{path}/memory.events"));
            files.push(format!("/sys/fs/cgroup/unified{path}/memory.events"));
        } else if controllers.split(',').any(|name| name == "memory") {
            files.push(format!("/sys/fs/cgroup/memory{path}/memory.oom_control"));
            // Inside a container its own group is what is mounted there.
            files.push("/sys/fs/cgroup/memory/memory.oom_control".to_owned());
        }
    }
    files.push("/proc/vmstat".to_owned());
    files.into_iter().map(PathBuf::from).collect()
}

fn kills(text: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix("oom_kill "))?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kill_of_the_kernel_explains_one_death() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("memory.events");
        let set = |kills: u64| fs::write(&file, format!("low 0\noom 9\noom_kill {kills}\n")).unwrap();
        set(4);
        let mut count = OomKills::of(vec![dir.path().join("missing"), file.clone()]);
        assert_eq!(count.account(), Some(false), "an old one is none of ours");
        set(6);
        assert_eq!(
            [count.account(), count.account(), count.account()],
            [Some(true), Some(true), Some(false)]
        );
        fs::remove_file(&file).unwrap();
        assert_eq!(count.account(), None);
    }

    #[test]
    fn the_group_of_the_memory_controller_is_asked_first() {
        let groups = "8:pids:/\n4:memory:/jobs/7\n0::/\n";
        let files = candidates(groups);
        assert_eq!(files[0], PathBuf::from("/sys/fs/cgroup/memory/jobs/7/memory.oom_control"));
        let files = candidates("0::/user.slice\n");
        assert_eq!(files[0], PathBuf::from("/sys/fs/cgroup/user.slice/memory.events"));
        assert_eq!(files.last(), Some(&PathBuf::from("/proc/vmstat")));
        assert_eq!(OomKills::of(Vec::new()).account(), None);
    }
}
