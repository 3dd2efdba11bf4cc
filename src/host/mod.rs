//! What machine this is, and how many of its cores this process may use.
//!
//! Reads /proc, /sys and the variables of batch systems; does not know what the cores are for,
//! nor what the user asked for with `-j`. What a system does not tell is None, never a guess.

mod cgroup;
mod describe;
mod file_system;
mod limits;
mod room;
mod run_queue;
mod surroundings;

use std::borrow::Cow;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

pub use describe::{Host, boot_id, cores_table, load, name, sockets};
pub use file_system::FileSystem;
pub use limits::Limits;
pub use room::{STACK, SlotRoom};
pub use run_queue::{RunQueue, RunQueueWatch};
pub use surroundings::{
    RunningThreads, Surroundings, SurroundingsWatch, available_memory, memory_room, most_mappings,
    swapped_pages,
};

/// Few of the files that are read here are longer.
const MOST_OF_A_FILE: usize = 4096;

/// The one window through which the host is seen: files below a root, and environment
/// variables. Tests look through it at a made-up /proc and /sys.
struct System<'a> {
    root: PathBuf,
    /// Whether it is the machine itself, which is asked but once for what stays.
    is_real: bool,
    env: &'a dyn Fn(&str) -> Option<String>,
}

impl System<'static> {
    /// The machine and the environment this process really has.
    fn real() -> Self {
        Self { is_real: true, ..Self::new(Path::new("/"), &|name| std::env::var(name).ok()) }
    }
}

impl<'a> System<'a> {
    fn new(root: &Path, env: &'a dyn Fn(&str) -> Option<String>) -> Self {
        let root = root.to_path_buf();
        Self { root, is_real: false, env }
    }

    /// A file's text without the white space around it; `path` is absolute.
    fn read(&self, path: &str) -> Option<String> {
        // A process or a group may be named in any bytes, and they must not hide the rest.
        let mut text = Vec::with_capacity(MOST_OF_A_FILE);
        // By way of `take`: the kernel tells no length of these files, and `fs::read` feels
        // its way through them with a dozen calls.
        File::open(self.below_root(path)).ok()?.take(u64::MAX).read_to_end(&mut text).ok()?;
        Some(String::from_utf8_lossy(&text).trim().to_owned())
    }

    /// The control groups of this process, and all that is mounted, as the kernel lists them.
    fn groups_and_mounts(&self) -> Option<Cow<'static, (String, String)>> {
        static KEPT: OnceLock<Option<(String, String)>> = OnceLock::new();
        let read =
            || Some((self.read("/proc/self/cgroup")?, self.read("/proc/self/mountinfo").unwrap_or_default()));
        if self.is_real {
            return KEPT.get_or_init(read).as_ref().map(Cow::Borrowed);
        }
        read().map(Cow::Owned)
    }

    /// The value of the first line `key : value` whose key is one of `keys`, reading no further.
    fn field(&self, path: &str, keys: &[&str]) -> Option<String> {
        let file = File::open(self.below_root(path)).ok()?;
        BufReader::new(file).split(b'\n').map_while(Result::ok).find_map(|line| {
            let line = String::from_utf8_lossy(&line);
            let (key, value) = line.split_once(':')?;
            keys.contains(&key.trim()).then(|| value.trim().to_owned())
        })
    }

    /// The names in a folder; none where it cannot be read.
    fn names(&self, path: &str) -> Vec<String> {
        let entries = fs::read_dir(self.below_root(path)).into_iter().flatten().flatten();
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
    }

    /// An environment variable, if it is set and is Unicode.
    fn variable(&self, name: &str) -> Option<String> {
        (self.env)(name)
    }

    fn below_root(&self, path: &str) -> PathBuf {
        self.root.join(path.trim_start_matches('/'))
    }
}

/// The number behind `name` in `text`, of lines `name number`.
fn number(text: &str, name: &str) -> Option<u64> {
    let mut lines = text.lines().filter_map(|line| line.split_once(' '));
    lines.find(|(key, _)| *key == name)?.1.trim().parse().ok()
}

/// The threads of the whole machine that run or are ready to run, and all that there are:
/// `1/83` in `3.00 0.14 0.05 1/83 3878`.
fn threads(loadavg: &str) -> Option<(u64, u64)> {
    let (running, all) = loadavg.split_whitespace().nth(3)?.split_once('/')?;
    Some((running.parse().ok()?, all.parse().ok()?))
}

/// Machines that exist only in a temporary directory.
#[cfg(test)]
mod made_up {
    use super::*;
    use tempfile::TempDir;

    /// A machine of the given files and variables.
    pub(in crate::host) struct Machine {
        root: TempDir,
        variables: Vec<(String, String)>,
    }

    impl Machine {
        pub(in crate::host) fn new(files: &[(&str, &str)]) -> Self {
            let root = tempfile::tempdir().unwrap();
            let variables = Vec::new();
            let machine = Self { root, variables };
            for (path, text) in files {
                machine.write(path, text.as_bytes());
            }
            machine
        }

        pub(in crate::host) fn write(&self, path: &str, bytes: &[u8]) {
            let path = self.root.path().join(path.trim_start_matches('/'));
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }

        pub(in crate::host) fn with_variable(mut self, name: &str, value: &str) -> Self {
            self.variables.push((name.to_owned(), value.to_owned()));
            self
        }

        /// Shows this machine to `look`.
        pub(in crate::host) fn see<T>(&self, look: impl FnOnce(&System<'_>) -> T) -> T {
            let env = |name: &str| {
                let mut variables = self.variables.iter();
                variables.find_map(|(key, value)| (key == name).then(|| value.clone()))
            };
            look(&System::new(self.root.path(), &env))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::made_up::Machine;

    #[test]
    fn a_field_is_found_by_its_whole_key() {
        let cpuinfo = "model\t\t: 2\nmodel name\t: A : B\nmodel name\t: C\n";
        let machine = Machine::new(&[("/proc/cpuinfo", cpuinfo)]);
        let field = |keys: &[&str]| machine.see(|system| system.field("/proc/cpuinfo", keys));
        assert_eq!(field(&["Model", "model name"]), Some("A : B".to_owned()));
        assert_eq!(field(&["Hardware"]), None);
    }

    #[test]
    fn a_name_in_strange_bytes_does_not_hide_the_lines_after_it() {
        let machine = Machine::new(&[]);
        machine.write("/proc/self/status", b"Name:\t\xff\nThreads:\t1\n");
        let threads = machine.see(|system| system.field("/proc/self/status", &["Threads"]));
        assert_eq!(threads, Some("1".to_owned()));
        let text = machine.see(|system| system.read("/proc/self/status"));
        assert!(text.unwrap().ends_with("Threads:\t1"));
    }

    #[test]
    fn a_file_that_is_not_there_is_none() {
        let machine = Machine::new(&[("/proc/there", " text\n")]);
        assert_eq!(machine.see(|system| system.read("/proc/there")), Some("text".to_owned()));
        assert_eq!(machine.see(|system| system.read("/proc/missing")), None);
    }
}
