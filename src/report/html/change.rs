//! The page of two studies: what changed, and how much the runs differ among
//! themselves.

use std::io::Write;

use maud::{Markup, html};

use super::tiles::{self, Tile};
use super::{drawn, page, place, seconds, wide_picture};
use crate::format;
use crate::report::change::{Pair, Side, Trend, trend};
use crate::report::svg::{Anchor, Axis, Svg, Unit};
use crate::report::text;
use crate::study::{Change, ColumnResult};

const WIDTH: f64 = 1040.0;
const LEFT: f64 = 124.0;
const RIGHT: f64 = WIDTH - 14.0;
const TOP: f64 = 26.0;

/// Room for a bar and its dots.
const PITCH: f64 = 20.0;

/// What is between two columns.
const APART: f64 = 12.0;

/// Of so many columns there is a tile each.
const MOST_TILES: usize = 3;

pub(in crate::report) fn render(pair: &Pair<'_>, out: &mut dyn Write) -> anyhow::Result<()> {
    let title = format::printable(&format!("{}: before and after", pair.after.study.workload));
    let verdicts = pair.verdicts();
    let body = html! {
        header {
            h1 { (title) }
            @for (when, side) in pair.sides() { (about(when, side)) }
        }
        (tiles::drawn(tiles_of(pair)))
        div.sentence {
            @for (trend, verdict) in &verdicts {
                div.bad[matches!(trend, Trend::Slower | Trend::Unclaimed)] { (verdict) }
            }
        }
        @if !pair.changes.columns.is_empty() {
            (runs(pair))
            section { h2 { "Side by side" } div.wide tabindex="0" { (drawn(&pair.table())) } }
        }
        @let notes = pair.notes();
        @if !notes.is_empty() {
            h2 { "Notes" }
            ul { @for note in notes { li { (note) } } }
        }
        footer {
            "Drawn by parsim " (env!("CARGO_PKG_VERSION")) ". This page loads nothing and runs no script. "
            code { "parsim report BEFORE.json AFTER.json" } " draws it again in other formats, and "
            code { "--fail-if-slower PCT" } " makes an exit status of it."
        }
    };
    Ok(out.write_all(page(&title, &body).as_bytes())?)
}

fn about(when: &str, side: Side<'_>) -> Markup {
    let (moment, place) = (format::moment(side.study.started), place(side.study));
    html! {
        p { b { (when) } " " (format::printable(side.name)) " · " (moment) " · " (place) }
        p { code { (text::command_line(side.study)) } }
    }
}

fn tiles_of(pair: &Pair<'_>) -> Vec<Tile> {
    // Of many columns the first and the widest.
    let columns = &pair.changes.columns;
    let left_out = 1..columns.len().saturating_sub(MOST_TILES - 1).max(1);
    let shown = columns.iter().enumerate().filter(|(at, _)| !left_out.contains(at));
    let mut tiles: Vec<Tile> = shown.map(|(_, change)| tile(pair, change)).collect();
    if let Some((same, of)) = pair.changes.results {
        let figure = format!("{} of {}", format::count(same), format::count(of));
        tiles.push(Tile { figure, about: "results the same as before".to_owned(), is_bad: same < of });
    }
    tiles
}

fn tile(pair: &Pair<'_>, change: &Change<'_>) -> Tile {
    let trend = trend(change);
    let figure = match trend {
        Trend::Slower | Trend::Faster | Trend::Untested => format::fine_change(change.ratio()),
        Trend::Same => "no difference".to_owned(),
        Trend::Unclaimed => "–".to_owned(),
    };
    let told = match trend {
        Trend::Slower | Trend::Faster => "",
        Trend::Same => " that can be measured",
        Trend::Untested => " (no test)",
        Trend::Unclaimed => ": not compared",
    };
    let about = format!("{}: wall time against before{told}", pair.head(change));
    Tile { figure, about, is_bad: matches!(trend, Trend::Slower | Trend::Unclaimed) }
}

/// Every run as a dot on the bar of its median: whether dots of before and after
/// keep apart is what the verdict rests on.
fn runs(pair: &Pair<'_>) -> Markup {
    let columns = &pair.changes.columns;
    let sides = || columns.iter().flat_map(|change| [change.before, change.after]);
    let walls = sides().flat_map(|column| column.runs.iter().map(|run| run.wall.as_secs_f64()));
    let longest = walls.fold(0.0, f64::max);
    if longest <= 0.0 {
        return html! {};
    }
    let unit = Unit::of(longest);
    let x = Axis::rounded(LEFT, RIGHT, unit.scaled(longest), 6.0);
    let bottom = TOP + columns.len() as f64 * (2.0 * PITCH + APART) - APART / 2.0;
    let mut svg = Svg::new(WIDTH, bottom + 36.0, "the wall time of every run, before and after");
    x.draw_below(&mut svg, TOP, bottom, &format!("wall time, {}", unit.name));
    for (at, change) in columns.iter().enumerate() {
        let top = TOP + at as f64 * (2.0 * PITCH + APART);
        svg.text("tick", (LEFT - 8.0, top + PITCH + 4.0), Anchor::End, &pair.head(change));
        for (row, class, column) in [(0.0, "serial", change.before), (1.0, "parallel", change.after)] {
            strip(&mut svg, x, unit, top + row * PITCH, class, column);
        }
    }
    svg.legend(13.0, &[("serial", "before".to_owned()), ("parallel", "after".to_owned())]);
    let about = "A bar is the median of the runs, a dot one run.";
    wide_picture("Every run, before and after", about, svg.finish())
}

fn strip(svg: &mut Svg, x: Axis, unit: Unit, top: f64, class: &str, column: &ColumnResult) {
    let (height, middle) = (PITCH - 4.0, top + PITCH / 2.0);
    let median = x.at(unit.scaled(column.wall()));
    let title = format!("median {} of {}", seconds(column.wall()), runs_of(column));
    svg.rect_with_title(class, [LEFT, top + 2.0, median - LEFT, height], &title);
    for (number, run) in (1..).zip(&column.runs) {
        let wall = run.wall.as_secs_f64();
        let title = format!("run {number}: {}", seconds(wall));
        svg.dot("run", (x.at(unit.scaled(wall)), middle), 3.5, &title);
    }
}

fn runs_of(column: &ColumnResult) -> String {
    format::plural(column.runs.len() as u64, "run")
}
