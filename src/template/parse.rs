//! How a command's words become pieces.
//!
//! Knows the search for replacement strings, in GNU parallel's order; nothing of
//! values. A string that is found is never searched again.

use std::iter;

use super::piece::{Piece, Position, Replacement, What};
use super::replacements::{Holes, Meaning, ReplacementRule, Skip, TemplateOptions, rules};

/// A replacement string that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot use {string}: {reason}")]
pub struct Unsupported {
    string: String,
    reason: String,
}

/// Words as pieces, with what is known of all of them.
#[derive(Debug, Default)]
pub(super) struct ParsedTemplate {
    pub(super) pieces: Vec<Piece>,
    pub(super) skips: Vec<Skip>,
}

impl ParsedTemplate {
    /// Whether some replacement string is in it.
    pub(super) fn uses_any(&self) -> bool {
        self.pieces.iter().any(|piece| matches!(piece, Piece::Replacement(_)))
    }

    /// Appends a word that stands for all values.
    pub(super) fn append_all_values(&mut self, options: &TemplateOptions) {
        if !self.pieces.is_empty() {
            self.pieces.push(Piece::Break);
        }
        let what = What::Value(super::form::ValueForm::Value);
        let position = Position::Each;
        self.pieces.push(Piece::Replacement(inserted(Replacement { position, what }, options)));
    }
}

/// Reads `words`, which a space will join.
pub(super) fn parse<W: AsRef<[u8]>>(
    words: &[W],
    options: &TemplateOptions,
) -> Result<ParsedTemplate, Unsupported> {
    refuse_perl(words)?;
    let rules = rules(options);
    let mut parsed = ParsedTemplate::default();
    for (at, word) in words.iter().enumerate() {
        if at > 0 {
            parsed.pieces.push(Piece::Break);
        }
        let mut pieces = vec![Piece::Text(numbered(word.as_ref(), &options.columns))];
        for rule in &rules {
            for positioned in [false, true] {
                search(&mut pieces, rule, positioned, options, &mut parsed.skips)?;
            }
        }
        parsed.pieces.append(&mut pieces);
    }
    Ok(parsed)
}

fn refuse_perl<W: AsRef<[u8]>>(words: &[W]) -> Result<(), Unsupported> {
    let line = words.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(&b' ');
    let find = |text: &[u8], what: &[u8]| text.windows(2).position(|pair| pair == what);
    match find(&line, b"{=").map(|start| find(&line[start + 2..], b"=}")) {
        Some(Some(_)) => Err(Unsupported {
            string: "{= =}".to_owned(),
            reason: "Perl expressions are not supported".to_owned(),
        }),
        _ => Ok(()),
    }
}

/// The word with each `{name}`, `{name.}`, `{name/}`, ... of a column turned into
/// its number, one name after the other.
fn numbered(word: &[u8], columns: &[Vec<u8>]) -> Vec<u8> {
    let mut text = word.to_vec();
    for (at, name) in columns.iter().enumerate().filter(|(_, name)| !name.is_empty()) {
        let mut out = Vec::with_capacity(text.len());
        let mut rest = &text[..];
        while let Some(&byte) = rest.first() {
            let tail = rest.strip_prefix(b"{").and_then(|rest| rest.strip_prefix(&name[..]));
            let ends = [&b"}"[..], b"/}", b"//}", b".}", b"/.}"];
            if tail.is_some_and(|tail| ends.iter().any(|end| tail.starts_with(end))) {
                out.extend(format!("{{{}", at + 1).bytes());
                rest = tail.unwrap_or_default();
            } else {
                out.push(byte);
                rest = &rest[1..];
            }
        }
        text = out;
    }
    text
}

