//! CPU use over time, and how long single tasks took.

use std::fmt::Write as _;

use super::axis::{Axis, TimeAxis};
use super::{PagePart, class_of, picture, wide_picture};
use crate::host::Host;
use crate::numbers::{self, seconds};
use crate::report::timeline::{self, ShownRun, ShownRuns};
use crate::study::{ColumnResult, median};
use crate::svg::{Anchor, Svg, Tenth};

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
pub(super) fn cpu(runs: &ShownRuns<'_>) -> Option<PagePart> {
    let shown = runs.main().filter(|shown| !shown.run.records.is_empty() && shown.wall() > 0.0)?;
    let levels = timeline::cpu(&shown.run.records, shown.wall(), CPU_BINS);
    let host = &runs.study.host;
    let cores = host.usable.min(shown.column.width).max(1);
    let highest = levels.iter().copied().fold(cores as f64, f64::max);
    let y = Axis::rounded(BOTTOM, TOP, highest * 100.0, 4.0);
    let mut svg = Svg::new(WIDTH, HEIGHT, "CPU use over time");
    y.draw_beside(&mut svg, LEFT, RIGHT, "CPU %");
    TimeAxis::exact(LEFT, RIGHT, shown.wall(), 5.0).draw_below(&mut svg, TOP, BOTTOM, "wall time");
    let mut area = format!("M{} {}", Tenth(LEFT), Tenth(BOTTOM));
    for (bin, level) in (1..).zip(&levels) {
        let right = LEFT + (RIGHT - LEFT) * f64::from(bin) / CPU_BINS as f64;
        let _ = write!(area, "V{}H{}", Tenth(y.at(level * 100.0)), Tenth(right));
    }
    let _ = write!(area, "V{}z", Tenth(BOTTOM));
    svg.path(class_of(shown.column.way()), &area);
    for (number, name) in core_marks(host, y.most / 100.0) {
        let height = y.at(number as f64 * 100.0);
        svg.line("mark", (LEFT, height), (RIGHT, height));
        let text = format!("{number} {name} {}", if number == 1 { "core" } else { "cores" });
        svg.text("halo", (RIGHT - 4.0, height - 4.0), Anchor::End, &text);
    }
    let about = "Each task's CPU time, spread evenly over its wall time.";
    Some(PagePart::Narrow(picture(&format!("CPU use during the {}", shown.title()), about, svg)))
}

/// Where the cores of `host` end, on an axis of them up to `most`: how many there are,
/// and of which kind.
pub(super) fn core_marks(host: &Host, most: f64) -> impl Iterator<Item = (usize, &'static str)> {
    let physical = host.physical.filter(|physical| *physical != host.usable);
    let kinds = [(physical, "physical"), (Some(host.usable), "logical")].into_iter();
    kinds.filter_map(move |(number, kind)| Some((number.filter(|number| *number as f64 <= most)?, kind)))
}

/// How the wall times of tasks are distributed, both ways in one picture.
pub(super) fn histogram(runs: &ShownRuns<'_>) -> Option<PagePart> {
    let kept: Vec<Series<'_>> = runs.all().filter(|it| !it.run.records.is_empty()).map(Series::of).collect();
    let longest = kept.iter().filter_map(|series| series.walls.last().copied()).fold(0.0, f64::max);
    if longest <= 0.0 {
        return None;
    }
    let nearly_all = kept.iter().map(|series| series.quantile(0.99)).fold(0.0, f64::max);
    let is_far_out = longest > FAR_OUT * nearly_all && nearly_all > 0.0;
    let x = TimeAxis::rounded(LEFT, RIGHT, if is_far_out { nearly_all * 1.2 } else { longest }, 5.0);
    let counts: Vec<[u32; BARS]> = kept.iter().map(|series| series.counts(x)).collect();
    let tallest = counts.iter().flatten().copied().max().unwrap_or(1);
    let y = Axis::counts(BOTTOM, TOP, f64::from(tallest), 4.0);
    let mut svg = Svg::new(WIDTH, HEIGHT, "how long single tasks took");
    y.draw_beside(&mut svg, LEFT, RIGHT, "tasks");
    x.draw_below(&mut svg, TOP, BOTTOM, "wall time of a task");
    let bin = (RIGHT - LEFT) / BARS as f64;
    let bar = (bin - 1.0) / kept.len() as f64;
    for (at, (series, counts)) in kept.iter().zip(&counts).enumerate() {
        for (place, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            let top = y.at(f64::from(*count));
            let left = LEFT + bin * place as f64 + bar * at as f64;
            svg.rect(series.class, [left, top, bar, BOTTOM - top]);
        }
        let middle = x.at(series.median);
        svg.line(&format!("median-{}", series.class), (middle, TOP - 6.0), (middle, BOTTOM));
    }
    let first = kept.first().map_or(0.0, |series| series.median);
    let entry = |(at, series): (usize, &Series<'_>)| {
        // Of many all are to fit on one line.
        let noun = if kept.len() > 2 { "" } else { "median " };
        let mut text = format!("{}, {noun}{}", series.name, seconds(series.median));
        if kept.len() == 2 && at > 0 && first > 0.0 {
            text += &format!(" ({})", numbers::change(series.median / first));
        }
        (series.class, text)
    };
    svg.legend(13.0, &kept.iter().enumerate().map(entry).collect::<Vec<_>>());
    let beyond = kept.iter().flat_map(|series| &series.walls).filter(|wall| x.share(**wall) > 1.0).count();
    let mut about = String::new();
    if beyond > 0 {
        let tasks = numbers::plural(beyond as u64, "task");
        about = format!("{tasks} longer than the axis, up to {}.", seconds(longest));
    }
    Some(PagePart::Narrow(picture("How long single tasks took", &about, svg)))
}

