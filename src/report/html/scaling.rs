//! Speed-up and efficiency against the number of slots, where several were
//! tried, with the laws that come nearest to them.
//!
//! The curves go on beyond what was measured, in a shade that says so.

use maud::html;

use super::axis::Axis;
use super::charts::core_marks;
use super::legend::NamedSwatch;
use super::{OF_OTHERS, PagePart, class_of, picture};
use crate::numbers;
use crate::report::laws;
use crate::study::{Base, Fit, Point, Scaling, Study};
use crate::svg::{Anchor, Svg};

const HEIGHT: f64 = 250.0;
const TOP: f64 = 30.0;
const BOTTOM: f64 = HEIGHT - 36.0;

/// A picture of fewer widths says less than the table.
const FEWEST_POINTS: usize = 3;

/// Curves nowhere further apart than this share of their height are one line to the eye.
const APART: f64 = 0.005;

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
pub(super) fn pictures(study: &Study) -> Vec<PagePart> {
    let sweeps: Vec<Scaling> =
        Scaling::of_each(study).into_iter().filter(|it| it.points.len() >= FEWEST_POINTS).collect();
    let several = sweeps.len() > 1;
    let pair = |scaling: &Scaling| {
        let whose = if several { format!(": {}", study.called(&scaling.way)) } else { String::new() };
        let over = match scaling.base {
            Base::Serial => "",
            Base::OneAtATime => "Relative to one task at a time.",
        };
        let curves = Curves::of(scaling);
        let drawn = |name: &str, figure| {
            let svg = chart(study, scaling, &curves, figure);
            picture(&format!("{name} against slots{whose}"), over, &curves.legend(scaling), svg)
        };
        PagePart::Wide(html! {
            div.two {
                (drawn("Speed-up", Ordinate::SpeedUp))
                (drawn("Efficiency", Ordinate::Efficiency))
            }
        })
    };
    sweeps.iter().map(pair).collect()
}

/// The laws that are drawn, each with its class.
struct Curves<'a> {
    fits: Vec<(&'static str, &'a Fit)>,
    /// Whether both laws are the same curve, which is drawn once.
    is_one: bool,
}

impl<'a> Curves<'a> {
    fn of(scaling: &'a Scaling) -> Self {
        let fits = [("amdahl", &scaling.amdahl), ("usl", &scaling.usl)];
        let mut fits: Vec<(&str, &Fit)> =
            fits.into_iter().filter_map(|(class, fit)| Some((class, fit.as_ref().ok()?))).collect();
        let furthest = furthest(&scaling.points, &fits);
        let is_one = match &fits[..] {
            [(_, one), (_, other)] => widths(1.0, furthest)
                .all(|width| (one.at(width) - other.at(width)).abs() <= APART * one.at(width)),
            _ => false,
        };
        if is_one {
            fits.pop();
        }
        Self { fits, is_one }
    }

    fn legend(&self, scaling: &Scaling) -> Vec<NamedSwatch> {
        let point = if class_of(&scaling.way) == OF_OTHERS { "point of-processes" } else { "point" };
        let law = |(class, fit): &(&'static str, &Fit)| {
            let name = if self.is_one { "Amdahl, and USL the same".to_owned() } else { fit.law.to_string() };
            NamedSwatch::line(class, name)
        };
        let measured = [NamedSwatch::dot(point, "measured"), NamedSwatch::line("ideal", "ideal")];
        measured.into_iter().chain(self.fits.iter().map(law)).collect()
    }
}

/// Up to which width the axis goes: curves go on beyond what was measured.
fn furthest(points: &[Point], fits: &[(&str, &Fit)]) -> f64 {
    let widest = points.last().map_or(1.0, |point| point.width as f64);
    if fits.is_empty() { widest } else { (FURTHER * widest).ceil() }
}

/// A picture being drawn: its axes, and what is drawn of a speed-up.
struct SpeedUpChart {
    svg: Svg,
    x: Axis,
    y: Axis,
    figure: Ordinate,
}

