//! A table with a row for each finished job: GNU parallel's columns of the job
//! log, the job's values, and what it wrote (CSV and TSV with GNU parallel's quotation
//! marks, or an object of JSON a line).
//!
//! A row is complete when the job is over; until then its output waits. Rows then
//! go through a sink that knows their order, and a job is done when its row has been
//! handed on.

use std::io::{self, Write as _};
use std::sync::Arc;
use std::time::SystemTime;

use super::journals::Beginning;
use super::result_files::{FailureTails, Tail};
use super::row_file::RowFile;
use super::spill_buffer::{SpillBuffer, SpillFile};
use super::traits::{Acknowledge, Channel, Destination, Sink, TaskOutput, TaskRef, handed_on};
use crate::event::Journal;
use crate::task::{Outcome, Record, Task};

/// So much of a job's output is held in memory.
const IN_MEMORY: usize = 256 << 10;

/// The table. As a journal it hears when the run begins.
pub struct ResultTable {
    form: TableForm,
    rows: Box<dyn Sink + Send>,
    /// The file that they end up in, unless that is stdout.
    file: Option<Arc<RowFile>>,
    beginning: Beginning,
    tails: Arc<FailureTails>,
}

impl ResultTable {
    /// A table in `form`, whose rows go to `rows`, each as a task's output, under
    /// a [`HeadedRows`] destination, and from there into `file`, if into one. The tails of
    /// what failed jobs had to say go to `tails`.
    pub fn new(
        form: TableForm,
        rows: Box<dyn Sink + Send>,
        file: Option<Arc<RowFile>>,
        tails: Arc<FailureTails>,
    ) -> Self {
        Self { form, rows, file, beginning: Beginning::default(), tails }
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
                    row.host.to_owned(),
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
                    "{{ \"Seq\": {seq}, \"Host\": {host}, \"Starttime\": {start}, \"JobRuntime\": {runtime}, \
                     \"Send\": {sent}, \"Receive\": {received}, \"Exitval\": {exit}, \"Signal\": {signal}, \
                     \"Command\": ",
                    host = serde_json::Value::from(row.host),
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
    fn begin(&self, started: SystemTime) -> anyhow::Result<()> {
        self.beginning.set(started);
        self.file.as_ref().map_or(Ok(()), |file| file.begin())
    }
}

/// The columns before the job's values.
const FIRST: [&str; 9] =
    ["Seq", "Host", "Starttime", "JobRuntime", "Send", "Receive", "Exitval", "Signal", "Command"];

/// The form of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableForm {
    /// Cells apart by this byte.
    Separated(u8),
    /// An object a line.
    Json,
}

impl TableForm {
    /// Whether a cell with this byte stands in quotation marks.
    fn quotes(self, byte: u8) -> bool {
        match self {
            // Perl's white space, the separator, the mark itself and NUL.
            Self::Separated(separator) => {
                matches!(byte, b' ' | b'\t'..=b'\r' | b'"' | 0) || byte == separator
            }
            Self::Json => true,
        }
    }

    /// Appends `text` as it stands between quotation marks.
    fn escape(self, text: &[u8], out: &mut Vec<u8>) {
        for &byte in text {
            match (self, byte) {
                (Self::Separated(_), b'"') => out.extend(b"\"\""),
                (Self::Json, b'"' | b'\\') => out.extend([b'\\', byte]),
                (Self::Json, 0..=31) => out.extend(format!("\\u{byte:04x}").as_bytes()),
                _ => out.push(byte),
            }
        }
    }

    /// Appends a cell that holds `text`.
    fn cell(self, text: &[u8], out: &mut Vec<u8>) {
        let is_quoted = self == Self::Json || text.iter().any(|&byte| self.quotes(byte));
        if is_quoted {
            out.push(b'"');
        }
        self.escape(text, out);
        if is_quoted {
            out.push(b'"');
        }
    }

    /// Appends cells side by side.
    fn cells<'t>(self, texts: impl IntoIterator<Item = &'t [u8]>, out: &mut Vec<u8>) {
        let between = match self {
            Self::Separated(separator) => separator,
            Self::Json => b',',
        };
        for (at, text) in texts.into_iter().enumerate() {
            if at > 0 {
                out.push(between);
            }
            self.cell(text, out);
        }
    }
}

fn values(task: &Task) -> impl Iterator<Item = &[u8]> {
    let values = task.spec.values();
    values.iter().map(Vec::as_slice)
}

/// A destination of rows that begins with the names of the columns.
pub struct HeadedRows<D> {
    form: TableForm,
    /// Names of the values by position, as far as they have one.
    names: Vec<Vec<u8>>,
    is_begun: bool,
    rows: D,
}

