//! A file that is whole or absent: written under another name in the same
//! folder, then renamed over its own.
//!
//! A rename costs nothing measurable next to the writing. Not synced to the
//! disk: whole after a crash of the program, not of the machine. What a killed
//! run left half written is removed by the next one that writes in that folder
//! ([`crate::temporary`]). Does not know what the file holds.

mod place;

use std::fs::{self, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, BufRead, BufReader, BufWriter, IntoInnerError, Read, Write};
use std::os::unix::fs::{FileExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

pub use self::place::{FileId, OutputFile, OutputPlace, behind_links, folder, identity, is_stdout};
use crate::process::Uninterrupted;
use crate::sync::patiently;
use crate::temporary::{self, Kind};

/// The text of `source`, all of it; None where that is more than `most` bytes: a
/// device that has no end does not fill the memory.
///
/// # Errors
/// When it cannot be read, or is not UTF-8.
pub fn read_at_most(most: u64, source: impl Read) -> io::Result<Option<String>> {
    let mut text = Vec::new();
    source.take(most + 1).read_to_end(&mut text)?;
    if text.len() as u64 > most {
        return Ok(None);
    }
    String::from_utf8(text).map(Some).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

/// What a file holds, as it is read.
pub type Before<'a> = &'a mut dyn BufRead;

/// What `look` finds in the file at `path`, which is empty where there is none yet: it is
/// left so. Whether [`renew`] could be done is seen on the way.
///
/// # Errors
/// As those of [`renew`].
pub fn look<T>(
    path: &Path,
    most: u64,
    look: impl FnOnce(Before<'_>) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let path = behind_links(path);
    let file = match OpenOptions::new().read(true).write(true).open(&path) {
        Ok(file) => Some(regular(file, most)?),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error.into()),
    };
    // A temporary, and gone again.
    drop(WholeFile::create(&path)?);
    match file {
        Some(file) => look(&mut BufReader::new(Uninterrupted(file))),
        None => look(&mut io::empty()),
    }
}

/// `file`, which is to be a regular one of at most so many bytes.
fn regular(file: File, most: u64) -> anyhow::Result<File> {
    let metadata = file.metadata()?;
    anyhow::ensure!(metadata.is_file(), "not a regular file");
    anyhow::ensure!(metadata.len() <= most, "more than {} MiB", most >> 20);
    Ok(file)
}

/// Puts in the place of the file at `path` what `renew` reads there, which is nothing where
/// there is none yet, and writes, while nobody else does the same; what else `renew` gives.
///
/// # Errors
/// When it cannot be read or written, is more than `most` bytes, another program has its
/// lock, or `renew` fails: it is then left as it was.
pub fn renew<T>(
    path: &Path,
    most: u64,
    renew: impl FnOnce(Before<'_>, &mut dyn Write) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let path = behind_links(path);
    let file = loop {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path)?;
        // A file system without locks does without.
        if let Err(TryLockError::WouldBlock) = patiently(|| file.try_lock()) {
            anyhow::bail!("it is in use by another program: try again when that has ended");
        }
        // Who had the lock before may have put another file in its place.
        if fs::metadata(&path).is_ok_and(|there| is_same(&file, &there)) {
            break file;
        }
    };
    // The lock is held until this is dropped.
    let mut before = BufReader::new(Uninterrupted(regular(file, most)?));
    let mut after = BufWriter::new(WholeFile::create(&path)?);
    let given = renew(&mut before, &mut after)?;
    after.into_inner().map_err(IntoInnerError::into_error)?.commit()?;
    Ok(given)
}

fn is_same(file: &File, there: &fs::Metadata) -> bool {
    file.metadata().is_ok_and(|it| (it.dev(), it.ino()) == (there.dev(), there.ino()))
}

/// A file being written. Dropped without [`WholeFile::commit`], it vanishes.
#[derive(Debug)]
pub struct WholeFile {
    target: PathBuf,
    temporary: PathBuf,
    /// Whether the temporary has its own name now.
    committed: bool,
    file: File,
}

impl WholeFile {
    /// Opens the temporary beside `target`.
    ///
    /// # Errors
    /// When the folder is missing or not writable, or a directory has the
    /// target's name (which a rename would only find out at the end).
    pub fn create(target: &Path) -> io::Result<Self> {
        let name = target.file_name().unwrap_or_default().to_string_lossy();
        let whole = Self::create_as(target, &name, 0o666)?;
        temporary::sweep(target.parent().unwrap_or(Path::new("")));
        whole.take_permissions();
        Ok(whole)
    }

    /// As [`Self::create`], with the folders that lead to `target` where there are
    /// none yet.
    ///
    /// # Errors
    /// As [`Self::create`], and when a folder cannot be made.
    pub fn create_with_folders(target: &Path) -> io::Result<Self> {
        match Self::create(target) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let folder = target.parent().unwrap_or(Path::new(""));
                fs::create_dir_all(folder)?;
                temporary::take_for_empty(folder);
                let name = target.file_name().unwrap_or_default().to_string_lossy();
                Self::create_as(target, &name, 0o666)
            }
            created => created,
        }
    }

    /// As [`Self::create`], for nobody else to read, and in a folder where others
    /// may make files: the temporary does not tell the name to come.
    ///
    /// # Errors
    /// As [`Self::create`].
    pub fn create_private(target: &Path) -> io::Result<Self> {
        let whole = Self::create_as(target, "par", 0o600)?;
        temporary::sweep(target.parent().unwrap_or(Path::new("")));
        Ok(whole)
    }

    fn create_as(target: &Path, label: &str, mode: u32) -> io::Result<Self> {
        if target.is_dir() {
            return Err(io::Error::new(io::ErrorKind::IsADirectory, "a directory has this name"));
        }
        if target.file_name().is_none() || target.as_os_str().as_encoded_bytes().ends_with(b"/") {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not the name of a file"));
        }
        let temporary = target.with_file_name(temporary::fresh_name(label, Kind::Locked));
        let file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&temporary)?;
        // Held as long as it is written. A file system without locks does without.
        let _ = file.try_lock();
        Ok(Self { target: target.to_owned(), temporary, committed: false, file })
    }

    /// What takes a file's place may be read and written by the same people.
    fn take_permissions(&self) {
        let Ok(replaced) = fs::symlink_metadata(&self.target) else { return };
        if replaced.is_file() {
            // Some file systems have no permissions to be set.
            let _ = self.file.set_permissions(Permissions::from_mode(replaced.mode() & 0o777));
        }
    }

    /// Writes all of `bytes` from `offset` on, which several threads may do at
    /// a time.
    ///
    /// # Errors
    /// When not all of them could be written.
    pub fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.file.write_all_at(bytes, offset)
    }

    /// It has the permissions and the time of change of another file, which it is a copy of.
    ///
    /// # Errors
    /// When these cannot be set.
    pub fn take_after(&self, mode: u32, modified: (i64, i64)) -> io::Result<()> {
        self.file.set_permissions(Permissions::from_mode(mode & 0o777))?;
        let seconds = u64::try_from(modified.0).unwrap_or_default();
        let nanoseconds = u32::try_from(modified.1).unwrap_or_default();
        self.file.set_modified(UNIX_EPOCH + Duration::new(seconds, nanoseconds.min(999_999_999)))
    }

    /// What was written so far, to be read, and another file to take the same place.
    ///
    /// # Errors
    /// When there can be none.
    pub fn again(&self) -> io::Result<(File, Self)> {
        Ok((File::open(&self.temporary)?, Self::create(&self.target)?))
    }

    /// Gives the file its own name, replacing what had it.
    ///
    /// # Errors
    /// When the rename fails; the temporary is then removed.
    pub fn commit(mut self) -> io::Result<()> {
        fs::rename(&self.temporary, &self.target)?;
        self.committed = true;
        Ok(())
    }
}

