//! A file that gets a row for each finished task, each in one write behind what
//! is there: what was written stays, whatever becomes of the process.
//!
//! Several may append to one file at a time. Each of them holds a shared lock on
//! it to its end, so that who gets the exclusive one is alone: only then is the
//! end of the file looked at and a torn row cut off, and only then does a row come
//! in several writes. Who is not alone never cuts, for a torn row may be one that
//! is being written; where it stays torn, the next row begins on a line of its own.
//! No lock is waited for long: a user's own (`flock FILE parsim ...`) may be on it. Until
//! the rows begin nothing is changed: a run that is refused takes nothing away.
//!
//! Does not know what a row holds. Not synced to the disk.

use crate::sync::{A_MOMENT, Mutex, patiently};
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use anyhow::Context as _;

use crate::process::{BlockingIo, Uninterrupted, open_to_write};

/// So often a torn row is looked at again, which may be one that is being written,
/// before it counts as left by a run that was killed.
const LOOKS: u32 = 40;

/// The file.
#[derive(Debug)]
pub struct RowFile {
    file: File,
    path: PathBuf,
    earlier: EarlierRows,
    ends: RowsEnd,
    /// Whether others may write to it, too, and locks tell of them.
    is_shared: bool,
    /// Whether rows are put behind whatever is there.
    is_behind: bool,
    /// What has to stand before the next row: the end of one that was torn.
    mending: Mutex<&'static [u8]>,
}

/// What becomes of rows that are in the file already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EarlierRows {
    /// They go.
    Dropped,
    /// They stay, but for one that was torn.
    Kept,
    /// They stay, and so does all there is where no line has an end: who asks for rows to be
    /// appended knows what is there.
    AppendedTo,
}

/// Where a row ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowsEnd {
    /// At a newline.
    AtNewline,
    /// At a newline that is not within quotation marks.
    OutsideQuotes,
}

impl RowFile {
    #[cfg(test)]
    fn open(path: &Path, earlier: EarlierRows, ends: RowsEnd) -> io::Result<Self> {
        let rows = Self::open_waiting(path, earlier, ends, |_| true)?;
        rows.begin().map_err(io::Error::other)?;
        Ok(rows)
    }

    /// Opens the file at `path`; where it is a pipe that nobody reads yet, `wait` waits, and says
    /// whether to go on waiting.
    ///
    /// # Errors
    /// When it cannot be written to.
    pub fn open_waiting(
        path: &Path,
        earlier: EarlierRows,
        ends: RowsEnd,
        wait: impl Fn(Duration) -> bool,
    ) -> io::Result<Self> {
        let file = open_to_write(path, OpenOptions::new().create(true).append(true), wait)?;
        let is_shared = file.metadata()?.is_file() && is_shared_with_others(&file);
        Ok(Self { earlier, ends, is_shared, is_behind: false, ..Self::behind(file, path) })
    }

    /// Makes room for the rows to come: takes away what is to go.
    ///
    /// # Errors
    /// When the file cannot be read or cut.
    pub fn begin(&self) -> anyhow::Result<()> {
        let begin = || -> io::Result<()> {
            if self.is_behind || !self.file.metadata()?.is_file() {
                return Ok(());
            }
            if !self.is_shared || !self.keep_to_itself() {
                return self.begin_beside_others();
            }
            let cut = self.cut();
            self.share_again();
            cut
        };
        begin().with_context(|| format!("cannot write to {}", self.path.display()))
    }

    /// Behind what is in `file`, which is open and called `path`.
    pub fn behind(file: File, path: &Path) -> Self {
        Self {
            file,
            path: path.to_owned(),
            earlier: EarlierRows::AppendedTo,
            ends: RowsEnd::AtNewline,
            is_shared: false,
            is_behind: true,
            mending: Mutex::new(b""),
        }
    }

