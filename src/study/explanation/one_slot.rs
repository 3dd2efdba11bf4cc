//! One task at a time both ways: there is nothing to gain, and what differs all the same
//! is no matter of how many run at a time.

use super::{SpeedupView, duration, losses};
use crate::numbers;
use crate::study::{RunResult, Verdict};

const NOTHING: &str = "Both ways ran one task at a time, so there is no speed-up to find.";

/// A smaller share of the time is not worth a word.
const LITTLE: f64 = 0.05;

/// What there is to say of it, and what differs where that is sure.
pub(super) fn one_against_one(view: &SpeedupView<'_>, verdict: &Verdict) -> String {
    let starting = view.start_up();
    let explains = |share: f64| share > LITTLE && share > 0.5 * view.loss() && view.loss() > 0.0;
    let different = matches!(verdict, Verdict::Different(_));
    match starting {
        // Where nothing differs it is told, too: it is the first that people think of.
        Some((told, share)) if explains(share) || !different => return format!("{NOTHING} {told}."),
        None if !different => return NOTHING.to_owned(),
        _ => {}
    }
    let difference = numbers::change(view.parallel.wall() / view.serial.wall());
    format!("{NOTHING} The difference ({difference}) is another: {}.", cause(view))
}

fn cause(view: &SpeedupView<'_>) -> String {
    if let Some(costs) = losses::costs(view.parallel) {
        return costs;
    }
    let more = |figure: fn(&RunResult) -> f64| view.parallel.median(figure) - view.serial.median(figure);
    let within = more(|run| run.task_wall.as_secs_f64());
    let between = more(|run| run.wall.as_secs_f64()) - within;
    let (seconds, place) = if within.abs() >= between.abs() {
        (within, "in each task, as other work, or what was in memory already, can make it")
    } else {
        (between, "between two tasks")
    };
    let side = if seconds < 0.0 { "less" } else { "more" };
    format!("{} {side} {place}", duration(seconds.abs() / view.tasks))
}
