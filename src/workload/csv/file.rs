//! One file, written whole by one task.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use super::matrix::{CHUNK, Matrix};
use super::source::Values;
use super::text::Text;
use super::{CsvGen, file_number};
use crate::task::Outcome;
use crate::temporary;
use crate::whole_file::WholeFile;
use crate::workload::Cx;

/// The span of drawing numbers.
pub(super) const DRAW: &str = "draw";
/// The span of making text of them.
pub(super) const TEXT: &str = "text";
/// The span of handing the text to the kernel.
pub(super) const WRITE: &str = "write";

/// Text goes to the kernel in pieces of about this size: large enough to make
/// the calls cheap, small enough to stay in the second-level cache.
const WRITE_AT: usize = 256 << 10;

/// Room for a value: enough for small counts; the text of longer ones grows.
pub(super) const VALUE_ROOM: usize = 6;

/// Makes the folder, and removes the files that a run of `n_files` will write,
/// where they are regular files. Tells how many others there are.
///
/// What cannot be done here is left to the files' own tasks, which fail by name.
pub(super) fn clear(folder: &Path, n_files: u64) -> u64 {
    if fs::create_dir_all(folder).is_err() {
        return 0;
    }
    temporary::sweep(folder);
    let mut others = 0;
    for name in fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.file_name()) {
        let is_ours = name.to_str().and_then(file_number).is_some_and(|number| number < n_files);
        let path = folder.join(&name);
        if is_ours && fs::symlink_metadata(&path).is_ok_and(|entry| entry.is_file()) {
            // The task that writes the file says what is in the way.
            let _ = fs::remove_file(path);
        } else if !is_ours && !name.as_encoded_bytes().starts_with(b".") {
            others += 1;
        }
    }
    others
}

/// Writes file number `file`.
pub(super) fn write_whole(csv: &CsvGen, file: u64, cx: &mut Cx<'_>) -> Outcome {
    let path = csv.path(cx.column(), file);
    match try_write(csv, file, &path, cx) {
        Ok(outcome) => outcome,
        Err(error) => not_written(&path, &error),
    }
}

/// The failure to write `path`, with what can be done about it.
pub(super) fn not_written(path: &Path, error: &io::Error) -> Outcome {
    let advice = if error.raw_os_error() == Some(libc::EMFILE) {
        "; write fewer at a time (-j) or allow more (ulimit -n)"
    } else {
        ""
    };
    Outcome::Failed(format!("write {}: {}{advice}", path.display(), crate::format::reason(error)))
}

fn try_write(csv: &CsvGen, file: u64, path: &Path, cx: &mut Cx<'_>) -> io::Result<Outcome> {
    let mut target = cx.timed(WRITE, |_| WholeFile::create_with_folders(path))?;
    let mut text = Text::new(csv.shape.cols, 0).with_room(room(csv));
    let finished = match &csv.shared {
        _ if csv.shape.cols == 0 => write_empty_rows(csv.shape.rows, &mut text, &mut target, cx)?,
        Some(Matrix::Small(matrix)) => {
            write_values(flat(matrix), Text::small_counts, &mut text, &mut target, cx)?
        }
        Some(Matrix::Counts(matrix)) => write_values(flat(matrix), Text::counts, &mut text, &mut target, cx)?,
        Some(Matrix::Reals(matrix)) => write_values(flat(matrix), Text::reals, &mut text, &mut target, cx)?,
        None => write_drawn(csv, file, &mut text, &mut target, cx)?,
    };
    if !finished {
        return Ok(Outcome::Interrupted);
    }
    flush(&mut text, &mut target, cx)?;
    cx.timed(WRITE, |_| target.commit())?;
    Ok(Outcome::Success)
}

/// Room for the text of a whole small file, or for what gathers before a large
/// one's text is written.
fn room(csv: &CsvGen) -> usize {
    let values = usize::try_from(csv.shape.values()).unwrap_or(usize::MAX);
    values.min(WRITE_AT / VALUE_ROOM + CHUNK) * VALUE_ROOM
}

/// The matrix in row order.
fn flat<T>(matrix: &ndarray::Array2<T>) -> &[T] {
    matrix.as_slice().expect("it was made from a vector in row order")
}

/// Writes values that are there already; `false` when interrupted.
fn write_values<T>(
    values: &[T],
    format: impl Fn(&mut Text, &[T]),
    text: &mut Text,
    target: &mut WholeFile,
    cx: &mut Cx<'_>,
) -> io::Result<bool> {
    for chunk in values.chunks(CHUNK) {
        if cx.interrupt().is_set() {
            return Ok(false);
        }
        cx.timed(TEXT, |_| format(text, chunk));
        flush_when_full(text, target, cx)?;
    }
    Ok(true)
}

/// Draws values as they are written; `false` when interrupted.
fn write_drawn(
    csv: &CsvGen,
    file: u64,
    text: &mut Text,
    target: &mut WholeFile,
    cx: &mut Cx<'_>,
) -> io::Result<bool> {
    let mut draw = match csv.drawn_for(file) {
        Some(file) => csv.source.file(file),
        None => csv.source.shared(),
    };
    let mut values = csv.source.room(CHUNK);
    let mut left = csv.shape.values();
    while left > 0 {
        if cx.interrupt().is_set() {
            return Ok(false);
        }
        let n_values = usize::try_from(left).unwrap_or(usize::MAX).min(CHUNK);
        cx.timed(DRAW, |_| draw.fill(&mut values, n_values));
        cx.timed(TEXT, |_| add(text, &values, n_values));
        flush_when_full(text, target, cx)?;
        left -= n_values as u64;
    }
    Ok(true)
}

/// Adds the first `n_values` of `values` to `text`.
pub(super) fn add(text: &mut Text, values: &Values, n_values: usize) {
    match values {
        Values::Counts(counts) => text.counts(&counts[..n_values]),
        Values::Reals(reals) => text.reals(&reals[..n_values]),
    }
}

/// What `np.savetxt` makes of rows without columns; `false` when interrupted.
fn write_empty_rows(rows: u64, text: &mut Text, target: &mut WholeFile, cx: &mut Cx<'_>) -> io::Result<bool> {
    let mut left = rows;
    while left > 0 {
        if cx.interrupt().is_set() {
            return Ok(false);
        }
        let n_rows = usize::try_from(left).unwrap_or(usize::MAX).min(WRITE_AT);
        text.empty_rows(n_rows);
        flush_when_full(text, target, cx)?;
        left -= n_rows as u64;
    }
    Ok(true)
}

fn flush_when_full(text: &mut Text, target: &mut WholeFile, cx: &mut Cx<'_>) -> io::Result<()> {
    if text.bytes().len() < WRITE_AT { Ok(()) } else { flush(text, target, cx) }
}

fn flush(text: &mut Text, target: &mut WholeFile, cx: &mut Cx<'_>) -> io::Result<()> {
    let bytes = text.bytes();
    cx.timed(WRITE, |_| target.write_all(bytes))?;
    cx.produced(bytes.len() as u64);
    text.clear();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_failure_to_write_names_the_file_and_what_helps_where_something_does() {
        let told = |errno| match not_written(Path::new("a/x.csv"), &io::Error::from_raw_os_error(errno)) {
            Outcome::Failed(message) => message,
            outcome => panic!("{outcome:?}"),
        };
        assert_eq!(told(libc::ENOSPC), "write a/x.csv: No space left on device");
        assert!(told(libc::EMFILE).starts_with("write a/x.csv: Too many open files"));
        assert!(told(libc::EMFILE).ends_with("; write fewer at a time (-j) or allow more (ulimit -n)"));
    }
}
