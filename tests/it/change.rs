//! `parsim report BEFORE AFTER`: what changed between two saved studies, and the
//! gates on it.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::support::{Fresh, Ran};

/// A directory with the kept study `sweep`, and as `later.json` the same with all
/// wall times `factor` times as long.
fn sweep_and_later(factor: f64) -> Fresh {
    let fresh = Fresh::new();
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/report/sweep.json");
    let text = fs::read_to_string(kept).unwrap();
    fs::write(fresh.path("sweep.json"), &text).unwrap();
    let mut study: Value = serde_json::from_str(&text).unwrap();
    for run in study["columns"]
        .as_array_mut()
        .unwrap()
        .iter_mut()
        .flat_map(|column| column["runs"].as_array_mut().unwrap().iter_mut())
    {
        run["wall"] = (run["wall"].as_f64().unwrap() * factor).into();
    }
    study["started"] = 1_795_418_400.into();
    fs::write(fresh.path("later.json"), study.to_string()).unwrap();
    fresh
}

/// What is said of the two, as `option` has it.
fn exported(fresh: &Fresh, option: &str) -> String {
    let ran = fresh.parsim(&format!("report sweep.json later.json --export-{option} -")).run();
    ran.exits(0).tells(" wall ").does_not_say(" wall  ");
    ran.stdout
}

