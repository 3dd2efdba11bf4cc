//! Jobs by way of a run directory, with workers that are processes of this machine:
//! results, kills at every place, going on, leaving; and what is refused.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::support::{Fresh, Line, Ran, Started};

/// Two workers with two slots each, which are soon taken for dead.
pub(crate) fn parallel(fresh: &Fresh, options: &str) -> Line {
    let line = format!("parallel --workers local-dir --nodes 2 -j2 {options}");
    fresh.parsim(&line).env("PARSIM_LEASE", "2")
}

/// Jobs that note each execution, last, and say their number.
const NOTED: &str = "echo {} >>side; sleep 0.1; echo r{}";

fn jobs(count: u32) -> Vec<String> {
    let inputs = (1..=count).map(|number| number.to_string());
    [NOTED.to_owned(), ":::".to_owned()].into_iter().chain(inputs).collect()
}

fn results(count: u32) -> String {
    (1..=count).map(|number| format!("r{number}\n")).collect()
}

pub(crate) fn executions(fresh: &Fresh) -> usize {
    fs::read_to_string(fresh.path("side")).unwrap_or_default().lines().count()
}

/// The workers on the run directory `run`, as the system knows them, without the guards
/// that each of them starts.
pub(crate) fn workers(fresh: &Fresh) -> Vec<u32> {
    let run = fresh.path("run").canonicalize().unwrap_or_default();
    let is_worker = |pid: &u32| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let words: Vec<&[u8]> = line.split(|byte| *byte == 0).collect();
        words.get(1) == Some(&&b"worker"[..]) && words.contains(&run.as_os_str().as_encoded_bytes())
    };
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let numbers = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let all: Vec<u32> = numbers.filter(is_worker).collect();
    let is_guard = |pid: &u32| parent(*pid).is_some_and(|parent| all.contains(&parent));
    all.iter().copied().filter(|pid| !is_guard(pid)).collect()
}

pub(crate) fn parent(pid: u32) -> Option<u32> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    text.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

/// Waits until no worker is left, nor what looks after its jobs.
pub(crate) fn until_none_is_left(fresh: &Fresh) {
    while !workers(fresh).is_empty() {
        std::thread::yield_now();
    }
}

#[expect(unsafe_code, reason = "std cannot send signals")]
pub(crate) fn kill(pid: u32) {
    // SAFETY: two numbers; the process was started for this test.
    unsafe { libc::kill(pid.try_into().unwrap(), libc::SIGKILL) };
}

/// Waits until so many lines of output are there.
fn until_shown(started: &mut Started, out: &Path, lines: usize) {
    let shown = || fs::read_to_string(out).is_ok_and(|text| text.lines().count() >= lines);
    started.until("some results are shown", shown);
}

/// Starts a batch of 40 whose output goes to `out`, and waits until some of it is there.
fn under_way(fresh: &Fresh, options: &str) -> Started {
    let out = fs::File::create(fresh.path("out")).unwrap();
    let line = parallel(fresh, &format!("-k --run-dir run {options}")).args(jobs(40));
    let mut started = line.stdout(out).start();
    until_shown(&mut started, &fresh.path("out"), 4);
    started
}

fn shown(fresh: &Fresh, rest: &Ran) -> String {
    fs::read_to_string(fresh.path("out")).unwrap() + &rest.stdout
}

#[test]
fn results_are_those_of_threads_in_order_and_the_directory_is_gone() {
    let fresh = Fresh::new();
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    let host = host.trim();
    parallel(&fresh, "-k --joblog log")
        .args(["echo {} on $PARSIM_NODE; exit {}", ":::", "0", "3", "0"])
        .run()
        .exits(1)
        .says(&["0", "3", "0"].map(|status| format!("{status} on {host}\n")).concat());
    let log = fs::read_to_string(fresh.path("log")).unwrap();
    assert!(log.lines().skip(1).all(|row| row.split('\t').nth(1) == Some(host)), "{log}");
    assert_eq!(log.lines().count(), 4);
    assert_eq!(fresh.names("."), ["log"]);
}

