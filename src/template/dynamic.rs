//! The replacement strings of --plus that hold a text of the user's, such as
//! `{%.gz}` and `{/from/to}`.
//!
//! Knows their spelling and which substitution each means; the tables are GNU
//! parallel's, after bash's parameter expansions.

use super::form::ValueForm;
use super::pattern::{MatchBecomes, PerlSubstitution, reluctant};

/// A replacement string with a hole in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DynamicString {
    /// `{/from/to}`
    Replace,
    /// `{/#from/to}`
    ReplaceStart,
    /// `{/%from/to}`
    ReplaceEnd,
    /// `{//from/to}`
    ReplaceAll,
    /// `{##pattern}`
    CutStart,
    /// `{#pattern}`
    CutStartShort,
    /// `{:N:M}`
    Slice,
    /// `{%%pattern}`
    CutEnd,
    /// `{^^pattern}`
    UpperAll,
    /// `{,,pattern}`
    LowerAll,
    /// `{:-text}`
    Default,
    /// `{%pattern}`
    CutEndShort,
    /// `{^pattern}`
    Upper,
    /// `{,pattern}`
    Lower,
    /// `{:N}`
    From,
}

impl DynamicString {
    /// All, in the order in which a template is searched for them.
    pub(super) const ALL: [Self; 15] = [
        Self::Replace,
        Self::ReplaceStart,
        Self::ReplaceEnd,
        Self::ReplaceAll,
        Self::CutStart,
        Self::CutStartShort,
        Self::Slice,
        Self::CutEnd,
        Self::UpperAll,
        Self::LowerAll,
        Self::Default,
        Self::CutEndShort,
        Self::Upper,
        Self::Lower,
        Self::From,
    ];

    /// How the string begins.
    pub(super) fn start(self) -> &'static [u8] {
        match self {
            Self::Replace => b"{/",
            Self::ReplaceStart => b"{/#",
            Self::ReplaceEnd => b"{/%",
            Self::ReplaceAll => b"{//",
            Self::CutStart => b"{##",
            Self::CutStartShort => b"{#",
            Self::Slice | Self::From => b"{:",
            Self::CutEnd => b"{%%",
            Self::UpperAll => b"{^^",
            Self::LowerAll => b"{,,",
            Self::Default => b"{:-",
            Self::CutEndShort => b"{%",
            Self::Upper => b"{^",
            Self::Lower => b"{,",
        }
    }

    /// The texts in the hole, and the length of all up to and with the `}`, if
    /// `rest`, which follows the start, is of this shape.
    pub(super) fn holes(self, rest: &[u8]) -> Option<(Holes<'_>, usize)> {
        let end = rest.iter().position(|&byte| byte == b'}')?;
        let body = &rest[..end];
        let holes = match self {
            Self::Replace => {
                two(body, b'/').filter(|(from, _)| !from.iter().any(|byte| b"#%/".contains(byte)))
            }
            Self::ReplaceStart | Self::ReplaceEnd | Self::ReplaceAll => two(body, b'/'),
            Self::Slice => two(body, b':').filter(|(from, count)| number(from).and(number(count)).is_some()),
            Self::From => number(body).map(|_| (body, &b""[..])),
            Self::CutStart | Self::CutStartShort => {
                body.first().filter(|&&byte| byte != b'#').map(|_| (body, &b""[..]))
            }
            _ => body.first().map(|_| (body, &b""[..])),
        };
        holes.map(|holes| (holes, end + 1))
    }

    /// What the string does to a value; the error is the regular expression's.
    pub(super) fn form(self, (from, to): Holes<'_>) -> Result<ValueForm, String> {
        let change = || MatchBecomes::To(to.to_vec());
        let gone = || MatchBecomes::To(Vec::new());
        let pattern = match self {
            Self::Default => return Ok(ValueForm::Default(from.to_vec())),
            Self::From => return Ok(ValueForm::From(number(from).unwrap_or(usize::MAX))),
            Self::Slice => {
                let (start, count) = (number(from), number(to));
                return Ok(ValueForm::Slice(start.unwrap_or(usize::MAX), count.unwrap_or(usize::MAX)));
            }
            Self::Replace | Self::ReplaceAll => PerlSubstitution::new("", from, "", change()),
            Self::ReplaceStart => PerlSubstitution::new("^", from, "", change()),
            Self::ReplaceEnd => PerlSubstitution::new("", from, "$", change()),
            Self::CutStart => PerlSubstitution::new("^", from, "", gone()),
            Self::CutStartShort => {
                PerlSubstitution::new("^", &reluctant(from), "(.*)", MatchBecomes::FirstGroup)
            }
            Self::CutEnd => PerlSubstitution::new("", from, "$", gone()),
            Self::CutEndShort => {
                PerlSubstitution::new("(.*)", &reluctant(from), "$", MatchBecomes::FirstGroup)
            }
            Self::Upper => PerlSubstitution::new("^(", from, ")", MatchBecomes::Upper),
            Self::UpperAll => PerlSubstitution::new("", from, "", MatchBecomes::Upper),
            Self::Lower => PerlSubstitution::new("^(", from, ")", MatchBecomes::Lower),
            Self::LowerAll => PerlSubstitution::new("", from, "", MatchBecomes::Lower),
        };
        let pattern = pattern?;
        Ok(ValueForm::Pattern(match self {
            Self::ReplaceStart | Self::ReplaceEnd | Self::ReplaceAll | Self::UpperAll | Self::LowerAll => {
                pattern.everywhere()
            }
            _ => pattern,
        }))
    }
}

/// The texts in a shape's hole; the second is empty where it has one only.
pub(super) type Holes<'a> = (&'a [u8], &'a [u8]);

/// Both sides of the first sign that leaves something before it.
fn two(body: &[u8], sign: u8) -> Option<Holes<'_>> {
    let at = 1 + body.get(1..)?.iter().position(|&byte| byte == sign)?;
    Some((&body[..at], &body[at + 1..]))
}

/// A number in decimal digits; one beyond all lengths is as good as the largest.
fn number(text: &[u8]) -> Option<usize> {
    if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(
        text.iter().fold(0, |number: usize, digit| {
            number.saturating_mul(10).saturating_add(usize::from(digit - b'0'))
        }),
    )
}
