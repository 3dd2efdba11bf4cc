//! The report: the study as JSON, where it goes, and the text with its figures
//! taken out.

use std::fs;

use serde_json::Value;

use crate::support::Fresh;

fn parse(json: impl AsRef<[u8]>) -> Value {
    serde_json::from_slice(json.as_ref()).unwrap()
}

/// The text without what is measured: `N` for a number, `U` for its unit, one
/// space for several, and nothing of remarks that depend on how fast it was.
fn redacted(text: &str) -> String {
    // What some systems do not tell, and what depends on the work next door.
    let varies = ["peak memory", "note: the load was", "Amdahl:", "USL:"];
    let lines = text.lines().filter(|line| !varies.iter().any(|start| line.trim_start().starts_with(start)));
    lines.map(|line| redacted_line(line) + "\n").collect()
}

fn redacted_line(line: &str) -> String {
    // Next to no CPU time.
    let line = &line.replace("~0", "0 s");
    let cells: Vec<&str> = line.trim().split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect();
    let changes = ["wall", "user", "sys", "CPU total"].contains(&cells.first().copied().unwrap_or_default());
    // Cells of figures end with one; a remark on how they changed does not.
    let figure = |cell: &&&str| cell.trim_start_matches('~').starts_with(|c: char| c.is_ascii_digit());
    let is_remark =
        |cell: &&&str| cell.ends_with("faster") || cell.ends_with("slower") || cell.ends_with('%');
    let words = |cell: &&str| cell.split(' ').map(redacted_word).collect::<Vec<_>>().join(" ");
    if changes {
        let figures = cells.iter().skip(1).filter(figure).filter(|cell| !is_remark(cell));
        return std::iter::once(cells[0].to_owned()).chain(figures.map(words)).collect::<Vec<_>>().join(" ");
    }
    cells.iter().map(words).collect::<Vec<_>>().join(" ")
}

fn redacted_word(word: &str) -> String {
    let units = ["s", "ms", "us", "B", "kB", "MB", "GB", "B/s", "kB/s", "MB/s", "GB/s"];
    let (word, comma) = word.strip_suffix(',').map_or((word, ""), |word| (word, ","));
    if units.contains(&word.trim_end_matches(':')) {
        return word.replace(word.trim_end_matches(':'), "U") + comma;
    }
    if word.trim_end_matches(':') == "core" {
        return word.replace("core", "cores") + comma;
    }
    let mut text = String::new();
    for character in word.trim_start_matches('~').chars() {
        let in_number = text.ends_with('N') && (character == '.' || character == ',');
        let redacted = if character.is_ascii_digit() { 'N' } else { character };
        // A number is one N, and a rule one piece of it.
        let goes_on = text.ends_with(redacted) && (redacted == 'N' || redacted == '─');
        if !in_number && !goes_on {
            text.push(redacted);
        }
    }
    text + comma
}

#[test]
fn a_study_is_saved_whole_with_its_schema() {
    let fresh = Fresh::new();
    let line = "csv --files 3 --rows 20 --cols 10 --runs 2 --warmup 1 --export-json study.json";
    fresh.parsim(line).run().exits(0).is_quiet().says("3 of 3 files identical");
    assert_eq!(fresh.names("."), ["data_parallel", "data_serial", "study.json"]);
    let bytes = fs::read(fresh.path("study.json")).unwrap();
    assert!(bytes.ends_with(b"}\n"));
    let study = parse(&bytes);
    assert_eq!(study["schema"], "parsim-study/2");
    assert_eq!(study["version"], env!("CARGO_PKG_VERSION"));
    let words: Vec<&str> = std::iter::once("parsim").chain(line.split(' ')).collect();
    assert_eq!(study["command"], serde_json::json!(words));
    assert_eq!((&study["workload"], &study["unit"]), (&"csv-gen".into(), &"file".into()));
    assert_eq!(study["parameters"]["rows"], 20);
    assert_eq!(study["agreement"]["identical"], 3);
    assert!(study["started"].as_u64().unwrap() > 1_700_000_000);
    assert!(study["host"]["usable"].as_u64().unwrap() >= 1);
    assert!(study.get("cut").is_none());
    let columns = study["columns"].as_array().unwrap();
    assert_eq!(columns.len(), 2);
    for (column, way) in columns.iter().zip(["serial", "parallel"]) {
        assert_eq!(column["way"], way);
        assert_eq!(column["runs"].as_array().unwrap().len(), 2);
        for run in column["runs"].as_array().unwrap() {
            assert_eq!((&run["tasks"], &run["succeeded"], &run["failed"]), (&3.into(), &3.into(), &0.into()));
            // 20 x 10 counts of two digits, more or less, each with a comma or newline.
            let bytes: u64 = (0..3)
                .map(|file| fs::metadata(fresh.path(format!("data_serial/x{file:06}.csv"))).unwrap().len())
                .sum();
            assert_eq!(run["bytes"], bytes);
            let records = run["records"].as_array().unwrap();
            let seqs: Vec<u64> = records.iter().map(|record| record["seq"].as_u64().unwrap()).collect();
            assert_eq!(seqs, [0, 1, 2]);
            assert_eq!(records[2]["label"], "x000002.csv");
            assert_eq!(records[2]["outcome"]["kind"], "success");
        }
    }
}

