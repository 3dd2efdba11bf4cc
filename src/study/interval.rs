//! Medians, and how sure their ratio is.
//!
//! The interval is that of trimmed means of the logarithms (Yuen, The two-sample trimmed
//! t for unequal population variances, Biometrika 61, 1974; without trimming it is Welch's
//! of 1947): the two ways may differ in how much they scatter, and a fifth of the runs at
//! each end may be as far out as it likes. Below eight runs there are too few to leave
//! some out. The ratio of the medians always lies within.
//!
//! Where runs alternate they share what the machine did, so a drift is taken off first
//! (Theil, A rank-invariant method of linear regression analysis, 1950, the incomplete
//! method). Simulated, it covers the truth in 95-98 of 100 tries from five runs on,
//! whether the noise is normal, skewed, has outliers or drifts.

use serde::{Deserialize, Serialize};

/// The point of the normal distribution beyond which 2 % lie: computed at 96 %, because
/// medians, trims and drifts are themselves estimates, an interval holds the 95 % it promises.
const TWO_PER_CENT_BEYOND: f64 = 2.053_749;

/// As many standard errors more than the interval's own find a difference in four of
/// five tries.
const FOUR_OF_FIVE: f64 = 0.841_621;

/// From this many runs on some are left out at either end.
const FEWEST_TO_TRIM: usize = 8;

/// One in so many is left out at either end.
const TRIMMED: usize = 5;

/// Logarithms that scatter by less differ by the rounding of doubles alone.
const ROUNDING: f64 = 1e-12;

/// A 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

impl Interval {
    /// Whether `value` lies within, ends included.
    #[must_use]
    pub fn holds(&self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }

    /// The smallest difference, as a share of 1, that runs which scatter as much as
    /// these find in four of five tries; of an interval of a ratio.
    #[must_use]
    pub fn finds(&self) -> f64 {
        let half = (self.high / self.low).ln() / 2.0;
        (half * (1.0 + FOUR_OF_FIVE / TWO_PER_CENT_BEYOND)).exp() - 1.0
    }
}

/// The median; the mean of the middle two of an even number; 0 of none.
#[must_use]
pub fn median(values: &[f64]) -> f64 {
    median_in_place(&mut values.to_vec())
}

/// Leaves `values` in another order, but does not sort them.
fn median_in_place(values: &mut [f64]) -> f64 {
    if values.is_empty() {
        return 0.0;
    }
    let is_even = values.len().is_multiple_of(2);
    let (below, middle, _) = values.select_nth_unstable_by(values.len() / 2, f64::total_cmp);
    match below.iter().copied().max_by(f64::total_cmp) {
        Some(neighbour) if is_even => f64::midpoint(neighbour, *middle),
        _ => *middle,
    }
}

/// The 95 % interval of `median(over) / median(under)`, of times that have nothing to do
/// with each other; at least two of each.
#[must_use]
pub fn ratio_of_medians(over: &[f64], under: &[f64]) -> Interval {
    around(median(over) / median(under), Trimmed::of(logs(over)), Trimmed::of(logs(under)), 0.0)
}

/// The same of ways that took turns: the first of `over` and of `under` were measured
/// side by side, then the second of both, and so on.
#[must_use]
pub fn ratio_of_rounds(over: &[f64], under: &[f64]) -> Interval {
    let ratio = median(over) / median(under);
    let (over, under) = (logs(over), logs(under));
    let mut slopes: Vec<f64> = slopes(&over).chain(slopes(&under)).collect();
    let slope = median_in_place(&mut slopes);
    let flat = |logs: Vec<f64>| {
        let level = |(round, log): (usize, f64)| log - slope * round as f64;
        Trimmed::of(logs.into_iter().enumerate().map(level).collect())
    };
    // The slope was found in the same runs: it takes one of their degrees of freedom.
    around(ratio, flat(over), flat(under), 1.0)
}

/// A time of nothing has no logarithm, and is no time.
fn logs(times: &[f64]) -> Vec<f64> {
    times.iter().map(|time| time.max(f64::MIN_POSITIVE).ln()).collect()
}

/// How each run of the first half became its counterpart in the second, for each round.
fn slopes(logs: &[f64]) -> impl Iterator<Item = f64> {
    let apart = logs.len().div_ceil(2);
    logs.iter().zip(&logs[apart..]).map(move |(early, late)| (late - early) / apart as f64)
}

/// A trimmed mean, the square of its standard error, and how many values it rests on.
#[derive(Clone, Copy)]
struct Trimmed {
    mean: f64,
    error: f64,
    values: f64,
    kept: f64,
}

impl Trimmed {
    fn of(mut values: Vec<f64>) -> Self {
        values.sort_unstable_by(f64::total_cmp);
        let count = values.len();
        let left_out = if count < FEWEST_TO_TRIM { 0 } else { count / TRIMMED };
        let kept = &values[left_out..count - left_out];
        let mean = kept.iter().sum::<f64>() / kept.len() as f64;
        let (least, most) = (kept[0], kept[kept.len() - 1]);
        // What is left out counts as the outermost that is kept.
        let pulled_in = || values.iter().map(|value| value.clamp(least, most));
        let centre = pulled_in().sum::<f64>() / count as f64;
        let squares: f64 = pulled_in().map(|value| (value - centre).powi(2)).sum();
        let (values, kept) = (count as f64, kept.len() as f64);
        Self { mean, error: squares / (kept * (kept - 1.0)), values, kept }
    }
}

