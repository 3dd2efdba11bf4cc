//! The distribution of many durations in little memory: counts in buckets whose
//! bounds grow by a fixed factor, so that every quantile is right within 2 %.
//!
//! As in `DDSketch` (Masson, Rim, Lee: "`DDSketch`: a fast and fully-mergeable
//! quantile sketch with relative-error guarantees", VLDB 2019).

use std::time::Duration;

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
        found.map(|bucket| Duration::try_from_secs_f64(middle(bucket)).unwrap_or(Duration::MAX))
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
    fn memory_stays_small_and_nothing_has_no_quantile() {
        let mut sketch = Sketch::default();
        assert_eq!(sketch.quantile(0.5), None);
        sketch.add(Duration::ZERO);
        sketch.add(Duration::from_secs(1_000_000));
        assert!(sketch.counts.len() < 1000);
    }
}
