//! What bounds the speed-up before anything is lost: the tasks, the slots, the
//! cores.

use super::view::{NEAR_ENOUGH, View};
use crate::numbers;

/// Tasks whose CPU time is below this share of their wall time wait.
const WAITING: f64 = 0.2;

/// Waiting that gets this much longer side by side is waiting in a queue.
const IN_A_QUEUE: f64 = 1.3;

/// Tasks that keep more cores than this busy have threads of their own.
const SEVERAL_CORES: f64 = 1.3;

/// Tasks that wait are not told from tasks that once waited for a core in shorter
/// runs, in seconds, unless they are known to wait.
const LONG_ENOUGH_TO_WAIT: f64 = 0.02;

/// More than the slots can give, by more than the reading's error.
const TOO_MUCH: f64 = 1.2;

pub(super) fn one_task(view: &View<'_>) -> Option<String> {
    (view.tasks <= 1.0).then(|| "One task alone has nothing to run beside it.".to_owned())
}

/// So many slots cannot be so much faster.
pub(super) fn more_than_the_slots(view: &View<'_>) -> Option<String> {
    (view.speedup > TOO_MUCH * view.slots).then(|| {
        format!(
            "{} is more than {} slots can give: something slowed the serial run, such as other work or files not yet in memory; --runs 5 or --warmup 1 shows whether it lasts.",
            view.factor(),
            view.slots,
        )
    })
}

pub(super) fn waiting(view: &View<'_>) -> Option<String> {
    let seen = view.study.waits || view.serial.wall() >= LONG_ENOUGH_TO_WAIT;
    let waits = view.cores_per_task < WAITING && view.stretched < IN_A_QUEUE && seen && view.speedup > 1.0;
    let more = if view.slots < view.tasks {
        "more at a time helps, far beyond the number of cores"
    } else {
        "all of them waited at once"
    };
    waits.then(|| {
        format!(
            "The tasks wait rather than compute (CPU busy {} of the serial time), so {} at a time gave {} on {}: {more}.",
            numbers::percent(view.cores_per_task),
            view.slots,
            view.factor(),
            view.cores_in_words(),
        )
    })
}

pub(super) fn too_few_tasks(view: &View<'_>) -> Option<String> {
    let width = view.parallel.width as f64;
    let fewer = view.tasks < width && view.tasks < view.cores / view.cores_per_task;
    // Where more was to be had than there are tasks, these did not hold it back.
    (fewer && view.speedup <= view.tasks).then(|| {
        format!(
            "Too few tasks: {} for {width} slots, so {} is the most that was to be had; the speed-up is {}.",
            numbers::plural(view.parallel.runs[0].tasks, "task"),
            numbers::factor(view.tasks),
            view.factor(),
        )
    })
}

pub(super) fn threads_of_their_own(view: &View<'_>) -> Option<String> {
    let several = view.cores_per_task > SEVERAL_CORES && view.possible < NEAR_ENOUGH * view.slots;
    several.then(|| {
        format!(
            "The tasks are multi-threaded already: one by one they kept {} of {} busy (CPU time above wall time), which leaves {} at most; the speed-up is {}.",
            numbers::three_digits(view.cores_per_task),
            view.cores_in_words(),
            numbers::factor(view.possible),
            view.factor(),
        )
    })
}

pub(super) fn near_the_ideal(view: &View<'_>) -> Option<String> {
    let bound =
        if view.possible < view.slots { view.cores_in_words() } else { format!("{} slots", view.slots) };
    (view.speedup >= NEAR_ENOUGH * view.possible).then(|| {
        let (reached, possible) = (view.factor(), numbers::factor(view.possible));
        let allow = if bound.starts_with('a') { "allows" } else { "allow" };
        format!("Nothing to speak of held it back: {reached} of the {possible} that {bound} {allow}.")
    })
}
