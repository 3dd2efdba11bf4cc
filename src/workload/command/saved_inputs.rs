//! The values of all jobs, put aside in a file without a name: for batches that
//! are run several times, or whose number of jobs must be known first.
//!
//! Memory stays flat however many jobs there are. Each job is the number of its
//! values, then each value's length and bytes, then what it reads: 0 is nothing, 1 a
//! block's length and bytes, 2 the same and then a file's number and where in it.
//! Numbers are 32 bits, places in a file 64, little-endian.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek as _, Write};

use anyhow::Context as _;

use super::stdin_mode::FileReader;
use crate::task::{Block, Stretch, TaskInput};
use crate::temporary::unnamed_file;

/// All jobs' values.
pub(super) struct SavedInputs {
    file: File,
    jobs: u64,
}

/// Takes jobs' values one after another.
pub(super) struct InputSaver {
    file: BufWriter<File>,
    jobs: u64,
}

/// What was being done when they could not be.
const PUT_ASIDE: &str = "put the inputs aside in TMPDIR";

/// The same of what was.
pub(super) const READ_BACK: &str = "cannot read the inputs put aside";

impl InputSaver {
    pub(super) fn new() -> anyhow::Result<Self> {
        Ok(Self { file: BufWriter::new(unnamed_file().context(PUT_ASIDE)?), jobs: 0 })
    }

    pub(super) fn put(&mut self, job: &TaskInput) -> anyhow::Result<()> {
        self.jobs += 1;
        write_job(&mut self.file, job).context(PUT_ASIDE)
    }

    pub(super) fn finish(self) -> anyhow::Result<SavedInputs> {
        let whole = |file: BufWriter<File>| {
            let mut file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
            file.rewind()?;
            Ok::<_, io::Error>(file)
        };
        Ok(SavedInputs { file: whole(self.file).context(PUT_ASIDE)?, jobs: self.jobs })
    }
}

impl SavedInputs {
    /// How many jobs there are.
    pub(super) fn jobs(&self) -> u64 {
        self.jobs
    }

    /// The jobs, from the first one on. Several may read at a time.
    pub(super) fn iter(&self) -> impl Iterator<Item = anyhow::Result<TaskInput>> + Send + '_ {
        jobs(self.jobs, FileReader { file: &self.file, offset: 0 })
    }

    /// The jobs, from the first one on.
    pub(super) fn into_inputs(self) -> impl Iterator<Item = anyhow::Result<TaskInput>> + Send {
        jobs(self.jobs, self.file)
    }
}

fn jobs<R: Read>(count: u64, file: R) -> impl Iterator<Item = anyhow::Result<TaskInput>> {
    let mut reader = BufReader::with_capacity(64 << 10, file);
    (0..count).map(move |_| read_job(&mut reader).context(READ_BACK))
}

/// Saves `job`.
pub(super) fn write_job(to: &mut impl Write, job: &TaskInput) -> io::Result<()> {
    write_number(to, job.values().len())?;
    for value in job.values() {
        write_value(to, value)?;
    }
    let TaskInput::Block(block) = job else { return write_number(to, 0) };
    write_number(to, if block.stretch.is_some() { 2 } else { 1 })?;
    write_value(to, &block.bytes)?;
    if let Some(Stretch { file, from, length }) = block.stretch {
        write_number(to, file)?;
        to.write_all(&from.to_le_bytes())?;
        to.write_all(&length.to_le_bytes())?;
    }
    Ok(())
}

fn write_value(to: &mut impl Write, value: &[u8]) -> io::Result<()> {
    write_number(to, value.len())?;
    to.write_all(value)
}

fn write_number(to: &mut impl Write, number: usize) -> io::Result<()> {
    let number = u32::try_from(number).map_err(io::Error::other)?;
    to.write_all(&number.to_le_bytes())
}

/// The next job that was saved.
pub(super) fn read_job(reader: &mut impl Read) -> io::Result<TaskInput> {
    let n_values = number(reader)?;
    let values = (0..n_values).map(|_| value(reader)).collect::<io::Result<_>>()?;
    let kind = number(reader)?;
    if kind == 0 {
        return Ok(TaskInput::Values(values));
    }
    let bytes = value(reader)?;
    let stretch = match kind {
        1 => None,
        _ => Some(Stretch { file: number(reader)?, from: place(reader)?, length: place(reader)? }),
    };
    Ok(TaskInput::Block(Box::new(Block { values, bytes, stretch })))
}

fn place(reader: &mut impl Read) -> io::Result<u64> {
    let mut bytes = [0; 8];
    reader.read_exact(&mut bytes)?;
    Ok(u64::from_le_bytes(bytes))
}

fn number(reader: &mut impl Read) -> io::Result<usize> {
    let mut bytes = [0; 4];
    reader.read_exact(&mut bytes)?;
    usize::try_from(u32::from_le_bytes(bytes)).map_err(io::Error::other)
}

fn value(reader: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut value = vec![0; number(reader)?];
    reader.read_exact(&mut value)?;
    Ok(value)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_was_saved_comes_back_each_time(
            jobs in prop::collection::vec(
                (prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..5), prop::option::of((prop::collection::vec(any::<u8>(), 0..40), prop::option::of((0..9_usize, any::<u64>(), any::<u64>()))))),
                0..20,
            )
        ) {
            let jobs: Vec<TaskInput> = jobs
                .into_iter()
                .map(|(values, block)| match block {
                    None => TaskInput::Values(values),
                    Some((bytes, stretch)) => {
                        let stretch = stretch.map(|(file, from, length)| Stretch { file, from, length });
                        TaskInput::Block(Box::new(Block { values, bytes, stretch }))
                    }
                })
                .collect();
            let mut saver = InputSaver::new().unwrap();
            for job in &jobs {
                saver.put(job).unwrap();
            }
            let saved = saver.finish().unwrap();
            prop_assert_eq!(saved.jobs(), jobs.len() as u64);
            for _ in 0..2 {
                let read: anyhow::Result<Vec<_>> = saved.iter().collect();
                prop_assert_eq!(&read.unwrap(), &jobs);
            }
        }
    }
}