#[test]
fn a_study_that_replaces_a_file_keeps_its_permissions() {
    use std::os::unix::fs::PermissionsExt as _;
    let fresh = Fresh::new();
    fs::write(fresh.path("study.json"), "old").unwrap();
    fs::set_permissions(fresh.path("study.json"), fs::Permissions::from_mode(0o640)).unwrap();
    fresh.parsim("sleep --seconds 0 --runs 2 --export-json study.json").run().exits(0);
    assert_eq!(parse(fs::read(fresh.path("study.json")).unwrap())["workload"], "sleep");
    let mode = fs::metadata(fresh.path("study.json")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
}

#[test]
fn the_parameters_of_a_study_are_those_that_have_an_effect() {
    let fresh = Fresh::new();
    let line = "csv --parallel --files 1 --rows 1 --cols 1 --export-json study.json";
    for (options, expected) in [("", r#"{"lam":20.0}"#), ("--dist uniform", r#"{"high":1.0,"low":0.0}"#)] {
        fresh.parsim(&format!("{line} {options}")).run().exits(0);
        let study = parse(fs::read(fresh.path("study.json")).unwrap());
        let mut found = study["parameters"].as_object().unwrap().clone();
        found.retain(|name, _| ["lam", "low", "high", "loc", "scale"].contains(&name.as_str()));
        assert_eq!(Value::from(found), parse(expected));
    }
}

#[test]
fn every_key_of_a_saved_study_is_documented() {
    let fresh = Fresh::new();
    fs::create_dir_all(fresh.path("data_parallel/x000001.csv")).unwrap();
    fresh.parsim("csv --files 2 --rows 20 --cols 10 --export-json study.json").run().exits(1);
    let documented = include_str!("../../src/report/json.md");
    let mut keys = Vec::new();
    collect_keys(&parse(fs::read(fresh.path("study.json")).unwrap()), &mut keys);
    assert!(keys.len() > 50, "{keys:?}");
    let unknown: Vec<&String> = keys
        .iter()
        .filter(|key| !["secs", "nanos"].contains(&key.as_str()) && !documented.contains(key.as_str()))
        .collect();
    assert!(unknown.is_empty(), "not in src/report/json.md: {unknown:?}");
}

/// Keys of a study, but not those of a workload's parameters, nor an item's number.
fn collect_keys(value: &Value, keys: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (key, value) in members {
                if !key.starts_with(|c: char| c.is_ascii_digit()) && !keys.contains(key) {
                    keys.push(key.clone());
                }
                if !["parameters", "advice", "usage"].contains(&key.as_str()) {
                    collect_keys(value, keys);
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| collect_keys(value, keys)),
        _ => {}
    }
}

#[test]
fn a_path_that_cannot_be_written_to_is_told_before_any_work() {
    let fresh = Fresh::new();
    let line = "csv --files 1 --rows 1 --cols 1 --export-json";
    fresh
        .parsim(&format!("{line} no/such/folder/x.json"))
        .run()
        .refuses("cannot open no/such/folder/x.json for --export-json");
    fresh.parsim(&format!("{line} .")).run().refuses("cannot open . for --export-json");
    assert!(fresh.names(".").is_empty());
}

#[test]
fn two_exports_to_one_place_are_refused_by_their_names_before_any_work() {
    let fresh = Fresh::new();
    fs::write(fresh.path("old"), "of old\n").unwrap();
    std::os::unix::fs::symlink("old", fresh.path("link")).unwrap();
    for (one, other) in [
        ("same", "same"),
        ("same", "./same"),
        ("old", "link"),
        ("-", "-"),
        ("-", "/dev/stdout"),
        ("old", "-"),
    ] {
        let exports = format!("--export-json {one} --export-html {other}");
        let append = if (one, other) == ("old", "-") { ">>old" } else { "" };
        for line in [format!("sleep --seconds 0 {exports}"), format!("parallel {exports} touch ::: done")] {
            let ran = fresh.shell(&format!("parsim {line} {append}")).run();
            ran.refuses("--export-json and --export-html both go to ").tells("name a file for each");
        }
    }
    assert_eq!(fresh.names("."), ["link", "old"]);
    assert_eq!(fs::read_to_string(fresh.path("old")).unwrap(), "of old\n");
    let line = "sleep --seconds 0 --runs 1 --export-json /dev/null --export-html /dev/null";
    fresh.parsim(line).run().exits(0).is_quiet();
    fresh.parsim("sleep --seconds 0 --runs 1 --export-json a --export-html b").run().exits(0).is_quiet();
}

#[test]
fn a_dash_puts_the_study_on_stdout_and_the_table_on_stderr() {
    let ran = Fresh::new().parsim("sleep --serial --seconds 0 --export-json -").run();
    ran.exits(0).tells("results 1, 2, 3, 4").tells(" wall ").does_not_say(" wall ");
    assert_eq!(parse(&ran.stdout)["columns"][0]["output"], "1\n2\n3\n4\n");
}

#[test]
fn a_pipe_with_a_name_takes_the_study_at_the_end() {
    let fresh = Fresh::new();
    let script =
        "mkfifo pipe && { cat pipe >copy & } && parsim sleep --seconds 0 --runs 2 --export-json pipe && wait";
    fresh.shell(script).run().exits(0).is_quiet().says("results 1, 2, 3, 4");
    assert_eq!(fresh.names("."), ["copy", "pipe"]);
    assert_eq!(
        parse(fs::read(fresh.path("copy")).unwrap())["columns"][1]["runs"].as_array().unwrap().len(),
        2
    );
}

#[test]
fn a_device_takes_the_study_and_stays_a_device() {
    let fresh = Fresh::new();
    fresh.parsim("sleep --serial --seconds 0 --export-json /dev/null").run().exits(0).is_quiet();
    assert!(!fs::metadata("/dev/null").unwrap().is_file());
    let full = fresh.parsim("sleep --serial --seconds 0 --export-json /dev/full").run();
    full.exits(255).tells_one_line("cannot write /dev/full: no space left on device");
    // Here stdout is a pipe.
    let ran = fresh.parsim("sleep --serial --seconds 0 --export-json /dev/stdout").run();
    ran.exits(0);
    parse(&ran.stdout[ran.stdout.find("{\n").unwrap()..]);
}

#[test]
fn an_old_study_is_replaced_only_by_a_whole_new_one() {
    let fresh = Fresh::new();
    fs::write(fresh.path("study.json"), "old").unwrap();
    let prepare = "cp study.json before && ls -A >names";
    let line = fresh.parsim("sleep --serial --seconds 0 --export-json study.json --prepare");
    line.args([prepare]).run().exits(0);
    assert_eq!(fs::read_to_string(fresh.path("before")).unwrap(), "old");
    // The temporary that was there from the start took its place.
    let during = fs::read_to_string(fresh.path("names")).unwrap();
    assert!(during.lines().any(|name| name.starts_with(".study.json.")), "{during}");
    assert_eq!(parse(fs::read(fresh.path("study.json")).unwrap())["schema"], "parsim-study/2");
    assert_eq!(fresh.names("."), ["before", "names", "study.json"]);
}

#[test]
fn a_study_that_ended_early_leaves_what_was_measured_until_then() {
    let fresh = Fresh::new();
    let prepare = "test \"$PARSIM_WAY\" = serial";
    let line = fresh.parsim("sleep --seconds 0 --runs 1 --export-json study.json --prepare").args([prepare]);
    let ran = line.run();
    ran.exits(255).says("parsim sleep").tells("parsim: the --prepare command: ");
    let study = parse(fs::read(fresh.path("study.json")).unwrap());
    assert_eq!(study["columns"][0]["runs"].as_array().unwrap().len(), 1);
    assert_eq!(study["columns"][1]["runs"].as_array().unwrap().len(), 0);
    assert_eq!(fresh.names("."), ["study.json"]);
}

#[test]
fn hooks_run_before_and_after_each_run_and_know_the_way() {
    let fresh = Fresh::new();
    let line = fresh.parsim("sleep --tasks 1 --seconds 0 --runs 2 --warmup 1 --prepare");
    let line =
        line.args(["echo before $PARSIM_WAY >>log", "--cleanup", "echo after $PARSIM_WAY >>log; echo aside"]);
    let ran = line.run();
    // What hooks print does not get into the report.
    ran.exits(0).expect(!ran.stdout.lines().any(|line| line == "aside"), "no such line on stdout");
    ran.tells("aside\naside\n");
    let log = fs::read_to_string(fresh.path("log")).unwrap();
    let ways = ["serial", "parallel", "serial", "parallel", "parallel", "serial"];
    let expected: String = ways.iter().map(|way| format!("before {way}\nafter {way}\n")).collect();
    assert_eq!(log, expected);
}

#[test]
fn one_way_alone_is_a_table_of_one_column() {
    let ran = Fresh::new().parsim("sleep --serial --seconds 0.02").run();
    ran.exits(0).is_quiet();
    insta::assert_snapshot!(redacted(&ran.stdout), @r"
    parsim sleep --serial --seconds N N tasks on N cores

    serial
    ─
    wall N U
    user N U
    sys N U
    CPU total N U
    CPU use N %
    tasks/s N
    preparation N U
    whole command N U
    failed N
    ─
    results N, N, N, N
    to see both ways side by side: parsim sleep --seconds N
    ");
}

#[test]
fn both_ways_stand_side_by_side() {
    let ran = Fresh::new().parsim("sleep --seconds 0.05 --runs 1").run();
    ran.exits(0).is_quiet();
    // What the last line explains depends on what else the machine does.
    let (rest, explained) = ran.stdout.trim_end().rsplit_once('\n').unwrap();
    ran.expect(explained.ends_with('.'), "a sentence at the end");
    insta::assert_snapshot!(redacted(rest), @r"
    parsim sleep --seconds N --runs N N tasks, N at a time on N cores

    serial parallel change
    ─
    wall N U N U
    user N U N U
    sys N U N U
    CPU total N U N U
    CPU use N % N % of N % (N cores)
    tasks/s N N
    preparation N U N U not in wall
    whole command N U N U including start-up
    failed N N
    ─
    speed-up Nx over serial (N run, no test), efficiency N % of N slots
    N of N tasks identical
    lower bound N U: the larger of serial / N and the longest task
    results N, N, N, N
    ");
}

#[test]
fn a_sweep_has_a_column_for_each_width() {
    let ran = Fresh::new().parsim("sleep --seconds 0.05 -j 1,2,4 --runs 1").run();
    ran.exits(0).is_quiet().says("serial").says("-j 1 ").says("-j 2 ").says("-j 4\n");
    ran.says("\nefficiency: speed-up per slot; ").says("\nserial share: the part of the work ");
    for row in ["wall", "speed-up", "efficiency", "serial share", "results 1, 2, 3, 4"] {
        ran.says(row);
    }
}

#[test]
fn a_study_for_a_redirected_stdout_goes_where_stdout_goes() {
    let fresh = Fresh::new();
    fresh.shell("parsim sleep --serial --seconds 0 --export-json /dev/fd/1 >study.json").run().exits(0);
    assert_eq!(parse(fs::read(fresh.path("study.json")).unwrap())["schema"], "parsim-study/2");
}

#[test]
fn a_study_by_whatever_name_of_stdout_is_alone_there() {
    let ran = Fresh::new().parsim("sleep --serial --seconds 0 --export-json /dev/stdout").run();
    ran.exits(0).tells("results 1, 2, 3, 4").expect(ran.stdout.starts_with('{'), "nothing but the study");
    parse(&ran.stdout);
}

#[test]
fn the_line_that_shows_both_ways_can_be_typed_again() {
    let fresh = Fresh::new();
    let line = fresh.parsim("sleep --serial --seconds 0 --prepare").args(["echo 'it is' $PARSIM_WAY >>ways"]);
    let ran = line.run();
    ran.exits(0);
    let hint =
        ran.stdout.lines().find_map(|line| line.strip_prefix("to see both ways side by side: ")).unwrap();
    fresh.shell(&format!("{hint} --runs 1")).run().exits(0).is_quiet();
    assert_eq!(
        fs::read_to_string(fresh.path("ways")).unwrap(),
        "it is serial\nit is serial\nit is parallel\n"
    );
}

#[test]
fn a_rate_counts_what_it_names_also_where_a_file_takes_several_tasks() {
    let ran = Fresh::new().parsim("csv --parallel --rng fast --matrix per-file --files 1 --rows 1100").run();
    ran.exits(0);
    let cell = |label: &str| -> Vec<String> {
        let line = ran.stdout.lines().find(|line| line.trim_start().starts_with(label)).unwrap();
        line.trim_start()[label.len()..].split_whitespace().map(str::to_owned).collect()
    };
    let wall = cell("wall ");
    let unit = match wall[1].as_str() {
        "s" => 1.0,
        "ms" => 1e-3,
        _ => 1e-6,
    };
    let blocks = wall[0].parse::<f64>().unwrap() * unit * cell("blocks/s ")[0].parse::<f64>().unwrap();
    ran.expect((blocks - 9.0).abs() < 0.1, &format!("9 blocks of 131,072 values and not {blocks}"));
}
