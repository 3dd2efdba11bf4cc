//! Pictures for a terminal: bars, lanes, a sparkline and a sweep, as text of a
//! given width, each a pure function of a study.
//!
//! Shapes and letters carry everything: they read the same without colours. What
//! the terminal is, `cli::terminal` knows.

mod lanes;
pub(super) mod table;
#[cfg(test)]
mod tests;

use anstyle::Style;

use super::document::{Chart, Tone};
use super::laws;
use super::timeline::{ShownRuns, round_step};
use crate::numbers;
use crate::study::{ColumnResult, Point, Scaling, Study};
use crate::style::Styles;

/// Two marks of a sweep are at least so many cells apart.
const APART: usize = 6;

/// The axis ends at so many times the highest speed-up: ideals far beyond it
/// would make a line of dots of what was measured.
const BEYOND: f64 = 2.0;

/// Bars of fewer cells say nothing: the figures are in the table.
const SHORTEST: usize = 2 * APART;

/// What stands before the bars.
const FIGURES: usize = 44;

/// How the text looks.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// The colours.
    pub styles: Styles,
    /// Whether lines may be drawn with Unicode.
    pub unicode: bool,
    /// How many columns there are to draw in.
    pub width: usize,
    /// Whether lines of words are broken there, too: a program that reads them wants a
    /// sentence on one line.
    pub wraps: bool,
    /// Whether every run has a line of its own.
    pub lists_runs: bool,
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
    pub const fn plain() -> Self {
        Self {
            styles: Styles::plain(),
            unicode: true,
            width: 80,
            wraps: false,
            lists_runs: false,
            pictures: Pictures::Hidden,
        }
    }
}

/// How words and cells of this tone look.
pub(super) fn style(tone: Tone, styles: Styles) -> Style {
    match tone {
        Tone::Plain => Style::new(),
        Tone::Strong => styles.strong,
        Tone::Good => styles.good,
        Tone::Bad => styles.bad,
    }
}

/// The lines of `chart`; none where there is no such picture for a terminal, or
/// nothing to draw.
pub(super) fn picture(chart: &Chart<'_>, look: Look) -> Vec<String> {
    match chart {
        Chart::SpeedUp(study) => sweeps(study, look),
        Chart::Ways(study) => ways(study, look),
        Chart::Slots(study) => lanes::draw(&ShownRuns::of(study), look),
        Chart::BeforeAfter(columns) => before_after(columns, look),
        // The lanes have the CPU use below them, the table the phases; for the other there is no room.
        Chart::CpuUse(_) | Chart::TaskTimes(_) | Chart::Days(_) | Chart::Phases(_) | Chart::Sky(_) => {
            Vec::new()
        }
    }
}

/// Bars of the median wall times; nothing of one way alone, nor of a sweep, which
/// has a picture of its own.
fn ways(study: &Study, look: Look) -> Vec<String> {
    let columns: Vec<&ColumnResult> = study.columns.iter().filter(|column| !column.runs.is_empty()).collect();
    if columns.len() < 2 || study.parallel().any(|column| study.is_swept(column.way())) {
        return Vec::new();
    }
    bars(columns.iter().map(|column| (study.shown_name(column.way()).into_owned(), column.wall())), look)
}

/// The medians of all columns on one axis, two bars each.
fn before_after(columns: &[(String, &ColumnResult, &ColumnResult)], look: Look) -> Vec<String> {
    let named = columns.iter().flat_map(|(name, before, after)| {
        [(format!("{name} before"), before.wall()), ("after".to_owned(), after.wall())]
    });
    bars(named, look)
}

/// A bar for each name and its seconds; nothing where all are 0.
fn bars(named: impl Iterator<Item = (String, f64)>, look: Look) -> Vec<String> {
    let named: Vec<_> = named.map(|(name, wall)| (name, wall, numbers::seconds(wall))).collect();
    let longest = named.iter().map(|(_, wall, _)| *wall).fold(0.0, f64::max);
    if longest <= 0.0 {
        return Vec::new();
    }
    let glyphs = Glyphs::of(look.unicode);
    let label = named.iter().map(|(name, ..)| name.chars().count()).max().unwrap_or(0) + 1;
    let told = named.iter().map(|(.., told)| told.len()).max().unwrap_or(0);
    let room = look.width.saturating_sub(label + 1 + told) as f64;
    let bar = |(name, wall, told)| format!("{name:label$}{} {told}", glyphs.bar(wall / longest * room));
    named.into_iter().map(bar).collect()
}

