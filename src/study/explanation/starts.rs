//! What kept tasks from starting or from running at all, as the records prove it: pauses,
//! late inputs, quotas, pins, stops; and work that is over before threads are there.

use std::time::Duration;

use super::{SpeedupView, WORTH_TELLING, duration, others};
use crate::numbers;
use crate::study::{SlotTotal, StartWaits};
use crate::task::Awaited;

/// Starts that are held up for this share of the time leave slots without a task.
const OFTEN: f64 = 0.2;

/// Work that takes longer is not told to be short, in seconds.
const SHORT: f64 = 0.05;

/// Threads that take this share of the time to start leave little of it.
const LONG_TO_START: f64 = 0.2;

/// A job that takes longer does something, in seconds.
const HARDLY_ANYTHING: f64 = 0.002;

/// Fewer bytes to and from swap are somebody else's, or nothing.
const BYTES_THAT_MATTER: f64 = 8e6;

/// A slot is slow where its tasks take this much longer than those of the others on
/// average, and than the longest one took alone.
const SLOW: f64 = 1.5;
const LONGER_THAN_ALL: f64 = 1.2;

/// Where waiting for a core is this share of what a slot's tasks took longer, and computing
/// is less of it, that is why.
const CROWDED_OUT: f64 = 0.4;

/// Shorter tasks may as well have missed a core once, in seconds.
const LONG_ENOUGH_TO_BE_SLOW: f64 = 0.02;

pub(super) fn held_up(view: &SpeedupView<'_>) -> Option<String> {
    let of = |figure: fn(&StartWaits) -> Duration| {
        view.parallel.median(|run| run.start_waits.as_ref().map_or(0.0, |waits| figure(waits).as_secs_f64()))
    };
    let causes: [(f64, &str); 3] = [
        (of(|waits| waits.delay), "--delay had the next task wait"),
        (of(|waits| waits.busy), "a limit such as --load or --memfree had the next task wait"),
        (of(|waits| waits.input), "the next input was waited for"),
    ];
    let (time, why) = causes.into_iter().max_by(|one, other| one.0.total_cmp(&other.0))?;
    let matters = time > OFTEN * view.parallel.wall() && view.loses();
    matters.then(|| {
        format!(
            "Slots had no task: {why} for {} of the {} that it took; the speed-up is {}.",
            duration(time),
            duration(view.parallel.wall()),
            view.factor(),
        )
    })
}

pub(super) fn quota(view: &SpeedupView<'_>) -> Option<String> {
    let throttled = view.around(|around| around.throttled.as_secs_f64());
    let wanted = view.slots.min(view.study.host.logical as f64) * view.parallel.wall();
    let share = throttled / wanted;
    let quota = view.quota_in_words().unwrap_or_else(|| "a quota".to_owned());
    (share > WORTH_TELLING).then(|| {
        format!(
            "Throttled by {quota} (cgroup): the kernel held the tasks back for {} of the slots' time; the speed-up is {}.",
            numbers::percent(share.min(1.0)),
            view.factor(),
        )
    })
}

/// A quota of a group that parsim is not in.
pub(super) fn quota_of_tasks(view: &SpeedupView<'_>) -> Option<String> {
    let share = view.counted(|counts| counts.throttled.as_secs_f64()) / view.task_wall();
    (share > WORTH_TELLING && view.loses()).then(|| {
        format!(
            "Throttled by a quota of the tasks' own control group (cgroup): the kernel held them back for {} of their time; the speed-up is {}.",
            numbers::percent(share.min(1.0)),
            view.factor(),
        )
    })
}

pub(super) fn stopped(view: &SpeedupView<'_>) -> Option<String> {
    let share = view.waits_more(Awaited::Continuing) / view.task_wall();
    (share > WORTH_TELLING && view.loses()).then(|| {
        format!(
            "Tasks were stopped by a signal (STOP or TSTP) for {} of their time, until another one continued them; the speed-up is {}.",
            numbers::percent(share.min(1.0)),
            view.factor(),
        )
    })
}

pub(super) fn pinned(view: &SpeedupView<'_>) -> Option<String> {
    let cores = &view.parallel.runs.last()?.counts.as_ref()?.pinned_to;
    let fewer = !cores.is_empty() && (cores.len() as f64) < view.slots.min(view.cores);
    (fewer && view.loses()).then(|| {
        let named: Vec<String> = cores.iter().take(NAMED_CORES).map(u32::to_string).collect();
        let more = if cores.len() > NAMED_CORES { ", ..." } else { "" };
        format!(
            "The tasks are pinned to {} (number {}{more}), by taskset or the like: more slots than that cannot help; the speed-up is {}.",
            numbers::plural(cores.len() as u64, "core"),
            named.join(", "),
            view.factor(),
        )
    })
}