    /// Cuts off what is no whole row, or all. Nobody else writes meanwhile.
    fn cut(&self) -> io::Result<()> {
        let whole = match self.earlier {
            EarlierRows::Dropped => LastRow::default(),
            EarlierRows::Kept | EarlierRows::AppendedTo => self.ends.last(&self.path, LastRow::default())?,
        };
        let length = self.file.metadata()?.len();
        if self.earlier == EarlierRows::AppendedTo && whole.at == 0 && length > 0 {
            *self.mending.lock() = whole.mending();
            return Ok(());
        }
        if whole.at < length { self.file.set_len(whole.at) } else { Ok(()) }
    }

    /// Finds what to begin with where others may be writing at this moment.
    fn begin_beside_others(&self) -> io::Result<()> {
        if self.earlier == EarlierRows::Dropped {
            return self.file.set_len(0);
        }
        let (mut before, mut looks, mut end) = (None, 0, LastRow::default());
        loop {
            let length = self.file.metadata()?.len();
            end = self.ends.last(&self.path, end)?;
            // Who has written meanwhile is alive, and has written whole rows so far.
            if end.at >= length {
                return Ok(());
            }
            looks = if before == Some(length) { looks + 1 } else { 0 };
            if looks == LOOKS {
                *self.mending.lock() = end.mending();
                return Ok(());
            }
            before = Some(length);
            thread::sleep(A_MOMENT);
        }
    }

    /// Whether there is no row yet, as far as can be told.
    fn is_empty(&self) -> bool {
        self.file.metadata().map_or(true, |data| data.len() == 0)
    }

    /// Adds `header` where there is nothing yet: one of it, however many begin at
    /// the same moment.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn put_header(&self, header: &[u8]) -> anyhow::Result<()> {
        // Those who begin have the file's own lock for good: they take turns by its folder's.
        let folder = self.is_shared.then(|| self.path.parent().map(File::open)).flatten();
        let folder = folder.and_then(Result::ok);
        if let Some(folder) = &folder {
            // Two headers are less of an evil than none.
            let _ = patiently(|| folder.try_lock());
        }
        if self.is_empty() { self.put(header) } else { Ok(()) }
    }

    /// Adds `row`, which ends in a newline.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn put(&self, row: &[u8]) -> anyhow::Result<()> {
        let mending = std::mem::take(&mut *self.mending.lock());
        // One write, which no other process's comes between.
        let put = if mending.is_empty() { self.write(row) } else { self.write(&[mending, row].concat()) };
        put.with_context(|| format!("cannot write to {}", self.path.display()))
    }

    fn write(&self, row: &[u8]) -> io::Result<()> {
        let mut done = 0;
        while done < row.len() {
            match BlockingIo(&self.file).write(&row[done..]) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(length) => done += length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    // The next row, for which there may be room again, is not to be
                    // a part of this one.
                    if done > 0 {
                        *self.mending.lock() = self.ends.of(&row[..done]).mending();
                    }
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    /// Whether what follows may come in several writes, for nobody else writes until
    /// [`Self::share_again`].
    pub fn keep_to_itself(&self) -> bool {
        let is_alone = !self.is_shared || self.file.try_lock().is_ok();
        if !is_alone {
            // What was not got has cost the lock that was held.
            self.share_again();
        }
        is_alone
    }

    /// Lets others write, too.
    pub fn share_again(&self) {
        if self.is_shared {
            is_shared_with_others(&self.file);
        }
    }
}

/// Takes the lock that all who write hold; false where there are no locks.
fn is_shared_with_others(file: &File) -> bool {
    patiently(|| file.try_lock_shared()).is_ok()
}

/// Where the last whole row ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct LastRow {
    at: u64,
    /// Whether what follows ends within quotation marks.
    is_quoted: bool,
    /// How much of the file was looked at.
    searched: u64,
}

impl LastRow {
    /// What ends a row that was torn.
    const fn mending(self) -> &'static [u8] {
        if self.is_quoted { b"\"\n" } else { b"\n" }
    }
}

