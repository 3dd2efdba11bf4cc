//! A command that ended, and everything there is to know about it.

use std::fmt::Write as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

/// A command that ended.
pub(crate) struct Ran {
    pub(super) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(super) command: String,
    pub(super) folder: PathBuf,
}

impl Ran {
    /// What `run` gave once it `holds`, or for the last of some times: what is told
    /// of times depends on what else the machine does meanwhile.
    pub(crate) fn at_best(run: impl Fn() -> Self, holds: impl Fn(&Self) -> bool) -> Self {
        (1..30).map(|_| run()).find(holds).unwrap_or_else(&run)
    }

    /// Fails with everything there is to know unless `holds`.
    #[track_caller]
    pub(crate) fn expect(&self, holds: bool, expected: &str) -> &Self {
        assert!(holds, "expected {expected}\n{}", self.told());
        self
    }

    #[track_caller]
    pub(crate) fn exits(&self, status: i32) -> &Self {
        self.expect(self.status.code() == Some(status), &format!("exit status {status}"))
    }

    /// Whether it ended by itself with this status.
    pub(crate) fn has_exited(&self, status: i32) -> bool {
        self.status.code() == Some(status)
    }

    /// The signal that ended it.
    pub(crate) fn signal(&self) -> Option<i32> {
        self.status.signal()
    }

    #[track_caller]
    pub(crate) fn ends_by_signal(&self, signal: i32) -> &Self {
        self.expect(self.signal() == Some(signal), &format!("an end by signal {signal}"))
    }

    #[track_caller]
    pub(crate) fn says(&self, text: &str) -> &Self {
        self.expect(self.stdout.contains(text), &format!("{text:?} on stdout"))
    }

    #[track_caller]
    pub(crate) fn does_not_say(&self, text: &str) -> &Self {
        self.expect(!self.stdout.contains(text), &format!("no {text:?} on stdout"))
    }

    #[track_caller]
    pub(crate) fn tells(&self, text: &str) -> &Self {
        self.expect(self.stderr.contains(text), &format!("{text:?} on stderr"))
    }

    /// Nothing at all on stderr.
    #[track_caller]
    pub(crate) fn is_quiet(&self) -> &Self {
        self.expect(self.stderr.is_empty(), "nothing on stderr")
    }

    /// Status 255, nothing on stdout, and one line on stderr that holds `text`.
    #[track_caller]
    pub(crate) fn refuses(&self, text: &str) -> &Self {
        self.exits(255).tells_one_line(text).expect(self.stdout.is_empty(), "nothing on stdout")
    }

    /// One line on stderr, from parsim, that holds `text`.
    #[track_caller]
    pub(crate) fn tells_one_line(&self, text: &str) -> &Self {
        let one = self.stderr.lines().count() == 1 && self.stderr.starts_with("parsim: ");
        self.expect(one && self.stderr.contains(text), &format!("one line on stderr with {text:?}"))
    }

    fn told(&self) -> String {
        let mut tree = String::new();
        draw_tree(&self.folder, 1, &mut tree);
        format!(
            "command: {}\ncwd: {}\n{tree}status: {}\nstdout:\n{}\nstderr:\n{}",
            self.command,
            self.folder.display(),
            self.status,
            self.stdout,
            self.stderr
        )
    }
}

fn draw_tree(folder: &Path, depth: usize, tree: &mut String) {
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        let indent = "  ".repeat(depth);
        let length = path.symlink_metadata().map_or(0, |entry| entry.len());
        writeln!(tree, "{indent}{} ({length} bytes)", path.file_name().unwrap().display()).unwrap();
        if path.is_dir() && !path.is_symlink() {
            draw_tree(&path, depth + 1, tree);
        }
    }
}