#[test]
fn two_studies_stand_side_by_side_with_a_verdict() {
    let ran = sweep_and_later(1.25).parsim("report sweep.json later.json").run();
    ran.exits(0).is_quiet();
    insta::assert_snapshot!(ran.stdout, @r"
    before  sweep.json, 22 Nov 2026 07:20 UTC: 24 files, 1, 2, 3, 4 at a time on 4 cores, median of 5
            parsim csv --files 24 -j 1-4 --runs 5
    after   later.json, 23 Nov 2026 07:20 UTC: 24 files, 1, 2, 3, 4 at a time on 4 cores, median of 5
            parsim csv --files 24 -j 1-4 --runs 5

                       before      after   change
    ────────────────────────────────────────────────────────────
     serial wall      4.083 s    5.104 s   +25 % (+23 to +27 %)
     serial CPU       3.787 s    3.787 s   0 %
     serial memory   20.0 MiB   20.0 MiB   0 %
     -j 1 wall        4.128 s    5.160 s   +25 % (+24 to +26 %)
     -j 1 CPU         3.829 s    3.829 s   0 %
     -j 1 memory     20.0 MiB   20.0 MiB   0 %
     -j 1 speed-up      0.99x      0.99x
     -j 2 wall        2.183 s    2.728 s   +25 % (+24 to +26 %)
     -j 2 CPU         4.028 s    4.028 s   0 %
     -j 2 memory     20.0 MiB   20.0 MiB   0 %
     -j 2 speed-up      1.87x      1.87x
     -j 3 wall        1.611 s    2.013 s   +25 % (+24 to +26 %)
     -j 3 CPU         4.285 s    4.285 s   0 %
     -j 3 memory     20.0 MiB   20.0 MiB   0 %
     -j 3 speed-up      2.54x      2.54x
     -j 4 wall        1.303 s    1.629 s   +25 % (+24 to +26 %)
     -j 4 CPU         4.510 s    4.510 s   0 %
     -j 4 memory     20.0 MiB   20.0 MiB   0 %
     -j 4 speed-up      3.13x      3.13x
    ────────────────────────────────────────────────────────────
    24 of 24 tasks gave the same as before
    serial: 25 % more time than before (+23 to +27 % with 95 % confidence)
    -j 1: 25 % more time than before (+24 to +26 % with 95 % confidence)
    -j 2: 25 % more time than before (+24 to +26 % with 95 % confidence)
    -j 3: 25 % more time than before (+24 to +26 % with 95 % confidence)
    -j 4: 25 % more time than before (+24 to +26 % with 95 % confidence)
    ");
}

#[test]
fn what_differs_by_less_than_the_spread_is_no_difference() {
    let ran = sweep_and_later(1.001).parsim("report sweep.json later.json").run();
    ran.exits(0).is_quiet().says("serial: no measurable difference (-").does_not_say("more time");
}

#[test]
fn one_run_of_each_is_told_without_a_test() {
    let fresh = Fresh::new();
    for name in ["a", "b"] {
        fresh.parsim(&format!("sleep --seconds 0.01 --runs 1 --export-json {name}.json")).run().exits(0);
    }
    let ran = fresh.parsim("report a.json b.json").run();
    ran.exits(0).is_quiet().says("(1 run each, no test)\n");
    ran.says("\n4 of 4 tasks gave the same as before\n");
}

#[test]
fn studies_that_are_not_alike_are_told_so() {
    let fresh = sweep_and_later(1.0);
    fresh.parsim("sleep --seconds 0 --runs 1 --export-json other.json").run().exits(0);
    let said = |ran: &Ran, why: &str| {
        ran.exits(0).is_quiet().says(&format!("\nnot comparable: {why}"));
        ran.does_not_say("more time").does_not_say("less time").does_not_say(" than before");
    };
    said(&fresh.parsim("report sweep.json other.json").run(), "the work was csv-gen and is sleep\n");
    let change = |name: &str, from: &str, to: &str| {
        let text = fs::read_to_string(fresh.path("sweep.json")).unwrap();
        assert!(text.contains(from));
        fs::write(fresh.path(name), text.replace(from, to)).unwrap();
        fresh.parsim(&format!("report sweep.json {name}")).run()
    };
    let model = change("machine.json", "Example CPU @ 2.00GHz", "Other CPU");
    said(&model, "the processor was Example CPU @ 2.00GHz and is Other CPU\n");
    let cores = change("cores.json", "\"usable\": 4,", "\"usable\": 2,");
    said(&cores, "the number of usable cores was 4 and is 2\n");
    let tasks = change("tasks.json", "\"tasks\": 24,", "\"tasks\": 25,");
    said(&tasks, "there were 24 tasks and are 25\n");
}

#[test]
fn every_format_that_can_tells_what_changed() {
    let fresh = sweep_and_later(1.25);
    let json: Value = serde_json::from_str(&exported(&fresh, "json")).unwrap();
    assert_eq!((&json["schema"], &json["unlike"]), (&"parsim-change/1".into(), &Value::Null));
    assert_eq!(json["before"]["name"], "sweep.json");
    let serial = &json["columns"][0];
    assert_eq!((&serial["verdict"], &serial["width"]), (&"slower".into(), &1.into()));
    assert!((serial["ratio"].as_f64().unwrap() - 1.25).abs() < 1e-6);
    assert!(serial["ratio_low"].as_f64().unwrap() > 1.1 && serial["ratio_high"].as_f64().unwrap() < 1.4);
    assert_eq!(json["results"], serde_json::json!({"same": 24, "of": 24}));

    let csv = exported(&fresh, "csv");
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 5);
    assert!(rows.iter().all(|row| &row[6] == "slower" && &row[7] == "1.25"), "{csv}");

    let markdown = exported(&fresh, "markdown");
    assert!(markdown.contains("\n| serial wall | "), "{markdown}");
    assert!(markdown.contains("\n- serial: 25 % more time than before ("), "{markdown}");

    let page = exported(&fresh, "html");
    // Five runs of five columns, before and after.
    assert_eq!(page.matches("<circle class=\"run\"").count(), 2 * 5 * 5);
    assert!(page.contains("<div class=\"bad\">serial: 25 % more time than before ("), "{page}");
    assert!(page.contains("default-src 'none'; style-src 'unsafe-inline'") && !page.contains("<script"));

    for option in ["junit", "trace", "prometheus"] {
        let line = format!("report sweep.json later.json --export-{option} x");
        fresh.parsim(&line).run().refuses(&format!("--export-{option} is of one study"));
    }
    assert_eq!(fresh.names("."), ["later.json", "sweep.json"]);
}

#[test]
fn every_key_of_a_written_change_is_documented() {
    let json: Value = serde_json::from_str(&exported(&sweep_and_later(1.25), "json")).unwrap();
    let documented = include_str!("../../src/report/change/json.md");
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let column = &json["columns"][0];
    let all =
        [keys(&json), keys(&json["before"]), keys(column), keys(&column["before"]), keys(&json["results"])];
    for key in all.concat().into_iter().filter(|key| key != "columns") {
        assert!(
            documented.contains(&format!("`{key}`")) || documented.contains(&format!(".{key}`")),
            "{key}"
        );
    }
}

