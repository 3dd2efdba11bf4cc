//! Where the slots' time went that did not speed anything up: tasks that take
//! longer side by side, slots without a task at the end, slots without a task
//! before, on which worker processes have their share. The largest loss speaks.

use super::{CROWDED, SpeedupView, bounds, duration, others};
use crate::numbers;
use crate::study::{ColumnResult, FEWEST_RUNS_FOR_A_TEST, Study, WorkerCosts, ratio_of_rounds};

/// Tasks that take this much longer side by side are stretched.
const STRETCHED: f64 = 1.15;

/// A kind of work with this share of the tasks' time is what binds them.
const BINDING: f64 = 0.4;

/// A task with this share of the parallel time leaves the others little to do.
const LONG: f64 = 0.7;

/// Slots that share too few cores lose nothing while the cores have work: unless
/// this share of them was idle.
const CORES_IDLE: f64 = 0.35;

/// More slots than cores, which are busy all the time.
pub(super) fn crowded(view: &SpeedupView<'_>) -> Option<String> {
    (view.crowding() > CROWDED && view.idle_cores() < CORES_IDLE).then(|| slowed(view))
}

pub(super) fn largest(view: &SpeedupView<'_>) -> String {
    let stretch = (view.task_wall() - view.serial_task_wall() * view.crowding()) / view.capacity();
    let (tail, gaps) = (view.tail(), view.gaps());
    let largest = stretch.max(tail).max(gaps);
    if largest <= stretch {
        slowed(view)
    } else if largest <= tail {
        idle_at_the_end(view)
    } else {
        having_workers(view, gaps).unwrap_or_else(|| work_outside(view, gaps))
    }
}

/// One kind of work takes most of the tasks' time and stretches side by side.
pub(super) fn bound_by_a_span(view: &SpeedupView<'_>) -> Option<String> {
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
    let rest = (view.task_wall() * (1.0 - share))
        / (view.serial_task_wall() - share_alone(view, name)).max(f64::MIN_POSITIVE);
    // What a core that others have does to all of a task's work is not this.
    let binds = share > BINDING && view.stretched > STRETCHED && stretch > STRETCHED * rest.max(1.0);
    let binds = binds && view.loses();
    binds.then(|| {
        let advice = view.study.advice.get(name).map(|text| format!(" {text}")).unwrap_or_default();
        let than_alone = if share_alone(view, name) > 0.0 {
            format!("side by side it takes {} as long as one by one", numbers::factor(stretch))
        } else {
            "one by one there was none of it".to_owned()
        };
        format!("Bound by {name}: {} of the tasks' time, and {than_alone}.{advice}", numbers::percent(share))
    })
}

/// Seconds of the span `name`, one by one.
fn share_alone(view: &SpeedupView<'_>, name: &str) -> f64 {
    view.serial.median(|run| run.span(name))
}

