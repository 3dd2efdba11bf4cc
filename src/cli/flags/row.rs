//! One option: its names, what it takes, what it does, what help says of it.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;
use std::sync::LazyLock;

use super::typed::{Export, Flag, GivenOption, Scope, Typed};
use super::values::Workers;
use crate::report;
use crate::template::ReplacementName;

/// What storing a value came to; the text follows option and value.
pub(super) type Stored = Result<(), String>;

/// Stores `value` in its place.
pub(super) fn set<T>(slot: &mut Option<T>, value: Result<T, String>) -> Stored {
    *slot = Some(value?);
    Ok(())
}

/// One row of the table of options.
pub(super) struct OptionRow {
    /// All spellings without hyphens, the best first; one letter means `-x`.
    pub(super) names: &'static [&'static str],
    /// What stands for its value in help; empty where it takes none.
    pub(super) value: &'static str,
    /// One line of help, in which a newline is a place to break; empty where nothing is
    /// told of the option.
    help: &'static str,
    /// What is said in its place of a subcommand where the value has other forms.
    otherwise: Option<(Scope, &'static str)>,
    /// The subcommands that have it.
    pub(super) scope: Scope,
    /// Why `compare` has to do without it.
    pub(super) not_compared: Option<&'static str>,
    /// Whether the help of one screen names it.
    pub(super) is_brief: bool,
    /// Whether GNU parallel has it.
    pub(super) is_gnu: bool,
    pub(super) does: Does,
}

/// What an option takes and does.
#[derive(Clone, Copy)]
pub(super) enum Does {
    /// Takes no value: that it was given is all.
    Set(Flag),
    /// Takes no value.
    Switch(fn(&mut Typed)),
    /// Takes a value, attached or as the next word.
    Word(fn(&mut Typed, &OsStr) -> Stored),
    /// Takes another name of a replacement string.
    Rename(ReplacementName),
    /// Takes a value of any bytes, which is stored there.
    Bytes(fn(&mut Typed) -> &mut Option<Vec<u8>>),
    /// Takes a value, which must be text.
    Text(fn(&mut Typed, &str) -> Stored),
    /// Takes this many words, the first of which may be attached.
    Words(usize, fn(&mut Typed, &[&OsStr]) -> Stored),
    /// Takes a value if one is attached or the next word is no option.
    MaybeWord(fn(&mut Typed, Option<&OsStr>)),
    /// Takes a number if one is attached or is the next word.
    MaybeNumber(fn(&mut Typed, Option<&str>) -> Stored),
    /// Takes a value only after `=`.
    AfterEquals(fn(&mut Typed, Option<&str>) -> Stored),
    /// Takes auto, always or never, after `=` or as the next word.
    MaybeWhen(fn(&mut Typed, Option<&str>) -> Stored),
    /// Takes the file that a study is saved to in this format.
    Export(&'static report::Format),
    /// Takes another word for `:::` or `::::`.
    Separator(fn(&mut Separators) -> &mut OsString),
    /// Accepted without effect.
    IgnoredFlag,
    /// Accepted with a value, without effect.
    IgnoredWord,
    /// Known, and not for parsim.
    Refused(&'static str),
}

/// The words that begin sources.
pub(super) struct Separators {
    pub(super) values: OsString,
    pub(super) files: OsString,
}

/// An option of GNU parallel's that takes a `value` and is told of by `help`.
pub(super) const fn option(
    names: &'static [&'static str],
    value: &'static str,
    help: &'static str,
    does: Does,
) -> OptionRow {
    OptionRow {
        names,
        value,
        help,
        otherwise: None,
        scope: Scope::BATCH,
        not_compared: None,
        is_brief: false,
        is_gnu: true,
        does,
    }
}

/// One without a value.
pub(super) const fn flag(names: &'static [&'static str], help: &'static str, flag: Flag) -> OptionRow {
    option(names, "", help, Does::Set(flag))
}

/// One that help does not tell of.
pub(super) const fn quiet(names: &'static [&'static str], does: Does) -> OptionRow {
    option(names, "", "", does)
}

