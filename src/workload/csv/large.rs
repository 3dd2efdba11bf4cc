//! Large files that several tasks write side by side: where the text of each
//! part goes, when a file is whole, and when it is given up.
//!
//! Only the lengths of the parts need the order of the parts: a part has its
//! place as soon as those before it have theirs, and its bytes are written while
//! the others' are. A part that is early waits. That cannot lock up: tasks are
//! started in input order, so the one that is waited for always runs.
//! Does not know what the text is.

use crate::sync::{Condvar, Mutex};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, MutexGuard};

use crate::whole_file::WholeFile;

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
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, LargeFile>> {
        self.by_number.lock()
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
pub(super) struct Place {
    target: Arc<WholeFile>,
    offset: u64,
}

impl Part<'_> {
    /// Whether the file was given up, so that there is nothing left to do.
    pub(super) fn is_lost(&self) -> bool {
        self.files.lock().get(&self.file).is_some_and(|file| file.given_up)
    }

    /// Waits until it is known where the part's text begins, and takes `length`
    /// bytes from there; `None` when the file was given up. The first part
    /// opens the file.
    pub(super) fn place(
        &self,
        length: usize,
        open: impl FnOnce() -> io::Result<WholeFile>,
    ) -> io::Result<Option<Place>> {
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
        Ok(Some(Place { target, offset }))
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
        let mut files = self.files.lock();
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
        self.files.changed.wait_while(self.files.lock(), holds)
    }
}

impl Drop for Part<'_> {
    fn drop(&mut self) {
        if self.is_done {
            return;
        }
        let mut files = self.files.lock();
        let file = files.entry(self.file).or_default();
        file.given_up = true;
        // Let go by all that write to it, a file that is not whole vanishes.
        file.target = None;
        self.leave(&mut files);
        drop(files);
        self.files.changed.notify_all();
    }
}

impl Place {
    /// Writes the text of the part.
    pub(super) fn write(self, text: &[u8]) -> io::Result<()> {
        self.target.write_all_at(text, self.offset)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;
    use std::thread;

    use super::*;

    fn placed(part: &Part<'_>, length: usize, path: &Path) -> Option<Place> {
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
        assert!(files.lock().is_empty());
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
        assert!(files.lock().is_empty());
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
