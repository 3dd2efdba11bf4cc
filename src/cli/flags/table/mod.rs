//! All options, section by section as help shows them. A new one is a row in its
//! section.

mod foreign;
mod inputs;
mod measuring;
mod output;
mod running;

pub(super) use self::inputs::{BLOCKS, INPUTS, PACKING, REPLACEMENTS, file};
pub(super) use self::measuring::{GATES, MEASURING, PICTURES};
pub(super) use self::output::{OUTPUT, PROGRESS, RECORDS};
pub(super) use self::running::RUNNING;
use super::row::{OptionRow, OptionSection};
use super::typed::Scope;

/// All sections.
static SECTIONS: [&OptionSection; 13] = [
    &INPUTS,
    &PACKING,
    &REPLACEMENTS,
    &BLOCKS,
    &RUNNING,
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

/// Which option a name stands for.
pub(super) enum FoundOption {
    One(&'static OptionRow),
    Many(Vec<&'static OptionRow>),
    None,
}

/// The option of a batch that is called `name`, or the only one whose name begins so.
/// A beginning that GNU parallel knows stays its own, whatever parsim adds; a name
/// that is two options is the one of `scope`.
pub(super) fn long(name: &str, scope: Scope) -> FoundOption {
    let called = || rows().filter(|row| row.is_called(name));
    if let Some(row) = called().find(|row| row.scope.has(scope)).or_else(|| called().next()) {
        return FoundOption::One(row);
    }
    let among = |is_meant: &dyn Fn(&OptionRow) -> bool| {
        let mut rows: Vec<&OptionRow> = rows().filter(|row| is_meant(row) && row.may_be(name)).collect();
        match rows.len() {
            0 => FoundOption::None,
            1 => rows.pop().map_or(FoundOption::None, FoundOption::One),
            _ => FoundOption::Many(rows),
        }
    };
    match (!name.is_empty()).then(|| among(&|row| row.is_gnu && row.scope.has(scope))) {
        None => FoundOption::None,
        Some(FoundOption::None) => among(&|row| !row.is_gnu),
        Some(found) => found,
    }
}

/// The option `-x`.
pub(super) fn short(letter: char) -> Option<&'static OptionRow> {
    let mut name = [0; 4];
    let name: &str = letter.encode_utf8(&mut name);
    rows().find(|row| row.names.contains(&name))
}
