//! Which encoding a document is in, found as RFC 7303 has it: the byte order mark, then
//! the charset that came with the bytes, then the document's own declaration.
//!
//! UTF-8, UTF-16, US-ASCII, ISO-8859-1 and Windows-1252 are known; what is declared as
//! anything else is refused.

use super::{ParseError, ParseErrorKind};

/// So much of a document is looked at for its declaration.
const DECLARATION_WITHIN: usize = 1024;

/// The encodings.
#[derive(Clone, Copy, Debug)]
pub(super) enum Encoding {
    Utf8,
    /// With how two bytes make a unit.
    Utf16(fn([u8; 2]) -> u16),
    Ascii,
    Latin1,
    Windows1252,
}

impl Encoding {
    /// The encoding of the document that begins with `bytes`, and the length of the byte
    /// order mark; `charset` is what came with the bytes.
    ///
    /// # Errors
    /// When the encoding is unknown, or cannot be the one that is declared.
    pub(super) fn of(bytes: &[u8], charset: Option<&str>) -> Result<(Self, usize), ParseError> {
        match bytes {
            [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => {
                return Err(bad("it is in UTF-32, which no document of the VO is"));
            }
            [0xef, 0xbb, 0xbf, ..] => return Ok((Self::Utf8, 3)),
            [0xfe, 0xff, ..] => return Ok((Self::Utf16(u16::from_be_bytes), 2)),
            [0xff, 0xfe, ..] => return Ok((Self::Utf16(u16::from_le_bytes), 2)),
            [0, b'<', ..] => return Ok((Self::Utf16(u16::from_be_bytes), 0)),
            [b'<', 0, ..] => return Ok((Self::Utf16(u16::from_le_bytes), 0)),
            _ => {}
        }
        // Said to be UTF-16 by who sent it, and it is not: the document knows better.
        let by_transport = charset.and_then(Known::named).and_then(Known::narrow);
        let encoding = match (by_transport, declaration(bytes)) {
            (Some(encoding), _) => encoding,
            (None, None) => Self::Utf8,
            (None, Some(name)) => {
                let name = String::from_utf8_lossy(name);
                let known = Known::named(&name);
                let known = known.ok_or_else(|| bad(&format!("its encoding {name:.40?} is unknown")))?;
                known.narrow().ok_or_else(|| bad("it declares UTF-16 and is not"))?
            }
        };
        Ok((encoding, 0))
    }
}

/// What a name says.
#[derive(Clone, Copy)]
enum Known {
    Narrow(Encoding),
    Wide,
}

impl Known {
    fn named(name: &str) -> Option<Self> {
        let name = name.trim().to_ascii_lowercase();
        Some(Self::Narrow(match name.as_str() {
            "utf-8" | "utf8" => Encoding::Utf8,
            "utf-16" | "utf-16le" | "utf-16be" => return Some(Self::Wide),
            "us-ascii" | "ascii" => Encoding::Ascii,
            "iso-8859-1" | "iso_8859-1" | "iso8859-1" | "latin1" | "latin-1" | "l1" => Encoding::Latin1,
            "windows-1252" | "cp1252" => Encoding::Windows1252,
            _ => return None,
        }))
    }

    fn narrow(self) -> Option<Encoding> {
        match self {
            Self::Narrow(encoding) => Some(encoding),
            Self::Wide => None,
        }
    }
}

/// Whether `bytes` begin as text of wide characters does, or as what is no text.
pub(super) fn is_wide(bytes: &[u8]) -> bool {
    bytes.iter().take(4).any(|&byte| byte == 0 || byte >= 0xfe)
}

/// Whether wide characters begin with a byte order mark or a `<`.
pub(super) fn looks_like_text(bytes: &[u8]) -> bool {
    matches!(bytes, [0xfe, 0xff, ..] | [0xff, 0xfe, ..] | [b'<', 0, ..] | [0, b'<', ..] | [0, 0, 0xfe, 0xff])
}

pub(super) fn binary() -> ParseError {
    ParseError::new(ParseErrorKind::NotXml, "not XML but binary data")
}

pub(super) fn not_ascii() -> ParseError {
    bad("it declares US-ASCII and holds other bytes")
}

pub(super) fn not_utf8(at: u64) -> ParseError {
    bad(&format!("not UTF-8 at byte {at}"))
}

pub(super) fn not_utf16() -> ParseError {
    bad("not UTF-16, as it says it is")
}

fn bad(text: &str) -> ParseError {
    ParseError::new(ParseErrorKind::BadXml, text)
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

pub(super) fn windows_1252(byte: u8) -> char {
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
