//! A study as `JUnit`'s XML, which CI services show: a suite for each way and
//! width, a case for each task, and one for whether the ways agree.
//!
//! A task that failed in any run is a failed case; its time is that of the run
//! it is told from.

use std::collections::BTreeMap;
use std::io::Write;

use anyhow::Context as _;
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::{Format, sentences, timeline};
use crate::format;
use crate::study::{Agreement, ColumnResult, Cut, Study};
use crate::task::{Outcome, Record};

/// The row of the table of formats.
pub const ROW: Format = Format {
    option: "export-junit",
    about: "every task as a test case for CI, in JUnit's XML",
    tells_half_a_run: true,
    render,
    between: None,
};

fn render(study: &Study, out: &mut dyn Write) -> anyhow::Result<()> {
    let mut report = Report::new(sentences::command_line(study));
    for column in study.columns.iter().filter(|column| !column.runs.is_empty()) {
        report.add_test_suite(suite(study, column));
    }
    if let Some(cut) = &study.cut {
        report.add_test_suite(interrupted(study, cut));
    }
    if let Some(agreement) = &study.agreement {
        let mut suite = TestSuite::new("agreement");
        suite.add_test_case(agreed(agreement, &class(study)));
        report.add_test_suite(suite);
    }
    report.serialize(out).context("write the study as JUnit's XML")
}

fn class(study: &Study) -> String {
    format!("parsim.{}", format::printable(&study.workload))
}

fn suite(study: &Study, column: &ColumnResult) -> TestSuite {
    let name = study.name(column);
    let mut suite = TestSuite::new(name.clone());
    let class = format!("{}.{name}", class(study));
    let Some((_, shown)) = timeline::shown(column) else { return suite };
    suite.set_time(shown.wall);
    suite.add_property(("jobs", column.width.to_string().as_str()));
    suite.add_property(("runs", column.runs.len().to_string().as_str()));
    let others = column.runs.iter().filter(|run| !std::ptr::eq(*run, shown));
    let records = cases(others.chain([shown]).map(|run| &run.records[..]));
    if records.is_empty() {
        let succeeded = column.runs.iter().map(|run| run.succeeded).min().unwrap_or(0);
        suite.add_test_cases(
            failed(study, column.way()).chain(succeeded_unseen(succeeded)).map(of_class(&class)),
        );
    }
    suite.add_test_cases(records.values().map(|record| case(record)).map(of_class(&class)));
    suite
}

/// The run that a signal cut short: what was done, and how much was not.
fn interrupted(study: &Study, cut: &Cut) -> TestSuite {
    let name = format!("{} (interrupted)", study.called(&cut.way));
    let mut suite = TestSuite::new(name.clone());
    let records = cases([&cut.records[..]]);
    let mut done: Vec<TestCase> = records.values().map(|record| case(record)).collect();
    let mut told = done.len() as u64;
    if records.is_empty() {
        // What failed in earlier runs is told with these.
        let is_first = study.columns.iter().all(|column| column.way() != cut.way || column.runs.is_empty());
        done.extend(failed(study, &cut.way).filter(|_| is_first));
        told = done.len() as u64 + cut.finished;
        done.extend(succeeded_unseen(cut.finished));
    }
    if let Some(name) = left(cut.tasks, told) {
        let mut status = TestCaseStatus::skipped();
        status.set_message("interrupted");
        done.push(TestCase::new(name, status));
    }
    suite.add_test_cases(done.into_iter().map(of_class(&format!("{}.{name}", class(study)))));
    suite
}

/// What was not finished: all but `told` of so many tasks, if any.
fn left(tasks: Option<u64>, told: u64) -> Option<String> {
    match tasks.map(|tasks| tasks.saturating_sub(told)) {
        Some(0) => None,
        Some(1) => Some("1 task that was not finished".to_owned()),
        Some(left) => Some(format!("{} that were not finished", format::plural(left, "task"))),
        None => Some("tasks that were not finished".to_owned()),
    }
}

/// The record of each task that its case is made of: of several attempts the last
/// one counts, of several runs a failed one, or else the last.
fn cases<'a>(runs: impl IntoIterator<Item = &'a [Record]>) -> BTreeMap<u64, &'a Record> {
    let mut cases: BTreeMap<u64, &Record> = BTreeMap::new();
    for record in runs.into_iter().flatten() {
        let known = cases.get(&record.seq);
        if known.is_none_or(|known| !known.outcome.is_failure() || known.attempt < record.attempt) {
            cases.insert(record.seq, record);
        }
    }
    cases
}

fn of_class(class: &str) -> impl Fn(TestCase) -> TestCase {
    move |mut case| {
        case.set_classname(class);
        case
    }
}

fn case(record: &Record) -> TestCase {
    let mut status = match &record.outcome {
        Outcome::Success => TestCaseStatus::success(),
        Outcome::Skipped(_) | Outcome::Interrupted => TestCaseStatus::skipped(),
        Outcome::Panicked(_) | Outcome::NotStarted { .. } => {
            TestCaseStatus::non_success(NonSuccessKind::Error)
        }
        Outcome::Failed(_) | Outcome::Exited(_) | Outcome::Signaled(_) | Outcome::TimedOut => {
            TestCaseStatus::non_success(NonSuccessKind::Failure)
        }
    };
    if !record.outcome.is_success() {
        status.set_message(format::printable(&record.outcome.to_string()));
    }
    let mut case = TestCase::new(format::printable(&record.label), status);
    case.set_time(record.wall);
    case
}

/// Without records the failures still have names.
fn failed(study: &Study, way: &str) -> impl Iterator<Item = TestCase> {
    study.failures.values().filter(move |failure| failure.is_of(way)).map(|failure| {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
        status.set_message(format::printable(&failure.why));
        TestCase::new(format::printable(&failure.label), status)
    })
}

/// The other tasks are one case, if there are any.
fn succeeded_unseen(succeeded: u64) -> Option<TestCase> {
    let others = format!("{} that succeeded (no records were kept)", format::plural(succeeded, "task"));
    (succeeded > 0).then(|| TestCase::new(others, TestCaseStatus::success()))
}

fn agreed(agreement: &Agreement, class: &str) -> TestCase {
    let mut status = TestCaseStatus::success();
    if !agreement.holds() {
        status = TestCaseStatus::non_success(NonSuccessKind::Failure);
        status.set_message(format::printable(&sentences::identical(agreement)));
        let named = agreement.differences.iter().map(|it| sentences::differs("differs", it, &it.way));
        let differing: Vec<String> = named.chain(sentences::and_more(agreement)).collect();
        status.set_description(differing.join("\n"));
    }
    let mut case = TestCase::new("all ways give the same results", status);
    case.set_classname(class);
    case
}