impl<D: Destination> HeadedRows<D> {
    /// Hands rows on to `rows`; `names` are those of the jobs' values.
    pub fn new(form: TableForm, names: Vec<Vec<u8>>, rows: D) -> Self {
        Self { form, names, is_begun: form == TableForm::Json, rows }
    }

    fn header(&self, task: &Task) -> Vec<u8> {
        let named = (0..values(task).count()).map(|at| match self.names.get(at) {
            Some(name) if !name.is_empty() => name.clone(),
            _ => format!("V{}", at + 1).into_bytes(),
        });
        let named: Vec<Vec<u8>> = named.collect();
        let first = FIRST.iter().map(|name| name.as_bytes());
        let last = [b"Stdout".as_slice(), b"Stderr"];
        let mut line = Vec::new();
        self.form.cells(first.chain(named.iter().map(Vec::as_slice)).chain(last), &mut line);
        line.push(b'\n');
        line
    }
}

impl<D: Destination> Destination for HeadedRows<D> {
    fn write(&mut self, task: &Task, channel: Channel, bytes: &[u8]) -> io::Result<()> {
        if !std::mem::replace(&mut self.is_begun, true) {
            let header = self.header(task);
            self.rows.write(task, channel, &header)?;
        }
        self.rows.write(task, channel, bytes)
    }

    fn close(&mut self, task: &Task, outcome: &Outcome) -> io::Result<()> {
        self.rows.close(task, outcome)
    }
}

/// So much of a row is held in memory, unless others write to the file, too.
const LONG_ROW: usize = 1 << 20;

/// Rows into a file, each in one write unless it is long and nobody else writes
/// there.
pub struct RowsToFile {
    rows: Arc<RowFile>,
    row: Vec<u8>,
    /// Whether what comes next is the header, which is for an empty file only.
    begins: bool,
    /// Whether the row comes in several writes.
    in_pieces: bool,
    /// When it is asked again whether it may.
    ask_at: usize,
}

impl RowsToFile {
    /// Into `rows`, which have no header.
    pub fn new(rows: Arc<RowFile>) -> Self {
        Self { rows, row: Vec::new(), begins: false, in_pieces: false, ask_at: LONG_ROW }
    }

    /// Into `rows`; what is written first is the header.
    pub fn with_header(rows: Arc<RowFile>) -> Self {
        Self { begins: true, ..Self::new(rows) }
    }

    fn put(&mut self) -> io::Result<()> {
        let put = self.rows.put(&self.row).map_err(|error| told(&error));
        self.row.clear();
        put
    }
}

fn told(error: &anyhow::Error) -> io::Error {
    io::Error::other(format!("{error:#}"))
}

impl Destination for RowsToFile {
    fn write(&mut self, _task: &Task, _channel: Channel, bytes: &[u8]) -> io::Result<()> {
        if std::mem::take(&mut self.begins) {
            return self.rows.put_header(bytes).map_err(|error| told(&error));
        }
        self.row.extend_from_slice(bytes);
        if self.row.len() <= self.ask_at {
            return Ok(());
        }
        self.in_pieces = self.in_pieces || self.rows.keep_to_itself();
        if self.in_pieces {
            return self.put();
        }
        self.ask_at = 2 * self.row.len();
        Ok(())
    }

    fn close(&mut self, _task: &Task, _outcome: &Outcome) -> io::Result<()> {
        let put = if self.row.is_empty() { Ok(()) } else { self.put() };
        if std::mem::take(&mut self.in_pieces) {
            self.rows.share_again();
        }
        self.ask_at = LONG_ROW;
        put
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

    #[test]
    fn cells_are_quoted_as_gnu_parallel_quotes_them() {
        let cells = |form: TableForm, texts: &[&str]| {
            let mut out = Vec::new();
            form.cells(texts.iter().map(|text| text.as_bytes()), &mut out);
            String::from_utf8(out).unwrap()
        };
        let texts = ["", "a", "a b", "a\"", "a,", "a\tb", "a\n", "\u{e9}/\\"];
        let csv = "\"a b\",\"a\"\"\",\"a,\",\"a\tb\",\"a\n\",\u{e9}/\\";
        assert_eq!(cells(TableForm::Separated(b','), &texts), format!(",a,{csv}"));
        assert_eq!(cells(TableForm::Separated(b'\t'), &["a,", "a\tb"]), "a,\t\"a\tb\"");
        assert_eq!(cells(TableForm::Json, &texts[3..]), r#""a\"","a,","a\u0009b","a\u000a","é/\\""#);
    }
}
