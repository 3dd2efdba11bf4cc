//! Several runs that put rows into one file at a time: nothing is cut off, glued
//! or told twice.

use std::fs::{self, OpenOptions};
use std::io::Write as _;

use crate::support::{Fresh, Started};

fn gated() -> Fresh {
    let fresh = Fresh::new();
    fresh.shell("mkfifo gate").run().exits(0);
    fresh
}

/// What all runs of a test do.
const COMMAND: &str = "case {} in 2) touch waits; cat gate;; *) echo {};; esac";

/// A run whose first job writes a row, and whose second one waits at the gate.
fn waiting(fresh: &Fresh, options: &str) -> Started {
    let mut run = fresh.shell(&format!("exec parsim parallel -j1 {options} '{COMMAND}' ::: 1 2")).start();
    run.until("a job that waits", || fresh.path("waits").exists());
    run
}

fn add(fresh: &Fresh, name: &str, bytes: &[u8]) {
    OpenOptions::new().append(true).open(fresh.path(name)).unwrap().write_all(bytes).unwrap();
}

fn text(fresh: &Fresh, name: &str) -> String {
    fs::read_to_string(fresh.path(name)).unwrap()
}

#[test]
fn a_row_that_may_be_half_written_is_not_cut_off_beside_a_run_that_is_alive() {
    for option in ["--joblog", "--records"] {
        let fresh = gated();
        let run = waiting(&fresh, &format!("{option} +log"));
        add(&fresh, "log", b"1\t:\t1700000000.1");
        let before = text(&fresh, "log");
        fresh.shell(&format!("parsim parallel {option} +log true ::: b")).run().exits(0);
        let after = text(&fresh, "log");
        assert!(after.starts_with(&format!("{before}\n")), "{after}");
        assert_eq!(after.lines().count(), 3, "{after}");
        fs::write(fresh.path("gate"), "").unwrap();
        run.end().exits(0);
        assert_eq!(text(&fresh, "log").lines().count(), 4);
    }
}

#[test]
fn a_row_that_was_cut_off_is_gone_once_nobody_else_writes() {
    let fresh = Fresh::new();
    fresh.shell("parsim parallel --joblog +log true ::: a").run().exits(0);
    add(&fresh, "log", b"1\t:\t1700000000.1");
    fresh.shell("parsim parallel --joblog +log true ::: b").run().exits(0);
    let log = text(&fresh, "log");
    assert!(log.lines().count() == 2 && !log.contains("1700000000.1"), "{log}");
}

#[test]
fn a_log_with_a_row_that_was_torn_beside_another_run_is_gone_on_from() {
    let fresh = gated();
    let run = waiting(&fresh, "--joblog log");
    add(&fresh, "log", b"7\t:\t1700000000.1");
    let go_on = |values: &str| {
        fresh.shell(&format!("parsim parallel -j1 --joblog log --resume '{COMMAND}' ::: {values}")).run()
    };
    go_on("1 b c").exits(0).says("b\nc\n").does_not_say("1");
    fs::write(fresh.path("gate"), "").unwrap();
    run.end().exits(0);
    go_on("1 b c d").exits(0).says("d\n").does_not_say("c");
    let log = text(&fresh, "log");
    assert_eq!(log.matches("Seq\t").count(), 1, "{log}");
    assert_eq!(log.lines().count(), 1 + 1 + 1 + 2 + 1 + 1, "{log}");
}

#[test]
fn a_table_that_two_runs_begin_has_one_header() {
    let fresh = gated();
    let script = "exec parsim parallel -j1 --results t.csv --resume ': {}; touch waits; cat gate' ::: a";
    let mut run = fresh.shell(script).start();
    run.until("a job that waits", || fresh.path("waits").exists());
    fresh.shell("parsim parallel -j1 --results t.csv --resume echo {} ::: b c").run().exits(0);
    fs::write(fresh.path("gate"), "").unwrap();
    run.end().exits(0);
    let table = text(&fresh, "t.csv");
    assert!(table.starts_with("Seq,Host,"), "{table}");
    assert_eq!(table.matches("Seq,Host,").count(), 1, "{table}");
    let rows: Vec<csv::StringRecord> =
        csv::Reader::from_reader(table.as_bytes()).into_records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 3, "{table}");
}

#[test]
fn long_rows_of_several_runs_do_not_run_into_each_other() {
    let fresh = Fresh::new();
    let job = "head -c 3000000 /dev/zero | tr '\\0' {}";
    let runs: Vec<Started> = ["a", "b", "c"]
        .iter()
        .map(|letter| {
            let script = format!(
                "exec parsim parallel -j2 --results t.json --resume \"{job}\" ::: {letter} {letter} {letter}"
            );
            fresh.shell(&script).start()
        })
        .collect();
    for run in runs {
        run.end().exits(0);
    }
    let table = text(&fresh, "t.json");
    assert_eq!(table.lines().count(), 9);
    for line in table.lines() {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        let letter = row["V"][0].as_str().unwrap().to_owned();
        assert!(row["Stdout"].as_str().unwrap() == letter.repeat(3_000_000));
    }
}
