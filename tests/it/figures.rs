//! Figures that are true, stand once, and are the same wherever they are asked
//! for.

use std::fs;

use serde_json::Value;

use crate::support::Fresh;

fn parsed(fresh: &Fresh, name: &str) -> Value {
    serde_json::from_slice(&fs::read(fresh.path(name)).unwrap()).unwrap()
}

#[test]
fn a_share_of_the_cores_is_the_same_number_of_jobs_for_every_subcommand() {
    let fresh = Fresh::new();
    let subcommands = [
        "parallel OPTIONS true ::: 1 2 3 4 5 6 7 8 9",
        "compare OPTIONS true ::: 1 2 3 4 5 6 7 8 9",
        "parallel OPTIONS --progress=never",
        "sleep --parallel OPTIONS --seconds 0 --tasks 99",
        "csv --parallel OPTIONS --files 99 --rows 1 --cols 1",
    ];
    for subcommand in subcommands {
        for percent in [25, 50, 75, 100, 150] {
            let options = format!("-j {percent}% --export-json study.json");
            let line = subcommand.replace("OPTIONS", &options);
            fresh.parsim(&line).run().exits(0);
            let study = parsed(&fresh, "study.json");
            let usable = study["host"]["usable"].as_u64().unwrap();
            let columns = study["columns"].as_array().unwrap().iter();
            let widths: Vec<u64> = columns
                .filter(|column| column["way"] != "serial")
                .map(|column| column["width"].as_u64().unwrap())
                .collect();
            assert_eq!(widths, [(usable * percent).div_ceil(100).max(1)], "{line}");
        }
    }
}

#[test]
fn what_a_job_was_offered_stands_once_in_its_record_and_as_sent_in_the_log() {
    for (options, job) in
        [("", "cat"), ("", "true"), ("--cat", "cat {}"), ("--fifo", "cat {}"), ("--tee", "cat")]
    {
        let fresh = Fresh::new();
        let values = if options == "--tee" { "::: a" } else { "" };
        let job = if options == "--tee" { format!("{job}; : {{}}") } else { job.to_owned() };
        let script = format!(
            "seq 10 | parsim parallel --pipe {options} --joblog log --records records '{job}' {values} > /dev/null"
        );
        fresh.shell(&script).run().exits(0);
        let text = fs::read_to_string(fresh.path("records")).unwrap();
        let record: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
        assert_eq!(record["input_offered"], 21, "{options} {job}: {text}");
        assert_eq!(text.matches("\"input_offered\"").count(), 1, "{text}");
        let log = fs::read_to_string(fresh.path("log")).unwrap();
        assert_eq!(log.lines().nth(1).unwrap().split('\t').nth(4), Some("21"), "{log}");
    }
}

#[test]
fn what_a_job_read_of_its_input_stands_in_its_record_where_it_was_counted() {
    let fresh = Fresh::new();
    let script = "seq 10 | parsim parallel --pipe --round-robin -j1 --records records OPTIONS > /dev/null";
    for (options, read) in
        [("cat", Some(21)), ("'head -c 5 > /dev/null; sleep 0.1'", Some(5)), ("--cat 'cat {}'", None)]
    {
        fresh.shell(&script.replace("OPTIONS", options)).run();
        let record = parsed(&fresh, "records");
        assert_eq!(record["input_offered"], 21, "{options}: {record}");
        assert_eq!(record["input_read"].as_u64(), read, "{options}: {record}");
    }
}

#[test]
fn cpu_time_of_a_child_is_told_apart_and_adds_up() {
    let fresh = Fresh::new();
    let job = "i=0; while [ $i -lt 50000 ]; do i=$((i+1)); done; : {}";
    fresh.parsim("parallel --records records").args([job, ":::", "1"]).run().exits(0);
    let record = parsed(&fresh, "records");
    let of = |name: &str| record[name].as_f64().unwrap();
    assert!((of("user") + of("sys") - of("cpu")).abs() < 1e-9, "{record}");
    assert!(of("user") > of("sys") && of("user") > 0.005, "it computes: {record}");
}

