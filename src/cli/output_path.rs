//! When two paths are one place: stdout, a stream, a file by several names, a file
//! that is yet to be.
//!
//! Opens nothing; does not know what is written there.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

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
