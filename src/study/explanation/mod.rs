//! One sentence that says what held the speed-up back, with the number it
//! rests on.
//!
//! Rules in order of how much they explain; the first that fits speaks. Each
//! rests on what the records and the machine's counters say, never on what the
//! workload is known to do.

mod beyond;
mod causes;
mod losses;
#[cfg(test)]
mod tests;

use self::causes::LONG_ENOUGH_TO_COUNT;
use super::{ColumnResult, Comparison, Study, Verdict};
use crate::numbers;

/// What a rule says, if it applies.
type CauseRule = fn(&SpeedupView<'_>) -> Option<String>;

/// The causes that are told by evidence of their own, the plainest first; where
/// none fits, the largest loss of the slots' time speaks.
const RULES: &[CauseRule] = &[
    causes::one_task,
    beyond::more_than_there_is,
    causes::quota,
    causes::swapping,
    causes::other_load,
    causes::disk,
    causes::waiting,
    causes::too_few_tasks,
    causes::threads_of_their_own,
    causes::work_of_our_own,
    causes::near_the_ideal,
];

/// What the study says about its widest parallel column, as one sentence, and in
/// another one how processes compare with threads; `None` when there is nothing to
/// compare.
#[must_use]
pub fn explain(study: &Study) -> Option<String> {
    let sentences = [held_back(study), losses::beside_threads(study)];
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
        return Some(losses::one_against_one(&view, &comparison.verdict));
    }
    match comparison.verdict {
        Verdict::Unclaimed(_) => return None,
        // That more was to be had is sure all the same.
        Verdict::NoDifference(interval) if interval.high >= NEAR_ENOUGH * view.possible => return None,
        Verdict::NoDifference(_) | Verdict::Different(_) | Verdict::Untested { .. } => {}
    }
    Some(RULES.iter().find_map(|rule| rule(&view)).unwrap_or_else(|| losses::largest(&view)))
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
        let cores = study.host.quota.map_or(usable, |quota| quota.min(usable));
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

    /// All parallel runs together, in seconds.
    fn together(&self) -> f64 {
        self.parallel.runs.iter().map(|run| run.wall.as_secs_f64()).sum()
    }

    /// Whether there was time enough to see what other work did meanwhile.
    fn others_are_counted(&self) -> bool {
        self.together() >= LONG_ENOUGH_TO_COUNT
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

    /// How many times longer tasks take side by side for want of cores alone.
    fn crowding(&self) -> f64 {
        (self.slots / self.possible).max(1.0)
    }

    /// The share of what was possible that was not reached.
    fn loss(&self) -> f64 {
        (1.0 - self.speedup / self.possible).max(0.0)
    }

    /// The share of their time side by side in which the tasks did not compute.
    fn idle_in_tasks(&self) -> f64 {
        let cpu = self.parallel.median(|run| run.task_cpu.as_secs_f64());
        (1.0 - cpu / self.task_wall().max(f64::MIN_POSITIVE)).clamp(0.0, 1.0)
    }

    /// The speed-up as it is told.
    fn factor(&self) -> String {
        numbers::factor(self.speedup)
    }

    /// What allows no more than is possible.
    fn bound(&self) -> String {
        if self.possible < self.slots { self.cores_in_words() } else { format!("{} slots", self.slots) }
    }

    /// `2 cores`, or the quota where that is what binds.
    fn cores_in_words(&self) -> String {
        match self.study.host.quota {
            Some(quota) if quota < self.study.host.usable as f64 => {
                format!("a quota of {} cores", numbers::three_digits(quota))
            }
            _ => numbers::plural(self.study.host.usable as u64, "core"),
        }
    }
}
