//! All sources together: one row of values after another.

use std::fs::File;
use std::path::{Path, PathBuf};

use super::combine::{LinkedInputs, SourceProduct};
use super::error::InputError;
use super::feed::{ReadContext, ReadFrom, ReadingRules, SourceReader};
use super::source::{Combine, InputSource, Joined, Origin, Reading};
use super::stream::{InputStream, Records, find};
use super::{Patience, ReadNext};
use crate::byte_list::{ByteList, ByteRows};

/// Draws a number below the one it is given: what `--shuf` is shuffled by.
pub type Shuffler = Box<dyn FnMut(usize) -> usize + Send>;

/// The rows of all sources, in order, as they become known.
pub struct Inputs {
    rules: ReadingRules,
    records: Vec<Records>,
    combined: Combined,
    shuffle: Option<Shuffle>,
    /// A row that was read before anybody asked for it.
    ahead: Option<ByteList>,
    replaced_nul: bool,
    /// Called when a NUL is replaced for the first time.
    tell_nul: Option<Box<dyn FnOnce() + Send>>,
}

enum Combined {
    Product(SourceProduct),
    Link(LinkedInputs),
}

enum Shuffle {
    Gathering(Shuffler, ByteRows),
    Dealing { rows: ByteRows, order: std::vec::IntoIter<usize> },
}

impl Inputs {
    /// Opens all files that `sources` name; no source at all means standard
    /// input. Nothing is read yet.
    ///
    /// # Errors
    /// A file that cannot be opened, a regular expression that is none.
    pub fn open(sources: Vec<InputSource>, reading: &Reading, stdin: File) -> Result<Self, InputError> {
        let rules = ReadingRules::new(reading)?;
        let mut opening = Opening { reading, stdin: Some(stdin), stdin_records: None, records: Vec::new() };
        let sources = if sources.is_empty() { vec![InputSource::new(Origin::Stdin)] } else { sources };
        let mut groups: Vec<Vec<SourceReader>> = Vec::new();
        for InputSource { origin, joined } in sources {
            let mut feed = opening.feed(origin)?;
            if groups.is_empty() && reading.skip_first {
                feed.skip_first();
            }
            match (joined, groups.last_mut()) {
                (Joined::Linked, Some(group)) => group.push(feed),
                _ => groups.push(vec![feed]),
            }
        }
        let alone = groups.len() == 1 && groups[0].len() == 1;
        let combined = match reading.combine {
            Combine::Link if !alone => {
                Combined::Link(LinkedInputs::new(groups.into_iter().flatten().collect()))
            }
            _ => Combined::Product(SourceProduct::new(groups)),
        };
        Ok(Self {
            rules,
            records: opening.records,
            combined,
            shuffle: None,
            ahead: None,
            replaced_nul: false,
            tell_nul: None,
        })
    }

    /// Gives the rows in random order, which holds all of them.
    pub fn shuffle(&mut self, below: Shuffler) {
        self.shuffle = Some(Shuffle::Gathering(below, ByteRows::default()));
    }

    /// Has `tell` called when a NUL in a value is replaced with `\0` for the first time.
    pub fn on_nul(&mut self, tell: Box<dyn FnOnce() + Send>) {
        self.tell_nul = Some(tell);
    }

    /// Makes `row` the next row. When woken, `row` is as it was.
    ///
    /// # Errors
    /// A file that cannot be read on, or that is no CSV.
    pub fn next(&mut self, row: &mut ByteList, patience: &mut dyn Patience) -> Result<ReadNext, InputError> {
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
        let names = |feed: &SourceReader| feed.names().to_vec();
        match &self.combined {
            Combined::Product(product) => product.feeds().flat_map(names).collect(),
            Combined::Link(link) => link.feeds().flat_map(names).collect(),
        }
    }

    /// The names of columns, for which it reads as far as the first row. That row
    /// is not lost.
    ///
    /// # Errors
    /// Those of [`Self::next`].
    pub fn read_names(&mut self, patience: &mut dyn Patience) -> Result<Vec<Vec<u8>>, InputError> {
        let mut row = ByteList::new();
        if self.ahead.is_none() && self.next_in_order(&mut row, patience)? == ReadNext::Ready {
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

    fn next_in_order(
        &mut self,
        row: &mut ByteList,
        patience: &mut dyn Patience,
    ) -> Result<ReadNext, InputError> {
        if let Some(ahead) = self.ahead.take() {
            *row = ahead;
            return Ok(ReadNext::Ready);
        }
        let Self { rules, records, replaced_nul, .. } = self;
        let mut cx = ReadContext { rules, records, patience, replaced_nul };
        match &mut self.combined {
            Combined::Product(product) => product.next(row, &mut cx),
            Combined::Link(link) => link.next(row, &mut cx),
        }
    }

    fn next_shuffled(
        &mut self,
        shuffle: Shuffle,
        row: &mut ByteList,
        patience: &mut dyn Patience,
    ) -> Result<ReadNext, InputError> {
        let (rows, mut order) = match shuffle {
            Shuffle::Dealing { rows, order } => (rows, order),
            Shuffle::Gathering(mut below, mut rows) => {
                let mut one = ByteList::new();
                loop {
                    match self.next_in_order(&mut one, patience)? {
                        ReadNext::Ready => rows.push(&one),
                        ReadNext::Woken => {
                            self.shuffle = Some(Shuffle::Gathering(below, rows));
                            return Ok(ReadNext::Woken);
                        }
                        ReadNext::End => break,
                    }
                }
                let order = shuffled(rows.len(), &mut below);
                (rows, order.into_iter())
            }
        };
        let next = order.next();
        if let Some(at) = next {
            row.clear();
            rows.copy(at, at + 1, row);
        }
        self.shuffle = Some(Shuffle::Dealing { rows, order });
        Ok(if next.is_some() { ReadNext::Ready } else { ReadNext::End })
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

/// Values of the command line are records as those of files are: `::: "$(ls)"` is
/// many, and only `-0` keeps a newline within one.
fn split(values: Vec<Vec<u8>>, delimiter: &[u8]) -> Vec<Vec<u8>> {
    if !values.iter().any(|value| find(value, delimiter).is_some()) {
        return values;
    }
    let mut records = Vec::new();
    for value in values {
        let mut rest = &value[..];
        while let Some(at) = find(rest, delimiter) {
            records.push(rest[..at].to_vec());
            rest = &rest[at + delimiter.len()..];
        }
        records.push(rest.to_vec());
    }
    records
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
                let values = split(values, &self.reading.delimiter);
                (ReadFrom::Values(values.into_iter()), None)
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
