//! A table with a row for each finished job: GNU parallel's columns of the job
//! log, the job's values, and what it wrote.
//!
//! A row is complete when the job is over; until then its output waits. Rows then
//! go through a sink that knows their order, and a job is done when its row has been
//! handed on.

use std::io::{self, Write as _};
use std::sync::Arc;
use std::time::SystemTime;

use super::failure_tails::{FailureTails, Tail};
use super::journals::Beginning;
use super::spill_buffer::{SpillBuffer, SpillFile};
use super::table_rows::{TableForm, values};
use super::traits::{Acknowledge, Channel, Sink, TaskOutput, TaskRef, handed_on};
use crate::event::Journal;
use crate::task::{Outcome, Record, Task};

/// So much of a job's output is held in memory.
const IN_MEMORY: usize = 256 << 10;

/// The table. As a journal it hears when the run begins.
pub struct ResultTable {
    form: TableForm,
    rows: Box<dyn Sink + Send>,
    beginning: Beginning,
    tails: Arc<FailureTails>,
}

impl ResultTable {
    /// A table in `form`, whose rows go to `rows`, each as a task's output, under
    /// a [`HeadedRows`](super::HeadedRows) destination. The tails of what failed jobs had to say go to
    /// `tails`.
    #[must_use]
    pub fn new(form: TableForm, rows: Box<dyn Sink + Send>, tails: Arc<FailureTails>) -> Self {
        Self { form, rows, beginning: Beginning::default(), tails }
    }

    fn cells(
        &self,
        record: &Record,
        task: &Task,
        captured: &Captured,
        output: &mut dyn TaskOutput,
    ) -> io::Result<()> {
        let form = self.form;
        let row = self.beginning.row(record);
        let (start, runtime) = (row.start_text(), row.runtime_text());
        let (seq, sent, received, exit, signal) = (row.seq, row.sent, row.received, row.exit, row.signal);
        let mut text = Vec::new();
        match form {
            TableForm::Separated(separator) => {
                for cell in [
                    seq.to_string(),
                    ":".to_owned(),
                    start,
                    runtime,
                    sent.to_string(),
                    received.to_string(),
                    exit.to_string(),
                    signal.to_string(),
                ] {
                    form.cell(cell.as_bytes(), &mut text);
                    text.push(separator);
                }
                form.cells(std::iter::once(row.command).chain(values(task)), &mut text);
                text.push(separator);
                self.stream(captured, Channel::Out, &mut text, output)?;
                text.push(separator);
                self.stream(captured, Channel::Err, &mut text, output)?;
                text.push(b'\n');
            }
            TableForm::Json => {
                write!(
                    text,
                    "{{ \"Seq\": {seq}, \"Host\": \":\", \"Starttime\": {start}, \"JobRuntime\": {runtime}, \
                     \"Send\": {sent}, \"Receive\": {received}, \"Exitval\": {exit}, \"Signal\": {signal}, \
                     \"Command\": "
                )?;
                form.cell(row.command, &mut text);
                text.extend(b", \"V\": [ ");
                form.cells(values(task), &mut text);
                text.extend(b" ], \"Stdout\": ");
                self.stream(captured, Channel::Out, &mut text, output)?;
                text.extend(b", \"Stderr\": ");
                self.stream(captured, Channel::Err, &mut text, output)?;
                text.extend(b" }\n");
            }
        }
        output.write(Channel::Out, &text)
    }

    /// Appends a stream's cell to `text`, and hands on what gets long.
    fn stream(
        &self,
        captured: &Captured,
        channel: Channel,
        text: &mut Vec<u8>,
        output: &mut dyn TaskOutput,
    ) -> io::Result<()> {
        let form = self.form;
        let stream = &captured.streams[channel as usize];
        let is_quoted = form == TableForm::Json || stream.has(|byte| form.quotes(byte));
        let mark: &[u8] = if is_quoted { b"\"" } else { b"" };
        text.extend(mark);
        stream.read(&captured.spill, |block| {
            form.escape(block, text);
            if text.len() > 64 << 10 {
                output.write(Channel::Out, text)?;
                text.clear();
            }
            Ok(())
        })?;
        text.extend(mark);
        Ok(())
    }
}

/// What a job wrote, which waits for its row.
#[derive(Default)]
struct Captured {
    /// By channel.
    streams: [SpillBuffer; 2],
    spill: SpillFile,
}

impl Captured {
    fn add(&mut self, channel: Channel, bytes: &[u8]) -> io::Result<()> {
        let in_memory: usize = self.streams.iter().map(SpillBuffer::in_memory).sum();
        let stream = &mut self.streams[channel as usize];
        let limit = (IN_MEMORY + stream.in_memory()).saturating_sub(in_memory);
        stream.put(channel, bytes, limit, &mut self.spill).map_err(|error| {
            let why = format!("cannot put it aside in TMPDIR: {error}");
            io::Error::new(error.kind(), why)
        })
    }
}

impl Sink for ResultTable {
    fn open<'a>(&'a self, task: TaskRef<'a>) -> Box<dyn TaskOutput + 'a> {
        Box::new(TableOutput { table: self, task, captured: Captured::default(), tail: Tail::default() })
    }
}

struct TableOutput<'a> {
    table: &'a ResultTable,
    task: TaskRef<'a>,
    captured: Captured,
    tail: Tail,
}

impl TaskOutput for TableOutput<'_> {
    fn write(&mut self, channel: Channel, bytes: &[u8]) -> io::Result<()> {
        if channel == Channel::Err {
            self.tail.add(bytes);
        }
        self.captured.add(channel, bytes)
    }

    fn close(self: Box<Self>, record: Record, acknowledge: &dyn Acknowledge) {
        let Self { table, task, captured, tail } = *self;
        if record.outcome.is_failure() {
            table.tails.keep(task.seq, tail);
        }
        let mut row = table.rows.open(task.clone());
        let written = match record.outcome {
            // No row; but those that wait for this one's turn need not any more.
            Outcome::Interrupted => Ok(()),
            _ => table.cells(&record, &task, &captured, &mut *row),
        };
        row.close(handed_on(record, written), acknowledge);
    }
}

impl Journal for ResultTable {
    fn begin(&self, started: SystemTime) {
        self.beginning.set(started);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_that_finds_no_room_in_tmpdir_is_not_blamed_on_the_table() {
        let mut captured = Captured { spill: SpillFile::full(), ..Captured::default() };
        captured.add(Channel::Out, b"short").unwrap();
        let error = captured.add(Channel::Out, &vec![b'x'; IN_MEMORY]).unwrap_err();
        assert!(error.to_string().starts_with("cannot put it aside in TMPDIR: "), "{error}");
    }
}
