//! Whether a batch is to stop early, and the exit status that comes of it.
//!
//! The rules are GNU parallel's `--halt`. Pure: it counts what it is told of.

use crate::policy::{Amount, Halt, HaltWhen, HaltWhy};
use crate::task::{Outcome, status_of_failures};

/// The counts that a [`Halt`] is decided by.
#[derive(Clone, Debug, Default)]
pub(super) struct Halting {
    rule: Option<Halt>,
    /// How many tasks there are in all, where that is known.
    total: Option<u64>,
    started: u64,
    done: u64,
    failed: u64,
    /// The status, once the rule has decided.
    status: Option<u8>,
}

/// What a finished task means for the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterTask {
    /// Nothing.
    GoOn,
    /// No other is started; those that run finish.
    Finish,
    /// No other is started; those that run are ended, wherever they run.
    EndRunning,
}

impl Halting {
    pub(super) fn new(rule: Option<Halt>, total: Option<u64>) -> Self {
        Self { rule, total, ..Self::default() }
    }

    /// Whether there is anything that could end the batch early.
    pub(super) fn has_rule(&self) -> bool {
        self.rule.is_some()
    }

    pub(super) fn started(&mut self) {
        self.started += 1;
    }

    /// How many tasks were started so far.
    pub(super) fn n_started(&self) -> u64 {
        self.started
    }

    /// A task has ended.
    pub(super) fn ended(&mut self, outcome: &Outcome) -> AfterTask {
        self.done += 1;
        self.failed += u64::from(outcome.is_failure());
        let Some(rule) = self.rule.filter(|_| self.status.is_none()) else { return AfterTask::GoOn };
        let is_counted = match rule.why {
            HaltWhy::Fail => outcome.is_failure(),
            HaltWhy::Success => outcome.is_success(),
            HaltWhy::Done => true,
        };
        if !is_counted || !self.is_reached(rule) {
            return AfterTask::GoOn;
        }
        self.status = Some(match (rule.why, rule.amount) {
            (HaltWhy::Success, _) => 0,
            (_, Amount::Count(0 | 1)) => own_status(outcome),
            (_, Amount::Count(_)) => status_of_failures(self.failed),
            (_, Amount::Percent(_)) => percent_of(self.failed, self.total.unwrap_or(self.started)),
        });
        match rule.when {
            HaltWhen::Now => AfterTask::EndRunning,
            HaltWhen::Soon => AfterTask::Finish,
        }
    }

    /// The exit status that the rule asks for, whether it has decided or not;
    /// `None` where failures are counted as ever.
    pub(super) fn status(&self) -> Option<u8> {
        let undecided = match self.rule?.amount {
            Amount::Count(_) => None,
            Amount::Percent(_) => Some(percent_of(self.failed, self.started)),
        };
        self.status.or(undecided)
    }

    fn is_reached(&self, rule: Halt) -> bool {
        let counted = match rule.why {
            HaltWhy::Fail => self.failed,
            HaltWhy::Success => self.done - self.failed,
            HaltWhy::Done => self.done,
        };
        match rule.amount {
            Amount::Count(count) => counted >= count,
            // A share of an unknown whole is never reached.
            Amount::Percent(percent) => {
                self.total.is_some_and(|total| counted as f64 * 100.0 >= percent * total as f64)
            }
        }
    }
}

/// The status of the one task that decided, as a shell would tell it.
fn own_status(outcome: &Outcome) -> u8 {
    let status = match outcome {
        Outcome::TimedOut => 255,
        other => match other.status_and_signal() {
            (status, 0) => status,
            (_, signal) => 128 + signal,
        },
    };
    u8::try_from(status).unwrap_or(u8::MAX)
}

/// `part` of `whole` in percent, rounded up.
fn percent_of(part: u64, whole: u64) -> u8 {
    u8::try_from((part * 100).div_ceil(whole.max(1))).unwrap_or(100)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAILURE: Outcome = Outcome::Exited(7);
    const SUCCESS: Outcome = Outcome::Success;

    /// What each task means, and the status in the end.
    fn halted(
        when: HaltWhen,
        why: HaltWhy,
        amount: Amount,
        ends: &[Outcome],
    ) -> (Vec<AfterTask>, Option<u8>) {
        let mut halting = Halting::new(Some(Halt { when, why, amount }), Some(ends.len() as u64));
        let then = ends
            .iter()
            .map(|outcome| {
                halting.started();
                halting.ended(outcome)
            })
            .collect();
        (then, halting.status())
    }

    #[test]
    fn the_first_failure_decides_with_its_own_status() {
        use HaltWhen::Now;
        let one = Amount::Count(1);
        let (then, status) = halted(Now, HaltWhy::Fail, one, &[SUCCESS, FAILURE]);
        assert_eq!((then, status), (vec![AfterTask::GoOn, AfterTask::EndRunning], Some(7)));
        assert_eq!(halted(Now, HaltWhy::Fail, one, &[Outcome::Signaled(9)]).1, Some(137));
        assert_eq!(halted(Now, HaltWhy::Fail, one, &[Outcome::TimedOut]).1, Some(255));
        assert_eq!(halted(Now, HaltWhy::Done, one, &[SUCCESS]).1, Some(0));
    }

    #[test]
    fn several_failures_are_counted() {
        let (then, status) =
            halted(HaltWhen::Soon, HaltWhy::Fail, Amount::Count(2), &[SUCCESS, FAILURE, SUCCESS, FAILURE]);
        assert_eq!(then, [AfterTask::GoOn, AfterTask::GoOn, AfterTask::GoOn, AfterTask::Finish]);
        assert_eq!(status, Some(2));
    }

    #[test]
    fn a_rule_that_did_not_decide_leaves_counts_to_others_and_shares_to_the_started() {
        let count = halted(HaltWhen::Now, HaltWhy::Success, Amount::Count(2), &[FAILURE, SUCCESS, FAILURE]);
        assert_eq!(count.1, None);
        let ends = [FAILURE, FAILURE, SUCCESS, SUCCESS, SUCCESS, SUCCESS, SUCCESS];
        let share = halted(HaltWhen::Soon, HaltWhy::Fail, Amount::Percent(50.0), &ends);
        assert_eq!((share.0.last(), share.1), (Some(&AfterTask::GoOn), Some(29)));
    }

    #[test]
    fn half_of_all_is_reached_with_the_second_of_four() {
        let mut halting = Halting::new(
            Some(Halt { when: HaltWhen::Soon, why: HaltWhy::Done, amount: Amount::Percent(50.0) }),
            Some(4),
        );
        assert_eq!(halting.ended(&SUCCESS), AfterTask::GoOn);
        assert_eq!(halting.ended(&FAILURE), AfterTask::Finish);
        assert_eq!(halting.status(), Some(25));
    }
}