impl RowsEnd {
    /// Where the last whole row of the file at `path` ends, which has grown since it was
    /// found to be at `known`.
    fn last(self, path: &Path, known: LastRow) -> io::Result<LastRow> {
        // Who was alone may have cut it meanwhile.
        let known = if fs::metadata(path)?.len() < known.searched { LastRow::default() } else { known };
        match self {
            Self::AtNewline => end_of_rows(path, known),
            Self::OutsideQuotes => end_of_quoted_rows(path, known),
        }
    }

    /// How what was written of a row ends.
    fn of(self, written: &[u8]) -> LastRow {
        let is_quoted = self == Self::OutsideQuotes
            && written.iter().fold(false, |is_quoted, &byte| is_quoted != (byte == b'"'));
        LastRow { is_quoted, ..LastRow::default() }
    }
}

/// Behind the last whole row: one that was cut off is no row, and another must
/// not be written behind it.
fn end_of_rows(path: &Path, known: LastRow) -> io::Result<LastRow> {
    let searched = fs::metadata(path)?.len();
    let mut end = searched;
    let mut file = File::open(path)?;
    let mut block = vec![0; 64 << 10];
    while end > known.searched {
        let start = end.saturating_sub(block.len() as u64).max(known.searched);
        let length = usize::try_from(end - start).unwrap_or(block.len());
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(&mut block[..length])?;
        if let Some(last) = block[..length].iter().rposition(|&byte| byte == b'\n') {
            return Ok(LastRow { at: start + last as u64 + 1, searched, ..known });
        }
        end = start;
    }
    Ok(LastRow { searched, ..known })
}

/// As [`end_of_rows`], where a newline ends a row only outside quotation marks.
fn end_of_quoted_rows(path: &Path, known: LastRow) -> io::Result<LastRow> {
    let mut end = known;
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(known.searched))?;
    let mut reader = BufReader::with_capacity(64 << 10, Uninterrupted(file));
    loop {
        let block = reader.fill_buf()?;
        if block.is_empty() {
            return Ok(end);
        }
        for &byte in block {
            end.searched += 1;
            match byte {
                b'"' => end.is_quoted = !end.is_quoted,
                b'\n' if !end.is_quoted => end.at = end.searched,
                _ => {}
            }
        }
        let length = block.len();
        reader.consume(length);
    }
}

#[cfg(test)]
mod tests {
    use super::EarlierRows::{AppendedTo, Dropped, Kept};
    use super::RowsEnd::{AtNewline, OutsideQuotes};
    use super::*;

    fn kept(path: &Path) -> RowFile {
        RowFile::open(path, EarlierRows::Kept, RowsEnd::AtNewline).unwrap()
    }

