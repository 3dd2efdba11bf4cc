//! One sentence that says what held the speed-up back, with the number it
//! rests on.
//!
//! Rules in order of how much they prove; the first that fits speaks: what the records
//! say, then what the tasks waited for, then other work, which is told behind another
//! cause as well where tasks waited for a core. Each rests on what the records and the
//! machine's counters say, never on what the workload is known to do.

mod beyond;
mod bounds;
mod losses;
mod one_slot;
mod others;
mod rates;
mod starts;
#[cfg(test)]
mod tests;
mod waits;

use super::{ColumnResult, Comparison, Study, Verdict};
use crate::host::Surroundings;
use crate::numbers;
use crate::task::{Awaited, ProcessCounts};

/// What a rule says, if it applies.
type CauseRule = fn(&SpeedupView<'_>) -> Option<String>;

/// The causes that are told by evidence of their own, the plainest first; where
/// none fits, the largest loss of the slots' time speaks.
const RULES: &[CauseRule] = &[
    bounds::one_task,
    rates::limited,
    beyond::more_than_there_is,
    // What the records prove.
    starts::held_up,
    starts::quota,
    starts::quota_of_tasks,
    starts::stopped,
    starts::pinned,
    starts::swapping,
    bounds::too_few_tasks,
    bounds::uneven,
    bounds::long_tail,
    starts::starting_threads,
    starts::starting_jobs,
    // What tasks waited for.
    waits::output,
    waits::shared,
    waits::disk,
    // Who waits in a queue may take long in any slot.
    starts::slow_slot,
    // What there was to be had, and others to have it.
    bounds::waiting,
    bounds::threads_of_their_own,
    bounds::work_of_our_own,
    bounds::quota_that_binds,
    bounds::near_the_ideal,
    losses::crowded,
    losses::bound_by_a_span,
    others::alone,
];

/// What the study says about its widest parallel column, as one sentence, and in
/// others how processes compare with threads, and doing everything in one go with both; `None` when there is nothing to
/// compare.
#[must_use]
pub fn explain(study: &Study) -> Option<String> {
    let sentences = [held_back(study), losses::beside_threads(study), rates::in_one_go(study)];
    let said: Vec<String> = sentences.into_iter().flatten().collect();
    (!said.is_empty()).then(|| said.join(" "))
}

/// What held the widest parallel column back.
fn held_back(study: &Study) -> Option<String> {
    let serial = study.serial()?;
    let parallel = study.widest()?;
    let comparison = Comparison::of(study, parallel)?;
    let view = SpeedupView::new(study, serial, parallel, comparison.speedup);
    if parallel.width == 1 {
        return Some(one_slot::one_against_one(&view, &comparison.verdict));
    }
    match comparison.verdict {
        Verdict::Unclaimed(_) => return None,
        // That more was to be had is sure all the same.
        Verdict::NoDifference(interval) if interval.high >= NEAR_ENOUGH * view.possible => return None,
        Verdict::NoDifference(_) | Verdict::Different(_) | Verdict::Untested { .. } => {}
    }
    let said = RULES.iter().find_map(|rule| rule(&view)).unwrap_or_else(|| losses::largest(&view));
    // Where it is the cause, it is named already.
    let names_others = others::alone(&view).is_some_and(|alone| alone == said);
    let besides = if names_others { None } else { others::besides(&view) };
    Some(said + &besides.unwrap_or_default())
}

/// A cause that takes a smaller share of what there was is not spoken of.
const WORTH_TELLING: f64 = 0.1;

/// From here on there are fewer cores than the slots' tasks want.
const CROWDED: f64 = 1.05;

/// Tasks that do not compute for this share of their time wait for something.
const MOSTLY_WAITING: f64 = 0.5;

fn duration(seconds: f64) -> String {
    numbers::seconds(seconds)
}

/// Reaching this share of what was possible needs no excuse.
const NEAR_ENOUGH: f64 = 0.9;

/// A serial and a parallel column, and where the slots' time went.
struct SpeedupView<'a> {
    study: &'a Study,
    serial: &'a ColumnResult,
    parallel: &'a ColumnResult,
    speedup: f64,
    tasks: f64,
    /// Slots that could have a task.
    slots: f64,
    /// Cores that may be used, of which a quota allows parts.
    cores: f64,
    /// How many cores one task after another keeps busy.
    cores_per_task: f64,
    /// How many cores parsim itself keeps busy beside them.
    own_cores: f64,
    /// The best speed-up that slots and cores allow.
    possible: f64,
    /// How many times longer the tasks took side by side than one by one.
    stretched: f64,
}

