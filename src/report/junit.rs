//! A study as `JUnit`'s XML, which CI services show: a suite for each way and
//! width, a case for each task, and one for whether the ways agree.
//!
//! A task that failed in any run is a failed case; its time is that of the run
//! it is told from.

use std::collections::BTreeMap;
use std::io::Write;

use anyhow::Context as _;
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::command_line::command_line;
use super::{Format, sentences, timeline};
use crate::numbers;
use crate::study::{Agreement, ColumnResult, Cut, RecordList, Study};
use crate::task::{Outcome, Record};
use crate::text::printable;

/// The row of the table of formats.
pub const ROW: Format = Format {
    option: "export-junit",
    about: "every task as a test case for CI, in JUnit's XML",
    tells_half_a_run: true,
    render,
    between: None,
    history: None,
};

fn render(study: &Study, out: &mut dyn Write) -> anyhow::Result<()> {
    let mut report = Report::new(command_line(study));
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
    report.serialize(out).context("cannot write the study as JUnit's XML")
}

fn class(study: &Study) -> String {
    format!("parsim.{}", printable(&study.workload))
}

fn suite(study: &Study, column: &ColumnResult) -> TestSuite {
    let name = study.name(column);
    let mut suite = TestSuite::new(name.clone());
    let Some((_, shown)) = timeline::shown(column) else { return suite };
    suite.set_time(shown.wall);
    suite.add_property(("jobs", column.width.to_string().as_str()));
    suite.add_property(("runs", column.runs.len().to_string().as_str()));
    let others = column.runs.iter().filter(|run| !std::ptr::eq(*run, shown));
    let mut cases = of_records(others.chain([shown]).map(|run| &run.records));
    if cases.is_empty() {
        cases.extend(failed(study, column.way()));
        cases.extend(succeeded_unseen(column.runs.iter().map(|run| run.succeeded).min().unwrap_or(0)));
    }
    add_cases(&mut suite, study, cases);
    suite
}

/// The run that a signal cut short: what was done, and how much was not.
fn interrupted(study: &Study, cut: &Cut) -> TestSuite {
    let mut suite = TestSuite::new(format!("{} (interrupted)", study.shown_name(&cut.way)));
    let mut cases = of_records([&cut.records]);
    let mut told = cases.len() as u64;
    if cases.is_empty() {
        // What failed in earlier runs is told with these.
        let is_first = study.columns.iter().all(|column| column.way() != cut.way || column.runs.is_empty());
        cases.extend(failed(study, &cut.way).filter(|_| is_first));
        told = cases.len() as u64 + cut.finished;
        cases.extend(succeeded_unseen(cut.finished));
    }
    if let Some(name) = left(cut.tasks, told) {
        let mut status = TestCaseStatus::skipped();
        status.set_message("interrupted");
        cases.push(TestCase::new(name, status));
    }
    add_cases(&mut suite, study, cases);
    suite
}

fn add_cases(suite: &mut TestSuite, study: &Study, cases: Vec<TestCase>) {
    let class = format!("{}.{}", class(study), suite.name.as_str());
    for mut case in cases {
        case.set_classname(class.as_str());
        suite.add_test_case(case);
    }
}

/// What was not finished: all but `told` of so many tasks, if any.
fn left(tasks: Option<u64>, told: u64) -> Option<String> {
    match tasks.map(|tasks| tasks.saturating_sub(told)) {
        Some(0) => None,
        Some(1) => Some("1 task that was not finished".to_owned()),
        Some(left) => Some(format!("{} that were not finished", numbers::plural(left, "task"))),
        None => Some("tasks that were not finished".to_owned()),
    }
}

/// A case for each task: of several attempts the last one counts, of several runs a
/// failed one, or else the last.
fn of_records<'a>(runs: impl IntoIterator<Item = &'a RecordList>) -> Vec<TestCase> {
    let mut told: BTreeMap<u64, (bool, u32, TestCase)> = BTreeMap::new();
    for record in runs.into_iter().flatten() {
        let known = told.get(&record.seq);
        if known.is_none_or(|(failed, attempt, _)| !failed || *attempt < record.attempt) {
            told.insert(record.seq, (record.outcome.is_failure(), record.attempt, case(&record)));
        }
    }
    told.into_values().map(|(.., case)| case).collect()
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
        status.set_message(printable(&record.outcome.to_string()));
    }
    let mut case = TestCase::new(printable(&record.label), status);
    case.set_time(record.wall);
    case
}

/// Without records the failures still have names.
fn failed(study: &Study, way: &str) -> impl Iterator<Item = TestCase> {
    study.failures.values().filter(move |failure| failure.is_of(way)).map(|failure| {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
        status.set_message(printable(&failure.why));
        TestCase::new(printable(&failure.label), status)
    })
}

/// The other tasks are one case, if there are any.
fn succeeded_unseen(succeeded: u64) -> Option<TestCase> {
    let others = format!("{} that succeeded (no records were kept)", numbers::plural(succeeded, "task"));
    (succeeded > 0).then(|| TestCase::new(others, TestCaseStatus::success()))
}

fn agreed(agreement: &Agreement, class: &str) -> TestCase {
    let mut status = TestCaseStatus::success();
    if !agreement.holds() {
        status = TestCaseStatus::non_success(NonSuccessKind::Failure);
        status.set_message(printable(&sentences::identical(agreement)));
        let named = agreement.differences.iter().map(|it| sentences::differs("differs", it, &it.way));
        let differing: Vec<String> = named.chain(sentences::and_more(agreement)).collect();
        status.set_description(differing.join("\n"));
    }
    let mut case = TestCase::new("all ways give the same results", status);
    case.set_classname(class);
    case
}
