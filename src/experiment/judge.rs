//! What runs are compared by: what the first one produced, and what the others
//! are watched for.
//!
//! Does not know what is inside the clock.

use std::collections::BTreeMap;

use super::ComparedBy;
use crate::output::{Channel, Sink};
use crate::output::{Comparing, Recording, Reference};
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
    reference: Option<Reference>,
    /// Whether every task of the first run succeeded; `None` before it.
    all_succeeded: Option<bool>,
}

/// Watches what the tasks of one run write.
pub(super) enum OutputWatch<'a> {
    Nothing(&'a dyn Sink),
    First(Recording<'a>),
    Later(Comparing<'a>),
}

impl OutputWatch<'_> {
    pub(super) fn sink(&self) -> &dyn Sink {
        match self {
            Self::Nothing(sink) => *sink,
            Self::First(recording) => recording,
            Self::Later(comparing) => comparing,
        }
    }
}

/// What a run was seen to do.
#[derive(Default)]
pub(super) struct WatchedRun {
    /// How the outputs of tasks differ from those of the first run, by task.
    differences: BTreeMap<u64, String>,
    reference: Option<std::io::Result<Reference>>,
}

impl Judge {
    /// How a run of `column` that goes to `sink` is watched.
    pub(super) fn watch<'a>(
        &'a self,
        compared_by: ComparedBy,
        column: &Column,
        sink: &'a dyn Sink,
    ) -> OutputWatch<'a> {
        match (&self.reference, compared_by) {
            (Some(reference), ComparedBy::Endings { .. }) => {
                OutputWatch::Later(Comparing::new(sink, reference))
            }
            // Side by side, outputs come in no order to be put aside in.
            (None, ComparedBy::Endings { .. }) if self.all_succeeded.is_none() && column.is_serial() => {
                OutputWatch::First(Recording::new(sink))
            }
            (None, ComparedBy::Endings { .. }) | (_, ComparedBy::Products) => OutputWatch::Nothing(sink),
        }
    }

    /// `run` is over, of which `seen` was seen; `advice` is for jobs that consume their
    /// inputs. How outputs differ, by task.
    pub(super) fn note(
        &mut self,
        seen: WatchedRun,
        run: &RunResult,
        advice: &str,
        study: &mut Study,
    ) -> BTreeMap<u64, String> {
        match seen.reference {
            Some(Ok(reference)) => self.reference = Some(reference),
            Some(Err(error)) => study.remarks.push(format!(
                "what the first run wrote could not be put aside in TMPDIR ({}): differences are found but not quoted",
                crate::format::reason(&error)
            )),
            None => {}
        }
        let succeeded = run.tasks > 0 && run.succeeded == run.tasks;
        if self.all_succeeded == Some(true) && run.tasks > 0 && run.failed == run.tasks {
            let remark = format!("{CONSUMED}{advice}");
            study.remarks.extend((!study.remarks.contains(&remark)).then_some(remark));
        }
        self.all_succeeded.get_or_insert(succeeded);
        seen.differences
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

impl WatchedRun {
    /// What `watch` saw, the first run having been one of `first`, this one of `this`.
    pub(super) fn of(watch: OutputWatch<'_>, first: Option<&Column>, this: &Column) -> Self {
        match watch {
            OutputWatch::Nothing(_) => Self::default(),
            OutputWatch::First(recording) => {
                Self { reference: Some(recording.finish()), differences: BTreeMap::new() }
            }
            OutputWatch::Later(comparing) => {
                let names = match first {
                    Some(first) if first != this => [first.to_string(), this.to_string()],
                    _ => [format!("the first {this}"), format!("this {this}")],
                };
                let told = comparing.finish().into_iter().map(|(task, (channel, mismatch))| {
                    let stream = match channel {
                        Channel::Out => "stdout",
                        Channel::Err => "stderr",
                    };
                    (task, format!("{stream} {}", mismatch.told(&names[0], &names[1])))
                });
                Self { differences: told.collect(), reference: None }
            }
        }
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
        assert_eq!(with_ending(digest, &Outcome::Failed(String::new())), None);
    }
}
