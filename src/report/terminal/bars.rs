//! The ways on one axis of time, a bar each.

use super::Look;
use super::glyphs::Glyphs;
use crate::format;
use crate::study::{ColumnResult, Study};

/// Bars of the median wall times; nothing of one way alone, nor of a sweep, which
/// has a picture of its own.
pub(super) fn draw(study: &Study, look: Look) -> Vec<String> {
    let columns: Vec<&ColumnResult> = study.columns.iter().filter(|column| !column.runs.is_empty()).collect();
    if columns.len() < 2 || columns.iter().any(|column| study.is_swept(column.way())) {
        return Vec::new();
    }
    let named: Vec<(String, f64)> =
        columns.iter().map(|column| (study.called(column.way()).to_owned(), column.wall())).collect();
    drawn(&named, look)
}

/// A bar for each name and its seconds; nothing where all are 0.
pub(super) fn drawn(named: &[(String, f64)], look: Look) -> Vec<String> {
    let longest = named.iter().map(|(_, seconds)| *seconds).fold(0.0, f64::max);
    if longest <= 0.0 {
        return Vec::new();
    }
    let glyphs = Glyphs::of(look.unicode);
    let told: Vec<String> = named.iter().map(|(_, seconds)| format::seconds(*seconds)).collect();
    let label = named.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0) + 1;
    let room = look.width.saturating_sub(label + 1 + told.iter().map(String::len).max().unwrap_or(0));
    let bar = |((name, seconds), told): (&(String, f64), &String)| {
        let bar = glyphs.bar(seconds / longest * room as f64);
        format!("{name:label$}{bar} {told}")
    };
    named.iter().zip(&told).map(bar).collect()
}
