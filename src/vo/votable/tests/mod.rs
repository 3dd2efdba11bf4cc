//! What the tests of the reader share.

mod documents;
mod hostile;
mod serializations;

use std::io::{self, Read};

use super::*;

/// A document of GAVO `DaCHS`, as it came.
macro_rules! data {
    ($name:literal) => {
        &include_bytes!(concat!("../../../../tests/data/vo/", $name))[..]
    };
}
use data;

/// A table as it was read: its fields, its cells, and what is said of it.
type Whole = (Vec<Field>, Vec<Vec<Option<String>>>, TableSummary);

fn read(bytes: &[u8]) -> Result<Whole, TableError> {
    read_from(bytes, None, TableLimits::default())
}

fn read_from(input: impl Read, charset: Option<&str>, limits: TableLimits) -> Result<Whole, TableError> {
    let mut reader = TableReader::new(input, charset, limits);
    let (mut fields, mut rows) = (Vec::new(), Vec::new());
    loop {
        match reader.next()? {
            TableItem::Table(found) => {
                fields = found.to_vec();
                rows.clear();
            }
            TableItem::Row(row) => rows.push(row.texts().map(|text| text.map(str::to_owned)).collect()),
            TableItem::End(summary) => return Ok((fields, rows, summary.clone())),
        }
    }
}

/// Bytes that come so many at a time.
struct Trickling<'a>(&'a [u8], usize);

impl Read for Trickling<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let most = self.1.min(into.len());
        self.0.read(&mut into[..most])
    }
}

/// A document around `inside`.
fn document(inside: &str) -> String {
    format!("<VOTABLE xmlns=\"http://www.ivoa.net/xml/VOTable/v1.3\">{inside}</VOTABLE>")
}

/// A document with a table of results that has these fields and this data.
fn table(fields: &str, data: &str) -> String {
    let status = "<INFO name=\"QUERY_STATUS\" value=\"OK\"/>";
    document(&format!(
        "<RESOURCE type=\"results\">{status}<TABLE>{fields}<DATA>{data}</DATA></TABLE></RESOURCE>"
    ))
}

/// The cells of the rows of such a table.
fn cells(fields: &str, data: &str) -> Vec<Vec<Option<String>>> {
    read(table(fields, data).as_bytes()).unwrap_or_else(|error| panic!("{data}: {error}")).1
}

/// Why there are none.
#[track_caller]
fn refusal(bytes: impl AsRef<[u8]>) -> (Option<crate::vo::ParseErrorKind>, String) {
    match read(bytes.as_ref()).map(|whole| whole.2) {
        Err(TableError::Document(error)) => (Some(error.kind), error.text),
        Err(error) => (None, error.to_string()),
        Ok(summary) => panic!("it was read: {summary:?}"),
    }
}