impl Write for WholeFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for WholeFile {
    fn drop(&mut self) {
        if !self.committed {
            // Nothing better can be done with an error here than to leave the file.
            let _ = fs::remove_file(&self.temporary);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_appears_whole_on_commit_and_not_before() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("x.csv");
        let mut file = WholeFile::create(&target).unwrap();
        file.write_all(b"1,2\n").unwrap();
        assert!(!target.exists());
        file.commit().unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"1,2\n");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_dropped_file_leaves_nothing_and_keeps_the_old_one() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("x.csv");
        fs::write(&target, "old").unwrap();
        let mut file = WholeFile::create(&target).unwrap();
        file.write_all(b"half").unwrap();
        drop(file);
        assert_eq!(fs::read(&target).unwrap(), b"old");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_replaces_another_has_its_permissions() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("x.json");
        for mode in [0o600, 0o664, 0o444] {
            fs::write(&target, "old").unwrap();
            fs::set_permissions(&target, Permissions::from_mode(mode)).unwrap();
            let mut file = WholeFile::create(&target).unwrap();
            file.write_all(b"new").unwrap();
            file.commit().unwrap();
            assert_eq!(fs::metadata(&target).unwrap().mode() & 0o777, mode);
            assert_eq!(fs::read(&target).unwrap(), b"new");
            fs::remove_file(&target).unwrap();
        }
    }

