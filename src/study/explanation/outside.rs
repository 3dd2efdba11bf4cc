//! What the machine did to the tasks: quota, swap, disk, other work.

use std::time::Duration;

use super::view::View;
use crate::format;
use crate::host::Surroundings;
use crate::study::{ColumnResult, RunResult};

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

pub(super) fn quota(view: &View<'_>) -> Option<String> {
    let throttled = around(view.parallel, |around| around.throttled.as_secs_f64());
    let wanted = view.slots.min(view.study.host.logical as f64) * view.parallel.wall();
    let share = throttled / wanted;
    let quota = view.study.host.quota.map_or_else(
        || "a quota".to_owned(),
        |quota| format!("a quota of {} cores", format::three_digits(quota)),
    );
    (share > WORTH_TELLING).then(|| {
        format!(
            "Throttled by {quota} (cgroup): the kernel held the tasks back for {} of the slots' time; the speed-up is {}.",
            format::percent(share.min(1.0)),
            view.factor(),
        )
    })
}

pub(super) fn swapping(view: &View<'_>) -> Option<String> {
    let [serial, parallel] =
        [view.serial, view.parallel].map(|column| around(column, |around| around.swapped as f64));
    let matters = parallel > BYTES_THAT_MATTER && view.loss() > WORTH_TELLING;
    matters.then(|| {
        format!(
            "Swapping: {} went to or from swap side by side, {} one by one: fewer at a time would fit into memory.",
            format::bytes(parallel),
            format::bytes(serial),
        )
    })
}

pub(super) fn disk(view: &View<'_>) -> Option<String> {
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
            format::bytes(amount),
            format::rate(amount / view.parallel.wall()),
            format::percent(1.0 - idle),
            view.factor(),
        )
    })
}

pub(super) fn other_load(view: &View<'_>) -> Option<String> {
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
            format::percent(share),
            format::plural(view.study.host.usable as u64, "core"),
            view.factor(),
        )
    })
}

/// How much of the cores' time `figure` took side by side. Short runs are counted
/// together, where the ticks' chances even out.
fn share_of(view: &View<'_>, figure: impl Fn(&RunResult) -> f64) -> f64 {
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
