//! Jobs as they come: values, packed as far as was asked for, and blocks of
//! standard input.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use anyhow::Context as _;

use super::round_robin::RoundRobin;
use super::{Settings, Spool};
use crate::byte_list::ByteList;
use crate::inputs::{Blocks, FileParts, InputError, Inputs, JobPacker, LineLength, Patience, ReadNext};
use crate::task::{Block, Stretch, TaskInput};
use crate::template::{self, Numbers, Quoting, Template};

/// How to wait for input, on any thread.
pub type BoxedPatience = Box<dyn Patience + Send>;

/// The jobs still to come.
pub struct JobFeed {
    reads: FeedSource,
    values: JobValues,
    patience: BoxedPatience,
}

/// What the jobs read on standard input.
pub enum FeedSource {
    /// Nothing: a job is what its values make it.
    Nothing,
    /// A block each, out of one stream after another.
    Blocks(VecDeque<Blocks>),
    /// A part each of files.
    Parts(Box<FileParts>),
    /// Every so-manieth block, as long as there are any.
    RoundRobin(Arc<RoundRobin>),
    /// All of it, every job.
    All(Arc<Spool>),
}

/// Which values the jobs get.
pub enum JobValues {
    /// Each job the same, as long as there is something to read.
    Same(Vec<Vec<u8>>),
    /// The rows of inputs; with something to read, none once they have ended.
    Of(Box<PackedRows>),
}

/// Rows, and what makes jobs of them.
pub struct PackedRows {
    inputs: Inputs,
    packer: JobPacker,
    /// Memory for one job.
    job: ByteList,
    /// Whether there are no more, and not only nobody who waits for them.
    have_ended: bool,
}

impl JobFeed {
    /// Jobs that read what `reads` says and get `values`.
    pub fn new(reads: FeedSource, values: JobValues, patience: BoxedPatience) -> Self {
        Self { reads, values, patience }
    }

    /// Whether there are no more jobs for want of inputs.
    pub(super) fn has_ended(&self) -> bool {
        matches!(&self.values, JobValues::Of(rows) if rows.have_ended)
    }

    /// The next job; `None` when there is none, or nobody wants it any more.
    pub(super) fn next(&mut self, settings: &Settings) -> anyhow::Result<Option<TaskInput>> {
        let Self { reads, values, patience } = self;
        let read = "read the inputs";
        let next = match reads {
            FeedSource::Nothing => return Ok(values.next(settings, &mut **patience)?.map(TaskInput::Values)),
            FeedSource::All(spool) => {
                let next = spool.fill(&mut **patience).context("cannot put standard input aside")?;
                let values = values.next(settings, &mut **patience)?.map(TaskInput::Values);
                // Without values there is one job.
                if let JobValues::Same(_) = self.values {
                    self.reads = FeedSource::Blocks(VecDeque::new());
                }
                return Ok(values.filter(|_| next == ReadNext::Ready));
            }
            FeedSource::RoundRobin(dealer) => {
                dealer.open(&mut **patience).context(read)?.then(Block::default)
            }
            FeedSource::Parts(parts) => parts.next(&mut **patience).context(read)?.map(|part| {
                let Range { start: from, end } = part.bytes;
                let stretch = Stretch { file: part.file, from, length: end - from };
                Block { bytes: part.head, stretch: Some(stretch), ..Block::default() }
            }),
            FeedSource::Blocks(streams) => {
                let mut bytes = Vec::new();
                let next = next_block(streams, |blocks| blocks.next(&mut bytes, &mut **patience));
                (next.context(read)? == ReadNext::Ready).then(|| Block { bytes, ..Block::default() })
            }
        };
        let Some(block) = next else { return Ok(None) };
        let values = values.next(settings, &mut **patience)?.unwrap_or_default();
        Ok(Some(match self.reads {
            FeedSource::RoundRobin(_) => TaskInput::Values(values),
            _ => TaskInput::Block(Box::new(Block { values, ..block })),
        }))
    }
}

/// The next block of one stream after another, which `next` takes of each.
pub(super) fn next_block(
    streams: &mut VecDeque<Blocks>,
    mut next: impl FnMut(&mut Blocks) -> Result<ReadNext, InputError>,
) -> Result<ReadNext, InputError> {
    while let Some(first) = streams.front_mut() {
        let next = next(first)?;
        if next != ReadNext::End {
            return Ok(next);
        }
        streams.pop_front();
    }
    Ok(ReadNext::End)
}

impl JobValues {
    /// The rows of `inputs`, made into jobs by `packer`.
    pub fn of(inputs: Inputs, packer: JobPacker) -> Self {
        Self::Of(Box::new(PackedRows { inputs, packer, job: ByteList::new(), have_ended: false }))
    }

    fn next(
        &mut self,
        settings: &Settings,
        patience: &mut dyn Patience,
    ) -> anyhow::Result<Option<Vec<Vec<u8>>>> {
        let PackedRows { inputs, packer, job, have_ended } = match self {
            Self::Same(values) => return Ok(Some(values.clone())),
            Self::Of(packed) => &mut **packed,
        };
        let mut length = JobLineLength::new(&settings.template, settings.quoting, settings.counts.slots());
        let next = packer.next(inputs, &mut length, job, patience).context("cannot read the inputs")?;
        *have_ended = next == ReadNext::End;
        Ok((next == ReadNext::Ready).then(|| job.iter().map(<[u8]>::to_vec).collect()))
    }
}

/// How long a command line becomes.
struct JobLineLength<'t> {
    packer: template::GrowingLine<'t>,
    numbers: Numbers,
}

impl<'t> JobLineLength<'t> {
    fn new(template: &'t Template, quoting: Quoting, slots: u64) -> Self {
        // The numbers of the job are not known yet: these are as long as they get.
        let numbers = Numbers { seq: 1, slot: slots, slots, total: 0 };
        Self { packer: template::GrowingLine::new(template, quoting, &numbers), numbers }
    }
}

impl LineLength for JobLineLength<'_> {
    fn start(&mut self) {
        self.packer.restart(&self.numbers);
    }

    fn add(&mut self, row: &ByteList) -> usize {
        let values: Vec<&[u8]> = row.iter().collect();
        self.packer.push(&values);
        self.packer.length()
    }

    fn words(&self) -> usize {
        self.packer.words()
    }
}
