//! A row says done only of a job whose output is where it belongs, and a job without
//! a row is done again.

use std::fs;

use crate::support::{Fresh, Ran, Started};

/// Where jobs' output goes, with what tells of it: options, and the file to look at.
const PLACES: [(&str, &str); 6] = [
    ("-k", "out"),
    ("-k --tag", "out"),
    ("-k --line-buffer", "out"),
    ("-k --results t.csv", "t.csv"),
    ("-k --results t.json", "t.json"),
    ("-k --files --tmpdir .", "out"),
];

fn shell(fresh: &Fresh, script: &str) -> Ran {
    fresh.shell(script).env("SHELL", "/bin/sh").run()
}

fn start(fresh: &Fresh, script: &str) -> Started {
    fresh.shell(script).env("SHELL", "/bin/sh").start()
}

/// The exit statuses in the log `l`, by number of job.
fn statuses(fresh: &Fresh) -> Vec<(u32, i32)> {
    let text = fs::read_to_string(fresh.path("l")).unwrap_or_default();
    let row = |line: &str| {
        let columns: Vec<&str> = line.split('\t').collect();
        (columns[0].parse().unwrap(), columns[6].parse().unwrap())
    };
    text.lines().skip(1).map(row).collect()
}

/// The first of four jobs goes on until `go` is there. The fourth, one slot being
/// free for it, shows that another has ended.
const FOUR: &str = "-j3 --joblog l --records r 'echo out{}; : >ran{}; \
                    test {} != 1 || until test -e go; do sleep 0.01; done' ::: 1 2 3 4";

#[test]
fn no_row_is_ahead_of_its_jobs_output_and_rows_come_in_print_order() {
    for (options, _) in PLACES {
        let fresh = Fresh::new();
        let mut started = start(&fresh, &format!("exec parsim parallel {options} {FOUR} >out"));
        started.until("a job has ended", || fresh.path("ran4").exists());
        assert_eq!(statuses(&fresh), [], "{options}");
        assert_eq!(fs::read_to_string(fresh.path("r")).unwrap(), "", "{options}");
        fs::write(fresh.path("go"), "").unwrap();
        started.end().exits(0);
        assert_eq!(statuses(&fresh), [(1, 0), (2, 0), (3, 0), (4, 0)], "{options}");
    }
}

#[test]
fn what_a_killed_run_had_not_handed_on_is_done_again() {
    for (options, place) in PLACES {
        let fresh = Fresh::new();
        let line = format!("parsim parallel {options} --resume {FOUR} >>out");
        let mut started = start(&fresh, &format!("exec {line}"));
        started.until("a job has ended", || fresh.path("ran4").exists());
        started.signal("KILL");
        fs::write(fresh.path("go"), "").unwrap();
        started.end();
        shell(&fresh, &line).exits(0);
        assert_eq!(statuses(&fresh).len(), 4, "{options}");
        let mut shown = fs::read_to_string(fresh.path(place)).unwrap();
        if options.contains("--files") {
            shown = shown.lines().map(|name| fs::read_to_string(fresh.path(name)).unwrap()).collect();
        }
        for job in 1..=4 {
            assert!(shown.contains(&format!("out{job}")), "{options}: {job} of {shown}");
        }
    }
}

#[test]
fn a_job_whose_output_found_no_place_has_failed_and_no_other() {
    for options in ["-k", "-k --tag", "", "--line-buffer", "-k --results -.csv", "-k --files --tmpdir ."] {
        let fresh = Fresh::new();
        // What fails is the writing, whichever job's output waits for another's.
        let line = format!(
            "parsim parallel {options} -j3 --joblog l 'test {{}} = 2 || echo {{}}; : >ran{{}}; \
             test {{}} != 1 || until test -e ran4; do sleep 0.01; done' ::: 1 2 3 4 >/dev/full"
        );
        let ran = shell(&fresh, &line);
        let prints_all = options.contains("--results") || options.contains("--files");
        let failed: Vec<u32> = if prints_all { vec![1, 2, 3, 4] } else { vec![1, 3, 4] };
        ran.exits(failed.len().try_into().unwrap());
        let mut logged = statuses(&fresh);
        logged.sort_unstable();
        let expected: Vec<(u32, i32)> = (1..=4).map(|job| (job, i32::from(failed.contains(&job)))).collect();
        assert_eq!(logged, expected, "{options}");
        for job in failed {
            ran.tells(&format!("job {job} failed: cannot write its output: no space left"));
        }
    }
}

