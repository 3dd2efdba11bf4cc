//! Speed-up and efficiency against the number of slots, where several were
//! tried, with the laws that come nearest to them.
//!
//! The curves go on beyond what was measured, in a shade that says so.

use maud::{Markup, html};

use super::axis::Axis;
use super::svg::{Anchor, Svg};
use super::{OF_OTHERS, class_of, picture};
use crate::format;
use crate::study::{Base, Fit, Point, Scaling, Study};

const WIDTH: f64 = 500.0;
const HEIGHT: f64 = 250.0;
const LEFT: f64 = 48.0;
const RIGHT: f64 = WIDTH - 14.0;
const TOP: f64 = 30.0;
const BOTTOM: f64 = HEIGHT - 36.0;

/// Curves go on to so many times the widest width.
const FURTHER: f64 = 1.5;

/// The axis ends at so many times the highest speed-up: an ideal far beyond it
/// would make a flat line of what was measured.
const BEYOND: f64 = 2.0;

/// Pieces that a curve is made of.
const PIECES: u32 = 48;

/// Which of the two pictures.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ordinate {
    SpeedUp,
    Efficiency,
}

impl Ordinate {
    /// What is drawn of a speed-up; efficiency in per cent, so that its ticks are
    /// round numbers.
    fn of(self, speedup: f64, width: f64) -> f64 {
        match self {
            Self::SpeedUp => speedup,
            Self::Efficiency => 100.0 * speedup / width,
        }
    }
}

/// Both pictures of each way that was swept.
pub(super) fn pictures(study: &Study) -> Vec<Markup> {
    let sweeps: Vec<Scaling> = Scaling::of_each(study).into_iter().filter(Scaling::is_sweep).collect();
    let several = sweeps.len() > 1;
    let whose = |it: &Scaling| if several { format!(": {}", study.called(&it.way)) } else { String::new() };
    sweeps.iter().map(|scaling| pair(study, scaling, &whose(scaling))).collect()
}

fn pair(study: &Study, scaling: &Scaling, whose: &str) -> Markup {
    let over = match scaling.base {
        Base::Serial => "",
        Base::OneAtATime => "Relative to one task at a time.",
    };
    let drawn = |heading: &str, figure| {
        picture(&format!("{heading} against slots{whose}"), over, chart(study, scaling, figure))
    };
    html! {
        div.two {
            (drawn("Speed-up", Ordinate::SpeedUp))
            (drawn("Efficiency", Ordinate::Efficiency))
        }
    }
}

fn chart(study: &Study, scaling: &Scaling, figure: Ordinate) -> String {
    let points = &scaling.points;
    let fits: Vec<(&str, &Fit)> = [("amdahl", &scaling.amdahl), ("usl", &scaling.usl)]
        .into_iter()
        .filter_map(|(class, fit)| Some((class, fit.as_ref().ok()?)))
        .collect();
    let widest = points.last().map_or(1.0, |point| point.width as f64);
    let furthest = if fits.is_empty() { widest } else { (FURTHER * widest).ceil() };
    let x = Axis::counts(LEFT, RIGHT, furthest, 8.0);
    let y = height(points, &fits, widest, x.most(), figure);
    let (about, name) = match figure {
        Ordinate::SpeedUp => ("speed-up against slots", "speed-up"),
        Ordinate::Efficiency => ("efficiency against slots", "efficiency, %"),
    };
    let mut svg = Svg::new(WIDTH, HEIGHT, about);
    extrapolated(&mut svg, &fits, x, figure);
    y.draw_beside(&mut svg, LEFT, RIGHT, "");
    svg.text("label", (6.0, 13.0), Anchor::Start, name);
    x.draw_below(&mut svg, TOP, BOTTOM, "slots");
    cores(&mut svg, study, x);
    // Up to where it leaves the picture.
    let last = if figure == Ordinate::SpeedUp { x.most().min(y.most()) } else { x.most() };
    let ideal = [1.0, last].map(|width| (x.at(width), y.at(figure.of(width, width))));
    svg.polyline("ideal", ideal);
    for (class, fit) in &fits {
        curve(&mut svg, class, fit, x, y, figure);
    }
    for point in points {
        dot(&mut svg, (point, &scaling.way), x, y, figure);
    }
    let mut entries = vec![("key-ideal", "ideal".to_owned())];
    entries.extend(
        fits.iter().map(|(class, fit)| {
            (if *class == "usl" { "key-usl" } else { "key-amdahl" }, fit.law.to_string())
        }),
    );
    entries.push((class_of(&scaling.way), "measured".to_owned()));
    svg.legend(13.0, &entries);
    svg.finish()
}

