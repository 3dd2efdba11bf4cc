//! The figures that the rules look at, each the median of a column's runs.

use super::outside::LONG_ENOUGH_TO_COUNT;
use crate::format;
use crate::study::{ColumnResult, Study};

/// Reaching this share of what was possible needs no excuse.
pub(super) const NEAR_ENOUGH: f64 = 0.9;

/// A serial and a parallel column, and where the slots' time went.
pub(super) struct View<'a> {
    pub(super) study: &'a Study,
    pub(super) serial: &'a ColumnResult,
    pub(super) parallel: &'a ColumnResult,
    pub(super) speedup: f64,
    pub(super) tasks: f64,
    /// Slots that could have a task.
    pub(super) slots: f64,
    /// Cores that may be used, of which a quota allows parts.
    pub(super) cores: f64,
    /// How many cores one task after another keeps busy.
    pub(super) cores_per_task: f64,
    /// The best speed-up that slots and cores allow.
    pub(super) possible: f64,
    /// How many times longer the tasks took side by side than one by one.
    pub(super) stretched: f64,
}

impl<'a> View<'a> {
    pub(super) fn new(
        study: &'a Study,
        serial: &'a ColumnResult,
        parallel: &'a ColumnResult,
        speedup: f64,
    ) -> Self {
        let tasks = parallel.median(|run| run.tasks as f64);
        let slots = (parallel.width as f64).min(tasks);
        let usable = study.host.usable as f64;
        let cores = study.host.quota.map_or(usable, |quota| quota.min(usable));
        let cores_per_task = serial.cpu() / serial.wall();
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
            // A little above one is the reading's error.
            possible: slots
                .min(cores / if cores_per_task < 1.1 { cores_per_task.min(1.0) } else { cores_per_task }),
            stretched: task_wall(parallel) / task_wall(serial).max(f64::MIN_POSITIVE),
        }
    }

    /// All parallel runs together, in seconds.
    pub(super) fn together(&self) -> f64 {
        self.parallel.runs.iter().map(|run| run.wall.as_secs_f64()).sum()
    }

    /// Whether there was time enough to see what other work did meanwhile.
    pub(super) fn others_are_counted(&self) -> bool {
        self.together() >= LONG_ENOUGH_TO_COUNT
    }

    /// The share of the cores' time that the parallel run left unused.
    pub(super) fn idle_cores(&self) -> f64 {
        (1.0 - self.parallel.cpu() / (self.cores * self.parallel.wall())).clamp(0.0, 1.0)
    }

    /// The slots' time: what there was to be used, in seconds.
    pub(super) fn capacity(&self) -> f64 {
        self.slots * self.parallel.wall()
    }

    pub(super) fn task_wall(&self) -> f64 {
        self.parallel.median(|run| run.task_wall.as_secs_f64())
    }

    /// How many times longer tasks take side by side for want of cores alone.
    pub(super) fn crowding(&self) -> f64 {
        (self.slots / self.possible).max(1.0)
    }

    /// The share of what was possible that was not reached.
    pub(super) fn loss(&self) -> f64 {
        (1.0 - self.speedup / self.possible).max(0.0)
    }

    /// The share of their time side by side in which the tasks did not compute.
    pub(super) fn idle_in_tasks(&self) -> f64 {
        let cpu = self.parallel.median(|run| run.task_cpu.as_secs_f64());
        (1.0 - cpu / self.task_wall().max(f64::MIN_POSITIVE)).clamp(0.0, 1.0)
    }

    /// The speed-up as it is told.
    pub(super) fn factor(&self) -> String {
        format::factor(self.speedup)
    }

    /// `2 cores`, or the quota where that is what binds.
    pub(super) fn cores_in_words(&self) -> String {
        match self.study.host.quota {
            Some(quota) if quota < self.study.host.usable as f64 => {
                format!("a quota of {} cores", format::three_digits(quota))
            }
            _ => format::plural(self.study.host.usable as u64, "core"),
        }
    }
}
