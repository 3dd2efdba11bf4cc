//! What the tasks waited for side by side that they did not wait for one by one, as they
//! were seen from beside: a lock, the disk, a server, whoever takes their output.

use super::{MOSTLY_WAITING, SpeedupView, WORTH_TELLING, others};
use crate::numbers;
use crate::task::Awaited;

/// What takes a smaller share of the time by which tasks got longer did not make them so.
const EXPLAINS: f64 = 0.35;

/// Output that takes this share of the slots' time to hand on holds them up.
const HOLDS_UP: f64 = 0.15;

/// Where this share of the time that output took is parsim's own CPU time, no reader is
/// slow: one that is has parsim do nothing.
const OWN_WORK: f64 = 0.2;

/// Fewer bytes to and from disk are somebody else's, or nothing.
const BYTES_THAT_MATTER: f64 = 8e6;

/// What tasks can wait for that they share, and what is said of it.
const SHARED: [(Awaited, &str); 6] = [
    (Awaited::Disk, "the disk"),
    (Awaited::Lock, "a lock that they share"),
    (Awaited::Network, "a server, at the other end of a connection"),
    (Awaited::Pipe, "another program, at the other end of a pipe"),
    (
        Awaited::Clock,
        "the clock: they slept, as programs do that try again and again to get a lock, or keep to a rate",
    ),
    (Awaited::Thread, "a lock in memory, or for another thread"),
];

/// Whoever takes the output is slow, in either way.
pub(super) fn output(view: &SpeedupView<'_>) -> Option<String> {
    let handing_on = view.counted(|counts| counts.handing_on.as_secs_f64())
        + view.parallel.median(|run| run.start_waits.map_or(0.0, |waits| waits.output.as_secs_f64()));
    let waiting = view.counted(|counts| counts.waited_for(Awaited::Output));
    let share = (handing_on + waiting) / view.capacity();
    if share < HOLDS_UP || !view.loses() {
        return None;
    }
    let bytes = numbers::bytes(view.parallel.median(|run| run.bytes as f64));
    let own = view.parallel.median(|run| (run.usage.cpu().saturating_sub(run.task_cpu)).as_secs_f64());
    let share = numbers::percent(share.min(1.0));
    Some(if own > OWN_WORK * (handing_on + waiting) {
        format!(
            "Bound by output: the tasks wrote {bytes}, and for {share} of the slots' time it was read and compared here; the speed-up is {}.",
            view.factor(),
        )
    } else {
        format!(
            "Bound by output: for {share} of the slots' time whoever reads it (stdout, or where it goes) took nothing of the {bytes}; the speed-up is {}.",
            view.factor(),
        )
    })
}

/// Whatever tasks wait for most that they did not wait for alone.
pub(super) fn shared(view: &SpeedupView<'_>) -> Option<String> {
    let (time, awaited, what) = longest(view)?;
    let share = time / view.task_wall();
    // What they waited for a core is told besides.
    let longer =
        view.task_wall() - view.serial_task_wall() * view.crowding() - others::longer_for_a_core(view);
    if share < WORTH_TELLING || time < EXPLAINS * longer || !view.loses() {
        return None;
    }
    let of_disk = if awaited == Awaited::Disk { with_amount(view) } else { String::new() };
    Some(format!(
        "Side by side the tasks took {} as long as one by one{}: for {} of that time they waited for {what}{of_disk}.",
        numbers::factor(view.stretched),
        view.more_cpu(),
        numbers::percent(share.min(1.0)),
    ))
}

/// What tasks waited for most that they did not wait for alone, and how long.
fn longest(view: &SpeedupView<'_>) -> Option<(f64, Awaited, &'static str)> {
    let more = SHARED.map(|(awaited, what)| (view.waits_more(awaited), awaited, what));
    more.into_iter().max_by(|one, other| one.0.total_cmp(&other.0))
}

/// Whether tasks waited for something that they share for less than this share of the
/// slots' time.
pub(super) fn take_less_than(view: &SpeedupView<'_>, share: f64) -> bool {
    longest(view).is_none_or(|(time, ..)| time < share * view.capacity())
}

/// ` (they wrote 64.0 MB at 21.0 MB/s)`
fn with_amount(view: &SpeedupView<'_>) -> String {
    let (verb, amount) = moved(view);
    if amount < BYTES_THAT_MATTER {
        return String::new();
    }
    format!(" (they {verb} {} at {})", numbers::bytes(amount), numbers::rate(amount / view.parallel.wall()))
}

/// What most of the transfer was, and how much.
fn moved(view: &SpeedupView<'_>) -> (&'static str, f64) {
    let read = view.parallel.median(|run| run.usage.bytes_read() as f64);
    let written = view.parallel.median(|run| run.usage.bytes_written() as f64);
    if read >= written { ("read", read) } else { ("wrote", written) }
}

/// Where nobody looked at the tasks: cores that were idle for a disk.
pub(super) fn disk(view: &SpeedupView<'_>) -> Option<String> {
    let (verb, amount) = moved(view);
    let idle = view.idle_in_tasks();
    // A task that does not compute may as well wait for a core; that cores were
    // idle meanwhile, for a disk, is what tells.
    let there_was = view.study.host.usable as f64 * view.parallel.wall();
    let waited = view.around(|around| around.disk_wait.as_secs_f64()) / there_was;
    let matters = amount > BYTES_THAT_MATTER && waited > WORTH_TELLING && idle > MOSTLY_WAITING;
    (matters && view.loses()).then(|| {
        format!(
            "Bound by the disk: the tasks {verb} {} at {} and computed for {} of their time; the speed-up is {}.",
            numbers::bytes(amount),
            numbers::rate(amount / view.parallel.wall()),
            numbers::percent(1.0 - idle),
            view.factor(),
        )
    })
}
