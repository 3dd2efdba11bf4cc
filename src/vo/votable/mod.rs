//! `VOTable` 1.0 to 1.5 as a stream: a reader that takes bytes as they come and hands out
//! one row at a time, whatever the serialization (`TABLEDATA`, `BINARY`, `BINARY2`), and a
//! writer of `TABLEDATA`.
//!
//! A document is read to its end, because what counts may stand there: a query that
//! failed half way says so behind the rows. So nothing that was read is a result
//! before [`TableItem::End`]:
//!
//! ```
//! use parsim::vo::votable::{TableItem, TableLimits, TableReader};
//!
//! let document = br#"<VOTABLE version="1.4" xmlns="http://www.ivoa.net/xml/VOTable/v1.3">
//!   <RESOURCE type="results"><INFO name="QUERY_STATUS" value="OK"/><TABLE>
//!     <FIELD name="ra" datatype="double" unit="deg" ucd="pos.eq.ra;meta.main"/>
//!     <FIELD name="n" datatype="int"><VALUES null="-1"/></FIELD>
//!     <DATA><TABLEDATA><TR><TD>193.64</TD><TD>-1</TD></TR></TABLEDATA></DATA>
//!   </TABLE></RESOURCE></VOTABLE>"#;
//!
//! let mut reader = TableReader::new(&document[..], None, TableLimits::default());
//! let mut rows = Vec::new();
//! loop {
//!     match reader.next()? {
//!         // A second table says that the first was not the result after all.
//!         TableItem::Table(fields) => {
//!             assert_eq!(fields[0].unit.as_deref(), Some("deg"));
//!             rows.clear();
//!         }
//!         TableItem::Row(row) => rows.push((row.number(0), row.text(1).map(str::to_owned))),
//!         TableItem::End(summary) => {
//!             assert_eq!(summary.rows, 1);
//!             break;
//!         }
//!     }
//! }
//! assert_eq!(rows, [(Some(193.64), None)]);
//! # Ok::<(), parsim::vo::votable::TableError>(())
//! ```
//!
//! The result is the first `TABLE` in a `RESOURCE` of `type="results"`; where there is
//! none, the first in any that is not of `type="meta"`.
//!
//! Memory grows with the widest row and the number of fields and with nothing else.
//! Knows nothing of HTTP, of parsim or of clocks.
//!
//! Sources: `VOTable` 1.1 to 1.5 (IVOA); what services do beside it is said where it counts.

mod binary;
mod characters;
mod field;
mod fields;
mod plain_row;
mod reader;
mod row;
mod said;
mod status;
#[cfg(test)]
mod tests;
mod walk;
mod writer;

use super::ParseError;
pub use field::{ArraySize, Datatype, Field};
pub use reader::{TableItem, TableReader};
pub use row::TableRow;
pub use said::TableSummary;
pub use status::QueryStatus;
pub use writer::TableWriter;

/// How much a document may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableLimits {
    /// Bytes of the document as it comes.
    pub bytes: u64,
    /// Bytes of one cell, and of any one piece of markup.
    pub cell: usize,
    /// Fields of a table.
    pub fields: usize,
}

impl Default for TableLimits {
    /// 64 MiB, cells of 1 MiB, 10,000 fields.
    fn default() -> Self {
        Self { bytes: 64 << 20, cell: 1 << 20, fields: 10_000 }
    }
}

/// Why a `VOTable` could not be read to its end.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// The bytes stopped coming.
    #[error("{0}")]
    Input(std::io::Error),
    /// More than the limits allow, in words.
    #[error("{0}")]
    TooLarge(String),
    /// What came cannot be read as a `VOTable`.
    #[error("{0}")]
    Document(#[from] ParseError),
}
