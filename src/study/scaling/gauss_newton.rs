//! Least squares for Gunther's law by Gauss and Newton's method, with alpha from zero
//! to one and beta not below zero.
//!
//! The method is that of Björck, Numerical Methods for Least Squares Problems
//! (1996), section 9.2: the residuals are linearised, the linear problem is
//! solved, and the step is halved until it leads downhill. Knows nothing of
//! studies; three numbers at most are sought, so there is no matrix library.

use std::array;

/// `X(N) = gamma N / (1 + alpha (N - 1) + beta N (N - 1))`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Curve {
    pub(super) alpha: f64,
    pub(super) beta: f64,
    pub(super) gamma: f64,
}

/// Steps are far fewer: it converges quadratically or not at all.
const MOST_STEPS: usize = 200;

/// A step this small, relative to the values, changes nothing that is shown.
const SMALL: f64 = 1e-13;

/// A step is halved this often before it counts as leading nowhere.
const HALVINGS: usize = 40;

impl Curve {
    pub(super) fn at(self, width: f64) -> f64 {
        self.gamma * width / self.denominator(width)
    }

    fn denominator(self, width: f64) -> f64 {
        1.0 + self.alpha * (width - 1.0) + self.beta * width * (width - 1.0)
    }

    /// The sum of the squared distances from `points`.
    pub(super) fn error(self, points: &[(f64, f64)]) -> f64 {
        points.iter().map(|&(width, rate)| (rate - self.at(width)).powi(2)).sum()
    }

    fn values(self) -> [f64; 3] {
        [self.alpha, self.beta, self.gamma]
    }

    /// How `X(width)` changes with alpha, beta and gamma.
    fn gradient(self, width: f64) -> [f64; 3] {
        let (denominator, rate) = (self.denominator(width), self.at(width));
        let by_alpha = -rate * (width - 1.0) / denominator;
        [by_alpha, by_alpha * width, width / denominator]
    }
}

impl From<[f64; 3]> for Curve {
    fn from([alpha, beta, gamma]: [f64; 3]) -> Self {
        Self { alpha, beta, gamma }
    }
}

/// Which values are sought; those that are not stay at a bound.
#[derive(Clone, Copy)]
struct Sought {
    free: [bool; 3],
    /// Where alpha stays, if it is not free.
    alpha: f64,
}

/// The curve nearest to `points` (width, rate) with its beta free or zero;
/// `None` where the points do not determine one.
///
/// The least squares with bounds lie in the open or on a bound, so each set of
/// values that may be at one is tried and the nearest sound curve is taken.
pub(super) fn nearest(points: &[(f64, f64)], beta_is_free: bool) -> Option<Curve> {
    let sets = [(true, 0.0), (false, 0.0), (false, 1.0)].into_iter().flat_map(|(alpha_is_free, alpha)| {
        [true, false].map(|beta| Sought { free: [alpha_is_free, beta, true], alpha })
    });
    sets.filter(|sought| beta_is_free || !sought.free[1])
        .filter_map(|sought| descend(points, start(points, sought)?, sought.free))
        .min_by(|one, other| one.error(points).total_cmp(&other.error(points)))
}

/// The answer of a linear problem nearby: `N / X` is linear in `1 / gamma`,
/// `alpha / gamma` and `beta / gamma`. Errors of `N / X` weigh as much as those
/// of `X` when multiplied with `X^2 / N`.
fn start(points: &[(f64, f64)], Sought { free, alpha: bound }: Sought) -> Option<Curve> {
    let bound = if free[0] { 0.0 } else { bound };
    let equations = points.iter().map(|&(width, rate)| {
        let weight = rate * rate / width;
        let of_one = 1.0 + bound * (width - 1.0);
        let factors = [width - 1.0, width * (width - 1.0), of_one].map(|factor| factor * weight);
        (factors, width / rate * weight)
    });
    let [alpha, beta, inverse] = least_squares(equations, free)?;
    let alpha = if free[0] { (alpha / inverse).clamp(0.0, 1.0) } else { bound };
    (inverse > 0.0).then(|| Curve::from([alpha, (beta / inverse).max(0.0), 1.0 / inverse]))
}

/// Goes downhill from `curve` with the values that are `free`.
fn descend(points: &[(f64, f64)], mut curve: Curve, free: [bool; 3]) -> Option<Curve> {
    for _ in 0..MOST_STEPS {
        let equations = points.iter().map(|&(width, rate)| (curve.gradient(width), rate - curve.at(width)));
        let step = least_squares(equations, free)?;
        let here = curve.error(points);
        let lower = (0..HALVINGS)
            .map(|halvings| moved(curve, step, 0.5_f64.powi(i32::try_from(halvings).unwrap_or(0))))
            .find(|there| there.gamma > 0.0 && there.error(points) < here);
        let Some(there) = lower else { break };
        let far = curve.values().into_iter().zip(there.values());
        let is_small = far.into_iter().all(|(one, other)| (one - other).abs() <= SMALL * other.abs());
        curve = there;
        if is_small {
            break;
        }
    }
    curve.values().iter().all(|value| value.is_finite()).then_some(curve)
}

/// A step cut off at the bounds.
fn moved(curve: Curve, step: [f64; 3], share: f64) -> Curve {
    let [alpha, beta, gamma] = curve.values();
    Curve {
        alpha: (alpha + share * step[0]).clamp(0.0, 1.0),
        beta: (beta + share * step[1]).max(0.0),
        gamma: gamma + share * step[2],
    }
}

