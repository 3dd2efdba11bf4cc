//! Where places of the sky are in a chart.

use super::plane::TangentPlane;

/// The left edge of the field, and its upper one.
pub(super) const LEFT: f64 = 84.0;
pub(super) const TOP: f64 = 62.0;

/// How wide and high the field is.
pub(super) const SIZE: f64 = 640.0;
pub(super) const RIGHT: f64 = LEFT + SIZE;
pub(super) const BOTTOM: f64 = TOP + SIZE;

/// What the chart's centre is drawn at.
pub(super) const MIDDLE: (f64, f64) = (LEFT + SIZE / 2.0, TOP + SIZE / 2.0);

/// The field is so much wider than the cone.
const MARGIN: f64 = 1.18;

/// The sky around a centre, in the units of a chart.
#[derive(Clone, Copy, Debug)]
pub(super) struct FieldOfView {
    plane: TangentPlane,
    /// Units of the chart to a degree of the plane.
    scale: f64,
}

impl FieldOfView {
    /// The field around a cone of `radius` degrees.
    pub(super) fn new(centre: (f64, f64), radius: f64) -> Self {
        let scale = SIZE / 2.0 / MARGIN / on_plane(radius);
        Self { plane: TangentPlane::at(centre), scale }
    }

    /// Where `place` is drawn, beyond the edges, too. `None` for the other half of the sky.
    pub(super) fn at(&self, place: (f64, f64)) -> Option<(f64, f64)> {
        let (east, north) = self.plane.project(place)?;
        Some((MIDDLE.0 - east * self.scale, MIDDLE.1 - north * self.scale))
    }

    /// How long an arc of `degrees` from the centre on is drawn.
    pub(super) fn length(&self, degrees: f64) -> f64 {
        on_plane(degrees) * self.scale
    }
}

/// Whether something at this point, `around` it, is within the field.
pub(super) fn is_inside((x, y): (f64, f64), around: f64) -> bool {
    (LEFT + around..=RIGHT - around).contains(&x) && (TOP + around..=BOTTOM - around).contains(&y)
}

/// An angle from the centre, on the plane.
fn on_plane(degrees: f64) -> f64 {
    degrees.to_radians().tan().to_degrees()
}
