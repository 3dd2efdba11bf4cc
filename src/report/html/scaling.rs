//! Speed-up and efficiency against the number of slots, where several were tried.

use maud::{Markup, html};

use super::{View, picture};
use crate::format;
use crate::report::svg::{Anchor, Axis, Svg};
use crate::study::{Comparison, Interval, Study, Verdict};

const WIDTH: f64 = 500.0;
const HEIGHT: f64 = 250.0;
const LEFT: f64 = 48.0;
const RIGHT: f64 = WIDTH - 14.0;
const TOP: f64 = 30.0;
const BOTTOM: f64 = HEIGHT - 36.0;

/// One width and what it bought.
struct Point {
    width: f64,
    speedup: f64,
    interval: Option<Interval>,
}

/// Which of the two pictures.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Figure {
    SpeedUp,
    Efficiency,
}

pub(super) fn draw(view: &View<'_>) -> Markup {
    let points = points(view.study);
    if points.len() < 2 {
        return html! {};
    }
    html! {
        div.two {
            (picture("Speed-up against slots", "", chart(view.study, &points, Figure::SpeedUp)))
            (picture("Efficiency against slots", "", chart(view.study, &points, Figure::Efficiency)))
        }
    }
}

/// The widths whose ratio can be claimed, narrowest first.
fn points(study: &Study) -> Vec<Point> {
    let mut points: Vec<Point> = study
        .parallel()
        .filter_map(|column| {
            let comparison = Comparison::of(study, column)?;
            let interval = match comparison.verdict {
                Verdict::Unclaimed(_) => return None,
                Verdict::Untested { .. } => None,
                Verdict::Different(interval) | Verdict::NoDifference(interval) => Some(interval),
            };
            Some(Point { width: column.width as f64, speedup: comparison.speedup, interval })
        })
        .collect();
    points.sort_by(|one, other| one.width.total_cmp(&other.width));
    points
}

fn chart(study: &Study, points: &[Point], figure: Figure) -> String {
    let widest = points.iter().map(|point| point.width).fold(1.0, f64::max);
    // Efficiency in per cent, so that its ticks are round numbers.
    let of = |value: f64, width: f64| match figure {
        Figure::SpeedUp => value,
        Figure::Efficiency => 100.0 * value / width,
    };
    let highest = points
        .iter()
        .map(|point| of(point.interval.map_or(point.speedup, |it| it.high.max(point.speedup)), point.width))
        .fold(of(1.0, 1.0), f64::max);
    let (most, about, name) = match figure {
        Figure::SpeedUp => (highest.max(widest), "speed-up against slots", "speed-up"),
        Figure::Efficiency => (highest, "efficiency against slots", "efficiency, %"),
    };
    let x = Axis::counts(LEFT, RIGHT, widest, 8.0);
    let y = Axis::rounded(BOTTOM, TOP, most, 5.0);
    let mut svg = Svg::new(WIDTH, HEIGHT, about);
    y.draw_beside(&mut svg, LEFT, RIGHT, "");
    svg.text("label", (6.0, 13.0), Anchor::Start, name);
    x.draw_below(&mut svg, TOP, BOTTOM, "slots");
    cores(&mut svg, study, x);
    let ideal = [1.0, x.most()].map(|width| (x.at(width), y.at(of(width, width))));
    svg.polyline("ideal", ideal);
    for point in points {
        let at = x.at(point.width);
        if let Some(interval) = point.interval {
            let ends = [interval.low, interval.high].map(|value| (at, y.at(of(value, point.width))));
            svg.line("whisker", ends[0], ends[1]);
        }
        let title = format!(
            "{}: speed-up {}, efficiency {}",
            format::plural(study_width(point.width), "slot"),
            format::factor(point.speedup),
            format::percent(point.speedup / point.width),
        );
        svg.dot("point", (at, y.at(of(point.speedup, point.width))), 4.5, &title);
    }
    svg.legend(13.0, &[("key-ideal", "ideal".to_owned()), ("parallel", "measured".to_owned())]);
    svg.finish()
}

/// Where the cores of the machine end.
fn cores(svg: &mut Svg, study: &Study, x: Axis) {
    let host = &study.host;
    let physical = host.physical.filter(|physical| *physical != host.usable);
    for (number, name) in [(physical, "physical"), (Some(host.usable), "logical")] {
        let Some(number) = number.filter(|number| *number as f64 <= x.most()) else { continue };
        let at = x.at(number as f64);
        svg.line("mark", (at, TOP), (at, BOTTOM));
        svg.text("halo", (at - 4.0, BOTTOM - 6.0), Anchor::End, &format!("{number} {name}"));
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "was a count")]
fn study_width(width: f64) -> u64 {
    width as u64
}
