//! A large file, written by many tasks: each draws and formats one block, takes
//! its place behind those before, and writes it while others write theirs.
//!
//! Only the lengths of the parts need the order of the parts: a part has its
//! place as soon as those before it have theirs, and its bytes are written while
//! the others' are. A part that is early waits. That cannot lock up: tasks are
//! started in input order, so the one that is waited for always runs.
//!
//! A file of which one block fails is given up: that block is the failure, the
//! blocks behind it are skipped, and nothing of the file remains.

use crate::sync::{Condvar, Mutex};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;
use std::sync::{Arc, MutexGuard};

use super::file::{WRITE, add_drawn, in_pieces, not_written};
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
    let skipped = || Outcome::Skipped(format!("{} was given up", file_name(file)).into());
    let failed = |error| not_written(&path, &error);

    let part = csv.large.part(file, number, csv.parts());
    if part.is_lost() {
        return skipped();
    }
    let free = csv.scratch.lock().pop();
    let mut scratch = free.unwrap_or_else(|| Scratch::new(csv));
    let drawn = draw(csv, file, number, &mut scratch, cx);
    let written = drawn.and_then(|drawn| Ok(drawn && write(&part, &path, scratch.text.bytes(), cx)?));
    csv.scratch.lock().push(scratch);
    match written {
        Ok(true) => part.done().map_or_else(failed, |()| Outcome::Success),
        Ok(false) if cx.interrupt().is_set() => Outcome::Interrupted,
        Err(error) if part.fails_first() => failed(error),
        Ok(false) | Err(_) => skipped(),
    }
}

/// Makes the text of a block; `false` when interrupted.
fn draw(csv: &CsvGen, file: u64, number: u64, scratch: &mut Scratch, cx: &mut Cx<'_>) -> io::Result<bool> {
    let Scratch { text, values } = scratch;
    let start = number * BLOCK;
    text.restart(start);
    let mut draw = csv.source.block(csv.drawn_for(file).unwrap_or(0), number);
    in_pieces(BLOCK.min(csv.shape.values() - start), CHUNK, cx, |n_values, cx| {
        add_drawn(text, &mut draw, values, n_values, cx);
        Ok(())
    })
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

/// The files of which some parts are done and others are not.
#[derive(Debug, Default)]
pub(super) struct LargeFiles {
    by_number: Mutex<BTreeMap<u64, LargeFile>>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct LargeFile {
    /// There once the first part has its place, until the file is given up.
    target: Option<Arc<WholeFile>>,
    /// How many parts have a place, which is the number of the next to get one.
    n_placed: u64,
    /// How many bytes these are.
    length: u64,
    /// Parts that have a place and are not over yet.
    writing: BTreeSet<u64>,
    /// How many parts are over, whatever became of them.
    n_over: u64,
    given_up: bool,
}

impl LargeFiles {
    /// Part `number` of `n_parts` of `file`, both counted from 0, begins.
    pub(super) fn part(&self, file: u64, number: u64, n_parts: u64) -> Part<'_> {
        Part { files: self, file, number, n_parts, is_done: false }
    }

    /// Gives up what is not whole.
    pub(super) fn give_up(&self) {
        self.by_number.lock().clear();
    }
}

/// A part under way. Dropped before it is done, it takes its file with it.
pub(super) struct Part<'a> {
    files: &'a LargeFiles,
    file: u64,
    number: u64,
    n_parts: u64,
    is_done: bool,
}

/// Where the text of a part goes.
pub(super) struct BlockPlace {
    target: Arc<WholeFile>,
    offset: u64,
}

impl Part<'_> {
    /// Whether the file was given up, so that there is nothing left to do.
    pub(super) fn is_lost(&self) -> bool {
        self.files.by_number.lock().get(&self.file).is_some_and(|file| file.given_up)
    }

    /// Waits until it is known where the part's text begins, and takes `length`
    /// bytes from there; `None` when the file was given up. The first part
    /// opens the file.
    pub(super) fn place(
        &self,
        length: usize,
        open: impl FnOnce() -> io::Result<WholeFile>,
    ) -> io::Result<Option<BlockPlace>> {
        let mut files = self.wait_while(|file| !file.given_up && file.n_placed < self.number);
        let file = files.entry(self.file).or_default();
        if file.given_up {
            return Ok(None);
        }
        let target = match &file.target {
            Some(target) => Arc::clone(target),
            None => Arc::clone(file.target.insert(Arc::new(open()?))),
        };
        let offset = file.length;
        file.length += length as u64;
        file.n_placed += 1;
        file.writing.insert(self.number);
        drop(files);
        self.files.changed.notify_all();
        Ok(Some(BlockPlace { target, offset }))
    }

    /// Whether the part, which could not be written, is the first such of its
    /// file: where several meet a full disk, the first in order is told of.
    pub(super) fn fails_first(&self) -> bool {
        let is_behind = |file: &LargeFile| file.writing.first().is_some_and(|&first| first < self.number);
        let mut files = self.wait_while(is_behind);
        !files.entry(self.file).or_default().given_up
    }

    /// The part is written. The last one that is gives the file its name.
    pub(super) fn done(mut self) -> io::Result<()> {
        self.is_done = true;
        let mut files = self.files.by_number.lock();
        let whole = self.leave(&mut files);
        drop(files);
        self.files.changed.notify_all();
        match whole.and_then(|file| file.target).and_then(Arc::into_inner) {
            Some(target) => target.commit(),
            None => Ok(()),
        }
    }

    /// Hands back the file when this was its last part.
    fn leave(&self, files: &mut BTreeMap<u64, LargeFile>) -> Option<LargeFile> {
        let file = files.entry(self.file).or_default();
        file.writing.remove(&self.number);
        file.n_over += 1;
        if file.n_over == self.n_parts { files.remove(&self.file) } else { None }
    }

    fn wait_while(&self, condition: impl Fn(&LargeFile) -> bool) -> MutexGuard<'_, BTreeMap<u64, LargeFile>> {
        let holds = |files: &mut BTreeMap<u64, LargeFile>| condition(files.entry(self.file).or_default());
        self.files.changed.wait_while(self.files.by_number.lock(), holds)
    }
}

