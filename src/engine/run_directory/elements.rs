//! What becomes of the elements of a run: asked of the batch system now and then, beside
//! whoever reads records.
//!
//! Does not know what workers record.

use std::time::{Duration, Instant};

use super::run_spec::RunSpec;
use super::submitter::{ElementState, SubmittedJob, Submitter};
use crate::process::Waker;
use crate::sync::{Condvar, Mutex};

/// The first question comes after this, each later one after twice as long ...
const FIRST_LOOK: Duration = Duration::from_secs(2);

/// ... but not after more than this.
const LAST_LOOK: Duration = Duration::from_secs(30);

/// Asks a batch system, and keeps what it answered last.
pub(super) struct ElementWatch<'a> {
    submitter: &'a dyn Submitter,
    spec: &'a RunSpec,
    state: Mutex<WatchState>,
    called: Condvar,
    waker: Waker,
}

#[derive(Default)]
struct WatchState {
    jobs: Vec<SubmittedJob>,
    /// What was answered and not yet taken.
    news: Option<Vec<ElementState>>,
    interval: Duration,
    /// Whether somebody wants to know now.
    is_urgent: bool,
    is_over: bool,
    /// Failures to answer, one after the other, and the last one.
    failures: u32,
    why: Option<String>,
}

impl<'a> ElementWatch<'a> {
    pub(super) fn new(submitter: &'a dyn Submitter, spec: &'a RunSpec, waker: Waker) -> Self {
        let state = WatchState { interval: FIRST_LOOK, ..WatchState::default() };
        Self { submitter, spec, state: Mutex::new(state), called: Condvar::new(), waker }
    }

    /// These are to be asked about, from now on.
    pub(super) fn set_jobs(&self, jobs: Vec<SubmittedJob>) {
        let mut state = self.state.lock();
        (state.jobs, state.news, state.interval) = (jobs, None, FIRST_LOOK);
        drop(state);
        self.called.notify_one();
    }

    /// Somebody wants to know now.
    pub(super) fn hurry(&self) {
        let mut state = self.state.lock();
        (state.is_urgent, state.news) = (true, None);
        drop(state);
        self.called.notify_one();
    }

    /// There is no hurry: things go on.
    pub(super) fn relax(&self) {
        self.state.lock().interval = LAST_LOOK;
    }

    /// The next question comes after this at the latest.
    pub(super) fn look_within(&self, time: Duration) {
        let mut state = self.state.lock();
        state.interval = state.interval.min(time);
        drop(state);
        self.called.notify_one();
    }

    /// What was answered since this was asked last.
    pub(super) fn news(&self) -> Option<Vec<ElementState>> {
        self.state.lock().news.take()
    }

    /// How often there was no answer, one after the other, and why.
    pub(super) fn silence(&self) -> Option<(u32, String)> {
        let mut state = self.state.lock();
        let why = state.why.take()?;
        Some((state.failures, why))
    }

    /// Nobody wants to know any more.
    pub(super) fn end(&self) {
        self.state.lock().is_over = true;
        self.called.notify_one();
    }

    /// Asks until nobody wants to know any more.
    pub(super) fn watch(&self) {
        loop {
            let mut state = self.state.lock();
            let began = Instant::now();
            while !state.is_over
                && !state.is_urgent
                && (began.elapsed() < state.interval || state.jobs.is_empty())
            {
                let left = state.interval.saturating_sub(began.elapsed());
                let wait = if state.jobs.is_empty() { LAST_LOOK } else { left };
                state = self.called.wait_timeout(state, wait).0;
            }
            if state.is_over {
                return;
            }
            let jobs = state.jobs.clone();
            state.is_urgent = false;
            drop(state);
            let looked = self.submitter.look(self.spec, &jobs);
            let mut state = self.state.lock();
            state.interval = (state.interval * 2).min(LAST_LOOK);
            match looked {
                // What was submitted meanwhile is not in it.
                Ok(states) if state.jobs == jobs => {
                    (state.news, state.failures) = (Some(states), 0);
                }
                Ok(_) => {}
                Err(error) => {
                    state.failures += 1;
                    state.why = Some(format!("{error:#}"));
                }
            }
            drop(state);
            self.waker.wake();
        }
    }
}
