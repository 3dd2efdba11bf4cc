//! Other work on the machine, which is blamed only for what tasks waited for: that it had
//! cores which they left idle took nothing from them.

use super::{MOSTLY_WAITING, SpeedupView, WORTH_TELLING};
use crate::numbers;
use crate::study::{ColumnResult, RunResult};

/// Other work is counted core by core in ticks of 10 ms, and one more or less on each
/// is chance: it weighs less than what is worth telling in runs of ten ticks, or in
/// many short runs that have as many together.
const LONG_ENOUGH_TO_COUNT: f64 = 0.1;

/// What explains a smaller share of the loss is not the one cause of it.
const EXPLAINS: f64 = 0.3;

/// Where it is not told how long threads waited for a core: how long for each time that
/// one was taken off it, at least, in seconds. A kernel's slices are 1 to 6 ms long.
const A_SLICE: f64 = 0.001;

/// How much of the cores others took from the tasks, and who they are.
struct Taken {
    who: &'static str,
    /// The share of the cores' time that the tasks wanted, and others had.
    share: f64,
    /// The share of their time in which tasks waited for a core.
    waited: f64,
}

/// Other work, where it alone explains what was lost.
pub(super) fn alone(view: &SpeedupView<'_>) -> Option<String> {
    let Taken { who, share, waited } = taken(view)?;
    let explains = share >= EXPLAINS * view.loss() && view.loses();
    // What slots had no task for is not theirs, nor is what took the tasks' own CPU time.
    let lost = waited * view.task_wall() / view.capacity();
    let elsewhere = view.tail().max(view.gaps()).max(view.computed_more() / view.capacity());
    (explains && lost.max(share) >= elsewhere).then(|| {
        format!(
            "{who} took {} of {} during the parallel run, and tasks waited for a core for {} of their time; the speed-up is {}, and would be more on an idle machine.",
            numbers::percent(share),
            numbers::plural(view.study.host.usable as u64, "core"),
            numbers::percent(waited),
            view.factor(),
        )
    })
}

/// The same, behind a cause that was named.
pub(super) fn besides(view: &SpeedupView<'_>) -> Option<String> {
    let Taken { who, share, .. } = taken(view).filter(|_| view.loses())?;
    Some(format!(
        " {who} took {} of {} meanwhile, for which tasks waited, too.",
        numbers::percent(share),
        numbers::plural(view.study.host.usable as u64, "core"),
    ))
}

/// Whether there was time enough to see what other work did meanwhile.
pub(super) fn are_counted(view: &SpeedupView<'_>) -> bool {
    together(view) >= LONG_ENOUGH_TO_COUNT
}

/// How much longer tasks waited for a core side by side than one by one, in seconds.
pub(super) fn longer_for_a_core(view: &SpeedupView<'_>) -> f64 {
    (wait_for_a_core(view.parallel) - wait_for_a_core(view.serial)).max(0.0)
}

fn taken(view: &SpeedupView<'_>) -> Option<Taken> {
    if !are_counted(view) {
        return None;
    }
    let there_was = view.study.host.usable as f64 * view.parallel.wall();
    let stolen = share_of(view, |run| run.surroundings.map_or(0.0, |around| around.stolen.as_secs_f64()));
    let waited = longer_for_a_core(view);
    // A task that waits for a core sees nothing of a machine that is away.
    let others = share_of(view, others).min(waited / there_was);
    let who = if stolen > others { "Other virtual machines" } else { "Other work on this machine" };
    let own = view.parallel.cpu() / there_was;
    // Ticks may add up to more than there was beside the run's own time. What tasks
    // that wait left idle nobody stole from them.
    let stolen = if view.idle_in_tasks() > MOSTLY_WAITING && waited <= 0.0 { 0.0 } else { stolen };
    let share = (others + stolen).min((1.0 - own).max(0.0));
    // Of ticks gathered from many short runs more may be chance.
    let is_short = view.parallel.wall() < LONG_ENOUGH_TO_COUNT;
    let worth_telling = if is_short { 2.0 * WORTH_TELLING } else { WORTH_TELLING };
    let waited = (waited / view.task_wall().max(f64::MIN_POSITIVE)).min(1.0);
    (share > worth_telling).then_some(Taken { who, share, waited })
}

/// How long tasks were ready and had no core, in seconds; from the times that they were
/// taken off one where the kernel does not tell.
pub(super) fn wait_for_a_core(column: &ColumnResult) -> f64 {
    column.median(|run| {
        let counts = run.counts.as_ref();
        let taken_off = counts.map_or(run.usage.involuntary_switches, |counts| counts.involuntary_switches);
        let delay = counts
            .and_then(|counts| counts.run_delay)
            .map_or(taken_off as f64 * A_SLICE, |delay| delay.as_secs_f64());
        // What a quota held back is counted as ready, too; and what is pinned to a core
        // waits for others of its kind.
        let is_pinned = counts.is_some_and(|counts| !counts.pinned_to.is_empty());
        let throttled = counts.map_or(0.0, |counts| counts.throttled.as_secs_f64())
            + run.surroundings.map_or(0.0, |around| around.throttled.as_secs_f64());
        if is_pinned { 0.0 } else { (delay - throttled).max(0.0) }
    })
}

/// All parallel runs together, in seconds.
fn together(view: &SpeedupView<'_>) -> f64 {
    view.parallel.runs.iter().map(|run| run.wall.as_secs_f64()).sum()
}

/// How much of the cores' time `figure` took side by side. Short runs are counted
/// together, where the ticks' chances even out.
fn share_of(view: &SpeedupView<'_>, figure: impl Fn(&RunResult) -> f64) -> f64 {
    let (figure, wall) = if view.parallel.wall() < LONG_ENOUGH_TO_COUNT {
        (view.parallel.runs.iter().map(figure).sum(), together(view))
    } else {
        (view.parallel.median(figure), view.parallel.wall())
    };
    figure / (view.study.host.usable as f64 * wall)
}

/// CPU time that processes other than the run's spent meanwhile.
fn others(run: &RunResult) -> f64 {
    run.surroundings.map_or(0.0, |around| around.cpu.saturating_sub(run.usage.cpu()).as_secs_f64())
}
