//! What a report of one study holds, and in which order: the one place that
//! decides it.

use super::document::{Audience, Chart, Content, Document, ReportSection, Sentence, Tile};
use super::timeline::{ShownRuns, TimeUnit};
use super::{laws, sentences, services, tables};
use crate::numbers;
use crate::study::{Comparison, Study, Verdict, explain};
use crate::text::printable;

/// The report of `study`.
pub(super) fn document(study: &Study) -> Document<'_> {
    let runs = ShownRuns::of(study);
    let ran_any = study.columns.iter().flat_map(|column| &column.runs).any(|run| run.tasks > 0);
    let mut sections = Vec::new();
    sections.extend(services::section(study));
    sections.push(figures(study, ran_any));
    if ran_any {
        let runs = vec![Content::Table(tables::each_run(study))];
        sections.push(ReportSection { audience: Audience::Lists, ..ReportSection::new("Runs", runs) });
        let charts = [
            Chart::SpeedUp(study),
            Chart::CpuUse(study),
            Chart::TaskTimes(study),
            Chart::Ways(study),
            Chart::Slots(study),
        ];
        sections.push(ReportSection::new("", charts.map(Content::Chart).into()));
    }
    let slowest = tables::slowest(&runs);
    let failures = ReportSection::new("Failed tasks", vec![Content::Lines(sentences::failures(study))]);
    let audience = if slowest.is_some() { Audience::Texts } else { Audience::Everybody };
    sections.extend(slowest);
    sections.push(ReportSection { audience, ..failures });
    let remarks = study.remarks.iter().map(|remark| printable(remark));
    let load = ran_any.then(|| sentences::other_load(study)).flatten();
    let notes = remarks.chain(sentences::outliers(study)).chain(load).collect();
    sections.push(ReportSection::new("Notes", vec![Content::Notes(notes)]));
    let mut subject = sentences::subject(study);
    if !ran_any {
        subject.about.clear();
    }
    let explanation = ran_any.then(|| explain(study)).flatten();
    let conclusion = explanation.map(|text| printable(&text)).or_else(|| sentences::written_alone(study));
    Document {
        headline: headline(&runs),
        subjects: vec![subject],
        tiles: if ran_any { tiles(&runs) } else { Vec::new() },
        sections,
        conclusion: conclusion.into_iter().map(Sentence::plain).collect(),
        hint: sentences::hint(study),
    }
}

fn headline(runs: &ShownRuns<'_>) -> String {
    let tasks = runs.main().map_or(0, |shown| shown.run.tasks);
    let ways = match (runs.serial, runs.parallel()) {
        (Some(_), Some(parallel)) => format!("one at a time and {} at a time", parallel.column.width),
        (None, Some(parallel)) => format!("{} at a time", parallel.column.width),
        _ => "one at a time".to_owned(),
    };
    let (workload, unit) = (&runs.study.workload, &runs.study.unit);
    printable(&format!("{workload}: {}, {ways}", numbers::plural(tasks, unit)))
}

/// The table, and what it says in words.
fn figures(study: &Study, ran_any: bool) -> ReportSection<'_> {
    let mut content = Vec::new();
    let mut lines = Vec::new();
    let mut heading = "What it took";
    if ran_any {
        let grid = tables::side_by_side(study);
        if grid.n_figures() > 1 {
            heading = "Side by side";
        }
        content.push(Content::Table(grid));
        lines.extend(sentences::summary(study));
        lines.extend(laws::laws(study).into_iter().map(Sentence::plain));
    }
    let left = [sentences::results(study), sentences::whereabouts(study)];
    lines.extend(left.into_iter().flatten().map(Sentence::plain));
    content.push(Content::Lines(lines));
    ReportSection::new(heading, content)
}

/// Less than this of a unit is told in the next smaller one.
const LEAST_OF_A_UNIT: f64 = 0.1;