impl<'a> SpeedupView<'a> {
    fn new(study: &'a Study, serial: &'a ColumnResult, parallel: &'a ColumnResult, speedup: f64) -> Self {
        let tasks = parallel.median(|run| run.tasks as f64);
        let slots = (parallel.width as f64).min(tasks);
        let usable = study.host.usable as f64;
        // Other machines have cores of their own, which are not known here.
        let is_elsewhere = parallel.of_elsewhere(|_| 0.0).is_some();
        let here = study.host.quota.map_or(usable, |quota| quota.min(usable));
        let cores = if is_elsewhere { slots.max(here) } else { here };
        // What is not the tasks' is parsim's own: taking in what they write.
        let all_cores = serial.cpu() / serial.wall();
        let cores_per_task = (serial.median(|run| run.task_cpu.as_secs_f64()) / serial.wall()).min(all_cores);
        let task_wall = |column: &ColumnResult| column.median(|run| run.task_wall.as_secs_f64());
        Self {
            study,
            serial,
            parallel,
            speedup,
            tasks,
            slots,
            cores,
            cores_per_task,
            own_cores: all_cores - cores_per_task,
            // A little above one is the reading's error.
            possible: slots.min(cores / if all_cores < 1.1 { all_cores.min(1.0) } else { all_cores }),
            stretched: task_wall(parallel) / task_wall(serial).max(f64::MIN_POSITIVE),
        }
    }

    /// The share of the cores' time that the parallel run left unused.
    fn idle_cores(&self) -> f64 {
        (1.0 - self.parallel.cpu() / (self.cores * self.parallel.wall())).clamp(0.0, 1.0)
    }

    /// The slots' time: what there was to be used, in seconds.
    fn capacity(&self) -> f64 {
        self.slots * self.parallel.wall()
    }

    fn task_wall(&self) -> f64 {
        self.parallel.median(|run| run.task_wall.as_secs_f64())
    }

    fn serial_task_wall(&self) -> f64 {
        self.serial.median(|run| run.task_wall.as_secs_f64())
    }

    /// The share of the slots' time without a task at the end.
    fn tail(&self) -> f64 {
        self.parallel.median(|run| run.tail.as_secs_f64()) / self.capacity()
    }

    /// The share of the slots' time without a task before that.
    fn gaps(&self) -> f64 {
        1.0 - self.task_wall() / self.capacity() - self.tail()
    }

    /// What the machine counted side by side.
    fn around(&self, figure: impl Fn(&Surroundings) -> f64) -> f64 {
        if self.parallel.of_elsewhere(|_| 0.0).is_some() {
            return 0.0;
        }
        self.parallel.median(|run| run.surroundings.as_ref().map_or(0.0, &figure))
    }

    /// What was counted of the tasks side by side.
    fn counted(&self, figure: impl Fn(&ProcessCounts) -> f64) -> f64 {
        self.parallel.median(|run| run.counts.as_ref().map_or(0.0, &figure))
    }

    /// How much longer the tasks waited for that side by side than one by one, in seconds.
    fn waits_more(&self, awaited: Awaited) -> f64 {
        let of = |column: &ColumnResult| {
            column.median(|run| run.counts.as_ref().map_or(0.0, |counts| counts.waited_for(awaited)))
        };
        of(self.parallel) - of(self.serial)
    }

    /// How much more CPU time the tasks took side by side, in seconds.
    fn computed_more(&self) -> f64 {
        let of = |column: &ColumnResult| column.median(|run| run.task_cpu.as_secs_f64());
        of(self.parallel) - of(self.serial)
    }

    /// How many times longer tasks take side by side for want of cores alone.
    fn crowding(&self) -> f64 {
        (self.slots / self.possible).max(1.0)
    }

    /// The share of what was possible that was not reached.
    fn loss(&self) -> f64 {
        (1.0 - self.speedup / self.possible).max(0.0)
    }

    /// Whether so much of it was lost that it is worth a cause.
    fn loses(&self) -> bool {
        self.loss() > WORTH_TELLING
    }

    /// The share of their time side by side in which the tasks did not compute.
    fn idle_in_tasks(&self) -> f64 {
        let cpu = self.parallel.median(|run| run.task_cpu.as_secs_f64());
        (1.0 - cpu / self.task_wall().max(f64::MIN_POSITIVE)).clamp(0.0, 1.0)
    }

    /// ` (CPU time +4 %)`; nothing where there is too little of it.
    fn more_cpu(&self) -> String {
        let change = numbers::cpu_change(self.serial.cpu(), self.parallel.cpu());
        change.map_or_else(String::new, |change| format!(" (CPU time {change})"))
    }

    /// The speed-up as it is told.
    fn factor(&self) -> String {
        numbers::factor(self.speedup)
    }

    /// What allows no more than is possible.
    fn bound(&self) -> String {
        if self.possible < self.slots { self.cores_in_words() } else { format!("{} slots", self.slots) }
    }

    /// Whether it is cores that bind, since there are fewer than slots.
    fn fewer_cores_than_slots(&self) -> bool {
        self.possible < self.slots
            && (self.study.host.usable as f64) < self.slots
            && self.quota_in_words().is_none()
    }

    /// `2 cores`, or the quota where that is what binds.
    fn cores_in_words(&self) -> String {
        self.quota_in_words().unwrap_or_else(|| numbers::plural(self.study.host.usable as u64, "core"))
    }

    /// `a quota of 1.5 cores`, where that leaves fewer cores than there are.
    fn quota_in_words(&self) -> Option<String> {
        let host = &self.study.host;
        let quota =
            host.quota.filter(|quota| *quota <= host.usable as f64 && *quota < host.logical as f64)?;
        Some(format!("a quota of {} cores", numbers::three_digits(quota)))
    }
}
