//! One source's rows: records with head, blanks, continuation and end mark seen
//! to, cut into trimmed columns.

use std::path::PathBuf;

use super::columns::{ColumnSplitter, Quotes};
use super::source::{Header, Reading, Split, is_space};
use super::stream::{LONGEST, Records};
use super::{InputError, Patience, Step, beginning};
use crate::byte_list::ByteList;

/// What programs on Windows put before a text in UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// What reading a row needs besides the source.
pub(super) struct ReadContext<'a> {
    pub(super) reading: &'a Reading,
    pub(super) columns: &'a ColumnSplitter,
    /// Open files; two sources may share one.
    pub(super) records: &'a mut [Records],
    pub(super) patience: &'a mut dyn Patience,
    pub(super) replaced_nul: &'a mut bool,
}

/// Where a source's records come from.
pub(super) enum ReadFrom {
    Values(std::vec::IntoIter<Vec<u8>>),
    /// Values as they are, which nothing is cut off or left out of.
    Exact(std::vec::IntoIter<Vec<u8>>),
    /// An index into [`ReadContext::records`].
    Stream(usize),
}

/// One source.
pub(super) struct SourceReader {
    origin: ReadFrom,
    /// The names of the columns, empty where there is none.
    pub(super) names: Vec<Vec<u8>>,
    /// Whether the first record is still to become the names.
    head: bool,
    /// How many records are to be passed over.
    pub(super) to_skip: usize,
    record: Vec<u8>,
    /// Whether `record` goes on in the next one.
    open: bool,
    quotes: Quotes,
    ended: bool,
}

impl SourceReader {
    pub(super) fn new(origin: ReadFrom, path: Option<PathBuf>, reading: &Reading) -> Self {
        let names = match (&reading.header, path) {
            (Some(Header::FileNames), Some(path)) => vec![path.into_os_string().into_encoded_bytes()],
            _ => vec![Vec::new()],
        };
        Self {
            origin,
            names,
            head: reading.header.as_ref().is_some_and(|header| *header != Header::FileNames),
            to_skip: 0,
            record: Vec::new(),
            open: false,
            quotes: Quotes::default(),
            ended: false,
        }
    }

    /// Calls its one column `name`, and looks for none in what is read.
    pub(super) fn call(&mut self, name: Vec<u8>) {
        self.names = vec![name];
        self.head = false;
    }

    /// Adds the columns of the next row to `into`; all of them or none.
    pub(super) fn next(&mut self, into: &mut ByteList, cx: &mut ReadContext<'_>) -> Step<bool> {
        while self.gather(cx)? {
            if std::mem::take(&mut self.head) {
                self.name_columns(cx.columns)?;
                continue;
            }
            let mut add = |value: &[u8]| {
                if value.contains(&0) {
                    *cx.replaced_nul = true;
                    into.push(&without_nul(value));
                } else {
                    into.push(value);
                }
            };
            if let ReadFrom::Exact(_) = self.origin {
                add(&self.record);
            } else {
                cx.columns.split(&self.record, &mut |column| add(cx.reading.trim.apply(column)))?;
            }
            return Ok(true);
        }
        Ok(false)
    }

    /// How many rows are left, for which it reads to their end.
    pub(super) fn count(&mut self, cx: &mut ReadContext<'_>) -> Step<u64> {
        let mut rows = 0;
        while self.gather(cx)? {
            rows += u64::from(!std::mem::take(&mut self.head));
        }
        Ok(rows)
    }

    fn name_columns(&mut self, columns: &ColumnSplitter) -> Result<(), InputError> {
        let names = &mut self.names;
        names.clear();
        // A table from Windows ends its lines with a carriage return, too, and may begin
        // with a byte order mark.
        let record = self.record.strip_suffix(b"\r").unwrap_or(&self.record);
        let record = record.strip_prefix(BYTE_ORDER_MARK).unwrap_or(record);
        columns.split(record, &mut |name| names.push(name.to_vec()))
    }

    /// Makes `record` the next whole record. The head is taken as it is.
    fn gather(&mut self, cx: &mut ReadContext<'_>) -> Step<bool> {
        let ReadContext { reading, records, patience, .. } = cx;
        if let ReadFrom::Exact(values) = &mut self.origin {
            return Ok(values.next().map(|value| self.record = value).is_some());
        }
        while !self.ended {
            let value;
            let piece = match &mut self.origin {
                ReadFrom::Values(values) | ReadFrom::Exact(values) => {
                    value = values.next();
                    value.as_deref()
                }
                ReadFrom::Stream(index) if records[*index].advance(*patience)? => {
                    Some(records[*index].record())
                }
                ReadFrom::Stream(_) => None,
            };
            let Some(piece) = piece.filter(|piece| self.head || reading.end_mark.as_deref() != Some(*piece))
            else {
                self.ended = true;
                break;
            };
            let is_quoted = self.quotes == Quotes::Open;
            let is_left_out = reading.skip_blank && !self.head && !is_quoted;
            if self.to_skip > 0 || is_left_out && piece.iter().all(|byte| is_space(*byte)) {
                self.to_skip = self.to_skip.saturating_sub(1);
                continue;
            }
            if !self.open {
                self.record.clear();
                self.quotes = Quotes::default();
            } else if is_quoted {
                self.record.extend_from_slice(&reading.delimiter);
            }
            self.record.extend_from_slice(piece);
            if let ReadFrom::Stream(index) = self.origin
                && self.record.len() > LONGEST
            {
                return Err(records[index].endless().into());
            }
            if let Split::Csv(separator) = reading.split {
                self.quotes = self.quotes.after(piece, separator);
            }
            self.open = self.quotes == Quotes::Open
                || reading.continued && !self.head && matches!(piece.last(), Some(b' ' | b'\t'));
            if !self.open {
                return Ok(true);
            }
        }
        let is_cut_off = std::mem::take(&mut self.open);
        if is_cut_off && self.quotes == Quotes::Open {
            let reason = "a quoted field has no end".to_owned();
            return Err(InputError::Csv { record: beginning(&self.record), reason }.into());
        }
        Ok(is_cut_off)
    }
}

/// No argument of a command can hold a NUL: each becomes `\0`.
fn without_nul(value: &[u8]) -> Vec<u8> {
    value.split(|byte| *byte == 0).collect::<Vec<_>>().join(&b"\\0"[..])
}
