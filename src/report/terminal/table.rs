//! Tables as text: cells in columns under their heads, as many tables one below the other
//! as it takes for none to be wider than there is room, with long words of theirs on
//! several lines.

use std::ops::Range;

use unicode_width::UnicodeWidthStr as _;

use super::{Look, style};
use crate::report::document::{Cells, Grid, GridRow, Tone};
use crate::style::paint;
use crate::text::wrapped;

/// What stands between two columns.
const GAP: &str = "   ";

/// What stands at both ends of a row.
const EDGE: usize = 1;

/// Columns of words are made narrower, to no less than this.
const NARROWEST: usize = 16;

/// `grid` as text, one table or several.
pub(in crate::report) fn drawn(grid: &Grid, look: Look) -> Vec<String> {
    split(grid, look).iter().map(|grid| lines(grid, look).join("\n")).collect()
}

/// The cells with a rule under their heads and one at the end.
fn lines(grid: &Grid, look: Look) -> Vec<String> {
    let widths = if look.wraps { narrowed(grid, look.width) } else { natural(grid) };
    let rule = if look.unicode { "─" } else { "-" }.repeat(total(&widths));
    let heads = grid.columns.iter().map(|(_, head)| head.clone()).collect();
    let mut lines = row(grid, &widths, &GridRow { cells: heads, tone: Tone::Plain }, look);
    lines.push(rule.clone());
    lines.extend(grid.rows.iter().flat_map(|it| row(grid, &widths, it, look)));
    lines.push(rule);
    lines
}

/// One row, of as many lines as its longest cell has.
fn row(grid: &Grid, widths: &[usize], GridRow { cells, tone }: &GridRow, look: Look) -> Vec<String> {
    let cells: Vec<Vec<String>> =
        cells.iter().zip(widths).map(|(cell, width)| broken(&shown(cell, look), *width)).collect();
    let n_lines = cells.iter().map(Vec::len).max().unwrap_or(0);
    let line = |number: usize| {
        let mut line = " ".repeat(EDGE);
        for ((column, cell), width) in cells.iter().enumerate().zip(widths) {
            let text = cell.get(number).map_or("", String::as_str);
            let blanks = " ".repeat(width - text.width().min(*width));
            let kind = grid.columns[column].0;
            let is_toned = kind == Cells::Verdicts || grid.has_labels();
            let style = if is_toned { style(*tone, look.styles) } else { anstyle::Style::new() };
            let text = if text.is_empty() { String::new() } else { paint(style, text) };
            line += if column > 0 { GAP } else { "" };
            line += &if kind == Cells::Figures { blanks + &text } else { text + &blanks };
        }
        line.trim_end().to_owned()
    };
    (0..n_lines).map(line).collect()
}

/// A cell in the characters that may be drawn.
fn shown(cell: &str, look: Look) -> String {
    if look.unicode { cell.to_owned() } else { cell.replace('±', "+-") }
}

/// `cell` in lines of at most `width`: between words, and within those that are longer.
fn broken(cell: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for line in wrapped(cell, width, 0).split('\n') {
        let mut piece = String::new();
        for character in line.chars() {
            if piece.width() + character.to_string().width() > width && !piece.is_empty() {
                lines.push(std::mem::take(&mut piece));
            }
            piece.push(character);
        }
        lines.push(piece);
    }
    lines
}

/// How wide each column is by itself.
fn natural(grid: &Grid) -> Vec<usize> {
    let width = |column: usize| {
        let cells = grid.rows.iter().filter_map(|row| row.cells.get(column));
        cells.chain([&grid.columns[column].1]).map(|text| text.width()).max().unwrap_or(0)
    };
    (0..grid.columns.len()).map(width).collect()
}

fn total(widths: &[usize]) -> usize {
    widths.iter().sum::<usize>() + GAP.len() * widths.len().saturating_sub(1) + 2 * EDGE
}

/// The same, with columns of words made narrower, the widest first, until there is room
/// or they are narrow.
fn narrowed(grid: &Grid, room: usize) -> Vec<usize> {
    let mut widths = natural(grid);
    while total(&widths) > room {
        let words = (0..widths.len()).filter(|&column| grid.columns[column].0 != Cells::Figures);
        let Some(widest) = words.max_by_key(|&column| widths[column]).filter(|&it| widths[it] > NARROWEST)
        else {
            break;
        };
        let next =
            (0..widths.len()).filter(|&column| column != widest && grid.columns[column].0 != Cells::Figures);
        // Down to the next one, or by what is missing.
        let next = next.map(|column| widths[column]).max().unwrap_or(0);
        let least = widths[widest].saturating_sub(total(&widths) - room);
        widths[widest] = least.max(next.min(widths[widest] - 1)).max(NARROWEST);
    }
    widths
}

/// The same rows in as many tables as it takes for none to be wider than there is room,
/// each with the first column; one column more at least is in each.
fn split(grid: &Grid, look: Look) -> Vec<Grid> {
    let is_narrow_enough = || look.wraps && total(&narrowed(grid, look.width)) <= look.width;
    if !(grid.has_labels() || look.wraps) || is_narrow_enough() {
        return vec![grid.clone()];
    }
    let mut ranges: Vec<Range<usize>> = Vec::new();
    for column in 1..grid.columns.len() {
        match ranges.last_mut() {
            Some(range) if fits(grid, range.start..column + 1, look) => range.end = column + 1,
            _ => ranges.push(column..column + 1),
        }
    }
    if ranges.len() <= 1 {
        return vec![grid.clone()];
    }
    ranges.into_iter().map(|range| grid.cut(range)).collect()
}

/// Whether the first column and those of `range` have room side by side.
fn fits(grid: &Grid, range: Range<usize>, look: Look) -> bool {
    let cut = grid.cut(range);
    let widths = if look.wraps { narrowed(&cut, look.width) } else { natural(&cut) };
    total(&widths) <= look.width
}
