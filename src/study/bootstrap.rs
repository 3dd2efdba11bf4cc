//! Medians, and how sure their ratio is: the percentile bootstrap (Efron and
//! Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13), expanded for
//! few runs (Hesterberg, What Teachers Should Know About the Bootstrap, The
//! American Statistician 69, 2015, section 4.4).

use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt as _, SeedableRng as _};
use serde::{Deserialize, Serialize};

/// How many times the runs are drawn again.
const RESAMPLES: usize = 5000;

/// Of so many runs medians differ by next to nothing, and drawing them all again
/// would take minutes.
const MOST_RUNS: usize = 10_000;

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
}

/// The median; the mean of the middle two of an even number; 0 of none.
#[must_use]
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    median_in_place(&mut sorted)
}

/// Leaves `values` in another order, but does not sort them: it is called ten
/// thousand times for an interval.
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

/// The 95 % interval of `median(over) / median(under)`; both must hold values.
///
/// The two are drawn again independently, although neighbouring runs share what
/// the machine did: of five pairs drawn together too few medians differ to make
/// an interval that is wide enough. The same figures give the same interval on
/// every machine.
#[must_use]
pub fn ratio_of_medians(over: &[f64], under: &[f64]) -> Interval {
    let [over, under] = [over, under].map(|values| {
        let step = values.len().div_ceil(MOST_RUNS).max(1);
        values.iter().copied().step_by(step).collect::<Vec<f64>>()
    });
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(0x7061_7273_696d);
    let mut room = vec![0.0; over.len().max(under.len())];
    let mut redrawn = |values: &[f64]| {
        let drawn = &mut room[..values.len()];
        drawn.fill_with(|| values[rng.random_range(0..values.len())]);
        median_in_place(drawn)
    };
    let mut ratios: Vec<f64> = (0..RESAMPLES).map(|_| redrawn(&over) / redrawn(&under)).collect();
    ratios.sort_unstable_by(f64::total_cmp);
    let tail = tail(over.len().min(under.len()));
    Interval { low: ratios[tail], high: ratios[RESAMPLES - 1 - tail] }
}

/// How many of the resamples lie on each side of the interval of `runs` runs:
/// the share is the normal tail beyond `sqrt(n / (n - 1)) t(0.975, n - 1)`.
fn tail(runs: usize) -> usize {
    const SHARES: [f64; 26] = [
        0.000_954, 0.002_43, 0.004_11, 0.005_74, 0.007_23, 0.008_55, 0.009_72, 0.010_76, 0.011_67, 0.012_48,
        0.013_21, 0.013_86, 0.014_44, 0.014_97, 0.015_44, 0.015_88, 0.016_28, 0.016_65, 0.016_98, 0.017_29,
        0.017_58, 0.017_85, 0.018_10, 0.018_33, 0.018_55, 0.018_75,
    ];
    let share = match runs {
        ..5 => SHARES[0],
        5..=30 => SHARES[runs - 5],
        // Beyond the table what is missing to 0.025 goes down with the number of runs.
        _ => 0.025 - (0.025 - SHARES[25]) * 30.0 / runs as f64,
    };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few hundred")]
    let resamples = (share * RESAMPLES as f64) as usize;
    resamples
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
    fn equal_runs_give_an_interval_of_no_width() {
        let interval = ratio_of_medians(&[4.0; 5], &[1.0; 5]);
        assert_eq!(interval, Interval { low: 4.0, high: 4.0 });
        assert!(!interval.holds(1.0));
    }

    #[test]
    fn the_interval_is_the_same_every_time() {
        let over = [1.0, 1.2, 0.9, 1.1, 1.3];
        let under = [1.1, 1.0, 1.2, 0.8, 1.0];
        assert_eq!(ratio_of_medians(&over, &under), ratio_of_medians(&over, &under));
        assert!(ratio_of_medians(&over, &under).holds(1.0));
    }
}
