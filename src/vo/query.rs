//! A synchronous TAP query: what is sent, and what the answer says of itself.
//!
//! DALI puts the status of a query into the `VOTable`, whatever the status of
//! HTTP: `OK` before the table, and once more behind it when something went
//! wrong on the way. So a document is read to its end.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::ParseError;
use super::votable::{QueryStatus, TableError, TableItem, TableLimits, TableReader};

/// A query that every TAP service can answer: TAP requires the table.
pub const QUERY: &str = "SELECT TOP 1 table_name FROM TAP_SCHEMA.tables";

/// What a service answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryAnswer {
    /// What it says of the query.
    pub status: QueryStatus,
    /// How many fields its table has; `None` where there is no table.
    pub fields: Option<usize>,
    /// The rows that came.
    pub rows: RowCount,
}

/// The rows of an answer; as data a number or `some`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RowCount {
    /// Some, where they are not read: as FITS, or in another document.
    Some,
    /// So many.
    #[serde(untagged)]
    Counted(u64),
}

impl fmt::Display for RowCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Some => f.pad("some"),
            Self::Counted(count) => count.fmt(f),
        }
    }
}

/// The parameters of a synchronous query, to be sent as a form to `sync`.
#[must_use]
pub fn query_form(adql: &str, most_rows: u32) -> Vec<(&'static str, String)> {
    vec![
        ("REQUEST", "doQuery".to_owned()),
        ("LANG", "ADQL".to_owned()),
        ("MAXREC", most_rows.to_string()),
        ("QUERY", adql.to_owned()),
    ]
}

/// Reads the `VOTable` that answers a query, to its end.
///
/// # Errors
/// When it is no `VOTable`.
pub fn read_answer(bytes: &[u8], charset: Option<&str>) -> Result<QueryAnswer, ParseError> {
    let limits = TableLimits { bytes: u64::MAX, ..TableLimits::default() };
    let mut reader = TableReader::new(bytes, charset, limits);
    loop {
        match reader.next() {
            Ok(TableItem::Table(_) | TableItem::Row(_)) => {}
            Ok(TableItem::End(summary)) => {
                let is_unread = summary.unread.is_some();
                let rows = if is_unread { RowCount::Some } else { RowCount::Counted(summary.rows) };
                return Ok(QueryAnswer { status: summary.status.clone(), fields: summary.fields, rows });
            }
            Err(TableError::Document(error)) => return Err(error),
            Err(error) => return Err(ParseError::not_safe(error.to_string())),
        }
    }
}

impl QueryAnswer {
    /// Why the query cannot be called answered; `None` where it can.
    #[must_use]
    pub fn failure(&self) -> Option<ParseError> {
        let flaw = self.status.flaw().or_else(|| match self.fields {
            None => Some("the answer has no TABLE".to_owned()),
            Some(0) => Some("the answer's TABLE has no FIELD".to_owned()),
            Some(_) => None,
        });
        flaw.map(ParseError::bad_value)
    }
}