    #[test]
    fn what_was_searched_for_the_end_of_a_row_is_not_looked_at_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows");
        for ends in [AtNewline, OutsideQuotes] {
            let end = |text: &str, known| {
                fs::write(&path, text).unwrap();
                ends.last(&path, known).unwrap()
            };
            let first = end("a\nbcd", LastRow::default());
            assert_eq!((first.at, first.searched), (2, 5), "{ends:?}");
            // Nothing that is behind it can be an end any more.
            let second = end("a\nb\nde", first);
            assert_eq!((second.at, second.searched), (2, 6), "{ends:?}");
            assert_eq!(end("a\nb\nde\nf", second).at, 7, "{ends:?}");
            // Cut off, it is another file.
            assert_eq!(end("ab\n", second).at, 3, "{ends:?}");
        }
    }

    #[test]
    fn rows_are_put_behind_the_last_whole_one_or_in_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows");
        for (before, earlier, ends, after) in [
            ("a\nb\ncut o", Kept, AtNewline, "a\nb\nnew\n"),
            ("cut off", Kept, AtNewline, "new\n"),
            ("a line", AppendedTo, AtNewline, "a line\nnew\n"),
            ("a\nb\ncut o", AppendedTo, AtNewline, "a\nb\nnew\n"),
            ("a\n", Kept, AtNewline, "a\nnew\n"),
            ("a\nb\n", Dropped, AtNewline, "new\n"),
            ("a,\"\n\"\nb,\"cut\n", Kept, OutsideQuotes, "a,\"\n\"\nnew\n"),
        ] {
            fs::write(&path, before).unwrap();
            let rows = RowFile::open(&path, earlier, ends).unwrap();
            assert_eq!(rows.is_empty(), !after.starts_with('a'));
            rows.put(b"new\n").unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), after);
        }
        let long = "x".repeat(100_000);
        fs::write(&path, format!("a\n{long}")).unwrap();
        kept(&path);
        assert_eq!(fs::read_to_string(&path).unwrap(), "a\n");
    }

    #[test]
    fn nothing_goes_before_the_rows_begin() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows");
        for earlier in [Kept, Dropped, AppendedTo] {
            fs::write(&path, "a\ncut o").unwrap();
            let rows = RowFile::open_waiting(&path, earlier, AtNewline, |_| true).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), "a\ncut o");
            rows.begin().unwrap();
            let left = if earlier == Dropped { "" } else { "a\n" };
            assert_eq!(fs::read_to_string(&path).unwrap(), left);
        }
    }

    #[test]
    fn beside_another_nothing_is_cut_and_no_row_is_glued_to_a_torn_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows");
        for (torn, ends, after) in [
            ("b\n", RowsEnd::AtNewline, "a\nb\nnew\nnext\n"),
            ("torn", RowsEnd::AtNewline, "a\ntorn\nnew\nnext\n"),
            ("1,\"to\nrn", RowsEnd::OutsideQuotes, "a\n1,\"to\nrn\"\nnew\nnext\n"),
        ] {
            fs::write(&path, "").unwrap();
            let one = RowFile::open(&path, EarlierRows::Kept, ends).unwrap();
            one.put(b"a\n").unwrap();
            // What a third that was killed left.
            OpenOptions::new().append(true).open(&path).unwrap().write_all(torn.as_bytes()).unwrap();
            let other = RowFile::open(&path, EarlierRows::Kept, ends).unwrap();
            other.put(b"new\n").unwrap();
            one.put(b"next\n").unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), after);
        }
    }

    #[test]
    fn a_lock_of_the_users_is_no_reason_to_wait_for_ever_or_to_lose_a_row() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows");
        fs::write(&path, "a\ntorn").unwrap();
        let users = File::open(&path).unwrap();
        users.lock().unwrap();
        kept(&path).put(b"b\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "a\ntorn\nb\n");
    }

    #[test]
    fn of_many_that_begin_at_once_one_writes_the_header() {
        let folder = tempfile::tempdir().unwrap();
        for round in 0..20 {
            let path = folder.path().join(format!("rows{round}"));
            let barrier = std::sync::Barrier::new(4);
            thread::scope(|scope| {
                for number in 0..4 {
                    let (path, barrier) = (&path, &barrier);
                    scope.spawn(move || {
                        let rows = kept(path);
                        barrier.wait();
                        rows.put_header(b"header\n").unwrap();
                        rows.put(format!("{number}\n").as_bytes()).unwrap();
                    });
                }
            });
            let text = fs::read_to_string(&path).unwrap();
            assert!(text.starts_with("header\n") && text.lines().count() == 5, "{text}");
        }
    }

    #[test]
    fn a_row_may_come_in_several_writes_only_where_nobody_else_writes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows");
        let one = kept(&path);
        assert!(one.keep_to_itself());
        one.share_again();
        let other = kept(&path);
        assert!(!one.keep_to_itself() && !other.keep_to_itself());
        drop(one);
        assert!(other.keep_to_itself());
    }

    #[test]
    fn what_was_written_of_a_row_that_found_no_room_is_ended_before_the_next() {
        let of = |ends: RowsEnd, text: &str| ends.of(text.as_bytes()).mending();
        assert_eq!(of(RowsEnd::AtNewline, "a \"b"), b"\n");
        assert_eq!(of(RowsEnd::OutsideQuotes, "a,\"b"), b"\"\n");
        assert_eq!(of(RowsEnd::OutsideQuotes, "a,\"b\""), b"\n");
    }
}
