//! The figures of a study that are read first: one large, and a few beside it.

use super::document::Tile;
use super::timeline::{ShownRun, ShownRuns, TimeUnit};
use super::{laws, sentences, services};
use crate::numbers;
use crate::study::{Comparison, Failure, Study, Verdict};
use crate::text::{printable, shortened};

/// Less than this of a unit is told in the next smaller one.
const LEAST_OF_A_UNIT: f64 = 0.1;

/// How much of a task's name a tile shows.
const LONGEST_NAME: usize = 48;

/// How much of a cause.
const LONGEST_CAUSE: usize = 120;

/// The one figure: of services how many are up, of a batch that ran one way how many tasks
/// were done, else the speed-up.
pub(super) fn hero(runs: &ShownRuns<'_>) -> Option<Tile> {
    services::hero(runs.study).or_else(|| match compared(runs) {
        Some((best, comparison)) => Some(speedup(runs, best, &comparison)),
        None => done(runs),
    })
}

/// The figures beside it.
pub(super) fn besides(runs: &ShownRuns<'_>) -> Vec<Tile> {
    let mut tiles = Vec::new();
    let Some((best, comparison)) = compared(runs) else {
        tiles.extend(wall(runs));
        tiles.extend(slowest(runs));
        tiles.extend(runs.main().map(cpu_use));
        return tiles;
    };
    if services::are_told(runs.study) {
        tiles.extend(services::changes(runs.study));
        tiles.push(speedup(runs, best, &comparison));
    } else if comparison.verdict.is_claimed() && best.column.width > 1 {
        let slots = numbers::plural(best.column.width as u64, "slot");
        let about = format!("efficiency: speed-up over {slots}");
        let efficiency = laws::efficiency(comparison.speedup, best.column.width);
        tiles.push(Tile::new(efficiency, about));
    }
    tiles.extend(wall(runs));
    if !services::are_told(runs.study) {
        let is_told = !comparison.verdict.is_claimed();
        tiles.push(outcome(runs.study, failures(runs.study).filter(|_| !is_told)));
    }
    tiles
}

/// The fastest of the parallel ways and widths against the serial one.
fn compared<'a>(runs: &ShownRuns<'a>) -> Option<(ShownRun<'a>, Comparison)> {
    let best = runs.best()?;
    Some((best, Comparison::of(runs.study, best.column)?))
}

fn speedup(runs: &ShownRuns<'_>, best: ShownRun<'_>, comparison: &Comparison) -> Tile {
    let which = which(runs, best);
    let range = |low, high| format!("{}-{}", numbers::three_digits(low), numbers::three_digits(high));
    let slower = numbers::factor(1.0 / comparison.speedup);
    let (figure, over) = if comparison.speedup < 1.0 && slower != numbers::factor(1.0) {
        (format!("{slower} slower"), "than serial")
    } else {
        (numbers::factor(comparison.speedup), "speed-up over serial")
    };
    let about = match &comparison.verdict {
        Verdict::Untested { runs } => {
            format!("{over}{which} ({}, no test)", numbers::plural(*runs as u64, "run"))
        }
        Verdict::Different(it) => {
            format!("{over}{which} ({} with 95 % confidence)", range(it.low, it.high))
        }
        Verdict::NoDifference(it) => {
            let about = format!("no measurable difference{which} ({})", range(it.low, it.high));
            return Tile::new(numbers::factor(comparison.speedup), about);
        }
        Verdict::Unclaimed(why) => {
            let failed = failures(runs.study).map(|named| (runs.study.n_failed(), named));
            let (figure, about) = match failed {
                Some((n_failed, named)) => (format!("{} failed", numbers::count(n_failed as u64)), named),
                None => ("–".to_owned(), printable(why)),
            };
            return Tile { is_bad: true, ..Tile::new(figure, format!("no speed-up is claimed: {about}")) };
        }
    };
    Tile::new(figure, about)
}

/// Which of several ways and widths is told of: ` at -j 2, the best of 1, 2, 4`.
fn which(runs: &ShownRuns<'_>, best: ShownRun<'_>) -> String {
    let study = runs.study;
    let engine =
        if runs.side_by_side.len() > 1 { format!(" with {}", printable(best.name)) } else { String::new() };
    if !study.is_swept(best.column.way()) {
        return engine;
    }
    let widths = sentences::widths(study).join(", ");
    format!("{engine} at -j {}, the best of {widths}", best.column.width)
}

