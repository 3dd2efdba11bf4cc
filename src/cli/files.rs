//! Files that subcommands write: when two paths are one place (stdout, a stream, a
//! file by several names, a file that is yet to be), and what a signal would leave of
//! them where nothing runs that has to be ended first.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::process::signals::{Attendant, Signals, Stir};
use crate::process::{end_by, ending_signals};
use crate::temporary;

/// Where a target is, by whichever name.
#[derive(PartialEq)]
pub(super) enum FileId {
    Stdout,
    Stream(Identity),
    File(PathBuf),
}

impl FileId {
    /// `None` for the device that has room for everything.
    pub(super) fn of(path: &Path) -> Option<Self> {
        if is_stdout(path) {
            return Some(Self::Stdout);
        }
        if let Some(stream) = identity(path).filter(|_| !path.is_file()) {
            return (Some(stream) != identity(Path::new("/dev/null"))).then_some(Self::Stream(stream));
        }
        // A file that is yet to be is told by its folder.
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let new = || Some(fs::canonicalize(folder).ok()?.join(path.file_name()?));
        Some(Self::File(fs::canonicalize(path).ok().or_else(new).unwrap_or_else(|| path.to_owned())))
    }
}

/// Whether stdout is meant.
pub(super) fn is_stdout(path: &Path) -> bool {
    path == Path::new("-") || is_same(path, "/dev/stdout")
}

/// Whether `path` is another name of `stream`: `/dev/fd/1`, the file it is
/// redirected to.
pub(super) fn is_same(path: &Path, stream: &str) -> bool {
    let target = identity(path);
    target.is_some() && target == identity(Path::new(stream)) && path != Path::new("/dev/null")
}

/// Device and inode.
pub(super) type Identity = (u64, u64);

/// What a file is to the system, whatever it is called; `None` where there is none.
pub(super) fn identity(path: &Path) -> Option<Identity> {
    fs::metadata(path).map(|target| (target.dev(), target.ino())).ok()
}

/// Until this is dropped, a signal that ends parsim first has what it is writing in
/// `folders` removed.
///
/// # Errors
/// When the signals cannot be caught.
pub(super) fn removed_by_signals(folders: Vec<PathBuf>) -> anyhow::Result<Attendant> {
    let signals: Vec<i32> = ending_signals().collect();
    let signals = Signals::catch(&signals).context("install the handlers of signals")?;
    let attend = move |stir: Stir| {
        if let Stir::Signal(signal) = stir {
            for folder in &folders {
                temporary::remove_own(folder);
            }
            // It does not come back.
            let _ = end_by(signal);
        }
        None
    };
    Attendant::start(signals, attend).context("start the thread that attends to signals")
}
