//! `--timeout N%`: a limit that follows how long jobs take.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::event::Journal;
use crate::process::child::Running;
use crate::record::Record;
use crate::study::Remedian;

/// Limits jobs to a share of the median of those that succeeded so far.
pub(super) struct MedianLimit {
    running: &'static Running,
    /// 1.0 is the median itself.
    factor: f64,
    seconds: Mutex<Remedian>,
}

impl MedianLimit {
    /// No limit until a job has succeeded; then `percent` of the median.
    pub(super) fn new(running: &'static Running, percent: f64) -> Self {
        Self { running, factor: percent / 100.0, seconds: Mutex::default() }
    }
}

impl Journal for MedianLimit {
    fn ended(&self, record: &Record) {
        if record.outcome.is_success() {
            let median = {
                let mut seconds = self.seconds.lock().unwrap_or_else(PoisonError::into_inner);
                seconds.add(record.wall.as_secs_f64());
                seconds.estimate()
            };
            let limit = Duration::try_from_secs_f64(median * self.factor).unwrap_or(Duration::MAX);
            self.running.set_time_limit(Some(limit));
        }
    }
}