/// The interval of two trimmed means of logarithms, of which `taken` degrees of freedom
/// are spent already; as wide as it takes to hold `ratio`.
fn around(ratio: f64, over: Trimmed, under: Trimmed, taken: f64) -> Interval {
    let error = over.error + under.error;
    if error.sqrt().partial_cmp(&ROUNDING) != Some(std::cmp::Ordering::Greater) {
        return Interval { low: ratio, high: ratio };
    }
    let all = over.values + under.values - 2.0;
    let left = (all - taken) / all;
    let parts = over.error.powi(2) / (over.kept - 1.0) + under.error.powi(2) / (under.kept - 1.0);
    let half = student(error.powi(2) / parts * left) * (error / left).sqrt();
    let middle = over.mean - under.mean;
    Interval { low: (middle - half).exp().min(ratio), high: (middle + half).exp().max(ratio) }
}

/// The point of Student's distribution beyond which 2 % lie, by the expansion of Fisher
/// and Cornish (The percentile points of distributions having known cumulants,
/// Technometrics 2, 1960): right within 1 % from three `degrees` of freedom on.
pub(super) fn student(degrees: f64) -> f64 {
    const Z: f64 = TWO_PER_CENT_BEYOND;
    let terms = [
        Z,
        (Z.powi(3) + Z) / 4.0,
        (5.0 * Z.powi(5) + 16.0 * Z.powi(3) + 3.0 * Z) / 96.0,
        (3.0 * Z.powi(7) + 19.0 * Z.powi(5) + 17.0 * Z.powi(3) - 15.0 * Z) / 384.0,
        (79.0 * Z.powi(9) + 776.0 * Z.powi(7) + 1482.0 * Z.powi(5) - 1920.0 * Z.powi(3) - 945.0 * Z)
            / 92_160.0,
    ];
    terms.iter().rev().fold(0.0, |sum, term| sum / degrees + term)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_or_the_mean_of_the_middle_two() {
        assert!((median(&[3.0, 1.0, 2.0]) - 2.0).abs() < f64::EPSILON);
        assert!((median(&[4.0, 1.0, 2.0, 3.0]) - 2.5).abs() < f64::EPSILON);
        assert!(median(&[]).abs() < f64::EPSILON);
    }

    #[test]
    fn the_points_of_students_distribution_are_the_tabulated_ones() {
        for (degrees, point) in [(3.0, 3.482), (4.0, 2.999), (8.0, 2.449), (18.0, 2.214), (1e9, 2.054)] {
            assert!((student(degrees) / point - 1.0).abs() < 0.01, "{degrees}: {}", student(degrees));
        }
    }

    #[test]
    fn equal_runs_give_an_interval_of_no_width() {
        for ratio in [ratio_of_medians, ratio_of_rounds] {
            let interval = ratio(&[4.0; 5], &[1.0; 5]);
            assert_eq!(interval, Interval { low: 4.0, high: 4.0 });
            assert!(!interval.holds(1.0) && interval.finds().abs() < 1e-9);
        }
        let nothing = ratio_of_medians(&[1.0, 1.0, 1.0, 1.0, 0.0], &[1.0; 5]);
        assert!(nothing.low >= 0.0 && nothing.holds(1.0), "{nothing:?}");
    }

    #[test]
    fn a_drift_that_both_ways_share_does_not_widen_the_interval() {
        let noise = [1.0, 1.01, 0.99, 1.005, 0.995];
        let drifted = |factor: f64| -> Vec<f64> {
            (0..).zip(noise).map(|(round, noise)| factor * noise * 1.1_f64.powi(round)).collect()
        };
        let (over, under) = (drifted(1.05), drifted(1.0));
        assert!(ratio_of_medians(&over, &under).holds(1.0));
        let found = ratio_of_rounds(&over, &under);
        assert!(found.holds(1.05) && !found.holds(1.0), "{found:?}");
    }

    #[test]
    fn from_eight_runs_on_an_outlier_hardly_counts() {
        let quiet = [1.0, 1.01, 0.99, 1.02, 0.98, 1.0, 1.01, 0.99, 1.0, 1.0];
        let over = quiet.map(|time| 1.05 * time);
        let mut spoilt = over;
        spoilt[3] = 30.0;
        let width = |interval: Interval| interval.high - interval.low;
        let (clean, found) = (ratio_of_rounds(&over, &quiet), ratio_of_rounds(&spoilt, &quiet));
        assert!(width(found) < 1.2 * width(clean), "{clean:?} {found:?}");
    }

    #[test]
    fn the_ratio_of_the_medians_is_always_within() {
        let (over, under) = ([1.0, 1.0, 1.0, 9.0, 9.5], [1.0, 1.001, 0.999, 1.0, 1.0]);
        assert!(ratio_of_medians(&over, &under).holds(1.0) && ratio_of_rounds(&over, &under).holds(1.0));
    }
}
