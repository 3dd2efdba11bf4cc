//! A walk over the tags of a document before it is parsed: what a parser should
//! not be given at all.
//!
//! One pass, no recursion, and next to no memory. It also works on the head of a document
//! that was too long to be read to its end. Whether the document is well-formed
//! is not its business.

use super::{ParseError, ParseErrorKind};

/// Elements within elements; documents of the VO need a dozen.
const DEEPEST: usize = 200;

/// Attributes of one element; documents of the VO need a dozen. Comparing each
/// with each is what a parser does to find duplicates.
const MOST_ATTRIBUTES: usize = 256;

/// A parser hands the namespaces of an element down to those within that declare
/// more, each compared with each: so many comparisons take a tenth of a second.
/// Documents of the VO need some thousand.
const MOST_COMPARISONS: u64 = 10_000_000;

/// Why a document is refused that defines its own type.
pub(super) const DEFINITION: &str = "it has a document type definition, which is not read";

/// Blanks are what XML calls so.
const BLANKS: [char; 4] = [' ', '\t', '\r', '\n'];

/// So much of the document is looked at to tell a web page.
const HEAD: usize = 4096;

/// Refuses what is no XML at all, and XML that asks for too much: a document
/// type definition, nesting or attributes without end.
///
/// # Errors
/// An error of kind [`ParseErrorKind::NotXml`] or [`ParseErrorKind::UnsafeXml`].
pub fn refuse_unsafe(text: &str) -> Result<(), ParseError> {
    let trimmed = text.trim_start_matches([' ', '\t', '\r', '\n', '\u{feff}']);
    if trimmed.is_empty() {
        return Err(ParseError::new(ParseErrorKind::NotXml, "nothing but blanks"));
    }
    if !trimmed.starts_with('<') {
        return Err(ParseError::new(ParseErrorKind::NotXml, format!("not XML but {:?}", head(trimmed, 40))));
    }
    let mut rest = trimmed;
    // By depth, how many namespaces are in scope.
    let mut in_scope: Vec<u64> = Vec::new();
    let mut n_comparisons = 0_u64;
    let mut is_first = true;
    while let Some(at) = rest.find('<') {
        rest = &rest[at..];
        let whole = [("<!--", "-->"), ("<![CDATA[", "]]>"), ("<?", "?>"), ("</", ">")];
        let whole = whole.iter().find_map(|(start, end)| Some((*start, rest.strip_prefix(start)?, *end)));
        let skipped = if let Some((start, inside, end)) = whole {
            if start == "</" {
                in_scope.pop();
            }
            inside.split_once(end).map(|(_, rest)| rest)
        } else if let Some(behind) = bare_doctype(rest).filter(|_| is_first) {
            Some(behind)
        } else if rest.starts_with("<!") {
            return Err(definition(rest, trimmed));
        } else {
            if std::mem::take(&mut is_first) && is_named(&rest[1..], "html") {
                return Err(web_page(trimmed));
            }
            let tag = StartTag::read(&rest[1..])?;
            let namespaces = in_scope.last().copied().unwrap_or(0) + tag.n_namespaces;
            if tag.n_namespaces > 0 {
                n_comparisons += namespaces * namespaces;
            }
            if n_comparisons > MOST_COMPARISONS {
                return Err(ParseError::not_safe("namespaces declared over and over"));
            }
            if !tag.is_empty {
                in_scope.push(namespaces);
            }
            if in_scope.len() > DEEPEST {
                return Err(ParseError::not_safe(format!("elements nested more than {DEEPEST} deep")));
            }
            tag.rest
        };
        // What has no end is the parser's to complain about.
        let Some(next) = skipped else { return Ok(()) };
        rest = next;
    }
    Ok(())
}

/// A start tag, read as far as its size and its end go.
struct StartTag<'a> {
    /// Whether it is `<a/>`.
    is_empty: bool,
    /// How many namespaces it declares.
    n_namespaces: u64,
    /// What follows it; `None` where it has no end.
    rest: Option<&'a str>,
}

