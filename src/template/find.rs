//! One replacement string in a text: where it ends and what it means.
//!
//! Knows one place in one text; the search through all of it is `parse`'s.

use super::parse::{Unsupported, inserted};
use super::piece::{Position, Replacement, What};
use super::replacements::{Meaning, Options, Rule, Skip};

/// A replacement string found at the start of a text.
pub(super) struct Match<'a> {
    /// All of it.
    pub(super) text: &'a [u8],
    /// The position that its inside starts with.
    position: Option<&'a [u8]>,
    /// What follows the rule's key.
    rest: &'a [u8],
    rule: &'a Rule,
}

impl<'a> Match<'a> {
    /// The string of `rule` that `text` starts with.
    pub(super) fn at(text: &'a [u8], rule: &'a Rule, positioned: bool) -> Option<Self> {
        if !positioned {
            let rest = text.strip_prefix(&rule.key[..])?;
            return Self::shaped(text, None, rest, rule);
        }
        let key = rule.key.strip_prefix(b"{")?;
        let inside = text.strip_prefix(b"{")?;
        let sign = usize::from(inside.starts_with(b"-"));
        let digits = inside[sign..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        (1..=digits).rev().find_map(|digits| {
            let (position, rest) = inside.split_at(sign + digits);
            let rest = rest.trim_ascii_start().strip_prefix(key)?;
            Self::shaped(text, Some(position), rest, rule)
        })
    }

    fn shaped(text: &'a [u8], position: Option<&'a [u8]>, rest: &'a [u8], rule: &'a Rule) -> Option<Self> {
        let beyond = match &rule.meaning {
            Meaning::Fixed(_) => rest.len(),
            Meaning::Shaped(shape) => rest.len() - shape.holes(rest)?.1,
        };
        let text = &text[..text.len() - beyond];
        Some(Self { text, position, rest, rule })
    }

    /// What it means.
    pub(super) fn replacement(
        &self,
        options: &Options,
        skips: &mut Vec<Skip>,
    ) -> Result<Replacement, Unsupported> {
        let unsupported = |reason| Unsupported::new(&String::from_utf8_lossy(self.text), reason);
        let what = match &self.rule.meaning {
            Meaning::Fixed(fixed) => {
                skips.extend(fixed.skip);
                fixed.what.clone()
            }
            Meaning::Shaped(shape) => {
                let (holes, _) = shape.holes(self.rest).unwrap_or_default();
                What::Value(shape.form(holes).map_err(unsupported)?)
            }
        };
        let position = position(self.position, &what);
        Ok(inserted(Replacement { position, what }, options))
    }
}

/// Which values a string stands for. A number is the first value replaced by
/// it, and GNU parallel writes that 1 after the position: `{2#}` is position 21.
fn position(digits: Option<&[u8]>, what: &What) -> Position {
    let one = match what {
        What::Value(_) | What::Nothing => "",
        What::Number(_) | What::Shell(_) => "1",
    };
    match [digits.unwrap_or_default(), one.as_bytes()].concat().as_slice() {
        b"" | b"0" => Position::Each,
        digits => Position::Nth(nth(digits)),
    }
}

fn nth(digits: &[u8]) -> i64 {
    let (sign, digits) = match digits.strip_prefix(b"-") {
        Some(digits) => (-1, digits),
        None => (1, digits),
    };
    let size =
        digits.iter().fold(0, |size: i64, digit| (10 * size + i64::from(digit - b'0')).min(i64::MAX / 100));
    sign * size
}