/// An axis as high as what was measured and what the curves reach; the ideal may
/// leave it.
fn height(points: &[Point], fits: &[(&str, &Fit)], widest: f64, furthest: f64, figure: Ordinate) -> Axis {
    let measured = points.iter().map(|point| {
        let highest = point.interval.map_or(point.speedup, |it| it.high.max(point.speedup));
        figure.of(highest, point.width as f64)
    });
    let measured = measured.fold(figure.of(1.0, 1.0), f64::max);
    let curves =
        fits.iter().flat_map(|(_, fit)| widths(1.0, furthest).map(|width| figure.of(fit.at(width), width)));
    let highest = curves.fold(measured, f64::max);
    let most = match figure {
        Ordinate::SpeedUp => highest.max(widest.min(BEYOND * highest)),
        Ordinate::Efficiency => highest,
    };
    Axis::rounded(BOTTOM, TOP, most, 5.0)
}

/// From one width to another in small steps.
fn widths(from: f64, to: f64) -> impl Iterator<Item = f64> {
    (0..=PIECES).map(move |piece| from + (to - from) * f64::from(piece) / f64::from(PIECES))
}

/// Where no width was measured that a curve could rest on.
fn extrapolated(svg: &mut Svg, fits: &[(&str, &Fit)], x: Axis, figure: Ordinate) {
    let Some(to) = fits.iter().map(|(_, fit)| fit.to).max() else { return };
    let left = x.at(to as f64);
    if RIGHT - left < 1.0 {
        return;
    }
    svg.rect("beyond", left, TOP, RIGHT - left, BOTTOM - TOP);
    // Where the curves are not.
    let height = match figure {
        Ordinate::SpeedUp => BOTTOM - 6.0,
        Ordinate::Efficiency => TOP + 12.0,
    };
    svg.text("label", (RIGHT - 4.0, height), Anchor::End, "extrapolated");
}

/// Whole where it was measured, in dots beyond.
fn curve(svg: &mut Svg, class: &str, fit: &Fit, x: Axis, y: Axis, figure: Ordinate) {
    let to = (fit.to as f64).min(x.most());
    let place = |width: f64| (x.at(width), y.at(figure.of(fit.at(width), width)));
    svg.polyline(class, widths(1.0, to).map(place));
    if x.most() > to {
        svg.polyline(&format!("{class} far"), widths(to, x.most()).map(place));
    }
}

/// A width that was measured; one that the curves do not rest on is empty.
fn dot(svg: &mut Svg, (point, way): (&Point, &str), x: Axis, y: Axis, figure: Ordinate) {
    let width = point.width as f64;
    let at = x.at(width);
    let of = if class_of(way) == OF_OTHERS { " of-processes" } else { "" };
    if let Some(interval) = point.interval {
        let ends = [interval.low, interval.high].map(|value| (at, y.at(figure.of(value, width))));
        svg.line(&format!("whisker{of}"), ends[0], ends[1]);
    }
    let title = format!(
        "{}: speed-up {}, efficiency {}",
        format::plural(point.width as u64, "slot"),
        format::factor(point.speedup),
        format::percent(point.efficiency),
    );
    let beside = if point.is_fitted { "" } else { " beside" };
    let class = format!("point{beside}{of}");
    svg.dot(&class, (at, y.at(figure.of(point.speedup, width))), 4.5, &title);
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