impl<'a> StartTag<'a> {
    /// `text` begins behind the `<`.
    fn read(text: &'a str) -> Result<Self, ParseError> {
        let mut n_attributes = 0;
        let mut n_namespaces = 0;
        for (at, byte) in unquoted(text) {
            let before = if at == 0 { 0 } else { text.as_bytes()[at - 1] };
            match byte {
                b'"' | b'\'' => n_attributes += 1,
                b'>' => {
                    return Ok(Self { is_empty: before == b'/', n_namespaces, rest: Some(&text[at + 1..]) });
                }
                b'x' if before.is_ascii_whitespace() && text[at..].starts_with("xmlns") => n_namespaces += 1,
                _ => {}
            }
            if n_attributes > MOST_ATTRIBUTES {
                let text = format!("an element with more than {MOST_ATTRIBUTES} attributes");
                return Err(ParseError::not_safe(text));
            }
        }
        Ok(Self { is_empty: false, n_namespaces, rest: None })
    }
}

/// The bytes of `text` that are not between quotes, the opening ones included, and where
/// they are.
fn unquoted(text: &str) -> impl Iterator<Item = (usize, u8)> {
    let mut quote = None;
    text.bytes().enumerate().filter(move |&(_, byte)| {
        let is_outside = quote.is_none();
        match quote {
            None if matches!(byte, b'"' | b'\'') => quote = Some(byte),
            Some(open) if open == byte => quote = None,
            None | Some(_) => {}
        }
        is_outside
    })
}

/// What follows a `<!DOCTYPE VOTABLE ...>` that only names where the definition would be
/// found, as `VOTables` of old have it; nothing looks there.
pub(super) fn bare_doctype(rest: &str) -> Option<&str> {
    let inside = rest.strip_prefix("<!DOCTYPE")?;
    let inside = inside.trim_start().strip_prefix("VOTABLE").filter(|_| inside.starts_with(BLANKS))?;
    if !inside.starts_with(BLANKS) && !inside.starts_with('>') {
        return None;
    }
    for (at, byte) in unquoted(inside) {
        match byte {
            b'>' => return Some(&inside[at + 1..]),
            b'[' | b'<' => return None,
            _ => {}
        }
    }
    None
}

/// `<!DOCTYPE` and its like: that of a web page, or one that is refused.
fn definition(rest: &str, whole: &str) -> ParseError {
    let inside = &rest[2..];
    let name = inside.get(..7).filter(|word| word.eq_ignore_ascii_case("doctype")).map(|_| &inside[7..]);
    if name.is_some_and(|name| is_named(name.trim_start(), "html")) {
        return web_page(whole);
    }
    ParseError::not_safe(DEFINITION)
}

/// Whether `text` begins with the word `name`, in whatever case.
fn is_named(text: &str, name: &str) -> bool {
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'-' | b'_' | b'.');
    text.get(..name.len()).is_some_and(|word| word.eq_ignore_ascii_case(name))
        && !text.as_bytes().get(name.len()).is_some_and(is_word)
}

/// A web page, with its title: often that says what is the matter.
fn web_page(text: &str) -> ParseError {
    let title = page_title(head(text, HEAD));
    let quoted = title.map_or_else(String::new, |title| format!(" titled {:?}", head(&title, 80)));
    ParseError::new(ParseErrorKind::NotXml, format!("not XML but a web page{quoted}"))
}

/// The title of a web page, blanks run together.
#[must_use]
pub fn page_title(page: &str) -> Option<String> {
    let lower = page.to_ascii_lowercase();
    let start = lower.find("<title")?;
    let start = start + lower[start..].find('>')? + 1;
    let end = start + lower[start..].find('<')?;
    let words: Vec<&str> = page[start..end].split_whitespace().collect();
    (!words.is_empty()).then(|| words.join(" "))
}

/// The first `most` characters.
pub(super) fn head(text: &str, most: usize) -> &str {
    text.char_indices().nth(most).map_or(text, |(end, _)| &text[..end])
}
