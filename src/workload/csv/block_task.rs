//! A large file, written by many tasks: each draws and formats one block, takes
//! its place behind those before, and writes it while others write theirs.
//!
//! A file of which one block fails is given up: that block is the failure, the
//! blocks behind it are skipped, and nothing of the file remains.

use crate::sync::Mutex;
use std::io;
use std::path::Path;

use super::file::{DRAW, TEXT, WRITE, add, not_written};
use super::large::Part;
use super::matrix::CHUNK;
use super::source::{BLOCK, Values};
use super::text::{LONGEST_REAL, Text};
use super::{CsvGen, file_name};
use crate::task::Outcome;
use crate::whole_file::WholeFile;
use crate::workload::Cx;

/// The span of waiting until the lengths of the blocks before are known.
const TURN: &str = "waiting for its turn";

/// Draws, formats and writes block `number` of file number `file`.
pub(super) fn write_part(csv: &CsvGen, file: u64, number: u64, cx: &mut Cx<'_>) -> Outcome {
    let path = csv.path(cx.column(), file);
    let skipped = || Outcome::Skipped(format!("{} was given up", file_name(file)));
    let failed = |error| not_written(&path, &error);

    let part = csv.large.part(file, number, csv.parts());
    if part.is_lost() {
        return skipped();
    }
    let mut desk = csv.desks.take(csv);
    let drawn = draw(csv, file, number, &mut desk, cx);
    let written = if drawn { write(&part, &path, desk.text.bytes(), cx) } else { Ok(false) };
    csv.desks.put_back(desk);
    match written {
        Ok(true) => part.done().map_or_else(failed, |()| Outcome::Success),
        Ok(false) if cx.interrupt().is_set() => Outcome::Interrupted,
        Err(error) if part.fails_first() => failed(error),
        Ok(false) | Err(_) => skipped(),
    }
}

/// Makes the text of a block; `false` when interrupted.
fn draw(csv: &CsvGen, file: u64, number: u64, desk: &mut Scratch, cx: &mut Cx<'_>) -> bool {
    let Scratch { text, values } = desk;
    let start = number * BLOCK;
    text.restart(start);
    let mut draw = csv.source.block(csv.drawn_for(file).unwrap_or(0), number);
    let mut left = usize::try_from(BLOCK.min(csv.shape.values() - start)).expect("a block is small");
    while left > 0 {
        if cx.interrupt().is_set() {
            return false;
        }
        let n_values = left.min(CHUNK);
        cx.timed(DRAW, |_| draw.fill(values, n_values));
        cx.timed(TEXT, |_| add(text, values, n_values));
        left -= n_values;
    }
    true
}

/// Writes the text of a part to its place; `false` when the file was given up.
fn write(part: &Part<'_>, path: &Path, text: &[u8], cx: &mut Cx<'_>) -> io::Result<bool> {
    let Some(place) = cx.timed(TURN, |_| part.place(text.len(), || WholeFile::create_with_folders(path)))?
    else {
        return Ok(false);
    };
    cx.timed(WRITE, |_| place.write(text))?;
    cx.produced(text.len() as u64);
    Ok(true)
}

/// What a task works with. The next one takes it over: memory that is asked for
/// anew has to be cleared, which would be a tenth of the time.
#[derive(Debug)]
pub(super) struct Scratch {
    text: Text,
    values: Values,
}

impl Scratch {
    fn new(csv: &CsvGen) -> Self {
        // A byte more than most values take, and for the longest what is asked
        // for before a chunk: the text of a block never grows.
        let length = (csv.source.text_length() + 1) * BLOCK + (CHUNK * LONGEST_REAL) as u64;
        let length = usize::try_from(length).expect("a block is small");
        Self { text: Text::new(csv.shape.cols, 0).with_room(length), values: csv.source.room(CHUNK) }
    }
}

/// Desks that are free.
#[derive(Debug, Default)]
pub(super) struct Desks(Mutex<Vec<Scratch>>);

impl Desks {
    fn take(&self, csv: &CsvGen) -> Scratch {
        let free = self.0.lock().pop();
        free.unwrap_or_else(|| Scratch::new(csv))
    }

    fn put_back(&self, desk: Scratch) {
        self.0.lock().push(desk);
    }

    /// Frees their memory.
    pub(super) fn clear(&self) {
        self.0.lock().clear();
    }
}
