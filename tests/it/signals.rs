//! What a signal does to a run: it ends soon, by that signal, and leaves
//! nothing half done behind.

use std::fs;
use std::time::Duration;

use quick_junit::{Report, TestCaseStatus};

use crate::ending::{expect_gone, states};
use crate::support::{Fresh, Ran};

/// The end is to come within half a second; a busy machine gets more.
const SOON: Duration = Duration::from_secs(20);

const SIGNALS: [(&str, i32); 3] = [("INT", libc::SIGINT), ("TERM", libc::SIGTERM), ("HUP", libc::SIGHUP)];

/// Whether the temporary of a file is there, so that it is being written.
fn is_writing(fresh: &Fresh, folder: &str) -> bool {
    fresh.names(folder).iter().any(|name| name.starts_with(".x000000.csv."))
}

const LONG: &str = "csv --rows 100000000 --cols 1 --files 2 --matrix per-file";

#[test]
fn a_signal_ends_a_long_serial_run_by_that_signal_and_leaves_no_file() {
    for (name, number) in SIGNALS {
        let fresh = Fresh::new();
        let mut started = fresh.parsim(&format!("{LONG} --export-json study.json")).start();
        started.until("it writes", || is_writing(&fresh, "data_serial"));
        started.signal(name);
        let ran = started.end_within(SOON);
        ran.ends_by_signal(number);
        ran.tells_one_line("interrupted in the serial run: 0 of 2 tasks had finished");
        assert!(ran.stdout.is_empty());
        assert!(fresh.names("data_serial").is_empty());
        // The study is there all the same, and says where it was cut.
        assert_eq!(fresh.names("."), ["data_serial", "study.json"]);
        let json = fs::read(fresh.path("study.json")).unwrap();
        let study: serde_json::Value = serde_json::from_slice(&json).unwrap();
        assert_eq!(study["cut"]["way"], "serial");
    }
}

#[test]
fn a_signal_ends_a_long_parallel_run_and_all_its_threads() {
    for rng in ["numpy", "fast"] {
        let fresh = Fresh::new();
        let mut started = fresh.parsim(&format!("{LONG} --parallel -j 3 --rng {rng}")).start();
        started.until("it writes", || is_writing(&fresh, "data_parallel"));
        started.signal("TERM");
        let ran = started.end_within(SOON);
        ran.ends_by_signal(libc::SIGTERM).tells_one_line("interrupted in the parallel run: ");
        assert!(fresh.names("data_parallel").is_empty());
    }
}

#[test]
fn whole_files_of_earlier_tasks_stay_when_a_later_one_is_cut_short() {
    let fresh = Fresh::new();
    let line = "csv --serial --rows 2000000 --cols 1 --files 1000 --matrix per-file --export-json -";
    let mut started = fresh.parsim(line).start();
    started.until("a file is whole", || fresh.path("data_serial/x000000.csv").exists());
    started.signal("INT");
    let ran = started.end_within(SOON);
    ran.ends_by_signal(libc::SIGINT);
    let names = fresh.names("data_serial");
    assert!(!names.is_empty() && names.len() < 1000);
    for name in names {
        let text = fs::read_to_string(fresh.path("data_serial").join(&name)).unwrap();
        assert_eq!(text.lines().count(), 2_000_000, "{name}");
    }
    // What goes to stdout goes there after a signal, too.
    let study: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert!(study["cut"]["finished"].as_u64().unwrap() >= 1);
}

#[test]
fn a_signal_wakes_tasks_that_sleep() {
    for way in ["--serial", "--parallel"] {
        let fresh = Fresh::new();
        let line = format!("sleep --seconds 600 {way} --prepare");
        let mut started = fresh.parsim(&format!("{line} >ready")).start();
        started.until("it runs", || fresh.path("ready").exists());
        // Now the tasks are about to sleep; a little later they do.
        std::thread::sleep(Duration::from_millis(50));
        started.signal("INT");
        let ran = started.end_within(SOON);
        ran.ends_by_signal(libc::SIGINT).tells("0 of 4 tasks had finished");
    }
}

