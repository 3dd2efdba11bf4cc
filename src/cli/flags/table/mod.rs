//! All options, section by section as help shows them. A new one is a row in its
//! section.

mod cluster;
mod foreign;
mod hosts;
mod inputs;
mod output;
mod running;

pub(super) use self::cluster::CLUSTER;
pub(super) use self::foreign::REASONS;
pub(super) use self::hosts::HOSTS;
pub(super) use self::inputs::{BLOCKS, INPUTS, PACKING, REPLACEMENTS, file};
pub(super) use self::output::{OUTPUT, PROGRESS, RECORDS};
pub(super) use self::running::{GATES, MEASURING, PICTURES, RUNNING};
use super::row::{OptionRow, OptionSection};
use super::typed::Scope;

/// All sections.
static SECTIONS: [&OptionSection; 15] = [
    &INPUTS,
    &PACKING,
    &REPLACEMENTS,
    &BLOCKS,
    &RUNNING,
    &HOSTS,
    &CLUSTER,
    &OUTPUT,
    &RECORDS,
    &PROGRESS,
    &MEASURING,
    &PICTURES,
    &GATES,
    &output::QUESTIONS,
    &foreign::FOREIGN,
];

/// Every option.
pub(in crate::cli::flags) fn rows() -> impl Iterator<Item = &'static OptionRow> {
    SECTIONS.iter().flat_map(|section| section.rows())
}

/// Whether the option `name` has all its effect in the jobs' command lines: it is about
/// where their values come from and how they are put in.
pub(in crate::cli) fn makes_commands(name: &str) -> bool {
    [&INPUTS, &PACKING, &REPLACEMENTS].iter().any(|section| section.rows().any(|row| row.is_called(name)))
}

/// The options of a batch that `name` may stand for: the one that is called so, or those
/// whose names begin so. A beginning that GNU parallel knows stays its own, whatever
/// parsim adds; a name that is two options is the one of `scope`.
pub(super) fn long(name: &str, scope: Scope) -> Vec<&'static OptionRow> {
    let called = || rows().filter(|row| row.is_called(name));
    if let Some(row) = called().find(|row| row.scope.has(scope)).or_else(|| called().next()) {
        return vec![row];
    }
    let begun = || rows().filter(|row| !name.is_empty() && row.may_be(name));
    let theirs: Vec<_> = begun().filter(|row| row.is_gnu && row.scope.has(scope)).collect();
    if theirs.is_empty() { begun().filter(|row| !row.is_gnu).collect() } else { theirs }
}

/// The option `-x`.
pub(super) fn short(letter: char) -> Option<&'static OptionRow> {
    rows().find(|row| row.names.iter().any(|name| name.chars().eq([letter])))
}
