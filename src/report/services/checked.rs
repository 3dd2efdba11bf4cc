//! The services of a study one by one, each with all its checks. There may be many, so that
//! they are looked up when they are asked for and not kept: what needs all of them goes over
//! them once.

use std::borrow::Cow;
use std::collections::HashSet;
use std::time::Duration;

use xxhash_rust::xxh3::xxh3_128;

use super::{targets, total};
use crate::study::{ColumnResult, RecordList, Study};
use crate::task::{Finding, Mode, Record};

/// Every service of a study, in input order.
pub(in crate::report) struct CheckedServices<'a> {
    /// What each run kept, and whether it was made in the way that is told.
    runs: Vec<(&'a RecordList, bool)>,
    /// In the order of services, and of runs for each.
    checks: Vec<Check>,
    /// Where the checks of each service end.
    ends: Vec<usize>,
}

/// One check of a service.
#[derive(Clone, Copy)]
struct Check {
    service: u64,
    run: u32,
    /// The place of its record there.
    at: u32,
}

/// A service, and all that is known of it.
pub(in crate::report) struct CheckedService<'a> {
    /// The check that found out last what there is to know.
    record: Cow<'a, Record>,
    /// How long each of several checks took, in the same way, shortest first; empty where
    /// there was one, as of most.
    pub(super) totals: Vec<Duration>,
    /// Whether checks found different things.
    pub(super) changed: bool,
}

/// Every service of `study`; none where it is about something else. The parallel way is told
/// where both ran, for it came last; what doing everything in one go told is compared with it.
pub(in crate::report) fn services(study: &Study) -> CheckedServices<'_> {
    let is_one_go = |column: &&ColumnResult| column.column.mode == Mode::Whole;
    let (first, then): (Vec<_>, Vec<_>) = study.columns.iter().partition(is_one_go);
    let columns = first.into_iter().chain(then);
    let whole = columns.flat_map(|column| column.runs.iter().map(|run| (column.way(), &run.records)));
    // Half a run does not replace a whole one.
    let half = study.cut.iter().map(|cut| (&*cut.way, &cut.records));
    let runs: Vec<(&str, &RecordList)> = half.chain(whole).collect();
    let told = runs.iter().rev().find(|(_, records)| !records.is_empty()).map(|(way, _)| *way);
    let n_records = runs.iter().map(|(_, records)| records.len()).sum();
    let (mut checks, mut ends) = (Vec::with_capacity(n_records), Vec::with_capacity(n_records));
    for (run, (_, records)) in (0..).zip(&runs) {
        let services = (0..).zip(records.services());
        checks.extend(services.filter_map(|(at, service)| Some(Check { service: service?, run, at })));
    }
    checks.sort_by_key(|check| check.service);
    for of_one in checks.chunk_by(|one, other| one.service == other.service) {
        ends.push(ends.last().copied().unwrap_or(0) + of_one.len());
    }
    let runs = runs.into_iter().map(|(way, records)| (records, Some(way) == told)).collect();
    CheckedServices { runs, checks, ends }
}

impl<'a> CheckedServices<'a> {
    /// How many there are.
    pub(in crate::report) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether the study is about something else.
    pub(in crate::report) fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Whether one of them was checked several times in the way that is told.
    pub(in crate::report) fn are_repeated(&self) -> bool {
        let n_told = |checks: &[Check]| checks.iter().filter(|check| self.runs[check.run as usize].1).count();
        (0..self.len()).any(|place| n_told(self.checks_of(place)) > 1)
    }

    /// The same, with one of those that have the same URL and are called the same: the first.
    pub(in crate::report) fn without_twins(self) -> Self {
        // Hashes, for URLs are long.
        let mut known = HashSet::new();
        let mut is_new = |place: usize| {
            let service = self.get(place)?;
            let key = format!("{}\0{}", service.finding().url, service.finding().label());
            Some(known.insert(xxh3_128(key.as_bytes())))
        };
        let (mut checks, mut ends) = (Vec::new(), Vec::new());
        for place in (0..self.len()).filter(|place| is_new(*place) == Some(true)) {
            checks.extend_from_slice(self.checks_of(place));
            ends.push(checks.len());
        }
        Self { checks, ends, ..self }
    }

