//! That no two outputs of a run go to one place.
//!
//! Does not know what is written there.

use std::path::Path;

use super::exit::{Fault, refuse};
use super::flags::Export;
use crate::whole_file::FileId;

/// Where something is to go, and the option that says so, without its hyphens.
pub(super) type NamedPlace<'a> = (&'a str, &'a Path);

/// The places of `exports`.
pub(super) fn of_exports(exports: &[Export]) -> impl Iterator<Item = NamedPlace<'_>> {
    exports.iter().map(|Export { row, path }| (row.option, path.as_path()))
}

/// Refuses two outputs to one place: the later one would take the other's, or
/// follow it.
pub(super) fn check_apart<'a>(places: impl IntoIterator<Item = NamedPlace<'a>>) -> Result<(), Fault> {
    let mut known: Vec<(&str, FileId)> = Vec::new();
    for (option, path) in places {
        let Some(id) = FileId::of(path) else { continue };
        if let Some((other, _)) = known.iter().find(|(_, known)| *known == id) {
            let place = if id == FileId::Stdout { "stdout".to_owned() } else { path.display().to_string() };
            return refuse(format!("--{other} and --{option} both go to {place}: name a file for each"));
        }
        known.push((option, id));
    }
    Ok(())
}
