//! Rows of a table: how one is written (CSV and TSV with GNU parallel's quotation
//! marks, or an object of JSON a line), the names of its columns before the first,
//! and the file that they go to.

use std::io;

use super::row_file::RowFile;
use super::traits::{Channel, Destination};
use crate::task::{Outcome, Task};

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
    pub(super) fn quotes(self, byte: u8) -> bool {
        match self {
            // Perl's white space, the separator, the mark itself and NUL.
            Self::Separated(separator) => {
                matches!(byte, b' ' | b'\t'..=b'\r' | b'"' | 0) || byte == separator
            }
            Self::Json => true,
        }
    }

    /// Appends `text` as it stands between quotation marks.
    pub(super) fn escape(self, text: &[u8], out: &mut Vec<u8>) {
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
    pub(super) fn cell(self, text: &[u8], out: &mut Vec<u8>) {
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
    pub(super) fn cells<'t>(self, texts: impl IntoIterator<Item = &'t [u8]>, out: &mut Vec<u8>) {
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

pub(super) fn values(task: &Task) -> impl Iterator<Item = &[u8]> {
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

    /// As [`Self::new`], but the names are there already.
    pub fn begun(form: TableForm, rows: D) -> Self {
        Self { form, names: Vec::new(), is_begun: true, rows }
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
    rows: RowFile,
    row: Vec<u8>,
    /// Whether what comes next is the header, which is for an empty file only.
    begins: bool,
    /// Whether the row comes in several writes.
    in_pieces: bool,
    /// When it is asked again whether it may.
    ask_at: usize,
}

impl RowsToFile {
    /// Into `rows`, where the header is already.
    #[must_use]
    pub fn new(rows: RowFile) -> Self {
        Self { rows, row: Vec::new(), begins: false, in_pieces: false, ask_at: LONG_ROW }
    }

    /// Into `rows`; what is written first is the header.
    #[must_use]
    pub fn with_header(rows: RowFile) -> Self {
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