    #[test]
    fn renewed_by_many_at_once_a_file_has_what_each_of_them_did() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("count");
        let once = || {
            renew(&target, 100, |before, after| {
                let count = io::read_to_string(before)?.parse().unwrap_or(0) + 1;
                write!(after, "{count}")?;
                Ok(count)
            })
        };
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..25).for_each(|_| assert!(once().is_ok())));
            }
        });
        assert_eq!(once().unwrap(), 101);
        assert!(renew(&target, 2, |_, _| Ok(())).is_err(), "three digits are too many");
        assert_eq!(fs::read(&target).unwrap(), b"101");
    }

    #[test]
    fn what_another_program_uses_is_not_renewed_and_links_stay_links() {
        let folder = tempfile::tempdir().unwrap();
        let (target, link) = (folder.path().join("state"), folder.path().join("link"));
        std::os::unix::fs::symlink("state", &link).unwrap();
        let put =
            |text: &'static str| renew(&link, 100, move |_, after| Ok(after.write_all(text.as_bytes())?));
        assert!(look(&link, 100, |before| Ok(before.fill_buf()?.is_empty())).unwrap());
        assert!(!target.exists(), "what is looked at is not made");
        put("one").unwrap();
        assert!(link.is_symlink());
        let other = File::open(&target).unwrap();
        other.lock().unwrap();
        assert!(put("two").unwrap_err().to_string().contains("in use by another program"));
        drop(other);
        put("three").unwrap();
        assert_eq!((fs::read(&target).unwrap(), link.is_symlink()), (b"three".to_vec(), true));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn links_are_followed_to_a_file_that_is_yet_to_be_and_round_in_circles_to_nowhere() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("there")).unwrap();
        for (link, target) in [("a", "b"), ("b", "there/new"), ("x", "y"), ("y", "x")] {
            std::os::unix::fs::symlink(target, at(link)).unwrap();
        }
        assert_eq!(behind_links(&at("a")), at("there/new"));
        assert_eq!(behind_links(&at("x")), at("x"));
        assert_eq!(behind_links(Path::new("plain")), Path::new("plain"));
    }

    #[test]
    fn pieces_may_be_written_in_any_order() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("x.csv");
        let file = WholeFile::create(&target).unwrap();
        file.write_all_at(b"cd", 2).unwrap();
        file.write_all_at(b"ab", 0).unwrap();
        file.commit().unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"abcd");
    }

    #[test]
    fn a_temporary_is_held_while_it_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let file = WholeFile::create(&folder.path().join("x.csv")).unwrap();
        let other = File::open(&file.temporary).unwrap();
        assert!(matches!(other.try_lock(), Err(fs::TryLockError::WouldBlock)));
        drop(file);
        other.try_lock().unwrap();
    }

    #[test]
    fn a_private_file_is_read_by_nobody_else_and_its_name_is_not_known_before() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("secret.par");
        let file = WholeFile::create_private(&target).unwrap();
        let temporary = file.temporary.to_string_lossy().into_owned();
        assert!(!temporary.contains("secret"), "{temporary}");
        assert_eq!(fs::metadata(&temporary).unwrap().mode() & 0o777, 0o600);
        file.commit().unwrap();
        assert_eq!(fs::metadata(&target).unwrap().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_directory_in_the_way_is_told_before_anything_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let error = WholeFile::create(folder.path()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::IsADirectory);
    }
}
