//! Pictures for a terminal: bars, lanes, a sparkline and a sweep, as text of a
//! given width, each a pure function of a study.
//!
//! Shapes and letters carry everything: they read the same without colours. What
//! the terminal is, `cli::term` knows.

mod lanes;
mod sweep;
#[cfg(test)]
mod tests;

use super::document::Chart;
use crate::format;
use crate::study::{ColumnResult, Study};
use crate::style::Styles;

/// How the text looks.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// The colours.
    pub styles: Styles,
    /// Whether lines may be drawn with Unicode.
    pub unicode: bool,
    /// How many columns there are to draw in.
    pub width: usize,
    /// Whether there are pictures beside the table.
    pub pictures: Pictures,
}

/// Whether there are pictures beside the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pictures {
    /// Text alone.
    Hidden,
    /// Bars, lanes and sweeps.
    Drawn,
}

impl Look {
    /// Without colours or pictures, 80 columns wide.
    #[must_use]
    pub const fn plain() -> Self {
        Self { styles: Styles::plain(), unicode: true, width: 80, pictures: Pictures::Hidden }
    }
}

/// The lines of `chart`; none where there is no such picture for a terminal, or
/// nothing to draw.
pub(super) fn picture(chart: &Chart<'_>, look: Look) -> Vec<String> {
    match chart {
        Chart::SpeedUp(study) => sweep::draw(study, look),
        Chart::Ways(study) => ways(study, look),
        Chart::Slots(study) => lanes::draw(study, look),
        Chart::BeforeAfter(columns) => before_after(columns, look),
        // The lanes have it below them.
        Chart::CpuUse(_) => Vec::new(),
        Chart::TaskTimes(_) => Vec::new(),
    }
}

/// Bars of the median wall times; nothing of one way alone, nor of a sweep, which
/// has a picture of its own.
fn ways(study: &Study, look: Look) -> Vec<String> {
    let columns: Vec<&ColumnResult> = study.columns.iter().filter(|column| !column.runs.is_empty()).collect();
    if columns.len() < 2 || study.parallel().any(|column| study.is_swept(column.way())) {
        return Vec::new();
    }
    let named: Vec<(String, f64)> =
        columns.iter().map(|column| (study.called(column.way()).to_owned(), column.wall())).collect();
    bars(&named, look)
}

/// The medians of all columns on one axis, two bars each.
fn before_after(columns: &[(String, &ColumnResult, &ColumnResult)], look: Look) -> Vec<String> {
    let named: Vec<(String, f64)> = columns
        .iter()
        .flat_map(|(name, before, after)| {
            [(format!("{name} before"), before.wall()), ("after".to_owned(), after.wall())]
        })
        .collect();
    bars(&named, look)
}

/// A bar for each name and its seconds; nothing where all are 0.
fn bars(named: &[(String, f64)], look: Look) -> Vec<String> {
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

/// The characters that pictures are made of.
#[derive(Clone, Copy, Debug)]
struct Glyphs {
    /// From empty to full, for heights and for the end of a bar.
    heights: &'static [char],
    /// Parts of a cell, from the left: the last is the whole.
    parts: &'static [char],
    /// A task, and the one after it in its lane.
    tasks: [char; 2],
    /// Several tasks in one cell.
    several: char,
    /// A task that failed.
    failed: char,
    /// No task.
    idle: char,
    /// The line up to a measured value.
    line: char,
    /// A measured value.
    measured: char,
    /// The ideal.
    ideal: char,
}

impl Glyphs {
    /// Block elements and lines of Unicode, or plain ASCII.
    const fn of(unicode: bool) -> Self {
        if unicode { Self::UNICODE } else { Self::ASCII }
    }

    const UNICODE: Self = Self {
        heights: &['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'],
        parts: &['▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'],
        tasks: ['█', '▒'],
        several: '▓',
        failed: 'x',
        idle: '·',
        line: '━',
        measured: '●',
        ideal: '┊',
    };

    const ASCII: Self = Self {
        heights: &['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'],
        parts: &['#'],
        tasks: ['#', '='],
        several: '%',
        failed: 'x',
        idle: '.',
        line: '-',
        measured: 'o',
        ideal: ':',
    };

    /// A bar of `length` cells, of which parts are allowed; something of what is
    /// above nothing can be seen.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a float cast saturates")]
    fn bar(&self, length: f64) -> String {
        let steps = self.parts.len();
        let least = usize::from(length > 0.0);
        let filled = ((length.max(0.0) * steps as f64).round() as usize).max(least);
        let mut bar: String = std::iter::repeat_n(self.parts[steps - 1], filled / steps).collect();
        if !filled.is_multiple_of(steps) {
            bar.push(self.parts[filled % steps - 1]);
        }
        bar
    }

    /// How high `share` of the whole is.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a float cast saturates")]
    fn height(&self, share: f64) -> char {
        let top = self.heights.len() - 1;
        let height = (share.clamp(0.0, 1.0) * self.heights.len() as f64) as usize;
        self.heights[height.min(top)]
    }
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
