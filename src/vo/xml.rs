//! From bytes to a tree of elements, and the few things that every document's
//! reader asks of an element.

use std::borrow::Cow;

use roxmltree::{Document, Node, ParsingOptions};

use super::encoding::decode;
use super::sniff::{DEFINITION, head, refuse_unsafe};
use super::{FlawKind, ParseError};

/// More nodes than this are no document of the VO.
const MOST_NODES: u32 = 200_000;

/// The characters of a document that may be parsed.
///
/// # Errors
/// When it is no XML, unsafe, or in an unknown encoding.
pub(super) fn text<'a>(bytes: &'a [u8], charset: Option<&str>) -> Result<Cow<'a, str>, ParseError> {
    // A web page or a picture is told as that before its encoding is.
    let lossy = String::from_utf8_lossy(&bytes[..bytes.len().min(4096)]);
    let is_wide = bytes.iter().take(4).any(|&byte| byte == 0 || byte >= 0xfe);
    if !is_wide
        && let Err(flaw) = refuse_unsafe(&lossy)
        && flaw.kind == FlawKind::NotXml
    {
        return Err(flaw);
    }
    let text = match decode(bytes, charset) {
        Err(_) if is_wide && !looks_like_text(bytes) => {
            return Err(ParseError::new(FlawKind::NotXml, "not XML but binary data"));
        }
        decoded => decoded?,
    };
    refuse_unsafe(&text)?;
    Ok(text)
}

/// Whether wide characters begin with a byte order mark or a `<`.
fn looks_like_text(bytes: &[u8]) -> bool {
    matches!(bytes, [0xfe, 0xff, ..] | [0xff, 0xfe, ..] | [b'<', 0, ..] | [0, b'<', ..] | [0, 0, 0xfe, 0xff])
}

/// The tree of `text`.
///
/// # Errors
/// When it is not well-formed.
pub(super) fn tree(text: &str) -> Result<Document<'_>, ParseError> {
    parsed(text, ParsingOptions { nodes_limit: MOST_NODES, ..ParsingOptions::default() })
}

/// The same for a `VOTable`, which may name its document type: [`text`] has seen to it
/// that nothing is defined there, and nothing is ever fetched.
///
/// # Errors
/// When it is not well-formed.
pub(super) fn tree_of_votable(text: &str) -> Result<Document<'_>, ParseError> {
    parsed(text, ParsingOptions { nodes_limit: MOST_NODES, allow_dtd: true, ..ParsingOptions::default() })
}

fn parsed<'a>(text: &'a str, options: ParsingOptions<'a>) -> Result<Document<'a>, ParseError> {
    Document::parse_with_options(text, options).map_err(|error| {
        let text = head(&error.to_string(), 200).to_owned();
        match error {
            roxmltree::Error::DtdDetected => ParseError::new(FlawKind::UnsafeXml, DEFINITION),
            roxmltree::Error::NodesLimitReached
            | roxmltree::Error::AttributesLimitReached
            | roxmltree::Error::NamespacesLimitReached => ParseError::new(FlawKind::UnsafeXml, text),
            _ => ParseError::new(FlawKind::BadXml, format!("not well-formed: {text}")),
        }
    })
}

/// The trouble that the root is another one than was asked for.
pub(super) fn wrong_root(wanted: &str, root: Node<'_, '_>) -> ParseError {
    let (name, namespace) = (root.tag_name().name(), root.tag_name().namespace().unwrap_or("no namespace"));
    let text = format!("not a document of {wanted} but <{}> of {}", head(name, 60), head(namespace, 100));
    ParseError::new(FlawKind::WrongDocument, text)
}

/// The characters directly in `node`, joined over comments, blanks around them
/// left out; `None` where it holds elements.
pub(super) fn value(node: Node<'_, '_>) -> Option<String> {
    if node.children().any(|child| child.is_element()) {
        return None;
    }
    let text: String = node.children().filter_map(|child| child.is_text().then(|| child.text())?).collect();
    Some(trim(&text).to_owned())
}

/// All characters in and below `node`.
pub(super) fn text_below(node: Node<'_, '_>) -> String {
    let text: String =
        node.descendants().filter_map(|child| child.is_text().then(|| child.text())?).collect();
    trim(&text).to_owned()
}

/// Blanks are what XML calls so.
fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t', '\r', '\n'])
}
