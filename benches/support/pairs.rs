//! Two sides measured in turns, so that a drift of the machine falls on both.

use std::time::Duration;

use parsim::study::median;
use parsim::testing::numbers::{duration, factor, plural};

/// What both sides took, in seconds.
pub(crate) struct Pairs {
    ours: f64,
    theirs: f64,
    count: usize,
}

impl Pairs {
    /// Measures ours and theirs, theirs and ours, and so on.
    pub(crate) fn measure(
        pairs: usize,
        mut ours: impl FnMut() -> anyhow::Result<f64>,
        mut theirs: impl FnMut() -> anyhow::Result<f64>,
    ) -> anyhow::Result<Self> {
        let (mut our_times, mut their_times) = (Vec::new(), Vec::new());
        for number in 0..pairs {
            if number.is_multiple_of(2) {
                our_times.push(ours()?);
                their_times.push(theirs()?);
            } else {
                their_times.push(theirs()?);
                our_times.push(ours()?);
            }
        }
        Ok(Self { ours: median(&our_times), theirs: median(&their_times), count: pairs })
    }

    /// How many times theirs ours took: `2.41x`.
    pub(crate) fn of_theirs(&self) -> String {
        factor(self.ours / self.theirs)
    }

    /// How many times ours theirs took.
    pub(crate) fn of_ours(&self) -> String {
        factor(self.theirs / self.ours)
    }

    /// Both medians, in words: `25.3 ms to 10.5 ms, medians of 11 alternating pairs`.
    pub(crate) fn in_words(&self) -> String {
        let shown = |seconds| duration(Duration::from_secs_f64(seconds));
        let pairs = plural(self.count as u64, "alternating pair");
        format!("{} to {}, medians of {pairs}", shown(self.ours), shown(self.theirs))
    }
}
