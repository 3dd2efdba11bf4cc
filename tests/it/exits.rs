//! How the process ends: each row of the table of statuses, what is said when
//! something was mistyped, and outputs that nobody takes.

use std::fs::{self, OpenOptions};
use std::io;

use crate::support::{Fresh, Ran};

const SMALL: &str = "--rows 1 --cols 1";

#[test]
fn success_is_0_also_for_help_and_for_nothing_at_all() {
    let fresh = Fresh::new();
    for line in ["sleep --seconds 0", "--help", "-h", "help sleep", "--version", "cpus", ""] {
        let ran = fresh.parsim(line).run();
        ran.exits(0).is_quiet().expect(!ran.stdout.trim().is_empty(), "some words");
    }
}

#[test]
fn bare_parsim_gives_three_examples_in_a_dozen_lines() {
    let ran = Fresh::new().parsim("").run();
    ran.says("\n  parsim csv --parallel --files 20 ").says("\n  parsim sleep ").says("parsim --help");
    ran.expect(ran.stdout.lines().count() <= 12, "a dozen lines");
    assert_eq!(ran.stdout.lines().filter(|line| line.starts_with("  parsim ")).count(), 3);
}

#[test]
fn failed_tasks_are_counted_up_to_a_hundred_and_then_101() {
    let fresh = Fresh::new();
    fs::write(fresh.path("file"), "").unwrap();
    for (files, status) in [(1, 1), (100, 100), (101, 101), (300, 101)] {
        let ran = fresh.parsim(&format!("csv --files {files} {SMALL} --out-dir file --runs 1")).run();
        ran.exits(status);
        assert_eq!(ran.stdout.matches("failed: ").count(), files.min(20));
        if files > 20 {
            ran.says(&format!("... and {} more\n", files - 20));
        }
    }
}

#[test]
fn results_that_differ_are_102_and_named() {
    let fresh = Fresh::new();
    // Somebody else writes to the folder while the second file is being made.
    let line = "csv --files 2 --rows 300 --cols 300 --matrix per-file -j 1 --runs 10";
    let mut started = fresh.parsim(line).start();
    let meddled = fresh.path("data_parallel/x000000.csv");
    while started.is_running() {
        if meddled.exists() {
            fs::write(&meddled, "1\n").unwrap();
        }
    }
    let ran = started.end();
    ran.exits(102).is_quiet().says("1 of 2 files identical").says("differs: x000000.csv (parallel)\n");
}

#[test]
fn failures_weigh_more_than_differences_and_faults_more_than_both() {
    let fresh = Fresh::new();
    fs::create_dir_all(fresh.path("data_parallel/x000000.csv")).unwrap();
    let line = format!("csv --files 2 {SMALL}");
    fresh.parsim(&line).run().exits(1).says("1 of 2 files identical");
    fresh.parsim(&format!("{line} --export-json /dev/full")).run().exits(255);
}

#[test]
fn a_hook_that_fails_is_a_fault_that_names_it() {
    let fresh = Fresh::new();
    let ended = "\"exit 3\" ended with exit status: 3";
    let ran = fresh.parsim("sleep --seconds 0 --prepare").args(["exit 3"]).run();
    ran.refuses(&format!("the --prepare command: {ended}"));
    // What was measured until then is shown.
    let ran = fresh.parsim("sleep --seconds 0 --cleanup").args(["exit 3"]).run();
    ran.exits(255).says("results 1, 2, 3, 4").tells(&format!("parsim: the --cleanup command: {ended}\n"));
}

#[test]
fn a_closed_stdout_is_told_before_any_work() {
    let fresh = Fresh::new();
    let ran = fresh.shell(&format!("parsim csv --files 1 {SMALL} >&-")).run();
    ran.refuses("standard output is closed").tells("add >FILE or >/dev/null");
    assert!(fresh.names(".").is_empty());
}

#[test]
fn what_only_shows_something_refuses_a_closed_stdout_too() {
    let fresh = Fresh::new();
    for line in ["parsim cpus", "parsim csv --help", "parsim --version", "parsim", "parsim parallel --help"] {
        fresh.shell(&format!("{line} >&-")).run().refuses("standard output is closed");
    }
}

