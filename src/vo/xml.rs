//! From bytes to characters to a tree of elements, and the few things that every
//! document's reader asks of an element.

use std::borrow::Cow;

use roxmltree::{Document, Node, ParsingOptions};

use super::encoding::{
    Encoding, binary, is_wide, looks_like_text, not_ascii, not_utf8, not_utf16, windows_1252,
};
use super::sniff::{DEFINITION, head, refuse_unsafe};
use super::{ParseError, ParseErrorKind};

/// More nodes than this are no document of the VO.
const MOST_NODES: u32 = 200_000;

/// The characters of a document that may be parsed.
///
/// # Errors
/// When it is no XML, unsafe, or in an unknown encoding.
pub(super) fn text<'a>(bytes: &'a [u8], charset: Option<&str>) -> Result<Cow<'a, str>, ParseError> {
    // A web page or a picture is told as that before its encoding is.
    let beginning = &bytes[..bytes.len().min(4096)];
    let is_wide = is_wide(beginning);
    if !is_wide
        && let Err(error) = refuse_unsafe(&String::from_utf8_lossy(beginning))
        && error.kind == ParseErrorKind::NotXml
    {
        return Err(error);
    }
    let text = match decode(bytes, charset) {
        Err(_) if is_wide && !looks_like_text(bytes) => return Err(binary()),
        decoded => decoded?,
    };
    refuse_unsafe(&text)?;
    Ok(text)
}

/// The tree of `text`, a document of `wanted` whose root has a name and a namespace that
/// `is_root` knows.
///
/// # Errors
/// When it is not well-formed, or another document.
pub(super) fn tree<'a>(
    text: &'a str,
    wanted: &str,
    is_root: impl Fn(&str, &str) -> bool,
) -> Result<Document<'a>, ParseError> {
    let options = ParsingOptions { nodes_limit: MOST_NODES, ..ParsingOptions::default() };
    let tree = Document::parse_with_options(text, options).map_err(|error| {
        let text = head(&error.to_string(), 200).to_owned();
        match error {
            roxmltree::Error::DtdDetected => ParseError::not_safe(DEFINITION),
            roxmltree::Error::NodesLimitReached
            | roxmltree::Error::AttributesLimitReached
            | roxmltree::Error::NamespacesLimitReached => ParseError::not_safe(text),
            _ => ParseError::new(ParseErrorKind::BadXml, format!("not well-formed: {text}")),
        }
    })?;
    let root = tree.root_element().tag_name();
    if is_root(root.name(), root.namespace().unwrap_or("")) {
        return Ok(tree);
    }
    Err(ParseError::wrong_document(wanted, root.name(), root.namespace().unwrap_or("")))
}

/// Whether `node` is an element of this name, whatever its namespace.
pub(super) fn has_name(node: &Node<'_, '_>, name: &str) -> bool {
    node.tag_name().name() == name
}

/// The characters directly in `node`, joined over comments, blanks around them
/// left out; `None` where it holds elements.
pub(super) fn value(node: Node<'_, '_>) -> Option<String> {
    if node.children().any(|child| child.is_element()) {
        return None;
    }
    Some(text_of(node.children()))
}

/// All characters in and below `node`.
pub(super) fn text_below(node: Node<'_, '_>) -> String {
    text_of(node.descendants())
}

/// The characters of those nodes that are text, but for the blanks of XML around them.
fn text_of<'a, 'input: 'a>(nodes: impl Iterator<Item = Node<'a, 'input>>) -> String {
    let text: String = nodes.filter(Node::is_text).filter_map(|node| node.text()).collect();
    text.trim_matches([' ', '\t', '\r', '\n']).to_owned()
}

/// The characters of `bytes`, without a byte order mark.
///
/// # Errors
/// When the encoding is unknown, or the bytes are not in it.
fn decode<'a>(bytes: &'a [u8], charset: Option<&str>) -> Result<Cow<'a, str>, ParseError> {
    let (encoding, mark) = Encoding::of(bytes, charset)?;
    let bytes = &bytes[mark..];
    match encoding {
        Encoding::Utf8 => utf8(bytes),
        Encoding::Utf16(unit) => utf16(bytes, unit),
        Encoding::Ascii if bytes.is_ascii() => utf8(bytes),
        Encoding::Ascii => Err(not_ascii()),
        Encoding::Latin1 => Ok(bytes.iter().map(|&byte| char::from(byte)).collect()),
        Encoding::Windows1252 => Ok(bytes.iter().map(|&byte| windows_1252(byte)).collect()),
    }
}

fn utf8(bytes: &[u8]) -> Result<Cow<'_, str>, ParseError> {
    std::str::from_utf8(bytes).map(Cow::Borrowed).map_err(|error| not_utf8(error.valid_up_to() as u64))
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<Cow<'static, str>, ParseError> {
    let (pairs, rest) = bytes.as_chunks();
    let text: Result<String, _> = char::decode_utf16(pairs.iter().map(|pair| unit(*pair))).collect();
    match text {
        Ok(text) if rest.is_empty() => Ok(Cow::Owned(text)),
        Ok(_) | Err(_) => Err(not_utf16()),
    }
}
