//! When two paths are one place: stdout, a stream, a file by several names, a file that is
//! yet to be; and that no two outputs of a run go to one.
//!
//! Does not know what is written there.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::exit::{Fault, refuse};
use super::flags::Export;
use crate::whole_file::{behind_links, folder};

/// Where something is to go, and the option that says so, without its hyphens.
pub(super) type OutputPlace<'a> = (&'a str, &'a Path);

/// The places of `exports`.
pub(super) fn of_exports(exports: &[Export]) -> impl Iterator<Item = OutputPlace<'_>> {
    exports.iter().map(|Export { row, path }| (row.option, path.as_path()))
}

/// Refuses two outputs to one place: the later one would take the other's, or
/// follow it.
pub(super) fn check_apart<'a>(places: impl IntoIterator<Item = OutputPlace<'a>>) -> Result<(), Fault> {
    let mut known: Vec<(&str, PlaceId)> = Vec::new();
    for (option, path) in places {
        let Some(id) = PlaceId::of(path) else { continue };
        if let Some((other, _)) = known.iter().find(|(_, known)| *known == id) {
            let place = if id == PlaceId::Stdout { "stdout".to_owned() } else { path.display().to_string() };
            return refuse(format!("--{other} and --{option} both go to {place}: name a file for each"));
        }
        known.push((option, id));
    }
    Ok(())
}

/// Where a target is, by whichever name.
#[derive(PartialEq)]
enum PlaceId {
    Stdout,
    /// By device and inode.
    Stream((u64, u64)),
    File(PathBuf),
}

impl PlaceId {
    /// `None` for the device that has room for everything.
    fn of(path: &Path) -> Option<Self> {
        if is_stdout(path) {
            return Some(Self::Stdout);
        }
        if let Some(stream) = identity(path).filter(|_| !path.is_file()) {
            return (Some(stream) != identity(Path::new("/dev/null"))).then_some(Self::Stream(stream));
        }
        // A file that is yet to be is told by its folder.
        let path = behind_links(path);
        let new = || Some(fs::canonicalize(folder(&path)).ok()?.join(path.file_name()?));
        Some(Self::File(fs::canonicalize(&path).ok().or_else(new).unwrap_or(path)))
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

/// What a file is to the system, whatever it is called: device and inode; `None` where there is none.
pub(super) fn identity(path: &Path) -> Option<(u64, u64)> {
    fs::metadata(path).map(|target| (target.dev(), target.ino())).ok()
}
