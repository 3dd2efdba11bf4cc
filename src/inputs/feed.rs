//! One source's rows: records with head, blanks, continuation and end mark seen
//! to, cut into trimmed columns.

use std::path::PathBuf;

use super::columns::{ColumnSplitter, Quotes};
use super::error::{InputError, beginning};
use super::source::{Header, Reading, Trim, is_space};
use super::stream::{LONGEST, Records};
use super::{Patience, ReadNext};
use crate::byte_list::ByteList;

/// What programs on Windows put before a text in UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// What is the same for all sources.
pub(super) struct ReadingRules {
    columns: ColumnSplitter,
    csv: Option<u8>,
    trim: Trim,
    delimiter: Vec<u8>,
    end_mark: Option<Vec<u8>>,
    skip_blank: bool,
    continued: bool,
}

impl ReadingRules {
    pub(super) fn new(reading: &Reading) -> Result<Self, InputError> {
        let columns = ColumnSplitter::new(&reading.split)?;
        Ok(Self {
            csv: if let ColumnSplitter::Csv(separator) = columns { Some(separator) } else { None },
            columns,
            trim: reading.trim,
            delimiter: reading.delimiter.clone(),
            end_mark: reading.end_mark.clone(),
            skip_blank: reading.skip_blank,
            continued: reading.continued,
        })
    }
}

/// What reading a row needs besides the source.
pub(super) struct ReadContext<'a> {
    pub(super) rules: &'a ReadingRules,
    /// Open files; two sources may share one.
    pub(super) records: &'a mut [Records],
    pub(super) patience: &'a mut dyn Patience,
    pub(super) replaced_nul: &'a mut bool,
}

/// Where a source's records come from.
pub(super) enum ReadFrom {
    Values(std::vec::IntoIter<Vec<u8>>),
    /// An index into [`ReadContext::records`].
    Stream(usize),
}

/// One source.
pub(super) struct SourceReader {
    origin: ReadFrom,
    names: Vec<Vec<u8>>,
    /// Whether the first record is still to become the names.
    head: bool,
    /// How many records are to be passed over.
    to_skip: usize,
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

    /// Passes over the first record.
    pub(super) fn skip_first(&mut self) {
        self.to_skip = 1;
    }

    /// The names of the columns, empty where there is none.
    pub(super) fn names(&self) -> &[Vec<u8>] {
        &self.names
    }

    /// Adds the columns of the next row to `into`; all of them or none.
    pub(super) fn next(
        &mut self,
        into: &mut ByteList,
        cx: &mut ReadContext<'_>,
    ) -> Result<ReadNext, InputError> {
        loop {
            match self.gather(cx)? {
                ReadNext::Ready if self.head => self.name_columns(cx.rules)?,
                ReadNext::Ready => break,
                other => return Ok(other),
            }
        }
        let ReadContext { rules, replaced_nul, .. } = cx;
        rules.columns.split(&self.record, &mut |column| {
            let value = rules.trim.apply(column);
            if value.contains(&0) {
                **replaced_nul = true;
                into.push(&without_nul(value));
            } else {
                into.push(value);
            }
        })?;
        Ok(ReadNext::Ready)
    }

    fn name_columns(&mut self, rules: &ReadingRules) -> Result<(), InputError> {
        self.head = false;
        let names = &mut self.names;
        names.clear();
        // A table from Windows ends its lines with a carriage return, too, and may begin
        // with a byte order mark.
        let record = self.record.strip_suffix(b"\r").unwrap_or(&self.record);
        let record = record.strip_prefix(BYTE_ORDER_MARK).unwrap_or(record);
        rules.columns.split(record, &mut |name| names.push(name.to_vec()))
    }

    /// Makes `record` the next whole record. The head is taken as it is.
    fn gather(&mut self, cx: &mut ReadContext<'_>) -> Result<ReadNext, InputError> {
        let ReadContext { rules, records, patience, .. } = cx;
        while !self.ended {
            let value;
            let piece = match &mut self.origin {
                ReadFrom::Values(values) => {
                    value = values.next();
                    value.as_deref()
                }
                ReadFrom::Stream(index) => match records[*index].advance(*patience)? {
                    ReadNext::Ready => Some(records[*index].record()),
                    ReadNext::Woken => return Ok(ReadNext::Woken),
                    ReadNext::End => None,
                },
            };
            let Some(piece) = piece.filter(|piece| self.head || rules.end_mark.as_deref() != Some(*piece))
            else {
                self.ended = true;
                break;
            };
            if self.to_skip > 0 {
                self.to_skip -= 1;
                continue;
            }
            if rules.skip_blank
                && !self.head
                && self.quotes != Quotes::Open
                && piece.iter().all(|byte| is_space(*byte))
            {
                continue;
            }
            if !self.open {
                self.record.clear();
                self.quotes = Quotes::default();
            } else if self.quotes == Quotes::Open {
                self.record.extend_from_slice(&rules.delimiter);
            }
            self.record.extend_from_slice(piece);
            if let ReadFrom::Stream(index) = self.origin
                && self.record.len() > LONGEST
            {
                return Err(records[index].endless());
            }
            if let Some(separator) = rules.csv {
                self.quotes = self.quotes.after(piece, separator);
            }
            self.open = self.quotes == Quotes::Open
                || rules.continued && !self.head && matches!(piece.last(), Some(b' ' | b'\t'));
            if !self.open {
                return Ok(ReadNext::Ready);
            }
        }
        if !std::mem::take(&mut self.open) {
            return Ok(ReadNext::End);
        }
        if self.quotes == Quotes::Open {
            let reason = "a quoted field has no end".to_owned();
            return Err(InputError::Csv { record: beginning(&self.record), reason });
        }
        Ok(ReadNext::Ready)
    }
}

/// No argument of a command can hold a NUL: each becomes `\0`.
fn without_nul(value: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(value.len() + 8);
    for byte in value {
        match byte {
            0 => bytes.extend_from_slice(b"\\0"),
            _ => bytes.push(*byte),
        }
    }
    bytes
}
