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

/// The ticks around the target, from the gap between them to their ends.
pub(super) const TICKS: [f64; 2] = [12.0, 26.0];

/// What they take.
pub(super) const TARGET: Extent = Extent {
    left_top: (MIDDLE.0 - TICKS[1], MIDDLE.1 - TICKS[1]),
    right_bottom: (MIDDLE.0 + TICKS[1], MIDDLE.1 + TICKS[1]),
};

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

    /// The angle from the centre to the middle of an edge, and to a corner, in degrees.
    pub(super) fn reach(&self) -> (f64, f64) {
        let edge = (SIZE / 2.0 / self.scale).to_radians();
        (edge.atan().to_degrees(), (edge * std::f64::consts::SQRT_2).atan().to_degrees())
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

/// A part of a chart: an upright rectangle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Extent {
    left_top: (f64, f64),
    right_bottom: (f64, f64),
}

impl Extent {
    /// All that is shown of the sky.
    pub(super) const FIELD: Self = Self { left_top: (LEFT, TOP), right_bottom: (RIGHT, BOTTOM) };

    pub(super) fn new(left_top: (f64, f64), right_bottom: (f64, f64)) -> Self {
        Self { left_top, right_bottom }
    }

    /// The square around a point.
    pub(super) fn around((x, y): (f64, f64), radius: f64) -> Self {
        Self::new((x - radius, y - radius), (x + radius, y + radius))
    }

    /// Whether they have anything in common.
    pub(super) fn meets(&self, other: &Self) -> bool {
        self.left_top.0 < other.right_bottom.0
            && other.left_top.0 < self.right_bottom.0
            && self.left_top.1 < other.right_bottom.1
            && other.left_top.1 < self.right_bottom.1
    }

    /// Whether all of `other` is within it.
    pub(super) fn holds(&self, other: &Self) -> bool {
        self.left_top.0 <= other.left_top.0
            && self.left_top.1 <= other.left_top.1
            && other.right_bottom.0 <= self.right_bottom.0
            && other.right_bottom.1 <= self.right_bottom.1
    }

    /// What is within it of the straight line between two points (Liang & Barsky 1984, ACM
    /// Transactions on Graphics 3, 1).
    pub(super) fn cut(&self, from: (f64, f64), to: (f64, f64)) -> Option<((f64, f64), (f64, f64))> {
        let (right, down) = (to.0 - from.0, to.1 - from.1);
        let (mut enters, mut leaves) = (0.0_f64, 1.0_f64);
        for (along, room) in [
            (-right, from.0 - self.left_top.0),
            (right, self.right_bottom.0 - from.0),
            (-down, from.1 - self.left_top.1),
            (down, self.right_bottom.1 - from.1),
        ] {
            if along < 0.0 {
                enters = enters.max(room / along);
            } else if along > 0.0 {
                leaves = leaves.min(room / along);
            } else if room < 0.0 {
                return None;
            }
        }
        let at = |share: f64| match share {
            0.0 => from,
            1.0 => to,
            share => (from.0 + right * share, from.1 + down * share),
        };
        (enters < leaves).then(|| (at(enters), at(leaves)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_cone_and_its_reach_are_as_long_as_the_sky_has_them() {
        let field = FieldOfView::new((10.0, 45.0), 40.0);
        assert!((field.length(40.0) - SIZE / 2.0 / MARGIN).abs() < 1e-9);
        let (edge, corner) = field.reach();
        assert!((field.length(edge) - SIZE / 2.0).abs() < 1e-9);
        assert!((field.length(corner) - SIZE / 2_f64.sqrt()).abs() < 1e-9);
        let (x, y) = field.at((10.0, 45.0 + edge)).unwrap();
        assert!((x - MIDDLE.0).abs() < 1e-9 && (y - TOP).abs() < 1e-9, "{x} {y}");
    }

    proptest! {
        #[test]
        fn what_is_left_of_a_line_is_within_and_on_it(
            from in (-2000_f64..2000.0, -2000_f64..2000.0), to in (-2000_f64..2000.0, -2000_f64..2000.0),
        ) {
            let cross = |(x, y): (f64, f64)| (to.0 - from.0) * (y - from.1) - (to.1 - from.1) * (x - from.0);
            let length = (to.0 - from.0).hypot(to.1 - from.1);
            let steps = (0..=1000_u32).map(|step| f64::from(step) / 1000.0);
            let seen = steps.filter(|share| is_inside((from.0 + share * (to.0 - from.0), from.1 + share * (to.1 - from.1)), 0.0)).count();
            match Extent::FIELD.cut(from, to) {
                Some((one, other)) => {
                    for end in [one, other] {
                        prop_assert!(is_inside(end, -1e-6), "{end:?}");
                        prop_assert!(cross(end).abs() <= 1e-6 * length.max(1.0) * length.max(1.0));
                    }
                    let share = (one.0 - other.0).hypot(one.1 - other.1) / length;
                    prop_assert!((share * 1000.0 - seen as f64).abs() <= 2.0, "{share} {seen}");
                }
                None => prop_assert!(seen <= 1),
            }
        }
    }
}