/// One of parsim's own.
pub(super) const fn own(
    names: &'static [&'static str],
    value: &'static str,
    help: &'static str,
    does: Does,
) -> OptionRow {
    OptionRow { is_gnu: false, ..option(names, value, help, does) }
}

impl OptionRow {
    /// The help of one screen names it.
    pub(super) const fn brief(self) -> Self {
        Self { is_brief: true, ..self }
    }

    /// Those of `scope` have it, and no others.
    pub(super) const fn of(self, scope: Scope) -> Self {
        Self { scope, ..self }
    }

    /// `compare` does not have it, for this reason.
    pub(super) const fn not_compared(self, why: &'static str) -> Self {
        Self { not_compared: Some(why), ..self }
    }

    /// Of the subcommands of `scope` this is said.
    pub(super) const fn told(self, scope: Scope, help: &'static str) -> Self {
        Self { otherwise: Some((scope, help)), ..self }
    }

    /// What help on the subcommands of `scope` says of it.
    pub(super) fn help(&self, scope: Scope) -> String {
        match (self.does, self.otherwise) {
            (Does::Export(format), _) => format!("write {} to FILE (- is stdout)", format.about),
            _ if self.value == "WHO" => {
                // Comparing them is no run of one way.
                let one_way = Scope::ONE_WAY.has(scope).then_some(Workers::BOTH);
                let names: Vec<&str> = Workers::names().filter(|name| Some(*name) != one_way).collect();
                // Elsewhere clap lists the values by itself.
                let list = Scope::BATCH.has(scope).then(|| format!(": {}", names.join(", ")));
                format!("{}{} [default: {}]", self.help, list.unwrap_or_default(), names[0])
            }
            (_, Some((where_else, help))) if where_else.has(scope) => help.to_owned(),
            _ => self.help.to_owned(),
        }
    }

    /// Whether help on the subcommands of `scope` tells of it.
    pub(super) fn is_told(&self, scope: Scope) -> bool {
        self.scope.has(scope) && !self.help(scope).is_empty()
    }

    /// That it was given, and how it was typed.
    pub(super) fn given(&self, spelled: &str) -> GivenOption {
        GivenOption {
            name: self.names[0],
            spelled: spelled.to_owned(),
            scope: self.scope,
            not_compared: self.not_compared,
        }
    }

    /// The name that messages use, with its hyphens.
    pub(super) fn shown(&self) -> String {
        shown(self.names[0])
    }

    /// `x` of `-x`, if it has such a name.
    pub(super) fn letter(&self) -> Option<&'static str> {
        self.names.iter().find(|name| name.len() == 1).copied()
    }

    /// Its best name, unless that is a letter.
    pub(super) fn long(&self) -> Option<&'static str> {
        Some(self.names[0]).filter(|name| name.len() > 1)
    }

    pub(super) fn is_ignored(&self) -> bool {
        matches!(self.does, Does::IgnoredFlag | Does::IgnoredWord)
    }

    pub(super) fn is_refused(&self) -> bool {
        matches!(self.does, Does::Refused(_))
    }

    /// Whether `name` is one of its names. Long names know no case.
    pub(super) fn is_called(&self, name: &str) -> bool {
        self.names.iter().any(|own| *own == name || own.len() > 1 && own.eq_ignore_ascii_case(name))
    }

    /// Whether one of its names begins with `prefix`.
    pub(super) fn may_be(&self, prefix: &str) -> bool {
        let begins = |own: &&&str| own.get(..prefix.len()).is_some_and(|b| b.eq_ignore_ascii_case(prefix));
        self.names.iter().any(|own| own.len() > 1 && begins(&own))
    }
}

impl Does {
    /// Whether it stands alone: with letters behind it, `-kj2`.
    pub(super) fn is_flag(self) -> bool {
        matches!(self, Self::Set(_) | Self::Switch(_) | Self::IgnoredFlag)
    }

