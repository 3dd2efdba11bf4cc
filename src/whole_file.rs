//! A file that is whole or absent: written under another name in the same
//! folder, then renamed over its own.
//!
//! A rename costs nothing measurable next to the writing. Not synced to the
//! disk: whole after a crash of the program, not of the machine.
//! Does not know what the file holds.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{FileExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

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
        if target.is_dir() {
            return Err(io::Error::new(io::ErrorKind::IsADirectory, "a directory has this name"));
        }
        if target.file_name().is_none() || target.as_os_str().as_encoded_bytes().ends_with(b"/") {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not the name of a file"));
        }
        loop {
            let temporary = temporary_beside(target);
            match OpenOptions::new().write(true).create_new(true).open(&temporary) {
                // Left by a process of the same number that was killed: the next name is free.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
                Ok(file) => {
                    let whole = Self { target: target.to_owned(), temporary, committed: false, file };
                    whole.take_permissions();
                    return Ok(whole);
                }
            }
        }
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

/// Removes what `process`, which was killed, had begun to write in `folder`.
pub fn remove_temporaries(folder: &Path, process: u32) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let middle = name.to_str().and_then(|name| name.strip_prefix('.')?.strip_suffix(".tmp"));
        let ends = middle.and_then(|middle| middle.rsplit_once('.'));
        let number = ends.and_then(|(_, ends)| ends.split_once('-')).map(|(number, _)| number);
        if number.is_some_and(|number| number.parse() == Ok(process)) {
            // Nothing better can be done with an error than to leave the file.
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// A name that no other process or thread uses, hidden, on the same file system.
fn temporary_beside(target: &Path) -> PathBuf {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let number = COUNTER.fetch_add(1, Ordering::Relaxed);
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    // 200 bytes of the name keep the whole below the usual limit of 255.
    let kept: String = name.chars().take(50).collect();
    target.with_file_name(format!(".{kept}.{}-{number}.tmp", std::process::id()))
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
    fn what_a_process_left_half_done_is_removed_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let file = WholeFile::create(&folder.path().join("x.csv")).unwrap();
        for name in ["x.csv", ".y.1-2.tmp", ".z.tmp", ".tmp"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        remove_temporaries(folder.path(), 1);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 4);
        remove_temporaries(folder.path(), std::process::id());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
        drop(file);
    }

    #[test]
    fn a_directory_in_the_way_is_told_before_anything_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let error = WholeFile::create(folder.path()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::IsADirectory);
    }
}
