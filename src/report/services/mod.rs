//! The services that were checked, one by one: a table for people, objects and
//! a line for machines, from the records of a study; and how they fared over days, from
//! a history.

mod csv_rows;
mod history;
mod nagios;
mod table;
mod targets;
mod tiles;

use std::time::Duration;

use serde_json::{Map, Value, json};

pub(super) use csv_rows::write as write_csv;
pub(super) use history::document as history_document;
pub use nagios::{Health, nagios, unknown};
pub(super) use table::section;
pub(super) use tiles::{changes, hero};

use self::table::cut;
use super::document::{Content, ReportSection, Sentence, Tone};
use crate::study::{ColumnResult, HistoryLine, KnownServices, Observation, ServiceNews, Study};
use crate::task::{Finding, Mode, PHASES, Record, SelfReport};
use crate::text::printable;

/// What a check waited for beside its phases.
const WAITS: [&str; 3] = ["retry_wait", "host_wait", "rate_wait"];

/// So many characters of a workload's name are used.
const LONGEST_KIND: usize = 40;

/// A service, and all that is known of it.
pub(super) struct CheckedService<'a> {
    /// What was found out last.
    pub(super) finding: &'a Finding,
    /// The check that found it out.
    pub(super) record: &'a Record,
    /// How long each of several checks took, in the same way, shortest first; empty where
    /// there was one, as of most.
    pub(super) totals: Vec<Duration>,
    /// Whether checks found different things.
    pub(super) changed: bool,
}

/// What is new about the services that `study` checked; `None` where nothing is.
pub(super) fn news(news: &[ServiceNews]) -> Option<ReportSection<'static>> {
    let line = |it: &ServiceNews| Sentence {
        tone: if it.is_bad { Tone::Bad } else { Tone::Good },
        ..Sentence::plain(format!("{}: {}", cut(it.label()), printable(&it.text)))
    };
    (!news.is_empty())
        .then(|| ReportSection::new("What changed", vec![Content::Lines(news.iter().map(line).collect())]))
}

/// What is new in the later of two studies.
pub(super) fn news_between(before: &Study, after: &Study) -> Vec<ServiceNews> {
    // Half a run says nothing of those that it did not come to.
    if before.cut.is_some() || after.cut.is_some() {
        return Vec::new();
    }
    let mut known = KnownServices::default();
    known.take(&observations(&services(before)));
    known.take(&observations(&services(after)))
}

/// What is new about the services that `study` checked whole, held against what is `known`, and
/// from then on known, too.
pub fn take_news(study: &Study, known: &mut KnownServices) -> Vec<ServiceNews> {
    known.take(&observations(&services(study)))
}

/// A line of the history for each service that `study` checked.
pub fn history_lines(study: &Study) -> Vec<HistoryLine<'_>> {
    let all = services(study);
    observations(&all).iter().map(HistoryLine::of).collect()
}

fn observations<'a>(all: &[CheckedService<'a>]) -> Vec<Observation<'a>> {
    // A place in the sky is no service.
    let services = all.iter().filter(|it| it.finding.cone.is_none());
    services.map(|it| Observation { finding: it.finding, total: total(it.record) }).collect()
}

