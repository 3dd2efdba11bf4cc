//! A good status means that the work was done: what is told where it was not, or
//! where there was none.

use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::support::{Fresh, Ran};
use crate::terminal::terminal;

/// Far more memory than there is, so that no job starts.
const NEVER: &str = "--memfree 999999G";

fn shell(script: &str) -> Ran {
    Fresh::new().shell(script).run()
}

#[test]
fn a_comparison_without_inputs_is_none() {
    for line in [
        "compare true </dev/null",
        "compare true :::",
        "compare true -a /dev/null",
        "compare -r true ::: ' '",
    ] {
        let ran = shell(&format!("parsim {line} </dev/null"));
        ran.refuses("there are no inputs to compare over");
    }
}

#[test]
fn inputs_from_a_terminal_are_told_of_at_once_and_so_is_what_was_perhaps_meant() {
    for (line, meant) in [
        ("parallel echo a b", "did you forget ':::'?  parsim parallel echo ::: a b"),
        ("serial echo :: a", "did you mean ':::' by '::'?"),
        ("parallel -k", "did you forget a command and ':::'?"),
    ] {
        let fresh = Fresh::new();
        let (stdin, _shown) = terminal();
        let mut started = fresh.parsim(line).stdin(stdin).start();
        started.until_it_tells(meant);
        started.signal("TERM");
        started.end_within(Duration::from_secs(60)).ends_by_signal(libc::SIGTERM).tells("Ctrl-D");
    }
    // Nobody types the inputs of a comparison.
    for (line, meant) in [
        ("compare echo a", "parsim compare echo ::: a"),
        ("compare echo :: a", "parsim compare echo ::: a"),
        ("compare 'sleep 1'", "parsim compare ::: 'sleep 1'"),
    ] {
        let (stdin, _shown) = terminal();
        let ran = Fresh::new().parsim("").args(shell_words::split(line).unwrap()).stdin(stdin).run();
        ran.refuses("there are no inputs to compare over").tells(meant);
    }
    // Somebody who has no inputs is not told how to type them.
    let (stdin, _shown) = terminal();
    Fresh::new().parsim("parallel echo ::: a").stdin(stdin).run().exits(0).is_quiet();
}

#[test]
fn jobs_that_the_time_was_not_enough_for_have_a_status_of_their_own() {
    let of_all = "--max-time 0.1 s was over: 3 of 3 jobs not started";
    for line in [
        format!("parallel {NEVER} --max-time 0.1 true ::: 1 2 3"),
        format!("serial {NEVER} --max-time 0.1 true ::: 1 2 3"),
        format!("parallel {NEVER} --max-time 0.1 --halt now,success=1 true ::: 1 2 3"),
        format!("parallel {NEVER} --max-time 0.1 --halt soon,fail=50% true ::: 1 2 3"),
        format!("parallel {NEVER} --max-time 0.1 --total-jobs 3 true <in"),
    ] {
        let ran = shell(&format!("seq 3 >in; parsim {line}"));
        ran.exits(104).tells_one_line(of_all);
    }
    // Long enough for the first job to be started on a machine that stalls.
    let ran = shell("parsim parallel --delay 1000 --max-time 3 true ::: 1 2 3");
    ran.exits(104).tells_one_line("--max-time 3 s was over: 2 of 3 jobs not started");
}

#[test]
fn what_is_not_known_of_jobs_that_were_not_started_is_not_told() {
    let ran = shell(&format!("seq 3 | parsim parallel {NEVER} --max-time 0.1 true"));
    ran.exits(104).tells_one_line("--max-time 0.1 s was over: 0 jobs were started, and there were more");
    // Somebody has the pipe open to the end.
    let ran = shell("mkfifo f; exec 3<>f; echo 1 >&3; parsim parallel --max-time 3 true <f");
    ran.exits(104).tells_one_line("--max-time 3 s was over before the input had ended: 1 job was started");
}

#[test]
fn failures_weigh_more_than_the_time_and_halt_keeps_its_status() {
    let ran = shell("parsim parallel --delay 1000 --max-time 3 false ::: 1 2");
    ran.exits(1).tells("--max-time 3 s was over: 1 of 2 jobs not started");
    let ran = shell("parsim parallel -j1 --max-time 1000 --halt now,success=1 true ::: 1 2");
    ran.exits(0).tells("stopped early: 1 of 2 jobs done, 1 not started");
    let ran = shell("parsim parallel -j1 --max-time 1000 --halt now,fail=1 'exit 7 #' ::: 1 2");
    ran.exits(7).tells("stopped early: 0 of 2 jobs done, 1 failed, 1 not started");
    shell("parsim parallel --max-time 1000 true ::: 1 2").exits(0).is_quiet();
}

