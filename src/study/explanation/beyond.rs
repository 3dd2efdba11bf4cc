//! Speed-ups beyond what slots and cores can give: something slowed the serial run, and
//! what that was, as far as the two differ in it.

use super::{NEAR_ENOUGH, SpeedupView, bounds, others};
use crate::host::Surroundings;
use crate::numbers;
use crate::study::{ColumnResult, RunResult};

/// More than there is, by more than the reading's error.
const TOO_MUCH: f64 = 1.05;

const TOO_MUCH_OF_THREADS: f64 = 1.25;

/// Fewer bytes read from disk are a program and its libraries.
const BYTES_READ_THAT_MATTER: f64 = 1e6;

/// Fewer bytes written are soon in memory.
const BYTES_WRITTEN_THAT_MATTER: f64 = 8e6;

/// What took a smaller share of the serial time did not slow it.
const SLOWED: f64 = 0.05;

/// What one column has and the other has not.
type SerialCause = fn(&SpeedupView<'_>) -> Option<String>;

/// What can have slowed the serial run, the plainest first.
const CAUSES: &[SerialCause] = &[read, written, throttled, first_run, other_work, cpu_time, waited];

/// So many slots and cores cannot be so much faster.
pub(super) fn more_than_there_is(view: &SpeedupView<'_>) -> Option<String> {
    // How much threads of their own leave is known only roughly.
    let has_threads = bounds::threads_of_their_own(view).is_some();
    let too_much = if has_threads { TOO_MUCH_OF_THREADS } else { TOO_MUCH };
    (view.speedup > too_much * view.possible).then(|| {
        let cause = CAUSES.iter().find_map(|cause| cause(view)).unwrap_or_else(|| {
            "something slowed the serial run, and nothing that was measured tells what".to_owned()
        });
        let possible = match view.bound() {
            bound if bound.ends_with("slots") => format!("{bound} can give"),
            bound => format!("{bound} can give ({})", numbers::factor(view.possible)),
        };
        format!(
            "{} is more than {possible}: {cause}; --warmup 1 and --runs 5 show what lasts.",
            view.factor()
        )
    })
}

fn read(view: &SpeedupView<'_>) -> Option<String> {
    let [serial, parallel] = both(view, |run| run.usage.bytes_read() as f64);
    (serial - parallel > BYTES_READ_THAT_MATTER).then(|| {
        let (serial, parallel) = (numbers::bytes(serial), numbers::bytes(parallel));
        format!(
            "the serial run read {serial} from disk, which was not in memory yet, the parallel one {parallel}"
        )
    })
}

fn written(view: &SpeedupView<'_>) -> Option<String> {
    let [serial, parallel] = both(view, |run| run.usage.bytes_written() as f64);
    (serial - parallel > BYTES_WRITTEN_THAT_MATTER.max(parallel / 4.0)).then(|| {
        let (serial, parallel) = (numbers::bytes(serial), numbers::bytes(parallel));
        format!("the serial run wrote {serial} to disk, the parallel one {parallel}")
    })
}

fn throttled(view: &SpeedupView<'_>) -> Option<String> {
    let share = |figure: fn(&Surroundings) -> f64| {
        let [serial, parallel] = both(view, |run| run.surroundings.as_ref().map_or(0.0, figure));
        serial / view.serial.wall() - parallel / view.parallel.wall()
    };
    let held = |by: &str, share: f64| {
        (share > SLOWED).then(|| {
            format!("{by} held the serial run back for {} of its time", numbers::percent(share.min(1.0)))
        })
    };
    held("a quota (cgroup)", share(|around| around.throttled.as_secs_f64()))
        .or_else(|| held("other virtual machines", share(|around| around.stolen.as_secs_f64())))
}

/// Of several runs the first one alone was slow.
fn first_run(view: &SpeedupView<'_>) -> Option<String> {
    let walls: Vec<f64> = view.serial.runs.iter().map(|run| run.wall.as_secs_f64()).collect();
    let (first, later) = walls.split_first()?;
    let slowest = later.iter().copied().reduce(f64::max)?;
    // Of three runs and more the median is one of the others.
    (later.len() == 1 && *first > (1.0 + 2.0 * SLOWED) * slowest).then(|| {
        format!("the first serial run took {} as long as the second", numbers::factor(first / slowest))
    })
}

fn other_work(view: &SpeedupView<'_>) -> Option<String> {
    let share = |column: &ColumnResult| {
        let others = |run: &RunResult| {
            run.surroundings.map_or(0.0, |around| around.cpu.saturating_sub(run.usage.cpu()).as_secs_f64())
        };
        column.median(others) / (view.study.host.usable as f64 * column.wall())
    };
    let (serial, parallel) = (share(view.serial), share(view.parallel));
    let is_full =
        serial + view.serial.cpu() / (view.study.host.usable as f64 * view.serial.wall()) > NEAR_ENOUGH;
    (others::are_counted(view) && is_full && serial - parallel > SLOWED).then(|| {
        format!("other work took {} of the cores during the serial run", numbers::percent(serial.min(1.0)))
    })
}

fn cpu_time(view: &SpeedupView<'_>) -> Option<String> {
    let [serial, parallel] = both(view, |run| run.task_cpu.as_secs_f64());
    let more = serial / parallel.max(f64::MIN_POSITIVE);
    ((serial - parallel) / view.serial.wall() > SLOWED && more > 1.0 + SLOWED).then(|| {
        format!(
            "one by one the tasks took {} the CPU time that they took side by side, as with caches not yet filled or cores at a lower clock",
            numbers::factor(more)
        )
    })
}

fn waited(view: &SpeedupView<'_>) -> Option<String> {
    let [serial, parallel] = both(view, |run| run.task_wall.saturating_sub(run.task_cpu).as_secs_f64());
    ((serial - parallel) / view.serial.wall() > SLOWED).then(|| {
        format!(
            "one by one the tasks did not compute for {} altogether, side by side for {}, as when other work or the disk held them up",
            numbers::seconds(serial),
            numbers::seconds(parallel)
        )
    })
}

fn both(view: &SpeedupView<'_>, figure: impl Fn(&RunResult) -> f64) -> [f64; 2] {
    [view.serial.median(&figure), view.parallel.median(&figure)]
}