#[test]
fn halting_and_slots_go_by_the_end_of_jobs_and_not_by_their_output() {
    let fresh = Fresh::new();
    // Both others have ended, and fail the batch, while the first still runs.
    let ran = shell(
        &fresh,
        "parsim parallel -k -j3 --halt now,fail=2 --joblog l \
         'test {} != 1 || exec sleep 60; exit {}' ::: 1 2 3 4 5 6",
    );
    ran.exits(2);
    assert!(statuses(&fresh).len() < 6, "{:?}", statuses(&fresh));
}

#[test]
fn a_time_limit_that_follows_the_median_knows_jobs_whose_output_waits() {
    let fresh = Fresh::new();
    // Under -k nothing is handed on before the first job ends, which the limit ends.
    let ran = shell(
        &fresh,
        "parsim parallel -k -j2 --timeout 2000% 'test {} != 1 || exec sleep 60; sleep 0.01' ::: 1 2 3 4 5 6",
    );
    ran.exits(1).tells("timed out");
}

#[test]
fn a_result_without_a_row_is_made_again_where_there_is_a_log() {
    let fresh = Fresh::new();
    let line = "parsim parallel -j1 --joblog l --results r 'echo {} >>ran; exit {}' ::: 0 3 0";
    shell(&fresh, line).exits(1);
    // As a kill between the results and the row would leave it.
    let log = fs::read_to_string(fresh.path("l")).unwrap();
    let kept: Vec<&str> = log.lines().filter(|row| !row.starts_with("2\t")).collect();
    fs::write(fresh.path("l"), kept.join("\n") + "\n").unwrap();
    shell(&fresh, &line.replace("--results", "--resume --results")).exits(1);
    assert_eq!(fs::read_to_string(fresh.path("ran")).unwrap(), "0\n3\n0\n3\n");
    assert_eq!(statuses(&fresh), [(1, 0), (3, 0), (2, 3)]);
}

#[test]
fn what_a_job_left_that_was_killed_in_the_middle_is_no_result() {
    for (end, options) in [("sleep 60", "--timeout 0.3"), ("kill -9 $$; :", "")] {
        for place in ["r", "r_{}/", "r_{}.txt"] {
            let fresh = Fresh::new();
            let line = |options: &str, end: &str| {
                format!(
                    "parsim parallel {options} --results {place} 'echo begun; test {{}} = 1 || {end}; echo ended' ::: 1 2"
                )
            };
            shell(&fresh, &line(options, end)).exits(1);
            shell(&fresh, &line("--resume", "echo again")).exits(0);
            let stdout = match place {
                "r" => "r/1/2/stdout",
                "r_{}/" => "r_2/stdout",
                _ => "r_2.txt",
            };
            let whole = "begun\nagain\nended\n";
            assert_eq!(fs::read_to_string(fresh.path(stdout)).unwrap(), whole, "{end} {place}");
        }
    }
}

#[test]
fn what_a_full_disk_cut_off_is_no_result() {
    for place in ["r", "r_{}/", "r_{}.txt"] {
        let fresh = Fresh::new();
        let line = |options: &str| format!("parsim parallel {options} --results {place} seq ::: 3 30000");
        // As a disk that is full would leave it.
        shell(&fresh, &format!("ulimit -f 64; {}", line(""))).exits(1).tells("job 2 failed");
        shell(&fresh, &line("--resume")).exits(0);
        let stdout = match place {
            "r" => "r/1/30000/stdout",
            "r_{}/" => "r_30000/stdout",
            _ => "r_30000.txt",
        };
        let text = fs::read_to_string(fresh.path(stdout)).unwrap();
        assert!(text.ends_with("\n30000\n"), "{place}: {} bytes", text.len());
    }
}
