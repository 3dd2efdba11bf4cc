//! CPU use over time, and how long single tasks took.

use std::fmt::Write as _;

use maud::Markup;

use super::{Shown, View, class_of, picture, seconds};
use crate::format;
use crate::report::svg::{Anchor, Axis, Svg, Tenth, Unit};
use crate::report::timeline;
use crate::study::median;

const WIDTH: f64 = 500.0;
const HEIGHT: f64 = 190.0;
const LEFT: f64 = 48.0;
const RIGHT: f64 = WIDTH - 16.0;
const TOP: f64 = 30.0;
const BOTTOM: f64 = HEIGHT - 36.0;

/// Steps of the CPU curve, which are about three pixels wide.
const CPU_BINS: usize = 140;

/// Bars of the histogram.
const BARS: usize = 24;

/// A histogram whose longest task is this much beyond nearly all others leaves it out.
const FAR_OUT: f64 = 4.0;

/// CPU use while the main run lasted.
pub(super) fn cpu(view: &View<'_>) -> Option<Markup> {
    let shown = view.main().filter(|shown| !shown.run.records.is_empty() && shown.wall() > 0.0)?;
    let levels = timeline::cpu(&shown.run.records, shown.wall(), CPU_BINS);
    let host = &view.study.host;
    let cores = host.usable.min(shown.column.width).max(1);
    let highest = levels.iter().copied().fold(cores as f64, f64::max);
    let unit = Unit::of(shown.wall());
    let x = Axis::exact(LEFT, RIGHT, unit.scaled(shown.wall()), 5.0);
    let y = Axis::rounded(BOTTOM, TOP, highest * 100.0, 4.0);
    let mut svg = Svg::new(WIDTH, HEIGHT, "CPU use over time");
    y.draw_beside(&mut svg, LEFT, RIGHT, "CPU %");
    x.draw_below(&mut svg, TOP, BOTTOM, &format!("wall time, {}", unit.name));
    let mut area = format!("M{} {}", Tenth(LEFT), Tenth(BOTTOM));
    for (bin, level) in (1..).zip(&levels) {
        let right = LEFT + (RIGHT - LEFT) * f64::from(bin) / CPU_BINS as f64;
        let _ = write!(area, "V{}H{}", Tenth(y.at(level * 100.0)), Tenth(right));
    }
    let _ = write!(area, "V{}z", Tenth(BOTTOM));
    svg.path(class_of(shown.column.way()), &area);
    for (number, name) in [(host.physical, "physical"), (Some(host.usable), "logical")] {
        let Some(number) = number.filter(|number| *number as f64 * 100.0 <= y.most()) else { continue };
        if name == "physical" && number == host.usable {
            continue;
        }
        let height = y.at(number as f64 * 100.0);
        svg.line("mark", (LEFT, height), (RIGHT, height));
        let text = format!("{number} {name} {}", if number == 1 { "core" } else { "cores" });
        svg.text("halo", (RIGHT - 4.0, height - 4.0), Anchor::End, &text);
    }
    let about = "Each task's CPU time, spread evenly over its wall time.";
    Some(picture(&format!("CPU use during the {}", shown.title()), about, svg.finish()))
}

/// How the wall times of tasks are distributed, both ways in one picture.
pub(super) fn histogram(view: &View<'_>) -> Option<Markup> {
    let kept: Vec<Series<'_>> = view.ways().filter(|it| !it.run.records.is_empty()).map(Series::of).collect();
    let longest = kept.iter().filter_map(|series| series.walls.last().copied()).fold(0.0, f64::max);
    if longest <= 0.0 {
        return None;
    }
    let nearly_all = kept.iter().map(|series| series.quantile(0.99)).fold(0.0, f64::max);
    let is_far_out = longest > FAR_OUT * nearly_all && nearly_all > 0.0;
    let most = if is_far_out { nearly_all * 1.2 } else { longest };
    let unit = Unit::of(most);
    let x = Axis::rounded(LEFT, RIGHT, unit.scaled(most), 5.0);
    let counts: Vec<Vec<u32>> = kept.iter().map(|series| series.counts(x.most(), unit)).collect();
    let tallest = counts.iter().flatten().copied().max().unwrap_or(1);
    let y = Axis::counts(BOTTOM, TOP, f64::from(tallest), 4.0);
    let mut svg = Svg::new(WIDTH, HEIGHT, "how long single tasks took");
    y.draw_beside(&mut svg, LEFT, RIGHT, "tasks");
    x.draw_below(&mut svg, TOP, BOTTOM, &format!("wall time of a task, {}", unit.name));
    let bin = (RIGHT - LEFT) / BARS as f64;
    let bar = (bin - 1.0) / kept.len() as f64;
    for (at, (series, counts)) in kept.iter().zip(&counts).enumerate() {
        for (place, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            let top = y.at(f64::from(*count));
            let left = LEFT + bin * place as f64 + bar * at as f64;
            svg.rect(class_of(series.shown.column.way()), left, top, bar, BOTTOM - top);
        }
        let middle = x.at(unit.scaled(series.median()));
        let class = format!("median-{}", class_of(series.shown.column.way()));
        svg.line(&class, (middle, TOP - 6.0), (middle, BOTTOM));
    }
    let first = kept.first().map_or(0.0, Series::median);
    let entries: Vec<(&str, String)> = kept
        .iter()
        .map(|series| {
            if kept.len() > 2 {
                // All of them are to fit on one line.
                let text = format!("{}, {}", series.shown.name, seconds(series.median()));
                return (class_of(series.shown.column.way()), text);
            }
            let mut text = format!("{}, median {}", series.shown.name, seconds(series.median()));
            if kept.len() > 1 && !series.shown.column.is_serial() && first > 0.0 {
                text += &format!(" ({})", format::change(series.median() / first));
            }
            (class_of(series.shown.column.way()), text)
        })
        .collect();
    svg.legend(13.0, &entries);
    let beyond: usize = kept.iter().map(|series| series.beyond(unit, x.most())).sum();
    let about = if beyond > 0 {
        format!("{} longer than the axis, up to {}.", format::plural(beyond as u64, "task"), seconds(longest))
    } else {
        String::new()
    };
    Some(picture("How long single tasks took", &about, svg.finish()))
}

/// The wall times of a run's tasks in seconds, shortest first.
struct Series<'a> {
    shown: Shown<'a>,
    walls: Vec<f64>,
}

impl<'a> Series<'a> {
    fn of(shown: Shown<'a>) -> Self {
        let mut walls: Vec<f64> = shown.run.records.iter().map(|record| record.wall.as_secs_f64()).collect();
        walls.sort_by(f64::total_cmp);
        Self { shown, walls }
    }

    fn median(&self) -> f64 {
        median(&self.walls)
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a float cast saturates")]
    fn quantile(&self, share: f64) -> f64 {
        let at = ((self.walls.len() as f64 * share).ceil() as usize).saturating_sub(1);
        self.walls.get(at).copied().unwrap_or(0.0)
    }

    /// How many tasks fall under each bar of an axis up to `most`.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a float cast saturates")]
    fn counts(&self, most: f64, unit: Unit) -> Vec<u32> {
        let mut counts = vec![0; BARS];
        for wall in self.walls.iter().map(|wall| unit.scaled(*wall)).take_while(|wall| *wall <= most) {
            counts[((wall / most * BARS as f64) as usize).min(BARS - 1)] += 1;
        }
        counts
    }

    fn beyond(&self, unit: Unit, most: f64) -> usize {
        self.walls.iter().rev().take_while(|wall| unit.scaled(**wall) > most).count()
    }
}
