//! One option: its names, what it takes, what it does.

use std::ffi::OsStr;

use super::typed::Typed;

/// What storing a value came to; the text follows option and value.
pub(super) type Stored = Result<(), String>;

/// One row of the table of options.
pub(super) struct Row {
    /// All spellings without hyphens, the best first; one letter means `-x`.
    pub(super) names: &'static [&'static str],
    pub(super) does: Does,
}

/// What an option takes and does.
#[derive(Clone, Copy)]
pub(super) enum Does {
    /// Takes no value.
    Flag(fn(&mut Typed)),
    /// Takes a value, attached or as the next word.
    Word(fn(&mut Typed, &OsStr) -> Stored),
    /// Takes a value of any bytes, which is stored there.
    Bytes(fn(&mut Typed) -> &mut Option<Vec<u8>>),
    /// Takes a value, which must be text.
    Text(fn(&mut Typed, &str) -> Stored),
    /// Takes a value if one is attached or the next word is no option.
    MaybeWord(fn(&mut Typed, Option<&OsStr>)),
    /// Takes a number if one is attached or is the next word.
    MaybeNumber(fn(&mut Typed, Option<&str>) -> Stored),
    /// Takes a value only after `=`.
    AfterEquals(fn(&mut Typed, Option<&str>) -> Stored),
    /// Takes auto, always or never, after `=` or as the next word.
    MaybeWhen(fn(&mut Typed, Option<&str>) -> Stored),
    /// Accepted without effect.
    IgnoredFlag,
    /// Accepted with a value, without effect.
    IgnoredWord,
    /// Known, and not for parsim.
    Refused(&'static str),
}

impl Row {
    /// The name that messages use, with its hyphens.
    pub(super) fn shown(&self) -> String {
        shown(self.names[0])
    }

    pub(super) fn is_refused(&self) -> bool {
        matches!(self.does, Does::Refused(_))
    }

    /// Whether `name` is one of its names. Long names know no case.
    pub(super) fn is_called(&self, name: &str) -> bool {
        self.names
            .iter()
            .any(|own| if own.len() == 1 { *own == name } else { own.eq_ignore_ascii_case(name) })
    }

    /// Whether one of its names begins with `prefix`.
    pub(super) fn may_be(&self, prefix: &str) -> bool {
        let begins = |own: &&&str| own.get(..prefix.len()).is_some_and(|b| b.eq_ignore_ascii_case(prefix));
        self.names.iter().any(|own| own.len() > 1 && begins(&own))
    }
}

/// `name` with its hyphens.
pub(super) fn shown(name: &str) -> String {
    if name.len() == 1 { format!("-{name}") } else { format!("--{name}") }
}