fn chart(study: &Study, scaling: &Scaling, curves: &Curves<'_>, figure: Ordinate) -> Svg {
    let (points, fits) = (&scaling.points, &curves.fits);
    let widest = points.last().map_or(1.0, |point| point.width as f64);
    let x = Axis::counts(0.0, 100.0, furthest(points, fits), 8.0);
    let y = height(points, fits, widest, x.most, figure);
    let (about, name) = match figure {
        Ordinate::SpeedUp => ("speed-up against slots", "speed-up"),
        Ordinate::Efficiency => ("efficiency against slots", "efficiency, %"),
    };
    let mut chart = SpeedUpChart { svg: Svg::fluid("plot", HEIGHT, about), x, y, figure };
    chart.extrapolated(fits);
    y.draw_beside(&mut chart.svg, name);
    x.draw_below(&mut chart.svg, TOP, BOTTOM, "slots");
    for (number, name) in core_marks(&study.host, x.most) {
        let at = x.at(number as f64);
        chart.svg.line("mark", (at, TOP), (at, BOTTOM));
        chart.svg.text_beside("halo", (at, BOTTOM - 6.0), -4.0, Anchor::End, &format!("{number} {name}"));
    }
    // Up to where it leaves the picture.
    let last = if figure == Ordinate::SpeedUp { x.most.min(y.most) } else { x.most };
    let ideal = [1.0, last].map(|width| chart.place(width, width));
    chart.svg.polyline("ideal", ideal);
    for (class, fit) in fits {
        chart.curve(class, fit);
    }
    let of = if class_of(&scaling.way) == OF_OTHERS { " of-processes" } else { "" };
    for point in points {
        chart.dot(point, of);
    }
    chart.svg
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

impl SpeedUpChart {
    /// Where a speed-up at a width is.
    fn place(&self, width: f64, speedup: f64) -> (f64, f64) {
        (self.x.at(width), self.y.at(self.figure.of(speedup, width)))
    }

    /// Where no width was measured that a curve could rest on.
    fn extrapolated(&mut self, fits: &[(&str, &Fit)]) {
        let Some(to) = fits.iter().map(|(_, fit)| fit.to).max() else { return };
        let left = self.x.at(to as f64);
        if 100.0 - left < 1.0 {
            return;
        }
        self.svg.rect("beyond", [left, TOP, 100.0 - left, BOTTOM - TOP]);
        // Where the curves are not.
        let height = match self.figure {
            Ordinate::SpeedUp => BOTTOM - 6.0,
            Ordinate::Efficiency => TOP + 12.0,
        };
        self.svg.text_beside("label", (100.0, height), -4.0, Anchor::End, "extrapolated");
    }

    /// Whole where it was measured, in dots beyond.
    fn curve(&mut self, class: &str, fit: &Fit) {
        let furthest = self.x.most;
        let to = (fit.to as f64).min(furthest);
        let points =
            |from, to| -> Vec<_> { widths(from, to).map(|width| self.place(width, fit.at(width))).collect() };
        let (measured, beyond) = (points(1.0, to), points(to, furthest));
        self.svg.polyline(class, measured);
        if furthest > to {
            self.svg.polyline(&format!("{class} far"), beyond);
        }
    }

    /// A width that was measured; one that the curves do not rest on is empty. `of` is
    /// a class for points and whiskers that are of no threads.
    fn dot(&mut self, point: &Point, of: &str) {
        let width = point.width as f64;
        if let Some(interval) = point.interval {
            let [low, high] = [interval.low, interval.high].map(|speedup| self.place(width, speedup));
            self.svg.line(&format!("whisker{of}"), low, high);
        }
        let title = format!(
            "{}: speed-up {}, efficiency {}",
            numbers::plural(point.width as u64, "slot"),
            numbers::factor(point.speedup),
            laws::efficiency(point.speedup, point.width),
        );
        let beside = if point.is_fitted { "" } else { " beside" };
        let place = self.place(width, point.speedup);
        self.svg.dot(&format!("point{beside}{of}"), place, 4.5, &title);
    }
}
