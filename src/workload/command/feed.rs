//! Jobs as they come: values, packed as far as was asked for, and blocks of
//! standard input.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use anyhow::Context as _;

use super::Settings;
use super::round_robin::RoundRobin;
use super::spool::Spool;
use crate::byte_list::ByteList;
use crate::inputs::{Blocks, FileParts, Inputs, JobPacker, LineLength, Patience, ReadNext};
use crate::task::{Block, Stretch, TaskInput};
use crate::template::{self, Numbers, Quoting, Template};

/// How to wait for input, on any thread.
pub type Patient = Box<dyn Patience + Send>;

/// The jobs still to come.
pub struct Feed {
    reads: Reads,
    values: Values,
    patience: Patient,
}

/// What the jobs read on standard input.
enum Reads {
    Nothing,
    /// A block each, out of one file after another.
    Blocks(VecDeque<Blocks>),
    /// A part each of files.
    Parts(Box<FileParts>),
    /// Every so-manieth block.
    RoundRobin(Arc<RoundRobin>),
    /// All of it, every job.
    All(Arc<Spool>),
}

/// Which values the jobs get.
pub enum Values {
    /// Each job the same, as long as there is something to read.
    Same(Vec<Vec<u8>>),
    /// The rows of inputs; with something to read, none once they have ended.
    Of(Box<Packed>),
}

/// Rows, and what makes jobs of them.
pub struct Packed {
    inputs: Inputs,
    packer: JobPacker,
    /// Memory for one job.
    job: ByteList,
}

impl Feed {
    /// Jobs that read nothing: the rows of `inputs`, made into jobs by `packer`.
    #[must_use]
    pub fn new(inputs: Inputs, packer: JobPacker, patience: Patient) -> Self {
        Self { reads: Reads::Nothing, values: Values::of(inputs, packer), patience }
    }

    /// A job for each block of `blocks`.
    #[must_use]
    pub fn blocks(blocks: Vec<Blocks>, values: Values, patience: Patient) -> Self {
        Self { reads: Reads::Blocks(blocks.into()), values, patience }
    }

    /// A job for each of `parts`.
    #[must_use]
    pub fn parts(parts: FileParts, values: Values, patience: Patient) -> Self {
        Self { reads: Reads::Parts(Box::new(parts)), values, patience }
    }

    /// A job for each of `lanes`, as long as there are blocks.
    #[must_use]
    pub fn lanes(lanes: Arc<RoundRobin>, values: Values, patience: Patient) -> Self {
        Self { reads: Reads::RoundRobin(lanes), values, patience }
    }

    /// Jobs each of which reads all of `spool`.
    #[must_use]
    pub fn all(spool: Arc<Spool>, values: Values, patience: Patient) -> Self {
        Self { reads: Reads::All(spool), values, patience }
    }

    /// The next job; `None` when there is none, or nobody wants it any more.
    pub(super) fn next(&mut self, settings: &Settings) -> anyhow::Result<Option<TaskInput>> {
        let Self { reads, values, patience } = self;
        let read = "read the inputs";
        let next = match reads {
            Reads::Nothing => return Ok(values.next(settings, &mut **patience)?.map(TaskInput::Values)),
            Reads::All(spool) => {
                let next = spool.fill(&mut **patience).context("put standard input aside")?;
                let values = values.next(settings, &mut **patience)?.map(TaskInput::Values);
                // Without values there is one job.
                if let Values::Same(_) = self.values {
                    self.reads = Reads::Blocks(VecDeque::new());
                }
                return Ok(values.filter(|_| next == ReadNext::Ready));
            }
            Reads::RoundRobin(lanes) => lanes.open(&mut **patience).context(read)?.then(Block::default),
            Reads::Parts(parts) => parts.next(&mut **patience).context(read)?.map(|part| {
                let Range { start: from, end } = part.bytes;
                let stretch = Stretch { file: part.file, from, length: end - from };
                Block { bytes: part.head, stretch: Some(stretch), ..Block::default() }
            }),
            Reads::Blocks(blocks) => loop {
                let Some(first) = blocks.front_mut() else { break None };
                let mut bytes = Vec::new();
                match first.next(&mut bytes, &mut **patience).context(read)? {
                    ReadNext::Ready => break Some(Block { bytes, ..Block::default() }),
                    ReadNext::Woken => break None,
                    ReadNext::End => drop(blocks.pop_front()),
                }
            },
        };
        let Some(block) = next else { return Ok(None) };
        let values = values.next(settings, &mut **patience)?.unwrap_or_default();
        Ok(Some(match self.reads {
            Reads::RoundRobin(_) => TaskInput::Values(values),
            _ => TaskInput::Block(Box::new(Block { values, ..block })),
        }))
    }
}

impl Values {
    /// The rows of `inputs`, made into jobs by `packer`.
    #[must_use]
    pub fn of(inputs: Inputs, packer: JobPacker) -> Self {
        Self::Of(Box::new(Packed { inputs, packer, job: ByteList::new() }))
    }

    fn next(
        &mut self,
        settings: &Settings,
        patience: &mut dyn Patience,
    ) -> anyhow::Result<Option<Vec<Vec<u8>>>> {
        let Packed { inputs, packer, job } = match self {
            Self::Same(values) => return Ok(Some(values.clone())),
            Self::Of(packed) => &mut **packed,
        };
        let mut length = Length::new(&settings.template, settings.quoting, settings.counts.slots());
        let next = packer.next(inputs, &mut length, job, patience);
        Ok(match next.context("read the inputs")? {
            ReadNext::Ready => Some(job.iter().map(<[u8]>::to_vec).collect()),
            ReadNext::Woken | ReadNext::End => None,
        })
    }
}

/// How long a command line becomes.
struct Length<'t> {
    packer: template::GrowingLine<'t>,
    numbers: Numbers,
}

impl<'t> Length<'t> {
    fn new(template: &'t Template, quoting: Quoting, slots: u64) -> Self {
        // The numbers of the job are not known yet: these are as long as they get.
        let numbers = Numbers { seq: 1, slot: slots, slots, total: 0 };
        Self { packer: template::GrowingLine::new(template, quoting, &numbers), numbers }
    }
}

impl LineLength for Length<'_> {
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