#[test]
fn a_job_that_is_left_out_for_its_values_is_marked_in_its_record_and_in_the_log() {
    let fresh = Fresh::new();
    fresh
        .parsim("parallel --plus --records records --joblog log")
        .args(["echo {uniq}", ":::", "a", ":::", "a"])
        .run();
    let record = parsed(&fresh, "records");
    assert_eq!(record["skipped"], true, "{record}");
    let log = fs::read_to_string(fresh.path("log")).unwrap();
    assert_eq!(log.lines().nth(1).unwrap().split('\t').nth(6), Some("-2"), "{log}");
}

#[test]
fn a_peak_of_memory_that_is_parsims_own_is_told_as_a_bound() {
    let fresh = Fresh::new();
    let ran = fresh.parsim("parallel --summary=always --records small true ::: 1 2").run();
    ran.exits(0).tells("peak memory of a job: < ");
    for line in fs::read_to_string(fresh.path("small")).unwrap().lines() {
        let record: Value = serde_json::from_str(line).unwrap();
        assert_eq!(record["peak_memory_is_bound"], true, "{record}");
        assert!(record["peak_memory"].as_u64().unwrap() > 0, "{record}");
    }
    // What holds far more than parsim is told as it is: a line is held whole.
    let large = "parsim parallel --summary=always --records large \
        'head -c 80000000 /dev/zero | tr \"\\0\" x | sort; : {}' ::: 1 > /dev/null";
    let ran = fresh.shell(large).run();
    ran.exits(0).expect(!ran.stderr.contains("peak memory of a job: <"), "a figure");
    let record = parsed(&fresh, "large");
    assert!(
        record["peak_memory_is_bound"].is_null() && record["peak_memory"].as_u64() > Some(40 << 20),
        "{record}"
    );
}

#[test]
fn a_file_that_cannot_be_looked_at_is_no_difference_but_an_error_with_its_name() {
    for pattern in ["out1", "out*", "out{}"] {
        let fresh = Fresh::new();
        // A link to itself leads nowhere that could be looked at.
        let job = "if [ $PARSIM_WAY = serial ]; then echo a > out{}; else ln -s out{} out{}; fi";
        let ran = fresh.shell(&format!("parsim compare --outputs '{pattern}' '{job}' ::: 1")).run();
        ran.exits(255).tells("out1").does_not_say("differs");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn compare_puts_down_what_jobs_waited_for_and_where_they_were_pinned() {
    let fresh = Fresh::new();
    let script = "parsim compare -j2 --export-json study.json \
        'exec 9>lock; flock 9; taskset -cp $(taskset -cp $$ | sed \"s/.*: //;s/[,-].*//\") $$ >/dev/null; \
        i=0; while [ $i -lt 30000 ]; do i=$((i+1)); done; sleep 0.3; : {}' ::: 1 2";
    // What counts is where most of the work is done: of that there is enough behind the pin.
    let has_tools = "type flock taskset nproc >&2 && [ \"$(nproc)\" -gt 1 ] && echo yes";
    if fresh.shell(has_tools).run().stdout != "yes\n" {
        return;
    }
    fresh.shell(script).run().exits(0);
    let study = parsed(&fresh, "study.json");
    let counts = |column: usize| study["columns"][column]["runs"][0]["counts"].clone();
    for column in [0, 1] {
        let counts = counts(column);
        assert!(counts["waits"]["clock"].as_f64() > Some(0.0), "{counts}");
        assert_eq!(counts["pinned_to"].as_array().map(Vec::len), Some(1), "{counts}");
        assert!(counts["voluntary_switches"].as_u64() > Some(0), "{counts}");
    }
    assert!(counts(1)["waits"]["lock"].as_f64() > Some(0.0), "{}", counts(1));
    assert!(counts(0)["waits"]["lock"].is_null(), "{}", counts(0));
}

#[test]
fn what_held_starts_up_is_in_the_study_and_in_the_summary() {
    let fresh = Fresh::new();
    let slow = "(for i in 1 2 3; do sleep 0.1; echo $i; done) | parsim parallel --summary=always -j2 true";
    fresh.shell(slow).run().exits(0).tells("slots waited for the next input for ");
    fresh
        .parsim("compare -j3 --delay 0.1 --export-json study.json")
        .args(["true", ":::", "1", "2", "3"])
        .run()
        .exits(0)
        .says("Slots had no task: --delay had the next task wait for ");
    let study = parsed(&fresh, "study.json");
    assert!(study["columns"][1]["runs"][0]["start_waits"]["delay"].as_f64() > Some(0.1), "{study}");
}
