//! The ways on one axis of time, a bar each.

use std::time::Duration;

use super::Look;
use super::glyphs::Glyphs;
use crate::format;
use crate::study::{Column, Study};

/// With more columns it is a sweep, which has a picture of its own.
const MOST: usize = 2;

/// What stands before a bar.
const LABEL: usize = 9;

/// Two bars of the median wall times; nothing of one way alone.
pub(super) fn draw(study: &Study, look: Look) -> Vec<String> {
    let columns: Vec<&Column> = study.columns.iter().filter(|column| !column.runs.is_empty()).collect();
    let longest = columns.iter().map(|column| column.wall()).fold(0.0, f64::max);
    if columns.len() != MOST || longest <= 0.0 {
        return Vec::new();
    }
    let glyphs = Glyphs::of(look.unicode);
    let told: Vec<String> =
        columns.iter().map(|column| format::duration(Duration::from_secs_f64(column.wall()))).collect();
    let room = look.width.saturating_sub(LABEL + 1 + told.iter().map(String::len).max().unwrap_or(0));
    let bar = |(column, told): (&&Column, &String)| {
        let bar = glyphs.bar(column.wall() / longest * room as f64);
        format!("{:LABEL$}{bar} {told}", column.way)
    };
    columns.iter().zip(&told).map(bar).collect()
}
