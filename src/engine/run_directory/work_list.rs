//! What a worker has claimed and not done: which task is next, which claims are done, and
//! how much to claim at a time.
//!
//! Pure: it is told what happens.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::ops::Range;
use std::time::{Duration, Instant};

use super::claims::{Claimed, WorkItem};

/// A claim is as much as a worker does in this time.
const SHARE: Duration = Duration::from_secs(1);

/// One that lasts so long gives back what has not begun.
const STALE: Duration = Duration::from_secs(5);

/// No claim is larger.
const MOST: u64 = 100_000;

/// A task to be done, and the claim that it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct AssignedTask {
    pub(super) place: u64,
    pub(super) item: WorkItem,
    pub(super) lost: u32,
}

/// A claim that is not done.
#[derive(Debug)]
struct OpenItem {
    /// How many tasks are neither recorded nor given back.
    left: u64,
    lost: u32,
    since: Instant,
}

/// All that a worker has to do.
#[derive(Debug)]
pub(super) struct WorkList {
    slots: u64,
    waiting: VecDeque<(WorkItem, Range<u64>)>,
    items: HashMap<WorkItem, OpenItem>,
    /// Since when each task is done that is.
    running: BTreeMap<u64, Instant>,
    /// Tasks that had begun and were given up.
    given_up: BTreeMap<WorkItem, BTreeSet<u64>>,
    /// How long a task takes, as far as is known, and the longest one.
    mean: Option<Duration>,
    longest: Duration,
    /// Whether somebody looks for more.
    pub(super) is_claiming: bool,
    /// Nothing more is begun.
    pub(super) is_over: bool,
}

impl WorkList {
    pub(super) fn new(slots: u32) -> Self {
        Self {
            slots: slots.into(),
            waiting: VecDeque::new(),
            items: HashMap::new(),
            running: BTreeMap::new(),
            given_up: BTreeMap::new(),
            mean: None,
            longest: Duration::ZERO,
            is_claiming: false,
            is_over: false,
        }
    }

    /// How many tasks to claim: one for each slot as long as nobody knows how long they
    /// take, one alone where they are long.
    pub(super) fn share(&self) -> u64 {
        match self.mean {
            None => self.slots,
            Some(mean) if mean >= SHARE => 1,
            Some(mean) => {
                let each = SHARE.as_nanos() / mean.as_nanos().max(1);
                u64::try_from(each).unwrap_or(MOST).saturating_mul(self.slots).clamp(self.slots, MOST)
            }
        }
    }

    /// How long a task may be expected to take.
    pub(super) fn expected(&self) -> Duration {
        self.longest * 3 / 2
    }

    /// Takes on what was claimed, those left out that `is_recorded` already or are others'. Says
    /// whether there is nothing to be done of it.
    pub(super) fn add(&mut self, claimed: &Claimed, is_recorded: impl Fn(u64) -> bool) -> bool {
        let is_ours = |place: &u64| {
            !is_recorded(*place) && !claimed.elsewhere.iter().any(|range| range.contains(place))
        };
        let mut left = 0;
        for range in ranges(claimed.tasks.clone().filter(is_ours)) {
            left += range.end - range.start;
            self.waiting.push_back((claimed.item.clone(), range));
        }
        let open = OpenItem { left, lost: claimed.lost, since: Instant::now() };
        if left > 0 {
            self.items.insert(claimed.item.clone(), open);
        }
        left == 0
    }

    /// The next task, which begins now.
    pub(super) fn next(&mut self) -> Option<AssignedTask> {
        let (item, range) = self.waiting.front_mut()?;
        let place = range.start;
        range.start += 1;
        let item = item.clone();
        if range.start == range.end {
            self.waiting.pop_front();
        }
        self.running.insert(place, Instant::now());
        let lost = self.items.get(&item).map_or(0, |open| open.lost);
        Some(AssignedTask { place, item, lost })
    }

    /// A task is no longer done, whatever became of it.
    pub(super) fn ended(&mut self, place: u64) {
        let Some(began) = self.running.remove(&place) else { return };
        let took = began.elapsed();
        self.longest = self.longest.max(took);
        // The last ones count most.
        self.mean = Some(self.mean.map_or(took, |mean| (mean * 7 + took) / 8));
    }

    /// A task is recorded. Says whether all of its claim is.
    pub(super) fn recorded(&mut self, item: &WorkItem) -> bool {
        let Some(open) = self.items.get_mut(item) else { return false };
        open.left -= 1;
        if open.left == 0 {
            self.items.remove(item);
            return true;
        }
        false
    }

