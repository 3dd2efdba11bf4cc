//! What was typed and cannot be understood, in one line.

use std::error::Error;
use std::fmt;

use super::table;

/// A command line that makes no sense.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageError(String);

impl UsageError {
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// An option that does not exist, with the one that was perhaps meant.
    pub(super) fn unknown(typed: &str) -> Self {
        let name = typed.trim_start_matches('-').to_ascii_lowercase();
        match nearest(&name) {
            Some(known) => Self(format!("unknown option {typed}; perhaps --{known} is meant")),
            None => Self(format!("unknown option {typed}")),
        }
    }
}

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for UsageError {}

/// The option whose name is written most nearly as `name`, if one is near.
fn nearest(name: &str) -> Option<&'static str> {
    let most = match name.len() {
        0..=1 => return None,
        2..=3 => 1,
        4..=8 => 2,
        _ => 3,
    };
    let names = table::rows().filter(|row| !row.is_refused()).flat_map(|row| row.names);
    let long = names.filter(|known| known.len() > 1);
    let near = long.map(|known| (distance(name, known), *known)).filter(|(far, _)| *far <= most);
    near.min_by_key(|(far, _)| *far).map(|(_, known)| known)
}

/// How many letters must be inserted, dropped or changed to make `a` of `b`.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, right) in b.iter().enumerate() {
            let changed = diagonal + usize::from(left != *right);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
