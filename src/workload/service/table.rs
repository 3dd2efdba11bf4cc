//! A list that is a table: CSV whose first line names the columns.

use anyhow::{Context as _, bail};
use csv::StringRecord;

/// A table that was read.
pub struct ListTable {
    header: StringRecord,
    /// The line that names the columns, from 1.
    pub header_line: usize,
    /// Those that say something.
    pub rows: Vec<ListRow>,
}

/// A row of it.
pub struct ListRow {
    /// The line on which it begins.
    pub line: usize,
    cells: StringRecord,
}

impl ListTable {
    /// Reads `text`; `place` is where it stands.
    pub fn read(text: &str, place: &str) -> anyhow::Result<Self> {
        // Every line ends, and all of them alike.
        let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n").replace('\r', "\n") + "\n";
        let starts = starts(&text)
            .or_else(|line| bail!("{place}{line}: its quote is not closed at the end of a cell"))?;
        let mut reader = csv::ReaderBuilder::new()
            .comment(Some(b'#'))
            .trim(csv::Trim::All)
            .flexible(true)
            .from_reader(text.as_bytes());
        let header =
            reader.headers().with_context(|| format!("{place} read the names of its columns"))?.clone();
        let header_line = starts.first().copied().unwrap_or(1);
        let mut rows = Vec::new();
        for (cells, line) in reader.records().zip(starts.into_iter().skip(1)) {
            let cells = cells.with_context(|| format!("{place}{line}: read it as CSV"))?;
            if cells.iter().any(|cell| !cell.trim().is_empty()) {
                rows.push(ListRow { line, cells });
            }
        }
        Ok(Self { header, header_line, rows })
    }

    /// Which column has one of the `wanted` names, in whatever case.
    pub fn column(&self, wanted: &[&str]) -> Option<usize> {
        let plain = |name: &str| name.to_ascii_lowercase().replace(['-', ' '], "_");
        self.header.iter().position(|name| wanted.contains(&plain(name).as_str()))
    }
}

impl ListRow {
    /// What stands in a column; nothing where the row is too short.
    pub fn cell(&self, at: usize) -> &str {
        self.cells.get(at).unwrap_or("").trim()
    }
}

/// The line on which each record of `text` begins, that of the column names first;
/// the line of a quote that is not closed where its cell ends, as RFC 4180 has it,
/// is the error. A reader of CSV that forgives such a quote takes the rows behind
/// it for a part of its cell.
fn starts(text: &str) -> Result<Vec<usize>, usize> {
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
            (_, b',') => CsvPlace::Cell,
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
        assert_eq!(starts("a,b\n\n# \"c\n\"x\ny\",z\n\n,\"\"\"\" ,u\"v\nw"), Ok(vec![1, 4, 7, 8]));
        for (text, line) in [("a,\"b", 1), ("a\nb,\"c\n\nd,\"e\"\n", 2), ("a\n\"b\"\"\n", 2)] {
            assert_eq!(starts(text), Err(line), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn as_many_rows_begin_as_are_read(text in "[a\",#\n ]{0,40}\n") {
            if let Ok(starts) = starts(&text) {
                let mut reader = csv::ReaderBuilder::new();
                let reader = reader.comment(Some(b'#')).flexible(true).has_headers(false);
                prop_assert_eq!(starts.len(), reader.from_reader(text.as_bytes()).records().count());
            }
        }
    }
}
