//! Jobs' values as they come: inputs, packed as far as was asked for.

use anyhow::Context as _;

use super::Settings;
use crate::inputs::{Arguments, Inputs, LineLength, Next, Packer, Patience};
use crate::template::{self, Numbers, Quoting, Template};

/// The jobs still to come.
pub struct Feed {
    inputs: Inputs,
    packer: Packer,
    patience: Box<dyn Patience + Send>,
    job: Arguments,
}

impl Feed {
    /// The rows of `inputs`, made into jobs by `packer`.
    #[must_use]
    pub fn new(inputs: Inputs, packer: Packer, patience: Box<dyn Patience + Send>) -> Self {
        Self { inputs, packer, patience, job: Arguments::new() }
    }

    /// The values of the next job; `None` when there is none, or nobody wants it
    /// any more.
    pub(super) fn next(&mut self, settings: &Settings) -> anyhow::Result<Option<Vec<Vec<u8>>>> {
        let mut length = Length::new(&settings.template, settings.quoting, settings.slots);
        let next = self.packer.next(&mut self.inputs, &mut length, &mut self.job, &mut *self.patience);
        Ok(match next.context("read the inputs")? {
            Next::Ready => Some(self.job.iter().map(<[u8]>::to_vec).collect()),
            Next::Woken | Next::End => None,
        })
    }
}

/// How long a command line becomes.
struct Length<'t> {
    packer: template::Packer<'t>,
    numbers: Numbers,
}

impl<'t> Length<'t> {
    fn new(template: &'t Template, quoting: Quoting, slots: usize) -> Self {
        // The numbers of the job are not known yet: these are as long as they get.
        let numbers = Numbers { seq: 1, slot: slots as u64, slots: slots as u64, total: 0 };
        Self { packer: template::Packer::new(template, quoting, &numbers), numbers }
    }
}

impl LineLength for Length<'_> {
    fn start(&mut self) {
        self.packer.restart(&self.numbers);
    }

    fn add(&mut self, row: &Arguments) -> usize {
        let values: Vec<&[u8]> = row.iter().collect();
        self.packer.push(&values);
        self.packer.length()
    }
}