#[test]
fn long_output_odd_values_and_blocks_arrive_byte_for_byte() {
    let fresh = Fresh::new();
    let long = "head -c 1500000 /dev/zero | tr '\\0' {}; echo err{} >&2";
    let expected = ["a", "b"].map(|letter| letter.repeat(1_500_000)).concat();
    let ran = parallel(&fresh, "-k").args([long, ":::", "a", "b"]).run();
    // A worker that is slow may be told of in between.
    ran.exits(0).says(&expected).tells("erra\n").tells("errb\n");
    parallel(&fresh, "-k")
        .args(["printf", "%s,", ":::", "a  b", "c'd", "\u{e9}"])
        .run()
        .says("a  b,c'd,\u{e9},");
    let text: String = (0..5000).map(|number| format!("{number}\n")).collect();
    fs::write(fresh.path("in"), &text).unwrap();
    let input = fs::File::open(fresh.path("in")).unwrap();
    parallel(&fresh, "-k --pipe --block 4k cat").stdin(input).run().exits(0).says(&text);
}

#[test]
fn jobs_are_tried_again_and_the_batch_is_halted_as_elsewhere() {
    let fresh = Fresh::new();
    let third = "echo t >>try{}; [ $(wc -l <try{}) -ge 3 ]";
    parallel(&fresh, "--retries 3").args([third, ":::", "a", "b"]).run().exits(0);
    let line =
        parallel(&fresh, "--halt now,fail=1").args(["[ {} = 1 ] && exit 7; sleep 600", ":::", "1", "2", "3"]);
    line.run().exits(7);
    assert_eq!(fresh.names("."), ["trya", "tryb"]);
}

#[test]
fn inputs_that_come_late_are_done_as_they_come() {
    let fresh = Fresh::new();
    let first = fresh.path("first");
    let line = parallel(&fresh, "-k").args(["touch first; echo in{} >>got"]);
    line.run_fed("1\n", || first.exists(), "2\n3\n");
    let mut got: Vec<String> =
        fs::read_to_string(fresh.path("got")).unwrap().lines().map(str::to_owned).collect();
    got.sort();
    assert_eq!(got, ["in1", "in2", "in3"]);
}

#[test]
fn a_worker_that_is_killed_costs_its_slots_at_most() {
    let fresh = Fresh::new();
    let started = under_way(&fresh, "");
    kill(workers(&fresh)[0]);
    started.end().exits(0);
    assert_eq!(fs::read_to_string(fresh.path("out")).unwrap(), results(40));
    assert!((40..=42).contains(&executions(&fresh)), "{}", executions(&fresh));
    until_none_is_left(&fresh);
}

#[test]
fn where_all_workers_are_killed_others_are_started() {
    let fresh = Fresh::new();
    let started = under_way(&fresh, "");
    workers(&fresh).into_iter().for_each(kill);
    started.end().exits(0).tells("all workers have ended and");
    assert_eq!(fs::read_to_string(fresh.path("out")).unwrap(), results(40));
    assert!((40..=44).contains(&executions(&fresh)), "{}", executions(&fresh));
}

#[test]
fn a_client_that_is_killed_loses_nothing() {
    let fresh = Fresh::new();
    let started = under_way(&fresh, "");
    kill(started.id());
    started.end();
    assert!(!workers(&fresh).is_empty());
    let rest = fresh.parsim("resume run").run();
    rest.exits(0);
    assert_eq!(shown(&fresh, &rest), results(40));
    assert_eq!(executions(&fresh), 40);
}

#[test]
fn an_interrupted_run_says_how_to_go_on_and_goes_on() {
    let fresh = Fresh::new();
    let started = under_way(&fresh, "--joblog log");
    started.signal("INT");
    let ran = started.end();
    ran.ends_by_signal(libc::SIGINT).tells("go on with: parsim resume");
    until_none_is_left(&fresh);
    let made = || fs::metadata(fresh.path("run/stop/0")).unwrap().modified().unwrap();
    let before = made();
    let rest = fresh.parsim("resume run").run();
    rest.exits(0);
    assert_eq!(shown(&fresh, &rest), results(40));
    assert!((40..=44).contains(&executions(&fresh)), "{}", executions(&fresh));
    // Other machines could see for a minute longer what somebody took away.
    assert_eq!(made(), before);
    let log = fs::read_to_string(fresh.path("log")).unwrap();
    assert_eq!(log.lines().count(), 41, "{log}");
    // All of it once more.
    fresh.parsim("resume --from-start run").run().exits(0).says(&results(40));
}

