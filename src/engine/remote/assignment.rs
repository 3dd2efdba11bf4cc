//! Which worker gets the next task, how many each is to have, and what is taken back.
//!
//! Knows nothing of how they are told, nor of what becomes of tasks.

use std::collections::VecDeque;

use super::dispatcher::Dispatcher;
use super::feeder::TaskFeeder;
use super::protocol::kind;
use super::worker_link::{LinkStage, Unbegun, WorkerLink};

/// So many tasks are taken at most beyond those that there is room for, where each is for
/// some hosts and not for others.
const MOST_MIXED: usize = 1024;

impl<'r, 'q> Dispatcher<'r, 'q> {
    /// Has tasks taken for which there is room.
    pub(super) fn refill(&mut self, feeder: &TaskFeeder<'_, '_>) {
        if self.is_last {
            return;
        }
        self.take_from(feeder);
        if self.has_too_much() {
            return;
        }
        let room: usize = (0..self.links.len()).map(|index| self.room(index)).sum();
        // Those that are here may be for hosts that are busy, and the next ones not.
        let is_mixed = self.ready.iter().any(|unbegun| !unbegun.hosts().is_empty());
        let counted = if is_mixed && self.ready.len() < MOST_MIXED { 0 } else { self.ready.len() };
        let room = room.saturating_sub(counted + self.waiting.n_slots());
        // Where nobody is left, it is to be known whether there is something to do.
        feeder.ask(room.max(self.nobody_is_left().into()));
        self.take_from(feeder);
    }

    fn take_from(&mut self, feeder: &TaskFeeder<'_, '_>) {
        let mut taken = VecDeque::new();
        self.is_last = feeder.give(&mut taken);
        self.ready.extend(taken.into_iter().map(Unbegun::first));
    }

    /// How many more tasks the worker of a link is to have, or one that would be started
    /// there.
    fn room(&self, index: usize) -> usize {
        let link = &self.links[index];
        let slots = link.slots.count as usize;
        match link.stage {
            LinkStage::GivenUp | LinkStage::Leaving => 0,
            _ => (slots + self.ahead(index)).saturating_sub(link.n_tasks() + self.kept_slots(index)),
        }
    }

    /// How many slots of a link are kept free: where the end of one task may mean that no
    /// other begins, none does before it is known what that end means.
    fn kept_slots(&self, index: usize) -> usize {
        if self.runs_ahead { 0 } else { self.waiting.n_doubtful(index) }
    }

    /// How many tasks the worker of a link is to have beyond those that it does.
    fn ahead(&self, index: usize) -> usize {
        let link = &self.links[index];
        if !self.runs_ahead || link.stage != LinkStage::Ready {
            return 0;
        }
        let ahead = link.clock.ahead(link.slots.count, self.walls.median());
        ahead.max(link.is_far().into())
    }

    /// Gives tasks to workers: first to those that have a free slot.
    pub(super) fn assign(&mut self) {
        if self.run.interrupt.is_draining() {
            return self.leave_all();
        }
        let now = self.run.clock.now();
        while !self.ready.is_empty() {
            let next = self.next_place();
            let has_free_slot = next.is_some_and(|(_, index)| self.links[index].has_free_slot());
            // Those that are being started will have these.
            let starting: usize = self.getting_ready().map(|link| link.slots.count as usize).sum();
            let is_started = !has_free_slot && starting < self.ready.len() && self.start_another();
            let Some((place, index)) = next else {
                if is_started {
                    continue;
                }
                break;
            };
            let unbegun = self.ready.remove(place).expect("there is one");
            let portable = self.workload.portable();
            if let Err(error) = self.links[index].give(unbegun, now, portable) {
                // It is too long for a message, and would be so for any worker.
                let unbegun = self.links[index].sent.pop_back().expect("it was given just now");
                self.fail_unbegun(
                    unbegun,
                    index,
                    &format!("its input cannot be passed to a worker: {error}"),
                );
            }
        }
    }

    fn getting_ready(&self) -> impl Iterator<Item = &WorkerLink<'r, 'q>> {
        self.links.iter().filter(|link| link.takes_tasks() && link.stage != LinkStage::Ready)
    }