impl<'a> CheckedService<'a> {
    /// The service of all these `checks`, of which there is at least one.
    fn of(checks: &[Check<'a>]) -> Self {
        let Check { finding, record, .. } = checks[checks.len() - 1];
        let mut totals = Vec::new();
        if checks.len() > 1 {
            totals.extend(checks.iter().filter(|it| it.is_told).map(|it| total(it.record)));
            totals.sort_unstable();
        }
        let differ = |pair: &[Check<'_>]| pair[0].finding.essence() != pair[1].finding.essence();
        Self { finding, record, totals, changed: checks.windows(2).any(differ) }
    }

    /// The time below which a share of its checks took, by nearest rank.
    pub(super) fn quantile(&self, per_cent: usize) -> Duration {
        if self.totals.is_empty() { total(self.record) } else { quantile(&self.totals, per_cent) }
    }

    /// What came of it in a word: the verdict on a service, the status of a cone.
    pub(super) fn outcome(&self) -> String {
        match &self.finding.cone {
            Some(cone) => targets::cells(self.finding, cone)[1].clone(),
            None => self.finding.verdict.to_string(),
        }
    }

    /// Whether it is a cone around a target.
    pub(super) fn is_cone(&self) -> bool {
        self.finding.cone.is_some()
    }

    /// What a person calls it: the target of a cone search, else the service.
    pub(super) fn name(&self) -> &str {
        match &self.finding.cone {
            Some(cone) if cone.target.is_empty() => &cone.id,
            Some(cone) => &cone.target,
            None => self.finding.label(),
        }
    }
}

/// Every service of `study`, in input order; none where it is about something
/// else. The parallel way is told where both ran, for it came last; what doing everything
/// in one go told is compared with it.
pub(super) fn services(study: &Study) -> Vec<CheckedService<'_>> {
    let is_one_go = |column: &&ColumnResult| column.column.mode == Mode::Whole;
    let (first, then): (Vec<_>, Vec<_>) = study.columns.iter().partition(is_one_go);
    let columns = first.into_iter().chain(then);
    let whole = columns.flat_map(|column| column.runs.iter().map(|run| (column.way(), run)));
    // Half a run does not replace a whole one.
    let half = study.cut.iter().map(|cut| (&*cut.way, &cut.records));
    let runs: Vec<(&str, &Vec<Record>)> = half.chain(whole.map(|(way, run)| (way, &run.records))).collect();
    let told = runs.iter().rev().find(|(_, records)| !records.is_empty()).map(|(way, _)| *way);
    let checks = runs.iter().flat_map(|(way, records)| {
        let is_told = Some(*way) == told;
        records.iter().filter_map(move |record| {
            let finding = record.finding.as_deref()?;
            Some(Check { item: record.item.unwrap_or(record.seq), is_told, finding, record })
        })
    });
    let mut checks: Vec<Check<'_>> = checks.collect();
    checks.sort_by_key(|check| check.item);
    checks.chunk_by(|one, other| one.item == other.item).map(CheckedService::of).collect()
}

/// One check of a service.
struct Check<'a> {
    item: u64,
    /// Whether it was made in the way that is told.
    is_told: bool,
    finding: &'a Finding,
    record: &'a Record,
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

/// How long a check took, its waits for a turn left out.
pub(super) fn total(record: &Record) -> Duration {
    let waits = ["host_wait", "rate_wait"].map(|name| span(record, name).unwrap_or_default());
    record.wall.saturating_sub(waits.into_iter().sum())
}

/// The time of a span, if it was measured.
pub(super) fn span(record: &Record, name: &str) -> Option<Duration> {
    record.spans.get(name)
}

/// The value below which a share of `sorted` lies, by nearest rank.
fn quantile(sorted: &[Duration], per_cent: usize) -> Duration {
    let rank = (sorted.len() * per_cent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or_default()
}

/// What was found out in one check as JSON on one line; `None` where the record
/// is about something else.
pub fn json_line(record: &Record, way: &str) -> Option<String> {
    object(record, way).map(|object| object.to_string())
}

/// The same as a value.
fn object(record: &Record, way: &str) -> Option<Value> {
    let finding = record.finding.as_deref()?;
    let says = finding.says.as_ref();
    let text = |pick: fn(&SelfReport) -> &Option<Box<str>>| says.and_then(|says| pick(says).as_ref());
    let notes = says.map_or(&[][..], |says| &says.notes);
    let hops: Vec<String> = finding.redirects.iter().map(ToString::to_string).collect();
    let seconds = |name| json!(span(record, name).map(|time| time.as_secs_f64()));
    // Those that there were not are `null`.
    let mut spans: Map<String, Value> =
        PHASES.into_iter().chain(WAITS).map(|name| (name.to_owned(), seconds(name))).collect();
    spans.insert("total".to_owned(), json!(total(record).as_secs_f64()));
    let mut object = json!({
        "time": finding.time, "seq": record.seq, "way": way, "url": finding.url, "name": finding.name,
        "verdict": finding.verdict, "class": finding.class_name(), "reason": finding.reason,
        "warnings": finding.warnings, "available": says.map(|says| says.available),
        "up_since": text(|says| &says.up_since), "down_at": text(|says| &says.down_at),
        "back_at": text(|says| &says.back_at), "notes": notes,
        "more_notes": says.map_or(0, |says| says.more_notes), "status": finding.status,
        "asked": finding.asked, "hops": hops, "proxy": finding.proxy, "attempts": finding.attempts,
        "cert_expires": finding.cert_expires, "capabilities": finding.capabilities,
        "rows": finding.rows.map(|rows| rows.to_string()),
        "tables": finding.tables, "spans": spans,
    });
    if let (Some(cone), Value::Object(object)) = (&finding.cone, &mut object) {
        targets::in_object(cone, finding, object);
    }
    Some(object)
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
            url: "http://h/".into(),
            verdict: ServiceVerdict::Down,
            reason: "a disk".into(),
            attempts: 1,
            ..Finding::default()
        };
        let record = Record {
            finding: Some(Box::new(finding)),
            ..Record::without_measures(0, Outcome::Failed("down: a disk".into()))
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
