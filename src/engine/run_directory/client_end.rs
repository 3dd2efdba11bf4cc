//! The end of a run: whether somebody cancelled it, workers are let go, it is said what is
//! left, and what it took is added up.
//!
//! Does not know what happened before.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::ops::Add as _;
use std::time::{Duration, Instant};

use anyhow::ensure;

use super::client::{FIRST_LOOK, RunClient, RunEnd};
use super::collector::WorkerView;
use super::submitter::{ElementLife, SubmittedJob};
use super::{LOCAL, SLURM};
use crate::measure::Usage;
use crate::study::{ElsewhereCosts, NodeTotal, WorkerCosts};

/// At the end of all tasks those that have nothing to do leave soon.
const LEAVING: Duration = Duration::from_secs(3);

impl RunClient<'_, '_, '_> {
    /// Lets workers go, and says what is left.
    pub(super) fn leave(&mut self, end: RunEnd) -> anyhow::Result<()> {
        let until = Instant::now() + LEAVING;
        if end == RunEnd::Done {
            let is_unseen = self.lacks(|_| true);
            if is_unseen || self.it.spec.engine == LOCAL.name {
                // They are idle, or have not begun.
                let _ = self.it.submitter.cancel(self.it.spec, &self.jobs);
            }
            while Instant::now() < until && !self.records.workers.iter().all(WorkerView::has_left) {
                self.wait(FIRST_LOOK);
                self.records.collect(self.n_elements())?;
                self.hear_workers();
            }
            if self.lacks(|worker| worker.bye.is_some()) && !is_unseen {
                // Of those the batch system may believe that they work.
                let _ = self.it.submitter.cancel(self.it.spec, &self.jobs);
            }
            if self.it.spec.engine == LOCAL.name {
                // Whoever started processes waits for them.
                while Instant::now() < until {
                    let states = self.it.submitter.look(self.it.spec, &self.jobs)?;
                    if states.iter().all(|state| matches!(state.life, ElementLife::Ended(_))) {
                        break;
                    }
                    std::thread::sleep(Duration::from_millis(2));
                }
            }
            return Ok(());
        }
        self.records.catch_up(self.n_elements())?;
        if self.it.spec.words.is_none() || end == RunEnd::Halted {
            return self.records.give_up_rest();
        }
        // Whoever goes on shows in its turn what waits here for what is not done.
        let root = self.it.layout.root().display();
        let left = if self.nobody_is_left { "" } else { "workers may still run: parsim cancel ends them; " };
        self.it.tell(&format!("{left}go on with: parsim resume {root}"));
        Ok(())
    }

    /// Nobody cancelled the run since this client began.
    pub(super) fn check_is_wanted(&self) -> anyhow::Result<()> {
        let cancels = self.it.layout.cancels().unwrap_or_default();
        let is_new = |cancel: &String| !self.earlier_cancels.contains(cancel);
        ensure!(!cancels.iter().any(is_new), "the run was cancelled");
        Ok(())
    }

    /// Tells all workers to claim nothing more.
    pub(super) fn stop_workers(&mut self) -> io::Result<()> {
        let elements = self.n_stopped..self.n_elements();
        self.n_stopped = elements.end;
        self.it.layout.stop(elements)
    }

    /// Whether there is an element that has no such worker.
    pub(super) fn lacks(&self, is_such: impl Fn(&WorkerView) -> bool) -> bool {
        let workers = self.records.workers.iter().filter(|worker| is_such(worker));
        let elements: BTreeSet<u32> = workers.filter_map(WorkerView::element).collect();
        self.jobs.iter().flat_map(SubmittedJob::elements).any(|element| !elements.contains(&element))
    }

    pub(super) fn costs(&self) -> WorkerCosts {
        let workers = &self.records.workers;
        let by_node = self.by_node();
        // Processes of this machine were waited for, and count with this one.
        let used = workers.iter().filter(|_| self.it.spec.engine == SLURM.name);
        let usage =
            used.filter_map(|worker| Some(worker.bye.as_ref()?.usage)).fold(Usage::default(), Usage::add);
        let memory = workers.iter().filter_map(|worker| worker.bye.as_ref()?.peak_memory);
        WorkerCosts {
            workers: workers.len().max(1),
            startup: Duration::ZERO,
            peak_memory: Some(memory.sum()),
            passed: 0,
            passing: Duration::ZERO,
            replaced: self.n_resubmitted,
            elsewhere: Some(ElsewhereCosts {
                queue_wait: self.records.queue_wait,
                usage,
                nodes: by_node.iter().map(|total| total.node.clone()).collect(),
                by_node,
                reruns: self.records.counts.reruns,
                duplicates: self.records.counts.duplicates,
            }),
        }
    }

    /// What each node did. An element that was submitted again has the slots of the one in
    /// whose place it is.
    fn by_node(&self) -> Vec<NodeTotal> {
        let mut totals: BTreeMap<&str, (NodeTotal, BTreeSet<u32>)> = BTreeMap::new();
        for worker in &self.records.workers {
            let Some(about) = &worker.about else { continue };
            let (total, places) = totals.entry(&about.node).or_default();
            total.add_all(&worker.total);
            let is_new = places.insert(worker.element().unwrap_or(0) % self.it.spec.cluster.elements.max(1));
            total.slots += if is_new { about.slots } else { 0 };
        }
        let all = totals.into_iter();
        all.map(|(node, (total, _))| {
            let slots = total.slots;
            total.concluded(node.to_owned(), slots)
        })
        .collect()
    }
}
