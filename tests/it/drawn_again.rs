//! `parsim report`: a saved study drawn again, and files that are none.

use std::fs;

use super::support::{Fresh, Line};

/// A directory with `study.json`, and what the run itself showed.
fn saved(line: &str) -> (Fresh, String) {
    let fresh = Fresh::new();
    let ran = fresh.parsim(&format!("{line} --export-json study.json")).run();
    let shown = ran.stdout;
    (fresh, shown)
}

#[test]
fn a_saved_study_says_later_what_it_said_at_once() {
    let (fresh, shown) = saved("csv --files 3 --rows 20 --cols 10 --runs 5");
    let ran = fresh.parsim("report study.json").run();
    ran.exits(0).is_quiet().expect(ran.stdout == shown, &format!("the same as before:\n{shown}"));
}

#[test]
fn a_study_is_read_from_a_pipe_and_saved_again_to_the_byte() {
    let (fresh, shown) = saved("sleep --seconds 0 --runs 1");
    let ran = fresh.shell("parsim report - --export-json - <study.json | cmp - study.json").run();
    ran.exits(0).expect(ran.stderr == shown, "the table on stderr, for stdout is taken");
    fresh.parsim("report study.json --export-json study.json").run().exits(0).is_quiet();
    fresh
        .shell("parsim report study.json --export-json copy.json && cmp copy.json study.json")
        .run()
        .exits(0);
}

#[test]
fn every_format_is_drawn_at_once_as_it_is_drawn_later() {
    let fresh = Fresh::new();
    let names = ["s.json", "s.csv", "s.md", "s.html", "s.xml", "s.trace"];
    let options = ["json", "csv", "markdown", "html", "junit", "trace"];
    let with = |mut line: Line, folder: &str| {
        for (option, name) in options.iter().zip(names) {
            line = line.args([format!("--export-{option}"), format!("{folder}/{name}")]);
        }
        line.run()
    };
    fs::create_dir(fresh.path("at-once")).unwrap();
    fs::create_dir(fresh.path("later")).unwrap();
    with(fresh.parsim("csv --files 2 --rows 20 --cols 10 --runs 2"), "at-once").exits(0).is_quiet();
    with(fresh.parsim("report at-once/s.json"), "later").exits(0).is_quiet();
    for name in names {
        let [at_once, later] =
            ["at-once", "later"].map(|folder| fs::read(fresh.path(folder).join(name)).unwrap());
        assert!(at_once.len() > 100, "{name}");
        assert!(at_once == later, "{name}: {}", String::from_utf8_lossy(&later));
    }
}

#[test]
fn pictures_of_a_saved_study_are_drawn_when_asked_for() {
    let (fresh, _) = saved("sleep --tasks 3 --seconds 0.02 --runs 1");
    let ran = fresh.parsim("report study.json --lanes --ascii").run();
    ran.exits(0).is_quiet().says("lanes      -j ").says("serial   ###");
    ran.expect(ran.stdout.is_ascii(), "nothing but ASCII");
    let both = fresh.parsim("report study.json study.json --lanes").run();
    both.exits(0).says("serial before   █").does_not_say("lanes  ");
}

#[test]
fn a_study_of_failed_tasks_can_be_drawn_all_the_same() {
    let fresh = Fresh::new();
    fs::create_dir_all(fresh.path("data_parallel/x000001.csv")).unwrap();
    fresh.parsim("csv --files 2 --rows 20 --cols 10 --export-json study.json").run().exits(1);
    let ran = fresh.parsim("report study.json --export-html page.html").run();
    ran.exits(0).is_quiet().says("failed: x000001.csv: ");
    let page = fs::read_to_string(fresh.path("page.html")).unwrap();
    assert!(page.contains("<td class=\"name\">× <bdi>") && page.contains("a directory has this name"));
}