/// So many cores are told by number.
const NAMED_CORES: usize = 8;

pub(super) fn swapping(view: &SpeedupView<'_>) -> Option<String> {
    let [serial, parallel] = [view.serial, view.parallel].map(|column| {
        column.median(|run| run.surroundings.as_ref().map_or(0.0, |around| around.swapped as f64))
    });
    (parallel > BYTES_THAT_MATTER && view.loses()).then(|| {
        format!(
            "Swapping: {} went to or from swap side by side, {} one by one: fewer at a time would fit into memory.",
            numbers::bytes(parallel),
            numbers::bytes(serial),
        )
    })
}

/// The tasks of one slot take longer than any took alone.
pub(super) fn slow_slot(view: &SpeedupView<'_>) -> Option<String> {
    let n_slots = view.parallel.runs.iter().map(|run| run.slots.len()).max().unwrap_or(0);
    let of = |slot: usize| {
        let totals = view.parallel.runs.iter().filter_map(|run| run.slots.get(slot));
        totals.fold(SlotTotal::default(), SlotTotal::and)
    };
    let slots: Vec<SlotTotal> = (0..n_slots).map(of).collect();
    let slowest = (0..slots.len()).max_by_key(|&slot| slots[slot].wall_each())?;
    let rest = (0..slots.len()).filter(|&slot| slot != slowest);
    let (slow, others) = (slots[slowest], rest.fold(SlotTotal::default(), |sum, slot| sum.and(&slots[slot])));
    let (mean, mean_of_others) = (slow.wall_each().as_secs_f64(), others.wall_each().as_secs_f64());
    let alone = view.serial.median(|run| run.longest.as_secs_f64());
    // One task may be long by itself; two that are longer than all were alone are not.
    let is_slow = mean > LONG_ENOUGH_TO_BE_SLOW
        && slow.tasks >= 2
        && others.tasks >= 2
        && mean > SLOW * mean_of_others
        && mean > LONGER_THAN_ALL * alone;
    // Of two cores that somebody else has a share of, one is slow: nobody computes more.
    let longer = mean - mean_of_others;
    let without_core = others::longer_for_a_core(view) * view.parallel.runs.len() as f64;
    let computes_more = slow.cpu_each().as_secs_f64() - others.cpu_each().as_secs_f64();
    let is_crowded_out =
        without_core > CROWDED_OUT * longer * slow.tasks as f64 && computes_more < CROWDED_OUT * longer;
    (is_slow && !is_crowded_out && view.loses()).then(|| {
        format!(
            "One of the slots is slow: in slot {} a task took {} on average, in the others {}; the speed-up is {}.",
            slowest + 1,
            duration(mean),
            duration(mean_of_others),
            view.factor(),
        )
    })
}

/// Threads that are hardly there before the work is done.
pub(super) fn starting_threads(view: &SpeedupView<'_>) -> Option<String> {
    let (told, share) = view.start_up()?;
    (share > LONG_TO_START && view.loses()).then(|| {
        format!("{told}: there is little to gain with work this short; the speed-up is {}.", view.factor())
    })
}

/// Jobs that do so little that it is starting them that takes the time.
pub(super) fn starting_jobs(view: &SpeedupView<'_>) -> Option<String> {
    view.parallel.runs.last()?.counts.as_ref()?;
    let alone = view.serial_task_wall() / view.tasks;
    (alone < HARDLY_ANYTHING && view.loses()).then(|| {
        format!(
            "The jobs are over so soon ({} each, one by one) that starting and ending processes is what takes the time, which the kernel does better one by one; the speed-up is {}.",
            duration(alone),
            view.factor(),
        )
    })
}

impl SpeedupView<'_> {
    /// What it took to start the threads and to have them end, in words and as a share
    /// of the time; `None` where that is not known, or the work is not short.
    pub(super) fn start_up(&self) -> Option<(String, f64)> {
        let wall = self.parallel.wall();
        let last = self.parallel.runs.last()?;
        if wall > SHORT || last.crew.is_some() {
            return None;
        }
        last.lead?;
        // A slot's share of the tail, where there was a task for each, is its thread's end.
        let slots = self.parallel.median(|run| run.slots.len() as f64).max(1.0);
        let lead = self.parallel.median(|run| run.lead.unwrap_or_default().as_secs_f64());
        let end = if slots > 1.0 { 0.0 } else { self.parallel.median(|run| run.tail.as_secs_f64()) / slots };
        let threads = numbers::plural(self.parallel.width as u64, "thread");
        let (took, of) = (lead + end, duration(wall));
        Some((format!("Starting {threads} took {} of {of}", duration(took)), took / wall))
    }
}