/// The sweeps of `study`, one for each way; nothing of fewer than two widths.
fn sweeps(study: &Study, look: Look) -> Vec<String> {
    let sweeps: Vec<Scaling> = Scaling::of_each(study).into_iter().filter(Scaling::is_sweep).collect();
    if look.width < FIGURES + SHORTEST {
        return Vec::new();
    }
    let several = sweeps.len() > 1;
    let mut lines = Vec::new();
    for scaling in &sweeps {
        if several {
            lines.push(study.called(&scaling.way).to_owned());
        }
        lines.extend(sweep(study, scaling, look));
    }
    lines
}

fn sweep(study: &Study, scaling: &Scaling, look: Look) -> Vec<String> {
    let glyphs = Glyphs::of(look.unicode);
    let room = look.width.saturating_sub(FIGURES + 1);
    let best = scaling.points.iter().map(|point| point.speedup).fold(0.0, f64::max);
    let widest = scaling.points.last().map_or(1, |point| point.width) as f64;
    let top = widest.max(best).min(BEYOND * best.max(1.0));
    let rule = if look.unicode { '─' } else { '-' };
    let rule: String = std::iter::repeat_n(rule, FIGURES + room + 1).collect();
    // Of more logical cores than physical ones, those beyond share.
    let physical = study.host.physical.filter(|physical| *physical < study.host.usable);
    let head = format!(
        "{:>6}{:>12}{:>10}{:>7}{:>7}  {}",
        "-j",
        "wall",
        "speed-up",
        "eff",
        "share",
        labels(room + 1, &ticks(top, room, APART))
    );
    let mut lines = vec![head, rule.clone()];
    for point in &scaling.points {
        let star = if Some(point.width) == physical { '*' } else { ' ' };
        lines.push(format!("{}{}", figures_of(point, star), bar_of(point, top, room, glyphs)));
    }
    lines.push(rule);
    let over = scaling.base.name();
    let mut legend = format!("{} speed-up over {over}   {} ideal", glyphs.measured, glyphs.ideal);
    if scaling.points.iter().any(|point| Some(point.width) == physical) {
        legend += "   * physical cores";
    }
    lines.push(legend);
    lines
}

fn figures_of(point: &Point, star: char) -> String {
    format!(
        "{:>6}{star}{:>11}{:>10}{:>7}{:>7}  ",
        point.width,
        numbers::seconds(point.wall),
        numbers::factor(point.speedup),
        laws::efficiency(point.speedup, point.width),
        laws::serial_share(point.serial_share, point.width),
    )
}

fn bar_of(point: &Point, top: f64, room: usize, glyphs: Glyphs) -> String {
    let measured = place(point.speedup / top, room);
    let ideal = place(point.width as f64 / top, room);
    let mut cells: Vec<char> = vec![' '; room + 1];
    cells[..measured].fill(glyphs.line);
    if let Some(cell) = cells.get_mut(ideal) {
        *cell = glyphs.ideal;
    }
    cells[measured.min(room)] = glyphs.measured;
    cells.into_iter().collect::<String>().trim_end().to_owned()
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

/// A number without the zeros that say nothing: `0.25`, `1`.
fn short(value: f64) -> String {
    let text = format!("{value:.6}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Round numbers from 0 to `most` at their places in a line of `n_cells`, each at least
/// `apart` cells from the next.
fn ticks(most: f64, n_cells: usize, apart: usize) -> Vec<(usize, String)> {
    let step = round_step(most / (n_cells / apart).max(1) as f64);
    let values = (0..).map(|number| f64::from(number) * step).take_while(|value| *value <= most);
    values.map(|value| (place(value / most, n_cells), short(value))).collect()
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