    /// A task that had begun is to be done by somebody else.
    pub(super) fn gave_up(&mut self, task: &AssignedTask) {
        self.given_up.entry(task.item.clone()).or_default().insert(task.place);
    }

    /// Takes away what has waited too long behind tasks that last, to be given back; says
    /// whether all of their claims that is left to this worker is recorded.
    pub(super) fn take_stale(&mut self) -> Vec<Returned> {
        let is_stale = |open: &OpenItem| open.since.elapsed() >= STALE;
        let items = &self.items;
        let (taken, kept): (VecDeque<_>, VecDeque<_>) = std::mem::take(&mut self.waiting)
            .into_iter()
            .partition(|(item, _)| items.get(item).is_some_and(is_stale));
        self.waiting = kept;
        taken.into_iter().map(|(item, range)| self.returned(item, range, 0)).collect()
    }

    fn returned(&mut self, item: WorkItem, tasks: Range<u64>, begun: u32) -> Returned {
        let lost = self.items.get(&item).map_or(0, |open| open.lost) + begun;
        let mut is_last = false;
        if let Some(open) = self.items.get_mut(&item) {
            open.left -= (tasks.end - tasks.start).min(open.left);
            is_last = open.left == 0;
        }
        if is_last {
            self.items.remove(&item);
        }
        Returned { item, tasks, lost, is_last }
    }

    /// Takes away all that is not recorded, to be given back; `begun` is added to how often what
    /// had begun was lost.
    pub(super) fn take_all(&mut self, begun: u32) -> Vec<Returned> {
        self.is_over = true;
        let mut all = Vec::new();
        for (item, range) in std::mem::take(&mut self.waiting) {
            all.push(self.returned(item, range, 0));
        }
        for (item, places) in std::mem::take(&mut self.given_up) {
            for range in ranges(places.into_iter()) {
                all.push(self.returned(item.clone(), range, begun));
            }
        }
        all
    }
}

/// Tasks to be given back.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Returned {
    pub(super) item: WorkItem,
    pub(super) tasks: Range<u64>,
    pub(super) lost: u32,
    /// Whether that is all that was left of the claim.
    pub(super) is_last: bool,
}

/// `places`, which ascend, as ranges.
fn ranges(places: impl Iterator<Item = u64>) -> Vec<Range<u64>> {
    let mut ranges: Vec<Range<u64>> = Vec::new();
    for place in places {
        match ranges.last_mut() {
            Some(last) if last.end == place => last.end += 1,
            _ => ranges.push(place..place + 1),
        }
    }
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claimed(number: u64, tasks: Range<u64>, elsewhere: Vec<Range<u64>>) -> Claimed {
        Claimed { item: WorkItem::Claim(number), tasks, former: Vec::new(), elsewhere, lost: 0 }
    }

    #[test]
    fn a_claim_is_done_when_all_is_recorded_that_is_not_elsewhere() {
        let mut list = WorkList::new(2);
        assert_eq!(list.share(), 2);
        assert!(!list.add(&claimed(0, 0..6, std::iter::once(4..5).collect()), |place| place == 1));
        assert!(list.add(&claimed(1, 6..8, Vec::new()), |_| true));
        let places: Vec<u64> = std::iter::from_fn(|| list.next()).map(|task| task.place).collect();
        assert_eq!(places, [0, 2, 3, 5]);
        let item = WorkItem::Claim(0);
        assert_eq!([0, 2, 3, 5].map(|_| list.recorded(&item)), [false, false, false, true]);
        list.ended(0);
        assert!(list.share() > 2);
    }

    #[test]
    fn what_is_not_recorded_goes_back_and_what_had_begun_counts_as_lost() {
        let mut list = WorkList::new(2);
        list.add(&claimed(3, 10..20, Vec::new()), |_| false);
        let tasks: Vec<AssignedTask> = (0..4).filter_map(|_| list.next()).collect();
        assert!(!list.recorded(&tasks[1].item));
        for lost in [0, 2, 3] {
            list.gave_up(&tasks[lost]);
        }
        let back = list.take_all(1);
        let told: Vec<_> = back.iter().map(|it| (it.tasks.clone(), it.lost, it.is_last)).collect();
        assert_eq!(told, [(14..20, 0, false), (10..11, 1, false), (12..14, 1, true)]);
        assert!(list.next().is_none() && list.is_over);
    }
}