#[test]
fn workers_that_are_left_to_themselves_do_all_and_results_are_fetched_later() {
    let fresh = Fresh::new();
    let ran = parallel(&fresh, "-k --detach --run-dir run").args(jobs(6)).run();
    ran.exits(0).says("").tells("parsim resume");
    fresh.parsim("status run").run().exits(0).tells("");
    fresh.parsim("resume run").run().exits(0).says(&results(6));
    let status = fresh.parsim("status run").run();
    let text = status.stdout.clone();
    status.expect(text.contains("6 of 6 done, 0 failed, 6 shown"), "all are done");
    fresh.parsim("resume run").run().exits(0).says("");
}

#[test]
fn a_run_that_is_cancelled_ends_and_can_be_resumed() {
    let fresh = Fresh::new();
    parallel(&fresh, "-k --detach --run-dir run").args(jobs(30)).run().exits(0);
    fresh.parsim("cancel run").run().exits(0).tells("ended 2 workers");
    fresh.parsim("resume run").run().exits(0).says(&results(30));
}

#[test]
fn who_waits_for_a_run_that_somebody_cancels_is_told_and_starts_no_other_workers() {
    let fresh = Fresh::new();
    let started = under_way(&fresh, "");
    fresh.parsim("cancel run").run().exits(0).tells("ended 2 workers");
    let ran = started.end();
    ran.exits(255).tells("the run was cancelled; go on with: parsim resume");
    ran.expect(!ran.stderr.contains("starting"), "no others are started");
    until_none_is_left(&fresh);
    let rest = fresh.parsim("resume run").run();
    rest.exits(0);
    assert_eq!(shown(&fresh, &rest), results(40));
    assert!((40..=44).contains(&executions(&fresh)), "{}", executions(&fresh));
}

#[test]
fn a_run_that_is_cancelled_before_there_are_inputs_starts_no_worker() {
    let fresh = Fresh::new();
    let script = "mkfifo inputs; exec 3<>inputs; \
                  exec parsim parallel --workers local-dir --nodes 2 -j2 --run-dir run echo :::: inputs";
    let started = fresh.shell(script).start();
    while !fresh.parsim("cancel run").run().stderr.contains("ended 0 workers") {
        std::thread::yield_now();
    }
    let ran = started.end();
    ran.exits(255).tells("the run was cancelled").says("");
    assert!(!fresh.path("run").exists());
}

#[test]
fn a_worker_that_has_no_room_for_records_says_so_and_others_go_on() {
    let fresh = Fresh::new();
    // A file that must not be longer is a disk that is full.
    let limited = |length: u32, inputs: &str| {
        let jobs = format!("head -c {length} /dev/zero | tr '\\0' {{}}");
        let script = format!(
            "ulimit -f 200; exec parsim parallel --workers local-dir --nodes 2 -j2 -k --run-dir run{length} \
             \"{jobs}\" ::: {inputs}"
        );
        fresh.shell(&script).env("PARSIM_LEASE", "2").run()
    };
    let letters = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];
    let ran = limited(30_000, &letters.join(" "));
    ran.exits(0).says(&letters.map(|letter| letter.repeat(30_000)).concat());
    ran.tells("cannot record what was done: file too large");
    // Where nobody has room, there is an end, and the reason.
    let ran = limited(120_000, "a");
    ran.exits(255).tells("workers end without doing anything").tells("file too large");
}

#[test]
fn a_directory_that_is_removed_under_way_ends_the_run_and_its_workers() {
    let fresh = Fresh::new();
    let started = under_way(&fresh, "");
    let workers = workers(&fresh);
    assert!(!workers.is_empty());
    // Its workers may put something there meanwhile.
    while fs::remove_dir_all(fresh.path("run")).is_err() {}
    started.end().exits(255).tells("somebody removed the run directory");
    let is_there = |pid: &u32| fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| !line.is_empty());
    while workers.iter().any(is_there) {
        std::thread::yield_now();
    }
}

#[test]
fn lines_that_are_too_long_and_odd_values_are_what_they_are_to_threads() {
    let fresh = Fresh::new();
    let long = "x".repeat(200_000);
    for (options, input) in [
        ("", format!("a\n{long}\nb\n")),
        ("-0", "two\nlines\0 one \0".to_owned()),
        ("", "a\0b\nc\n".to_owned()),
    ] {
        fs::write(fresh.path("in"), input).unwrap();
        let run = |line: Line| line.args(["printf '<%s>'", "::::", "in"]).run();
        let there = run(parallel(&fresh, &format!("-k {options}")));
        let here = run(fresh.parsim(&format!("parallel -k -j2 {options}")));
        assert_eq!(there.stdout, here.stdout, "{}", there.stderr);
        let status = |ran: &Ran| (0..=255).find(|status| ran.has_exited(*status));
        assert_eq!(status(&there), status(&here), "{}", there.stderr);
    }
}

