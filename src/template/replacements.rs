//! Which replacement strings exist, and under which names.
//!
//! Knows the tables of GNU parallel; not how a template is searched for them.

use serde::{Deserialize, Serialize};

use super::dynamic::DynamicString;
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
    Fixed(Fixed),
    /// The key is the beginning of a string that holds a text of the user's.
    Shaped(DynamicString),
}

#[derive(Clone, Debug)]
pub(super) struct Fixed {
    pub(super) what: What,
    pub(super) skip: Option<Skip>,
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
            DynamicString::ALL.map(|shape| ReplacementRule {
                key: shape.start().to_vec(),
                meaning: Meaning::Shaped(shape),
            }),
        );
    }
    for (name, new) in &options.renames {
        rename(&mut fixed, name.usual(), new);
    }
    fixed.sort_by_key(|rule| std::cmp::Reverse(rule.key.len()));
    rules.extend(fixed);
    rules
}

fn rename(rules: &mut Vec<ReplacementRule>, usual: &[u8], new: &[u8]) {
    if new.is_empty() || usual == new {
        return;
    }
    rules.retain(|rule| rule.key != new);
    if let Some(rule) = rules.iter_mut().find(|rule| rule.key == usual) {
        rule.key = new.to_vec();
    }
}

fn fixed(key: &str, what: What) -> ReplacementRule {
    let meaning = Meaning::Fixed(Fixed { what, skip: None });
    ReplacementRule { key: key.into(), meaning }
}

fn usual() -> Vec<ReplacementRule> {
    let value = |key, form| fixed(key, What::Value(form));
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
    let value = |key, form| fixed(key, What::Value(form));
    let number = |key, number| fixed(key, What::Number(number));
    // fish takes `{$NAME}` for what others write `${NAME}`; rc has nothing like it.
    let shell = |key, others: &'static [u8], fish: &'static [u8], rc: &'static [u8]| {
        let text = match dialect {
            Dialect::Posix | Dialect::Csh => others,
            Dialect::Fish => fish,
            Dialect::Rc => rc,
        };
        fixed(key, What::Shell(text))
    };
    let skip = |key: &str, skip| {
        let what = What::Value(ValueForm::Value);
        let meaning = Meaning::Fixed(Fixed { what, skip: Some(skip) });
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
        number("{##}", Number::Total),
        number("{0#}", Number::PaddedSeq),
        number("{0%}", Number::PaddedSlot),
        shell("{slot}", b"${PARALLEL_JOBSLOT}", b"{$PARALLEL_JOBSLOT}", b"$PARALLEL_JOBSLOT^''"),
        shell("{host}", b"${PARALLEL_SSHHOST}", b"{$PARALLEL_SSHHOST}", b"$PARALLEL_SSHHOST^''"),
        shell("{sshlogin}", b"${PARALLEL_SSHLOGIN}", b"{$PARALLEL_SSHLOGIN}", b"$PARALLEL_SSHLOGIN^''"),
        shell("{hgrp}", b"${PARALLEL_HOSTGROUPS}", b"{$PARALLEL_HOSTGROUPS}", b"$PARALLEL_HOSTGROUPS^''"),
        shell(
            "{agrp}",
            b"${PARALLEL_ARGHOSTGROUPS}",
            b"{$PARALLEL_ARGHOSTGROUPS}",
            b"$PARALLEL_ARGHOSTGROUPS^''",
        ),
        skip("{uniq}", Skip::Repeated),
        skip("{choose_k}", Skip::Unordered),
    ]
}
