//! Pictures for a terminal: bars, lanes, a sparkline and a sweep, as text of a
//! given width, each a pure function of a study.
//!
//! Shapes and letters carry everything: they read the same without colours. What
//! the terminal is, `cli::term` knows.

mod bars;
mod cells;
mod glyphs;
mod lanes;
mod sweep;

use super::Look;
use crate::study::{ColumnResult, RunResult, Study};

pub use glyphs::Glyphs;

/// Everything there is to draw of `study`: blocks of lines with an empty one
/// before each.
#[must_use]
pub fn pictures(study: &Study, look: Look) -> Vec<String> {
    let blocks = [sweep::draw(study, look), bars::draw(study, look), lanes::draw(study, look)];
    let drawn = blocks.into_iter().filter(|block| !block.is_empty());
    drawn.flat_map(|block| std::iter::once(String::new()).chain(block)).collect()
}

/// A bar for each name and its seconds, all on one axis; nothing where all are 0.
pub(super) fn bars(named: &[(String, f64)], look: Look) -> Vec<String> {
    bars::drawn(named, look)
}

/// The run of `column` whose wall time is nearest to the median.
fn typical(column: &ColumnResult) -> Option<&RunResult> {
    let median = column.wall();
    let off = |run: &RunResult| (run.wall.as_secs_f64() - median).abs();
    column.runs.iter().min_by(|one, other| off(one).total_cmp(&off(other)))
}

/// A step of 1, 2, 2.5 or 5 times a power of ten, so that there are at most
/// `most` of them in `span`.
fn nice_step(span: f64, most: usize) -> f64 {
    let least = span / most.max(1) as f64;
    let power = 10_f64.powf(least.log10().floor());
    let steps = [1.0, 2.0, 2.5, 5.0, 10.0].map(|factor| factor * power);
    steps.into_iter().find(|step| *step >= least * (1.0 - 1e-9)).unwrap_or(10.0 * power)
}

/// A number without the zeros that say nothing: `0.25`, `1`.
fn short(value: f64) -> String {
    let text = format!("{value:.6}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Texts at their places in one line, each centred there; what would run into
/// the one before, or over the end, is left out.
fn labels(width: usize, texts: &[(usize, String)]) -> String {
    let mut line = String::new();
    let mut end = 0;
    for (place, text) in texts {
        let length = text.chars().count();
        let start = place.saturating_sub(length / 2).min(width.saturating_sub(length));
        if start >= end + usize::from(end > 0) && start + length <= width {
            line += &" ".repeat(start - end);
            line += text;
            end = start + length;
        }
    }
    line
}

/// The cell of `width` in which `share` of the whole lies.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a float cast saturates")]
fn place(share: f64, width: usize) -> usize {
    (share.max(0.0) * width as f64).round() as usize
}

#[cfg(test)]
mod tests;
