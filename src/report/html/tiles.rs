//! The four figures that are read first.

use maud::{Markup, html};

use super::{View, seconds};
use crate::numbers;
use crate::report::svg::Unit;
use crate::study::{Comparison, Study, Verdict};
use crate::text::printable;

/// A figure of more characters is set smaller, so that it stays in its tile.
const LONGEST_FIGURE: usize = 13;

/// Less than this of a unit is told in the next smaller one.
const LEAST_OF_A_UNIT: f64 = 0.1;

pub(super) struct Tile {
    pub(super) figure: String,
    pub(super) about: String,
    pub(super) is_bad: bool,
}

impl Tile {
    fn new(figure: String, about: impl Into<String>) -> Self {
        Self { figure, about: about.into(), is_bad: false }
    }
}

pub(super) fn draw(view: &View<'_>) -> Markup {
    let compared = view.parallel.and_then(|shown| Comparison::of(view.study, shown.column));
    let tiles = match (view.parallel, compared) {
        (Some(parallel), Some(comparison)) => {
            let slots = numbers::plural(parallel.column.width as u64, "slot");
            let mut tiles = vec![speedup(&comparison)];
            if !matches!(comparison.verdict, Verdict::Unclaimed(_)) {
                tiles.push(Tile::new(
                    numbers::percent(comparison.efficiency),
                    format!("efficiency: speed-up over {slots}"),
                ));
            }
            tiles
        }
        _ => alone(view),
    };
    drawn(tiles.into_iter().chain([wall(view), outcome(view.study)]))
}

/// Tiles side by side.
pub(super) fn drawn(tiles: impl IntoIterator<Item = Tile>) -> Markup {
    html! {
        div.tiles {
            @for tile in tiles {
                div.tile.bad[tile.is_bad] {
                    b.long[tile.figure.chars().count() > LONGEST_FIGURE] { (tile.figure) }
                    span { (tile.about) }
                }
            }
        }
    }
}

fn speedup(comparison: &Comparison) -> Tile {
    let range = |low, high| format!("{}-{}", numbers::three_digits(low), numbers::three_digits(high));
    let about = match &comparison.verdict {
        Verdict::Untested { runs } => {
            format!("speed-up over serial ({}, no test)", numbers::plural(*runs as u64, "run"))
        }
        Verdict::Different(it) => {
            format!("speed-up over serial ({} with 95 % confidence)", range(it.low, it.high))
        }
        Verdict::NoDifference(it) => format!("no measurable difference ({})", range(it.low, it.high)),
        Verdict::Unclaimed(why) => {
            let about = format!("no speed-up is claimed: {}", printable(why));
            return Tile { figure: "–".to_owned(), about, is_bad: true };
        }
    };
    Tile::new(numbers::factor(comparison.speedup), about)
}

/// What one way alone is judged by.
fn alone(view: &View<'_>) -> Vec<Tile> {
    let Some(shown) = view.main() else { return Vec::new() };
    let wall = shown.column.wall();
    let over = |amount: f64| if wall > 0.0 { amount / wall } else { 0.0 };
    let rate = over(shown.column.median(|run| run.tasks as f64));
    vec![
        Tile::new(numbers::percent(over(shown.column.cpu())), "CPU use, where 100 % is one core"),
        Tile::new(numbers::three_digits(rate), format!("{}s per second", printable(&view.study.unit))),
    ]
}

fn wall(view: &View<'_>) -> Tile {
    match (view.serial, view.parallel) {
        (Some(serial), Some(parallel)) => {
            let [one, other] = [serial, parallel].map(|shown| shown.column.wall());
            Tile::new(both(one, other), format!("wall time, serial → {}", parallel.name))
        }
        _ => Tile::new(
            view.main().map_or_else(String::new, |shown| seconds(shown.column.wall())),
            view.main().map_or_else(String::new, |shown| format!("wall time, {}", shown.name)),
        ),
    }
}

/// Two times on one line, three digits each: in one unit where both can be read in
/// it.
fn both(one: f64, other: f64) -> String {
    let unit = Unit::of(one.max(other));
    let smaller = unit.scaled(one.min(other));
    let shown = |time: f64, unit: Unit| numbers::three_digits(unit.scaled(time));
    if smaller >= LEAST_OF_A_UNIT {
        return format!("{} → {} {}", shown(one, unit), shown(other, unit), unit.name);
    }
    let [one, other] = [one, other].map(|time| (shown(time, Unit::of(time)), Unit::of(time).name));
    format!("{} {} → {} {}", one.0, one.1, other.0, other.1)
}

/// What came out right.
fn outcome(study: &Study) -> Tile {
    let failed = study.n_failed() as u64;
    let failures = if failed > 0 { format!(", {} failed", numbers::count(failed)) } else { String::new() };
    if let Some(agreement) = &study.agreement {
        let unit = printable(&agreement.unit);
        return Tile {
            figure: format!("{} of {}", numbers::count(agreement.identical), numbers::count(agreement.items)),
            about: format!("{unit}s identical{failures}"),
            is_bad: !agreement.holds() || failed > 0,
        };
    }
    let tasks = study.columns.iter().flat_map(|column| &column.runs).map(|run| run.tasks).max().unwrap_or(0);
    Tile {
        figure: format!("{} of {}", numbers::count(tasks.saturating_sub(failed)), numbers::count(tasks)),
        about: format!("tasks succeeded{failures}"),
        is_bad: failed > 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_times_share_a_unit_where_both_can_be_read_in_it() {
        assert_eq!(both(6.48, 1.254), "6.48 → 1.25 s");
        assert_eq!(both(1.614, 0.401), "1.61 → 0.40 s");
        assert_eq!(both(0.0935, 1.25), "93.5 ms → 1.25 s");
        assert_eq!(both(0.543, 0.571), "543 → 571 ms");
    }
}
