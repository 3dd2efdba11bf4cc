//! A study as `JUnit`'s XML, which CI services show: a suite for each way and
//! width, a case for each task, and one for whether the ways agree.
//!
//! A task that failed in any run is a failed case; its time is that of the run
//! it is told from.

use std::collections::BTreeMap;
use std::io::Write;

use anyhow::Context as _;
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::{Row, text, timeline};
use crate::format;
use crate::record::{Outcome, Record};
use crate::study::{Agreement, Column, Difference, Study};
use crate::style::Styles;

/// The row of the table of formats.
pub const ROW: Row = Row {
    option: "export-junit",
    about: "every task as a test case for CI, in JUnit's XML",
    render,
    between: None,
};

fn render(study: &Study, out: &mut dyn Write) -> anyhow::Result<()> {
    let mut report = Report::new(text::command_line(study));
    for column in study.columns.iter().filter(|column| !column.runs.is_empty()) {
        report.add_test_suite(suite(study, column));
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

fn suite(study: &Study, column: &Column) -> TestSuite {
    let name = study.name(column);
    let mut suite = TestSuite::new(name.clone());
    let class = format!("{}.{name}", class(study));
    let Some((_, shown)) = timeline::shown(column) else { return suite };
    suite.set_time(shown.wall);
    suite.add_property(("jobs", column.width.to_string().as_str()));
    suite.add_property(("runs", column.runs.len().to_string().as_str()));
    let mut cases: BTreeMap<u64, &Record> = BTreeMap::new();
    for run in column.runs.iter().filter(|run| !std::ptr::eq(*run, shown)).chain([shown]) {
        for record in &run.records {
            // Of several attempts the last one counts, of several runs a failed one.
            let known = cases.get(&record.seq);
            if known.is_none_or(|known| !known.outcome.is_failure() || known.attempt < record.attempt) {
                cases.insert(record.seq, record);
            }
        }
    }
    suite.add_test_cases(cases.values().map(|record| case(record, &class)));
    if cases.is_empty() {
        suite.add_test_cases(without_records(study, column, &class));
    }
    suite
}

fn case(record: &Record, class: &str) -> TestCase {
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
    case.set_classname(class).set_time(record.wall);
    case
}

/// Without records the failures still have names; the other tasks are one case.
fn without_records(study: &Study, column: &Column, class: &str) -> Vec<TestCase> {
    let failures = study.failures.values().filter(|failure| failure.way == column.way);
    let mut cases: Vec<TestCase> = failures
        .map(|failure| {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_message(format::printable(&failure.why));
            TestCase::new(format::printable(&failure.label), status)
        })
        .collect();
    let succeeded = column.runs.iter().map(|run| run.succeeded).min().unwrap_or(0);
    if succeeded > 0 {
        let others = format!("{} that succeeded (no records were kept)", format::plural(succeeded, "task"));
        cases.push(TestCase::new(others, TestCaseStatus::success()));
    }
    for case in &mut cases {
        case.set_classname(class);
    }
    cases
}

fn agreed(agreement: &Agreement, class: &str) -> TestCase {
    let mut status = TestCaseStatus::success();
    if !agreement.holds() {
        status = TestCaseStatus::non_success(NonSuccessKind::Failure);
        status.set_message(format::printable(&text::identical(agreement, Styles::plain())));
        let differing: Vec<String> = agreement.differences.iter().map(differs).collect();
        status.set_description(differing.join("\n"));
    }
    let mut case = TestCase::new("all ways give the same results", status);
    case.set_classname(class);
    case
}

fn differs(difference: &Difference) -> String {
    let Difference { label, way, why, .. } = difference;
    let why = if why.is_empty() { String::new() } else { format!(": {}", format::printable(why)) };
    format!("differs: {} ({way}){why}", format::printable(label))
}