impl Drop for Part<'_> {
    fn drop(&mut self) {
        if self.is_done {
            return;
        }
        let mut files = self.files.by_number.lock();
        let file = files.entry(self.file).or_default();
        file.given_up = true;
        // Let go by all that write to it, a file that is not whole vanishes.
        file.target = None;
        self.leave(&mut files);
        drop(files);
        self.files.changed.notify_all();
    }
}

impl BlockPlace {
    /// Writes the text of the part.
    pub(super) fn write(self, text: &[u8]) -> io::Result<()> {
        self.target.write_all_at(text, self.offset)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::thread;

    use super::*;

    fn placed(part: &Part<'_>, length: usize, path: &Path) -> Option<BlockPlace> {
        part.place(length, || WholeFile::create(path)).unwrap()
    }

    fn n_entries(folder: &Path) -> usize {
        fs::read_dir(folder).unwrap().count()
    }

    #[test]
    fn a_part_is_written_while_the_one_before_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.csv");
        let files = LargeFiles::default();
        let [first, second] = [0, 1].map(|number| files.part(0, number, 2));
        let (early, late) = (placed(&first, 2, &path).unwrap(), placed(&second, 3, &path).unwrap());
        late.write(b"cde").unwrap();
        second.done().unwrap();
        assert!(!path.exists());
        early.write(b"ab").unwrap();
        first.done().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"abcde");
        assert!(files.by_number.lock().is_empty());
    }

    #[test]
    fn a_part_that_is_early_waits_for_the_lengths_before_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.csv");
        let files = LargeFiles::default();
        thread::scope(|scope| {
            // Started in the reverse of their order: each must wait for the one before.
            for number in (0..3).rev() {
                let (files, path) = (&files, &path);
                scope.spawn(move || {
                    let part = files.part(0, number, 3);
                    let text = number.to_string().repeat(4);
                    placed(&part, 4, path).unwrap().write(text.as_bytes()).unwrap();
                    part.done().unwrap();
                });
            }
        });
        assert_eq!(fs::read(&path).unwrap(), b"000011112222");
    }

    #[test]
    fn of_several_parts_that_fail_the_first_in_order_is_told_of() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.csv");
        for fails in [true, false] {
            let files = LargeFiles::default();
            let [first, second] = [0, 1].map(|number| files.part(0, number, 2));
            let places = (placed(&first, 1, &path), placed(&second, 1, &path));
            thread::scope(|scope| {
                // It has to wait for what becomes of the first.
                let second = scope.spawn(|| second.fails_first());
                if fails {
                    assert!(first.fails_first());
                    drop(first);
                } else {
                    first.done().unwrap();
                }
                assert_eq!(second.join().unwrap(), !fails);
            });
            drop((second, places));
            assert_eq!(n_entries(folder.path()), 0);
        }
    }

    #[test]
    fn a_part_that_is_dropped_takes_the_file_with_it_and_lets_nobody_wait() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.csv");
        let files = LargeFiles::default();
        let [first, second, third, last] = [0, 1, 2, 3].map(|number| files.part(7, number, 4));
        let place = placed(&first, 2, &path).unwrap();
        thread::scope(|scope| {
            let third = scope.spawn(|| placed(&third, 2, &path).is_none());
            drop(second);
            assert!(third.join().unwrap(), "there is no place in a file that was given up");
        });
        assert!(last.is_lost() && !path.exists());
        // Who still writes to it can, and then it is gone.
        place.write(b"ab").unwrap();
        first.done().unwrap();
        drop((third, last));
        assert_eq!(n_entries(folder.path()), 0);
        assert!(files.by_number.lock().is_empty());
    }

    #[test]
    fn what_is_not_whole_can_be_given_up() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.csv");
        let files = LargeFiles::default();
        let first = files.part(0, 0, 2);
        placed(&first, 2, &path).unwrap().write(b"ab").unwrap();
        first.done().unwrap();
        assert_eq!(n_entries(folder.path()), 1);
        files.give_up();
        assert_eq!(n_entries(folder.path()), 0);
    }
}
