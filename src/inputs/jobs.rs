//! All sources together: one row of values after another.

use std::fs::File;
use std::path::{Path, PathBuf};

use super::columns::ColumnSplitter;
use super::combine::SourceProduct;
use super::feed::{ReadContext, ReadFrom, SourceReader};
use super::source::{Combine, InputSource, Joined, Origin, Reading};
use super::stream::{InputStream, Records, split};
use super::{InputError, Patience, Step, unless_woken};
use crate::byte_list::{ByteList, ByteRows};

/// Draws a number below the one it is given: what `--shuf` is shuffled by.
pub type Shuffler = Box<dyn FnMut(usize) -> usize + Send>;

/// The rows of all sources, in order, as they become known.
pub struct Inputs {
    reading: Reading,
    columns: ColumnSplitter,
    records: Vec<Records>,
    sources: SourceProduct,
    shuffle: Option<Shuffle>,
    /// A row that was read before anybody asked for it.
    ahead: Option<ByteList>,
    replaced_nul: bool,
    /// Called when a NUL is replaced for the first time.
    tell_nul: Option<Box<dyn FnOnce() + Send>>,
}

struct Shuffle {
    /// What shuffles the rows once all are there.
    below: Option<Shuffler>,
    rows: ByteRows,
    order: std::vec::IntoIter<usize>,
}

impl Inputs {
    /// Opens all files that `sources` name; no source at all means standard
    /// input. Nothing is read yet.
    ///
    /// # Errors
    /// A file that cannot be opened, a regular expression that is none.
    pub fn open(sources: Vec<InputSource>, reading: &Reading, stdin: File) -> Result<Self, InputError> {
        let columns = ColumnSplitter::new(&reading.split)?;
        let mut opening = Opening { reading, stdin: Some(stdin), stdin_records: None, records: Vec::new() };
        let sources = if sources.is_empty() { vec![InputSource::new(Origin::Stdin)] } else { sources };
        let links = reading.combine == Combine::Link;
        let mut groups: Vec<Vec<SourceReader>> = Vec::new();
        for InputSource { origin, joined } in sources {
            let mut feed = opening.feed(origin)?;
            feed.skips_first = groups.is_empty() && reading.skip_first;
            match (joined, groups.last_mut()) {
                (Joined::Linked, Some(group)) => group.push(feed),
                (Joined::Product, Some(group)) if links => group.push(feed),
                _ => groups.push(vec![feed]),
            }
        }
        Ok(Self {
            reading: reading.clone(),
            columns,
            records: opening.records,
            sources: SourceProduct::new(groups, links),
            shuffle: None,
            ahead: None,
            replaced_nul: false,
            tell_nul: None,
        })
    }

    /// Gives the rows in random order, which holds all of them.
    pub fn shuffle(&mut self, below: Shuffler) {
        let (rows, order) = (ByteRows::default(), Vec::new().into_iter());
        self.shuffle = Some(Shuffle { below: Some(below), rows, order });
    }

    /// Has `tell` called when a NUL in a value is replaced with `\0` for the first time.
    pub fn on_nul(&mut self, tell: Box<dyn FnOnce() + Send>) {
        self.tell_nul = Some(tell);
    }

    /// Makes `row` the next row. When woken, `row` is as it was.
    pub(super) fn next(&mut self, row: &mut ByteList, patience: &mut dyn Patience) -> Step<bool> {
        let next = match self.shuffle.take() {
            None => self.next_in_order(row, patience),
            Some(shuffle) => self.next_shuffled(shuffle, row, patience),
        };
        if self.replaced_nul
            && let Some(tell) = self.tell_nul.take()
        {
            tell();
        }
        next
    }

    /// The names of columns by position, empty where a column has none. Known
    /// once [`Self::next`] has given a row.
    #[must_use]
    pub fn names(&self) -> Vec<Vec<u8>> {
        self.sources.readers().flat_map(|reader| reader.names.clone()).collect()
    }

    /// The names of columns, for which it reads as far as the first row. That row
    /// is not lost.
    ///
    /// # Errors
    /// A file that cannot be read on, or that is no CSV.
    pub fn read_names(&mut self, patience: &mut dyn Patience) -> Result<Vec<Vec<u8>>, InputError> {
        let mut row = ByteList::new();
        if self.ahead.is_none() && unless_woken(self.next_in_order(&mut row, patience))? == Some(true) {
            self.ahead = Some(row);
        }
        Ok(self.names())
    }

    /// Whether a NUL in a value was replaced with `\0`, for no command can be
    /// given one.
    #[must_use]
    pub fn replaced_nul(&self) -> bool {
        self.replaced_nul
    }

    fn next_in_order(&mut self, row: &mut ByteList, patience: &mut dyn Patience) -> Step<bool> {
        if let Some(ahead) = self.ahead.take() {
            *row = ahead;
            return Ok(true);
        }
        let Self { reading, columns, records, replaced_nul, .. } = self;
        self.sources.next(row, &mut ReadContext { reading, columns, records, patience, replaced_nul })
    }

    fn next_shuffled(
        &mut self,
        mut shuffle: Shuffle,
        row: &mut ByteList,
        patience: &mut dyn Patience,
    ) -> Step<bool> {
        while let Some(below) = &mut shuffle.below {
            let mut one = ByteList::new();
            match self.next_in_order(&mut one, patience) {
                Ok(true) => shuffle.rows.push(&one),
                Ok(false) => {
                    shuffle.order = shuffled(shuffle.rows.len(), below).into_iter();
                    shuffle.below = None;
                }
                Err(stop) => {
                    self.shuffle = Some(shuffle);
                    return Err(stop);
                }
            }
        }
        let next = shuffle.order.next();
        if let Some(at) = next {
            row.clear();
            shuffle.rows.copy(at, at + 1, row);
        }
        self.shuffle = Some(shuffle);
        Ok(next.is_some())
    }
}

/// `0..n` in random order.
fn shuffled(n: usize, below: &mut Shuffler) -> Vec<usize> {
    let mut order: Vec<usize> = (0..n).collect();
    for left in (2..=n).rev() {
        order.swap(left - 1, below(left));
    }
    order
}

/// Opens files; standard input is opened once, however often it is named.
struct Opening<'a> {
    reading: &'a Reading,
    stdin: Option<File>,
    stdin_records: Option<usize>,
    records: Vec<Records>,
}

impl Opening<'_> {
    fn feed(&mut self, origin: Origin) -> Result<SourceReader, InputError> {
        let (origin, path) = match origin {
            Origin::Values(values) => {
                // Values of the command line are records as those of files are:
                // `::: "$(ls)"` is many, and only `-0` keeps a newline within one.
                let records = values.iter().flat_map(|value| split(value, &self.reading.delimiter));
                let records: Vec<_> = records.map(<[u8]>::to_vec).collect();
                (ReadFrom::Values(records.into_iter()), None)
            }
            Origin::File(path) => {
                let stream = InputStream::open(&path)?;
                (ReadFrom::Stream(self.add(stream)), Some(path))
            }
            Origin::Stdin => (ReadFrom::Stream(self.stdin()), Some(PathBuf::from("-"))),
        };
        Ok(SourceReader::new(origin, path, self.reading))
    }

    fn stdin(&mut self) -> usize {
        if let Some(stdin) = self.stdin.take() {
            let stream = InputStream::new(Path::new("-"), stdin);
            self.stdin_records = Some(self.add(stream));
        }
        self.stdin_records.expect("standard input is added when it is taken")
    }

    fn add(&mut self, stream: InputStream) -> usize {
        self.records.push(Records::new(stream, &self.reading.delimiter));
        self.records.len() - 1
    }
}
