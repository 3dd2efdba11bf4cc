//! The grid of right ascension and declination on a chart, with its labels.

use super::field::{BOTTOM, Extent, FieldOfView, LEFT, is_inside};
use super::sexagesimal::{self, DEGREE, SECOND, whole};
use crate::svg::{Anchor, Svg, text_width};

/// From one edge to the other there are about so many steps of the grid.
const STEPS: f64 = 4.0;

/// What a step may count, seconds or minutes.
const PARTS: [i64; 6] = [1, 2, 5, 10, 15, 30];

/// Around a pole meridians are so far apart, in billionths of a second of time.
const WIDEST_HOURS: i64 = 2 * DEGREE;

/// Parallels that reach so far to both sides in right ascension, and no farther, are drawn as
/// few pieces: either way one is 4 degrees at most.
const NARROW: f64 = 20.0;

/// How high a label is, with room around it.
const LABEL_HEIGHT: f64 = 16.0;

/// Lines as they are drawn, and what is told of them inside the field.
pub(super) struct Graticule {
    lines: Vec<Vec<(f64, f64)>>,
    labels: Vec<GridLabel>,
    /// Where no other label may be.
    taken: Vec<Extent>,
}

struct GridLabel {
    at: (f64, f64),
    anchor: Anchor,
    text: String,
}

impl Graticule {
    /// The grid of a chart about `centre`, with labels that keep clear of what is `taken`.
    pub(super) fn of(field: &FieldOfView, (ra, dec): (f64, f64), taken: Vec<Extent>) -> Self {
        let mut graticule = Self { lines: Vec::new(), labels: Vec::new(), taken };
        let (edge, corner) = field.reach();
        let (south, north) = ((dec - corner).max(-90.0), (dec + corner).min(90.0));
        let half = half_width(dec, corner);
        let hours = |degrees: f64| degrees / 15.0;
        let step_hours = step(2.0 * hours(half_width(dec, edge)), &[1, 2]).min(WIDEST_HOURS);
        for meridian in multiples(step_hours, hours(ra - half), hours(ra + half)) {
            let ra = degrees(meridian) * 15.0;
            // A great circle is straight; its pieces only tell which part of it can be seen.
            let drawn = visible(field, 24, |share| (ra, south + (north - south) * share));
            let ends = drawn.into_iter().filter_map(|line| Some(vec![*line.first()?, *line.last()?]));
            graticule.add(ends.collect(), |own, lines| {
                own.label_below(lines, sexagesimal::right_ascension(meridian, step_hours));
            });
        }
        let step_degrees = step(2.0 * edge, &[1, 2, 5, 10, 15, 30]);
        let n_pieces = if half > NARROW { 90 } else { 10 };
        for parallel in multiples(step_degrees, south, north).filter(|nanos| nanos.abs() < 90 * DEGREE) {
            let dec = degrees(parallel);
            let drawn = visible(field, n_pieces, |share| (ra + half * (2.0 * share - 1.0), dec));
            graticule.add(drawn, |own, lines| {
                own.label_beside(lines, sexagesimal::declination(parallel, step_degrees));
            });
        }
        graticule
    }

    fn add(&mut self, lines: Vec<Vec<(f64, f64)>>, label: impl FnOnce(&mut Self, &[Vec<(f64, f64)>])) {
        label(self, &lines);
        self.lines.extend(lines);
    }

    /// Tells of a line where it meets the lower edge.
    fn label_below(&mut self, lines: &[Vec<(f64, f64)>], text: String) {
        let Some((x, _)) = lines.iter().flatten().find(|(_, y)| (y - BOTTOM).abs() < 0.01) else { return };
        let half = text_width(&text) / 2.0 + 6.0;
        let extent = Extent::new((x - half, BOTTOM), (x + half, BOTTOM + LABEL_HEIGHT));
        self.label((*x, BOTTOM + 17.0), Anchor::Middle, text, extent);
    }

