//! Documents of the Virtual Observatory, read from bytes that nobody vouches
//! for: VOSI availability, capabilities and tables, the answer of a TAP service to a
//! synchronous query; `VOTables` as streams ([`votable`]), what cone searches ask and are
//! answered ([`cone`]), and positions as people write them ([`position`]).
//!
//! Knows nothing of parsim, of HTTP or of clocks; usable on its own:
//!
//! ```
//! use parsim::vo::{self, ParseError};
//!
//! let bytes = br#"<availability xmlns="http://www.ivoa.net/xml/VOSIAvailability/v1.0">
//!   <available>true</available><upSince>2026-01-02T03:04:05Z</upSince>
//! </availability>"#;
//! let availability = vo::read_availability(bytes, None)?;
//! assert!(availability.available);
//! assert_eq!(availability.up_since.unwrap().seconds, Some(1_767_323_045));
//! # Ok::<(), ParseError>(())
//! ```
//!
//! Whatever the bytes, reading them ends soon and never panics: time and memory
//! grow with their number and no faster. Document type definitions are refused
//! unless they define nothing, so nothing is expanded and nothing is fetched; so are
//! documents nested or attributed beyond any use. How many bytes there may be is the
//! caller's say.
//!
//! Sources: VOSI 1.0 and 1.1 with the schemata of its documents, TAP 1.1, DALI
//! 1.1 (4.4, the status of a query), `VOTable` 1.4, XML Schema part 2 (the
//! lexical forms), RFC 7303 (the encoding of XML over HTTP).

pub mod cone;
mod datetime;
mod encoding;
pub mod position;
mod query;
mod sesame;
mod sniff;
#[cfg(test)]
mod tests;
mod vosi;
pub mod votable;
mod xml;

pub use datetime::read_datetime;
pub use query::{QUERY, QueryAnswer, RowCount, query_form, read_answer};
pub use sesame::{SesameObject, SesameTarget, read_sesame, sesame_query};
pub use sniff::{page_title, refuse_unsafe};
pub use vosi::{
    Availability, Capabilities, Capability, Moment, Oddity, Tables, UploadLimit, read_availability,
    read_capabilities, read_tables,
};
pub use votable::QueryStatus;

/// The standard's name of a TAP service.
pub const STANDARD_TAP: &str = "ivo://ivoa.net/std/TAP";

/// The standard's name of the availability resource.
pub const STANDARD_AVAILABILITY: &str = "ivo://ivoa.net/std/VOSI#availability";

/// Why a document says nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct ParseError {
    /// Which kind of trouble it is.
    pub kind: ParseErrorKind,
    /// The trouble in words. Parts of the document may be quoted: text from
    /// elsewhere, to be made printable before it is shown.
    pub text: String,
}

/// The kinds of trouble, from the outside in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParseErrorKind {
    /// It is something else: a web page, text, nothing at all.
    NotXml,
    /// It is not well-formed, or not in an encoding that is known.
    BadXml,
    /// It asks for more than a reader should do: a document type definition,
    /// nesting without end.
    UnsafeXml,
    /// It is well-formed, and another document than the one that was asked for.
    WrongDocument,
    /// It is the right document, and a value is missing or makes no sense.
    BadValue,
}

impl ParseError {
    fn new(kind: ParseErrorKind, text: impl Into<String>) -> Self {
        Self { kind, text: text.into() }
    }

    fn not_safe(text: impl Into<String>) -> Self {
        Self::new(ParseErrorKind::UnsafeXml, text)
    }

    fn wrong_document(wanted: &str, name: &str, namespace: &str) -> Self {
        let namespace = if namespace.is_empty() { "no namespace" } else { namespace };
        let (name, namespace) = (sniff::head(name, 60), sniff::head(namespace, 100));
        let text = format!("not a document of {wanted} but <{name}> of {namespace}");
        Self::new(ParseErrorKind::WrongDocument, text)
    }

    fn bad_value(text: impl Into<String>) -> Self {
        Self::new(ParseErrorKind::BadValue, text)
    }
}
