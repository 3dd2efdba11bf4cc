//! What runs are compared by: what the first one produced, and what the others
//! are watched for.
//!
//! Does not know what is inside the clock.

use std::collections::BTreeMap;

use super::Results;
use crate::output::{Channel, Sink};
use crate::output::{Comparing, Recording, Reference};
use crate::study::{Comparer, Known, RunResult, Study};
use crate::task::{Digest, Outcome, Way};

/// Said when everything succeeded the first time and failed the second.
const CONSUMED: &str = "these jobs consume their inputs, or find what an earlier run left: all of them succeeded in \
     the first run and failed in the next. Use {way} in the command, so that each way has its own files, or --prepare";

/// Compares the runs of an experiment.
#[derive(Default)]
pub(super) struct Judge {
    pub(super) comparer: Comparer,
    reference: Option<Reference>,
    /// Whether every task of the first run succeeded; `None` before it.
    all_succeeded: Option<bool>,
}

/// Watches what the tasks of one run write.
pub(super) enum Watch<'a> {
    Nothing(&'a dyn Sink),
    First(Recording<'a>),
    Later(Comparing<'a>),
}

impl Watch<'_> {
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
pub(super) struct Seen {
    /// How the outputs of tasks differ from those of the first run, by task.
    differences: BTreeMap<u64, String>,
    reference: Option<std::io::Result<Reference>>,
}

impl Judge {
    /// How a run of `way` that goes to `sink` is watched.
    pub(super) fn watch<'a>(&'a self, results: Results, way: Way, sink: &'a dyn Sink) -> Watch<'a> {
        match (&self.reference, results) {
            (Some(reference), Results::Endings) => Watch::Later(Comparing::new(sink, reference)),
            // Side by side, outputs come in no order to be put aside in.
            (None, Results::Endings) if self.all_succeeded.is_none() && way == Way::Serial => {
                Watch::First(Recording::new(sink))
            }
            (None, Results::Endings) | (_, Results::Products) => Watch::Nothing(sink),
        }
    }

    /// The run of `way` is over, of which `seen` was seen.
    pub(super) fn note(&mut self, seen: Seen, run: &RunResult, study: &mut Study) -> BTreeMap<u64, String> {
        match seen.reference {
            Some(Ok(reference)) => self.reference = Some(reference),
            Some(Err(error)) => study.remarks.push(format!(
                "what the first run wrote could not be put aside in TMPDIR ({}): differences are found but not quoted",
                crate::text::reason(&error)
            )),
            None => {}
        }
        let succeeded = run.tasks > 0 && run.succeeded == run.tasks;
        if self.all_succeeded == Some(true) && run.tasks > 0 && run.failed == run.tasks {
            let told = study.remarks.iter().any(|remark| remark == CONSUMED);
            study.remarks.extend((!told).then(|| CONSUMED.to_owned()));
        }
        self.all_succeeded.get_or_insert(succeeded);
        seen.differences
    }

    /// Labels of tasks that differ, and how.
    pub(super) fn known(
        labels: BTreeMap<u64, String>,
        mut differences: BTreeMap<u64, String>,
        failed: &BTreeMap<u64, String>,
        comparer: &Comparer,
        way: Way,
    ) -> BTreeMap<u64, Known> {
        let known = |(task, label): (u64, String)| {
            let ended = |why: Option<&String>| why.map_or_else(|| Outcome::Success.to_string(), Clone::clone);
            let (first, this) = (comparer.how_it_failed(task), failed.get(&task));
            let mut why = differences.remove(&task).unwrap_or_default();
            if first != this {
                let endings = format!("{}: {}, {way}: {}", comparer.first_way(), ended(first), ended(this));
                why = if why.is_empty() { endings } else { format!("{endings}; {why}") };
            }
            (task, Known { label, why })
        };
        labels.into_iter().map(known).collect()
    }
}

impl Seen {
    /// What `watch` saw, the first run having been one of `first`, this one of `way`.
    pub(super) fn of(watch: Watch<'_>, first: Way, way: Way) -> Self {
        match watch {
            Watch::Nothing(_) => Self::default(),
            Watch::First(recording) => {
                Self { reference: Some(recording.finish()), differences: BTreeMap::new() }
            }
            Watch::Later(comparing) => {
                let names = if first == way {
                    [format!("the first {first}"), format!("this {way}")]
                } else {
                    [first.to_string(), way.to_string()]
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