/// The values, zero where not free, that come nearest to fulfilling `equations`
/// (factors, right side), by the normal equations with each column scaled to
/// unit length; `None` where they do not determine the values.
fn least_squares(equations: impl Iterator<Item = ([f64; 3], f64)>, free: [bool; 3]) -> Option<[f64; 3]> {
    let equations: Vec<([f64; 3], f64)> = equations.collect();
    let lengths: [f64; 3] = array::from_fn(|column| {
        equations.iter().map(|(factors, _)| factors[column].powi(2)).sum::<f64>().sqrt()
    });
    let mut matrix = [[0.0; 4]; 3];
    for (row, line) in matrix.iter_mut().enumerate() {
        if !free[row] {
            line[row] = 1.0;
            continue;
        }
        for (factors, right) in &equations {
            for column in (0..3).filter(|column| free[*column]) {
                line[column] += factors[row] / lengths[row] * factors[column] / lengths[column];
            }
            line[3] += factors[row] / lengths[row] * right;
        }
    }
    let scaled = solve(matrix)?;
    Some(array::from_fn(|column| if free[column] { scaled[column] / lengths[column] } else { 0.0 }))
}

/// Gauss's elimination with the largest pivot; `None` where there is none to speak of.
fn solve(mut matrix: [[f64; 4]; 3]) -> Option<[f64; 3]> {
    for column in 0..3 {
        let pivot = (column..3)
            .max_by(|&one, &other| matrix[one][column].abs().total_cmp(&matrix[other][column].abs()))?;
        // Of columns of unit length, so this is the rounding of doubles; NaN fails it, too.
        let is_sound = matrix[pivot][column].abs() > 1e-13;
        if !is_sound {
            return None;
        }
        matrix.swap(column, pivot);
        let top = matrix[column];
        for (row, line) in matrix.iter_mut().enumerate() {
            if row != column {
                let factor = line[column] / top[column];
                line.iter_mut().zip(top).for_each(|(value, above)| *value -= factor * above);
            }
        }
    }
    Some(array::from_fn(|row| matrix[row][3] / matrix[row][row]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Throughput of a SPEC SDM91 benchmark by load: the data set `specsdm91`
    /// of the R package `usl`, from Gunther, Guerrilla Capacity Planning (2007),
    /// section 5.4.
    const SPECSDM91: [(f64, f64); 7] = [
        (1.0, 64.9),
        (18.0, 995.9),
        (36.0, 1652.4),
        (72.0, 1853.2),
        (108.0, 1828.9),
        (144.0, 1775.0),
        (216.0, 1702.2),
    ];

    #[test]
    fn the_published_values_of_specsdm91_are_found() {
        let Curve { alpha, beta, gamma } = nearest(&SPECSDM91, true).unwrap();
        assert_eq!(format!("{alpha:.7} {beta:.7} {gamma:.6}"), "0.0277285 0.0001044 89.995233");
        // Solved with 40 digits; shorter forms of it are cut off or rounded.
        assert!((beta - 0.000_104_365_483_844).abs() < 1e-12, "{beta}");
    }

    #[test]
    fn without_coherency_the_nearest_is_amdahls_law() {
        let points = [1.0, 2.0, 4.0, 8.0].map(|n: f64| (n, n / (1.0 + 0.1 * (n - 1.0))));
        let curve = nearest(&points, false).unwrap();
        assert!((curve.alpha - 0.1).abs() < 1e-9 && (curve.gamma - 1.0).abs() < 1e-9, "{curve:?}");
        assert!(curve.beta == 0.0);
    }

    #[test]
    fn speed_beyond_the_ideal_is_no_negative_share() {
        let points = [(1.0, 1.0), (2.0, 2.1), (4.0, 4.5), (8.0, 9.5)];
        let curve = nearest(&points, true).unwrap();
        assert!(curve.alpha == 0.0 && curve.beta == 0.0 && curve.gamma > 1.0, "{curve:?}");
    }

    #[test]
    fn no_gain_at_all_is_all_serial_and_no_more() {
        let points = [(1.0, 1.01), (2.0, 0.99), (4.0, 0.98), (8.0, 0.96)];
        for beta_is_free in [false, true] {
            let curve = nearest(&points, beta_is_free).unwrap();
            assert!(curve.alpha <= 1.0 && curve.error(&points) < 2e-3, "{curve:?}");
        }
        assert!((nearest(&points, false).unwrap().alpha - 1.0).abs() < 1e-12);
    }

    #[test]
    fn points_of_one_width_determine_nothing() {
        let free = [true, false, true];
        assert_eq!(least_squares([([0.0, 0.0, 1.0], 2.0), ([0.0, 0.0, 1.0], 3.0)].into_iter(), free), None);
    }

    proptest! {
        #[test]
        fn a_curve_without_noise_is_found_again(alpha in 0.0..0.9_f64, beta in 0.0..0.05_f64, gamma in 0.5..2.0_f64) {
            let drawn = Curve { alpha, beta, gamma };
            let points: Vec<(f64, f64)> =
                [1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 16.0].into_iter().map(|n| (n, drawn.at(n))).collect();
            let found = nearest(&points, true).unwrap();
            prop_assert!((found.alpha - alpha).abs() < 1e-6, "{drawn:?} {found:?}");
            prop_assert!((found.beta - beta).abs() < 1e-6, "{drawn:?} {found:?}");
            prop_assert!((found.gamma - gamma).abs() < 1e-6, "{drawn:?} {found:?}");
        }

        #[test]
        fn whatever_is_measured_the_curve_is_sound(rates in prop::collection::vec(1e-3..1e3_f64, 4..9)) {
            let points: Vec<(f64, f64)> = (1..).map(f64::from).zip(rates).collect();
            if let Some(Curve { alpha, beta, gamma }) = nearest(&points, true) {
                prop_assert!((0.0..=1.0).contains(&alpha) && beta >= 0.0 && gamma > 0.0);
                prop_assert!(alpha.is_finite() && beta.is_finite() && gamma.is_finite());
            }
        }
    }
}
