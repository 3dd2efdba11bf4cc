//! Where things are in a run directory, and whether it may be trusted.
//!
//! ```text
//! run.json         what is run and how, with secrets; made before anybody is asked to work
//! tasks, tasks.index, tasks.end   the tasks, where each begins, and how many there are
//! jobs             what was submitted, a line each
//! claims/17        "START END WORKER": claim 17 begins where 16 ends; 17.1, 17.2: later owners
//! free/8-12-3r0    tasks 8 to 11 and what they were a part of, given back by worker 3r0; free/8-12-3r0.1 ...: its owners
//! done/NAME        all of that claim is recorded or was given back
//! hb/3r0           a counter that worker 0 of element 3 renews as long as it lives
//! dead/3r0         the worker will record nothing more
//! seg/3r0.0        what worker 3r0 recorded; append-only, one writer
//! accepted         the tasks whose results were handed on
//! stop/3           element 3 is to claim nothing more
//! cancelled/NAME   somebody cancelled the run: whoever waits for it starts no more elements
//! client.lock      held by the one client
//! log/ bin/ files/ what elements print, the program, what tasks share
//! ```
//!
//! Knows nothing of what stands in these files.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::ops::Range;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};

use crate::temporary::random;

/// The folders in a run directory.
const FOLDERS: [&str; 11] =
    ["claims", "free", "done", "hb", "dead", "seg", "stop", "cancelled", "log", "bin", "files"];

/// A run directory.
#[derive(Clone, Debug)]
pub(super) struct RunLayout {
    root: PathBuf,
}

impl RunLayout {
    /// Makes one at `root`, which nobody else can read.
    ///
    /// # Errors
    /// When there is something already, or it cannot be made.
    pub(super) fn create(root: &Path) -> anyhow::Result<Self> {
        Self::create_with(root, |from, to| fs::hard_link(from, to))
    }

    /// The same where files are linked by `link`.
    fn create_with(root: &Path, link: impl Fn(&Path, &Path) -> io::Result<()>) -> anyhow::Result<Self> {
        let make = |path: &Path| DirBuilder::new().mode(0o700).create(path);
        let shown = root.display();
        let mut is_new = true;
        match make(root) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                let is_empty = fs::read_dir(root).is_ok_and(|mut entries| entries.next().is_none());
                ensure!(is_empty, "{shown} is not empty: give a new --run-dir, or go on with parsim resume");
                check_owner(root)?;
                is_new = false;
            }
            result => result.with_context(|| format!("cannot make the run directory {shown}"))?,
        }
        let root = fs::canonicalize(root).with_context(|| format!("cannot find {shown} again"))?;
        let layout = Self { root };
        let result = FOLDERS.iter().try_for_each(|folder| {
            make(&layout.path(folder)).with_context(|| format!("cannot make {folder} in {shown}"))
        });
        let result = result.and_then(|()| layout.check_links(link));
        result.inspect_err(|_| {
            // All of it is empty.
            for folder in FOLDERS {
                let _ = fs::remove_dir(layout.path(folder));
            }
            if is_new {
                let _ = fs::remove_dir(&layout.root);
            }
        })?;
        Ok(layout)
    }

    /// The one at `root`.
    ///
    /// # Errors
    /// When it is none, is another user's, or others may write there.
    pub(super) fn open(root: &Path) -> anyhow::Result<Self> {
        let shown = root.display();
        let found =
            fs::canonicalize(root).with_context(|| format!("cannot open the run directory {shown}"))?;
        ensure!(found.join("run.json").exists(), "{shown} is not a run directory: it has no run.json");
        check_owner(&found)?;
        Ok(Self { root: found })
    }

    /// Whether files can be linked there, which is how tasks are claimed.
    fn check_links(&self, link: impl Fn(&Path, &Path) -> io::Result<()>) -> anyhow::Result<()> {
        let (from, to) = (self.claims(".try"), self.claims(".link"));
        let linked = fs::write(&from, "").and_then(|()| link(&from, &to));
        let _ = (fs::remove_file(&from), fs::remove_file(&to));
        linked.with_context(|| {
            format!(
                "files cannot be linked in {}: give a --run-dir on another file system",
                self.root.display()
            )
        })
    }

    /// Nobody removed it under way.
    pub(super) fn check_is_there(&self) -> anyhow::Result<()> {
        let spec = fs::metadata(self.path("run.json"));
        let is_gone = spec.is_err_and(|error| error.kind() == io::ErrorKind::NotFound);
        ensure!(!is_gone, "somebody removed the run directory {}", self.root.display());
        Ok(())
    }

    /// What this directory is to the file system, whatever stands at its path later.
    pub(super) fn identity(&self) -> io::Result<(u64, u64)> {
        let spec = fs::metadata(self.path("run.json"))?;
        Ok((spec.dev(), spec.ino()))
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    fn within(&self, folder: &str, name: &str) -> PathBuf {
        let mut path = self.root.join(folder);
        path.push(name);
        path
    }

    pub(super) fn claims(&self, name: &str) -> PathBuf {
        self.within("claims", name)
    }

    pub(super) fn free(&self, name: &str) -> PathBuf {
        self.within("free", name)
    }

    pub(super) fn done(&self, name: &str) -> PathBuf {
        self.within("done", name)
    }

    pub(super) fn heartbeat(&self, worker: &str) -> PathBuf {
        self.within("hb", worker)
    }

    pub(super) fn dead(&self, worker: &str) -> PathBuf {
        self.within("dead", worker)
    }

    /// The segment `number` of what `worker` records, from 0.
    pub(super) fn segment(&self, worker: &str, number: u32) -> PathBuf {
        self.within("seg", &format!("{worker}.{number}"))
    }

    /// The names in `folder`; those that begin with a dot are nobody's business.
    pub(super) fn names(&self, folder: &str) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(self.root.join(folder))? {
            names.extend(entry?.file_name().into_string().ok().filter(|name| !name.starts_with('.')));
        }
        Ok(names)
    }

    /// The worker will record nothing more.
    pub(super) fn bury(&self, worker: &str) -> io::Result<()> {
        mark(&self.dead(worker))
    }

    /// `elements` are to claim nothing more. That is never taken back, for nodes could see it
    /// all the same for a minute: who goes on starts others.
    ///
    /// # Errors
    /// The first one; the others are told all the same.
    pub(super) fn stop(&self, elements: Range<u32>) -> io::Result<()> {
        let stop = |element: u32| mark(&self.within("stop", &element.to_string()));
        elements.map(stop).fold(Ok(()), Result::and)
    }

    /// Whether `element` is to claim nothing more.
    pub(super) fn is_stopped(&self, element: u32) -> bool {
        self.within("stop", &element.to_string()).exists()
    }

    /// Notes that the run is cancelled, under a name that no earlier time had.
    pub(super) fn cancel(&self) -> io::Result<()> {
        mark(&self.within("cancelled", &format!("{:016x}", random())))
    }

    /// Each time that the run was cancelled, by name.
    pub(super) fn cancels(&self) -> io::Result<Vec<String>> {
        self.names("cancelled")
    }
}