#[test]
fn a_second_signal_ends_it_at_once_whatever_it_waits_for() {
    let fresh = Fresh::new();
    let line = fresh.parsim("sleep --seconds 0 --prepare").args(["echo >ready; exec sleep 50"]);
    let mut started = line.start();
    started.until("the command runs", || fresh.path("ready").exists());
    // Two that come together count as one, so there are more than two.
    for _ in 0..1000 {
        if !started.is_running() {
            break;
        }
        started.signal("TERM");
        std::thread::sleep(Duration::from_millis(2));
    }
    started.end_within(SOON).ends_by_signal(libc::SIGTERM);
}

#[test]
fn a_signal_that_the_parent_ignores_stays_ignored() {
    let fresh = Fresh::new();
    let mut started =
        fresh.shell("trap '' HUP; exec parsim sleep --seconds 600 --serial --prepare '>ready'").start();
    started.until("it runs", || fresh.path("ready").exists());
    started.signal("HUP");
    std::thread::sleep(Duration::from_millis(200));
    assert!(started.is_running(), "a signal that nohup had asked to ignore ended it");
    started.signal("TERM");
    started.end_within(SOON).ends_by_signal(libc::SIGTERM);
}

#[test]
fn a_signal_ends_a_command_around_a_run_too() {
    // From a terminal it reaches the command as well, from elsewhere only parsim.
    for to_all in [true, false] {
        let fresh = Fresh::new();
        let line = fresh.parsim("sleep --seconds 0 --prepare").args(["echo >ready; exec sleep 100"]);
        let mut started = line.start();
        started.until("the command runs", || fresh.path("ready").exists());
        if to_all {
            started.signal_all("TERM");
        } else {
            started.signal("TERM");
        }
        started.end_within(SOON).ends_by_signal(libc::SIGTERM);
    }
}

#[test]
fn a_second_signal_need_not_be_the_first_one_again() {
    // The command around the run answers the end that is asked of it with a second signal.
    let answers = "trap '' HUP; trap 'kill -TERM $PPID' TERM; echo >ready; while :; do sleep 100; done";
    let run = || {
        let fresh = Fresh::new();
        let mut started = fresh.parsim("sleep --seconds 0 --prepare").args([answers]).start();
        started.until("the command runs", || fresh.path("ready").exists());
        started.signal("HUP");
        started.end_within(SOON)
    };
    // It has a fifth of a second to do so.
    Ran::at_best(run, |ran| ran.signal() == Some(libc::SIGTERM)).ends_by_signal(libc::SIGTERM);
}

#[test]
fn a_study_of_nothing_does_not_replace_one_of_something() {
    let fresh = Fresh::new();
    fresh.parsim("sleep --seconds 0 --export-json study.json").run().exits(0);
    let before = fs::read(fresh.path("study.json")).unwrap();
    let mut started = fresh
        .parsim("sleep --seconds 600 --serial --export-json study.json --prepare")
        .args([">ready"])
        .start();
    started.until("it runs", || fresh.path("ready").exists());
    started.signal("TERM");
    started.end_within(SOON).ends_by_signal(libc::SIGTERM);
    assert_eq!(fs::read(fresh.path("study.json")).unwrap(), before);
    assert_eq!(fresh.names("."), ["ready", "study.json"]);
}

