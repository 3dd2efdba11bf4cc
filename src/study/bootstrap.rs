//! Medians, and how sure their ratio is: the percentile bootstrap (Efron and
//! Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13).

use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt as _, SeedableRng as _};
use serde::{Deserialize, Serialize};

/// How many times the runs are drawn again.
const RESAMPLES: usize = 4000;

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

fn median_in_place(values: &mut [f64]) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => 0.0,
        n if n.is_multiple_of(2) => f64::midpoint(values[middle - 1], values[middle]),
        _ => values[middle],
    }
}

/// The 95 % interval of `median(over) / median(under)`.
///
/// Runs made next to each other share what the machine did at the time, so
/// pairs are drawn together where both ways ran equally often. The same figures
/// give the same interval on every machine.
#[must_use]
pub fn ratio_of_medians(over: &[f64], under: &[f64]) -> Interval {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(0x7061_7273_696d);
    let paired = over.len() == under.len();
    let mut draw_over = vec![0.0; over.len()];
    let mut draw_under = vec![0.0; under.len()];
    let mut ratios: Vec<f64> = (0..RESAMPLES)
        .map(|_| {
            for (index, value) in draw_over.iter_mut().enumerate() {
                let drawn = rng.random_range(0..over.len());
                *value = over[drawn];
                if paired {
                    draw_under[index] = under[drawn];
                }
            }
            if !paired {
                draw_under.fill_with(|| under[rng.random_range(0..under.len())]);
            }
            median_in_place(&mut draw_over) / median_in_place(&mut draw_under)
        })
        .collect();
    ratios.sort_unstable_by(f64::total_cmp);
    Interval { low: ratios[RESAMPLES / 40], high: ratios[RESAMPLES - 1 - RESAMPLES / 40] }
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
