//! How much the runs of a column differ: their mean, how far they are from it, their ends,
//! and those that are far from all others.

use super::{ColumnResult, median};

/// From this many runs on it is told how they differ.
const FEWEST: usize = 3;

/// So many median deviations off (of normal noise: 3.5 standard ones) a value is an outlier
/// (Iglewicz and Hoaglin, How to detect and handle outliers, ASQC 1993).
const FAR: f64 = 3.5 / 0.6745;

/// What is off by a smaller share of the median is no matter.
const FAR_ENOUGH: f64 = 0.1;

/// The wall times of several runs, in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// Their mean.
    pub mean: f64,
    /// The standard deviation of the sample; 0 of a single run.
    pub sigma: f64,
    /// The shortest.
    pub low: f64,
    /// The longest.
    pub high: f64,
}

impl Spread {
    /// Of `times`, of which there is one at least.
    #[must_use]
    pub fn of(times: &[f64]) -> Self {
        let count = times.len() as f64;
        let mean = times.iter().sum::<f64>() / count;
        let squares: f64 = times.iter().map(|time| (time - mean).powi(2)).sum();
        Self {
            mean,
            sigma: (squares / (count - 1.0).max(1.0)).sqrt(),
            low: times.iter().copied().fold(f64::INFINITY, f64::min),
            high: times.iter().copied().fold(0.0, f64::max),
        }
    }
}

impl ColumnResult {
    /// The wall time of each run, in seconds.
    #[must_use]
    pub fn walls(&self) -> Vec<f64> {
        self.runs.iter().map(|run| run.wall.as_secs_f64()).collect()
    }

    /// How its runs differ; `None` where there are too few to tell.
    #[must_use]
    pub fn spread(&self) -> Option<Spread> {
        (self.runs.len() >= FEWEST).then(|| Spread::of(&self.walls()))
    }

    /// The runs that took far longer or shorter than the others: their numbers from 1, and
    /// their wall times in seconds.
    #[must_use]
    pub fn outliers(&self) -> Vec<(usize, f64)> {
        if self.runs.len() < FEWEST {
            return Vec::new();
        }
        let walls = self.walls();
        let middle = median(&walls);
        let off = |wall: f64| (wall - middle).abs();
        let usual = median(&walls.iter().map(|&wall| off(wall)).collect::<Vec<_>>());
        let is_far = |wall: f64| off(wall) > FAR * usual && off(wall) > FAR_ENOUGH * middle;
        (1..).zip(walls).filter(|&(_, wall)| is_far(wall)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::tests::both_ways;

    fn column(walls: &[u64]) -> ColumnResult {
        both_ways(walls, &[1], 2).columns.swap_remove(0)
    }

    #[test]
    fn three_runs_have_a_spread_and_two_have_none() {
        assert_eq!(column(&[400, 600]).spread(), None);
        let spread = column(&[400, 600, 500]).spread().unwrap();
        let told = [spread.mean, spread.sigma, spread.low, spread.high].map(crate::numbers::seconds);
        assert_eq!(told, ["500.0 ms", "100.0 ms", "400.0 ms", "600.0 ms"]);
    }

    #[test]
    fn a_run_far_from_the_others_is_an_outlier_and_usual_noise_is_none() {
        assert_eq!(column(&[100, 101, 99, 150, 100]).outliers(), [(4, 0.15)]);
        assert_eq!(column(&[100, 100, 100, 120]).outliers(), [(4, 0.12)]);
        // Far in terms of the others, and yet no matter.
        assert!(column(&[100, 100, 101, 105]).outliers().is_empty());
        assert!(column(&[100, 130, 80, 115, 95]).outliers().is_empty());
        assert!(column(&[100, 200]).outliers().is_empty());
    }
}
