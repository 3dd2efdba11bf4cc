//! Rows into jobs: a fixed number each, or as many as a command line holds,
//! spread evenly over the slots at the end.
//!
//! Does not know what a command line looks like; whoever composes it tells how
//! long it has become.

use std::num::NonZeroUsize;
use std::ops::Range;

use super::{InputError, Inputs, Patience, ReadNext, Step, beginning};
use crate::byte_list::{ByteList, ByteRows};

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

impl RowsPerJob {
    /// One row a job, on lines of up to `limit` bytes.
    #[must_use]
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
    #[must_use]
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
        ReadNext::of(self.pack(inputs, length, job, patience))
    }

    fn pack(
        &mut self,
        inputs: &mut Inputs,
        length: &mut dyn LineLength,
        job: &mut ByteList,
        patience: &mut dyn Patience,
    ) -> Step<bool> {
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
                if !inputs.next(&mut self.row, patience)? {
                    return Ok(self.spread(0..self.line.len(), job));
                }
                if self.packing.insert_nothing {
                    self.row.blank();
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
                    return Err(self.too_long(total, length.words()).into());
                }
                break;
            }
            self.line.push(&self.row);
        }
        self.begun = false;
        std::mem::swap(job, self.line.values());
        Ok(true)
    }

    /// Hands out as many of the `rest` of the last line's rows as are one job's.
    fn spread(&mut self, rest: Range<usize>, job: &mut ByteList) -> bool {
        let n = self.line.len();
        let per_job = self.packing.slots.map_or(n, |slots| n.div_ceil(slots.get()));
        let to = n.min(rest.start + per_job);
        if !rest.is_empty() {
            job.clear();
            self.line.copy(rest.start, to, job);
        }
        self.rest = Some(to..n);
        !rest.is_empty()
    }

    fn too_long(&self, length: usize, words: usize) -> InputError {
        let values: Vec<&[u8]> = self.row.iter().collect();
        let room = self.packing.room.saturating_sub(ADDRESS * words);
        let limit = self.packing.limit.min(room);
        InputError::TooLong { length, limit, values: beginning(&values.join(&b' ')) }
    }
}
