//! Lists that are tables: CSV or TSV under a line of column names, each row with the line
//! on which it begins, so that what is wrong with it can be found.

use std::fs::File;
use std::path::Path;

use anyhow::{Context as _, bail};
use csv::StringRecord;

use crate::process;
use crate::whole_file::read_at_most;

/// So many bytes a list has at most: a device or a picture is not read until the
/// memory is full.
const LONGEST: u64 = 16 << 20;

/// The text of a list, `-` that of stdin.
///
/// # Errors
/// When it cannot be read, or is too long to be a list of `what`.
pub fn read_list(path: &Path, what: &str) -> anyhow::Result<String> {
    let text = if path == Path::new("-") {
        read_at_most(LONGEST, process::stdin())
    } else {
        File::open(path).and_then(|file| read_at_most(LONGEST, file))
    };
    text?.with_context(|| format!("more than {} MiB: is it a list of {what}?", LONGEST >> 20))
}

/// A list as a table.
#[derive(Debug)]
pub struct ListTable {
    /// The line with the names of the columns.
    pub head_line: usize,
    /// The names of the columns.
    pub names: StringRecord,
    /// The rows that say something, each with its line.
    pub rows: Vec<(usize, StringRecord)>,
}

impl ListTable {
    /// Reads `text`, cells apart by `separator`; `place` is what an error begins with.
    ///
    /// # Errors
    /// When a quote is not closed.
    pub fn parse(text: &str, place: &str, separator: u8) -> anyhow::Result<Self> {
        // Every line ends, and all of them alike.
        let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n").replace('\r', "\n") + "\n";
        let starts = starts(&text, separator)
            .or_else(|line| bail!("{place}{line}: its quote is not closed at the end of a cell"))?;
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(separator)
            .comment(Some(b'#'))
            .trim(csv::Trim::All)
            .flexible(true)
            .from_reader(text.as_bytes());
        let names = reader.headers().with_context(|| format!("{place} read the names of its columns"))?;
        let names = names.clone();
        let mut rows = Vec::new();
        for (row, &line) in reader.records().zip(starts.iter().skip(1)) {
            let row = row.with_context(|| format!("{place}{line}: read it as CSV"))?;
            if row.iter().any(|cell| !cell.trim().is_empty()) {
                rows.push((line, row));
            }
        }
        Ok(Self { head_line: starts.first().copied().unwrap_or(1), names, rows })
    }

    /// The column that has one of these names, in whatever case.
    pub fn column(&self, wanted: &[&str]) -> Option<usize> {
        let plain = |name: &str| name.to_ascii_lowercase().replace(['-', ' '], "_");
        self.names.iter().position(|name| wanted.contains(&plain(name).as_str()))
    }
}

/// The line on which each record of `text` begins, that of the column names first;
/// the line of a quote that is not closed where its cell ends, as RFC 4180 has it,
/// is the error. A reader of CSV that forgives such a quote takes the rows behind
/// it for a part of its cell.
fn starts(text: &str, separator: u8) -> Result<Vec<usize>, usize> {
    #[derive(Clone, Copy, PartialEq)]
    enum CsvPlace {
        Record,
        Comment,
        Cell,
        Bare,
        Quoted,
        Closed,
    }
    let (mut at, mut line, mut opened) = (CsvPlace::Record, 1, 1);
    let mut starts = Vec::new();
    let mut bytes = text.bytes().peekable();
    while let Some(byte) = bytes.next() {
        let before = at;
        at = match (at, byte) {
            // Two are one that is meant.
            (CsvPlace::Quoted, b'"') if bytes.next_if_eq(&b'"').is_none() => CsvPlace::Closed,
            (CsvPlace::Quoted, _) | (CsvPlace::Record | CsvPlace::Cell, b'"') => CsvPlace::Quoted,
            (_, b'\n') => CsvPlace::Record,
            (CsvPlace::Comment, _) | (CsvPlace::Record, b'#') => CsvPlace::Comment,
            (_, byte) if byte == separator => CsvPlace::Cell,
            (CsvPlace::Closed, b' ' | b'\t') => CsvPlace::Closed,
            (CsvPlace::Closed, _) => return Err(opened),
            (CsvPlace::Record | CsvPlace::Cell | CsvPlace::Bare, _) => CsvPlace::Bare,
        };
        if before == CsvPlace::Record && !matches!(at, CsvPlace::Record | CsvPlace::Comment) {
            starts.push(line);
        }
        if before != CsvPlace::Quoted && at == CsvPlace::Quoted {
            opened = line;
        }
        line += usize::from(byte == b'\n');
    }
    if at == CsvPlace::Quoted { Err(opened) } else { Ok(starts) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_record_begins_on_its_first_line() {
        assert_eq!(starts("a,b\n\n# \"c\n\"x\ny\",z\n\n,\"\"\"\" ,u\"v\nw", b','), Ok(vec![1, 4, 7, 8]));
        for (text, line) in [("a,\"b", 1), ("a\nb,\"c\n\nd,\"e\"\n", 2), ("a\n\"b\"\"\n", 2)] {
            assert_eq!(starts(text, b','), Err(line), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn as_many_rows_begin_as_are_read(text in "[a\",#\n ]{0,40}\n") {
            if let Ok(starts) = starts(&text, b',') {
                let mut reader = csv::ReaderBuilder::new();
                let reader = reader.comment(Some(b'#')).flexible(true).has_headers(false);
                prop_assert_eq!(starts.len(), reader.from_reader(text.as_bytes()).records().count());
            }
        }
    }
}