/// Makes an empty file at `path`, unless there is one.
pub(super) fn mark(path: &Path) -> io::Result<()> {
    match private().write(true).create_new(true).open(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// Opens files that nobody else can read.
pub(super) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(0o600);
    options
}

/// Puts `bytes` at `path`, whole, where nothing was.
pub(super) fn put_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let temporary = PathBuf::from(name);
    let mut file: File = private().write(true).create(true).truncate(true).open(&temporary)?;
    file.write_all(bytes)?;
    file.sync_data()?;
    drop(file);
    fs::rename(&temporary, path)
}

/// Whose it is, and who may write there.
fn check_owner(root: &Path) -> anyhow::Result<()> {
    let data = fs::metadata(root).with_context(|| format!("cannot look at {}", root.display()))?;
    let shown = root.display();
    ensure!(data.is_dir(), "{shown} is not a directory");
    // What this process makes is its user's.
    let me = fs::metadata("/proc/self").map_or(data.uid(), |own| own.uid());
    ensure!(data.uid() == me, "{shown} is another user's");
    ensure!(
        data.mode() & 0o022 == 0,
        "others may write to {shown}: chmod 700 it, if you trust what is there"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn where_files_cannot_be_linked_that_is_said_and_nothing_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("run");
        let refused = |_: &Path, _: &Path| Err(io::ErrorKind::Unsupported.into());
        let error = RunLayout::create_with(&root, refused).unwrap_err();
        assert!(error.to_string().contains("give a --run-dir on another file system"), "{error}");
        assert!(!root.exists());
        // What was there is not taken away.
        fs::create_dir(&root).unwrap();
        assert!(RunLayout::create_with(&root, refused).is_err());
        assert_eq!(fs::read_dir(&root).unwrap().count(), 0);
    }

    #[test]
    fn a_directory_is_made_once_and_is_its_users_alone() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("run");
        let layout = RunLayout::create(&root).unwrap();
        assert_eq!(fs::metadata(layout.root()).unwrap().mode() & 0o777, 0o700);
        assert!(RunLayout::create(&root).unwrap_err().to_string().contains("is not empty"));
        assert!(RunLayout::open(&root).unwrap_err().to_string().contains("no run.json"));
        put_whole(&layout.path("run.json"), b"{}").unwrap();
        assert!(RunLayout::open(&root).is_ok());
        fs::set_permissions(&root, fs::Permissions::from_mode(0o770)).unwrap();
        assert!(RunLayout::open(&root).unwrap_err().to_string().contains("others may write"));
    }
}
