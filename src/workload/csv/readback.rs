//! What was written, read back from the disk: as bytes to be compared, and as
//! the data it should be.

use std::io;
use std::path::Path;

use anyhow::{Context as _, ensure};

use super::options::Shape;
use crate::numbers;
use crate::process::{Interrupt, Uninterrupted};
use crate::task::Digest;
use crate::workload::file_digest;

/// A file larger than this is not read as data: that takes longer than writing it.
const MOST_VERIFIED: u64 = 16 << 20;

/// The digest of the file at `path`; `None` when interrupted.
///
/// # Errors
/// When it is missing, no file, or cannot be read.
pub(super) fn digest(path: &Path, interrupt: &Interrupt) -> io::Result<Option<Digest>> {
    // A pipe in the way would be waited for.
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    file_digest(path, interrupt)
}

/// Reads the file at `path` as CSV: as many rows and columns as asked for, and
/// a number in each. `None` when it is too large for that, or holds nothing.
pub(super) fn verify(path: &Path, shape: Shape) -> anyhow::Result<Option<String>> {
    let unread = || format!("cannot read {}", path.display());
    let length = std::fs::metadata(path).with_context(unread)?.len();
    if length > MOST_VERIFIED || shape.values() == 0 {
        return Ok(None);
    }
    let file = Uninterrupted(std::fs::File::open(path).with_context(unread)?);
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(file);
    let mut rows = 0;
    let mut record = csv::ByteRecord::new();
    while reader.read_byte_record(&mut record).with_context(unread)? {
        rows += 1;
        let place = || format!("{} row {rows}", path.display());
        ensure!(
            record.len() as u64 == shape.cols,
            "{}: {} columns instead of {}",
            place(),
            record.len(),
            shape.cols
        );
        for field in &record {
            let number = std::str::from_utf8(field).ok().and_then(|text| text.parse::<f64>().ok());
            ensure!(number.is_some(), "{}: {:?} is not a number", place(), String::from_utf8_lossy(field));
        }
    }
    ensure!(rows == shape.rows, "{}: {rows} rows instead of {}", path.display(), shape.rows);
    let (rows, cols) = (numbers::count(shape.rows), numbers::count(shape.cols));
    Ok(Some(format!("{} read back as {rows} x {cols} numbers", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verified(content: &str, rows: u64, cols: u64) -> Result<Option<String>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.csv");
        std::fs::write(&path, content).unwrap();
        verify(&path, Shape { rows, cols }).map_err(|error| format!("{error:#}"))
    }

    #[test]
    fn a_sound_file_is_told_with_its_size() {
        let told = verified("1,2,3\n4,5,6e+01\n", 2, 3).unwrap().unwrap();
        assert!(told.ends_with("x.csv read back as 2 x 3 numbers"), "{told}");
    }

    #[test]
    fn missing_rows_columns_and_numbers_are_found() {
        assert!(verified("1,2\n", 2, 2).unwrap_err().contains("1 rows instead of 2"));
        assert!(verified("1,2\n3,4,5\n", 2, 2).is_err());
        assert!(verified("1,x\n", 1, 2).unwrap_err().contains("\"x\" is not a number"));
    }
}
