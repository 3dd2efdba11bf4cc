//! Kill sequences, time limits and orders from other threads: nobody in the
//! job's group survives, and nobody waits longer than needed.

use std::io::Write as _;
use std::os::fd::AsFd as _;
use std::thread;
use std::time::{Duration, Instant};

use super::*;

/// A leader that dies of TERM, with a child that ignores it.
const STUBBORN_CHILD: &str = "sh -c 'trap \"\" TERM; echo $$; exec sleep 1000' & wait";

const BY_TERM: ProcessEnd = ProcessEnd::Signaled { signal: libc::SIGTERM, core_dumped: false };
const BY_KILL: ProcessEnd = ProcessEnd::Signaled { signal: libc::SIGKILL, core_dumped: false };

#[test]
fn nobody_survives_a_time_out_not_even_a_grandchild_that_ignores_term() {
    either_way(|running, worker| {
        let (command, argv) = (shell(), script(STUBBORN_CHILD));
        // Its time is up as soon as the grandchild says that it is ready.
        let ran = collect_and(worker, Job::new(&command, &argv), |_| {
            running.set_time_limit(Some(Duration::ZERO));
        });
        let ran = ran.unwrap();
        assert_eq!((ran.report.ended, ran.report.cause), (BY_TERM, Some(Cause::TimedOut)));
        let grandchild = ran.out.trim().parse().unwrap();
        until(|| !is_alive(grandchild));
    });
}

#[test]
fn a_deadline_that_has_passed_kills_and_one_to_come_does_not() {
    either_way_with(&patient(), |_, worker| {
        let command = shell();
        let mut run = |text: &str, deadline: Instant| {
            let argv = script(text);
            let job = Job { deadline: Some(deadline), ..Job::new(&command, &argv) };
            collect(worker, job).unwrap().report
        };
        let report = run("sleep 1000", Instant::now());
        assert_eq!((report.ended, report.cause), (BY_TERM, Some(Cause::TimedOut)));
        let report = run("sleep 1000", Instant::now() + Duration::from_millis(20));
        assert_eq!((report.ended, report.cause), (BY_TERM, Some(Cause::TimedOut)));
        let report = run("exit 3", Instant::now() + Duration::from_secs(600));
        assert_eq!((report.ended, report.cause), (ProcessEnd::Exited(3), None));
    });
}

#[test]
fn a_group_that_obeys_term_is_not_waited_for_any_longer() {
    either_way_with(&patient(), |running, worker| {
        let (command, argv) = (shell(), script("sleep 1000 & sleep 1000 & echo ready; wait"));
        let ran = collect_and(worker, Job::new(&command, &argv), |_| running.terminate()).unwrap();
        assert_eq!((ran.report.ended, ran.report.cause), (BY_TERM, Some(Cause::Terminated)));
    });
}

#[test]
fn a_child_that_takes_its_time_to_die_is_noticed_when_it_does() {
    either_way_with(&patient(), |running, worker| {
        let text = "sh -c 'trap \"sleep 0.1; exit\" TERM; echo ready; while :; do sleep 0.01; done' & wait";
        let (command, argv) = (shell(), script(text));
        let ran = collect_and(worker, Job::new(&command, &argv), |_| running.terminate()).unwrap();
        assert_eq!(ran.report.ended, BY_TERM);
    });
}

#[test]
fn every_step_of_the_sequence_is_taken_and_kill_is_last_even_if_it_is_not_in_it() {
    either_way_with(&"USR1,1000,USR2,1000".parse().unwrap(), |running, worker| {
        let text = "trap 'echo one' USR1; trap 'echo two' USR2; trap '' TERM; echo ready; \
                    while :; do :; done";
        let (command, argv) = (shell(), script(text));
        let ran = collect_and(worker, Job::new(&command, &argv), |_| running.terminate()).unwrap();
        assert_eq!(ran.report.ended, BY_KILL);
        assert_eq!(ran.out, "ready\none\ntwo\n");
    });
}

#[test]
fn a_second_order_kills_at_once() {
    either_way_with(&patient(), |running, worker| {
        let text = "trap 'echo got it' TERM; echo ready; while :; do :; done";
        let (command, argv) = (shell(), script(text));
        let ran = collect_and(worker, Job::new(&command, &argv), |out| {
            if out.ends_with("got it\n") { running.kill_now() } else { running.terminate() }
        });
        let report = ran.unwrap().report;
        assert_eq!((report.ended, report.cause), (BY_KILL, Some(Cause::Terminated)));
    });
}

#[test]
fn a_second_order_reaches_those_who_outlived_the_leader() {
    either_way_with(&patient(), |running, worker| {
        let (command, argv) = (shell(), script(STUBBORN_CHILD));
        thread::scope(|scope| {
            let ran = collect_and(worker, Job::new(&command, &argv), |_| {
                let [(_, leader)] = running.list()[..] else { panic!("one job runs") };
                running.terminate();
                scope.spawn(move || {
                    until(|| state(leader) == Some('Z'));
                    running.kill_now();
                });
            });
            let ran = ran.unwrap();
            assert_eq!((ran.report.ended, ran.report.cause), (BY_TERM, Some(Cause::Terminated)));
            let grandchild = ran.out.trim().parse().unwrap();
            until(|| !is_alive(grandchild));
        });
    });
}