#[test]
fn workers_end_in_time_and_others_go_on() {
    let fresh = Fresh::new();
    let ran = parallel(&fresh, "-k --walltime 2s --run-dir run").args(jobs(120)).run();
    ran.exits(0).says(&results(120)).tells("all workers have ended and");
}

#[test]
fn a_job_for_which_no_worker_has_the_time_fails() {
    let fresh = Fresh::new();
    let ran = parallel(&fresh, "--walltime 1s").args(["sleep {}; echo done", ":::", "600", "0"]).run();
    ran.exits(1).says("done\n").tells("ran longer than --walltime allows, 2 times");
}

#[test]
fn a_comparison_and_a_workload_run_the_same_way() {
    let fresh = Fresh::new();
    let ran = fresh.parsim("compare --workers local-dir --nodes 2 -j2 echo ::: 1 2 3").run();
    let text = ran.stdout.clone();
    ran.exits(0).expect(text.contains("queue wait") && text.contains("nodes"), "what it took is told");
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    let (about, did) = (" on 1 node", format!("node: {} 3 jobs", host.trim()));
    ran.expect(text.contains(about) && text.contains(&did), "what each node did is told");
    fresh.parsim("sleep --tasks 4 --seconds 0.01 --workers local-dir --nodes 2").run().exits(0);
    assert!(fresh.names(".").is_empty());
}

#[test]
fn a_directory_that_cannot_be_trusted_is_refused() {
    let fresh = Fresh::new();
    for what in ["resume", "status", "cancel"] {
        fresh.parsim(&format!("{what} nothing")).run().refuses("cannot open the run directory nothing");
        fresh.parsim(what).run().refuses("DIR");
    }
    fs::create_dir(fresh.path("other")).unwrap();
    fresh.parsim("resume other").run().refuses("is not a run directory");
    parallel(&fresh, "--run-dir run --detach").args(jobs(2)).run().exits(0);
    fs::set_permissions(fresh.path("run"), fs::Permissions::from_mode(0o777)).unwrap();
    fresh.parsim("resume run").run().refuses("others may write to");
    fs::set_permissions(fresh.path("run"), fs::Permissions::from_mode(0o700)).unwrap();
    parallel(&fresh, "--run-dir run echo ::: 1").run().exits(255).tells("is not empty");
    fresh.parsim("resume run").run().exits(0);
    let spec = fs::read_to_string(fresh.path("run/run.json")).unwrap();
    fs::write(fresh.path("run/run.json"), spec.replace("parsim-run/2", "parsim-run/99")).unwrap();
    fresh.parsim("resume run").run().refuses("use the parsim in bin/");
}

#[test]
fn one_client_at_a_time_goes_on_with_a_run() {
    let fresh = Fresh::new();
    let started = under_way(&fresh, "");
    fresh.parsim("resume run").run().exits(255).tells("is in use by process");
    started.end().exits(0);
}

#[test]
fn what_only_this_machine_has_is_refused_by_name() {
    let fresh = Fresh::new();
    for (options, why) in [
        ("--delay 1", "--delay does not go with --workers local-dir"),
        ("--load 50%", "--load does not go with --workers local-dir"),
        ("--memfree 1G", "--memfree does not go with --workers local-dir"),
        ("--tty", "only parsim itself has the terminal"),
        ("-u", "what jobs write comes through the workers"),
        ("--partition p", "--partition needs --workers slurm"),
        ("--sbatch-arg=-Cx", "--sbatch-arg needs --workers slurm"),
        ("--walltime 30", "30m is minutes"),
        ("--nodes 0", "must be at least 1"),
    ] {
        parallel(&fresh, options).args(["echo", ":::", "1"]).run().refuses(why);
    }
    fresh.parsim("parallel --run-dir d echo ::: 1").run().refuses("--run-dir needs --workers slurm or");
    fresh.parsim("parallel --qos q echo ::: 1").run().refuses("--qos needs --workers slurm");
    fresh.parsim("csv --nodes 2").run().refuses("--nodes needs --workers slurm or");
    assert!(fresh.names(".").is_empty());
}
