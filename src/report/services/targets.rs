//! What was found around each target of cone searches: the columns and the tally of their
//! table, and their objects for programs.

use serde_json::{Map, Value, json};

use super::CheckedService;
use crate::numbers;
use crate::task::{ConeFinding, ConeStatus, Finding};
use crate::vo::RowCount;

/// Keys of an object that say nothing of a cone.
const OF_SERVICES: [&str; 8] =
    ["verdict", "name", "available", "up_since", "down_at", "back_at", "notes", "more_notes"];

/// What a service was asked about, where all of them were asked about the sky.
pub(super) fn are_all(services: &[CheckedService<'_>]) -> bool {
    services.iter().all(|service| service.finding.cone.is_some())
}

/// The first cells of a row: the target, what came of it, how many rows.
pub(super) fn cells(finding: &Finding, cone: &ConeFinding) -> [String; 3] {
    let target = if cone.target.is_empty() { &cone.id } else { &cone.target };
    let status = match (&cone.status, finding.class_name()) {
        (ConeStatus::Error, class) if !class.is_empty() => format!("error/{class}"),
        (status, _) => status.to_string(),
    };
    [target.clone(), status, finding.rows.map_or_else(String::new, |rows| rows.to_string())]
}

/// How many of these were answered, whole.
pub(super) fn n_answered(all: &[CheckedService<'_>]) -> usize {
    let is_whole = |cone: &ConeFinding| matches!(cone.status, ConeStatus::Ok | ConeStatus::Empty);
    all.iter().filter(|service| service.finding.cone.as_deref().is_some_and(is_whole)).count()
}

/// `33 of 35 cones answered: 902 rows, 1 incomplete, 1 error, 1 not asked`.
pub(super) fn tally(all: &[CheckedService<'_>], n_asked_for: usize) -> String {
    let findings = || all.iter().map(|service| service.finding);
    let count = |wanted: &ConeStatus| {
        findings().filter(|it| it.cone.as_ref().is_some_and(|cone| cone.status == *wanted)).count() as u64
    };
    let [empty, incomplete, error] =
        [ConeStatus::Empty, ConeStatus::Incomplete, ConeStatus::Error].map(|it| count(&it));
    let rows: u64 = findings().filter_map(|finding| counted(finding.rows)).sum();
    let asked_for = numbers::plural(n_asked_for as u64, "cone");
    let mut text = format!(
        "{} of {asked_for} answered: {}",
        numbers::count(n_answered(all) as u64),
        numbers::plural(rows, "row")
    );
    let left = n_asked_for.saturating_sub(all.len()) as u64;
    for (number, what) in [(empty, "empty"), (incomplete, "incomplete"), (left, "not searched")] {
        if number > 0 {
            text += &format!(", {} {what}", numbers::count(number));
        }
    }
    if error > 0 {
        text += &format!(", {}", numbers::plural(error, "error"));
    }
    text
}

fn counted(rows: Option<RowCount>) -> Option<u64> {
    match rows {
        Some(RowCount::Counted(rows)) => Some(rows),
        Some(RowCount::Some) | None => None,
    }
}

/// `object` of a finding about a service, made one about `cone`.
pub(super) fn in_object(cone: &ConeFinding, finding: &Finding, object: &mut Map<String, Value>) {
    for key in OF_SERVICES {
        object.remove(key);
    }
    let (ra, dec) = cone.position.unzip();
    let own = json!({
        "id": cone.id, "target": cone.target, "kind": cone.kind, "ra": ra, "dec": dec,
        "radius": cone.radius, "status": cone.status, "http_status": finding.status,
        "rows": counted(finding.rows),
    });
    if let Value::Object(own) = own {
        object.extend(own);
    }
    object.remove("tables");
}