#[test]
fn ci_is_told_that_an_interrupted_batch_left_some() {
    let fresh = Fresh::new();
    let job = "[ {} = 1 ] && exit 3; [ {} = 2 ] || { >ready; sleep 600; }";
    let line = fresh.parsim("parallel -j1 --export-junit j.xml").args([job, ":::", "1", "2", "3", "4"]);
    let mut started = line.start();
    started.until("it runs", || fresh.path("ready").exists());
    started.signal("TERM");
    started.end_within(SOON).ends_by_signal(libc::SIGTERM);
    let report = Report::deserialize_from_str(&fs::read_to_string(fresh.path("j.xml")).unwrap()).unwrap();
    let [suite] = &report.test_suites[..] else { panic!("{:?}", report.test_suites) };
    let names: Vec<&str> = suite.test_cases.iter().map(|case| case.name.as_str()).collect();
    let done = "1 task that succeeded (no records were kept)";
    assert_eq!(names[1..], [done, "tasks that were not finished"]);
    assert_eq!(suite.failures, 1);
    assert!(matches!(suite.test_cases[2].status, TestCaseStatus::Skipped { .. }));
}

/// Signals that batch systems and terminals send to end something, beside those above;
/// and whether they are a batch's, too.
const OTHERS: [(&str, i32, bool); 9] = [
    ("QUIT", libc::SIGQUIT, true),
    ("ABRT", libc::SIGABRT, true),
    ("ALRM", libc::SIGALRM, true),
    ("XCPU", libc::SIGXCPU, true),
    ("VTALRM", libc::SIGVTALRM, true),
    ("PROF", libc::SIGPROF, true),
    ("USR1", libc::SIGUSR1, false),
    ("USR2", libc::SIGUSR2, false),
    // SIGRTMIN: the first that the C library leaves to programs.
    ("34", 34, true),
];

#[test]
fn every_signal_that_ends_a_process_ends_what_parsim_started_and_then_parsim() {
    let job = "'echo $$ >group; sleep 600; :'";
    let batches = ["parallel", "serial", "parallel -k --joblog log", "parallel -u"];
    let batches = batches.map(|line| (true, format!("{line} --shell /bin/sh {job} ::: a")));
    let others = [
        format!("compare --shell /bin/sh {job} ::: a"),
        format!("sleep --seconds 0 --prepare {job}"),
        format!("csv --rows 1 --cols 1 --cleanup {job}"),
        "sleep --parallel -j 2 --workers processes --seconds 600 --prepare 'echo $PPID >group'".to_owned(),
    ];
    for (name, number, is_of_batches) in OTHERS {
        for (is_batch, line) in batches.iter().cloned().chain(others.clone().map(|line| (false, line))) {
            if is_batch && !is_of_batches {
                continue;
            }
            let fresh = Fresh::new();
            // A dump is not what is looked for here.
            let mut started = fresh.shell(&format!("ulimit -c 0; exec parsim {line}")).start();
            started.until("it runs", || fs::read(fresh.path("group")).is_ok_and(|it| it.ends_with(b"\n")));
            let group = fs::read_to_string(fresh.path("group")).unwrap();
            if line.contains("--workers") {
                started.until("both workers are there", || states(group.trim()).len() == 3);
            }
            started.signal(name);
            let ran = started.end_within(SOON);
            ran.expect(ran.signal() == Some(number), &format!("{line}: an end by {name}"));
            expect_gone(group.trim());
        }
    }
}

#[test]
fn no_signal_leaves_a_file_half_written() {
    for (name, number, _) in OTHERS {
        let fresh = Fresh::new();
        let mut started = fresh.shell(&format!("ulimit -c 0; exec parsim {LONG}")).start();
        started.until("it writes", || is_writing(&fresh, "data_serial"));
        started.signal(name);
        started.end_within(SOON).ends_by_signal(number);
        assert!(fresh.names("data_serial").is_empty(), "{name}: {:?}", fresh.names("data_serial"));
    }
}

