//! What a report of one study holds, and in which order: the one place that
//! decides it.

use super::document::{Audience, Chart, Content, Document, ReportSection, Sentence};
use super::timeline::ShownRuns;
use super::{laws, nodes, sentences, services, summary, tables, tiles};
use crate::numbers;
use crate::study::{RecordList, Study, explain};
use crate::task::Finding;
use crate::text::{self, printable};

/// The report of `study`.
pub(super) fn document(study: &Study) -> Document<'_> {
    let runs = ShownRuns::of(study);
    let ran_any = study.columns.iter().flat_map(|column| &column.runs).any(|run| run.tasks > 0);
    let of_both = runs.serial.is_some() && runs.parallel().is_some();
    let mut sections = Vec::new();
    sections.extend(services::news(&study.news));
    sections.push(pictures(Audience::Pages, &[Chart::Phases(study)]));
    let are_services = services::are_told(study);
    if ran_any && !are_services {
        let first = if of_both { Chart::Ways(study) } else { Chart::Slots(study) };
        sections.push(pictures(Audience::Pages, &[first]));
    }
    sections.extend(services::section(study));
    sections.push(figures(study, ran_any));
    sections.extend(nodes::section(study));
    if ran_any {
        let runs = vec![Content::Table(tables::each_run(study))];
        sections.push(ReportSection { audience: Audience::Lists, ..ReportSection::new("Runs", runs) });
        let mut charts = vec![Chart::SpeedUp(study), Chart::CpuUse(study), Chart::TaskTimes(study)];
        charts.extend(are_services.then_some(Chart::Ways(study)));
        charts.extend((of_both || are_services).then_some(Chart::Slots(study)));
        sections.push(pictures(Audience::Pages, &charts));
        let charts = [Chart::SpeedUp(study), Chart::Ways(study), Chart::Slots(study)];
        sections.push(pictures(Audience::Texts, &charts));
    }
    sections.extend(sky(study));
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
    let explanation = explanation.map(|text| {
        let (width, text) = (width_explained(&runs), printable(&text));
        if width.is_empty() { text } else { width + &within_a_sentence(&text) }
    });
    let conclusion = explanation.or_else(|| sentences::written_alone(study));
    Document {
        headline: headline(&runs),
        subjects: vec![subject],
        hero: tiles::hero(&runs),
        tiles: if ran_any { tiles::besides(&runs) } else { Vec::new() },
        lead: summary::estimate(study).map(|text| text::as_a_sentence(&text)),
        sections,
        conclusion: conclusion.into_iter().map(Sentence::plain).collect(),
        hint: sentences::hint(study),
    }
}

/// The charts of what cone searches found; of many, the first.
fn sky(study: &Study) -> Option<ReportSection<'_>> {
    let charts = &study.charts;
    if charts.is_empty() {
        return None;
    }
    let mut content: Vec<Content<'_>> =
        charts.iter().map(|chart| Content::Chart(Chart::Sky(chart))).collect();
    let records = study.columns.iter().flat_map(|column| &column.runs).map(|run| &run.records);
    let is_found = |finding: &Finding| finding.cone.is_some() && finding.rows.is_some();
    let n_found = |records: &RecordList| {
        records.iter().filter(|record| record.finding.as_deref().is_some_and(is_found)).count()
    };
    let n_found = records.map(n_found).max().unwrap_or_default();
    if n_found > charts.len() {
        let (shown, all) = (charts.len(), numbers::plural(n_found as u64, "target"));
        let text = format!("Charts of the first {shown} of {all}; --chart DIR draws all of them.");
        content.push(Content::Lines(vec![Sentence::plain(text)]));
    }
    let section = ReportSection { audience: Audience::Pages, ..ReportSection::new("", content) };
    Some(section)
}

/// Which width is explained, where another one is shown: the widest is.
fn width_explained(runs: &ShownRuns<'_>) -> String {
    match (runs.study.widest(), runs.best()) {
        (Some(widest), Some(best)) if best.column != widest && runs.study.is_swept(widest.way()) => {
            format!("At -j {}: ", widest.width)
        }
        _ => String::new(),
    }
}

/// `text` with a small letter in front, unless it begins with an abbreviation.
fn within_a_sentence(text: &str) -> String {
    let mut rest = text.chars();
    match (rest.next(), rest.clone().next()) {
        (Some(first), Some(second)) if second.is_lowercase() => first.to_lowercase().chain(rest).collect(),
        _ => text.to_owned(),
    }
}

fn pictures<'a>(audience: Audience, charts: &[Chart<'a>]) -> ReportSection<'a> {
    let content = charts.iter().cloned().map(Content::Chart).collect();
    ReportSection { audience, ..ReportSection::new("", content) }
}

fn headline(runs: &ShownRuns<'_>) -> String {
    let tasks = runs.main().map_or(0, |shown| shown.run.tasks);
    let widths = sentences::widths(runs.study).join(", ");
    let ways = match (runs.serial, runs.parallel()) {
        (Some(_), Some(_)) => format!("one at a time and {widths} at a time"),
        (None, Some(_)) => format!("{widths} at a time"),
        _ => "one at a time".to_owned(),
    };
    let (workload, unit) = (&runs.study.workload, &runs.study.unit);
    let whose = if workload == "command" { String::new() } else { format!("{workload}: ") };
    printable(&format!("{whose}{}, {ways}", numbers::plural(tasks, unit)))
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
    lines.extend(nodes::only(study));
    let left = [sentences::results(study), sentences::whereabouts(study)];
    lines.extend(left.into_iter().flatten().map(Sentence::plain));
    content.push(Content::Lines(lines));
    ReportSection::new(heading, content)
}
