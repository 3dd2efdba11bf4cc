//! What a worker looks after beside its tasks: whether it is to end, whether others still count
//! on it, its heart, and what waits to be recorded or given back.
//!
//! Does not know how tasks are claimed or done.

use std::os::fd::AsFd as _;
use std::time::{Duration, Instant};

use anyhow::anyhow;

use super::heartbeat::CutOff;
use super::scribe::AWAKE;
use super::worker::DirectoryWorker;
use crate::process::child::Guard;
use crate::process::{PollEntry, poll};

/// What has to be looked after beside the tasks is looked after so often.
const TICK: Duration = AWAKE;

/// Whether nothing more is to be begun is looked for so often in the middle of work.
const STOP_LOOK: Duration = Duration::from_millis(200);

/// A heart beats so often, or faster where that is not fast enough to be seen.
const BEAT: Duration = Duration::from_secs(5);

impl DirectoryWorker<'_> {
    /// Whether it takes part no more, and why.
    pub(super) fn is_cut_off(&self) -> Option<CutOff> {
        let why = || {
            if self.identity.is_replaced(self.layout) {
                return Some(CutOff::OtherRun);
            }
            self.layout.dead(self.name).exists().then_some(CutOff::Buried)
        };
        self.cut_off.get().copied().or_else(|| why().map(|why| *self.cut_off.get_or_init(|| why)))
    }

    /// Whether this process is to end, or somebody has begun to kill it: batch systems kill a
    /// job's processes one after the other, from the leaves, and what tasks do meanwhile, whose
    /// own processes are gone, means nothing.
    pub(super) fn is_being_ended(&self) -> bool {
        self.stops.is_set() || self.guard.is_some_and(Guard::is_being_killed)
    }

    /// Looks after all but the tasks.
    pub(super) fn attend(&self) {
        let interval = BEAT.min(self.spec.lease / 4);
        let mut beat = Instant::now() + interval;
        let mut glance = Instant::now() + STOP_LOOK;
        loop {
            let mut entries =
                [PollEntry::readable(self.stops.wake_fd()), PollEntry::readable(self.left.as_fd())];
            if self.ends_tasks.is_set() {
                // It stays readable.
                entries[0] = PollEntry::NOTHING;
            }
            let _ = poll(&mut entries, Some(TICK.min(interval)));
            if entries[1].is_ready() {
                return;
            }
            let is_stopped = Instant::now() >= glance && {
                glance = Instant::now() + STOP_LOOK;
                if self.is_cut_off() == Some(CutOff::OtherRun) {
                    self.fails(anyhow!("there is another run in its place"));
                    self.ends_tasks.trigger(libc::SIGTERM);
                }
                self.layout.is_stopped(self.element) || self.is_cut_off().is_some()
            };
            let is_being_ended = self.is_being_ended();
            let begins_nothing =
                is_stopped || is_being_ended || self.stops.is_draining() || self.end.is_over();
            if begins_nothing && !self.list.lock().is_over {
                self.list.lock().is_over = true;
                self.rung.notify_all();
            }
            if self.guard.is_some_and(Guard::is_gone) {
                self.fails(anyhow!("somebody killed what ends its jobs when it cannot"));
            }
            if (is_being_ended || self.end.is_over()) && !self.ends_tasks.is_set() {
                self.ends_tasks.trigger(libc::SIGTERM);
            }
            if Instant::now() >= beat {
                beat = Instant::now() + interval;
                // Who cannot say that it lives is taken for dead, and does no harm.
                let _ = self.heart.lock().beat();
            }
            let stale = if self.is_cut_off().is_some() { Vec::new() } else { self.list.lock().take_stale() };
            let settled = self
                .settle_held(false)
                .and_then(|()| stale.into_iter().try_for_each(|returned| self.give_back(returned)));
            if let Err(error) = settled {
                self.fails(error);
            }
        }
    }
}
