//! What is wrong with a document.

use std::fmt;

/// Why a document says nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
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
    pub(super) fn new(kind: ParseErrorKind, text: impl Into<String>) -> Self {
        Self { kind, text: text.into() }
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for ParseError {}
