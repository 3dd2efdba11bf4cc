//! What a page says of services first: how many are up, and what changed.

use super::nagios::why_not_up;
use super::tally::ServiceTally;
use super::{n_asked_for, services};
use crate::numbers;
use crate::report::document::Tile;
use crate::study::Study;
use crate::text::{printable, shortened};

/// So many services that are not up are named.
const NAMED: usize = 2;

/// How much of a service's name or of a cause is shown.
const LONGEST: usize = 60;

/// `2 of 4 up`, and what is the matter with the others; `None` where the study is about
/// something else.
pub(in crate::report) fn hero(study: &Study) -> Option<Tile> {
    let all = services(study);
    if all.is_empty() {
        return None;
    }
    let tally = ServiceTally::of(&all);
    let n_asked = n_asked_for(study, tally.n_all);
    let (n_up, state) = if tally.is_of_cones() { (tally.n_answered, "answered") } else { (tally.n_up, "up") };
    let figure = format!("{} of {} {state}", numbers::count(n_up as u64), numbers::count(n_asked as u64));
    if n_up == n_asked {
        let about = match state {
            "up" => format!("every service is up{}", tally.through_proxies()),
            _ => tally.in_words(n_asked),
        };
        return Some(Tile::new(figure, printable(&about)));
    }
    let mut named = all.iter().filter_map(|service| {
        let why = why_not_up(service.finding())?;
        Some(format!("{} ({})", shortened(service.name(), LONGEST), shortened(&why, LONGEST)))
    });
    let some: Vec<String> = named.by_ref().take(NAMED).collect();
    let more = named.count();
    let more = if more > 0 { format!("; and {} more", numbers::count(more as u64)) } else { String::new() };
    let about = match &some[..] {
        [] => tally.in_words(n_asked),
        some => format!("not {state}: {}{more}", some.join("; ")),
    };
    Some(Tile { is_bad: true, ..Tile::new(figure, printable(&about)) })
}

/// How many services were found different from one check to the next; `None` where each
/// was checked once.
pub(in crate::report) fn changes(study: &Study) -> Option<Tile> {
    let all = services(study);
    let n_runs: usize = study.columns.iter().map(|column| column.runs.len()).sum();
    if n_runs < 2 && !all.are_repeated() {
        return None;
    }
    let tally = ServiceTally::of(&all);
    Some(match &tally.first_changed {
        None if tally.is_of_cones() => Tile::new("no change", "between one search of a target and the next"),
        None => Tile::new("no change", "between one check of a service and the next"),
        Some(first) => {
            let figure = format!("{} changed", numbers::count(tally.n_changed as u64));
            let about = format!(
                "between two {}: {}",
                if tally.is_of_cones() { "searches" } else { "checks" },
                printable(&shortened(first, LONGEST))
            );
            Tile { is_bad: true, ..Tile::new(figure, about) }
        }
    })
}
