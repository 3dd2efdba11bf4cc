//! Temporaries: files in TMPDIR, one without a name, of which nothing is left whatever
//! becomes of the process, and one with a name for others to open; what those with a name
//! are called, and what becomes of those that a killed run left.
//!
//! A name tells who made it, and nobody can guess it. Does not know what is put
//! there.

mod owner;
mod sweep;

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::hash::{BuildHasher as _, RandomState};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{LazyLock, OnceLock};

use owner::Owner;
pub use sweep::{leave_all, left_to_others, remove_of, remove_own, sweep, take_for_empty};

/// What a temporary is, which is the end of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A file that its maker holds a lock on while it is written: `.tmp`.
    Locked,
    /// A file or a pipe for a job to open, which nobody holds: `.spill`.
    Lent,
    /// A folder for jobs to run in: `.wd`.
    Folder,
}

impl Kind {
    const ALL: [Self; 3] = [Self::Locked, Self::Lent, Self::Folder];

    const fn suffix(self) -> &'static str {
        match self {
            Self::Locked => ".tmp",
            Self::Lent => ".spill",
            Self::Folder => ".wd",
        }
    }
}

/// So many characters of what a name is about stand in it: with four bytes each
/// the whole stays below the usual limit of 255.
const LONGEST_LABEL: usize = 40;

/// A name that nothing has and nobody can guess, hidden, with the beginning of
/// `label` in it.
pub fn fresh_name(label: &str, kind: Kind) -> OsString {
    let label: String = label.chars().take(LONGEST_LABEL).collect();
    format!(".{label}.{}-{:016x}{}", Owner::me(), random(), kind.suffix()).into()
}

/// A number that nobody can guess: a counter under a hash whose key only this
/// process knows.
pub fn random() -> u64 {
    static KEY: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    KEY.hash_one(COUNTER.fetch_add(1, Ordering::Relaxed))
}

/// Who made what is called `name`, and what it is; `None` where that is no name
/// of a temporary, to the letter.
fn parse(name: &str) -> Option<(Owner, Kind)> {
    let middle = name.strip_prefix('.')?;
    let (kind, middle) =
        Kind::ALL.into_iter().find_map(|kind| Some((kind, middle.strip_suffix(kind.suffix())?)))?;
    let (_, made) = middle.rsplit_once('.')?;
    let (owner, random) = made.rsplit_once('-')?;
    (random.len() == 16 && is_hex(random)).then_some(())?;
    Some((Owner::parse(owner)?, kind))
}

/// Digits as they are written in names: no sign, no capitals.
fn is_hex(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f'))
}

/// As global as the variable TMPDIR, whose place it takes: `--tmpdir`.
static FOLDER: OnceLock<PathBuf> = OnceLock::new();

/// From now on files are made in `folder`. Only the first call counts.
pub fn keep_files_in(folder: PathBuf) {
    let _ = FOLDER.set(folder);
}

/// An empty file to be written and read.
///
/// # Errors
/// When there cannot be one in TMPDIR.
pub fn unnamed_file() -> io::Result<File> {
    // Not every kernel and file system has files that never had a name.
    never_named().or_else(|_| no_longer_named())
}

#[cfg(target_os = "linux")]
fn never_named() -> io::Result<File> {
    OpenOptions::new().read(true).write(true).custom_flags(libc::O_TMPFILE).mode(0o600).open(folder())
}

#[cfg(not(target_os = "linux"))]
fn never_named() -> io::Result<File> {
    Err(io::ErrorKind::Unsupported.into())
}

fn no_longer_named() -> io::Result<File> {
    let (path, file) = named_file()?;
    std::fs::remove_file(&path)?;
    Ok(file)
}

/// Where files are made.
fn folder() -> PathBuf {
    FOLDER.get().cloned().unwrap_or_else(std::env::temp_dir)
}

/// An empty file to be written and read, which whoever asks removes.
///
/// # Errors
/// When there cannot be one in TMPDIR.
pub fn named_file() -> io::Result<(PathBuf, File)> {
    let path = free_name();
    let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path)?;
    Ok((path, file))
}

/// A name in TMPDIR that nothing has and nobody can guess.
pub fn free_name() -> PathBuf {
    let folder = folder();
    sweep(&folder);
    folder.join(fresh_name("parsim", Kind::Lent))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::io::{Read as _, Seek as _, Write as _};

    use super::*;

    #[test]
    fn a_name_tells_who_made_it_and_what_it_is() {
        for kind in Kind::ALL {
            for label in ["x.csv", "", "a.b-c", "\u{10ffff}".repeat(300).as_str()] {
                let name = fresh_name(label, kind).into_string().unwrap();
                assert!(name.len() <= 255, "{} bytes", name.len());
                assert_eq!(parse(&name), Some((*Owner::me(), kind)), "{name}");
            }
        }
    }

    #[test]
    fn no_two_names_are_the_same_and_none_follows_from_another() {
        let names: HashSet<OsString> = (0..1000).map(|_| fresh_name("x", Kind::Locked)).collect();
        assert_eq!(names.len(), 1000);
        let gaps: HashSet<u64> = (0..100).map(|_| random().wrapping_sub(random())).collect();
        assert_eq!(gaps.len(), 100);
    }

    #[test]
    fn what_is_not_such_a_name_to_the_letter_is_none() {
        let sound = fresh_name("x", Kind::Locked).into_string().unwrap();
        assert!(parse(&sound).is_some());
        for wrong in [
            "x.csv".to_owned(),
            ".x.tmp".to_owned(),
            ".tmp".to_owned(),
            ".x.csv.123-4.tmp".to_owned(),
            sound[1..].to_owned(),
            format!("{sound}~"),
            sound.to_uppercase(),
            sound.replace('-', "_"),
            sound.replace(".tmp", "0.tmp"),
            sound.replacen(".x.", ".x.+", 1),
        ] {
            assert_eq!(parse(&wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_is_put_into_a_file_without_a_name_comes_back() {
        for make in [unnamed_file, no_longer_named] {
            let mut file = make().unwrap();
            file.write_all(b"bytes").unwrap();
            file.rewind().unwrap();
            let mut text = String::new();
            file.read_to_string(&mut text).unwrap();
            assert_eq!(text, "bytes");
        }
    }
}
