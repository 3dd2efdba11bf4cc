//! What worker processes cost, from what starting them and passing data took.

use super::view::View;
use crate::format;
use crate::study::{ColumnResult, FEWEST_RUNS_FOR_A_TEST, Study, WorkerCosts, ratio_of_medians};

/// What of the slots' time was spent on having processes at all.
pub(super) fn outside(view: &View<'_>, share: f64) -> Option<String> {
    let costs = costs(view.parallel)?;
    Some(format!(
        "Work outside tasks: for {} of the time a slot had none; {costs}, and a task takes {}.",
        format::percent(share),
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
    let walls =
        |column: &ColumnResult| column.runs.iter().map(|run| run.wall.as_secs_f64()).collect::<Vec<_>>();
    let (one, other) = (walls(workers), walls(threads));
    let is_tested = one.len().min(other.len()) >= FEWEST_RUNS_FOR_A_TEST;
    let [engine, beside] = [workers, threads].map(|column| &column.column.engine);
    let told = if is_tested && ratio_of_medians(&one, &other).holds(1.0) {
        let (first, rest) = engine.split_at(engine.chars().next().map_or(0, char::len_utf8));
        format!("{}{rest} instead of {beside} made no measurable difference", first.to_uppercase())
    } else {
        format!("In {engine} it took {}", format::change(workers.wall() / threads.wall()))
    };
    Some(format!("{told}: {}.", costs(workers)?))
}

/// `starting 2 processes took 4.1 ms, and each waited 1.2 ms for 4.0 MB to be passed`.
fn costs(column: &ColumnResult) -> Option<String> {
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
        format::bytes(passed),
    ))
}

fn duration(seconds: f64) -> String {
    format::seconds(seconds)
}
