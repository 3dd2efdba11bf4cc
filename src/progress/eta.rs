//! When a run, and all runs that are to come, may be over: arithmetic on what is known.
//!
//! Does not know what tasks do, nor how it is shown.

use std::time::Duration;

use crate::event::PlannedRun;

/// How a run that goes on is doing.
pub(super) struct Pace<'a> {
    /// Since it began.
    pub(super) elapsed: Duration,
    /// How many tasks are over.
    pub(super) done: u64,
    /// What they took together, each by itself.
    pub(super) task_time: Duration,
    /// How long those that run have run.
    pub(super) running: &'a [Duration],
    /// How many were not started.
    pub(super) not_started: u64,
}

impl Pace<'_> {
    /// What is left of the run, if the rest goes as what is done went; `None` where nothing
    /// is done, or nothing left.
    ///
    /// A task that runs is expected to take as long as the others took; one that has taken
    /// longer, to be late by as much again.
    pub(super) fn rest(&self) -> Option<Duration> {
        let n_left = self.not_started + self.running.len() as u64;
        if self.done == 0 || n_left == 0 {
            return None;
        }
        let mean = self.task_time.div_f64(self.done as f64);
        let rests = self.running.iter().map(|lasts| mean.abs_diff(*lasts));
        let longest = rests.clone().max().unwrap_or_default();
        let busy: Duration = self.task_time + self.running.iter().sum::<Duration>();
        // How many ran at a time, idle slots and all, is how fast the rest will go.
        let at_this_pace = if busy.is_zero() {
            self.elapsed.mul_f64(n_left as f64 / self.done as f64)
        } else {
            let to_do = mean.mul_f64(self.not_started as f64) + rests.sum::<Duration>();
            self.elapsed.mul_f64(to_do.as_secs_f64() / busy.as_secs_f64())
        };
        Some(at_this_pace.max(longest))
    }
}

/// How long runs took that are over.
#[derive(Debug, Default)]
pub(super) struct RunTimes(Vec<(PlannedRun, Duration)>);

impl RunTimes {
    pub(super) fn add(&mut self, run: PlannedRun, took: Duration) {
        self.0.push((run, took));
    }

    /// What `run` takes: what others like it took, or else what `other` did, the work shared
    /// out over as many slots as there are of each.
    fn of(&self, run: &PlannedRun, other: Option<(usize, Duration)>) -> Option<Duration> {
        let alike = || self.0.iter().filter(|(past, _)| past == run).map(|(_, took)| *took);
        let n_alike = alike().count();
        if n_alike > 0 {
            return Some(alike().sum::<Duration>().div_f64(n_alike as f64));
        }
        let (slots, took) = other?;
        Some(took.mul_f64(slots as f64 / run.width.max(1) as f64))
    }

    /// What is left of all runs: of `this`, which has lasted for `elapsed` and has `rest`
    /// before it as far as its tasks tell, and of those `to_come`.
    pub(super) fn rest<'r>(
        &self,
        this: &PlannedRun,
        elapsed: Duration,
        rest: Option<Duration>,
        to_come: impl Iterator<Item = &'r PlannedRun>,
    ) -> Option<Duration> {
        let past = self.0.last().map(|(run, took)| (run.width, *took));
        let rest = match rest {
            Some(rest) => rest,
            None => self.of(this, past)?.saturating_sub(elapsed),
        };
        let later = to_come.filter_map(|run| self.of(run, Some((this.width, elapsed + rest))));
        Some(rest + later.sum::<Duration>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::Column;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// Two slots that have been busy for 10 s, and did five tasks of 3 s on average.
    fn rest(running: &[u64], not_started: u64) -> Option<Duration> {
        let running: Vec<_> = running.iter().copied().map(seconds).collect();
        let (elapsed, task_time) = (seconds(10), seconds(15));
        Pace { elapsed, done: 5, task_time, running: &running, not_started }.rest()
    }

    #[test]
    fn tasks_that_run_count_with_what_they_have_before_them() {
        // 20 s of work in 10 s: two at a time, and 2 + 1 + 5 * 3 s to do.
        assert_eq!(rest(&[3, 2], 5), Some(seconds(8)));
        // The last one ends when it ends, however many slots are free.
        assert_eq!(rest(&[1], 0), Some(seconds(2)));
    }

    #[test]
    fn a_task_that_is_late_is_expected_to_be_late_by_as_much_again() {
        assert_eq!(rest(&[8], 0), Some(seconds(5)));
    }

    #[test]
    fn nothing_is_known_before_the_first_task_is_over_nor_to_be_told_after_the_last() {
        let pace = Pace { elapsed: seconds(9), done: 0, task_time: seconds(0), running: &[], not_started: 7 };
        assert_eq!(pace.rest(), None);
        assert_eq!(rest(&[], 0), None);
        let at_once = Pace { done: 3, ..pace };
        assert_eq!(at_once.rest(), Some(seconds(21)), "tasks that take no time of their own");
    }

    #[test]
    fn runs_to_come_take_what_runs_like_them_took_or_their_share_of_this_one() {
        let [one, two] =
            [(Column::SERIAL, 1), (Column::PARALLEL, 4)].map(|(column, width)| PlannedRun { column, width });
        let mut times = RunTimes::default();
        let to_come = [two.clone(), two.clone(), one.clone()];
        let all = times.rest(&one, seconds(8), Some(seconds(4)), to_come.iter());
        assert_eq!(all, Some(seconds(4 + 3 + 3 + 12)));
        assert_eq!(times.rest(&one, seconds(8), None, to_come.iter()), None);
        times.add(one.clone(), seconds(12));
        // No task of the next run is over yet.
        let all = times.rest(&two, seconds(1), None, to_come[1..].iter());
        assert_eq!(all, Some(seconds(2 + 3 + 12)));
        times.add(two.clone(), seconds(5));
        let all = times.rest(&two, seconds(1), Some(seconds(1)), to_come[1..].iter());
        assert_eq!(all, Some(seconds(1 + 5 + 12)));
    }
}
