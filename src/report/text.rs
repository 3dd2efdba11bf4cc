//! A report for a terminal or a log.

use std::ops::Range;

use anstyle::Style;
use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, LineStyle, TableStyle};

use super::change::StudyPair;
use super::document::{Audience, Cells, Content, Document, Grid, GridRow, Sentence, Tone};
use super::{Look, Pictures, overview, terminal};
use crate::study::Study;
use crate::style::{Styles, paint};
use crate::text::wrapped;

/// What stands between two columns of text, the padding included.
const GAP: usize = 3;

/// Draws `study` without colours; ends with a newline.
#[must_use]
pub fn plain(study: &Study) -> String {
    render(study, Look::plain())
}

/// Draws `study`; ends with a newline.
#[must_use]
pub fn render(study: &Study, look: Look) -> String {
    drawn(&overview::document(study), look)
}

/// Draws what changed between two studies; ends with a newline.
#[must_use]
pub fn render_change(pair: &StudyPair<'_>, look: Look) -> String {
    drawn(&pair.document(), look)
}

/// Lines that belong to one that was too long begin with so many blanks.
const HANGING: usize = 2;

/// Lines, with an empty one around what is no line.
struct Page {
    look: Look,
    lines: Vec<String>,
    /// Whether what comes next is to stand apart.
    is_apart: bool,
}

impl Page {
    fn add(&mut self, lines: impl IntoIterator<Item = String>) {
        for line in lines {
            if std::mem::take(&mut self.is_apart) && !self.lines.is_empty() {
                self.lines.push(String::new());
            }
            self.lines.push(line);
        }
    }

    /// The same with words, which are broken where the terminal is too narrow for them.
    fn say(&mut self, lines: impl IntoIterator<Item = String>) {
        let Look { wraps, width, .. } = self.look;
        self.add(lines.into_iter().map(|line| if wraps { wrapped(&line, width, HANGING) } else { line }));
    }
}

fn drawn(document: &Document<'_>, look: Look) -> String {
    let mut page = Page { look, lines: Vec::new(), is_apart: false };
    page.say(title(document, look.styles));
    page.is_apart = true;
    let sections = document.sections.iter().filter(|section| section.audience != Audience::Pages);
    for content in sections.flat_map(|section| &section.content) {
        match content {
            Content::Table(grid) => {
                page.is_apart = true;
                if !grid.rows.is_empty() {
                    page.add(split(grid, look.width).iter().map(|grid| table(grid, look)));
                }
                page.say(Some(&grid.caption).filter(|caption| !caption.is_empty()).cloned());
            }
            Content::Lines(lines) => page.say(lines.iter().map(|line| sentence(line, look.styles))),
            Content::Notes(notes) => page.say(notes.iter().map(|note| format!("note: {note}"))),
            Content::Chart(chart) if look.pictures == Pictures::Drawn => {
                let picture = terminal::picture(chart, look);
                let is_drawn = !picture.is_empty();
                page.is_apart |= is_drawn;
                page.add(picture);
                page.is_apart |= is_drawn;
            }
            Content::Chart(_) => {}
        }
    }
    page.say(document.conclusion.iter().map(|line| sentence(line, look.styles)));
    page.say(document.hint.iter().map(|hint| paint(look.styles.faint, hint)));
    let mut text = page.lines.join("\n");
    text.push('\n');
    text
}

fn title(document: &Document<'_>, styles: Styles) -> Vec<String> {
    match &document.subjects[..] {
        [only] if only.about.is_empty() => Vec::new(),
        [only] => vec![format!("{}   {}", paint(styles.strong, &only.command), only.about)],
        several => several
            .iter()
            .flat_map(|it| {
                let command = paint(styles.strong, &it.command);
                [
                    format!("{:7} {}, {}: {}", it.when, it.name, it.moment, it.about),
                    format!("{:7} {command}", ""),
                ]
            })
            .collect(),
    }
}

fn sentence(Sentence { lead, text, tone }: &Sentence, styles: Styles) -> String {
    format!("{lead}{}", paint(style(*tone, styles), text))
}

fn style(tone: Tone, styles: Styles) -> Style {
    match tone {
        Tone::Plain => Style::new(),
        Tone::Good => styles.good,
        Tone::Bad => styles.bad,
    }
}

/// The cells with a rule under their heads and one at the end.
fn table(grid: &Grid, look: Look) -> String {
    let rule = if look.unicode { '─' } else { '-' };
    let line = LineStyle::none().fill(rule).junction(rule);
    let borders: TableStyle = NOTHING.header_separator(line).bottom_border(line);
    let mut table = comfy_table::Table::new();
    table.load_style(borders);
    table.set_header(grid.columns.iter().map(|(_, head)| head));
    for GridRow { cells, tone } in &grid.rows {
        table.add_row(grid.columns.iter().zip(cells).map(|((kind, _), cell)| match kind {
            Cells::Verdicts => paint(style(*tone, look.styles), cell),
            _ => cell.clone(),
        }));
    }
    for (column, (cells, _)) in table.column_iter_mut().zip(&grid.columns) {
        if *cells == Cells::Figures {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.trim_fmt()
}

/// The same rows in as many tables side by side as it takes for none to be wider
/// than `width`, each with the labels; one column at least is in each.
fn split(grid: &Grid, width: usize) -> Vec<Grid> {
    if !grid.has_labels() {
        return vec![grid.clone()];
    }
    let length = |column: usize| {
        let cells = grid.rows.iter().filter_map(|row| row.cells.get(column));
        let lengths = cells.chain([&grid.columns[column].1]).map(|text| text.chars().count());
        lengths.max().unwrap_or(0) + GAP
    };
    let mut ranges: Vec<Range<usize>> = Vec::new();
    let mut room = 0;
    for column in 1..grid.columns.len() {
        let needed = length(column);
        match ranges.last_mut() {
            Some(range) if needed <= room => range.end = column + 1,
            _ => {
                ranges.push(column..column + 1);
                room = width.saturating_sub(length(0));
            }
        }
        room = room.saturating_sub(needed);
    }
    if ranges.len() <= 1 {
        return vec![grid.clone()];
    }
    let cut = |range: Range<usize>| {
        let row = |row: &GridRow| GridRow {
            cells: [&row.cells[..1], &row.cells[range.clone()]].concat(),
            tone: row.tone,
        };
        let columns = [&grid.columns[..1], &grid.columns[range.clone()]].concat();
        Grid { columns, rows: grid.rows.iter().map(row).collect(), caption: String::new() }
    };
    ranges.into_iter().map(cut).collect()
}
