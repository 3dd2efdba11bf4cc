//! What bounds the speed-up before anything is lost: the tasks, the slots, the cores.

use super::{CROWDED, NEAR_ENOUGH, SpeedupView, WORTH_TELLING, others, waits};
use crate::numbers;

/// Tasks whose CPU time is below this share of their wall time wait.
const WAITING: f64 = 0.2;

/// Waiting that gets this much longer side by side is waiting in a queue.
const IN_A_QUEUE: f64 = 1.3;

/// Tasks that keep more cores than this busy have threads of their own.
const SEVERAL_CORES: f64 = 1.3;

/// With this share of a core beside the tasks, what parsim does itself is worth telling.
const OWN_WORK: f64 = 0.2;

/// Less output is taken in in no time.
const BYTES_THAT_MATTER: f64 = 8e6;

/// Tasks that wait are not told from tasks that once waited for a core in shorter
/// runs, in seconds, unless they are known to wait.
const LONG_ENOUGH_TO_WAIT: f64 = 0.02;

/// Tasks of which none takes this much longer than the average are all alike.
const ALIKE: f64 = 1.5;

/// One that takes so many times as long as the average is long ...
const LONG: f64 = 2.0;

/// ... where it leaves the others this share of the time to run beside it.
const MOST_OF_THE_TIME: f64 = 0.5;

/// What explains a smaller share of the loss is not the one cause of it.
const EXPLAINS: f64 = 0.4;

pub(super) fn one_task(view: &SpeedupView<'_>) -> Option<String> {
    (view.tasks <= 1.0).then(|| "One task alone has nothing to run beside it.".to_owned())
}

pub(super) fn waiting(view: &SpeedupView<'_>) -> Option<String> {
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

pub(super) fn too_few_tasks(view: &SpeedupView<'_>) -> Option<String> {
    let width = view.parallel.width as f64;
    let fewer = view.tasks < width && view.tasks < view.cores / view.cores_per_task;
    // Where more was to be had than there are tasks, these did not hold it back; nor did
    // they where tasks got longer.
    (fewer && view.speedup <= view.tasks && view.loss() < MOST_OF_THE_TIME).then(|| {
        format!(
            "Too few tasks: {} for {width} slots, so {} is the most that was to be had; the speed-up is {}.",
            numbers::plural(view.parallel.runs[0].tasks, "task"),
            numbers::factor(view.tasks),
            view.factor(),
        )
    })
}

/// Tasks that are all alike, and whose number the slots do not divide.
pub(super) fn uneven(view: &SpeedupView<'_>) -> Option<String> {
    let mean = view.serial_task_wall() / view.tasks;
    let longest = view.serial.median(|run| run.longest.as_secs_f64());
    let rounds = (view.tasks / view.slots).ceil();
    let idle = 1.0 - view.tasks / (view.slots * rounds);
    // Slots that outnumber the cores are no loss.
    let is_so = longest < ALIKE * mean && view.crowding() < CROWDED && view.tail() > idle / 3.0;
    let explains = idle > WORTH_TELLING && idle > EXPLAINS * view.loss();
    (is_so && explains && waits::take_less_than(view, idle) && view.loses()).then(|| uneven_in_words(view))
}

pub(super) fn uneven_in_words(view: &SpeedupView<'_>) -> String {
    format!(
        "Too few tasks to share out evenly: with {} for {} slots these were idle for {} of the time while the last ones ended.",
        numbers::plural(view.parallel.runs[0].tasks, "task"),
        view.slots,
        numbers::percent(view.tail()),
    )
}

/// One task that was long already when it ran alone, and came late.
pub(super) fn long_tail(view: &SpeedupView<'_>) -> Option<String> {
    let mean = view.serial_task_wall() / view.tasks;
    let longest = view.serial.median(|run| run.longest.as_secs_f64());
    let is_long = longest > LONG * mean && longest > MOST_OF_THE_TIME * view.parallel.wall();
    let tail = view.tail();
    (is_long && tail > WORTH_TELLING && waits::take_less_than(view, tail) && view.loses())
        .then(|| long_tail_in_words(view))
}

pub(super) fn long_tail_in_words(view: &SpeedupView<'_>) -> String {
    let longest = view.parallel.median(|run| run.longest.as_secs_f64()) / view.parallel.wall();
    format!(
        "A long tail: the longest task ({}) takes {} of the parallel time, and the slots were idle for {} while the last ones ended.",
        view.parallel.runs.last().map_or("?", |run| run.longest_label.as_str()),
        numbers::percent(longest.min(1.0)),
        numbers::percent(view.tail()),
    )
}

pub(super) fn threads_of_their_own(view: &SpeedupView<'_>) -> Option<String> {
    // Threads that others keep off the cores want them all the same.
    let wanted = view.cores_per_task + others::wait_for_a_core(view.serial) / view.serial.wall();
    let several = view.cores_per_task > 1.0 && wanted > SEVERAL_CORES;
    let several = several && view.possible < NEAR_ENOUGH * view.slots;
    several.then(|| {
        let most = numbers::factor(view.possible);
        format!(
            "The tasks are multi-threaded already: one by one they kept {} of {} busy (CPU time above wall time), which leaves {}; the speed-up is {}.",
            numbers::three_digits(view.cores_per_task),
            view.cores_in_words(),
            if view.speedup > view.possible { format!("about {most}") } else { format!("{most} at most") },
            view.factor(),
        )
    })
}

/// What parsim does itself, such as taking in what the tasks write, needs cores, too.
pub(super) fn work_of_our_own(view: &SpeedupView<'_>) -> Option<String> {
    let binds = view.own_cores > OWN_WORK && view.possible < NEAR_ENOUGH * view.slots;
    binds.then(|| {
        let bytes = view.parallel.median(|run| run.bytes as f64);
        let what = if bytes > BYTES_THAT_MATTER {
            format!("took in {} of output", numbers::bytes(bytes))
        } else {
            "saw to the tasks".to_owned()
        };
        format!(
            "parsim itself {what}, which kept {} of {} busy even one by one and leaves {} at most; the speed-up is {}.",
            numbers::three_digits(view.own_cores),
            view.cores_in_words(),
            numbers::factor(view.possible),
            view.factor(),
        )
    })
}

/// A quota that is spent, whether or not the kernel had to hold anybody back.
pub(super) fn quota_that_binds(view: &SpeedupView<'_>) -> Option<String> {
    let quota = view.quota_in_words()?;
    let binds = view.possible < NEAR_ENOUGH * view.slots && view.speedup >= NEAR_ENOUGH * view.possible;
    binds.then(|| {
        format!(
            "The cores' time is limited by {quota} (cgroup), which allows {} at most; the speed-up is {}.",
            numbers::factor(view.possible),
            view.factor(),
        )
    })
}

pub(super) fn near_the_ideal(view: &SpeedupView<'_>) -> Option<String> {
    (view.speedup >= NEAR_ENOUGH * view.possible).then(|| {
        let (reached, possible) = (view.factor(), numbers::factor(view.possible));
        let bound = view.bound();
        if view.speedup > view.possible && reached != possible {
            let allow = if bound.starts_with("a ") || bound.starts_with("1 ") { "allows" } else { "allow" };
            return format!(
                "No bottleneck found: {bound} {allow} {possible}, and {reached} is that within the error of measurement."
            );
        }
        let on = if bound.starts_with("a ") { "with" } else { "on" };
        let why = if view.fewer_cores_than_slots() { " (fewer cores than slots)" } else { "" };
        format!("No bottleneck found: {reached} of at most {possible} {on} {bound}{why}.")
    })
}
