//! One sentence that says what held the speed-up back, with the number it
//! rests on.
//!
//! Rules in order of how much they explain; the first that fits speaks. Each
//! rests on what the records say, never on what the workload is known to do.

use super::{Column, Comparison, Study, Verdict};
use crate::format;

/// Tasks whose CPU time is below this share of their wall time wait.
const WAITING: f64 = 0.2;

/// Reaching this share of what was possible needs no excuse.
const NEAR_ENOUGH: f64 = 0.9;

/// Tasks that take this much longer side by side are stretched.
const STRETCHED: f64 = 1.15;

/// What the study says about its widest parallel column, as one sentence;
/// `None` when there is nothing to compare.
#[must_use]
pub fn explain(study: &Study) -> Option<String> {
    let serial = study.serial()?;
    let parallel = study.parallel().max_by_key(|column| column.width)?;
    let comparison = Comparison::of(study, parallel)?;
    if parallel.width == 1 {
        return Some("One task at a time against one at a time: there was nothing to gain.".to_owned());
    }
    if matches!(comparison.verdict, Verdict::Unclaimed(_) | Verdict::NoDifference(_)) {
        return None;
    }
    let view = View { study, serial, parallel, speedup: comparison.speedup };
    let rules = [
        View::one_task,
        View::waiting,
        View::too_few_tasks,
        View::near_the_ideal,
        View::bound_by_a_span,
        View::long_tail,
        View::stretch,
    ];
    Some(rules.iter().find_map(|rule| rule(&view)).unwrap_or_else(|| view.idle_slots()))
}

struct View<'a> {
    study: &'a Study,
    serial: &'a Column,
    parallel: &'a Column,
    speedup: f64,
}

impl View<'_> {
    fn tasks(&self) -> f64 {
        self.parallel.median(|run| run.tasks as f64)
    }

    /// Slots that could have a task.
    fn slots(&self) -> f64 {
        (self.parallel.width as f64).min(self.tasks())
    }

    /// The best speed-up that slots and cores allow.
    fn possible(&self) -> f64 {
        if self.study.waits { self.slots() } else { self.slots().min(self.study.host.usable as f64) }
    }

    /// How many times longer the tasks took side by side than one by one.
    fn stretched(&self) -> f64 {
        let walls = |column: &Column| column.median(|run| run.task_wall.as_secs_f64());
        walls(self.parallel) / walls(self.serial).max(f64::MIN_POSITIVE)
    }

    fn factor(&self) -> String {
        format::factor(self.speedup)
    }

    fn one_task(&self) -> Option<String> {
        (self.tasks() <= 1.0).then(|| "One task alone has nothing to run beside it.".to_owned())
    }

    fn waiting(&self) -> Option<String> {
        let busy = self.serial.cpu() / self.serial.wall();
        let waits = busy < WAITING && self.serial.wall() > 0.0;
        let more = if self.slots() < self.tasks() {
            "more at a time helps, far beyond the number of cores"
        } else {
            "all of them waited at once"
        };
        waits.then(|| {
            format!(
                "The tasks wait rather than compute (CPU busy {} of the serial time), so {} at a time gave {} on {}: {more}.",
                format::percent(busy),
                self.slots(),
                self.factor(),
                format::plural(self.study.host.usable as u64, "core"),
            )
        })
    }

    fn too_few_tasks(&self) -> Option<String> {
        let width = self.parallel.width as f64;
        let fewer = self.tasks() < width && self.tasks() < self.study.host.usable as f64;
        fewer.then(|| {
            format!(
                "Too few tasks: {} for {width} slots, so {} is the most that was to be had; the speed-up is {}.",
                format::plural(self.parallel.runs[0].tasks, "task"),
                format::factor(self.tasks()),
                self.factor(),
            )
        })
    }

    fn near_the_ideal(&self) -> Option<String> {
        let cores = format::plural(self.study.host.usable as u64, "core");
        let bound = if self.possible() < self.slots() { cores } else { format!("{} slots", self.slots()) };
        (self.speedup >= NEAR_ENOUGH * self.possible()).then(|| {
            let (reached, possible) = (self.factor(), format::factor(self.possible()));
            format!("Nothing to speak of held it back: {reached} of the {possible} that {bound} allow.")
        })
    }

    /// One kind of work takes most of the tasks' time and stretches side by side.
    fn bound_by_a_span(&self) -> Option<String> {
        if self.slots() > self.study.host.usable as f64 {
            // Then every span is stretched, by waiting for a core.
            return None;
        }
        let task_wall = self.parallel.median(|run| run.task_wall.as_secs_f64());
        let last = self.parallel.runs.last()?;
        let (name, share, stretch) = last
            .spans
            .iter()
            .map(|total| {
                let here = self.parallel.median(|run| run.span(&total.name));
                let there = self.serial.median(|run| run.span(&total.name));
                (total.name.as_str(), here / task_wall, here / there.max(f64::MIN_POSITIVE))
            })
            .max_by(|one, other| one.1.total_cmp(&other.1))?;
        let bound = share > 0.4 && self.stretched() > STRETCHED && stretch > STRETCHED;
        bound.then(|| {
            let advice = self.study.advice.get(name).map(|text| format!(" {text}")).unwrap_or_default();
            format!(
                "Bound by {name}: {} of the tasks' time, and side by side it takes {} as long as one by one.{advice}",
                format::percent(share),
                format::factor(stretch),
            )
        })
    }

    fn long_tail(&self) -> Option<String> {
        let longest = self.serial.median(|run| run.longest.as_secs_f64());
        let share = longest / self.parallel.wall();
        (share > 0.7 && self.tasks() > 1.0).then(|| {
            format!(
                "The longest task ({}) would alone take {} of the parallel time: it bounds what more slots can do.",
                self.serial.runs.last().map_or("?", |run| run.longest_label.as_str()),
                format::percent(share.min(1.0)),
            )
        })
    }

    /// The share of the slots' time in which they had a task.
    fn busy(&self) -> f64 {
        let busy =
            self.parallel.median(|run| run.task_wall.as_secs_f64()) / (self.parallel.wall() * self.slots());
        busy.min(1.0)
    }

    fn stretch(&self) -> Option<String> {
        let stretched = self.stretched();
        // Two losses multiply: tasks that take longer, and slots without a task.
        (stretched > 1.0 / self.busy()).then(|| {
            let cpu = self.parallel.cpu() / self.serial.cpu().max(f64::MIN_POSITIVE);
            let reason = if self.slots() > self.study.host.usable as f64 {
                "there are fewer cores than slots"
            } else if cpu - 1.0 < 0.5 * (stretched - 1.0) {
                "they wait for something they share, such as a lock of the file system or the disk"
            } else {
                "they share something that slows each of them, such as memory, caches or sibling threads of a core"
            };
            format!(
                "Side by side the tasks took {} as long as one by one (CPU time {}): {reason}.",
                format::factor(stretched),
                format::change(cpu),
            )
        })
    }

    fn idle_slots(&self) -> String {
        format!(
            "The slots had a task {} of the time: starting them, handing tasks out and the end of the batch took the rest.",
            format::percent(self.busy()),
        )
    }
}