fn slowed(view: &SpeedupView<'_>) -> String {
    let physical = view.study.host.physical.filter(|physical| (*physical as f64) < view.slots);
    let reason = if view.crowding() > CROWDED {
        "there are fewer cores than slots".to_owned()
    } else if waits_more_than_it_computes(view) {
        if others::are_counted(view) {
            format!("they wait for something they share, such as {}", suspects(view))
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
        "Side by side the tasks took {} as long as one by one{}: {reason}.",
        numbers::factor(view.stretched),
        view.more_cpu(),
    )
}

/// Whether what made tasks longer is time in which they neither computed nor waited for
/// a core.
fn waits_more_than_it_computes(view: &SpeedupView<'_>) -> bool {
    let longer = view.task_wall() - view.serial_task_wall() - others::longer_for_a_core(view);
    let idle = longer - view.computed_more();
    idle > view.computed_more().max(0.0)
}

/// What tasks may have waited for that nobody saw wait. What neither read nor wrote
/// anything did not wait for the disk.
fn suspects(view: &SpeedupView<'_>) -> &'static str {
    let blocks = view.counted(|counts| (counts.block_reads + counts.block_writes) as f64);
    let is_known = view.parallel.runs.iter().all(|run| run.counts.is_some());
    if is_known && blocks <= 0.0 { "a lock or a server" } else { "a lock, a server or the disk" }
}

fn idle_at_the_end(view: &SpeedupView<'_>) -> String {
    let longest = view.parallel.median(|run| run.longest.as_secs_f64()) / view.parallel.wall();
    if longest > LONG { bounds::long_tail_in_words(view) } else { bounds::uneven_in_words(view) }
}

fn work_outside(view: &SpeedupView<'_>, share: f64) -> String {
    let per_task = share * view.capacity() / view.tasks;
    format!(
        "Work outside tasks: for {} of the time a slot had none; starting up and handing out took {} for each task, which itself takes {}.",
        numbers::percent(share),
        duration(per_task),
        duration(view.task_wall() / view.tasks),
    )
}

/// What of the slots' time was spent on having processes at all.
fn having_workers(view: &SpeedupView<'_>, share: f64) -> Option<String> {
    let costs = costs(view.parallel)?;
    Some(format!(
        "Work outside tasks: for {} of the time a slot had none; {costs}, and a task takes {}.",
        numbers::percent(share),
        duration(view.task_wall() / view.tasks),
    ))
}

/// Worker processes against what does without, as many at a time, where both ran.
pub(super) fn beside_threads(study: &Study) -> Option<String> {
    let has_workers = |column: &&ColumnResult| column.runs.iter().any(|run| run.crew.is_some());
    let workers = study.parallel().filter(has_workers).max_by_key(|column| column.width)?;
    let mut threads = study.parallel().filter(|column| !has_workers(column));
    let threads = threads.find(|it| it.width == workers.width)?;
    if study.n_failed() > 0 || threads.wall() <= 0.0 {
        return None;
    }
    let (one, other) = (workers.walls(), threads.walls());
    let is_tested = one.len().min(other.len()) >= FEWEST_RUNS_FOR_A_TEST;
    let [engine, beside] = [workers, threads].map(|column| &column.column.engine);
    let told = if is_tested && ratio_of_rounds(&one, &other).holds(1.0) {
        let (first, rest) = engine.split_at(engine.chars().next().map_or(0, char::len_utf8));
        format!("{}{rest} instead of {beside} made no measurable difference", first.to_uppercase())
    } else {
        format!("With {engine} it took {} with {beside}", longer(workers.wall() / threads.wall()))
    };
    Some(format!("{told}: {}.", costs(workers)?))
}

/// `20 % longer than`, or `3.24x as long as` where a share says little.
fn longer(ratio: f64) -> String {
    let off = numbers::percent((ratio - 1.0).abs());
    match ratio {
        _ if off == "0 %" => "as long as".to_owned(),
        _ if ratio >= 2.0 => format!("{} as long as", numbers::factor(ratio)),
        _ if ratio > 1.0 => format!("{off} longer than"),
        _ => format!("{off} less time than"),
    }
}

/// `starting 2 processes took 4.1 ms, and each waited 1.2 ms for 4.0 MB to be passed`.
pub(super) fn costs(column: &ColumnResult) -> Option<String> {
    if column.of_elsewhere(|_| 0.0).is_some() {
        return None;
    }
    let workers = column.of_crew(|crew| crew.workers as f64)?;
    let startup = column.of_crew(|crew| crew.startup.as_secs_f64())?;
    let passing = column.of_crew(WorkerCosts::passing_each)?;
    let passed = column.of_crew(|crew| crew.passed as f64)?;
    let (started, each) =
        if workers > 1.0 { (format!("{workers} processes"), "each") } else { ("a process".to_owned(), "it") };
    Some(format!(
        "starting {started} took {}, and {each} waited {} for {} to be passed",
        duration(startup),
        duration(passing),
        numbers::bytes(passed),
    ))
}