    /// The next of the tasks that are ready for which there is a worker, and the link of that.
    fn next_place(&self) -> Option<(usize, usize)> {
        for (place, unbegun) in self.ready.iter().enumerate() {
            if let Some(index) = self.next_link(unbegun) {
                return Some((place, index));
            }
            if unbegun.hosts().is_empty() {
                // What any worker may do, none has room for.
                break;
            }
        }
        None
    }

    /// The link whose worker is to have a task: of those on which it did not fail, the first
    /// one with a free slot, or else the one that has the fewest for its slots.
    fn next_link(&self, unbegun: &Unbegun<'_, '_>) -> Option<usize> {
        let load = |link: &WorkerLink<'_, '_>| link.n_tasks() / link.slots.count as usize;
        let failed_there = |link: &WorkerLink<'_, '_>| {
            unbegun.failed_on().is_some_and(|node| link.node().is_some_and(|own| *own == *node))
        };
        let groups = self.known_groups(unbegun.hosts());
        let with_room = (0..self.links.len()).filter(|&index| {
            let link = &self.links[index];
            link.stage == LinkStage::Ready && self.room(index) > 0 && link.is_of(groups)
        });
        with_room.min_by_key(|&index| (failed_there(&self.links[index]), load(&self.links[index])))
    }

    /// `groups`, unless no host is of any of them: any host will do then.
    fn known_groups<'g>(&self, groups: &'g [String]) -> &'g [String] {
        if self.links.iter().any(|link| link.is_of(groups)) { groups } else { &[] }
    }

    /// The tasks for which there will be no host, for all that may do them are down.
    pub(super) fn placeless(&mut self) -> Vec<Unbegun<'r, 'q>> {
        let is_placeless = |unbegun: &Unbegun<'_, '_>| {
            let groups = self.known_groups(unbegun.hosts());
            let mut able = self.links.iter().filter(|link| link.is_of(groups));
            able.all(|link| link.stage == LinkStage::GivenUp)
        };
        if !self.links.iter().any(|link| link.stage == LinkStage::GivenUp) {
            return Vec::new();
        }
        let is_lost: Vec<bool> = self.ready.iter().map(is_placeless).collect();
        let (mut lost, mut kept) = (Vec::new(), VecDeque::new());
        for (unbegun, is_lost) in std::mem::take(&mut self.ready).into_iter().zip(is_lost) {
            if is_lost { lost.push(unbegun) } else { kept.push_back(unbegun) }
        }
        self.ready = kept;
        lost
    }

    /// Starts a worker where one is gone; `false` where there is no such place.
    fn start_another(&mut self) -> bool {
        let is_due = |link: &WorkerLink<'_, '_>| {
            link.stage == LinkStage::Vacant && !link.failures.is_first && link.failures.are_over()
        };
        let vacant = self.links.iter().position(is_due);
        let Some(index) = vacant.filter(|_| !self.ends_running()) else { return false };
        if let Err(error) = self.links[index].replace()
            && !self.host_is_down(index, &format!("{error:#}"))
        {
            self.links[index].none_came();
            self.trouble.get_or_insert(error);
        }
        true
    }

    /// Where a slot is free and no task is left for it, others give up what they have not
    /// begun.
    pub(super) fn take_back_from_the_busy(&mut self) {
        if !self.ready.is_empty() || self.ending.drains {
            return;
        }
        let is_idle = |link: &WorkerLink<'_, '_>| link.stage == LinkStage::Ready && link.has_free_slot();
        let has_free_slot = self.links.iter().any(is_idle);
        let n_ahead = |link: &WorkerLink<'_, '_>| link.n_tasks().saturating_sub(link.slots.count as usize);
        let busiest = self.links.iter_mut().max_by_key(|link| n_ahead(link));
        if let (true, Some(link)) = (has_free_slot, busiest.filter(|link| n_ahead(link) > 0))
            && !std::mem::replace(&mut link.is_asked_back, true)
        {
            let half = n_ahead(link).div_ceil(2) as u64;
            link.say(kind::HAND_BACK, &half.to_le_bytes()).expect("it is short");
        }
    }
}