    fn checks_of(&self, place: usize) -> &[Check] {
        let from = place.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.checks[from..self.ends[place]]
    }

    /// Each in its turn, looked up anew.
    pub(in crate::report) fn iter(&self) -> impl Iterator<Item = CheckedService<'a>> {
        (0..self.len()).filter_map(|place| self.get(place))
    }

    /// The one at this place, from 0.
    pub(in crate::report) fn get(&self, place: usize) -> Option<CheckedService<'a>> {
        let checks = (place < self.len()).then(|| self.checks_of(place))?;
        let mut totals = Vec::new();
        let mut changed = false;
        let mut last: Option<Cow<'a, Record>> = None;
        for check in checks {
            let (records, is_told) = self.runs[check.run as usize];
            let record = records.get(check.at as usize)?;
            if is_told && checks.len() > 1 {
                totals.push(total(&record));
            }
            changed |= last.is_some_and(|last| essence(&last) != essence(&record));
            last = Some(record);
        }
        totals.sort_unstable();
        Some(CheckedService { record: last?, totals, changed })
    }
}

fn essence(record: &Record) -> Option<String> {
    record.finding.as_deref().map(Finding::essence)
}

impl<'a> CheckedService<'a> {
    /// The check that found out last what there is to know.
    pub(in crate::report) fn record(&self) -> &Record {
        &self.record
    }

    /// What was found out last.
    pub(in crate::report) fn finding(&self) -> &Finding {
        self.record.finding.as_deref().expect("what has no finding is no check")
    }

    /// The same, by itself.
    pub(super) fn into_finding(self) -> Cow<'a, Finding> {
        const NONE: &str = "what has no finding is no check";
        match self.record {
            Cow::Borrowed(record) => Cow::Borrowed(record.finding.as_deref().expect(NONE)),
            Cow::Owned(record) => Cow::Owned(*record.finding.expect(NONE)),
        }
    }

    /// The time below which a share of its checks took, by nearest rank.
    pub(in crate::report) fn quantile(&self, per_cent: usize) -> Duration {
        if self.totals.is_empty() { total(&self.record) } else { quantile(&self.totals, per_cent) }
    }

    /// What came of it in a word: the verdict on a service, the status of a cone.
    pub(in crate::report) fn outcome(&self) -> String {
        let finding = self.finding();
        match &finding.cone {
            Some(cone) => targets::cells(finding, cone)[1].clone(),
            None => finding.verdict.to_string(),
        }
    }

    /// Whether it is a cone around a target.
    pub(in crate::report) fn is_cone(&self) -> bool {
        self.finding().cone.is_some()
    }

    /// What a person calls it: the target of a cone search, else the service.
    pub(in crate::report) fn name(&self) -> &str {
        match &self.finding().cone {
            Some(cone) if cone.target.is_empty() => &cone.id,
            Some(cone) => &cone.target,
            None => self.finding().label(),
        }
    }
}

/// The value below which a share of `sorted` lies, by nearest rank.
fn quantile(sorted: &[Duration], per_cent: usize) -> Duration {
    let rank = (sorted.len() * per_cent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_values_that_occurred() {
        let sorted: Vec<Duration> = (1..=20).map(Duration::from_millis).collect();
        let millis = |per_cent| quantile(&sorted, per_cent).as_millis();
        assert_eq!((millis(50), millis(95), millis(99)), (10, 19, 20));
        assert_eq!(quantile(&sorted[..1], 99), sorted[0]);
        assert_eq!(quantile(&[], 50), Duration::ZERO);
    }
}
