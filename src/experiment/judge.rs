//! What runs are compared by: what the first one produced, and how what the others
//! wrote differs from that.
//!
//! Does not know what is inside the clock.

use std::collections::BTreeMap;

use super::ComparedBy;
use crate::output::{Channel, OutputCopy, Recording, Sink};
use crate::study::{Comparer, Known, RunResult, Study};
use crate::task::{Column, Digest, Outcome};

/// Said when everything succeeded the first time and failed the second; what to do
/// follows.
const CONSUMED: &str = "these jobs consume their inputs, or find what an earlier run left: all of them succeeded in \
     the first run and failed in the next. ";

/// Compares the runs of an experiment.
#[derive(Default)]
pub(super) struct Judge {
    pub(super) comparer: Comparer,
    /// What the tasks of the first run wrote.
    first: Option<OutputCopy>,
    /// Whether every task of the first run succeeded; `None` before it.
    all_succeeded: Option<bool>,
}

/// Takes what the tasks of one run write.
pub(super) enum OutputWatch<'a> {
    Nothing(&'a dyn Sink),
    Copied(Recording<'a>),
}

impl<'a> OutputWatch<'a> {
    /// Hands on to `sink`. Where outputs are compared, each run is put aside alike: it takes
    /// time.
    pub(super) fn of(compared_by: ComparedBy, sink: &'a dyn Sink) -> Self {
        match compared_by {
            ComparedBy::Endings { .. } => Self::Copied(Recording::new(sink)),
            ComparedBy::Products => Self::Nothing(sink),
        }
    }

    pub(super) fn sink(&self) -> &dyn Sink {
        match self {
            Self::Nothing(sink) => *sink,
            Self::Copied(recording) => recording,
        }
    }

    /// What was put aside.
    pub(super) fn finish(self) -> Option<OutputCopy> {
        match self {
            Self::Nothing(_) => None,
            Self::Copied(recording) => Some(recording.finish()),
        }
    }
}

impl Judge {
    /// `run` is over; `advice` is for jobs that consume their inputs.
    pub(super) fn note(&mut self, run: &RunResult, advice: &str, study: &mut Study) {
        let succeeded = run.tasks > 0 && run.succeeded == run.tasks;
        if self.all_succeeded == Some(true) && run.tasks > 0 && run.failed == run.tasks {
            let remark = format!("{CONSUMED}{advice}");
            study.remarks.extend((!study.remarks.contains(&remark)).then_some(remark));
        }
        self.all_succeeded.get_or_insert(succeeded);
    }

    /// How the outputs of those `tasks` that differ differ in a run of `column` from what
    /// the first run wrote; `copy` is what was put aside of it.
    pub(super) fn output_differences(
        &mut self,
        copy: Option<OutputCopy>,
        tasks: &BTreeMap<u64, String>,
        column: &Column,
        study: &mut Study,
    ) -> BTreeMap<u64, String> {
        let Some(copy) = copy else { return BTreeMap::new() };
        if let Some(error) = copy.trouble() {
            study.remark(format!(
                "what a run wrote could not be put aside in TMPDIR ({}): differences are found but not quoted",
                crate::text::reason(error)
            ));
        }
        let Some(first) = &self.first else {
            self.first = Some(copy);
            return BTreeMap::new();
        };
        let names = match self.comparer.first() {
            Some(first) if first != column => [first.to_string(), column.to_string()],
            _ => [format!("the first {column}"), format!("this {column}")],
        };
        let told = |&task: &u64| {
            let (channel, found) = first.difference(&copy, task)?;
            let stream = match channel {
                Channel::Out => "stdout",
                Channel::Err => "stderr",
            };
            Some((task, format!("{stream} {}", found.told(&names[0], &names[1]))))
        };
        tasks.keys().filter_map(told).collect()
    }

    /// Labels of tasks that differ in a run of `column`, and how.
    pub(super) fn known(
        &self,
        labels: BTreeMap<u64, String>,
        mut differences: BTreeMap<u64, String>,
        failed: &BTreeMap<u64, String>,
        column: &Column,
    ) -> BTreeMap<u64, Known> {
        let known = |(task, label): (u64, String)| {
            let ended = |why: Option<&String>| why.map_or_else(|| Outcome::Success.to_string(), Clone::clone);
            let (first, this) = (self.comparer.how_it_failed(task), failed.get(&task));
            let mut why = differences.remove(&task).unwrap_or_default();
            if first != this {
                let first_column = self.comparer.first().unwrap_or(column);
                let endings = format!("{first_column}: {}, {column}: {}", ended(first), ended(this));
                why = if why.is_empty() { endings } else { format!("{endings}; {why}") };
            }
            (task, Known { label, why })
        };
        labels.into_iter().map(known).collect()
    }
}

/// The digest of what a task wrote, with how it ended in it.
pub(super) fn with_ending(digest: Digest, outcome: &Outcome) -> Option<Digest> {
    let (status, signal) = match outcome {
        Outcome::Success
        | Outcome::Exited(_)
        | Outcome::Signaled(_)
        | Outcome::TimedOut
        | Outcome::NotStarted { .. } => outcome.status_and_signal(),
        // Trouble that is not the task's own is no result.
        Outcome::Failed(_) | Outcome::Panicked(_) | Outcome::Skipped(_) | Outcome::Interrupted => {
            return None;
        }
    };
    // Both are small; any odd factor tells them apart.
    let ending = (u128::from(status.cast_unsigned()) << 32) | u128::from(signal.cast_unsigned());
    Some(Digest(digest.0 ^ ending.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_that_ends_otherwise_is_another_result_and_own_trouble_is_none() {
        let digest = Digest(7);
        let results = [Outcome::Success, Outcome::Exited(1), Outcome::Exited(2), Outcome::Signaled(1)];
        let results: Vec<_> = results.iter().map(|outcome| with_ending(digest, outcome).unwrap()).collect();
        assert_eq!(results[0], digest);
        assert!(results.iter().all(|one| results.iter().filter(|other| *other == one).count() == 1));
        assert_eq!(with_ending(digest, &Outcome::Failed(String::new().into())), None);
    }
}
