//! One file, written whole by one task.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use super::matrix::CHUNK;
use super::source::{Draw, Values};
use super::text::Text;
use super::{CsvGen, file_number};
use crate::task::Outcome;
use crate::temporary;
use crate::whole_file::WholeFile;
use crate::workload::Cx;

/// The span of drawing numbers.
const DRAW: &str = "draw";
/// The span of making text of them.
const TEXT: &str = "text";
/// The span of handing the text to the kernel.
pub(super) const WRITE: &str = "write";

/// Text goes to the kernel in pieces of about this size: large enough to make
/// the calls cheap, small enough to stay in the second-level cache.
const WRITE_AT: usize = 256 << 10;

/// Room for a value: enough for small counts; the text of longer ones grows.
const VALUE_ROOM: usize = 6;

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
    Outcome::Failed(format!("cannot write {}: {}{advice}", path.display(), crate::text::reason(error)).into())
}

fn try_write(csv: &CsvGen, file: u64, path: &Path, cx: &mut Cx<'_>) -> io::Result<Outcome> {
    let mut target = cx.timed(WRITE, |_| WholeFile::create_with_folders(path))?;
    let mut text = Text::new(csv.shape.cols, 0).with_room(room(csv));
    let finished = match &csv.shared {
        // What `np.savetxt` makes of rows without columns.
        _ if csv.shape.cols == 0 => in_pieces(csv.shape.rows, WRITE_AT, cx, |n_rows, cx| {
            text.empty_rows(n_rows);
            flush_when_full(&mut text, &mut target, cx)
        })?,
        Some(matrix) => {
            let mut start = 0;
            in_pieces(csv.shape.values(), CHUNK, cx, |n_values, cx| {
                cx.timed(TEXT, |_| matrix.add(start..start + n_values, &mut text));
                start += n_values;
                flush_when_full(&mut text, &mut target, cx)
            })?
        }
        None => {
            let mut draw = csv.source.of(csv.drawn_for(file));
            let mut values = csv.source.room(CHUNK);
            in_pieces(csv.shape.values(), CHUNK, cx, |n_values, cx| {
                add_drawn(&mut text, &mut draw, &mut values, n_values, cx);
                flush_when_full(&mut text, &mut target, cx)
            })?
        }
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

/// Has `write` write `total` values or rows, at most `most` at a time; `false` when
/// interrupted.
pub(super) fn in_pieces(
    total: u64,
    most: usize,
    cx: &mut Cx<'_>,
    mut write: impl FnMut(usize, &mut Cx<'_>) -> io::Result<()>,
) -> io::Result<bool> {
    let mut left = total;
    while left > 0 {
        if cx.interrupt().is_set() {
            return Ok(false);
        }
        let count = usize::try_from(left).unwrap_or(usize::MAX).min(most);
        write(count, cx)?;
        left -= count as u64;
    }
    Ok(true)
}

/// Draws `n_values` and adds them to `text`; `values` is room for them.
pub(super) fn add_drawn(
    text: &mut Text,
    draw: &mut Draw<'_>,
    values: &mut Values,
    n_values: usize,
    cx: &mut Cx<'_>,
) {
    cx.timed(DRAW, |_| draw.fill(values, n_values));
    cx.timed(TEXT, |_| match values {
        Values::Counts(counts) => text.counts(&counts[..n_values]),
        Values::Reals(reals) => text.reals(&reals[..n_values]),
    });
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
        assert_eq!(told(libc::ENOSPC), "cannot write a/x.csv: no space left on device");
        assert!(told(libc::EMFILE).starts_with("cannot write a/x.csv: too many open files"));
        assert!(told(libc::EMFILE).ends_with("; write fewer at a time (-j) or allow more (ulimit -n)"));
    }
}
