//! What becomes of tasks of workers that are not just done once: who tries them again,
//! and who has them ended.

use std::num::NonZeroU64;
use std::os::unix::net::UnixStream;

use super::protocol::kind;
use super::scripted::{OtherEnd, Scripted, Squares, sound, sound_with};
use super::tests::{records, study_of};
use super::*;
use crate::experiment::Experiment;
use crate::policy::{Amount, Halt, HaltWhen, HaltWhy, Policy, Retry};
use crate::process::Interrupt;
use crate::study::Study;
use crate::task::{NodeName, Outcome};

/// The study of workers alone, of so many at a time, by a policy.
fn study_by(policy: Policy, width: usize, transport: impl Transport) -> Study {
    let width = NonZeroUsize::new(width).unwrap();
    let mut squares = Squares::default();
    let engine = Box::new(Processes::new(width, transport));
    Experiment::new(&mut squares).unwrap().engines(vec![engine]).policy(policy).run().unwrap()
}

#[test]
fn a_task_that_fails_is_tried_again_by_whoever_holds_its_output() {
    fn fails_once(stream: UnixStream) {
        sound_with(stream, || Squares { fails: Some((3, 1)), ..Squares::default() });
    }
    fn dies(stream: UnixStream) {
        let mut end = OtherEnd::ready(stream);
        if let Some(seq) = end.begin() {
            end.say_of(seq, kind::OUT, b"what is lost\n");
        }
    }
    let twice = || Retry { tries: NonZeroU64::new(2), ..Retry::default() };
    let policy = || Policy { retry: twice(), ..Policy::default() };
    let study = study_by(policy(), 1, Scripted::new(|_| Some(fails_once as fn(UnixStream))));
    let records = &study.columns[0].runs[0].records;
    assert_eq!(study.n_failed(), 0);
    assert_eq!(records.iter().map(|it| it.attempt).collect::<Vec<_>>(), [1, 1, 1, 2, 1, 1, 1, 1]);
    assert_eq!(records.get(3).unwrap().spans.iter().next_back().unwrap().0, "earlier tries");
    let output = study.columns[0].output.clone();
    assert!(output.starts_with("square 0\nsquare 1\nsquare 4\nsquare 9\nsquare 16\n"), "{output}");

    let script = |number| Some(if number == 0 { dies as fn(UnixStream) } else { sound });
    let study = study_by(policy(), 1, Scripted::new(script));
    assert_eq!(study.n_failed(), 0);
    assert_eq!(study.columns[0].runs[0].records.get(0).unwrap().attempt, 2);
    assert_eq!(study.columns[0].output, output);
}

#[test]
fn a_worker_that_is_lost_before_it_tells_what_it_began_is_cleaned_up_after() {
    fn leaves(stream: UnixStream) {
        OtherEnd::ready(stream).next_task();
    }
    let mut squares = Squares::default();
    let script = |number| Some(if number == 0 { leaves as fn(UnixStream) } else { sound });
    let engine = Box::new(Processes::new(NonZeroUsize::MIN, Scripted::new(script)));
    let study = Experiment::new(&mut squares).unwrap().engines(vec![engine]).run().unwrap();
    assert_eq!(study.n_failed(), 0, "another did what it had not told of");
    assert_eq!(*squares.cleaned_after.lock(), [0]);
}

#[test]
fn a_rule_that_ends_running_tasks_reaches_those_of_all_workers() {
    fn one_fails(stream: UnixStream) {
        sound_with(stream, || Squares { fails: Some((1, 9)), others_last: true, ..Squares::default() });
    }
    let halt = Halt { when: HaltWhen::Now, why: HaltWhy::Fail, amount: Amount::Count(1) };
    let policy = Policy { halt: Some(halt), ..Policy::default() };
    let study = study_by(policy, 3, Scripted::new(|_| Some(one_fails as fn(UnixStream))));
    let run = &study.columns[0].runs[0];
    assert_eq!((study.halt_status, run.failed, run.succeeded), (Some(7), 1, 0));
    for record in &run.records {
        let expected = if record.seq == 1 { Outcome::Exited(7) } else { Outcome::Interrupted };
        assert_eq!(record.outcome, expected, "{}", record.seq);
    }
}

#[test]
fn a_job_that_ends_by_a_signal_halts_the_batch_before_another_one_begins() {
    /// Its first task ends by a signal, or as a shell tells of one.
    fn one_is_killed<const STATUS: i32>(stream: UnixStream) {
        let mut end = OtherEnd::ready(stream);
        let first = end.begin().unwrap();
        end.ends(first, if STATUS == 0 { Outcome::Signaled(libc::SIGKILL) } else { Outcome::Exited(STATUS) });
        while let Some(seq) = end.begin() {
            end.ends(seq, Outcome::Success);
        }
        end.leave();
    }
    let workers: [(fn(UnixStream), u8); 2] = [(one_is_killed::<0>, 137), (one_is_killed::<143>, 143)];
    for when in [HaltWhen::Now, HaltWhen::Soon] {
        for (worker, status) in workers {
            let halt = Halt { when, why: HaltWhy::Fail, amount: Amount::Count(1) };
            let policy = Policy { halt: Some(halt), ..Policy::default() };
            let study = study_by(policy, 1, Scripted::new(move |_| Some(worker)));
            let run = &study.columns[0].runs[0];
            assert_eq!((study.halt_status, run.failed, run.succeeded), (Some(status), 1, 0));
            assert!(study.left_some);
        }
    }
}

#[test]
fn a_worker_that_alone_is_asked_to_end_has_its_task_failed() {
    fn stops(stream: UnixStream) {
        let interrupt = Interrupt::unbound().unwrap();
        let own = interrupt.clone();
        let build = move |_: &str, _, _: Option<&NodeName>| {
            Ok(Box::new(Squares { ends: Some((5, own.clone())), ..Squares::default() }) as Box<dyn Workload>)
        };
        let to = stream.try_clone().unwrap();
        serve(stream, to, &interrupt, &build).unwrap();
    }
    let study = study_of(1, Scripted::new(|number| Some(if number < 2 { stops } else { sound }))).unwrap();
    let failed: Vec<_> = records(&study).iter().filter(|record| record.outcome.is_failure()).collect();
    assert_eq!(failed.len(), 1);
    assert_eq!(failed[0].seq, 5);
    let why = failed[0].outcome.to_string();
    assert!(why.starts_with("its worker (number ") && why.ends_with(") was asked to end"), "{why}");
}
