//! What a batch system tells of a run's elements, and what that means for their workers.

use std::time::Instant;

use anyhow::{Context as _, bail};

use super::client::{RunClient, UNSEEN, WORTH_TELLING};
use super::collector::WorkerView;
use super::submitter::{ElementLife, ElementState};
use super::{SLURM, slurm};
use crate::event::Event;

impl RunClient<'_, '_, '_> {
    /// `states` where nobody is unknown: an element lives as long as the heart of its worker
    /// beats. A controller that has lost its memory does not know what runs.
    pub(super) fn known(&mut self, states: Vec<ElementState>) -> Vec<ElementState> {
        let mut told = |ElementState { number, life }: ElementState| {
            let ElementLife::Unknown = life else { return ElementState { number, life } };
            let of_it = |worker: &&WorkerView| worker.element() == Some(number) && !worker.has_left();
            let workers = self.records.workers.iter().filter(of_it);
            let living = workers.filter(|worker| !self.hearts.is_gone(worker.name())).last();
            let life = match living {
                Some(worker) => ElementLife::Running(worker.node().to_owned()),
                None => ElementLife::Ended("it is not queued any more".to_owned()),
            };
            self.it.watch.look_within(self.it.spec.lease / 2);
            ElementState { number, life }
        };
        states.into_iter().map(&mut told).collect()
    }

    /// Notes of workers whose elements have ended that they will record nothing more.
    pub(super) fn bury_ended(&mut self, states: &[ElementState]) -> anyhow::Result<()> {
        for ElementState { number, life } in states {
            if !matches!(life, ElementLife::Ended(_)) {
                continue;
            }
            for worker in &mut self.records.workers {
                if worker.element() == Some(*number) && !worker.has_left() {
                    worker.is_gone = true;
                    let buried = self.it.layout.bury(worker.name());
                    buried.context("cannot note that a worker is gone")?;
                }
            }
        }
        Ok(())
    }

    /// What the batch system knows of elements.
    pub(super) fn hear_elements(&mut self, states: Vec<ElementState>) -> anyhow::Result<()> {
        // What they recorded before they ended is here by now.
        self.records.catch_up(self.n_elements())?;
        let are_known = states.iter().all(|state| state.life != ElementLife::Unknown);
        let states = self.known(states);
        self.bury_ended(&states)?;
        let mut waiting = None;
        let (mut n_alive, mut n_running) = (0, 0);
        for ElementState { number, life } in &states {
            match life {
                ElementLife::Waiting(reason) => {
                    n_alive += 1;
                    waiting.get_or_insert_with(|| reason.clone());
                }
                ElementLife::Running(node) => {
                    (n_alive, n_running) = (n_alive + 1, n_running + 1);
                    self.look_for_worker(*number, node)?;
                }
                ElementLife::Ended(how) => {
                    if let Some(why) = slurm::ending(how).filter(|_| self.it.spec.engine == SLURM.name) {
                        let mut own = self.records.workers.iter().filter(|it| it.element() == Some(*number));
                        let left = own.next_back().is_some_and(|worker| worker.bye.is_some());
                        if !left && self.ending_since.is_none() {
                            self.tell_once(&format!("element {}: {why}", number + 1));
                        }
                    }
                }
                ElementLife::Unknown => {}
            }
        }
        if n_alive == 0 {
            self.nobody_is_left = true;
        }
        if n_running > 0 && are_known {
            self.it.watch.relax();
        }
        if let Some(reason) = waiting.filter(|_| n_running == 0) {
            self.held_up(&reason);
        }
        Ok(())
    }

    /// An element runs: its worker should be seen.
    fn look_for_worker(&mut self, element: u32, node: &str) -> anyhow::Result<()> {
        if self.records.workers.iter().any(|worker| worker.element() == Some(element)) {
            return Ok(());
        }
        if self.unseen_since.get_or_insert_with(Instant::now).elapsed() < UNSEEN {
            return Ok(());
        }
        let shown = self.it.layout.root().display();
        let why = format!("{node} does not see {shown}: give a --run-dir on a file system that nodes share");
        if self.records.workers.is_empty() {
            bail!("{why}");
        }
        self.tell_once(&why);
        Ok(())
    }

    /// All elements wait.
    fn held_up(&mut self, reason: &str) {
        let waited = self.submitted.elapsed();
        let minutes = waited.as_secs() / 60;
        let (why, is_worth_telling) = match slurm::meaning(reason) {
            Ok(why) => (why.replacen("queued", &format!("queued {minutes} min"), 1), waited >= WORTH_TELLING),
            Err(why) => (why, true),
        };
        let is_news = is_worth_telling && self.told.insert(format!("waits: {reason}"));
        self.it.run.observer.observe(&Event::StartsHeldUp { why: &why, is_news });
    }
}