#[test]
fn a_study_that_is_drawn_again_leaves_nothing_when_a_signal_comes() {
    for (name, number) in SIGNALS.into_iter().chain([("QUIT", libc::SIGQUIT), ("USR1", libc::SIGUSR1)]) {
        let fresh = Fresh::new();
        fresh.parsim("sleep --seconds 0 --export-json study.json").run().exits(0);
        // Nobody reads there, so that it waits with one file begun.
        fresh.shell("mkfifo pipe").run().exits(0);
        let line = "report study.json --export-json x.json --export-html y.html --export-csv pipe";
        let mut started = fresh.shell(&format!("ulimit -c 0; exec parsim {line}")).start();
        let is_begun = || fresh.names(".").iter().any(|name| name.contains(".tmp"));
        started.until("a file is begun", is_begun);
        started.signal(name);
        started.end_within(SOON).ends_by_signal(number);
        assert_eq!(fresh.names("."), ["pipe", "study.json"], "{name}");
    }
}

#[test]
fn other_signals_that_the_parent_ignores_stay_ignored_by_parsim_and_its_jobs() {
    let fresh = Fresh::new();
    let job = "kill -QUIT $$; kill -ALRM $$; echo >ready; sleep 600; :";
    let line = format!("trap '' QUIT ALRM; exec parsim compare --shell /bin/sh '{job}' ::: a");
    let mut started = fresh.shell(&line).start();
    started.until("its job has sent itself both", || fresh.path("ready").exists());
    started.signal("QUIT");
    started.signal("ALRM");
    std::thread::sleep(Duration::from_millis(200));
    assert!(started.is_running(), "a signal that it was started without ended it");
    started.signal("TERM");
    started.end_within(SOON).ends_by_signal(libc::SIGTERM);
}

#[test]
fn jobs_are_given_the_default_of_signals_that_parsim_catches() {
    for (name, number, _) in OTHERS {
        let fresh = Fresh::new();
        let job = format!("ulimit -c 0; kill -s {name} $$");
        let line = fresh.parsim("parallel --joblog log --shell /bin/sh").args([&job, ":::", "a"]);
        line.run().exits(1);
        let log = fs::read_to_string(fresh.path("log")).unwrap();
        let row: Vec<&str> = log.lines().nth(1).unwrap().split('\t').collect();
        assert_eq!(row[7], number.to_string(), "{name}: {log}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_pipe_that_nobody_opens_at_its_other_end_is_waited_for_until_a_signal_comes() {
    for options in [
        "--joblog pipe echo ::: a",
        "--joblog +pipe echo ::: a",
        "--joblog pipe --resume echo ::: a",
        "--records pipe echo ::: a",
        "--results pipe.csv echo ::: a",
        "-a pipe echo",
        "echo :::: pipe",
        "--header : echo :::: pipe",
        "--export-json pipe echo ::: a",
        "--export-csv x --export-json pipe --joblog l echo ::: a",
        "compare --export-json pipe echo ::: a",
        "sleep --seconds 0 --export-html pipe",
    ] {
        let fresh = Fresh::new();
        fresh.shell("mkfifo pipe pipe.csv").run().exits(0);
        let is_whole = ["compare ", "sleep "].iter().any(|name| options.starts_with(name));
        let line = if is_whole { options.to_owned() } else { format!("parallel {options}") };
        let mut run = fresh.parsim(&line).start();
        let status = format!("/proc/{}/status", run.id());
        // Once the signal is caught it does not end the process by itself.
        run.until("it catches TERM", || {
            let text = fs::read_to_string(&status).unwrap_or_default();
            let caught = text.lines().find_map(|line| line.strip_prefix("SigCgt:\t"));
            caught.is_some_and(|set| u64::from_str_radix(set, 16).unwrap() >> (libc::SIGTERM - 1) & 1 == 1)
        });
        run.signal("TERM");
        run.end_within(SOON).ends_by_signal(libc::SIGTERM);
    }
}

#[test]
fn a_pipe_that_is_opened_late_loses_no_input_and_no_row() {
    let fresh = Fresh::new();
    let line = "mkfifo in log; parsim parallel -k --joblog log echo :::: in & \
                cat log >rows & printf 'a\\nb\\n' >in; wait";
    fresh.shell(line).run().exits(0).says("a\nb");
    assert_eq!(fs::read_to_string(fresh.path("rows")).unwrap().lines().count(), 3);
}