#[test]
fn a_reader_that_has_gone_is_no_error() {
    let fresh = Fresh::new();
    for line in ["sleep --seconds 0", "sleep --seconds 0 --export-json -", "--help", "cpus", ""] {
        let (reader, writer) = io::pipe().unwrap();
        drop(reader);
        let ran = fresh.parsim(line).stdout(writer).run();
        ran.exits(0).expect(!ran.stderr.contains("roken pipe"), "not a word of it");
    }
}

#[test]
fn a_full_device_as_stdout_is_a_fault() {
    let fresh = Fresh::new();
    for line in ["sleep --serial --seconds 0", "--help", "cpus", ""] {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let ran = fresh.parsim(line).stdout(full).run();
        ran.refuses("cannot write to stdout: no space left on device");
    }
}

#[test]
fn a_stderr_that_nobody_reads_changes_nothing() {
    let fresh = Fresh::new();
    for (line, status) in [("sleep --seconds 0 --export-json -", 0), ("nonsense", 255)] {
        let (reader, writer) = io::pipe().unwrap();
        drop(reader);
        fresh.parsim(line).stderr(writer).run().exits(status);
        fresh.shell(&format!("parsim {line} 2>&-")).run().exits(status);
    }
}

#[test]
fn what_the_system_says_is_told_in_words_without_its_number() {
    let fresh = Fresh::new();
    for line in [
        "report none",
        "report none --export-json x",
        "tap --urls none",
        "parallel -a none echo",
        "parallel echo :::: none",
        "parallel --pipe-part -a none cat",
        "parallel --joblog none/log echo ::: a",
        "parallel --records none/log echo ::: a",
        "parallel --export-json none/study echo ::: a",
        "parallel --retry-failed --joblog none",
        "compare --export-html none/page echo ::: a",
    ] {
        let ran = fresh.parsim(line).run();
        ran.expect(!ran.stderr.contains("os error"), "no number");
        ran.exits(255).tells("none").tells("no such file or directory");
    }
}

#[test]
fn no_file_asked_for_is_a_note_and_no_fault() {
    let fresh = Fresh::new();
    for way in ["--parallel", ""] {
        let ran = fresh.parsim(&format!("csv --files 0 {way}")).run();
        ran.exits(0).is_quiet().says("note: --files 0: nothing to write; try --files 20\n");
        assert!(fresh.names("data_serial").is_empty());
    }
}

#[test]
fn no_task_asked_for_is_told() {
    let ran = Fresh::new().parsim("sleep --tasks 0").run();
    ran.exits(0).expect(!ran.stdout.trim().is_empty(), "a word about it");
}

#[test]
fn a_missed_gate_is_103_and_told_on_stderr() {
    let fresh = Fresh::new();
    let line = "sleep --tasks 2 --seconds 0.05 --runs 1";
    let met = || fresh.parsim(&format!("{line} --min-speedup 1.01 --fail-if-slower 1000")).run();
    Ran::at_best(met, |ran| ran.stderr.is_empty()).exits(0).is_quiet();
    let missed = fresh.parsim(&format!("{line} --min-speedup 50")).run();
    missed.exits(103).tells_one_line("the speed-up is ").tells(", and 50.0x is asked for").says("speed-up ");
    let both = fresh.parsim(&format!("{line} --min-speedup 50 --parallel")).run();
    both.refuses("compare both ways");
    fresh.parsim(&format!("{line} --min-speedup -1")).run().refuses("expected a number of at least 0");
}

#[test]
fn a_failed_task_weighs_more_than_a_missed_gate() {
    let fresh = Fresh::new();
    std::fs::create_dir_all(fresh.path("data_parallel/x000001.csv")).unwrap();
    let line = "csv --files 2 --rows 20 --cols 10 --min-speedup 2";
    fresh.parsim(line).run().exits(1).tells("no speed-up is claimed (1 task failed)");
}
