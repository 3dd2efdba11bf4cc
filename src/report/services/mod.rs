//! The services that were checked, one by one: a table for people, objects and
//! a line for machines. All of it from the records of a study.

mod machine;
mod table;

use std::collections::BTreeMap;
use std::time::Duration;

pub use machine::{Health, json_line, nagios, unknown};
pub(super) use table::section;

use crate::study::Study;
use crate::task::{Finding, Record};

/// So many characters of a workload's name are used.
const LONGEST_KIND: usize = 40;

/// A service, and all that is known of it.
pub(super) struct CheckedService<'a> {
    /// What was found out last.
    pub(super) finding: &'a Finding,
    /// The check that found it out.
    pub(super) record: &'a Record,
    /// How long each check took, in the same way, shortest first.
    pub(super) totals: Vec<Duration>,
    /// Whether checks found different things.
    pub(super) changed: bool,
}

/// Every service of `study`, in input order; none where it is about something
/// else. The parallel way is told where both ran, for it came last.
pub(super) fn services(study: &Study) -> Vec<CheckedService<'_>> {
    let mut runs: Vec<(&str, &[Record])> = Vec::new();
    for column in &study.columns {
        runs.extend(column.runs.iter().map(|run| (column.way(), &run.records[..])));
    }
    if let Some(cut) = &study.cut {
        // Half a run does not replace a whole one.
        runs.insert(0, (&cut.way, &cut.records));
    }
    let told = runs.iter().rev().find(|(_, records)| !records.is_empty()).map(|(way, _)| *way);
    let mut services: BTreeMap<u64, CheckedService<'_>> = BTreeMap::new();
    for (way, record) in
        runs.iter().flat_map(|(way, records)| records.iter().map(move |record| (*way, record)))
    {
        let Some(finding) = record.finding.as_deref() else { continue };
        let total = (Some(way) == told).then(|| total(record));
        match services.entry(record.item.unwrap_or(record.seq)) {
            std::collections::btree_map::Entry::Vacant(entry) => {
                entry.insert(CheckedService {
                    finding,
                    record,
                    totals: total.into_iter().collect(),
                    changed: false,
                });
            }
            std::collections::btree_map::Entry::Occupied(mut entry) => {
                let service = entry.get_mut();
                service.changed |= service.finding.essence() != finding.essence();
                service.totals.extend(total);
                (service.finding, service.record) = (finding, record);
            }
        }
    }
    let mut services: Vec<CheckedService<'_>> = services.into_values().collect();
    for service in &mut services {
        service.totals.sort_unstable();
    }
    services
}

/// What the check is called where machines are told of it: `tap`, whatever the workload
/// is called in a study that nobody vouches for.
pub(super) fn kind(workload: &str) -> String {
    let name = workload.strip_suffix("-check").unwrap_or(workload);
    name.chars().take(LONGEST_KIND).map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}

/// How many services `study` was to tell of: more than were checked where a signal
/// cut it short.
fn n_asked_for(study: &Study, checked: &[CheckedService<'_>]) -> usize {
    // Each service is as many tasks as it is checked times.
    let times = study.parameters["repeat"].as_u64().unwrap_or(1).max(1);
    let asked = study.cut.as_ref().and_then(|cut| cut.tasks).map_or(0, |tasks| tasks / times);
    usize::try_from(asked).unwrap_or(usize::MAX).max(checked.len())
}

/// Whether `study` is about services.
pub(super) fn are_told(study: &Study) -> bool {
    let mut runs = study.columns.iter().flat_map(|column| &column.runs);
    let whole = runs.find_map(|run| run.records.first());
    let record = whole.or_else(|| study.cut.as_ref()?.records.first());
    record.is_some_and(|record| record.finding.is_some())
}

/// How long a check took, its wait for a turn left out.
pub(super) fn total(record: &Record) -> Duration {
    record.wall.saturating_sub(span(record, "host_wait").unwrap_or_default())
}

/// The time of a span, if it was measured.
pub(super) fn span(record: &Record, name: &str) -> Option<Duration> {
    record.spans.iter().find(|span| span.name == name).map(|span| span.wall)
}

/// The value below which a share of `sorted` lies, by nearest rank.
pub(super) fn quantile(sorted: &[Duration], per_cent: usize) -> Duration {
    let rank = (sorted.len() * per_cent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::report::json;
    use crate::report::tests::drawn;
    use crate::study::tests::both_ways;
    use crate::task::{Outcome, ServiceVerdict};

    #[test]
    fn findings_among_the_facts_of_an_old_study_are_told_as_those_of_today() {
        let finding = Finding {
            url: "http://h/".to_owned(),
            verdict: ServiceVerdict::Down,
            reason: "a disk".to_owned(),
            attempts: 1,
            ..Finding::default()
        };
        let record = Record {
            finding: Some(Box::new(finding)),
            ..Record::without_measures(0, Outcome::Failed("down: a disk".to_owned()))
        };
        let mut study = both_ways(&[], &[50], 2);
        study.columns[1].runs[0].records.push(record);
        let mut saved: Value = serde_json::from_slice(&drawn(json::render, &study)).unwrap();
        saved["schema"] = json!("parsim-study/1");
        let record = &mut saved["columns"][1]["runs"][0]["records"][0];
        record.as_object_mut().unwrap().remove("finding");
        record["facts"] = json!([["url", "http://h/"], ["verdict", "down"], ["reason", "a disk"]]);
        let read = json::read(saved.to_string().as_bytes()).unwrap();
        assert_eq!(read, study);
        assert!(are_told(&read) && json_line(&read.columns[1].runs[0].records[0], "parallel").is_some());
    }

    #[test]
    fn quantiles_are_values_that_occurred() {
        let sorted: Vec<Duration> = (1..=20).map(Duration::from_millis).collect();
        let millis = |per_cent| quantile(&sorted, per_cent).as_millis();
        assert_eq!((millis(50), millis(95), millis(99)), (10, 19, 20));
        assert_eq!(quantile(&sorted[..1], 99), sorted[0]);
        assert_eq!(quantile(&[], 50), Duration::ZERO);
    }
}
