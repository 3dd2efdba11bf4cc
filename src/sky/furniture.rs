//! How long an arc is in a chart, and where north and east are.

use super::field::{BOTTOM, Extent, FieldOfView, LEFT, RIGHT};
use super::sexagesimal;
use crate::svg::{Anchor, Svg};

/// The longest bar of a scale.
const LONGEST_BAR: f64 = 150.0;

/// How long the arrows are, and the distance of their corner from the field's.
const ARROW: f64 = 44.0;
const CORNER: f64 = 26.0;

/// The bar and the arrows, with room around them.
pub(super) fn taken() -> [Extent; 2] {
    [
        Extent::new((LEFT, BOTTOM - 46.0), (LEFT + LONGEST_BAR + 24.0, BOTTOM)),
        Extent::new((RIGHT - CORNER - ARROW - 22.0, BOTTOM - CORNER - ARROW - 22.0), (RIGHT, BOTTOM)),
    ]
}

/// Draws a bar that is a round number of degrees, minutes or seconds of arc long.
pub(super) fn scale_bar(svg: &mut Svg, field: &FieldOfView) {
    // Both halves are measured from the centre, where the scale is true.
    let length = |degrees: f64| 2.0 * field.length(degrees / 2.0);
    let round = [1.0, 2.0, 5.0, 10.0, 20.0, 30.0];
    let above = [1.0, 60.0, 3600.0]
        .into_iter()
        .flat_map(|parts| round.map(|number| number / parts).into_iter().rev());
    let below = (1..=6).flat_map(|power| [5.0, 2.0, 1.0].map(|digit| digit / 10_f64.powi(power) / 3600.0));
    let fitting = above.chain(below).find(|degrees| length(*degrees) <= LONGEST_BAR);
    let Some(degrees) = fitting else { return };
    let (left, y) = (LEFT + 16.0, BOTTOM - 20.0);
    let right = left + length(degrees);
    svg.polyline("sky-bar", [(left, y - 5.0), (left, y), (right, y), (right, y - 5.0)]);
    svg.text("sky-name", (f64::midpoint(left, right), y - 8.0), Anchor::Middle, &sexagesimal::angle(degrees));
}

/// Draws arrows to the north and to the east.
pub(super) fn arrows(svg: &mut Svg) {
    let (x, y) = (RIGHT - CORNER, BOTTOM - CORNER);
    let (north, east) = (y - ARROW, x - ARROW);
    svg.polyline("sky-arrow", [(x, north), (x, y), (east, y)]);
    svg.polyline("sky-arrow", [(x - 3.5, north + 7.0), (x, north), (x + 3.5, north + 7.0)]);
    svg.polyline("sky-arrow", [(east + 7.0, y - 3.5), (east, y), (east + 7.0, y + 3.5)]);
    svg.text("sky-name", (x, north - 6.0), Anchor::Middle, "N");
    svg.text("sky-name", (east - 6.0, y + 4.0), Anchor::End, "E");
}
