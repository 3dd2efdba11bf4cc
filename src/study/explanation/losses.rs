//! Where the slots' time went that did not speed anything up: tasks that take
//! longer side by side, slots without a task at the end, slots without a task
//! before. The largest loss speaks.

use super::outside::MOSTLY_WAITING;
use super::view::View;
use super::workers;
use crate::numbers;

/// Tasks that take this much longer side by side are stretched.
const STRETCHED: f64 = 1.15;

/// From here on there are fewer cores than the slots' tasks want.
const CROWDED: f64 = 1.05;

/// A kind of work with this share of the tasks' time is what binds them.
const BINDING: f64 = 0.4;

/// A task with this share of the parallel time leaves the others little to do.
const LONG: f64 = 0.7;

/// Slots that share too few cores lose nothing while the cores have work: unless
/// this share of them was idle.
const CORES_IDLE: f64 = 0.35;

pub(super) fn largest(view: &View<'_>) -> String {
    if view.crowding() > CROWDED && view.idle_cores() < CORES_IDLE {
        return slowed(view);
    }
    let capacity = view.capacity();
    let serial_tasks = view.serial.median(|run| run.task_wall.as_secs_f64());
    let stretch = (view.task_wall() - serial_tasks * view.crowding()) / capacity;
    let tail = view.parallel.median(|run| run.tail.as_secs_f64()) / capacity;
    let gaps = 1.0 - view.task_wall() / capacity - tail;
    let largest = stretch.max(tail).max(gaps);
    if largest <= stretch {
        bound_by_a_span(view).unwrap_or_else(|| slowed(view))
    } else if largest <= tail {
        idle_at_the_end(view, tail)
    } else {
        workers::outside(view, gaps).unwrap_or_else(|| work_outside(view, gaps))
    }
}

/// One kind of work takes most of the tasks' time and stretches side by side.
fn bound_by_a_span(view: &View<'_>) -> Option<String> {
    if view.crowding() > CROWDED {
        // Then every span is stretched, by waiting for a core.
        return None;
    }
    let last = view.parallel.runs.last()?;
    let (name, share, stretch) = last
        .spans
        .iter()
        .map(|total| {
            let here = view.parallel.median(|run| run.span(&total.name));
            let there = view.serial.median(|run| run.span(&total.name));
            (total.name.as_str(), here / view.task_wall(), here / there.max(f64::MIN_POSITIVE))
        })
        .max_by(|one, other| one.1.total_cmp(&other.1))?;
    let binds = share > BINDING && view.stretched > STRETCHED && stretch > STRETCHED;
    binds.then(|| {
        let advice = view.study.advice.get(name).map(|text| format!(" {text}")).unwrap_or_default();
        format!(
            "Bound by {name}: {} of the tasks' time, and side by side it takes {} as long as one by one.{advice}",
            numbers::percent(share),
            numbers::factor(stretch),
        )
    })
}

fn slowed(view: &View<'_>) -> String {
    let cpu = view.parallel.cpu() / view.serial.cpu().max(f64::MIN_POSITIVE);
    let physical = view.study.host.physical.filter(|physical| (*physical as f64) < view.slots);
    let reason = if view.crowding() > CROWDED {
        "there are fewer cores than slots".to_owned()
    } else if view.idle_in_tasks() > MOSTLY_WAITING || cpu - 1.0 < 0.5 * (view.stretched - 1.0) {
        if view.others_are_counted() {
            "they wait for something they share, such as a lock, a server or the disk".to_owned()
        } else {
            "they wait for something they share, such as a lock or the disk, or for a core that other work has; runs this short do not tell which"
                .to_owned()
        }
    } else if let Some(physical) = physical {
        format!("{} carry {} slots", numbers::plural(physical as u64, "physical core"), view.slots)
    } else {
        "they share something that slows each of them, such as memory, caches or the clock of the cores"
            .to_owned()
    };
    format!(
        "Side by side the tasks took {} as long as one by one (CPU time {}): {reason}.",
        numbers::factor(view.stretched),
        numbers::change(cpu),
    )
}

fn idle_at_the_end(view: &View<'_>, share: f64) -> String {
    let longest = view.parallel.median(|run| run.longest.as_secs_f64()) / view.parallel.wall();
    if longest > LONG {
        return format!(
            "A long tail: the longest task ({}) takes {} of the parallel time, and the slots were idle for {} while the last ones ended.",
            view.parallel.runs.last().map_or("?", |run| run.longest_label.as_str()),
            numbers::percent(longest.min(1.0)),
            numbers::percent(share),
        );
    }
    format!(
        "Too few tasks to share out evenly: with {} for {} slots these were idle for {} of the time while the last ones ended.",
        numbers::plural(view.parallel.runs[0].tasks, "task"),
        view.slots,
        numbers::percent(share),
    )
}

fn work_outside(view: &View<'_>, share: f64) -> String {
    let per_task = share * view.capacity() / view.tasks;
    format!(
        "Work outside tasks: for {} of the time a slot had none; starting up and handing out took {} for each task, which itself takes {}.",
        numbers::percent(share),
        duration(per_task),
        duration(view.task_wall() / view.tasks),
    )
}

fn duration(seconds: f64) -> String {
    numbers::seconds(seconds)
}