#[test]
fn kill_now_reaches_all_of_the_group_even_if_the_worker_is_stuck() {
    either_way_with(&patient(), |running, worker| {
        let (command, argv) = (shell(), script(STUBBORN_CHILD));
        let ran = collect_and(worker, Job::new(&command, &argv), |out| {
            running.kill_now();
            // The worker is in here, and still they die.
            let grandchild = out.trim().parse().unwrap();
            until(|| !is_alive(grandchild));
        });
        let report = ran.unwrap().report;
        assert_eq!((report.ended, report.cause), (BY_KILL, Some(Cause::Killed)));
        assert_eq!(report.out_of_memory, None, "that was us");
    });
}

#[test]
fn nothing_starts_once_the_run_is_ending() {
    either_way(|running, worker| {
        running.terminate();
        let (command, argv) = (shell(), script(":"));
        let error = collect(worker, Job::new(&command, &argv)).err().unwrap();
        assert!(matches!(error, StartError::Ending));
    });
}

#[test]
fn an_order_given_between_start_and_seat_holds() {
    let running = RunningJobs::new(patient(), 0).unwrap();
    let running_job = running.add_running_job(1).unwrap();
    let mut child = std::process::Command::new("sleep");
    let mut child = std::os::unix::process::CommandExt::process_group(child.arg("1000"), 0).spawn().unwrap();
    running.kill_now();
    running.begin_job(&running_job, child.id().cast_signed());
    assert!(!child.wait().unwrap().success());
}

#[test]
fn a_stopped_job_can_be_terminated() {
    either_way_with(&patient(), |running, worker| {
        let (command, argv) = (shell(), script("echo $$; kill -STOP $$"));
        let ran = collect_and(worker, Job::new(&command, &argv), |out| {
            let job = out.trim().parse().unwrap();
            until(|| state(job) == Some('T'));
            running.terminate();
        });
        assert_eq!(ran.unwrap().report.ended, BY_TERM);
    });
}

#[test]
fn a_pause_stops_the_job_and_its_time() {
    either_way(|running, worker| {
        let dir = tempfile::tempdir().unwrap();
        let go = dir.path().join("go");
        let (command, argv) =
            (shell(), script(&format!("echo $$; until [ -e {} ]; do :; done; exit 4", go.display())));
        thread::scope(|scope| {
            let ran = collect_and(worker, Job::new(&command, &argv), |out| {
                let job = out.trim().parse().unwrap();
                running.pause();
                until(|| state(job) == Some('T'));
                // Its time would be up now, but there is none.
                running.set_time_limit(Some(Duration::ZERO));
                scope.spawn(|| {
                    thread::sleep(Duration::from_millis(20));
                    std::fs::write(&go, "").unwrap();
                    running.set_time_limit(None);
                    running.resume();
                });
            });
            let report = ran.unwrap().report;
            assert_eq!((report.ended, report.cause), (ProcessEnd::Exited(4), None));
        });
    });
}

#[test]
fn a_job_that_is_started_during_a_pause_waits_for_its_end() {
    either_way(|running, worker| {
        let dir = tempfile::tempdir().unwrap();
        let go = dir.path().join("go");
        running.pause();
        thread::scope(|scope| {
            scope.spawn(|| {
                until(|| matches!(running.list()[..], [(1, job)] if state(job) == Some('T')));
                std::fs::write(&go, "").unwrap();
                running.resume();
            });
            let text = format!("until [ -e {} ]; do :; done", go.display());
            assert!(sh(worker, &text).report.ended.is_success());
        });
    });
}

#[test]
fn signals_are_forwarded() {
    either_way(|running, worker| {
        // Without a process of its own, which may answer as the shell it was forked from.
        let text = "trap 'echo caught; exit 6' USR1; echo ready; while :; do :; done";
        let (command, argv) = (shell(), script(text));
        let ran = collect_and(worker, Job::new(&command, &argv), |out| {
            if out == "ready\n" {
                running.signal(libc::SIGUSR1);
            }
        });
        let ran = ran.unwrap();
        assert_eq!((ran.out.as_str(), ran.report.ended), ("ready\ncaught\n", ProcessEnd::Exited(6)));
    });
}

#[test]
fn a_wake_descriptor_that_is_readable_ends_the_job() {
    either_way_with(&patient(), |_, worker| {
        let (wake, mut ring) = io::pipe().unwrap();
        ring.write_all(b"!").unwrap();
        let (command, argv) = (shell(), script("sleep 1000"));
        let job = Job { wake: Some(wake.as_fd()), ..Job::new(&command, &argv) };
        let report = collect(worker, job).unwrap().report;
        assert_eq!((report.ended, report.cause), (BY_TERM, Some(Cause::Terminated)));
    });
}