#[test]
fn a_gate_that_is_not_decided_is_told_with_the_interval() {
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/report/sweep.json");
    let fresh = Fresh::new();
    fs::copy(kept, fresh.path("sweep.json")).unwrap();
    let report = |gate: &str| fresh.parsim(&format!("report sweep.json {gate}")).run();
    report("--min-speedup 1").exits(0).is_quiet();
    let reached = report("--min-speedup 99");
    reached.exits(103);
    // `the speed-up is 3.06x (2.99-3.11), and ...`
    let (_, interval) = reached.stderr.split_once(" (").unwrap();
    let (interval, _) = interval.split_once(')').unwrap();
    let (low, high) = interval.split_once('-').unwrap();
    let within = f64::midpoint(low.parse().unwrap(), high.parse().unwrap());
    let ran = report(&format!("--min-speedup {within}"));
    ran.exits(0).tells_one_line(&format!("parsim: note: --min-speedup {within} not decided: "));
    ran.tells(&format!(" ({interval}); the smallest difference these runs can find is "));
    ran.tells("; use more --runs");
}

#[test]
fn a_run_that_has_nothing_left_to_do_says_so() {
    let fresh = Fresh::new();
    let run = |line: &str| fresh.shell(&format!("parsim parallel {line}")).run();
    run("--joblog l echo ::: a b").exits(0).is_quiet();
    let ran = run("--resume --joblog l echo ::: a b");
    ran.exits(0).tells_one_line("--resume: nothing to do: all 2 jobs are in the job log");
    let ran = run("--resume-failed --joblog l echo ::: a");
    ran.exits(0).tells_one_line("--resume-failed: nothing to do: the job is in the job log");
    let ran = run("--retry-failed --joblog l");
    ran.exits(0).tells_one_line("--retry-failed: nothing to do: no job failed, says l");
    run("--results r echo ::: a b").exits(0);
    let ran = run("--resume --results r echo ::: a b");
    ran.exits(0).tells_one_line("--resume: nothing to do: all 2 jobs are among the results");
    // What has no inputs is no batch that was done; what has a job left says nothing.
    run("--resume --joblog l echo :::").exits(0).is_quiet();
    run("--resume --joblog l echo ::: a b c").exits(0).is_quiet();
}

#[test]
fn jobs_that_are_skipped_by_number_are_named_with_the_reason() {
    let fresh = Fresh::new();
    let run = |line: &str| fresh.shell(&format!("parsim parallel -k {line}")).run();
    run("--joblog l true ::: a b").exits(0);
    let ran = run("--resume --joblog +l echo ::: a b c");
    let why = "no command of this batch is in the job log: skipping jobs 1-2 by number, as GNU parallel does";
    ran.exits(0).tells_one_line(why).expect(ran.stdout == "c\n", "the third job alone");
    let ran = run("--resume --joblog l echo {%} ::: a b c d");
    ran.exits(0).tells_one_line("commands with {%} in them are not the same in each run: skipping jobs 1-3");
}

#[test]
fn a_failure_is_told_with_all_ways_it_happened_in_and_the_run() {
    let fresh = Fresh::new();
    let compare = |line: &str| fresh.shell(&format!("parsim compare -j2 --export-json s.json {line}")).run();
    compare("'exit {}' ::: 0 3").exits(1).says("failed: exit 3: exit status 3 (serial and parallel)");
    compare("'[ $PARSIM_WAY = serial ] || exit {}' ::: 3").exits(1).says(": exit status 3 (parallel)");
    let job = "[ -e {way} ] && exit 4; >{way}; exit 0; #";
    let ran = compare(&format!("--runs 2 '{job}' ::: a"));
    ran.exits(1).says("exit status 4 (parallel run 2 and serial run 2)");
    // A study that was saved says it again.
    fresh.parsim("report s.json").run().says("(parallel run 2 and serial run 2)");
}

#[test]
fn blocks_that_share_a_place_for_their_results_are_told_of_and_nothing_goes_on_from_there() {
    let fresh = Fresh::new();
    let line =
        |options: &str| fresh.shell(&format!("seq 4 | parsim parallel --pipe -N2 {options} cat")).run();
    line("--results r").exits(0).tells_one_line("only the last stay: use --results 'r/{#}/'");
    line("--results r --resume").exits(255).tells_one_line("use --results 'r/{#}/'");
    line("--results 'r/{#}/'").exits(0).is_quiet();
    line("--results 'r/{#}/' --resume").exits(0).tells_one_line("nothing to do");
    assert_eq!(fs::read_to_string(fresh.path("r/1/stdout")).unwrap(), "1\n2\n");
    line("--results s --joblog l --resume").exits(0).tells_one_line("only the last stay");
}
