//! From bytes to characters to a tree of elements, and the few things that every
//! document's reader asks of an element.
//!
//! The encoding is found as RFC 7303 has it: the byte order mark, then the charset that
//! came with the bytes, then the document's own declaration. UTF-8, UTF-16, US-ASCII,
//! ISO-8859-1 and Windows-1252 are known; what is declared as anything else is refused.

use std::borrow::Cow;

use roxmltree::{Document, Node, ParsingOptions};

use super::sniff::{DEFINITION, head, refuse_unsafe};
use super::{ParseError, ParseErrorKind};

/// More nodes than this are no document of the VO.
const MOST_NODES: u32 = 200_000;

/// What answers a query.
pub(super) const VOTABLE: &str = "VOTable";

/// The characters of a document that may be parsed.
///
/// # Errors
/// When it is no XML, unsafe, or in an unknown encoding.
pub(super) fn text<'a>(bytes: &'a [u8], charset: Option<&str>) -> Result<Cow<'a, str>, ParseError> {
    // A web page or a picture is told as that before its encoding is.
    let lossy = String::from_utf8_lossy(&bytes[..bytes.len().min(4096)]);
    let is_wide = bytes.iter().take(4).any(|&byte| byte == 0 || byte >= 0xfe);
    if !is_wide
        && let Err(error) = refuse_unsafe(&lossy)
        && error.kind == ParseErrorKind::NotXml
    {
        return Err(error);
    }
    let text = match decode(bytes, charset) {
        Err(_) if is_wide && !looks_like_text(bytes) => {
            return Err(ParseError::new(ParseErrorKind::NotXml, "not XML but binary data"));
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
    // A VOTable may name its document type: `text` has seen to it that nothing is defined
    // there, and nothing is ever fetched.
    let allow_dtd = wanted == VOTABLE;
    let options = ParsingOptions { nodes_limit: MOST_NODES, allow_dtd, ..ParsingOptions::default() };
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
    let (name, namespace) = (head(root.name(), 60), head(root.namespace().unwrap_or("no namespace"), 100));
    let text = format!("not a document of {wanted} but <{name}> of {namespace}");
    Err(ParseError::new(ParseErrorKind::WrongDocument, text))
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

/// So much of a document is looked at for its declaration.
const DECLARATION_WITHIN: usize = 1024;

/// The encodings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    Utf8,
    Utf16,
    Ascii,
    Latin1,
    Windows1252,
}

/// The characters of `bytes`, without a byte order mark.
///
/// # Errors
/// When the encoding is unknown, or the bytes are not in it.
fn decode<'a>(bytes: &'a [u8], charset: Option<&str>) -> Result<Cow<'a, str>, ParseError> {
    let bad = |text: &str| ParseError::new(ParseErrorKind::BadXml, text);
    match bytes {
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => {
            return Err(bad("it is in UTF-32, which no document of the VO is"));
        }
        [0xef, 0xbb, 0xbf, rest @ ..] => return utf8(rest),
        [0xfe, 0xff, rest @ ..] => return utf16(rest, u16::from_be_bytes),
        [0xff, 0xfe, rest @ ..] => return utf16(rest, u16::from_le_bytes),
        [0, b'<', ..] => return utf16(bytes, u16::from_be_bytes),
        [b'<', 0, ..] => return utf16(bytes, u16::from_le_bytes),
        _ => {}
    }
    let declared = declaration(bytes);
    let by_transport = charset.and_then(encoding);
    let encoding = match (by_transport, declared) {
        // Said to be UTF-16 by who sent it, and it is not: the document knows better.
        (Some(known), _) if known != Encoding::Utf16 => known,
        (_, None) => Encoding::Utf8,
        (_, Some(name)) => {
            let name = String::from_utf8_lossy(name);
            encoding(&name).ok_or_else(|| bad(&format!("its encoding {name:.40?} is unknown")))?
        }
    };
    match encoding {
        Encoding::Utf8 => utf8(bytes),
        Encoding::Utf16 => Err(bad("it declares UTF-16 and is not")),
        Encoding::Ascii if bytes.is_ascii() => utf8(bytes),
        Encoding::Ascii => Err(bad("it declares US-ASCII and holds other bytes")),
        Encoding::Latin1 => Ok(bytes.iter().map(|&byte| char::from(byte)).collect()),
        Encoding::Windows1252 => Ok(bytes.iter().map(|&byte| windows_1252(byte)).collect()),
    }
}

fn utf8(bytes: &[u8]) -> Result<Cow<'_, str>, ParseError> {
    std::str::from_utf8(bytes).map(Cow::Borrowed).map_err(|error| {
        let text = format!("not UTF-8 at byte {}", error.valid_up_to());
        ParseError::new(ParseErrorKind::BadXml, text)
    })
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<Cow<'static, str>, ParseError> {
    let (pairs, rest) = bytes.as_chunks();
    let text: Result<String, _> = char::decode_utf16(pairs.iter().map(|pair| unit(*pair))).collect();
    match text {
        Ok(text) if rest.is_empty() => Ok(Cow::Owned(text)),
        Ok(_) | Err(_) => Err(ParseError::new(ParseErrorKind::BadXml, "not UTF-16, as it says it is")),
    }
}

/// The encoding's name in `<?xml ... encoding="NAME"?>`.
fn declaration(bytes: &[u8]) -> Option<&[u8]> {
    let head = &bytes[..bytes.len().min(DECLARATION_WITHIN)];
    let head = head.trim_ascii_start();
    let inside = head.strip_prefix(b"<?xml")?;
    let end = inside.windows(2).position(|pair| pair == b"?>")?;
    let inside = &inside[..end];
    let word = b"encoding";
    let at = inside.windows(word.len()).position(|window| window == word)?;
    let rest = inside[at + word.len()..].trim_ascii_start().strip_prefix(b"=")?.trim_ascii_start();
    let (&quote, rest) = rest.split_first()?;
    let end = rest.iter().position(|&byte| byte == quote)?;
    matches!(quote, b'"' | b'\'').then(|| &rest[..end])
}

fn encoding(name: &str) -> Option<Encoding> {
    let name = name.trim().to_ascii_lowercase();
    Some(match name.as_str() {
        "utf-8" | "utf8" => Encoding::Utf8,
        "utf-16" | "utf-16le" | "utf-16be" => Encoding::Utf16,
        "us-ascii" | "ascii" => Encoding::Ascii,
        "iso-8859-1" | "iso_8859-1" | "iso8859-1" | "latin1" | "latin-1" | "l1" => Encoding::Latin1,
        "windows-1252" | "cp1252" => Encoding::Windows1252,
        _ => return None,
    })
}

fn windows_1252(byte: u8) -> char {
    // The 32 places where it is not ISO-8859-1; five of them are free.
    const TABLE: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}',
        '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
    ];
    match byte {
        0x80..=0x9f => TABLE[usize::from(byte - 0x80)],
        _ => char::from(byte),
    }
}
