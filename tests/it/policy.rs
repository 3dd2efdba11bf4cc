//! When jobs start, are tried again and given up: `--halt`, `--retries`,
//! `--delay`, `--memfree`, `--max-time`.

use std::fs;
use std::io::Write as _;
use std::process::Stdio;
use std::time::Duration;

use crate::support::Fresh;

/// Longer than any end should take, shorter than the jobs that are to be ended.
const SOON: Duration = Duration::from_secs(60);

#[test]
fn the_first_failure_ends_the_running_jobs_at_once_and_gives_the_status() {
    let fresh = Fresh::new();
    let line =
        fresh.parsim("parallel -j2 --halt now,fail=1").args([":::", "sleep 600", "exit 3", "touch no"]);
    line.start().end_within(SOON).exits(3);
    assert!(!fresh.path("no").exists());
}

#[test]
fn a_job_ended_by_a_signal_gives_its_number_and_128() {
    let ran = Fresh::new().parsim("parallel --halt soon,fail=1").args([":::", "kill -9 $$"]).run();
    ran.exits(137);
}

#[test]
fn halted_softly_running_jobs_finish_and_no_other_starts() {
    let fresh = Fresh::new();
    // The failure is in the log just before it is acted on.
    let waits = "until grep -q 'exit 7' l; do sleep 0.01; done; sleep 0.3; echo finished";
    let line = fresh.parsim("parallel -j2 --halt soon,fail=1 --joblog l");
    let ran = line.args([":::", waits, "exit 7", "echo 3"]).run();
    ran.exits(7).tells("stopped early").expect(ran.stdout == "finished\n", "the running job's output alone");
}

#[test]
fn half_of_the_jobs_is_counted_from_all_of_them() {
    let ran = Fresh::new().parsim("parallel -j1 --halt soon,done=50% echo {};exit {} ::: 0 1 1 0").run();
    ran.exits(25).expect(ran.stdout == "0\n1\n", "two of four");
}

#[test]
fn a_halt_does_not_wait_for_inputs_to_come() {
    let fresh = Fresh::new();
    let mut line = fresh.parsim("parallel -j2 --halt now,fail=1").stdin(Stdio::piped());
    let mut child = line.command().spawn().unwrap();
    // Held open until parsim has ended.
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"exit 5\n").unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(5));
    drop(stdin);
}

#[test]
fn a_failing_job_is_tried_again_and_only_the_last_try_is_seen() {
    let fresh = Fresh::new();
    let job = "echo x >>tries{}; n=$(wc -l <tries{}); echo {} try $n; [ $n = 3 ]";
    let ran = fresh.parsim("parallel -k --retries 3").args([job, ":::", "a", "b"]).run();
    ran.exits(0).expect(ran.stdout == "a try 3\nb try 3\n", "the third tries");
    let ran = fresh.parsim("parallel --retries 2").args([job, ":::", "c"]).run();
    ran.exits(1).expect(ran.stdout == "c try 2\n", "the second and last try");
    assert_eq!(fs::read_to_string(fresh.path("triesc")).unwrap(), "x\nx\n");
}

#[test]
fn a_delay_holds_back_all_but_the_first_job_and_a_hangup_what_waits() {
    let fresh = Fresh::new();
    let mut started = fresh.parsim("parallel -j2 --delay 600 touch ::: first second").start();
    started.until("the first job has run", || fresh.path("first").exists());
    started.signal("HUP");
    started.end_within(SOON).exits(0).tells("stopped early: 1 of 2 jobs done, 1 not started");
    assert!(!fresh.path("second").exists());
}

#[test]
fn without_memory_to_spare_no_job_starts() {
    let fresh = Fresh::new();
    let mut started = fresh.parsim("parallel --memfree 1000T touch ::: first").start();
    std::thread::sleep(Duration::from_millis(300));
    assert!(started.is_running());
    started.signal("TERM");
    started.end_within(SOON).ends_by_signal(libc::SIGTERM);
    assert!(!fresh.path("first").exists());
}

#[test]
fn a_wait_for_memory_is_told_with_its_reason_once_and_in_every_line_of_progress() {
    for batch in ["parallel", "compare"] {
        let fresh = Fresh::new();
        let line = format!("{batch} --progress=always --memfree 1000T touch ::: first");
        let mut started = fresh.parsim(&line).start();
        started.until_it_tells("parsim: waiting to start jobs: ");
        if batch == "parallel" {
            // Lines come every second, looks every half.
            started.until_it_tells(", waiting: ");
        }
        started.signal("TERM");
        let ran = started.end_within(SOON);
        ran.ends_by_signal(libc::SIGTERM).tells(" of memory free, 1000 TiB needed (--memfree)\n");
        let told = ran.stderr.matches("waiting to start jobs").count();
        ran.expect(told == 1, "a wait that is told once");
    }
    // It is told where no progress is wanted, too, but not where nothing has to wait.
    let fresh = Fresh::new();
    let mut started = fresh.parsim("parallel --progress=never --memfree 1000T touch ::: first").start();
    started.until_it_tells("parsim: waiting to start jobs: ");
    started.signal("TERM");
    started.end_within(SOON).ends_by_signal(libc::SIGTERM);
    fresh.parsim("parallel --memfree 1K true ::: first").run().exits(0).is_quiet();
}

#[test]
fn after_the_time_limit_running_jobs_finish_and_no_other_starts() {
    let fresh = Fresh::new();
    let ran =
        fresh.parsim("parallel -j1 --max-time 3").args(["sleep 3.5; echo {}", ":::", "1", "2", "3"]).run();
    ran.exits(104).tells("2 of 3 jobs not started").expect(ran.stdout == "1\n", "the first job alone");
}

#[test]
fn a_limit_in_percent_waits_for_three_jobs_to_end() {
    let fresh = Fresh::new();
    // The second takes far longer than the first, and so do the others.
    let job = "[ {} = 1 ] || sleep 0.5; echo {}";
    let line = fresh.parsim("parallel -j1 --timeout 300% --shell /bin/sh");
    let ran = line.args([job, ":::", "1", "2", "3"]).run();
    ran.exits(0).expect(ran.stdout == "1\n2\n3\n", "all of them");
    let line = fresh.parsim("parallel -j1 --timeout 1000% --shell /bin/sh");
    let ran = line.args(["[ {} -lt 4 ] && sleep 0.1 || sleep 600", ":::", "1", "2", "3", "4"]).run();
    ran.exits(1).tells("job 4 failed: timed out");
}

#[test]
fn the_number_of_jobs_in_a_file_is_read_again_when_a_job_is_over() {
    let fresh = Fresh::new();
    fs::write(fresh.path("width"), "1\n").unwrap();
    // Those behind the first wait for each other, so that they end side by side only.
    let job = "case {} in 1) echo 2 >width;; \
        *) >began{}; until [ -e began2 ] && [ -e began3 ]; do sleep 0.01; done;; esac";
    fresh
        .parsim("parallel -j width --shell /bin/sh")
        .args([job, ":::", "1", "2", "3"])
        .run()
        .exits(0)
        .is_quiet();
    // Nonsense meanwhile changes nothing, and a share of the cores will do.
    fs::write(fresh.path("width"), "50%").unwrap();
    let ran = fresh.parsim("parallel -k -j width --shell /bin/sh").args([
        "echo {}; echo x >width",
        ":::",
        "1",
        "2",
    ]);
    let ran = ran.run();
    ran.exits(0).is_quiet().expect(ran.stdout == "1\n2\n", "both jobs");
    fresh.parsim("parallel -j width true ::: 1").run().refuses("-j width: give N");
}
