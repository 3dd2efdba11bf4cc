//! How a worker gets its next task: from what it has claimed, from what nobody has, from what
//! others gave back or left.
//!
//! One slot looks for all of them.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::Context as _;

use super::claims::{Claimed, TakeOver, UNSEEN};
use super::earlier::earlier;
use super::work_list::AssignedTask;
use super::worker::DirectoryWorker;
use crate::measure::Clock as _;

/// Who has nothing to do looks again after this; then after twice as long, and so on ...
const IDLE: Duration = Duration::from_millis(20);

/// ... but not later than this.
const LONGEST_IDLE: Duration = Duration::from_secs(1);

/// That all is over it sees sooner, for that is one look.
const GLANCE: Duration = Duration::from_millis(50);

/// A task that ended several workers is not begun by another one.
const MOST_ENDED_WORKERS: usize = 4;

/// What came of looking for work.
enum FoundWork {
    Work(Claimed),
    /// Not now.
    Nothing,
    /// And there will be none.
    Over,
}

impl DirectoryWorker<'_> {
    /// The next task and its turn among those of this worker; waits for one. `None` when there
    /// will be none.
    pub(super) fn next(&self) -> Option<(u64, AssignedTask)> {
        let mut idle = IDLE;
        let mut list = self.list.lock();
        loop {
            if list.is_over || self.stops.is_set() {
                return None;
            }
            if let Some(task) = list.next() {
                // Under the lock: turns follow the tasks.
                return Some((self.turns.fetch_add(1, Ordering::Relaxed), task));
            }
            if list.is_claiming {
                list = self.rung.wait(list);
                continue;
            }
            list.is_claiming = true;
            let (share, expected) = (list.share(), list.expected());
            drop(list);
            let found = self.find(share, expected);
            if let Ok(FoundWork::Nothing) = found {
                self.idle(idle);
                idle = (idle * 2).min(LONGEST_IDLE);
            }
            let taken = match found {
                Ok(FoundWork::Work(claimed)) => self.take_on(&claimed).map(|()| true),
                Ok(FoundWork::Nothing) => Ok(true),
                Ok(FoundWork::Over) => Ok(false),
                Err(error) => Err(error),
            };
            let goes_on = taken.unwrap_or_else(|error| {
                self.fails(error);
                false
            });
            list = self.list.lock();
            list.is_claiming = false;
            list.is_over |= !goes_on;
            self.rung.notify_all();
        }
    }

    /// Waits for as long, or until all is over.
    fn idle(&self, time: Duration) {
        let end = Instant::now() + time;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let goes_on = self.stops.sleep_before_a_start(left.min(GLANCE));
            if !goes_on || left.is_zero() || self.layout.is_stopped(self.element) || self.list.lock().is_over
            {
                return;
            }
        }
    }

    fn find(&self, share: u64, expected: Duration) -> anyhow::Result<FoundWork> {
        if self.layout.is_stopped(self.element) || self.is_cut_off().is_some() || !self.end.allows(expected) {
            return Ok(FoundWork::Over);
        }
        let (tasks, is_all) = self.tasks.count().context("cannot see how many tasks there are")?;
        let mut claims = self.claims.lock();
        // Towards the end everybody takes less, so that all end at once.
        let fair = claims.unclaimed(tasks).div_ceil(2 * u64::from(self.spec.cluster.elements.max(1)));
        if let Some(claimed) = claims.claim(share.min(fair), tasks).context("cannot claim tasks")? {
            return Ok(FoundWork::Work(claimed));
        }
        let mut watch = self.watch.lock();
        let looked = claims.take_over(|worker| {
            let is_gone = worker != self.name && watch.is_gone(worker);
            if is_gone {
                // Others need not wait to see it.
                let _ = self.layout.bury(worker);
            }
            is_gone
        });
        Ok(match looked.context("cannot look for tasks that others left")? {
            TakeOver::Taken(claimed) => FoundWork::Work(claimed),
            TakeOver::NothingLeft if is_all && claims.unclaimed(tasks) == 0 && !self.may_be_unseen() => {
                FoundWork::Over
            }
            TakeOver::NothingLeft | TakeOver::OthersWork => FoundWork::Nothing,
        })
    }

    /// Whether there may be tasks that are not seen here yet. Whoever was started because some
    /// are left and sees none waits for them: the client tells when all is done.
    fn may_be_unseen(&self) -> bool {
        let has_begun_none = self.turns.load(Ordering::Relaxed) == 0;
        self.is_seen_late && has_begun_none && self.clock.now() < UNSEEN
    }

    /// Takes on what was claimed, but for what those recorded who had it before.
    fn take_on(&self, claimed: &Claimed) -> anyhow::Result<()> {
        let earlier = earlier(self.layout, claimed)?;
        for (place, earlier) in earlier.iter().filter(|(_, earlier)| !earlier.is_done) {
            if earlier.ended_workers >= MOST_ENDED_WORKERS {
                let why = format!(
                    "{} workers ended while it ran (out of memory, or out of time?)",
                    earlier.ended_workers
                );
                self.fail(*place, &why)?;
            }
        }
        let is_recorded = |place: u64| {
            earlier.get(&place).is_some_and(|it| it.is_done || it.ended_workers >= MOST_ENDED_WORKERS)
        };
        if self.list.lock().add(claimed, is_recorded) {
            self.claims.lock().finish(&claimed.item).context("cannot say that a claim is done")?;
        }
        Ok(())
    }
}
