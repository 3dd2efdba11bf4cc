//! The services that were checked, one by one: a table for people, objects and
//! a line for machines, from the records of a study; and how they fared over days, from
//! a history.

mod checked;
mod csv_rows;
mod history;
mod nagios;
mod table;
mod tally;
mod targets;
mod tiles;

use std::time::Duration;

use anyhow::bail;
use serde_json::{Map, Value, json};

pub(super) use checked::{CheckedService, CheckedServices, services};
pub(super) use csv_rows::write as write_csv;
pub(super) use history::document as history_document;
pub use nagios::{Health, nagios, unknown};
pub(super) use table::section;
pub(super) use tiles::{changes, hero};

use self::table::cut;
use super::document::{Content, ReportSection, Sentence, Tone};
use crate::study::{HistoryLine, KnownServices, Observation, RecordList, ServiceNews, Study};
use crate::task::{ErrorClass, PHASES, Record, SelfReport};
use crate::text::printable;

/// What a check waited for beside its phases.
const WAITS: [&str; 3] = ["retry_wait", "host_wait", "rate_wait"];

/// So many characters of a workload's name are used.
const LONGEST_KIND: usize = 40;

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
    known.take(observations(&services(before)));
    known.take(observations(&services(after)))
}

/// What is new about the services that `study` checked whole, held against what is `known`, and
/// from then on known, too.
///
/// # Errors
/// When something that was found is lost.
pub fn take_news(study: &Study, known: &mut KnownServices) -> anyhow::Result<Vec<ServiceNews>> {
    Ok(known.take(observations(&whole(study)?)))
}

/// Hands a line of the history for each service that `study` checked to `put`.
///
/// # Errors
/// The one of `put` that came first; when something that was found is lost.
pub fn each_history_line(
    study: &Study,
    mut put: impl FnMut(&HistoryLine<'_>) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    observations(&whole(study)?).try_for_each(|found| put(&HistoryLine::of(&found)))
}

/// The services that `study` checked, none of which is lost: who remembers them would take it
/// for gone, and what stands in its place for a new one.
fn whole(study: &Study) -> anyhow::Result<CheckedServices<'_>> {
    let all = services(study);
    let lost = all.iter().find(|it| it.finding().class == Some(ErrorClass::Lost));
    lost.map_or(Ok(all), |it| bail!("{}: {}", it.name(), it.finding().reason))
}

/// What was found of each service; a place in the sky is none.
fn observations<'a>(all: &CheckedServices<'a>) -> impl Iterator<Item = Observation<'a>> {
    let services = all.iter().filter(|it| !it.is_cone());
    services.map(|it| Observation { total: total(it.record()), finding: it.into_finding() })
}

/// What the check is called where machines are told of it: `tap`, whatever the workload
/// is called in a study that nobody vouches for.
pub(super) fn kind(workload: &str) -> String {
    let name = workload.strip_suffix("-check").unwrap_or(workload);
    name.chars().take(LONGEST_KIND).map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}

/// How many services `study` was to tell of: more than were checked where a signal
/// cut it short.
fn n_asked_for(study: &Study, n_checked: usize) -> usize {
    // Each service is as many tasks as it is checked times.
    let times = study.parameters["repeat"].as_u64().unwrap_or(1).max(1);
    let asked = study.cut.as_ref().and_then(|cut| cut.tasks).map_or(0, |tasks| tasks / times);
    usize::try_from(asked).unwrap_or(usize::MAX).max(n_checked)
}

/// Whether `study` is about services.
pub(super) fn are_told(study: &Study) -> bool {
    let mut runs = study.columns.iter().flat_map(|column| &column.runs);
    let first = |records: &RecordList| records.services().next();
    let whole = runs.find_map(|run| first(&run.records));
    whole.or_else(|| first(&study.cut.as_ref()?.records)).flatten().is_some()
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
    use crate::task::{Finding, Outcome, ServiceVerdict};

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
        assert!(
            are_told(&read)
                && json_line(&read.columns[1].runs[0].records.get(0).unwrap(), "parallel").is_some()
        );
    }
}