/// The wall times of a run's tasks in seconds, shortest first.
struct Series<'a> {
    name: &'a str,
    class: &'static str,
    walls: Vec<f64>,
    median: f64,
}

impl<'a> Series<'a> {
    fn of(shown: ShownRun<'a>) -> Self {
        let mut walls: Vec<f64> = shown.run.records.iter().map(|record| record.wall.as_secs_f64()).collect();
        walls.sort_by(f64::total_cmp);
        let median = median(&walls);
        Self { name: shown.name, class: class_of(shown.column.way()), walls, median }
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a float cast saturates")]
    fn quantile(&self, share: f64) -> f64 {
        let at = ((self.walls.len() as f64 * share).ceil() as usize).saturating_sub(1);
        self.walls.get(at).copied().unwrap_or(0.0)
    }

    /// How many tasks fall under each bar of an axis.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a float cast saturates")]
    fn counts(&self, x: TimeAxis) -> [u32; BARS] {
        let mut counts = [0; BARS];
        for share in self.walls.iter().map(|wall| x.share(*wall)).take_while(|share| *share <= 1.0) {
            counts[((share * BARS as f64) as usize).min(BARS - 1)] += 1;
        }
        counts
    }
}

const RUNS_WIDTH: f64 = 1040.0;
const RUNS_LEFT: f64 = 124.0;
const RUNS_RIGHT: f64 = RUNS_WIDTH - 14.0;
const RUNS_TOP: f64 = 26.0;

/// Room for a bar and its dots.
const PITCH: f64 = 20.0;

/// What is between two columns.
const APART: f64 = 12.0;

/// Every run as a dot on the bar of its median: whether dots of before and after
/// keep apart is what the verdict rests on.
pub(super) fn before_after(columns: &[(String, &ColumnResult, &ColumnResult)]) -> Option<PagePart> {
    let sides = columns.iter().flat_map(|(_, before, after)| [before, after]);
    let walls = sides.flat_map(|column| column.runs.iter().map(|run| run.wall.as_secs_f64()));
    let longest = walls.fold(0.0, f64::max);
    if longest <= 0.0 {
        return None;
    }
    let x = TimeAxis::rounded(RUNS_LEFT, RUNS_RIGHT, longest, 6.0);
    let bottom = RUNS_TOP + columns.len() as f64 * (2.0 * PITCH + APART) - APART / 2.0;
    let mut svg = Svg::new(RUNS_WIDTH, bottom + 36.0, "the wall time of every run, before and after");
    x.draw_below(&mut svg, RUNS_TOP, bottom, "wall time");
    for (at, (name, before, after)) in columns.iter().enumerate() {
        let top = RUNS_TOP + at as f64 * (2.0 * PITCH + APART);
        svg.text("tick", (RUNS_LEFT - 8.0, top + PITCH + 4.0), Anchor::End, name);
        strip(&mut svg, x, top, "serial", before);
        strip(&mut svg, x, top + PITCH, "parallel", after);
    }
    svg.legend(13.0, &[("serial", "before".to_owned()), ("parallel", "after".to_owned())]);
    let about = "A bar is the median of the runs, a dot one run.";
    Some(wide_picture("Every run, before and after", about, svg))
}

fn strip(svg: &mut Svg, x: TimeAxis, top: f64, class: &str, column: &ColumnResult) {
    let n_runs = numbers::plural(column.runs.len() as u64, "run");
    let title = format!("median {} of {n_runs}", seconds(column.wall()));
    let width = x.at(column.wall()) - RUNS_LEFT;
    svg.rect_with_title(class, [RUNS_LEFT, top + 2.0, width, PITCH - 4.0], &title);
    for (number, run) in (1..).zip(&column.runs) {
        let wall = run.wall.as_secs_f64();
        svg.dot("run", (x.at(wall), top + PITCH / 2.0), 3.5, &format!("run {number}: {}", seconds(wall)));
    }
}
