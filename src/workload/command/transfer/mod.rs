//! Files that go to another machine before a job and come back behind it:
//! `--transferfile`, `--return`, `--basefile`, `--cleanup`.
//!
//! They pass as answers to what the job's worker asks: `here` asks and writes on the other
//! machine, `client` answers, and writes only files that it named itself. Names are GNU
//! parallel's: relative to the working directory there, absolute ones the same on both
//! sides, and what stands before `/./` is this side's alone.

mod client;
mod here;

use std::ffi::OsStr;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};

pub(super) use super::settings::PathBytes;
use crate::process;
use crate::whole_file::WholeFile;

pub(super) use self::client::FilesComing;
pub(super) use self::here::{BaseFiles, HostFiles};

/// How much of a file passes at a time.
const PIECE: usize = 512 << 10;

/// Asked by whoever does a job, of the process that the user started.
#[derive(Debug, Serialize, Deserialize)]
enum FileQuestion {
    /// A file's bytes from there on; or those of a file in a folder.
    Piece { file: FileNumber, within: Option<PathBytes>, from: u64 },
    /// Whether the file that comes back as this one is to come, or one in such a folder.
    Offer { fetched: usize, within: Option<PathBytes>, stamp: FileStamp },
    /// Here are its bytes from there on, in base 64.
    Take { fetched: usize, from: u64, bytes: String, is_last: bool },
}

/// Which of the files that are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum FileNumber {
    Base(usize),
    Sent(usize),
}

/// What is answered.
#[derive(Debug, Serialize, Deserialize)]
enum FileAnswer {
    Piece {
        stamp: FileStamp,
        /// In base 64.
        bytes: String,
        is_last: bool,
    },
    /// It is a folder, with these files in it.
    Folder(Vec<PathBytes>),
    /// Go on.
    Yes,
    /// It is there: it is the same file.
    Same,
    /// It cannot be, for this reason.
    No(String),
}

/// What tells a file from every other that is not the same one, seen from two machines that
/// may share it: nothing else is changed in the same nanosecond, as long, and has the number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct FileStamp {
    inode: u64,
    length: u64,
    changed: (i64, i64),
    modified: (i64, i64),
    mode: u32,
}

impl FileStamp {
    fn of(data: &Metadata) -> Self {
        Self {
            inode: data.ino(),
            length: data.len(),
            changed: (data.ctime(), data.ctime_nsec()),
            modified: (data.mtime(), data.mtime_nsec()),
            mode: data.mode() & 0o777,
        }
    }

    /// Whether `path` is that very file.
    fn is_at(&self, path: &Path) -> bool {
        std::fs::metadata(path).is_ok_and(|data| Self::of(&data) == *self)
    }
}

/// Folders with more files than this are not passed on.
const MOST_FILES: usize = 100_000;

/// The files in a folder and in those in it, without what links lead to.
///
/// # Errors
/// When they cannot be listed, or are too many.
fn files_in(folder: &Path) -> io::Result<Vec<PathBytes>> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(within) = folders.pop() {
        for entry in fs::read_dir(folder.join(&within))? {
            let entry = entry?;
            let (path, kind) = (within.join(entry.file_name()), entry.file_type()?);
            if kind.is_dir() {
                folders.push(path);
            } else if kind.is_file() {
                found.push(path.into_os_string().into_vec());
            }
            if found.len() + folders.len() > MOST_FILES {
                return Err(io::Error::other(format!("a folder of more than {MOST_FILES} files")));
            }
        }
    }
    found.sort();
    Ok(found)
}

/// The place of a file in `folder`, if that is what `within` names: no way leads out of the
/// folder, up or by a link.
fn place_within(folder: &Path, within: Option<&PathBytes>) -> Option<PathBuf> {
    let Some(within) = within else { return Some(folder.to_owned()) };
    let within = Path::new(OsStr::from_bytes(within));
    let mut place = folder.to_owned();
    for component in within.components() {
        let Component::Normal(name) = component else { return None };
        place.push(name);
        if fs::symlink_metadata(&place).is_ok_and(|data| data.is_symlink()) {
            return None;
        }
    }
    (place != folder).then_some(place)
}

/// Begins to write a file that comes from the other side.
///
/// # Errors
/// When it cannot be written, or somebody else's link would say where it goes.
fn created(path: &Path) -> io::Result<WholeFile> {
    refuse_others_links(path)?;
    WholeFile::create_with_folders(path)
}

/// Refuses a path that leads through somebody else's link: neither who runs this made it nor
/// the system, and files must not land where that person chose. Those of one's own lead where
/// they are meant to, as where a folder is kept on a larger disk. (rsync, and with it GNU
/// parallel, puts a folder in the place of either.)
///
/// # Errors
/// When there is such a link.
fn refuse_others_links(path: &Path) -> io::Result<()> {
    match others_link(path, [process::user(), 0]) {
        Some(link) => Err(io::Error::other(format!("{} is a link that somebody else made", link.display()))),
        None => Ok(()),
    }
}

