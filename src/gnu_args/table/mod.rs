//! All options, by topic. A new one is a row in its topic's file.

mod foreign;
pub(super) mod inputs;
mod output;
mod own;
mod running;

use super::option::Row;

/// Every option; those of GNU parallel come first.
pub(super) fn rows() -> impl Iterator<Item = &'static Row> {
    gnu().chain(own::ROWS)
}

/// The options of GNU parallel.
fn gnu() -> impl Iterator<Item = &'static Row> {
    [inputs::ROWS, running::ROWS, output::ROWS, foreign::ROWS].into_iter().flatten()
}

/// Which option a name stands for.
pub(super) enum Found {
    One(&'static Row),
    Many(Vec<&'static Row>),
    None,
}

/// The option called `name`, or the only one whose name begins so. A beginning
/// that GNU parallel knows stays its own, whatever parsim adds.
pub(super) fn long(name: &str) -> Found {
    if let Some(row) = rows().find(|row| row.is_called(name)) {
        return Found::One(row);
    }
    match (!name.is_empty()).then(|| among(gnu(), name)) {
        None => Found::None,
        Some(Found::None) => among(own::ROWS.iter(), name),
        Some(found) => found,
    }
}

/// The option `-x`.
pub(super) fn short(letter: char) -> Option<&'static Row> {
    let mut name = [0; 4];
    let name: &str = letter.encode_utf8(&mut name);
    rows().find(|row| row.names.contains(&name))
}

fn among(rows: impl Iterator<Item = &'static Row>, prefix: &str) -> Found {
    let mut rows: Vec<&Row> = rows.filter(|row| row.may_be(prefix)).collect();
    match rows.len() {
        0 => Found::None,
        1 => rows.pop().map_or(Found::None, Found::One),
        _ => Found::Many(rows),
    }
}
