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
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use serde::{Deserialize, Serialize};

pub(super) use self::client::FilesComing;
pub(super) use self::here::{BaseFiles, HostFiles};

/// How much of a file passes at a time.
const PIECE: usize = 512 << 10;

/// Asked by whoever does a job, of the process that the user started.
#[derive(Debug, Serialize, Deserialize)]
enum FileQuestion {
    /// A file's bytes from there on.
    Piece { file: FileNumber, from: u64 },
    /// Whether the file that comes back as this one is to come.
    Offer { fetched: usize, stamp: FileStamp },
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

/// Opens a file that is to be passed on. What is no file might never end, or never begin: it
/// is looked at before, and again in case something else has taken its place.
fn opened(path: &Path) -> io::Result<(File, FileStamp)> {
    let only_files = |data: Metadata| {
        let why = "not a file, and only files are passed on";
        if data.is_file() { Ok(data) } else { Err(io::Error::other(why)) }
    };
    only_files(fs::metadata(path)?)?;
    let file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path)?;
    let stamp = FileStamp::of(&only_files(file.metadata()?)?);
    Ok((file, stamp))
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
