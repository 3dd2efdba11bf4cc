//! When the tasks of a run would end if each was started only after the one before it had
//! ended, and none earlier than it was started in the run: what starts waited for, such as
//! input that comes slowly or a delay between starts, is waited for all the same.
//!
//! Of constant size, however many tasks there are. Does not know how long a task takes
//! alone, only between which two times that is.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::task::Record;

/// Tasks are taken in the order of their starts, though they end in another: so many wait
/// for those that started before them. A task that ends later than so many others may
/// count twice, as one that these waited for.
const WAITING: usize = 512;

/// The tasks of a run, one after another.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OneByOne {
    /// Those that may have others before them: start, number, and the two times.
    waiting: BTreeSet<(Duration, u64, [Duration; 2])>,
    /// When the last one would end, if each took its CPU time, and its wall time.
    ends: [Duration; 2],
    /// When the last one of the run ended.
    last_end: Duration,
    /// CPU time beyond the wall time of each task.
    beyond: Duration,
}

impl OneByOne {
    /// Adds one task.
    pub fn add(&mut self, record: &Record) {
        self.last_end = self.last_end.max(record.end());
        self.beyond += record.cpu.saturating_sub(record.wall);
        self.waiting.insert((record.start, record.seq, [record.cpu.min(record.wall), record.wall]));
        if self.waiting.len() > WAITING
            && let Some((start, _, times)) = self.waiting.pop_first()
        {
            take(&mut self.ends, start, times);
        }
    }

    /// When the last task would end, if each took its CPU time alone, and if each took its
    /// wall time, in seconds.
    #[must_use]
    pub fn ends(&self) -> [f64; 2] {
        let mut ends = self.ends;
        self.waiting.iter().for_each(|(start, _, times)| take(&mut ends, *start, *times));
        ends.map(|end| end.as_secs_f64())
    }

    /// When the last task of the run ended, in seconds.
    #[must_use]
    pub fn last_end(&self) -> f64 {
        self.last_end.as_secs_f64()
    }

    /// How much more CPU time than wall time tasks took that had threads of their own, in
    /// seconds.
    #[must_use]
    pub fn beyond(&self) -> f64 {
        self.beyond.as_secs_f64()
    }
}

fn take(ends: &mut [Duration; 2], start: Duration, times: [Duration; 2]) {
    for (end, time) in ends.iter_mut().zip(times) {
        *end = (*end).max(start) + time;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::tests::record;

    fn ends(tasks: &[(u64, u64, u64)]) -> [String; 2] {
        let mut one_by_one = OneByOne::default();
        for (seq, &(start, wall, cpu)) in (0..).zip(tasks) {
            let [start, wall, cpu] = [start, wall, cpu].map(Duration::from_secs);
            one_by_one.add(&Record { start, wall, cpu, ..record(seq) });
        }
        one_by_one.ends().map(|end| end.to_string())
    }

    #[test]
    fn what_came_late_is_waited_for_and_what_was_early_waits_its_turn() {
        assert_eq!(ends(&[(0, 3, 1), (0, 3, 1), (0, 3, 1)]), ["3", "9"]);
        assert_eq!(ends(&[(0, 1, 1), (10, 1, 1), (20, 1, 1)]), ["21", "21"]);
        // In the order of starts, whichever ends first.
        assert_eq!(ends(&[(1, 1, 1), (9, 1, 1), (0, 10, 10)]), ["12", "12"]);
    }

    #[test]
    fn it_takes_no_more_memory_for_many_tasks_and_says_the_same() {
        let mut one_by_one = OneByOne::default();
        for seq in 0..5000 {
            let (start, wall) = (Duration::from_secs(2 * seq), Duration::from_secs(1 + seq % 2));
            one_by_one.add(&Record { start, wall, ..record(seq) });
        }
        assert_eq!(one_by_one.waiting.len(), WAITING);
        assert_eq!(one_by_one.ends()[1].to_string(), "10000");
    }
}