/// How many tasks did what they were to do.
fn done(runs: &ShownRuns<'_>) -> Option<Tile> {
    let shown = runs.main().filter(|shown| shown.run.tasks > 0)?;
    let study = runs.study;
    let tasks = shown.run.tasks;
    let failed = (study.n_failed() as u64).min(tasks);
    let all = if failed > 0 { format!(" of {}", numbers::count(tasks)) } else { String::new() };
    let figure = format!("{}{all} done", numbers::count(tasks - failed));
    let how = match shown.column.width {
        1 => "one at a time".to_owned(),
        width => format!("{width} at a time"),
    };
    let well = || format!("{}s, {how}", printable(&study.unit));
    let named = |named| format!("{} failed: {named}", numbers::count(failed));
    let about = failures(study).map_or_else(well, named);
    Some(Tile { is_bad: failed > 0, ..Tile::new(figure, about) })
}

fn slowest(runs: &ShownRuns<'_>) -> Option<Tile> {
    let run = runs.main().filter(|shown| shown.run.tasks > 1)?.run;
    let name = printable(&shortened(&run.longest_label, LONGEST_NAME));
    Some(Tile::new(TimeUnit::brief(run.longest.as_secs_f64()), format!("slowest: {name}")))
}

fn cpu_use(shown: ShownRun<'_>) -> Tile {
    let wall = shown.column.wall();
    let share = if wall > 0.0 { shown.column.cpu() / wall } else { 0.0 };
    Tile::new(numbers::percent(share), "CPU use, where 100 % is one core")
}

fn wall(runs: &ShownRuns<'_>) -> Option<Tile> {
    if let (Some(serial), Some(best)) = (runs.serial, runs.best()) {
        let [one, other] = [serial, best].map(|shown| shown.column.wall());
        return Some(Tile::new(
            both(one, other),
            format!("wall time, serial → {}", runs.study.name(best.column)),
        ));
    }
    let shown = runs.main()?;
    Some(Tile::new(TimeUnit::brief(shown.column.wall()), format!("wall time, {}", shown.name)))
}

/// Two times on one line, three digits each: in one unit where both can be read in
/// it.
fn both(one: f64, other: f64) -> String {
    let unit = TimeUnit::of(one.max(other));
    if unit.scaled(one.min(other)) < LEAST_OF_A_UNIT {
        return format!("{} → {}", TimeUnit::brief(one), TimeUnit::brief(other));
    }
    let [one, other] = [one, other].map(|time| numbers::three_digits(unit.scaled(time)));
    format!("{one} → {other} {}", unit.name)
}

/// What came out the same both ways, or what `failed`.
fn outcome(study: &Study, failed: Option<String>) -> Tile {
    let right = |right, all| format!("{} of {}", numbers::count(right), numbers::count(all));
    if let Some(named) = failed {
        let same = study.agreement.as_ref().map_or_else(String::new, |it| {
            format!("; {} {}s identical", right(it.identical, it.items), printable(&it.unit))
        });
        let figure = format!("{} failed", numbers::count(study.n_failed() as u64));
        return Tile { is_bad: true, ..Tile::new(figure, format!("{named}{same}")) };
    }
    if let Some(agreement) = &study.agreement {
        let differs = match agreement.differences.first() {
            Some(difference) => {
                format!("; different: {}", printable(&shortened(&difference.label, LONGEST_NAME)))
            }
            None => String::new(),
        };
        let about = format!("{}s identical{differs}", printable(&agreement.unit));
        return Tile {
            is_bad: !agreement.holds(),
            ..Tile::new(right(agreement.identical, agreement.items), about)
        };
    }
    let tasks = study.columns.iter().flat_map(|column| &column.runs).map(|run| run.tasks).max().unwrap_or(0);
    let succeeded = tasks.saturating_sub(study.n_failed() as u64);
    Tile::new(right(succeeded, tasks), format!("{}s succeeded", printable(&study.unit)))
}

/// The first task that failed, and why; `None` where none did.
fn failures(study: &Study) -> Option<String> {
    let Failure { label, why, .. } = study.failures.values().next()?;
    let (label, why) = (shortened(label, LONGEST_NAME), shortened(why, LONGEST_CAUSE));
    let more = study.n_failed() - 1;
    let more = if more > 0 { format!("; and {} more", numbers::count(more as u64)) } else { String::new() };
    Some(printable(&format!("{label}: {why}{more}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_times_share_a_unit_where_both_can_be_read_in_it() {
        assert_eq!(both(6.48, 1.254), "6.48 → 1.25 s");
        assert_eq!(both(1.614, 0.401), "1.61 → 0.40 s");
        assert_eq!(both(0.0935, 1.25), "93.5 ms → 1.25 s");
        assert_eq!(both(0.543, 0.571), "543 → 571 ms");
    }
}