/// Replaces every occurrence of one string in the texts among `pieces`: one at a
/// text's start first, then from its end on, as GNU parallel's search happens
/// to go.
fn search(
    pieces: &mut Vec<Piece>,
    rule: &ReplacementRule,
    positioned: bool,
    options: &TemplateOptions,
    skips: &mut Vec<Skip>,
) -> Result<(), Unsupported> {
    let mut found = Vec::with_capacity(pieces.len());
    for piece in pieces.drain(..) {
        let Piece::Text(text) = piece else {
            found.push(piece);
            continue;
        };
        let mut rest = &text[..];
        let mut tail = Vec::new();
        while let Some((at, hit)) = iter::once(0)
            .chain((1..rest.len()).rev())
            .find_map(|at| Some((at, Match::at(&rest[at..], rule, positioned)?)))
        {
            let replacement = Piece::Replacement(hit.replacement(rule, options, skips)?);
            let after = &rest[at + hit.text.len()..];
            if at == 0 {
                found.push(replacement);
                rest = after;
            } else {
                tail.extend([text_of(after), Some(replacement)].into_iter().flatten());
                rest = &rest[..at];
            }
        }
        // An empty word is an empty text, so that -q can quote it.
        found.extend(text_of(rest).or_else(|| text.is_empty().then(|| Piece::Text(Vec::new()))));
        found.extend(tail.into_iter().rev());
    }
    *pieces = found;
    Ok(())
}

fn text_of(text: &[u8]) -> Option<Piece> {
    (!text.is_empty()).then(|| Piece::Text(text.to_vec()))
}

/// The replacement, or nothing in its place where values are left out.
fn inserted(replacement: Replacement, options: &TemplateOptions) -> Replacement {
    match replacement.what {
        What::Value(_) if options.leaves_values_out => Replacement { what: What::Nothing, ..replacement },
        _ => replacement,
    }
}

/// A replacement string found at the start of a text.
struct Match<'a> {
    /// All of it.
    text: &'a [u8],
    /// The position that its inside starts with.
    position: &'a [u8],
    /// What the user wrote into it.
    holes: Holes<'a>,
}

impl<'a> Match<'a> {
    /// The string of `rule` that `text` starts with.
    fn at(text: &'a [u8], rule: &ReplacementRule, positioned: bool) -> Option<Self> {
        let is_at = |position: &'a [u8], rest: &'a [u8]| {
            let (holes, used) = match &rule.meaning {
                Meaning::Fixed(..) => ((&b""[..], &b""[..]), 0),
                Meaning::Shaped(string) => string.holes(rest)?,
            };
            Some(Self { text: &text[..text.len() - rest.len() + used], position, holes })
        };
        if !positioned {
            return is_at(b"", text.strip_prefix(&rule.key[..])?);
        }
        let key = rule.key.strip_prefix(b"{")?;
        let inside = text.strip_prefix(b"{")?;
        let sign = usize::from(inside.starts_with(b"-"));
        let digits = inside[sign..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        (1..=digits).rev().find_map(|digits| {
            let (position, rest) = inside.split_at(sign + digits);
            is_at(position, rest.trim_ascii_start().strip_prefix(key)?)
        })
    }

    /// What it means.
    fn replacement(
        &self,
        rule: &ReplacementRule,
        options: &TemplateOptions,
        skips: &mut Vec<Skip>,
    ) -> Result<Replacement, Unsupported> {
        let what = match &rule.meaning {
            Meaning::Fixed(what, skip) => {
                skips.extend(*skip);
                what.clone()
            }
            Meaning::Shaped(string) => {
                let string_text = || String::from_utf8_lossy(self.text).into_owned();
                let form = string.form(self.holes);
                What::Value(form.map_err(|reason| Unsupported { string: string_text(), reason })?)
            }
        };
        let position = position(self.position, &what);
        Ok(inserted(Replacement { position, what }, options))
    }
}

/// Which values a string stands for. A number is the first value replaced by
/// it, and GNU parallel writes that 1 after the position: `{2#}` is position 21.
fn position(digits: &[u8], what: &What) -> Position {
    let one = match what {
        What::Value(_) | What::Nothing => "",
        What::Number(_) | What::Shell(_) => "1",
    };
    let digits = [digits, one.as_bytes()].concat();
    let (sign, size) = digits.strip_prefix(b"-").map_or((1, &digits[..]), |size| (-1, size));
    if matches!(&digits[..], b"" | b"0") {
        return Position::Each;
    }
    let add = |size: i64, digit: &u8| (10 * size + i64::from(digit - b'0')).min(i64::MAX / 100);
    Position::Nth(sign * size.iter().fold(0, add))
}
