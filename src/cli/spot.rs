//! When two paths are one place: stdout, a stream, a file by several names.
//!
//! Opens nothing; does not know what is written there.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

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
