//! A chart, put together.

use super::field::{BOTTOM, FieldOfView, LEFT, MIDDLE, RIGHT, SIZE, TARGET, TICKS, TOP};
use super::graticule::Graticule;
use super::legend::Legend;
use super::sources::Selection;
use super::{CHART_RADII, FinderChart, furniture, names, sexagesimal, shown};
use crate::numbers;
use crate::svg::{Anchor, Svg};

/// What gives a chart its colours, in the light and in the dark: for the head of a page that
/// has charts in it.
pub const STYLE: &str = include_str!("chart.css");

/// How wide a chart is.
const WIDTH: f64 = RIGHT + 36.0;

/// Characters of a title that are shown.
const LONGEST_TITLE: usize = 60;

impl FinderChart<'_> {
    /// The chart as a file of its own.
    pub fn svg(&self) -> String {
        self.drawn().finish_alone(STYLE)
    }

    /// The chart as an element of a page, in whose head [`STYLE`] is.
    pub fn figure(&self) -> String {
        self.drawn().finish()
    }

    fn drawn(&self) -> Svg {
        let selection = self.field().map(|field| (field, Selection::of(self, &field)));
        let legend = selection
            .as_ref()
            .map(|(field, selection)| Legend::of(selection, self.has_pole(field)))
            .unwrap_or_default();
        let height = BOTTOM + legend.height() + 30.0;
        let mut svg = Svg::new(WIDTH, height, &self.about());
        svg.rect("sky-paper", [0.0, 0.0, WIDTH, height]);
        svg.text("sky-title", (LEFT, 27.0), Anchor::Start, &shown(self.title, LONGEST_TITLE));
        svg.text("sky-note", (LEFT, 48.0), Anchor::Start, &self.subtitle());
        match &selection {
            Some((field, selection)) => {
                let taken = furniture::taken().into_iter().chain([TARGET]).collect();
                let graticule = Graticule::of(field, self.centre, taken);
                graticule.draw(&mut svg);
                svg.circle("sky-ring", MIDDLE, field.length(self.radius));
                graticule.draw_labels(&mut svg);
                furniture::scale_bar(&mut svg, field);
                furniture::arrows(&mut svg);
                for source in &selection.drawn {
                    source.draw(&mut svg);
                }
                target(&mut svg);
                names::draw(&mut svg, &selection.drawn, graticule.taken());
            }
            None => svg.text("sky-text", MIDDLE, Anchor::Middle, &self.why_not()),
        }
        svg.rect("sky-frame", [LEFT, TOP, SIZE, SIZE]);
        legend.draw(&mut svg);
        svg
    }

    /// What is seen, where it can be drawn.
    fn field(&self) -> Option<FieldOfView> {
        let can_be_drawn = self.has_centre() && CHART_RADII.contains(&self.radius);
        can_be_drawn.then(|| FieldOfView::new(self.centre, self.radius))
    }

    /// Whether its centre is a position.
    pub(super) fn has_centre(&self) -> bool {
        self.centre.0.abs() <= 360.0 && self.centre.1.abs() <= 90.0
    }

    fn has_pole(&self, field: &FieldOfView) -> bool {
        self.centre.1.abs() + field.reach().1 >= 90.0
    }

    fn why_not(&self) -> String {
        if !self.has_centre() {
            return "No chart: the centre is not a position.".to_owned();
        }
        let (least, most) = (CHART_RADII.start(), CHART_RADII.end());
        format!(
            "No chart: a radius of {}° is not between {least}° and {most}°.",
            sexagesimal::digits(self.radius)
        )
    }

    fn subtitle(&self) -> String {
        let number = numbers::plural(self.sources.len() as u64 + self.more, "source");
        match self.field() {
            Some(_) => format!(
                "{} (ICRS) · radius {} · {number}",
                sexagesimal::place(self.centre, self.radius),
                radius(self.radius)
            ),
            None => number,
        }
    }

    /// The chart in words.
    fn about(&self) -> String {
        format!("Finder chart of {}: {}", shown(self.title, LONGEST_TITLE), self.subtitle())
    }
}

/// A radius as it was typed, most likely: in degrees, unless that needs many zeros.
fn radius(degrees: f64) -> String {
    if degrees >= 0.001 { format!("{}°", sexagesimal::digits(degrees)) } else { sexagesimal::angle(degrees) }
}

/// Four ticks with a gap between them, so that the target itself is never covered.
fn target(svg: &mut Svg) {
    let (x, y) = MIDDLE;
    for (right, down) in [(1.0, 0.0), (-1.0, 0.0), (0.0, 1.0), (0.0, -1.0)] {
        let [from, to] = TICKS.map(|far| (x + right * far, y + down * far));
        svg.line("sky-mark", from, to);
    }
}
