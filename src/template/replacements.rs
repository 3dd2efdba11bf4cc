//! Which replacement strings exist, and under which names.
//!
//! Knows the tables of GNU parallel; not how a template is searched for them.

use serde::{Deserialize, Serialize};

use super::dynamic::{DYNAMIC_STRINGS, DynamicString};
use super::form::ValueForm;
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
    #[must_use]
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
    fixed.sort_by_key(|rule| std::cmp::Reverse(rule.key.len()));
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