    /// Whether its value may be left out, and otherwise follows `=`.
    pub(super) fn takes_value_after_equals(self) -> bool {
        matches!(self, Self::AfterEquals(_) | Self::MaybeWhen(_))
    }

    /// How many of the next words are its values, whatever they are.
    pub(super) fn n_words(self) -> usize {
        match self {
            Self::Words(count, _) => count,
            Self::Word(_)
            | Self::Rename(_)
            | Self::Bytes(_)
            | Self::Text(_)
            | Self::Export(_)
            | Self::Separator(_)
            | Self::IgnoredWord => 1,
            Self::Set(_)
            | Self::Switch(_)
            | Self::MaybeWord(_)
            | Self::MaybeNumber(_)
            | Self::AfterEquals(_)
            | Self::MaybeWhen(_)
            | Self::IgnoredFlag
            | Self::Refused(_) => 0,
        }
    }

    /// Takes note of the option in `typed`, with its value if it has one.
    pub(super) fn store(self, typed: &mut Typed, value: Option<&OsStr>) -> Stored {
        let word = value.unwrap_or_default();
        match self {
            Self::Set(flag) => typed.flags.push(flag),
            Self::Switch(set) => set(typed),
            Self::Word(set) => set(typed, word)?,
            Self::Rename(name) => drop(typed.renames.insert(name, word.as_bytes().to_vec())),
            Self::Bytes(slot) => *slot(typed) = Some(word.as_bytes().to_vec()),
            Self::Text(set) => set(typed, text(word)?)?,
            Self::MaybeWord(set) => set(typed, value),
            Self::MaybeNumber(set) | Self::AfterEquals(set) | Self::MaybeWhen(set) => {
                set(typed, value.map(text).transpose()?)?;
            }
            Self::Export(row) => typed.output.exports.push(Export { row, path: word.into() }),
            Self::Words(..)
            | Self::Separator(_)
            | Self::IgnoredFlag
            | Self::IgnoredWord
            | Self::Refused(_) => {}
        }
        Ok(())
    }
}

fn text(value: &OsStr) -> Result<&str, String> {
    value.to_str().ok_or_else(|| "not UTF-8 text".to_owned())
}

/// `name` with its hyphens.
pub(super) fn shown(name: &str) -> String {
    if name.len() == 1 { format!("-{name}") } else { format!("--{name}") }
}

/// Options of one kind.
pub(super) struct OptionSection {
    /// The heading.
    pub(super) title: &'static str,
    /// The same in the help of one screen.
    pub(super) brief: &'static str,
    /// What stands before the options there.
    pub(super) sample: &'static str,
    /// What stands below the heading.
    pub(super) intro: &'static str,
    pub(super) rows: &'static [OptionRow],
    /// Those that are made of another table follow.
    pub(super) more: Option<&'static LazyLock<Vec<OptionRow>>>,
}

/// A section that stands for itself.
pub(super) const fn section(title: &'static str, rows: &'static [OptionRow]) -> OptionSection {
    OptionSection { title, brief: title, sample: "", intro: "", rows, more: None }
}

impl OptionSection {
    /// The heading without what stands in brackets: where to read on.
    pub(super) fn heading(&self) -> &'static str {
        self.title.split_once(" (").map_or(self.title, |(heading, _)| heading)
    }

    /// Its options.
    pub(super) fn rows(&self) -> impl Iterator<Item = &'static OptionRow> + use<> {
        self.rows.iter().chain(self.more.into_iter().flat_map(|more| more.iter()))
    }
}

/// One option for each format of reports.
pub(super) static EXPORTS: LazyLock<Vec<OptionRow>> = LazyLock::new(|| {
    let scope = Scope::BATCH.and(Scope::WORKLOAD).and(Scope::REPORT);
    let rows = report::ROWS.iter().enumerate().map(|(at, row)| {
        let option = own(std::slice::from_ref(&row.option), "FILE", "", Does::Export(row));
        OptionRow { is_brief: at == 0, scope, ..option }
    });
    rows.collect()
});
