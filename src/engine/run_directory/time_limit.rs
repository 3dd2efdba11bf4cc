//! How long a worker has: batch systems end what lasts too long, and what they end so is done
//! again by another.

use std::time::{Duration, Instant};

use crate::moment::Moment;

/// When the worker will be ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct TimeLimit {
    end: Option<Instant>,
    /// So long before it nothing more is begun.
    margin: Duration,
    /// From when on what runs is given up, so that others can have it.
    gives_up: Option<Instant>,
    began: Instant,
}

impl TimeLimit {
    /// For a worker that begins now. `end` is in seconds since 1970 by the clock that shows
    /// `epoch` now; `usual` is what was asked for.
    pub(super) fn of(end: Option<u64>, usual: Option<Duration>, epoch: Moment) -> Self {
        let began = Instant::now();
        let told =
            end.map(|end| Duration::from_secs(end).saturating_sub(Duration::from_millis(epoch.millis())));
        let whole = told.or(usual);
        let margin = whole.map_or(Duration::ZERO, |whole| (whole / 10).min(Duration::from_secs(60)));
        let end = whole.and_then(|whole| began.checked_add(whole));
        let last = margin.min(Duration::from_secs(10)) / 2;
        Self { end, margin, gives_up: end.and_then(|end| end.checked_sub(last)), began }
    }

    /// Whether there is time for a task that is expected to take so long. A worker that has
    /// just begun tries: there will be none with more time.
    pub(super) fn allows(&self, expected: Duration) -> bool {
        let Some(end) = self.end else { return true };
        let left = end.saturating_duration_since(Instant::now()).saturating_sub(self.margin);
        let whole = end.saturating_duration_since(self.began);
        !left.is_zero() && (left > expected || self.began.elapsed() < whole / 4)
    }

    /// Whether what runs is to be given up.
    pub(super) fn is_over(&self) -> bool {
        self.gives_up.is_some_and(|time| Instant::now() >= time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_begins_what_it_has_the_time_for_and_anything_where_it_has_just_begun() {
        let limit = |seconds| TimeLimit::of(None, Some(Duration::from_secs(seconds)), Moment::now());
        assert!(limit(600).allows(Duration::from_secs(3600)) && !limit(600).is_over());
        let mut late = limit(600);
        late.began = late.began.checked_sub(Duration::from_secs(400)).unwrap();
        late.end = late.end.and_then(|end| end.checked_sub(Duration::from_secs(400)));
        assert!(late.allows(Duration::from_secs(100)) && !late.allows(Duration::from_secs(150)));
        let none = TimeLimit::of(None, None, Moment::now());
        assert!(none.allows(Duration::MAX) && !none.is_over());
        let over = TimeLimit::of(Some(Moment::now().millis() / 1000), None, Moment::now());
        assert!(!over.allows(Duration::ZERO) && over.is_over());
    }
}
