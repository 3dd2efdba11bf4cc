//! Some jobs of a batch in place of all: one of each of as many equal shares, in a place
//! drawn at random.
//!
//! In the middle of each they would meet every tenth job always or never (Cochran,
//! Sampling Techniques, 1977, section 8.9, on periodic variation). The places are drawn
//! from a fixed seed: a batch of as many jobs has the same sample each time, so that
//! studies of it can be compared.

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// `wanted` of `total` jobs.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Sample {
    total: u64,
    wanted: u64,
}

impl Sample {
    /// `None` where that is all of them.
    pub(super) fn of(total: u64, wanted: u64) -> Option<Self> {
        (wanted < total).then_some(Self { total, wanted })
    }

    /// How many there are in all.
    pub(super) fn total(self) -> u64 {
        self.total
    }

    /// How many are run.
    pub(super) fn wanted(self) -> u64 {
        self.wanted
    }

    /// The place in the whole batch, from 0, of the `nth` job of the sample.
    pub(super) fn job(self, nth: u64) -> u64 {
        let (first, after) = (self.share(nth), self.share(nth.saturating_add(1)));
        let seed = self.total ^ self.wanted.rotate_left(32);
        first + xxh3_64_with_seed(&nth.to_le_bytes(), seed) % (after - first).max(1)
    }

    /// Whether the job at this place is of the sample.
    pub(super) fn has(self, job: u64) -> bool {
        // The share that it is in: the last that begins at it or before.
        let reached = (u128::from(job) + 1) * u128::from(self.wanted);
        let nth = reached.div_ceil(u128::from(self.total)).saturating_sub(1);
        u64::try_from(nth).is_ok_and(|nth| nth < self.wanted && self.job(nth) == job)
    }

    /// Where the `nth` of the equal shares begins.
    fn share(self, nth: u64) -> u64 {
        let first = u128::from(nth) * u128::from(self.total) / u128::from(self.wanted);
        u64::try_from(first).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rand::rngs::Xoshiro256PlusPlus;
    use rand::{RngExt as _, SeedableRng as _};

    use super::*;
    use crate::study::{ColumnResult, Prediction, RunResult};
    use crate::task::{Column, Record, tests::record};

    #[test]
    fn a_sample_has_one_job_of_each_share_and_the_same_ones_each_time() {
        for (total, wanted) in [(10, 3), (7, 6), (1000, 1), (100_001, 999)] {
            let sample = Sample::of(total, wanted).unwrap();
            let jobs: Vec<u64> = (0..total).filter(|&job| sample.has(job)).collect();
            let expected: Vec<u64> = (0..wanted).map(|nth| sample.job(nth)).collect();
            assert_eq!(jobs, expected);
            let within =
                |(nth, job): (u64, &u64)| nth * total / wanted <= *job && *job < (nth + 1) * total / wanted;
            assert!((0..).zip(&jobs).all(within), "{jobs:?}");
        }
    }

    #[test]
    fn all_jobs_are_no_sample() {
        assert!(Sample::of(5, 5).is_none() && Sample::of(5, 9).is_none());
    }

    #[test]
    fn every_tenth_job_is_met_about_every_tenth_time() {
        for (total, wanted) in [(1000, 100), (1000, 50), (10_000, 100)] {
            let sample = Sample::of(total, wanted).unwrap();
            for phase in 0..10 {
                let met = (0..wanted).filter(|&nth| sample.job(nth) % 10 == phase).count() as u64;
                assert!((wanted / 40..=wanted / 4).contains(&met), "{met} of {wanted}, phase {phase}");
            }
        }
    }

    /// What a sample of jobs that take so many seconds says of all of them, one at a time.
    fn predicted(walls: &[f64], sample: Sample) -> Prediction {
        let mut run = RunResult::default();
        for nth in 0..sample.wanted() {
            let wall = Duration::from_secs_f64(walls[usize::try_from(sample.job(nth)).unwrap()]);
            let record = Record { wall, ..record(nth) };
            run.add(&record);
            run.records.push(record);
        }
        run.wall = run.task_wall;
        Prediction::of(&ColumnResult::new(Column::SERIAL, 1, vec![run]), sample.total()).unwrap()
    }

    /// How many of 1,000 lists of a kind take what their samples say, and of how many of the
    /// others it is said that long jobs may be missing.
    fn held_and_warned(wanted: u64, wall: impl Fn(u64, f64) -> f64) -> (usize, usize) {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(wanted);
        let (mut held, mut warned) = (0, 0);
        for list in 0..1000 {
            let total = 1000 + list;
            let walls: Vec<f64> = (0..total).map(|job| wall(job, rng.random())).collect();
            let prediction = predicted(&walls, Sample::of(total, wanted).unwrap());
            let range = prediction.range.unwrap();
            let truth: f64 = walls.iter().sum();
            if (range.low..=range.high).contains(&truth) {
                held += 1;
            } else if prediction.caution.is_some() {
                warned += 1;
            }
        }
        (held, warned)
    }

    #[test]
    fn the_whole_of_even_and_growing_lists_is_within_what_is_said() {
        let even = |_: u64, noise: f64| 1.0 + 0.1 * noise;
        let growing = |job: u64, noise: f64| 0.5 + job as f64 / 500.0 + 0.1 * noise;
        for wanted in [10, 20, 50, 100] {
            let (held, _) = held_and_warned(wanted, even);
            assert!(held >= 930, "even, {wanted}: {held}");
            let (held, _) = held_and_warned(wanted, growing);
            assert!(held >= 930, "growing, {wanted}: {held}");
        }
    }

    #[test]
    fn where_few_long_jobs_decide_the_whole_is_within_or_a_caution_is_said() {
        let pareto = |_: u64, noise: f64| (1.0 - noise).powf(-1.0 / 1.5);
        let every_tenth =
            |job: u64, noise: f64| if job.is_multiple_of(10) { 10.0 } else { 1.0 + 0.1 * noise };
        for wanted in [20, 50, 100] {
            let (held, warned) = held_and_warned(wanted, pareto);
            assert!(held >= 780 && held + warned >= 970, "Pareto, {wanted}: {held} + {warned}");
            let (held, warned) = held_and_warned(wanted, every_tenth);
            assert!(held >= 830 && held + warned >= 970, "every tenth, {wanted}: {held} + {warned}");
        }
    }
}
