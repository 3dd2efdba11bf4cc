//! A file that gets a row for each finished task, each in one write behind what
//! is there: what was written stays, whatever becomes of the process.
//!
//! Does not know what a row holds. Not synced to the disk.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::process::Patient;

/// The file.
#[derive(Debug)]
pub struct Rows {
    file: File,
    path: PathBuf,
}

/// What becomes of rows that are in the file already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Earlier {
    /// They go.
    Dropped,
    /// They stay.
    Kept,
    /// They stay, and hold newlines within quotation marks.
    KeptQuoted,
}

impl Rows {
    /// Opens the file at `path`.
    ///
    /// # Errors
    /// When it cannot be written to.
    pub fn open(path: &Path, earlier: Earlier) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        if file.metadata()?.is_file() {
            let length = match earlier {
                Earlier::Dropped => 0,
                Earlier::Kept => end_of_rows(path)?,
                Earlier::KeptQuoted => end_of_quoted_rows(path)?,
            };
            file.set_len(length)?;
        }
        Ok(Self { file, path: path.to_owned() })
    }

    /// Behind what is in `file`, which is open and called `path`.
    #[must_use]
    pub fn behind(file: File, path: &Path) -> Self {
        Self { file, path: path.to_owned() }
    }

    /// Whether there is no row yet, as far as can be told.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.file.metadata().map_or(true, |data| data.len() == 0)
    }

    /// Adds `row`, which ends in a newline.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn put(&self, row: &[u8]) -> anyhow::Result<()> {
        // One write, which no other process's comes between.
        Patient(&self.file).write_all(row).with_context(|| format!("write to {}", self.path.display()))
    }
}

/// Behind the last whole row: one that was cut off is no row, and another must
/// not be written behind it.
fn end_of_rows(path: &Path) -> io::Result<u64> {
    let mut end = fs::metadata(path)?.len();
    let mut file = File::open(path)?;
    let mut block = vec![0; 64 << 10];
    while end > 0 {
        let start = end.saturating_sub(block.len() as u64);
        let length = usize::try_from(end - start).unwrap_or(block.len());
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(&mut block[..length])?;
        if let Some(last) = block[..length].iter().rposition(|&byte| byte == b'\n') {
            return Ok(start + last as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}

/// As [`end_of_rows`], where a newline ends a row only outside quotation marks.
fn end_of_quoted_rows(path: &Path) -> io::Result<u64> {
    let (mut at, mut end, mut is_quoted) = (0_u64, 0, false);
    let mut reader = BufReader::with_capacity(64 << 10, File::open(path)?);
    loop {
        let block = reader.fill_buf()?;
        if block.is_empty() {
            return Ok(end);
        }
        for &byte in block {
            at += 1;
            match byte {
                b'"' => is_quoted = !is_quoted,
                b'\n' if !is_quoted => end = at,
                _ => {}
            }
        }
        let length = block.len();
        reader.consume(length);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_put_behind_the_last_whole_one_or_in_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows");
        for (before, earlier, after) in [
            ("a\nb\ncut o", Earlier::Kept, "a\nb\nnew\n"),
            ("cut off", Earlier::Kept, "new\n"),
            ("a\n", Earlier::Kept, "a\nnew\n"),
            ("a\nb\n", Earlier::Dropped, "new\n"),
            ("a,\"\n\"\nb,\"cut\n", Earlier::KeptQuoted, "a,\"\n\"\nnew\n"),
        ] {
            fs::write(&path, before).unwrap();
            let rows = Rows::open(&path, earlier).unwrap();
            assert_eq!(rows.is_empty(), !after.starts_with('a'));
            rows.put(b"new\n").unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), after);
        }
        let long = "x".repeat(100_000);
        fs::write(&path, format!("a\n{long}")).unwrap();
        Rows::open(&path, Earlier::Kept).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "a\n");
    }
}