/// The four figures that are read first.
fn tiles(runs: &ShownRuns<'_>) -> Vec<Tile> {
    let compared = runs.parallel().and_then(|shown| Comparison::of(runs.study, shown.column));
    let mut tiles = match (runs.parallel(), compared) {
        (Some(parallel), Some(comparison)) => {
            let slots = numbers::plural(parallel.column.width as u64, "slot");
            let mut tiles = vec![speedup(&comparison)];
            if !matches!(comparison.verdict, Verdict::Unclaimed(_)) {
                let about = format!("efficiency: speed-up over {slots}");
                let efficiency = laws::efficiency(comparison.speedup, parallel.column.width);
                tiles.push(Tile::new(efficiency, about));
            }
            tiles
        }
        _ => alone(runs),
    };
    tiles.extend([wall(runs), outcome(runs.study)]);
    tiles
}

fn speedup(comparison: &Comparison) -> Tile {
    let range = |low, high| format!("{}-{}", numbers::three_digits(low), numbers::three_digits(high));
    let about = match &comparison.verdict {
        Verdict::Untested { runs } => {
            format!("speed-up over serial ({}, no test)", numbers::plural(*runs as u64, "run"))
        }
        Verdict::Different(it) => {
            format!("speed-up over serial ({} with 95 % confidence)", range(it.low, it.high))
        }
        Verdict::NoDifference(it) => format!("no measurable difference ({})", range(it.low, it.high)),
        Verdict::Unclaimed(why) => {
            let about = format!("no speed-up is claimed: {}", printable(why));
            return Tile { is_bad: true, ..Tile::new("–", about) };
        }
    };
    Tile::new(numbers::factor(comparison.speedup), about)
}

/// What one way alone is judged by.
fn alone(runs: &ShownRuns<'_>) -> Vec<Tile> {
    let Some(shown) = runs.main() else { return Vec::new() };
    let wall = shown.column.wall();
    let over = |amount: f64| if wall > 0.0 { amount / wall } else { 0.0 };
    let rate = over(shown.column.median(|run| run.tasks as f64));
    vec![
        Tile::new(numbers::percent(over(shown.column.cpu())), "CPU use, where 100 % is one core"),
        Tile::new(numbers::three_digits(rate), format!("{}s per second", printable(&runs.study.unit))),
    ]
}

fn wall(runs: &ShownRuns<'_>) -> Tile {
    match (runs.serial, runs.parallel()) {
        (Some(serial), Some(parallel)) => {
            let [one, other] = [serial, parallel].map(|shown| shown.column.wall());
            Tile::new(both(one, other), format!("wall time, serial → {}", parallel.name))
        }
        _ => Tile::new(
            runs.main().map_or_else(String::new, |shown| numbers::seconds(shown.column.wall())),
            runs.main().map_or_else(String::new, |shown| format!("wall time, {}", shown.name)),
        ),
    }
}

/// Two times on one line, three digits each: in one unit where both can be read in
/// it.
fn both(one: f64, other: f64) -> String {
    let unit = TimeUnit::of(one.max(other));
    let smaller = unit.scaled(one.min(other));
    let shown = |time: f64, unit: TimeUnit| numbers::three_digits(unit.scaled(time));
    if smaller >= LEAST_OF_A_UNIT {
        return format!("{} → {} {}", shown(one, unit), shown(other, unit), unit.name);
    }
    let [one, other] = [one, other].map(|time| (shown(time, TimeUnit::of(time)), TimeUnit::of(time).name));
    format!("{} {} → {} {}", one.0, one.1, other.0, other.1)
}

/// What came out right.
fn outcome(study: &Study) -> Tile {
    let failed = study.n_failed() as u64;
    let failures = if failed > 0 { format!(", {} failed", numbers::count(failed)) } else { String::new() };
    let right = |right, all| format!("{} of {}", numbers::count(right), numbers::count(all));
    if let Some(agreement) = &study.agreement {
        let about = format!("{}s identical{failures}", printable(&agreement.unit));
        let is_bad = !agreement.holds() || failed > 0;
        return Tile { is_bad, ..Tile::new(right(agreement.identical, agreement.items), about) };
    }
    let tasks = study.columns.iter().flat_map(|column| &column.runs).map(|run| run.tasks).max().unwrap_or(0);
    let about = format!("tasks succeeded{failures}");
    Tile { is_bad: failed > 0, ..Tile::new(right(tasks.saturating_sub(failed), tasks), about) }
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
