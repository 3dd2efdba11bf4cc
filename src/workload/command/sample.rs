//! Some jobs of a batch, spread evenly over it.

/// Which jobs are run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sample {
    total: u64,
    wanted: u64,
}

impl Sample {
    /// `wanted` of `total` jobs; `None` where that is all of them.
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

    /// The place in the whole batch, from 0, of the `nth` job of the sample: the
    /// middle of the `nth` of as many equal shares.
    pub(super) fn job(self, nth: u64) -> u64 {
        let middle = (2 * u128::from(nth) + 1) * u128::from(self.total) / (2 * u128::from(self.wanted));
        u64::try_from(middle).unwrap_or(u64::MAX)
    }

    /// Whether the job at this place is of the sample.
    pub(super) fn has(self, job: u64) -> bool {
        let near = u128::from(job) * u128::from(self.wanted) / u128::from(self.total);
        let near = u64::try_from(near).unwrap_or(u64::MAX);
        // Rounding puts it at most one beside.
        (near.saturating_sub(1)..=near + 1).any(|nth| nth < self.wanted && self.job(nth) == job)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_spread_evenly_and_has_as_many_jobs_as_wanted() {
        for (total, wanted) in [(10, 3), (7, 6), (1000, 1), (100_001, 999)] {
            let sample = Sample::of(total, wanted).unwrap();
            let jobs: Vec<u64> = (0..total).filter(|&job| sample.has(job)).collect();
            let expected: Vec<u64> = (0..wanted).map(|nth| sample.job(nth)).collect();
            assert_eq!(jobs, expected);
            let gaps = || jobs.windows(2).map(|pair| pair[1] - pair[0]);
            assert!(gaps().max().unwrap_or(0) - gaps().min().unwrap_or(0) <= 1, "{jobs:?}");
        }
    }

    #[test]
    fn all_jobs_are_no_sample() {
        assert!(Sample::of(5, 5).is_none() && Sample::of(5, 9).is_none());
    }
}
