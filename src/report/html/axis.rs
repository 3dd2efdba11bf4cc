//! The axes of the report's pictures, with ticks at round numbers.
//!
//! Does not know what is drawn.

use crate::report::timeline::{TimeUnit, round_step};
use crate::svg::{Anchor, Svg};

/// Where the name of a vertical axis begins, left of the picture.
const BESIDE: f64 = 44.0;

/// Values from 0 to `most` along the picture from `from` to `to`: per cent across, pixels
/// down.
#[derive(Clone, Copy, Debug)]
pub(super) struct Axis {
    from: f64,
    to: f64,
    /// The last value.
    pub(super) most: f64,
    step: f64,
}

impl Axis {
    /// An axis that ends exactly at `most`, with about `n_ticks` ticks.
    pub(super) fn exact(from: f64, to: f64, most: f64, n_ticks: f64) -> Self {
        let most = if most.is_finite() && most > 0.0 { most } else { 1.0 };
        Self { from, to, most, step: round_step(most / n_ticks) }
    }

    /// An axis that ends at the first tick not below `most`.
    pub(super) fn rounded(from: f64, to: f64, most: f64, n_ticks: f64) -> Self {
        let exact = Self::exact(from, to, most, n_ticks);
        Self { most: (exact.most / exact.step - 1e-9).ceil() * exact.step, ..exact }
    }

    /// An axis of whole numbers.
    pub(super) fn counts(from: f64, to: f64, most: f64, n_ticks: f64) -> Self {
        let exact = Self::exact(from, to, most.max(1.0), n_ticks);
        // Of the round steps only 2.5 times a power of ten may not be whole.
        let step = match exact.step {
            step if step < 1.0 => 1.0,
            step if step.fract() > 0.0 => 2.0 * step,
            step => step,
        };
        Self { most: (exact.most / step - 1e-9).ceil() * step, step, ..exact }
    }

    /// The place of `value`; what is beyond an end is put there.
    pub(super) fn at(&self, value: f64) -> f64 {
        self.from + (self.to - self.from) * (value / self.most).clamp(0.0, 1.0)
    }

    /// The round values from 0 on.
    fn ticks(&self) -> Vec<f64> {
        (0..1000)
            .map(|number| f64::from(number) * self.step)
            .take_while(|value| *value <= self.most * (1.0 + 1e-9))
            .collect()
    }

    /// A tick's number, with as many decimals as the step has.
    fn label(&self, value: f64) -> String {
        if value == 0.0 {
            return "0".to_owned();
        }
        let decimals = (0..6_usize).find(|&n| {
            let scaled = self.step * 10_f64.powf(n as f64);
            (scaled - scaled.round()).abs() < 1e-6 * scaled
        });
        format!("{value:.*}", decimals.unwrap_or(6))
    }

    /// Draws it as the horizontal one below a picture between `top` and `bottom`.
    pub(super) fn draw_below(&self, svg: &mut Svg, top: f64, bottom: f64, name: &str) {
        for tick in self.ticks() {
            let x = self.at(tick);
            svg.line("grid", (x, top), (x, bottom));
            svg.text("tick", (x, bottom + 15.0), Anchor::Middle, &self.label(tick));
        }
        svg.text("label", (self.to, bottom + 31.0), Anchor::End, name);
    }

    /// Draws it as the vertical one left of a picture: what it is of, above its ticks.
    pub(super) fn draw_beside(&self, svg: &mut Svg, name: &str) {
        for tick in self.ticks() {
            let y = self.at(tick);
            svg.line("grid", (0.0, y), (100.0, y));
            svg.text_beside("tick", (0.0, y + 4.0), -6.0, Anchor::End, &self.label(tick));
        }
        svg.text_beside("label", (0.0, self.to - 12.0), -BESIDE, Anchor::Start, name);
    }
}

/// An axis of time across a picture, told in the unit that reads best.
#[derive(Clone, Copy, Debug)]
pub(super) struct TimeAxis {
    axis: Axis,
    unit: TimeUnit,
}

/// About so many ticks are on an axis of time: their numbers stay apart on a telephone.
const TICKS: f64 = 5.0;

impl TimeAxis {
    /// One across the whole picture that ends exactly at `most` seconds.
    pub(super) fn exact(most: f64) -> Self {
        let unit = TimeUnit::of(most);
        Self { axis: Axis::exact(0.0, 100.0, unit.scaled(most), TICKS), unit }
    }

    /// One that ends at the first tick not below `most` seconds.
    pub(super) fn rounded(most: f64) -> Self {
        let unit = TimeUnit::of(most);
        Self { axis: Axis::rounded(0.0, 100.0, unit.scaled(most), TICKS), unit }
    }

    /// The place of a moment; what is beyond an end is put there.
    pub(super) fn at(&self, seconds: f64) -> f64 {
        self.axis.at(self.unit.scaled(seconds))
    }

    /// A time as a share of the axis.
    pub(super) fn share(&self, seconds: f64) -> f64 {
        self.unit.scaled(seconds) / self.axis.most
    }

    /// Draws it below a picture between `top` and `bottom`: what lasts so long.
    pub(super) fn draw_below(&self, svg: &mut Svg, top: f64, bottom: f64, what: &str) {
        self.axis.draw_below(svg, top, bottom, &format!("{what}, {}", self.unit.name));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn labels(axis: &Axis) -> Vec<String> {
        axis.ticks().into_iter().map(|tick| axis.label(tick)).collect()
    }

    #[test]
    fn ticks_are_round_numbers() {
        assert_eq!(
            labels(&Axis::exact(0.0, 100.0, 1.25, 5.0)),
            ["0", "0.25", "0.50", "0.75", "1.00", "1.25"]
        );
        assert_eq!(labels(&Axis::rounded(0.0, 100.0, 730.0, 4.0)), ["0", "200", "400", "600", "800"]);
        assert_eq!(labels(&Axis::counts(0.0, 100.0, 2.0, 5.0)), ["0", "1", "2"]);
        assert_eq!(labels(&Axis::counts(0.0, 100.0, 10.0, 4.0)), ["0", "5", "10"]);
        assert_eq!(labels(&Axis::exact(0.0, 100.0, 0.0, 5.0)).len(), 6);
    }

    proptest! {
        #[test]
        fn every_axis_has_a_few_ticks_within_it(most in 1e-9_f64..1e12) {
            for axis in [Axis::exact(0.0, 500.0, most, 5.0), Axis::rounded(0.0, 500.0, most, 5.0)] {
                let ticks = axis.ticks();
                prop_assert!((3..=7).contains(&ticks.len()), "{ticks:?}");
                prop_assert!(axis.at(most) <= 500.0 && axis.at(*ticks.last().unwrap()) <= 500.0);
            }
        }
    }
}
