//! Files in TMPDIR: one without a name, of which nothing is left whatever becomes
//! of the process, and one with a name for others to open.
//!
//! Does not know what is put there.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;
use std::sync::OnceLock;

use super::{Kind, fresh_name, sweep};

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
#[must_use]
pub fn free_name() -> PathBuf {
    let folder = folder();
    sweep(&folder);
    folder.join(fresh_name("parsim", Kind::Lent))
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Seek as _, Write as _};

    use super::*;

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
