//! How far away a worker is: what its clock shows beside ours, and how many tasks it
//! should have before it is free to begin them.
//!
//! Pure: it is told of times and reads none.

use std::time::Duration;

use super::protocol::ClockReading;

/// So many readings are taken; the one that took the least time is the truest.
const READINGS: u32 = 5;

/// More tasks are never sent ahead of one worker's free slots.
const MOST_AHEAD: usize = 1024;

/// The worker's clock against ours.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ClockOffset {
    n_readings: u32,
    best: Option<Best>,
}

#[derive(Clone, Copy, Debug)]
struct Best {
    round_trip: Duration,
    /// What our clock showed, and what the worker's did, at the same moment.
    ours: Duration,
    theirs: Duration,
}

impl ClockOffset {
    /// Takes note of a reading that was heard of `now`.
    pub(super) fn learn(&mut self, ClockReading { asked, answered }: ClockReading, now: Duration) {
        self.n_readings += 1;
        let round_trip = now.saturating_sub(asked);
        if self.best.is_none_or(|best| round_trip < best.round_trip) {
            // As long there as back: nothing else can be known.
            self.best = Some(Best { round_trip, ours: asked + round_trip / 2, theirs: answered });
        }
    }

    /// Whether another reading would tell anything.
    pub(super) fn wants_more(&self) -> bool {
        self.n_readings < READINGS
    }

    /// What our clock showed when the worker's showed `theirs`; `None` as long as that is
    /// not known.
    pub(super) fn ours(&self, theirs: Duration) -> Option<Duration> {
        let best = self.best?;
        Some((best.ours + theirs).saturating_sub(best.theirs))
    }

    /// How many tasks a worker of `slots` should have beyond those that it does, where
    /// most last `median`: what it does while a record is on its way here and the next
    /// task on its way there, twice over.
    pub(super) fn ahead(&self, slots: u32, median: Option<Duration>) -> usize {
        let (Some(best), Some(median)) = (self.best, median) else { return 0 };
        let ahead = 2 * best.round_trip.as_nanos() * u128::from(slots) / median.as_nanos().max(1);
        usize::try_from(ahead).unwrap_or(usize::MAX).min(MOST_AHEAD)
    }
}

/// So many of the last tasks are looked at.
const LOOKED_AT: usize = 31;

/// How long tasks last, going by the last ones.
#[derive(Clone, Debug, Default)]
pub(super) struct RecentWalls {
    walls: Vec<Duration>,
    n_seen: usize,
    median: Option<Duration>,
}

impl RecentWalls {
    /// Takes note of a task.
    pub(super) fn learn(&mut self, wall: Duration) {
        if self.walls.len() < LOOKED_AT {
            self.walls.push(wall);
        } else {
            self.walls[self.n_seen % LOOKED_AT] = wall;
        }
        self.n_seen += 1;
        // Often enough, and at first each time.
        if self.n_seen <= 4 || self.n_seen.is_multiple_of(8) {
            let mut sorted = self.walls.clone();
            sorted.sort_unstable();
            self.median = Some(sorted[sorted.len() / 2]);
        }
    }

    pub(super) fn median(&self) -> Option<Duration> {
        self.median
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn the_reading_that_took_least_says_how_clocks_differ() {
        let mut offset = ClockOffset::default();
        assert_eq!(offset.ours(MS), None);
        // Theirs is 100 ms behind; the first answer waited 30 ms on its way back.
        offset.learn(ClockReading { asked: 200 * MS, answered: 105 * MS }, 240 * MS);
        offset.learn(ClockReading { asked: 300 * MS, answered: 205 * MS }, 310 * MS);
        offset.learn(ClockReading { asked: 400 * MS, answered: 309 * MS }, 412 * MS);
        assert_eq!(offset.ours(500 * MS), Some(600 * MS));
        assert!(offset.wants_more());
        // Nothing is before the beginning.
        let mut ahead = ClockOffset::default();
        ahead.learn(ClockReading { asked: MS, answered: 900 * MS }, 3 * MS);
        assert_eq!(ahead.ours(10 * MS), Some(Duration::ZERO));
    }

    #[test]
    fn as_many_are_sent_ahead_as_are_done_in_two_round_trips() {
        let mut offset = ClockOffset::default();
        assert_eq!(offset.ahead(8, Some(MS)), 0);
        offset.learn(ClockReading { asked: Duration::ZERO, answered: MS }, 50 * MS);
        let ahead = |slots, median: u32| offset.ahead(slots, Some(median * MS));
        assert_eq!((ahead(1, 1000), ahead(1, 100), ahead(1, 99), ahead(8, 10)), (0, 1, 1, 80));
        assert_eq!((ahead(8, 0), offset.ahead(8, None)), (MOST_AHEAD, 0));
    }

    #[test]
    fn the_median_follows_the_last_tasks() {
        let mut recent = RecentWalls::default();
        assert_eq!(recent.median(), None);
        recent.learn(7 * MS);
        assert_eq!(recent.median(), Some(7 * MS));
        (0..LOOKED_AT + 16).for_each(|_| recent.learn(MS));
        assert_eq!(recent.median(), Some(MS));
    }

    proptest! {
        #[test]
        fn the_median_is_one_of_the_walls_seen(walls in prop::collection::vec(0_u64..1000, 1..200)) {
            let mut recent = RecentWalls::default();
            for wall in &walls {
                recent.learn(Duration::from_millis(*wall));
            }
            let median = recent.median().unwrap();
            prop_assert!(walls.iter().any(|wall| Duration::from_millis(*wall) == median));
            prop_assert!(recent.walls.len() <= LOOKED_AT);
        }
    }
}
