//! A history of services as a document: how each fares now and over the days, and when it
//! was not up.

use super::cut;
use crate::numbers;
use crate::report::document::{
    Cells, Chart, Content, Document, Grid, GridRow, ReportSection, Sentence, Subject, Tile, Tone,
};
use crate::sorting;
use crate::study::{History, Outage, ServiceHistory};
use crate::task::ErrorClass;
use crate::text::printable;

/// So many incidents are told, the latest.
const TOLD: usize = 50;

/// So many services that are not up are named at once.
const NAMED: usize = 3;

/// What there is to see of `history`, which is kept in the file `name`.
pub(in crate::report) fn document<'a>(history: &'a History, name: &str) -> Document<'a> {
    let n_services = numbers::plural(history.services.len() as u64, "service");
    let n_up = history.services.iter().filter(|it| it.verdict.is_up()).count();
    let up =
        format!("{} of {} up", numbers::count(n_up as u64), numbers::count(history.services.len() as u64));
    let span = history.checked().map_or_else(String::new, |(first, last)| {
        if first.day() == last.day() { first.date() } else { format!("{} to {}", first.date(), last.date()) }
    });
    let n_checks = history.services.iter().map(n_checks).sum();
    let mut notes = Vec::new();
    if history.unread > 0 {
        notes
            .push(format!("{} could not be read and were left out", numbers::plural(history.unread, "line")));
    }
    Document {
        headline: format!("History of {n_services}: {up}"),
        subjects: vec![Subject {
            command: printable(name),
            about: format!("{n_services}, {span}"),
            moment: span,
            place: numbers::plural(n_checks, "check"),
            ..Subject::default()
        }],
        hero: Some(hero(history, &up)),
        tiles: tiles(history),
        lead: None,
        sections: vec![
            ReportSection::new("Services", vec![Content::Table(grid(history))]),
            ReportSection::new("", vec![Content::Chart(Chart::Days(history))]),
            ReportSection::new("Latest incidents", vec![Content::Lines(incidents(history))]),
            ReportSection::new("Notes", vec![Content::Notes(notes)]),
        ],
        conclusion: conclusion(history, &up),
        hint: None,
    }
}

fn hero(history: &History, up: &str) -> Tile {
    let down: Vec<String> =
        history.services.iter().filter(|it| !it.verdict.is_up()).map(|it| cut(it.label())).collect();
    if down.is_empty() {
        return Tile::new(up, "at the last check");
    }
    let more = down.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let about = format!("not up: {}{more}", down[..down.len().min(NAMED)].join(", "));
    Tile { is_bad: true, ..Tile::new(up, about) }
}

fn tiles(history: &History) -> Vec<Tile> {
    let worst = history.services.iter().min_by(|a, b| a.availability().total_cmp(&b.availability()));
    let n_incidents = history.services.iter().map(|it| it.n_incidents).sum();
    let mut tiles = Vec::from_iter(worst.map(|it| {
        let about = format!("availability of {}, the lowest", cut(it.label()));
        Tile::new(availability(it), about)
    }));
    tiles.push(Tile::new(numbers::count(n_incidents), "incidents"));
    tiles
}

fn grid(history: &History) -> Grid {
    let heads = ["service", "now", "up", "checks", "incidents", "p50", "p95"];
    let kinds = [Cells::Texts, Cells::Verdicts].into_iter().chain(std::iter::repeat(Cells::Figures));
    Grid {
        columns: kinds.zip(heads.map(str::to_owned)).collect(),
        rows: history.services.iter().map(row).collect(),
        ..Grid::default()
    }
}

fn n_checks(service: &ServiceHistory) -> u64 {
    service.checks().1
}

fn availability(service: &ServiceHistory) -> String {
    let (up, checks) = service.checks();
    numbers::availability(up, checks)
}

/// Since when services are not up; else that all are.
fn conclusion(history: &History, up: &str) -> Vec<Sentence> {
    let down = |service: &ServiceHistory| {
        let incident = service.incidents.last().filter(|it| it.until.is_none())?;
        let lasted = numbers::age(incident.lasted(service.checked.1));
        let (label, since) = (cut(service.label()), incident.from.minute());
        Some(Sentence::bad(format!("{label}: {} since {since} ({lasted})", cut(&incident.what))))
    };
    let mut told: Vec<Sentence> = history.services.iter().filter_map(down).collect();
    if told.is_empty() {
        return vec![Sentence { tone: Tone::Good, ..Sentence::plain(format!("{up} at the last check")) }];
    }
    let more = told.len().saturating_sub(NAMED);
    told.truncate(NAMED);
    if more > 0 {
        told.push(Sentence::bad(format!("... and {} more are not up", numbers::count(more as u64))));
    }
    told
}

fn row(service: &ServiceHistory) -> GridRow {
    let verdict = service.class.as_ref().map_or_else(|| service.verdict.name(), ErrorClass::name);
    let latency = |share| service.latency.quantile(share).map(numbers::duration).unwrap_or_default();
    let cells = vec![
        cut(service.label()),
        cut(verdict),
        availability(service),
        numbers::count(n_checks(service)),
        numbers::count(service.n_incidents),
        latency(0.5),
        latency(0.95),
    ];
    GridRow { cells, tone: if service.verdict.is_up() { Tone::Good } else { Tone::Bad } }
}

fn incidents(history: &History) -> Vec<Sentence> {
    let all = history
        .services
        .iter()
        .flat_map(|service| service.incidents.iter().map(move |incident| (service, incident)));
    let mut all: Vec<(&ServiceHistory, &Outage)> = all.collect();
    sorting::sort_by_key(&mut all, |(_, incident)| std::cmp::Reverse(incident.from));
    let told = all.into_iter().take(TOLD).map(|(service, incident)| {
        let lasted = numbers::age(incident.lasted(service.checked.1));
        let (end, tone) = match incident.until {
            Some(_) => (format!("for {lasted}"), Tone::Plain),
            None => (format!("for {lasted} so far"), Tone::Bad),
        };
        let (label, what) = (cut(service.label()), cut(&incident.what));
        Sentence { tone, ..Sentence::plain(format!("{label}: {what} from {} {end}", incident.from.minute())) }
    });
    told.collect()
}
