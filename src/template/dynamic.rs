//! The replacement strings of --plus that hold a text of the user's, such as
//! `{%.gz}` and `{/from/to}`.
//!
//! Knows their spelling and which substitution each means; the table is GNU
//! parallel's, after bash's parameter expansions.

use super::form::ValueForm;
use super::pattern::{MatchBecomes, PerlSubstitution, reluctant};

/// A replacement string with a hole in it.
#[derive(Clone, Copy, Debug)]
pub(super) struct DynamicString {
    /// How it begins.
    pub(super) start: &'static str,
    hole: Hole,
    change: Change,
}

/// What may stand in the hole, up to the `}`.
#[derive(Clone, Copy, Debug)]
enum Hole {
    Text,
    /// A text that does not begin with `#`.
    NoHash,
    /// Two texts with a `/` between.
    Pair,
    /// The same, and the first has none of `#`, `%` and `/`.
    PlainPair,
    Number,
    /// Two numbers with a `:` between.
    NumberPair,
}

/// What the string does to a value.
#[derive(Clone, Copy, Debug)]
enum Change {
    Default,
    Slice,
    /// What the first match becomes of a pattern in which `_` is the text in the hole.
    First(&'static str, MatchBecomes),
    /// The same for every match.
    Every(&'static str, MatchBecomes),
}

/// All, in the order in which a template is searched for them.
pub(super) const DYNAMIC_STRINGS: [DynamicString; 15] = [
    dynamic("{/", Hole::PlainPair, Change::First("_", MatchBecomes::Text)),
    dynamic("{/#", Hole::Pair, Change::Every("^_", MatchBecomes::Text)),
    dynamic("{/%", Hole::Pair, Change::Every("_$", MatchBecomes::Text)),
    dynamic("{//", Hole::Pair, Change::Every("_", MatchBecomes::Text)),
    dynamic("{##", Hole::NoHash, Change::First("^_", MatchBecomes::Text)),
    dynamic("{#", Hole::NoHash, Change::First("^_(.*)", MatchBecomes::FirstGroup)),
    dynamic("{:", Hole::NumberPair, Change::Slice),
    dynamic("{%%", Hole::Text, Change::First("_$", MatchBecomes::Text)),
    dynamic("{^^", Hole::Text, Change::Every("_", MatchBecomes::Upper)),
    dynamic("{,,", Hole::Text, Change::Every("_", MatchBecomes::Lower)),
    dynamic("{:-", Hole::Text, Change::Default),
    dynamic("{%", Hole::Text, Change::First("(.*)_$", MatchBecomes::FirstGroup)),
    dynamic("{^", Hole::Text, Change::First("^(_)", MatchBecomes::Upper)),
    dynamic("{,", Hole::Text, Change::First("^(_)", MatchBecomes::Lower)),
    dynamic("{:", Hole::Number, Change::Slice),
];

const fn dynamic(start: &'static str, hole: Hole, change: Change) -> DynamicString {
    DynamicString { start, hole, change }
}

/// The texts in a string's hole; the second is empty where it has one only.
pub(super) type Holes<'a> = (&'a [u8], &'a [u8]);

impl DynamicString {
    /// The texts in the hole, and the length of all up to and with the `}`, if
    /// `rest`, which follows the start, is of this shape.
    pub(super) fn holes(self, rest: &[u8]) -> Option<(Holes<'_>, usize)> {
        let end = rest.iter().position(|&byte| byte == b'}')?;
        let body = &rest[..end];
        // The sign has to leave something before it.
        let pair = |sign: u8| {
            let at = 1 + body.get(1..)?.iter().position(|&byte| byte == sign)?;
            Some((&body[..at], &body[at + 1..]))
        };
        let (from, to) = match self.hole {
            Hole::Pair | Hole::PlainPair => pair(b'/')?,
            Hole::NumberPair => pair(b':')?,
            Hole::Text | Hole::NoHash | Hole::Number => (body, &b""[..]),
        };
        let is_sound = match self.hole {
            Hole::Text | Hole::Pair => !from.is_empty(),
            Hole::NoHash => !from.is_empty() && !from.starts_with(b"#"),
            Hole::PlainPair => !from.iter().any(|byte| b"#%/".contains(byte)),
            Hole::Number => number(from).is_some(),
            Hole::NumberPair => number(from).is_some() && number(to).is_some(),
        };
        is_sound.then_some(((from, to), end + 1))
    }

    /// What the string does to a value; the error is the regular expression's.
    pub(super) fn form(self, (from, to): Holes<'_>) -> Result<ValueForm, String> {
        let (pattern, becomes, everywhere) = match self.change {
            Change::Default => return Ok(ValueForm::Default(from.to_vec())),
            Change::Slice => {
                let [start, count] = [from, to].map(|text| number(text).unwrap_or(usize::MAX));
                return Ok(ValueForm::Slice(start, count));
            }
            Change::First(pattern, becomes) => (pattern, becomes, false),
            Change::Every(pattern, becomes) => (pattern, becomes, true),
        };
        let source = if becomes == MatchBecomes::FirstGroup { reluctant(from) } else { from.to_vec() };
        PerlSubstitution::new(pattern, &source, becomes, to, everywhere).map(ValueForm::Pattern)
    }
}

/// A number in decimal digits; one beyond all lengths is as good as the largest.
fn number(text: &[u8]) -> Option<usize> {
    let is_number = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    let add = |number: usize, digit: &u8| number.saturating_mul(10).saturating_add(usize::from(digit - b'0'));
    is_number.then(|| text.iter().fold(0, add))
}
