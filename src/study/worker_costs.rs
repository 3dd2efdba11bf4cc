//! What it cost to have tasks done by processes of their own.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::measure::seconds;

/// The worker processes of one run, and what they cost beside the tasks' own time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct WorkerCosts {
    /// How many there were at a time.
    pub workers: usize,
    /// From the start of the first until all of them were ready; part of the run's
    /// wall time.
    #[serde(with = "seconds")]
    pub startup: Duration,
    /// The most memory that each of them held, added up, in bytes. What they share,
    /// such as the program itself, counts with each. `None` where the system does
    /// not tell.
    pub peak_memory: Option<u64>,
    /// How many bytes were passed to them and back.
    pub passed: u64,
    /// How long they waited for something to be passed, added up over the workers:
    /// what tasks share, tasks on their way there, records on their way back.
    #[serde(with = "seconds")]
    pub passing: Duration,
    /// How many were started in place of others that had ended.
    #[serde(default)]
    pub replaced: u64,
}

impl WorkerCosts {
    /// How long each worker waited for something to be passed, in seconds.
    #[must_use]
    pub fn passing_each(&self) -> f64 {
        self.passing.as_secs_f64() / self.workers.max(1) as f64
    }
}