    /// Tells of a line where it meets the left edge, or, if it does not, below the pole or
    /// beside that.
    fn label_beside(&mut self, lines: &[Vec<(f64, f64)>], text: String) {
        let points: Vec<(f64, f64)> = lines.iter().flatten().copied().collect();
        let (width, up) = (text_width(&text), LABEL_HEIGHT / 2.0);
        if let Some((x, y)) = points.iter().copied().find(|(x, _)| (x - LEFT).abs() < 0.01) {
            let is_wide = width > LEFT - 8.0;
            let (right, down, anchor) =
                if is_wide { (6.0, -5.0, Anchor::Start) } else { (-7.0, 4.0, Anchor::End) };
            let from = if is_wide { x } else { x - width };
            let extent = Extent::new((from, y + down - 4.0 - up), (from + width, y + down - 4.0 + up));
            self.label((x + right, y + down), anchor, text, extent);
            return;
        }
        let lowest = points.iter().copied().max_by(|one, other| one.1.total_cmp(&other.1));
        let further =
            [3, 5, 2, 6].into_iter().filter_map(|eighth| points.get(points.len() * eighth / 8).copied());
        for (x, y) in lowest.into_iter().chain(further).filter(|at| is_inside(*at, 2.0 * LABEL_HEIGHT)) {
            let extent = Extent::new((x - width / 2.0, y - up), (x + width / 2.0, y + up));
            if !self.taken.iter().any(|taken| taken.meets(&extent)) {
                return self.label((x, y + 4.0), Anchor::Middle, text, extent);
            }
        }
    }

    fn label(&mut self, at: (f64, f64), anchor: Anchor, text: String, extent: Extent) {
        if !self.taken.iter().any(|taken| taken.meets(&extent)) {
            self.taken.push(extent);
            self.labels.push(GridLabel { at, anchor, text });
        }
    }

    /// All that is taken, with the labels.
    pub(super) fn taken(&self) -> &[Extent] {
        &self.taken
    }

    /// Draws the lines.
    pub(super) fn draw(&self, svg: &mut Svg) {
        for line in &self.lines {
            svg.polyline("sky-grid", line.iter().copied());
        }
    }

    /// Draws what is told of them.
    pub(super) fn draw_labels(&self, svg: &mut Svg) {
        for label in &self.labels {
            svg.text("sky-coordinate", label.at, label.anchor, &label.text);
        }
    }
}

fn degrees(nanos: i64) -> f64 {
    nanos as f64 / DEGREE as f64
}

/// How far in right ascension a circle of `radius` about a place at `dec` reaches from it.
fn half_width(dec: f64, radius: f64) -> f64 {
    if dec.abs() + radius >= 90.0 {
        return 180.0;
    }
    (radius.to_radians().sin() / dec.to_radians().cos()).min(1.0).asin().to_degrees()
}

/// The round step of which about [`STEPS`] fit into `range` (degrees or hours, of which a step may have
/// as many as `whole` says).
fn step(range: f64, whole: &[i64]) -> i64 {
    let wanted = (range / STEPS * DEGREE as f64).max(1.0);
    let below = (0..9).flat_map(|power| [1, 2, 5].map(|digit| digit * 10_i64.pow(power)));
    let seconds = PARTS.map(|part| part * SECOND);
    let minutes = PARTS.map(|part| part * 60 * SECOND);
    let whole = whole.iter().map(|part| part * DEGREE);
    let steps = below.chain(seconds).chain(minutes).chain(whole);
    // As many times too large as another is too small.
    let off = |step: &i64| (*step as f64 / wanted).ln().abs();
    steps.min_by(|one, other| off(one).total_cmp(&off(other))).unwrap_or(DEGREE)
}

/// The multiples of `step` after `from` and up to `to`.
fn multiples(step: i64, from: f64, to: f64) -> impl Iterator<Item = i64> {
    let at = |value: f64| whole(value * DEGREE as f64 / step as f64);
    (at(from) + 1..=at(to)).map(move |number| number * step)
}

/// What is seen in the field of the line through `place(0)` to `place(1)`.
fn visible(field: &FieldOfView, n_pieces: u32, place: impl Fn(f64) -> (f64, f64)) -> Vec<Vec<(f64, f64)>> {
    let mut lines: Vec<Vec<(f64, f64)>> = Vec::new();
    let points: Vec<Option<(f64, f64)>> =
        (0..=n_pieces).map(|piece| field.at(place(f64::from(piece) / f64::from(n_pieces)))).collect();
    for pair in points.windows(2) {
        let [Some(from), Some(to)] = *pair else { continue };
        let Some((from, to)) = Extent::FIELD.cut(from, to) else { continue };
        match lines.last_mut() {
            Some(line) if line.last() == Some(&from) => line.push(to),
            _ => lines.push(vec![from, to]),
        }
    }
    lines
}