#[test]
fn no_name_in_either_study_acts_on_the_reader() {
    let fresh = Fresh::new();
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/report/hostile.json");
    let text = fs::read_to_string(kept).unwrap();
    // Failures would be all that is told.
    let (head, rest) = text.split_once("\"failures\":").unwrap();
    let rest = &rest[rest.find("\"remarks\"").unwrap()..];
    let text = format!("{head}\"failures\": {{}}, {rest}");
    let name = "a <b>&\u{1b}[31m|`x`.json";
    fs::write(fresh.path(name), &text).unwrap();
    fs::write(fresh.path("later.json"), text.replace("\"=SUM", "\"</p><script>\\u001b=SUM")).unwrap();
    for option in ["", "--export-markdown=-", "--export-html=-", "--export-csv=-"] {
        let line = fresh.parsim("report").args([name, "later.json"]);
        let ran = line.args((!option.is_empty()).then_some(option)).run();
        ran.exits(0);
        let shown = format!("{}{}", ran.stdout, ran.stderr);
        assert!(!shown.contains('\u{1b}') && !shown.contains('\u{202e}'), "{shown}");
        let is_markup = option.contains("markdown") || option.contains("html");
        assert!(!is_markup || !ran.stdout.contains("<script") && !ran.stdout.contains("<b>&"), "{shown}");
        assert!(option.contains("csv") || shown.contains("had another name"), "{shown}");
    }
}

#[test]
fn after_may_be_slower_than_before_by_no_more_than_was_allowed() {
    let fresh = sweep_and_later(1.25);
    let line = "report sweep.json later.json";
    fresh.parsim(&format!("{line} --fail-if-slower 50")).run().exits(0).is_quiet();
    let missed = fresh.parsim(&format!("{line} --fail-if-slower 10%")).run();
    missed.exits(103).says("serial: 25 % more time").tells("serial at 1 at a time took +25 % (+");
    missed.tells(") against before, and +10 % is allowed\n");
    fresh.parsim("report later.json sweep.json --fail-if-slower 0").run().exits(0).is_quiet();
    let noise = sweep_and_later(1.001);
    let undecided = noise.parsim(&format!("{line} --fail-if-slower 0")).run();
    undecided
        .exits(0)
        .tells_one_line("note: --fail-if-slower 0 not decided: serial at 1 at a time took +0.1 % (");
    fresh.parsim(&format!("{line} --min-speedup 1.5")).run().exits(0).is_quiet();
    let slow = fresh.parsim(&format!("{line} --min-speedup 9")).run();
    slow.exits(103).tells_one_line("the speed-up is ").tells(", and 9.00x is asked for");
}

#[test]
fn a_gate_that_cannot_be_judged_is_missed() {
    let fresh = sweep_and_later(1.0);
    fresh.parsim("sleep --seconds 0 --runs 1 --export-json other.json").run().exits(0);
    let ran = fresh.parsim("report sweep.json other.json --fail-if-slower 5").run();
    ran.exits(103).tells_one_line("not compared with before (the work was csv-gen and is sleep), and +5 %");
}

#[test]
fn one_study_is_held_against_its_own_serial_way() {
    let fresh = sweep_and_later(1.0);
    fresh.parsim("report sweep.json --min-speedup 1.5 --fail-if-slower 5").run().exits(0).is_quiet();
    let missed = fresh.parsim("report sweep.json --min-speedup 5").run();
    missed.exits(103).tells_one_line("the speed-up is ").says("speed-up");
    let hostile = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/report/hostile.json");
    let failed = fresh.parsim("report").args([hostile]).args(["--fail-if-slower", "5"]).run();
    failed.exits(103).tells_one_line("not compared with serial (3 tasks failed), and +5 % is allowed");
}

#[test]
fn two_studies_may_come_from_a_file_and_a_pipe_but_not_both_from_one_pipe() {
    let fresh = sweep_and_later(1.25);
    fresh.shell("parsim report sweep.json - <later.json").run().exits(0).says("after   stdin, ");
    fresh.parsim("report - -").run().refuses("standard input holds one study");
    fresh.parsim("report sweep.json nothing.json").run().refuses("cannot read nothing.json: no such file");
}
