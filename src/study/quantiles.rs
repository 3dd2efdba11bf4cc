//! Quantiles of what comes one by one, in little memory.
//!
//! [`Sketch`] has them all, within 2 % and never beyond the extremes: counts in buckets whose bounds grow by a fixed
//! factor, as in `DDSketch` (Masson, Rim, Lee: "`DDSketch`: a fast and fully-mergeable
//! quantile sketch with relative-error guarantees", VLDB 2019).
//!
//! [`Remedian`] has the median alone, which is exact where there are few values, so that a
//! limit can rest on three (Rousseeuw and Bassett, The Remedian, Journal of the American
//! Statistical Association 85, 1990).

use std::time::Duration;

use super::median;

/// Each bucket's upper bound over its lower one. Its middle is within 2 % of
/// both.
const FACTOR: f64 = 1.04;

/// The first bucket holds what is shorter than this.
const SHORTEST: f64 = 1e-6;

/// Counts durations.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sketch {
    /// By bucket; as long as the longest duration needs, some hundreds.
    counts: Vec<u64>,
    total: u64,
    /// The shortest and the longest, which no quantile is beyond.
    range: Option<(Duration, Duration)>,
}

impl Sketch {
    /// Adds one duration.
    pub fn add(&mut self, time: Duration) {
        let bucket = bucket(time.as_secs_f64());
        if self.counts.len() <= bucket {
            self.counts.resize(bucket + 1, 0);
        }
        self.counts[bucket] += 1;
        self.total += 1;
        let (shortest, longest) = self.range.unwrap_or((time, time));
        self.range = Some((shortest.min(time), longest.max(time)));
    }

    /// Adds what another one counted.
    pub fn add_all(&mut self, other: &Self) {
        self.counts.resize(self.counts.len().max(other.counts.len()), 0);
        for (own, count) in self.counts.iter_mut().zip(&other.counts) {
            *own += count;
        }
        self.total += other.total;
        let both = self.range.into_iter().chain(other.range);
        self.range = both.reduce(|one, two| (one.0.min(two.0), one.1.max(two.1)));
    }

    /// The duration that this share (0 to 1) of all do not exceed; `None` of
    /// nothing.
    #[must_use]
    pub fn quantile(&self, share: f64) -> Option<Duration> {
        let rank = share.clamp(0.0, 1.0) * self.total.checked_sub(1)? as f64;
        let mut below = 0;
        let found = self.counts.iter().position(|count| {
            below += count;
            below as f64 > rank
        });
        let (shortest, longest) = self.range?;
        found.map(|bucket| {
            let time = Duration::try_from_secs_f64(middle(bucket)).unwrap_or(Duration::MAX);
            time.clamp(shortest, longest)
        })
    }
}

fn bucket(seconds: f64) -> usize {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a float cast saturates")]
    let bucket = ((seconds / SHORTEST).ln() / FACTOR.ln()).ceil() as usize;
    bucket
}

fn middle(bucket: usize) -> f64 {
    // What lies between two bounds differs from their harmonic mean by the least.
    let upper = SHORTEST * FACTOR.powf(bucket as f64);
    2.0 * upper / (1.0 + FACTOR)
}

/// How many values a level holds; odd, so that its median is one of them.
const BASE: usize = 999;

/// The median of what was added, exact up to 999 values and near it beyond.
#[derive(Clone, Debug, Default)]
pub struct Remedian {
    /// Values first, then medians of so many values, then medians of those.
    levels: Vec<Vec<f64>>,
}

impl Remedian {
    /// Takes note of one more value.
    pub fn add(&mut self, value: f64) {
        let mut carried = value;
        for level in 0.. {
            if level == self.levels.len() {
                self.levels.push(Vec::new());
            }
            let values = &mut self.levels[level];
            values.push(carried);
            if values.len() < BASE {
                return;
            }
            carried = median(values);
            values.clear();
        }
    }

    /// The median so far; 0 of nothing.
    #[must_use]
    pub fn estimate(&self) -> f64 {
        // The highest level stands for most of the values.
        self.levels.iter().rev().find(|level| !level.is_empty()).map_or(0.0, |level| median(level))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_quantile_is_within_two_percent_of_the_true_one(
            mut micros in prop::collection::vec(2_u64..10_000_000_000, 1..200),
            share in 0.0..1.0_f64,
        ) {
            let mut sketch = Sketch::default();
            for &time in &micros {
                sketch.add(Duration::from_micros(time));
            }
            micros.sort_unstable();
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index")]
            let truth = micros[(share * (micros.len() - 1) as f64) as usize] as f64 / 1e6;
            let told = sketch.quantile(share).unwrap().as_secs_f64();
            prop_assert!((told / truth - 1.0).abs() <= 0.02, "{told} for {truth}");
        }
    }

    #[test]
    fn no_quantile_is_beyond_the_extremes() {
        let mut sketch = Sketch::default();
        sketch.add(Duration::from_micros(101_500));
        assert_eq!(sketch.quantile(0.5), Some(Duration::from_micros(101_500)));
        sketch.add(Duration::from_micros(101_600));
        assert!(sketch.quantile(0.0) >= Some(Duration::from_micros(101_500)));
    }

    #[test]
    fn memory_stays_small_and_nothing_has_no_quantile() {
        let mut sketch = Sketch::default();
        assert_eq!(sketch.quantile(0.5), None);
        sketch.add(Duration::ZERO);
        sketch.add(Duration::from_secs(1_000_000));
        assert!(sketch.counts.len() < 1000);
    }

    #[test]
    fn few_values_have_their_exact_median_and_many_one_near_it() {
        let mut remedian = Remedian::default();
        assert!(remedian.estimate().abs() < f64::EPSILON);
        for value in [5.0, 1.0, 3.0] {
            remedian.add(value);
        }
        assert!((remedian.estimate() - 3.0).abs() < f64::EPSILON);
        let mut remedian = Remedian::default();
        for value in 0..1_000_000_u32 {
            // In an order that has nothing to do with their size.
            remedian.add(f64::from(value.wrapping_mul(7919) % 1_000_003));
        }
        assert!((remedian.estimate() - 500_000.0).abs() < 20_000.0, "{}", remedian.estimate());
        assert!(remedian.levels.iter().all(|level| level.len() < BASE));
    }
}
