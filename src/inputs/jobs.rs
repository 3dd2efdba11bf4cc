//! All sources together: one row of values after another, and rows into jobs: a fixed
//! number each, or as many as a command line holds, spread evenly over the slots at the
//! end.
//!
//! Does not know what a command line looks like; whoever composes it tells how
//! long it has become.

use std::fs::File;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::columns::ColumnSplitter;
use super::combine::SourceProduct;
use super::feed::{ReadContext, ReadFrom, SourceReader};
use super::source::{Combine, InputSource, Joined, Origin, Reading};
use super::stream::{InputStream, Records, split};
use super::{InputError, Patience, ReadNext, Step, beginning, unless_woken};
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
        let (mut stdin, mut stdin_at) = (Some(stdin), 0);
        let mut records = Vec::new();
        let mut add = |stream| {
            records.push(Records::new(stream, &reading.delimiter));
            records.len() - 1
        };
        let sources = if sources.is_empty() { vec![InputSource::new(Origin::Stdin)] } else { sources };
        let links = reading.combine == Combine::Link;
        let mut skips_first = reading.skip_first;
        let mut groups: Vec<Vec<SourceReader>> = Vec::new();
        for InputSource { name, origin, joined } in sources {
            let (origin, path) = match origin {
                Origin::Values(values) if name.is_some() => (ReadFrom::Exact(values.into_iter()), None),
                Origin::Values(values) => {
                    // Values of the command line are records as those of files are:
                    // `::: "$(ls)"` is many, and only `-0` keeps a newline within one.
                    let records = values.iter().flat_map(|value| split(value, &reading.delimiter));
                    let records: Vec<_> = records.map(<[u8]>::to_vec).collect();
                    (ReadFrom::Values(records.into_iter()), None)
                }
                Origin::File(path) => (ReadFrom::Stream(add(InputStream::open(&path)?)), Some(path)),
                Origin::Stdin => {
                    // Opened once, however often it is named.
                    if let Some(stdin) = stdin.take() {
                        stdin_at = add(InputStream::new(Path::new("-"), stdin));
                    }
                    (ReadFrom::Stream(stdin_at), Some(PathBuf::from("-")))
                }
            };
            let mut feed = SourceReader::new(origin, path, reading);
            match name {
                Some(name) => feed.call(name),
                // What is skipped is the first line of what is read.
                None => feed.to_skip = usize::from(std::mem::take(&mut skips_first)),
            }
            match (joined, groups.last_mut()) {
                (Joined::Linked, Some(group)) => group.push(feed),
                (Joined::Product, Some(group)) if links => group.push(feed),
                _ => groups.push(vec![feed]),
            }
        }
        Ok(Self {
            reading: reading.clone(),
            columns,
            records,
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

    /// Has `tell` called when a NUL in a value is replaced with `\0` for the first time: no
    /// command can be given one.
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

    /// How many rows there are, for which it reads to their end.
    pub(super) fn count(&mut self, patience: &mut dyn Patience) -> Step<u64> {
        let Self { reading, columns, records, replaced_nul, .. } = self;
        self.sources.count(&mut ReadContext { reading, columns, records, patience, replaced_nul })
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

/// What the kernel counts for each word of a program's arguments beside its bytes.
const ADDRESS: usize = size_of::<usize>();

/// Tells how long a command line is, while it grows.
pub trait LineLength {
    /// Begins a new line.
    fn start(&mut self);

    /// Adds `row` to the line; the line's length with it.
    fn add(&mut self, row: &ByteList) -> usize;

    /// How many words the line has by now.
    fn words(&self) -> usize;
}

/// How many rows a job takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowsPerJob {
    /// At most this many; without it as many as the line holds.
    pub at_most: Option<NonZeroUsize>,
    /// Over how many slots the rows of the last line are spread (`-X`, `-m`).
    pub slots: Option<NonZeroUsize>,
    /// Whether values are taken but empty ones inserted (`-n0`).
    pub insert_nothing: bool,
    /// The longest line allowed.
    pub limit: usize,
    /// How much a line and the addresses of its words may take together.
    pub room: usize,
}

#[cfg(test)]
impl RowsPerJob {
    /// One row a job, on lines of up to `limit` bytes.
    pub fn one(limit: usize) -> Self {
        Self { at_most: NonZeroUsize::new(1), slots: None, insert_nothing: false, limit, room: usize::MAX }
    }
}

/// Packs the rows of [`Inputs`] into jobs.
pub struct JobPacker {
    packing: RowsPerJob,
    /// Rows of the job that is being filled.
    line: ByteRows,
    /// A row that was read and is in no job yet.
    row: ByteList,
    /// Whether `row` did not fit on the line before.
    waiting: bool,
    /// Whether a line has been begun.
    begun: bool,
    /// Once the input has ended, which rows of the last line are still to be handed out.
    rest: Option<Range<usize>>,
}

impl JobPacker {
    /// A packer that has read nothing.
    pub fn new(packing: RowsPerJob) -> Self {
        let (line, row) = (ByteRows::default(), ByteList::new());
        Self { packing, line, row, waiting: false, begun: false, rest: None }
    }

    /// Makes `job` the values of the next job. When woken, asking again goes on
    /// filling the same job.
    ///
    /// # Errors
    /// Those of [`Inputs::next`], and a row that is too long for any line.
    pub fn next(
        &mut self,
        inputs: &mut Inputs,
        length: &mut dyn LineLength,
        job: &mut ByteList,
        patience: &mut dyn Patience,
    ) -> Result<ReadNext, InputError> {
        if let Some(rest) = self.rest.take() {
            return Ok(self.spread(rest, job));
        }
        if !self.begun {
            self.begun = true;
            self.line.clear();
            length.start();
        }
        loop {
            let full = self.packing.at_most.is_some_and(|most| self.line.len() >= most.get());
            // Whether a full line is the last, and to be spread, shows the next row.
            if full && (self.waiting || self.packing.slots.is_none()) {
                break;
            }
            if !self.waiting {
                match ReadNext::of(inputs.next(&mut self.row, patience))? {
                    ReadNext::Ready if self.packing.insert_nothing => self.row.blank(),
                    ReadNext::Ready => {}
                    ReadNext::Woken => return Ok(ReadNext::Woken),
                    ReadNext::End => return Ok(self.spread(0..self.line.len(), job)),
                }
            }
            self.waiting = full;
            if full {
                break;
            }
            let total = length.add(&self.row);
            let with_addresses = total + ADDRESS * length.words();
            if total > self.packing.limit || with_addresses > self.packing.room {
                self.waiting = true;
                if self.line.is_empty() {
                    return Err(self.too_long(total, length.words()));
                }
                break;
            }
            self.line.push(&self.row);
        }
        self.begun = false;
        std::mem::swap(job, self.line.values());
        Ok(ReadNext::Ready)
    }

    /// Hands out as many of the `rest` of the last line's rows as are one job's.
    fn spread(&mut self, rest: Range<usize>, job: &mut ByteList) -> ReadNext {
        let n = self.line.len();
        let per_job = self.packing.slots.map_or(n, |slots| n.div_ceil(slots.get()));
        let to = n.min(rest.start + per_job);
        self.rest = Some(to..n);
        if rest.is_empty() {
            return ReadNext::End;
        }
        job.clear();
        self.line.copy(rest.start, to, job);
        ReadNext::Ready
    }

    fn too_long(&self, length: usize, words: usize) -> InputError {
        let values: Vec<&[u8]> = self.row.iter().collect();
        let room = self.packing.room.saturating_sub(ADDRESS * words);
        let limit = self.packing.limit.min(room);
        InputError::TooLong { length, limit, values: beginning(&values.join(&b' ')) }
    }
}
