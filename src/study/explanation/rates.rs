//! What a limited rate of requests means for those that are sent side by side, and for the
//! one that does the work of all.

use super::{SpeedupView, duration};
use crate::numbers;
use crate::study::{FEWEST_RUNS_FOR_A_TEST, RateFloor, Study, ratio_of_rounds};

/// What takes at least this share of a time bounds it.
const BINDS: f64 = 0.75;

/// The rate of requests, which leaves slots nothing to gain.
pub(super) fn limited(view: &SpeedupView<'_>) -> Option<String> {
    let floor = RateFloor::of(view.study, view.parallel)?;
    (floor.seconds >= BINDS * view.parallel.wall()).then(|| {
        let rate = numbers::three_digits(floor.rate);
        let units = numbers::plural(floor.requests, "request");
        let least = duration(floor.seconds);
        format!(
            "At {rate} a second (--rate) {units} to one host take at least {least}, however many {}s run at once.",
            view.study.unit
        )
    })
}

/// The work of all tasks in one go beside them one by one.
pub(super) fn in_one_go(study: &Study) -> Option<String> {
    let whole = study.in_one_go()?;
    let beside = study.widest().or_else(|| study.serial())?;
    if study.n_failed() > 0 && !study.agrees() || whole.wall() <= 0.0 {
        return None;
    }
    let (one, other) = (beside.walls(), whole.walls());
    let is_tested = one.len().min(other.len()) >= FEWEST_RUNS_FOR_A_TEST;
    let ratio = beside.wall() / whole.wall();
    let (factor, word) = if ratio >= 1.0 { (ratio, "faster") } else { (1.0 / ratio, "slower") };
    let told = if is_tested && ratio_of_rounds(&one, &other).holds(1.0) {
        "not measurably different from".to_owned()
    } else {
        format!("{} {word} than", numbers::factor(factor))
    };
    let test = if is_tested { "" } else { " (no test)" };
    let beside = match beside.width {
        1 => format!("{}s one at a time", study.unit),
        width => format!("{}s {width} at a time", study.unit),
    };
    let tasks = whole.runs.last().map_or(0, |run| run.tasks);
    Some(format!(
        "In {} for {} it took {}, {told} {beside}{test}.",
        study.name(whole),
        numbers::plural(tasks, &study.unit),
        duration(whole.wall()),
    ))
}
