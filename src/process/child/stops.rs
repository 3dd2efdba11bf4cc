//! Whether a job was stopped by a signal, most of all because it asked for the
//! terminal, which no job has: it would wait for ever without a word.
//!
//! A stop is told by CHLD only, which comes for each end as well, and of which two are
//! one: a handler would cost every job something and still miss some. A look is one
//! system call, the first after a second and the next ever later; what is over by then
//! costs nothing, nor does a batch without a terminal.
//!
//! Does not know who is told.

use std::time::{Duration, Instant};

use super::listener::Stop;
use super::reap::{self, Change};

/// What has lasted so long is looked at for the first time.
const FIRST: Duration = Duration::from_secs(1);

/// There is so much time between two looks at most.
const MOST: Duration = Duration::from_secs(10);

/// When to look at one job.
pub(in crate::process) struct Stops {
    /// None: never.
    next: Option<Instant>,
    rest: Duration,
    /// Whether it was ever stopped.
    was_stopped: bool,
}

impl Stops {
    /// Of a job that starts now. One that is not minded is never looked at.
    pub(in crate::process) fn new(is_minded: bool) -> Self {
        let next = is_minded.then(|| Instant::now() + FIRST);
        Self { next, rest: FIRST, was_stopped: false }
    }

    /// When to look even if nothing stirs.
    pub(in crate::process) fn due(&self) -> Option<Instant> {
        self.next
    }

    /// How long until then.
    pub(in crate::process) fn time(&self) -> Option<Duration> {
        self.next.map(|next| next.saturating_duration_since(Instant::now()))
    }

    /// Looks at the job `leader`, which was not reaped, if it is time to.
    pub(in crate::process) fn look(&mut self, leader: i32, is_paused: bool) -> Option<Stop> {
        let now = Instant::now();
        if self.next.is_none_or(|next| next > now) {
            return None;
        }
        self.next = now.checked_add(self.rest);
        self.rest = (self.rest * 2).min(MOST);
        // Of all jobs that parsim has stopped itself there is nothing to be told.
        match (!is_paused).then(|| reap::changed(leader)).flatten()? {
            Change::Stopped(signal) => {
                let is_news = !std::mem::replace(&mut self.was_stopped, true);
                Some(Stop::Stopped { signal, is_news })
            }
            Change::Continued => Some(Stop::Continued),
        }
    }
}
