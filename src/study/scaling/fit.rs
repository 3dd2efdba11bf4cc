//! Amdahl's and Gunther's law fitted to measured speed-ups, and what follows
//! from them.
//!
//! Does not know where the points come from.

use std::fmt;

use super::READING_ERROR;
use super::gauss_newton::{Curve, nearest};
use crate::numbers;

/// A curve further from the points than this share of their mean explains none of them.
const FURTHEST_OFF: f64 = 0.1;

/// What is said of a width, or a speed-up, so many times the widest that was measured is a
/// guess.
const FURTHEST_BEYOND: f64 = 100.0;

/// A law of how the speed-up grows with the width.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Law {
    /// A share of the work is serial (Amdahl, Validity of the single processor
    /// approach, AFIPS 1967): `S(N) = gamma N / (1 + alpha (N - 1))`.
    Amdahl,
    /// The universal scalability law (Gunther, Guerrilla Capacity Planning,
    /// 2007, chapter 4), which can also fall:
    /// `S(N) = gamma N / (1 + alpha (N - 1) + beta N (N - 1))`.
    Usl,
}

/// A law with the values that come nearest to what was measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fit {
    /// Which law.
    pub law: Law,
    /// The serial share, or contention: from 0, as a share of 1.
    pub alpha: f64,
    /// Coherency: what each pair of workers costs; 0 in Amdahl's law.
    pub beta: f64,
    /// The rate of one worker, in the unit of the points: about 1 for speed-ups.
    pub gamma: f64,
    /// The narrowest width it rests on.
    pub from: usize,
    /// The widest width it rests on; what is said beyond is extrapolated.
    pub to: usize,
    /// How far the points are from the curve: root of the mean squared distance,
    /// as a share of the mean rate.
    pub off: f64,
}

/// Why there is no fit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum NoFit {
    /// There are fewer different widths than the law takes.
    TooFew {
        /// Which law was to be fitted.
        law: Law,
        /// How many different widths there are.
        widths: usize,
    },
    /// The points lie on no such curve.
    NoCurve(Law),
    /// The nearest curve is far from the points.
    FarOff {
        /// Which law was to be fitted.
        law: Law,
        /// How far, as [`Fit::off`] says it.
        off: f64,
    },
    /// No width was faster than what speed-ups are relative to, named here.
    Slower(&'static str),
    /// A width was faster than so many slots can be.
    Beyond,
}

impl Law {
    /// How many different widths a fit takes: one more than it has unknowns.
    #[must_use]
    pub const fn fewest_widths(self) -> usize {
        match self {
            Self::Amdahl => 3,
            Self::Usl => 4,
        }
    }
}

impl fmt::Display for Law {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Amdahl => "Amdahl",
            Self::Usl => "USL",
        })
    }
}

impl Fit {
    /// Fits `law` to `points`: widths, and rates of any unit (speed-ups, tasks a
    /// second). Non-linear least squares of the rates.
    ///
    /// # Errors
    /// When there are too few different widths, the points determine no curve, or the
    /// nearest one is more than a tenth off, or ends below what was measured.
    pub fn new(law: Law, points: &[(usize, f64)]) -> Result<Self, NoFit> {
        let mut widths: Vec<usize> = points.iter().map(|&(width, _)| width).collect();
        widths.sort_unstable();
        widths.dedup();
        if widths.len() < law.fewest_widths() {
            return Err(NoFit::TooFew { law, widths: widths.len() });
        }
        let floats: Vec<(f64, f64)> = points.iter().map(|&(width, rate)| (width as f64, rate)).collect();
        let curve = nearest(&floats, law == Law::Usl).ok_or(NoFit::NoCurve(law))?;
        let count = points.len() as f64;
        let mean = points.iter().map(|&(_, rate)| rate).sum::<f64>() / count;
        let off = (curve.error(&floats) / count).sqrt() / mean;
        let fit = Self {
            law,
            alpha: curve.alpha,
            beta: curve.beta,
            gamma: curve.gamma,
            from: widths[0],
            to: widths[widths.len() - 1],
            off,
        };
        let best = points.iter().map(|&(_, rate)| rate).fold(0.0, f64::max);
        let ends_below = fit.limit().is_some_and(|limit| limit * READING_ERROR < best);
        if off > FURTHEST_OFF || ends_below { Err(NoFit::FarOff { law, off }) } else { Ok(fit) }
    }

    /// The rate at `width`, of which parts are allowed, for a curve.
    #[must_use]
    pub fn at(&self, width: f64) -> f64 {
        let Self { alpha, beta, gamma, .. } = *self;
        Curve { alpha, beta, gamma }.at(width)
    }

    /// Whether `width` lies outside of what was measured.
    #[must_use]
    pub fn is_extrapolated(&self, width: f64) -> bool {
        width < self.from as f64 || width > self.to as f64
    }

    /// What the rate comes near to, however wide: `gamma / alpha`; `None` where it
    /// grows without limit, falls in the end, or the limit is out of sight.
    #[must_use]
    pub fn limit(&self) -> Option<f64> {
        let rises = self.beta == 0.0 && self.alpha < 1.0;
        let limit = (rises && self.alpha > 0.0).then(|| self.gamma / self.alpha)?;
        (limit <= self.gamma * self.furthest()).then_some(limit)
    }

