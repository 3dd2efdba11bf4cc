//! How a batch of commands ends: signals, time limits, readers that go away,
//! and what is scarce.

use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::support::{Fresh, Ran};
use crate::terminal::terminal_of;

/// The end is to come soon; a busy machine gets more.
const SOON: Duration = Duration::from_secs(20);

/// The process group that a job wrote its number to `name` of.
fn group(fresh: &Fresh, name: &str) -> String {
    fs::read_to_string(fresh.path(name)).unwrap().trim().to_owned()
}

/// The states of all processes of a group, zombies excepted.
pub(crate) fn states(group: &str) -> Vec<String> {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let lines = entries.filter_map(|entry| fs::read_to_string(entry.path().join("stat")).ok());
    let living = lines.filter_map(|line| {
        let mut fields = line.rsplit_once(") ")?.1.split(' ').map(str::to_owned);
        let (state, of) = (fields.next()?, fields.nth(1)?);
        (of == group && state != "Z").then_some(state)
    });
    living.collect()
}

/// Waits until nobody is left of a group: who was killed needs a moment of a core to die.
#[track_caller]
pub(crate) fn expect_gone(group: &str) {
    let began = std::time::Instant::now();
    while !states(group).is_empty() {
        assert!(began.elapsed() < SOON, "group {group} has processes {:?}", states(group));
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn is_written(path: &Path) -> bool {
    fs::read(path).is_ok_and(|bytes| bytes.ends_with(b"\n"))
}

/// A job that says what its group is, leaves a child, and ignores TERM and INT.
const STUBBORN: &str = "trap '' TERM INT; sleep 600 & echo $$ >group{#}; sleep 600; sleep 600";

#[test]
fn one_signal_ends_the_jobs_by_their_kill_sequence_and_leaves_nobody() {
    for (name, number) in [("INT", libc::SIGINT), ("TERM", libc::SIGTERM)] {
        let fresh = Fresh::new();
        let line = fresh.parsim("parallel -j2").args(["--shell", "/bin/sh", STUBBORN, ":::", "1", "2"]);
        let mut started = line.start();
        started.until("both run", || ["group1", "group2"].iter().all(|name| is_written(&fresh.path(name))));
        started.signal(name);
        started.end_within(SOON).ends_by_signal(number).tells_one_line(
            "interrupted: 0 of 2 jobs done, 2 killed; --joblog and --resume would go on from here",
        );
        for name in ["group1", "group2"] {
            expect_gone(&group(&fresh, name));
        }
    }
}

#[test]
fn an_interrupted_batch_says_how_far_it_came_and_how_to_go_on() {
    let fresh = Fresh::new();
    let job = "[ {} = 1 ] || { echo >started{}; sleep 600; }";
    let line = fresh.parsim("parallel -j2 --shell /bin/sh --joblog").args(["my log", job]);
    let mut started = line.args([":::", "1", "2", "3", "4"]).start();
    let run = ["started2", "started3"];
    started.until("two run", || run.iter().all(|name| is_written(&fresh.path(name))));
    // The first job's row is written once it has freed its slot.
    started.until("the first is logged", || {
        fs::read(fresh.path("my log"))
            .is_ok_and(|log| log.ends_with(b"= 1 ] || { echo >started1; sleep 600; }\n"))
    });
    started.signal("INT");
    let told =
        "interrupted: 1 of 4 jobs done, 2 killed, 1 not started; go on with --joblog 'my log' --resume";
    started.end_within(SOON).ends_by_signal(libc::SIGINT).tells_one_line(told);
}

#[test]
fn a_second_signal_kills_at_once_however_long_the_kill_sequence_is() {
    let fresh = Fresh::new();
    let line = fresh.parsim("parallel -j2 --term-seq TERM,600000,KILL,25 --shell /bin/sh");
    let job = "trap ': >got' TERM; trap '' INT; echo $$ >group{#}; while :; do sleep 600 & wait; done";
    let mut started = line.args([job, ":::", "1"]).start();
    started.until("it runs", || is_written(&fresh.path("group1")));
    started.signal("TERM");
    // Two that come together would be one.
    started.until("the job has got its first signal", || fresh.path("got").exists());
    assert!(started.is_running(), "the first signal left the kill sequence its time");
    started.signal("INT");
    started.end_within(SOON).ends_by_signal(libc::SIGINT);
    expect_gone(&group(&fresh, "group1"));
}

#[test]
fn a_second_signal_of_any_kind_kills_at_once() {
    for (first, second, number) in
        [("QUIT", "QUIT", libc::SIGQUIT), ("TERM", "XCPU", libc::SIGXCPU), ("ALRM", "INT", libc::SIGINT)]
    {
        let fresh = Fresh::new();
        let job = "trap ': >got' TERM; trap '' INT; echo $$ >group{#}; while :; do sleep 0.1; done";
        let line = format!(
            "ulimit -c 0; exec parsim parallel --term-seq TERM,600000,KILL,25 --shell /bin/sh \"{}\" ::: 1",
            job.replace('$', "\\$")
        );
        let mut started = fresh.shell(&line).start();
        started.until("it runs", || is_written(&fresh.path("group1")));
        started.signal(first);
        started.until("the job has got its first signal", || fresh.path("got").exists());
        assert!(started.is_running(), "the first signal left the kill sequence its time");
        started.signal(second);
        started.end_within(SOON).ends_by_signal(number);
        expect_gone(&group(&fresh, "group1"));
    }
}

#[test]
fn a_hangup_lets_the_running_jobs_finish_and_says_what_was_left() {
    let fresh = Fresh::new();
    let job = "echo >began{#}; until [ -e go ]; do sleep 0.01; done; echo {}; exit {}";
    let line = fresh.parsim("parallel -j1 --shell /bin/sh");
    let mut started = line.args([job, ":::", "0", "1", "2", "3"]).start();
    started.until("it runs", || is_written(&fresh.path("began1")));
    started.signal("HUP");
    started.until_it_tells("parsim: HUP: no more jobs are started");
    fs::write(fresh.path("go"), "").unwrap();
    let ran = started.end_within(SOON);
    let told =
        "stopped early: 1 of 4 jobs done, 3 not started; --joblog and --resume would go on from here\n";
    ran.exits(0).tells(told);
    ran.expect(ran.stdout == "0\n", "the job that ran, to its end");
}

#[test]
fn a_job_list_comes_on_demand_with_slot_and_command() {
    let fresh = Fresh::new();
    let job = "echo >began{#}; until [ -e go ]; do sleep 0.01; done # {}";
    let mut started = fresh.parsim("parallel -j2 --shell /bin/sh").args([job, ":::", "one", "two"]).start();
    started.until("both run", || ["began1", "began2"].iter().all(|name| is_written(&fresh.path(name))));
    started.signal("USR1");
    for text in ["0/2 done, 2 running", "parsim: slot 1, ", "# one\n", "# two\n"] {
        started.until_it_tells(text);
    }
    fs::write(fresh.path("go"), "").unwrap();
    started.end_within(SOON).exits(0);
}

#[test]
fn a_stop_stops_the_jobs_and_their_time_limit_until_they_continue() {
    let fresh = Fresh::new();
    let job = "echo $$ >group1; until [ -e go ]; do sleep 0.01; done; echo done";
    let mut started = fresh.parsim("parallel --timeout 3 --shell /bin/sh").args([job, ":::", "1"]).start();
    started.until("it runs", || is_written(&fresh.path("group1")));
    started.signal("TSTP");
    let id = started.id().to_string();
    // A shell whose child was stopped before its exec waits for it in state D.
    let is_stopped = |of: &str| {
        let states = states(of);
        !states.is_empty() && states.iter().all(|state| state == "T" || state == "D")
    };
    let job_group = group(&fresh, "group1");
    started.until("both are stopped", || is_stopped(&id) && is_stopped(&job_group));
    // Longer than the limit.
    std::thread::sleep(Duration::from_millis(3500));
    fs::write(fresh.path("go"), "").unwrap();
    started.signal("CONT");
    let ran = started.end_within(SOON);
    ran.exits(0).says("done 1\n").is_quiet();
}

#[test]
fn a_time_limit_leaves_no_member_of_the_group() {
    let fresh = Fresh::new();
    let line = fresh.parsim("parallel --timeout 2 --shell /bin/sh");
    line.args([STUBBORN, ":::", "1"]).run().exits(1).tells("job 1 failed: timed out");
    expect_gone(&group(&fresh, "group1"));
}

#[test]
fn a_job_that_starts_a_daemon_does_not_hang_the_run() {
    for order in ["--group", "-k", "--line-buffer", "-u"] {
        let fresh = Fresh::new();
        let line = fresh.parsim(&format!("parallel {order} --shell /bin/sh"));
        // It keeps the job's pipes open; its number is for the end of this test.
        let job = "sleep 60 & echo $! >daemon; echo {}";
        let mut started = line.args([job, ":::", "1"]).start();
        started.until("the daemon runs", || is_written(&fresh.path("daemon")));
        let daemon = group(&fresh, "daemon");
        let ended = std::time::Instant::now();
        while started.is_running() {
            assert!(ended.elapsed() < SOON, "{order}: it waits for the daemon");
            std::thread::sleep(Duration::from_millis(1));
        }
        let left = Path::new("/proc").join(&daemon).exists();
        fresh.shell(&format!("kill {daemon}")).run();
        assert!(left, "{order}: the daemon was killed");
        started.end().exits(0).says("1\n");
    }
}

#[test]
fn a_reader_that_goes_away_ends_the_batch_quietly_in_every_order() {
    for order in ["--group", "-k", "--line-buffer", "-u", "--tag", "-k --tag"] {
        let fresh = Fresh::new();
        let script = format!(
            "{{ yes | parsim parallel {order} --shell /bin/sh echo; echo $? >status; }} 2>err | head -n 1 >out; \
             cat status err"
        );
        let ran = fresh.shell(&script).run();
        ran.exits(0).expect(ran.stdout == "141\n", &format!("{order}: an end by SIGPIPE and not a word"));
    }
}

#[test]
fn output_that_finds_no_place_on_disk_waits_and_none_is_lost() {
    for order in ["--group", "-k", "-k --tag"] {
        let fresh = Fresh::new();
        // Files are not to be written at all: the first byte that memory does not take is one too many.
        let script = format!(
            "ulimit -f 0; parsim parallel -j3 {order} --shell /bin/sh \
             'head -c 10000000 /dev/zero | tr \"\\0\" {{}}' ::: a b c d e | tr -d '\\n\\t' | wc -c"
        );
        // Whether anybody has to wait depends on who writes first.
        let message = "cannot put output aside in TMPDIR";
        let ran = Ran::at_best(
            || fresh.shell(&script).run(),
            |ran| order != "--group" || ran.stderr.contains(message),
        );
        let tags = if order.contains("--tag") { 5 } else { 0 };
        ran.exits(0).expect(ran.stdout.trim() == (50_000_000 + tags).to_string(), "every byte");
        if order == "--group" {
            ran.tells(message);
        }
    }
}

#[test]
fn fewer_jobs_run_at_a_time_than_there_are_descriptors_for() {
    let fresh = Fresh::new();
    let script = "ulimit -n 64; seq 100 | parsim parallel -j64 -k --shell /bin/sh 'sleep 0.01; echo' | wc -l";
    let ran = fresh.shell(script).run();
    ran.exits(0).expect(ran.stdout.trim() == "100", "every job");
    ran.tells_one_line("at a time, not 64: there are no descriptors for more");
}

#[test]
fn a_missing_shell_is_named() {
    let fresh = Fresh::new();
    let line = fresh.parsim("parallel --shell /no/such/shell").args(["echo {} | cat", ":::", "1"]);
    line.run().exits(255).tells_one_line("the shell /no/such/shell");
}

#[test]
fn what_failed_can_be_run_again_by_the_line_that_is_told() {
    let fresh = Fresh::new();
    let job = "[ -e ok ] || exit {}; echo {}";
    let ran = fresh.parsim("parallel --joblog my.log").args([job, ":::", "0", "1", "2"]).run();
    let told = "parsim: rerun the failed: parsim parallel --joblog my.log --retry-failed\n";
    ran.exits(2).tells(told).tells("job 3 failed");
    let rerun = ran.stderr.rsplit("the failed: ").next().unwrap().to_owned();
    fs::write(fresh.path("ok"), "").unwrap();
    let ran = fresh.shell(&rerun).run();
    ran.exits(0).is_quiet();
    ran.expect(ran.stdout.lines().count() == 2, "those that had failed");
    // All that failed are in the log, of which twenty are named.
    let ran = fresh.shell("seq 30 | parsim serial -n1 --joblog 'my log' 'exit 1 #'").run();
    ran.exits(30)
        .tells("10 more jobs failed; all 30 are in 'my log', with an Exitval or Signal other than 0\n");
    ran.tells("rerun the failed: parsim serial --joblog 'my log' --retry-failed\n");
    let ran = fresh.shell("seq 30 | parsim serial --records r --shell /bin/sh 'exit 1 #'").run();
    ran.tells("10 more jobs failed; all 30 are in r\n");
    // What reads blocks has no command of its own, and one job alone is all there is to run.
    let ran = fresh.shell("echo a | parsim parallel --pipe -N1 --joblog l 'cat; exit 1'").run();
    ran.exits(1).tells_one_line("job 1 failed");
    let ran = fresh.shell("seq 2 | parsim parallel --pipe -N1 --joblog l 'cat >/dev/null; exit 1'").run();
    ran.exits(2).tells("rerun the failed: the same command again with --joblog l --resume-failed\n");
    let ran = fresh.shell("seq 2 | parsim parallel --pipe -N1 --round-robin -j2 'cat; exit 1'").run();
    ran.exits(2).expect(!ran.stderr.contains("rerun"), "no way to read it again");
}

#[test]
fn jobs_that_options_say_how_to_run_are_run_again_by_the_same_command() {
    let fresh = Fresh::new();
    fs::create_dir(fresh.path("there")).unwrap();
    for options in ["--wd there", "--shell /bin/sh", "-j1", "--timeout 60", "--env HOME", "-k"] {
        let line = |more: &str| {
            let line = fresh.parsim(&format!("parallel {options} --joblog l {more}"));
            line.args(["false", ":::", "0", "1"]).run()
        };
        let told = "parsim: rerun the failed: the same command again";
        for more in ["", "--resume-failed"] {
            line(more).exits(2).tells(&format!("{told} with --joblog l --resume-failed\n"));
        }
        line("--retry-failed").exits(2).tells(&format!("{told}\n"));
        fs::remove_file(fresh.path("l")).unwrap();
    }
}

#[test]
fn a_command_to_copy_is_never_broken() {
    let fresh = Fresh::new();
    let log = format!("{}.log", "long".repeat(12));
    let (stderr, shown) = terminal_of(40);
    let line = fresh.parsim(&format!("parallel --joblog {log} false")).args([":::", "1", "2"]);
    line.env("TERM", "xterm").stderr(stderr).run().exits(2);
    let shown = shown.join().unwrap();
    let whole =
        format!("parsim: rerun the failed:\r\n        parsim parallel --joblog {log} --retry-failed\r\n");
    assert!(shown.contains(&whole), "{shown:?}");
    let (stderr, shown) = terminal_of(40);
    let line = fresh.parsim(&format!("parallel --joblog {log} -j1 --halt now,fail=1 false ::: 1 2"));
    line.stderr(stderr).run().exits(1);
    let shown = shown.join().unwrap();
    let whole = format!("with\r\n        --joblog {log} --resume-failed\r\n");
    assert!(shown.contains(&whole), "{shown:?}");
    let (stderr, shown) = terminal_of(40);
    fresh.parsim("-j2 sleep 0.1 0.2 0.3 0.4 ::: 1 2 3").stderr(stderr).run().exits(255);
    let shown = shown.join().unwrap();
    assert!(shown.contains("parsim parallel -j2 sleep 0.1 0.2 0.3 0.4 ::: 1 2 3?\r\n"), "{shown:?}");
    let (stdout, shown) = terminal_of(40);
    let line = "sleep --tasks 1 --seconds 0 --export-json a-name-of-some-length.json";
    fresh.parsim(&format!("{line} --serial")).env("TERM", "xterm").stdout(stdout).run().exits(0);
    let shown = shown.join().unwrap();
    let whole = format!("side by side:\r\n  parsim {line}");
    assert!(shown.contains(&whole), "{shown:?}");
}

#[test]
fn a_batch_that_is_halted_counts_what_became_of_its_jobs() {
    let fresh = Fresh::new();
    let halted = |options: &str| {
        let line = fresh.parsim(&format!("parallel -j2 {options} --shell /bin/sh"));
        line.args([
            "[ {} = 1 ] || { : >began; exec sleep 60; }; until [ -e began ]; do :; done; exit 3",
            ":::",
            "1",
            "2",
            "3",
        ])
    };
    let told = "stopped early: 0 of 3 jobs done, 1 failed, 1 killed, 1 not started; ";
    halted("--halt now,fail=1")
        .run()
        .tells(&format!("{told}--joblog and --resume-failed would go on from here\n"));
    fs::remove_file(fresh.path("began")).unwrap();
    halted("--halt now,fail=1 --joblog l")
        .run()
        .tells(&format!("{told}go on with --joblog l --resume-failed\n"));
    // Who wanted no more has what was wanted.
    let ran = fresh.parsim("parallel -j1 --halt now,success=1 true ::: 1 2").run();
    ran.exits(0).tells_one_line("stopped early: 1 of 2 jobs done, 1 not started");
    ran.expect(!ran.stderr.contains("--resume"), "no way to go on");
    // Who was stopped before that has not.
    let job = ": >runs; until [ -e go ]; do sleep 0.01; done; false";
    let line = fresh.parsim("parallel -j1 --halt soon,success=1 --joblog h").args([job, ":::", "1", "2"]);
    let mut started = line.start();
    started.until("it runs", || fresh.path("runs").exists());
    started.signal("HUP");
    started.until_it_tells("HUP: no more jobs are started");
    fs::write(fresh.path("go"), "").unwrap();
    started.end().exits(1).tells("go on with --joblog h --resume-failed\n");
}

#[test]
fn at_most_twenty_failed_jobs_are_named_and_the_rest_counted() {
    let ran = Fresh::new().shell("seq 30 | parsim serial --shell /bin/sh 'exit 1 #'").run();
    ran.exits(30)
        .tells("job 20 failed")
        .tells("parsim: 10 more jobs failed; --joblog FILE would list all of them\n");
    ran.tells("parsim: with --joblog FILE you can rerun only the failed jobs\n");
    ran.expect(ran.stderr.lines().count() == 22, "22 lines");
}
