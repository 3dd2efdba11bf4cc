//! Perl's substitutions, as `--plus` uses them, on top of the `regex` crate.
//!
//! Knows patterns and values, not the spelling of replacement strings. What Perl
//! has and the crate lacks (look-around, back-references) is an error when the
//! template is read.

use std::borrow::Cow;

use regex::bytes::{Captures, Regex, RegexBuilder};

/// A regular expression and what becomes of its matches.
#[derive(Clone, Debug)]
pub(super) struct PerlSubstitution {
    regex: Regex,
    becomes: MatchBecomes,
    /// Perl's `g`.
    everywhere: bool,
    text: Vec<u8>,
    /// Whether the last group is a newline that stays.
    keeps_newline: bool,
}

/// What becomes of a match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MatchBecomes {
    /// The text, taken literally.
    Text,
    /// Its first group.
    FirstGroup,
    /// Itself in upper case.
    Upper,
    /// Itself in lower case.
    Lower,
}

impl PerlSubstitution {
    /// `s/pattern/text/`, or what else a match becomes; `_` in `pattern` is `source`.
    pub(super) fn new(
        pattern: &str,
        source: &[u8],
        becomes: MatchBecomes,
        text: &[u8],
        everywhere: bool,
    ) -> Result<Self, String> {
        // Perl's `$` is also before a newline at the end, which stays.
        let regex = pattern.replace('$', "(\\n?)$").replace('_', &spelled(source));
        let regex = RegexBuilder::new(&regex).unicode(false).build().map_err(|error| error.to_string())?;
        Ok(Self { regex, becomes, everywhere, text: text.to_vec(), keeps_newline: pattern.ends_with('$') })
    }

    /// The value after the substitution.
    ///
    /// Unlike the crate's own, Perl's `g` finds an empty match right behind one
    /// that was not empty: `s/a*/-/g` makes `--` of `a`.
    pub(super) fn apply<'a>(&self, value: &'a [u8]) -> Cow<'a, [u8]> {
        let mut out = Vec::new();
        let (mut copied, mut from) = (0, 0);
        let mut empty_at = None;
        while from <= value.len() {
            let Some(found) = self.regex.captures_at(value, from) else {
                break;
            };
            let (start, mut end) = found.get(0).map_or((0, 0), |all| (all.start(), all.end()));
            if self.keeps_newline {
                end -= group(&found, found.len() - 1).len();
            }
            if start == end && empty_at == Some(start) {
                from = start + 1;
                continue;
            }
            out.extend_from_slice(&value[copied..start]);
            self.change(&found, &mut out);
            (copied, from) = (end, end);
            empty_at = (start == end).then_some(end);
            if !self.everywhere {
                break;
            }
        }
        if copied == 0 && out.is_empty() && empty_at.is_none() {
            return value.into();
        }
        out.extend_from_slice(&value[copied..]);
        out.into()
    }

    fn change(&self, found: &Captures<'_>, out: &mut Vec<u8>) {
        match self.becomes {
            MatchBecomes::Text => out.extend_from_slice(&self.text),
            MatchBecomes::FirstGroup => out.extend_from_slice(group(found, 1)),
            MatchBecomes::Upper => out.extend(found[0].to_ascii_uppercase()),
            MatchBecomes::Lower => out.extend(found[0].to_ascii_lowercase()),
        }
    }
}

fn group<'a>(found: &Captures<'a>, number: usize) -> &'a [u8] {
    found.get(number).map_or(&[], |group| group.as_bytes())
}

/// The pattern as the crate spells it: bytes beyond ASCII by their number, and
/// every `{` literal. A `}` ends a replacement string, so no count can ever be
/// closed, and Perl takes an unclosed one literally.
fn spelled(source: &[u8]) -> String {
    let mut out = String::with_capacity(source.len());
    let mut escaped = false;
    for &byte in source {
        match byte {
            0x80.. => {
                if escaped {
                    out.pop();
                }
                out += &format!("\\x{byte:02x}");
            }
            b'{' if !escaped => out += "\\{",
            _ => out.push(char::from(byte)),
        }
        escaped = byte == b'\\' && !escaped;
    }
    out
}

/// The pattern with `*` and `+` made to match as little as they can.
pub(super) fn reluctant(source: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(source.len());
    let mut bytes = source.iter().copied().peekable();
    let mut in_class = false;
    while let Some(byte) = bytes.next() {
        out.push(byte);
        match byte {
            b'\\' => out.extend(bytes.next()),
            b'[' => in_class = true,
            b']' => in_class = false,
            b'*' | b'+' if !in_class && bytes.peek() != Some(&b'?') => out.push(b'?'),
            _ => {}
        }
    }
    out
}