    /// The width with the highest rate, `sqrt((1 - alpha) / beta)`, at least 1;
    /// `None` where the rate never falls, or only out of sight.
    #[must_use]
    pub fn best_width(&self) -> Option<f64> {
        if self.alpha >= 1.0 {
            return Some(1.0);
        }
        let width = (self.beta > 0.0).then(|| ((1.0 - self.alpha) / self.beta).sqrt().max(1.0))?;
        (width <= self.furthest()).then_some(width)
    }

    /// The widest width that what was measured says anything of.
    fn furthest(&self) -> f64 {
        FURTHEST_BEYOND * self.to as f64
    }
}

impl fmt::Display for NoFit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooFew { law, widths } => {
                let needed = law.fewest_widths();
                write!(f, "{law}: not fitted: it takes {needed} different widths, and {widths} count")
            }
            Self::NoCurve(law) => write!(f, "{law}: does not fit: the points lie on no such curve"),
            Self::FarOff { law, off } => {
                write!(f, "{law}: does not fit: the nearest curve is {} off", numbers::percent(*off))
            }
            Self::Slower(base) => write!(f, "slower than {base} at every width: no law fits"),
            Self::Beyond => f.write_str("faster than the slots allow: no law fits"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPECSDM91: [(usize, f64); 7] =
        [(1, 64.9), (18, 995.9), (36, 1652.4), (72, 1853.2), (108, 1828.9), (144, 1775.0), (216, 1702.2)];

    #[test]
    fn the_best_width_of_specsdm91_is_the_published_one() {
        let fit = Fit::new(Law::Usl, &SPECSDM91).unwrap();
        let best = fit.best_width().unwrap();
        assert!((best - 96.52).abs() < 0.01, "{best}");
        assert!((fit.at(best) - 1_884.6).abs() < 1.0, "{}", fit.at(best));
        assert_eq!((fit.from, fit.to), (1, 216));
        assert!(fit.limit().is_none() && fit.off < 0.05, "{fit:?}");
    }

    #[test]
    fn amdahls_limit_is_the_inverse_of_the_serial_share() {
        let points = [1, 2, 4, 8].map(|width| (width, width as f64 / (1.0 + 0.078 * (width as f64 - 1.0))));
        let fit = Fit::new(Law::Amdahl, &points).unwrap();
        assert!((fit.limit().unwrap() - 1.0 / 0.078).abs() < 1e-6);
        assert_eq!(fit.best_width(), None);
        assert!(fit.is_extrapolated(9.0) && !fit.is_extrapolated(8.0) && !fit.is_extrapolated(1.0));
    }

    #[test]
    fn too_few_widths_are_refused_however_often_each_was_measured() {
        let points = [(1, 1.0), (2, 1.9), (2, 1.8), (1, 1.0), (4, 3.5)];
        assert_eq!(Fit::new(Law::Usl, &points), Err(NoFit::TooFew { law: Law::Usl, widths: 3 }));
        assert!(Fit::new(Law::Amdahl, &points).is_ok());
        assert_eq!(
            Fit::new(Law::Amdahl, &points[..2]).unwrap_err().to_string(),
            "Amdahl: not fitted: it takes 3 different widths, and 2 count"
        );
    }

    #[test]
    fn what_lies_on_no_curve_is_refused() {
        let zigzag = [(1, 1.0), (2, 3.0), (4, 0.7), (8, 5.0), (16, 0.5)];
        for law in [Law::Amdahl, Law::Usl] {
            let refused = Fit::new(law, &zigzag).unwrap_err();
            assert!(matches!(refused, NoFit::FarOff { off, .. } if off > 0.2), "{refused:?}");
            let told = refused.to_string();
            assert!(told.starts_with(&format!("{law}: does not fit: the nearest curve is ")), "{told}");
        }
    }

    #[test]
    fn neither_a_limit_nor_a_best_width_is_told_beyond_a_hundred_times_the_widest() {
        let on = |alpha: f64, beta: f64| {
            let curve = Curve { alpha, beta, gamma: 1.0 };
            [1, 2, 4, 8].map(|width| (width, curve.at(width as f64)))
        };
        let nearly_ideal = Fit::new(Law::Amdahl, &on(1e-4, 0.0)).unwrap();
        assert!(nearly_ideal.alpha > 0.0 && nearly_ideal.limit().is_none(), "{nearly_ideal:?}");
        assert!(Fit::new(Law::Amdahl, &on(2e-3, 0.0)).unwrap().limit().is_some());
        let falls_far_out = Fit::new(Law::Usl, &on(0.0, 1e-7)).unwrap();
        assert!(falls_far_out.beta > 0.0 && falls_far_out.best_width().is_none(), "{falls_far_out:?}");
        assert!(Fit::new(Law::Usl, &on(0.0, 1e-5)).unwrap().best_width().is_some());
    }

    #[test]
    fn a_slowdown_is_best_alone() {
        let speedup = |n: f64| n / (1.0 + 0.5 * (n - 1.0) + 0.6 * n * (n - 1.0));
        let points = [1, 2, 3, 4].map(|width| (width, speedup(width as f64)));
        let fit = Fit::new(Law::Usl, &points).unwrap();
        assert!((fit.best_width().unwrap() - 1.0).abs() < 1e-9, "{fit:?}");
    }
}