#[test]
fn what_is_no_saved_study_is_refused_by_name_and_reason() {
    let (fresh, _) = saved("sleep --seconds 0 --runs 1");
    let study = fs::read_to_string(fresh.path("study.json")).unwrap();
    let refused = |text: &str, why: &str| {
        fs::write(fresh.path("other.json"), text).unwrap();
        fresh
            .parsim("report other.json --export-html page.html")
            .run()
            .refuses("cannot read other.json: ")
            .tells(why);
        assert!(!fresh.path("page.html").exists());
    };
    refused("", "not a JSON object");
    refused("task,wall\n1,2\n", "not a JSON object");
    refused("\u{0}\u{1}ELF", "not a JSON object");
    refused(r#"{"results":[{"command":"sleep 1","mean":1.0}]}"#, "no \"schema\" at its start");
    refused(&study[..study.len() / 2], "cut off before its end");
    refused(&study.replace("parsim-study/2", "parsim-study/9"), "its schema is \"parsim-study/9\"");
    refused(&study.replace("\"startup\": ", "\"startup\": -"), "a damaged one");
    fresh.parsim("report nothing.json").run().refuses("cannot read nothing.json: no such file");
    fresh.parsim("report .").run().refuses("cannot read .: is a directory");
    fresh.parsim("report").run().refuses("STUDY.json");
}

#[test]
fn a_study_without_a_finished_run_is_refused() {
    let fresh = Fresh::new();
    let line = fresh.parsim("sleep --seconds 0 --export-json study.json --prepare").args(["false"]);
    line.run().exits(255);
    fresh.parsim("report study.json").run().refuses("study.json holds no finished run");
}

#[test]
fn a_target_that_cannot_be_written_is_told_and_the_study_left_alone() {
    let (fresh, _) = saved("sleep --seconds 0 --runs 1");
    let ran = fresh.parsim("report study.json --export-html no/such/page.html").run();
    ran.refuses("cannot open no/such/page.html for --export-html");
    assert_eq!(fresh.names("."), ["study.json"]);
}

#[test]
fn a_study_that_is_read_is_never_overwritten_by_what_is_drawn_of_it() {
    let (fresh, _) = saved("sleep --seconds 0 --runs 1");
    let study = fs::read_to_string(fresh.path("study.json")).unwrap();
    fs::write(fresh.path("after.json"), &study).unwrap();
    std::os::unix::fs::symlink("study.json", fresh.path("link")).unwrap();
    for line in [
        "study.json --export-html study.json",
        "study.json --export-csv ./link",
        "link --export-markdown study.json",
        "study.json after.json --export-json study.json",
        "study.json after.json --export-json after.json",
        "- --export-html study.json <study.json",
    ] {
        let ran = fresh.shell(&format!("parsim report {line}")).run();
        ran.refuses(" would overwrite ").tells("which is read: name another file");
        for name in ["study.json", "after.json"] {
            assert_eq!(fs::read_to_string(fresh.path(name)).unwrap(), study, "{line}");
        }
    }
    assert_eq!(fresh.names("."), ["after.json", "link", "study.json"]);
    // As JSON a study stays what it is, and another file is nobody's.
    fresh.parsim("report link --export-json study.json --export-html new.html").run().exits(0).is_quiet();
    assert_eq!(fs::read_to_string(fresh.path("study.json")).unwrap(), study);
}

#[test]
fn what_does_not_fit_on_the_disk_is_told_and_leaves_nothing() {
    let (fresh, _) = saved("sleep --tasks 30 --seconds 0 --runs 1");
    for option in ["json", "html", "trace", "junit", "csv", "markdown"] {
        fs::write(fresh.path("kept"), "of old\n").unwrap();
        for target in ["new", "kept"] {
            let line = format!("ulimit -f 0; exec parsim report study.json --export-{option} {target}");
            fresh.shell(&line).run().exits(255).tells(&format!("{target}: ")).tells("file too large");
        }
        assert_eq!(fresh.names("."), ["kept", "study.json"], "{option}");
        assert_eq!(fs::read_to_string(fresh.path("kept")).unwrap(), "of old\n");
    }
}
