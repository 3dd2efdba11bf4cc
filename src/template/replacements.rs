//! Which replacement strings exist, and under which names: the usual ones, those of
//! --plus, and among these the ones that hold a text of the user's, such as `{%.gz}` and
//! `{/from/to}`, which are bash's parameter expansions.
//!
//! Knows the tables of GNU parallel; not how a template is searched for them.

use crate::sorting;
use serde::{Deserialize, Serialize};

use super::form::{MatchBecomes, PerlSubstitution, ValueForm, reluctant};
use super::numbers::Number;
use super::piece::What;
use super::quote::Dialect;

/// How templates are read.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct TemplateOptions {
    /// Replacement strings under other names (-I, --er, ...), in the order
    /// in which they are renamed. An empty name is ignored.
    pub renames: Vec<(ReplacementName, Vec<u8>)>,
    /// Whether the strings of --plus exist.
    pub plus: bool,
    /// The columns' names from --header, in the order of their numbers.
    pub columns: Vec<Vec<u8>>,
    /// Whether the word around `{}` is repeated for each value of a job: -X, -N,
    /// and -L without -m and --xargs.
    pub repeats_words: bool,
    /// Whether values are taken but not inserted: -n0 and -N0.
    pub leaves_values_out: bool,
    /// How the shell that runs the lines reads quotes.
    pub dialect: Dialect,
}

/// A replacement string that can be renamed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ReplacementName {
    /// `{}`, renamed by -I, -i and --replace.
    Value,
    /// `{.}`, renamed by --extensionreplace and --er.
    WithoutExtension,
    /// `{/}`, renamed by --basenamereplace and --bnr.
    Basename,
    /// `{//}`, renamed by --dirnamereplace and --dnr.
    Dirname,
    /// `{/.}`, renamed by --basenameextensionreplace and --bner.
    BasenameWithoutExtension,
    /// `{#}`, renamed by --seqreplace.
    Seq,
    /// `{%}`, renamed by --slotreplace.
    Slot,
}

impl ReplacementName {
    /// The name before it is changed.
    pub fn usual(self) -> &'static [u8] {
        match self {
            Self::Value => b"{}",
            Self::WithoutExtension => b"{.}",
            Self::Basename => b"{/}",
            Self::Dirname => b"{//}",
            Self::BasenameWithoutExtension => b"{/.}",
            Self::Seq => b"{#}",
            Self::Slot => b"{%}",
        }
    }
}

/// A replacement string: how it is spelled and what it means.
#[derive(Clone, Debug)]
pub(super) struct ReplacementRule {
    pub(super) key: Vec<u8>,
    pub(super) meaning: Meaning,
}

#[derive(Clone, Debug)]
pub(super) enum Meaning {
    /// The whole of the key is the string.
    Fixed(What, Option<Skip>),
    /// The key is the beginning of a string that holds a text of the user's.
    Shaped(DynamicString),
}

/// Which jobs a replacement string leaves out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Skip {
    /// `{uniq}`: those with two equal values, or with an empty one.
    Repeated,
    /// `{choose_k}`: those whose values do not ascend.
    Unordered,
}

/// Every replacement string that these options allow, in the order in which a
/// template is searched for them: the shaped ones, then long ones before short
/// ones, as a short one may be part of a long one.
pub(super) fn rules(options: &TemplateOptions) -> Vec<ReplacementRule> {
    let mut fixed = usual();
    let mut rules = Vec::new();
    if options.plus {
        fixed.extend(plus(options.dialect));
        rules.extend(
            DYNAMIC_STRINGS
                .map(|string| ReplacementRule { key: string.start.into(), meaning: Meaning::Shaped(string) }),
        );
    }
    for (name, new) in options.renames.iter().filter(|(name, new)| !new.is_empty() && name.usual() != new) {
        fixed.retain(|rule| rule.key != *new);
        if let Some(rule) = fixed.iter_mut().find(|rule| rule.key == name.usual()) {
            rule.key.clone_from(new);
        }
    }
    sorting::sort_by_key(&mut fixed, |rule| std::cmp::Reverse(rule.key.len()));
    rules.extend(fixed);
    rules
}

fn fixed(key: &str, what: What) -> ReplacementRule {
    ReplacementRule { key: key.into(), meaning: Meaning::Fixed(what, None) }
}

fn value(key: &str, form: ValueForm) -> ReplacementRule {
    fixed(key, What::Value(form))
}

fn usual() -> Vec<ReplacementRule> {
    vec![
        value("{}", ValueForm::Value),
        value("{.}", ValueForm::WithoutExtensions(1)),
        value("{/}", ValueForm::Basename),
        value("{//}", ValueForm::Dirname),
        value("{/.}", ValueForm::BasenameWithoutExtensions(1)),
        fixed("{#}", What::Number(Number::Seq)),
        fixed("{%}", What::Number(Number::Slot)),
    ]
}

fn plus(dialect: Dialect) -> Vec<ReplacementRule> {
    // fish takes `{$NAME}` for what others write `${NAME}`; rc has nothing like it.
    let variable = |key, name: &str| {
        let text = match dialect {
            Dialect::Posix | Dialect::Csh => format!("${{{name}}}"),
            Dialect::Fish => format!("{{${name}}}"),
            Dialect::Rc => format!("${name}^''"),
        };
        fixed(key, What::Shell(text.into_bytes()))
    };
    let skip = |key: &str, skip| {
        let meaning = Meaning::Fixed(What::Value(ValueForm::Value), Some(skip));
        ReplacementRule { key: key.into(), meaning }
    };
    vec![
        value("{..}", ValueForm::WithoutExtensions(2)),
        value("{...}", ValueForm::WithoutExtensions(3)),
        value("{/..}", ValueForm::BasenameWithoutExtensions(2)),
        value("{/...}", ValueForm::BasenameWithoutExtensions(3)),
        value("{+/}", ValueForm::Directory),
        value("{+.}", ValueForm::Extensions(1)),
        value("{+..}", ValueForm::Extensions(2)),
        value("{+...}", ValueForm::Extensions(3)),
        fixed("{##}", What::Number(Number::Total)),
        fixed("{0#}", What::Number(Number::PaddedSeq)),
        fixed("{0%}", What::Number(Number::PaddedSlot)),
        variable("{slot}", "PARALLEL_JOBSLOT"),
        variable("{host}", "PARALLEL_SSHHOST"),
        variable("{sshlogin}", "PARALLEL_SSHLOGIN"),
        variable("{hgrp}", "PARALLEL_HOSTGROUPS"),
        variable("{agrp}", "PARALLEL_ARGHOSTGROUPS"),
        skip("{uniq}", Skip::Repeated),
        skip("{choose_k}", Skip::Unordered),
    ]
}

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