/// The first link on the way to `path` that belongs to none of the `trusted`.
fn others_link(path: &Path, trusted: [u32; 2]) -> Option<PathBuf> {
    let folders: Vec<&Path> = path.ancestors().skip(1).collect();
    let is_others = |folder: &&&Path| {
        fs::symlink_metadata(folder).is_ok_and(|data| data.is_symlink() && !trusted.contains(&data.uid()))
    };
    folders.iter().rev().find(is_others).map(|folder| folder.to_path_buf())
}

/// What is to be passed on.
enum Opened {
    File(File, FileStamp),
    /// With these files.
    Folder(Vec<PathBytes>),
}

/// Opens what is to be passed on. What is neither a file nor a folder might never end, or never
/// begin: it is looked at before, and again in case something else has taken its place.
///
/// # Errors
/// When it is none, or cannot be read.
fn opened(path: &Path) -> io::Result<Opened> {
    let only_files = |data: Metadata| {
        if data.is_file() { Ok(data) } else { Err(io::Error::other("neither a file nor a folder")) }
    };
    let data = fs::metadata(path)?;
    if data.is_dir() {
        return Ok(Opened::Folder(files_in(path)?));
    }
    only_files(data)?;
    let file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path)?;
    let stamp = FileStamp::of(&only_files(file.metadata()?)?);
    Ok(Opened::File(file, stamp))
}

/// What a file is called on the other machine: the part behind `/./`, if there is one.
fn name_there(name: &[u8]) -> &Path {
    const CUT: &[u8] = b"/./";
    let cut = name.windows(CUT.len()).position(|window| window == CUT);
    Path::new(OsStr::from_bytes(cut.map_or(name, |at| &name[at + CUT.len()..])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_before_a_cut_is_this_sides_alone() {
        let name = |text: &str| name_there(text.as_bytes()).to_str().unwrap().to_owned();
        assert_eq!(name("a/b"), "a/b");
        assert_eq!(name("/a/b"), "/a/b");
        assert_eq!(name("/data/./x/y"), "x/y");
        assert_eq!(name("./x"), "./x");
    }

    #[test]
    fn no_name_leads_out_of_a_folder() {
        let around = tempfile::tempdir().unwrap();
        let folder = around.path().join("folder");
        fs::create_dir_all(folder.join("in/it")).unwrap();
        fs::write(folder.join("in/it/file"), "x").unwrap();
        std::os::unix::fs::symlink("/etc", folder.join("link")).unwrap();
        assert_eq!(files_in(&folder).unwrap(), [b"in/it/file".to_vec()]);
        let place = |name: &str| place_within(&folder, Some(&name.as_bytes().to_vec()));
        assert_eq!(place("in/new"), Some(folder.join("in/new")));
        for name in ["../x", "/etc/passwd", "in/../../x", "link/passwd", "link", ""] {
            assert_eq!(place(name), None, "{name}");
        }
        assert_eq!(place_within(&folder, None), Some(folder));
    }

    #[test]
    fn no_file_goes_where_somebody_elses_link_leads() {
        let around = tempfile::tempdir().unwrap();
        fs::create_dir_all(around.path().join("disk/in")).unwrap();
        let link = around.path().join("link");
        std::os::unix::fs::symlink("disk", &link).unwrap();
        let owner = fs::symlink_metadata(&link).unwrap().uid();
        let [own, others] = [owner, owner + 1];
        for name in ["link/x", "link/in/x", "link/new/x"] {
            let path = around.path().join(name);
            assert_eq!(others_link(&path, [own, own]), None);
            assert_eq!(others_link(&path, [others, others]), Some(link.clone()), "{name}");
        }
        // The link itself is replaced, and leads nowhere any more.
        assert_eq!(others_link(&link, [others, others]), None);
        let mut written = created(&around.path().join("link/new/x")).unwrap();
        std::io::Write::write_all(&mut written, b"x").unwrap();
        written.commit().unwrap();
        assert!(around.path().join("disk/new/x").exists());
    }

    #[test]
    fn a_file_is_the_same_only_as_long_as_nobody_changes_it() {
        let folder = tempfile::tempdir().unwrap();
        let [one, other] = ["one", "other"].map(|name| folder.path().join(name));
        std::fs::write(&one, "x").unwrap();
        std::fs::copy(&one, &other).unwrap();
        let stamp = FileStamp::of(&std::fs::metadata(&one).unwrap());
        assert!(stamp.is_at(&one) && !stamp.is_at(&other));
        std::fs::write(&one, "yy").unwrap();
        assert!(!stamp.is_at(&one));
    }
}
