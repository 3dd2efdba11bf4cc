//! Causes with evidence of their own: what bounds the speed-up before anything is lost
//! (the tasks, the slots, the cores), and what the machine did to the tasks (quota, swap,
//! disk, other work).

use std::time::Duration;

use super::{NEAR_ENOUGH, SpeedupView};
use crate::host::Surroundings;
use crate::numbers;
use crate::study::{ColumnResult, RunResult};

/// Tasks whose CPU time is below this share of their wall time wait.
const WAITING: f64 = 0.2;

/// Waiting that gets this much longer side by side is waiting in a queue.
const IN_A_QUEUE: f64 = 1.3;

/// Tasks that keep more cores than this busy have threads of their own.
const SEVERAL_CORES: f64 = 1.3;

/// With this share of a core beside the tasks, what parsim does itself is worth telling.
const OWN_WORK: f64 = 0.2;

/// Tasks that wait are not told from tasks that once waited for a core in shorter
/// runs, in seconds, unless they are known to wait.
const LONG_ENOUGH_TO_WAIT: f64 = 0.02;

/// A cause that takes a smaller share of what there was is not spoken of.
const WORTH_TELLING: f64 = 0.1;

/// Fewer bytes to and from swap or disk are somebody else's, or nothing.
const BYTES_THAT_MATTER: f64 = 8e6;

/// Other work is counted core by core in ticks of 10 ms, and one more or less on each
/// is chance: it weighs less than what is worth telling in runs of ten ticks, or in
/// many short runs that have as many together.
pub(super) const LONG_ENOUGH_TO_COUNT: f64 = 0.1;

/// Cores this busy leave nothing for those who want more.
const FULL: f64 = 0.8;

/// Tasks that do not compute for this share of their time wait for something.
pub(super) const MOSTLY_WAITING: f64 = 0.5;

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

pub(super) fn threads_of_their_own(view: &SpeedupView<'_>) -> Option<String> {
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

pub(super) fn near_the_ideal(view: &SpeedupView<'_>) -> Option<String> {
    let bound = view.bound();
    (view.speedup >= NEAR_ENOUGH * view.possible).then(|| {
        let (reached, possible) = (view.factor(), numbers::factor(view.possible));
        let allow = if bound.starts_with('a') { "allows" } else { "allow" };
        if view.speedup > view.possible && reached != possible {
            return format!(
                "Nothing to speak of held it back: {bound} {allow} {possible}, and {reached} is that within the reading's error."
            );
        }
        format!("Nothing to speak of held it back: {reached} of the {possible} that {bound} {allow}.")
    })
}

pub(super) fn quota(view: &SpeedupView<'_>) -> Option<String> {
    let throttled = around(view.parallel, |around| around.throttled.as_secs_f64());
    let wanted = view.slots.min(view.study.host.logical as f64) * view.parallel.wall();
    let share = throttled / wanted;
    let quota = view.study.host.quota.map_or_else(
        || "a quota".to_owned(),
        |quota| format!("a quota of {} cores", numbers::three_digits(quota)),
    );
    (share > WORTH_TELLING).then(|| {
        format!(
            "Throttled by {quota} (cgroup): the kernel held the tasks back for {} of the slots' time; the speed-up is {}.",
            numbers::percent(share.min(1.0)),
            view.factor(),
        )
    })
}

pub(super) fn swapping(view: &SpeedupView<'_>) -> Option<String> {
    let [serial, parallel] =
        [view.serial, view.parallel].map(|column| around(column, |around| around.swapped as f64));
    let matters = parallel > BYTES_THAT_MATTER && view.loss() > WORTH_TELLING;
    matters.then(|| {
        format!(
            "Swapping: {} went to or from swap side by side, {} one by one: fewer at a time would fit into memory.",
            numbers::bytes(parallel),
            numbers::bytes(serial),
        )
    })
}

pub(super) fn disk(view: &SpeedupView<'_>) -> Option<String> {
    let read = view.parallel.median(|run| run.usage.bytes_read() as f64);
    let written = view.parallel.median(|run| run.usage.bytes_written() as f64);
    let (verb, amount) = if read >= written { ("read", read) } else { ("wrote", written) };
    let idle = view.idle_in_tasks();
    // A task that does not compute may as well wait for a core; that cores were
    // idle meanwhile, for a disk, is what tells.
    let there_was = view.study.host.usable as f64 * view.parallel.wall();
    let waited = around(view.parallel, |around| around.disk_wait.as_secs_f64()) / there_was;
    let matters = amount > BYTES_THAT_MATTER && waited > WORTH_TELLING && idle > MOSTLY_WAITING;
    let matters = matters && view.loss() > WORTH_TELLING;
    matters.then(|| {
        format!(
            "Bound by the disk: the tasks {verb} {} at {} and computed for {} of their time; the speed-up is {}.",
            numbers::bytes(amount),
            numbers::rate(amount / view.parallel.wall()),
            numbers::percent(1.0 - idle),
            view.factor(),
        )
    })
}

pub(super) fn other_load(view: &SpeedupView<'_>) -> Option<String> {
    if !view.others_are_counted() {
        return None;
    }
    let there_was = view.study.host.usable as f64 * view.parallel.wall();
    let others = share_of(view, |run| others(run).as_secs_f64());
    let stolen = share_of(view, |run| run.surroundings.map_or(0.0, |around| around.stolen.as_secs_f64()));
    let who = if stolen > others { "Other virtual machines" } else { "Other work on this machine" };
    let own = view.parallel.cpu() / there_was;
    // Ticks may add up to more than there was beside the run's own time.
    let share = (others + stolen).min((1.0 - own).max(0.0));
    // The cores were full, and not with tasks that wait; and it explains at least
    // half of what was lost.
    let is_crowded_out = own + share > FULL && own > WORTH_TELLING;
    // Of ticks gathered from many short runs more may be chance.
    let is_short = view.parallel.wall() < LONG_ENOUGH_TO_COUNT;
    let worth_telling = if is_short { 2.0 * WORTH_TELLING } else { WORTH_TELLING };
    let explains = share > worth_telling && share >= 0.5 * view.loss();
    let matters = is_crowded_out && explains && view.loss() > WORTH_TELLING;
    matters.then(|| {
        format!(
            "{who} took {} of {} during the parallel run; the speed-up is {}, and would be more on an idle machine.",
            numbers::percent(share),
            numbers::plural(view.study.host.usable as u64, "core"),
            view.factor(),
        )
    })
}

/// How much of the cores' time `figure` took side by side. Short runs are counted
/// together, where the ticks' chances even out.
fn share_of(view: &SpeedupView<'_>, figure: impl Fn(&RunResult) -> f64) -> f64 {
    let (figure, wall) = if view.parallel.wall() < LONG_ENOUGH_TO_COUNT {
        (view.parallel.runs.iter().map(figure).sum(), view.together())
    } else {
        (view.parallel.median(figure), view.parallel.wall())
    };
    figure / (view.study.host.usable as f64 * wall)
}

/// CPU time that processes other than the run's spent meanwhile.
fn others(run: &RunResult) -> Duration {
    run.surroundings.map_or(Duration::ZERO, |around| around.cpu.saturating_sub(run.usage.cpu()))
}

fn around(column: &ColumnResult, figure: impl Fn(&Surroundings) -> f64) -> f64 {
    column.median(|run| run.surroundings.as_ref().map_or(0.0, &figure))
}
