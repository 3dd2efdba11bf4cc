//! Which tasks have just begun.
//!
//! Tasks that are over in no time end in the order in which they were started,
//! give or take what the scheduler does. To take that noise out, a task's output
//! waits a moment for that of an earlier task which has only just begun.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// So long after its start a task is waited for by later ones.
pub(super) const A_MOMENT: Duration = Duration::from_millis(20);

/// The tasks that write, by turn, and when they began to.
#[derive(Debug, Default)]
pub(super) struct StartGrace(BTreeMap<u64, Instant>);

impl StartGrace {
    pub(super) fn insert(&mut self, turn: u64) {
        self.0.insert(turn, Instant::now());
    }

    pub(super) fn remove(&mut self, turn: u64) {
        self.0.remove(&turn);
    }

    /// How long the task of `turn` waits, at most, for an earlier one.
    pub(super) fn wait_of(&self, turn: u64) -> Option<Duration> {
        let youngest = self.0.range(..turn).map(|(_, opened)| *opened).max()?;
        A_MOMENT.checked_sub(youngest.elapsed()).filter(|wait| !wait.is_zero())
    }
}
