//! All options, section by section as help shows them. A new one is a row in its
//! section.

mod foreign;
mod inputs;
mod measuring;
mod output;
mod running;

use std::sync::LazyLock;

pub(super) use self::inputs::{BLOCKS, INPUTS, PACKING, REPLACEMENTS, file};
pub(super) use self::measuring::{GATES, MEASURING, PICTURES};
pub(super) use self::output::{OUTPUT, PROGRESS, RECORDS};
pub(super) use self::running::RUNNING;
use super::row::{Does, OptionRow, Scope, own};
use crate::report;

/// Options of one kind.
pub(super) struct Section {
    /// The heading.
    pub(super) title: &'static str,
    /// The same in the help of one screen.
    pub(super) brief: &'static str,
    /// What stands before the options there.
    pub(super) sample: &'static str,
    /// What stands below the heading.
    pub(super) intro: &'static str,
    rows: &'static [OptionRow],
    /// Whether an option for each format of reports follows.
    has_exports: bool,
}

/// A section that stands for itself.
pub(super) const fn section(title: &'static str, rows: &'static [OptionRow]) -> Section {
    Section { title, brief: title, sample: "", intro: "", rows, has_exports: false }
}

impl Section {
    /// The heading without what stands in brackets: where to read on.
    pub(super) fn heading(&self) -> &'static str {
        self.title.split_once(" (").map_or(self.title, |(heading, _)| heading)
    }

    /// Its options.
    pub(super) fn rows(&self) -> impl Iterator<Item = &'static OptionRow> + use<> {
        let exports: &[OptionRow] = if self.has_exports { &EXPORTS } else { &[] };
        self.rows.iter().chain(exports)
    }
}

/// One option for each format of reports.
static EXPORTS: LazyLock<Vec<OptionRow>> = LazyLock::new(|| {
    let rows = report::ROWS.iter().enumerate().map(|(at, row)| {
        let option = own(std::slice::from_ref(&row.option), "FILE", "", Does::Export(row));
        let option = option.of(Scope::BATCH.and(Scope::WORKLOAD).and(Scope::REPORT));
        if at == 0 { option.brief() } else { option }
    });
    rows.collect()
});

/// All sections.
static SECTIONS: [&Section; 13] = [
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
pub(in crate::cli) fn rows() -> impl Iterator<Item = &'static OptionRow> {
    SECTIONS.iter().flat_map(|section| section.rows())
}

/// Which option a name stands for.
pub(super) enum Found {
    One(&'static OptionRow),
    Many(Vec<&'static OptionRow>),
    None,
}

/// The option of a batch that is called `name`, or the only one whose name begins so.
/// A beginning that GNU parallel knows stays its own, whatever parsim adds; a name
/// that is two options is the one of `scope`.
pub(super) fn long(name: &str, scope: Scope) -> Found {
    let called = || rows().filter(|row| row.is_called(name));
    if let Some(row) = called().find(|row| row.scope.has(scope)).or_else(|| called().next()) {
        return Found::One(row);
    }
    let among = |is_meant: &dyn Fn(&OptionRow) -> bool| {
        let mut rows: Vec<&OptionRow> = rows().filter(|row| is_meant(row) && row.may_be(name)).collect();
        match rows.len() {
            0 => Found::None,
            1 => rows.pop().map_or(Found::None, Found::One),
            _ => Found::Many(rows),
        }
    };
    match (!name.is_empty()).then(|| among(&|row| row.is_gnu && row.scope.has(scope))) {
        None => Found::None,
        Some(Found::None) => among(&|row| !row.is_gnu),
        Some(found) => found,
    }
}

/// The option `-x`.
pub(super) fn short(letter: char) -> Option<&'static OptionRow> {
    let mut name = [0; 4];
    let name: &str = letter.encode_utf8(&mut name);
    rows().find(|row| row.names.contains(&name))
}
