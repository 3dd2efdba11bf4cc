//! The engine of worker processes beside workers that do as they should, and workers that
//! do not.

use std::io::{self, Read, Write};
use std::os::fd::BorrowedFd;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use super::frame::{Frame, FrameReader, LONGEST};
use super::protocol::kind;
use super::scripted::{Loop, N_TASKS, OtherEnd, Scripted, Squares, sound, sound_with};
use super::transport::WorkerStream;
use super::*;
use crate::experiment::Experiment;
use crate::process::Interrupt;
use crate::study::{RecordList, Study};
use crate::task::Outcome;

/// The study of both ways, with so many workers.
pub(super) fn study_of(width: usize, transport: impl Transport) -> anyhow::Result<Study> {
    let width = NonZeroUsize::new(width).unwrap();
    let mut squares = Squares::default();
    Experiment::new(&mut squares)?
        .engines(vec![Box::new(super::super::Serial), Box::new(Processes::new(width, transport))])
        .run()
}

pub(super) fn records(study: &Study) -> &RecordList {
    &study.columns[1].runs[0].records
}

fn crew(study: &Study) -> &WorkerCosts {
    study.columns[1].runs[0].crew.as_ref().unwrap()
}

#[test]
fn what_workers_do_is_what_is_done_here() {
    let study = study_of(2, Scripted::new(|_| Some(sound))).unwrap();
    assert!(study.agrees() && study.agreement.is_some());
    assert_eq!(study.columns[1].output, study.columns[0].output);
    assert!(study.columns[1].output.starts_with("square 0\nsquare 1\nsquare 4\n"));
    let seqs: Vec<u64> = records(&study).iter().map(|record| record.seq).collect();
    assert_eq!(seqs, (0..N_TASKS).collect::<Vec<_>>());
    assert!(records(&study).iter().all(|it| it.slot < 2 && it.outcome.is_success() && it.digest.is_some()));
    assert_eq!(records(&study).get(3).unwrap().spans.iter().next().unwrap().0, "square");
}

#[test]
fn what_all_tasks_of_a_run_are_to_know_is_asked_of_who_began_it() {
    let mut squares = Squares { asks: true, ..Squares::default() };
    let worker: fn(UnixStream) = |stream| sound_with(stream, || Squares { asks: true, ..Squares::default() });
    let width = NonZeroUsize::new(2).unwrap();
    let processes = Processes::new(width, Scripted::new(move |_| Some(worker))).with_slots(2);
    let mut experiment = Experiment::new(&mut squares).unwrap();
    experiment = experiment.engines(vec![Box::new(super::super::Serial), Box::new(processes)]);
    let study = experiment.run().unwrap();
    let told = |way: u64| (0..N_TASKS).map(|task| format!("[{task},{way}]\n")).collect::<String>();
    assert_eq!([0, 1].map(|way| study.columns[way].output.clone()), [told(0), told(1)]);
}

#[test]
fn what_workers_cost_is_told_to_the_byte() {
    let transport = Scripted::new(|_| Some(sound as fn(UnixStream)));
    let n_bytes = Arc::clone(&transport.n_bytes);
    let study = study_of(2, transport).unwrap();
    let crew = crew(&study);
    assert_eq!((crew.workers, crew.replaced), (2, 0));
    assert_eq!(crew.passed, n_bytes.load(Ordering::SeqCst));
    assert!(crew.passing > Duration::ZERO && crew.startup > Duration::ZERO, "{crew:?}");
}

#[test]
fn the_costs_of_all_workers_add_up_and_each_waits_for_what_is_shared() {
    let seconds = Duration::from_secs;
    let cost = |number: u64| LinkCost {
        passed: number,
        passing: seconds(number),
        peak_memory: Some(100 * number),
        replaced: 10 * number,
    };
    let expected = WorkerCosts {
        workers: 3,
        startup: seconds(7),
        peak_memory: Some(600),
        passed: 6,
        passing: seconds(6 + 3 * 20),
        replaced: 60,
        elsewhere: None,
    };
    assert_eq!(super::crew(&[cost(1), cost(2), cost(3)], seconds(7), seconds(20)), expected);
}

#[test]
fn a_worker_that_ends_in_the_middle_of_a_task_fails_it_and_is_replaced() {
    fn dies(stream: UnixStream) {
        OtherEnd::ready(stream).begin();
    }
    let study = study_of(1, Scripted::new(|number| Some(if number == 0 { dies } else { sound }))).unwrap();
    let failed: Vec<_> = records(&study).iter().filter(|record| !record.outcome.is_success()).collect();
    assert_eq!(failed.len(), 1);
    assert_eq!(failed[0].outcome, Outcome::Failed("its worker (number 0) ended".into()));
    assert_eq!(records(&study).len() as u64, N_TASKS);
    assert_eq!(crew(&study).replaced, 1);
}

#[test]
fn a_task_that_its_worker_did_not_begin_is_done_by_the_next() {
    fn leaves(stream: UnixStream) {
        let mut end = OtherEnd::ready(stream);
        end.next_task();
        end.leave();
    }
    let study = study_of(1, Scripted::new(|number| Some(if number < 2 { leaves } else { sound }))).unwrap();
    assert!(study.agrees() && study.n_failed() == 0);
    assert_eq!(crew(&study).replaced, 2);
}

#[test]
fn a_task_that_no_worker_begins_has_failed() {
    fn leaves(stream: UnixStream) {
        OtherEnd::ready(stream);
    }
    let study = study_of(2, Scripted::new(|_| Some(leaves))).unwrap();
    assert_eq!(study.n_failed() as u64, N_TASKS);
    let expected = Outcome::Failed("its workers ended before it began".into());
    assert!(records(&study).iter().all(|record| record.outcome == expected));
}

#[test]
fn where_no_worker_is_to_be_had_any_more_the_others_do_the_rest() {
    fn leaves(stream: UnixStream) {
        let mut end = OtherEnd::ready(stream);
        end.next_task();
        end.leave();
        LEFT.set(()).unwrap();
    }
    fn waits(stream: UnixStream) {
        sound_with(stream, || Squares { after: Some(&LEFT), ..Squares::default() });
    }
    /// Both get a task at the least.
    static LEFT: OnceLock<()> = OnceLock::new();
    let script = |number| match number {
        0 => Some(leaves as fn(UnixStream)),
        1 => Some(waits as fn(UnixStream)),
        _ => None,
    };
    let study = study_of(2, Scripted::new(script)).unwrap();
    assert!(study.agrees() && study.n_failed() == 0);
    assert_eq!(crew(&study).replaced, 0);
}

#[test]
fn another_worker_is_tried_for_again_where_one_cannot_be_started_or_ends_before_it_is_ready() {
    fn leaves(stream: UnixStream) {
        let mut end = OtherEnd::ready(stream);
        end.next_task();
        end.leave();
    }
    fn is_not_ready(stream: UnixStream) {
        OtherEnd::new(stream).hear();
    }
    fn has_no_time(stream: UnixStream) {
        let mut end = OtherEnd::new(stream);
        end.hear();
        end.say(kind::FAILED, b"out of memory");
    }
    let script = |number| match number {
        0 => Some(leaves as fn(UnixStream)),
        1 | 3 => None,
        2 => Some(is_not_ready as fn(UnixStream)),
        4 => Some(has_no_time as fn(UnixStream)),
        _ => Some(sound as fn(UnixStream)),
    };
    let study = study_of(1, Scripted::new(script)).unwrap();
    assert!(study.agrees() && study.n_failed() == 0);
    assert_eq!(crew(&study).replaced, 3);
}

#[test]
fn a_worker_that_ends_in_the_middle_of_a_word_has_ended_and_said_nothing_strange() {
    fn is_cut(stream: UnixStream) {
        let mut end = OtherEnd::ready(stream);
        if end.begin().is_some() {
            end.say_half(kind::OUT);
        }
    }
    let study = study_of(1, Scripted::new(|number| Some(if number == 0 { is_cut } else { sound }))).unwrap();
    let expected = Outcome::Failed("its worker (number 0) ended".into());
    assert!(records(&study).iter().any(|record| record.outcome == expected));
    assert_eq!(study.n_failed(), 1);
}

#[test]
fn who_waits_for_workers_to_get_ready_is_not_kept_busy_when_nothing_more_is_to_begin() {
    struct Drains(Interrupt, Arc<AtomicUsize>);
    struct Watched(Loop, Arc<AtomicUsize>);
    impl Transport for Drains {
        fn open(&self) -> anyhow::Result<Box<dyn WorkerStream>> {
            let interrupt = self.0.clone();
            let worker = move |theirs| {
                interrupt.drain();
                std::thread::sleep(Duration::from_millis(200));
                sound(theirs);
            };
            Ok(Box::new(Watched(Loop::start(0, &Arc::default(), worker)?, Arc::clone(&self.1))))
        }
    }
    impl WorkerStream for Watched {
        fn name(&self) -> String {
            self.0.name()
        }

        /// Asked for before each wait.
        fn descriptor(&self) -> Option<BorrowedFd<'_>> {
            self.1.fetch_add(1, Ordering::SeqCst);
            self.0.descriptor()
        }

        fn write_descriptor(&self) -> Option<BorrowedFd<'_>> {
            self.0.write_descriptor()
        }

        fn hang_up(&mut self) {
            self.0.hang_up();
        }

        fn reap(&mut self, patience: Duration) -> Option<String> {
            self.0.reap(patience)
        }
    }
    impl Read for Watched {
        fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
            self.0.read(bytes)
        }
    }
    impl Write for Watched {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            self.0.flush()
        }
    }
    let (interrupt, n_waits) = (Interrupt::unbound().unwrap(), Arc::new(AtomicUsize::new(0)));
    let mut squares = Squares::default();
    let transport = Drains(interrupt.clone(), Arc::clone(&n_waits));
    let experiment = Experiment::new(&mut squares).unwrap();
    let experiment = experiment.engines(vec![Box::new(Processes::new(NonZeroUsize::MIN, transport))]);
    let study = experiment.interrupt(interrupt).run().unwrap();
    assert!(study.left_some);
    assert!(n_waits.load(Ordering::SeqCst) < 100, "{n_waits:?}");
}

#[test]
fn where_no_worker_is_left_at_all_that_is_an_error() {
    fn dies(stream: UnixStream) {
        OtherEnd::ready(stream).begin();
    }
    let study = study_of(1, Scripted::new(|number| (number < 1).then_some(dies as fn(UnixStream)))).unwrap();
    assert_eq!(
        study.trouble.unwrap(),
        "no worker process is left for the tasks that remain: no more workers"
    );
}

#[test]
fn a_worker_that_cannot_be_what_it_is_to_be_says_why_before_any_task() {
    fn refuses(stream: UnixStream) {
        let mut end = OtherEnd::new(stream);
        end.hear();
        end.say(kind::FAILED, b"there is no workload \"squares\"");
    }
    let study = study_of(2, Scripted::new(|number| Some(if number == 1 { refuses } else { sound }))).unwrap();
    let expected = "cannot start 2 worker processes (a smaller -j needs fewer): the worker (number 1): there is no workload \"squares\"";
    assert_eq!(study.trouble.unwrap(), expected);
}

#[test]
fn who_is_no_worker_is_found_out() {
    fn prints(mut stream: UnixStream) {
        // Whether anybody listens still: one such program is enough.
        let _ = stream.write_all(b"Usage: something else entirely\n");
        OtherEnd::new(stream).hear();
    }
    let error = study_of(2, Scripted::new(|_| Some(prints))).unwrap().trouble.unwrap();
    let expected = "this is no parsim worker's answer: \"Usage: something else entirely\"";
    assert!(error.contains(expected), "{error}");
}

#[test]
fn words_that_mean_nothing_lose_the_task_and_the_worker() {
    fn babbles(stream: UnixStream) {
        let mut end = OtherEnd::ready(stream);
        end.begin();
        end.say(b'z', b"");
        while end.hear().is_some() {}
    }
    let study = study_of(1, Scripted::new(|number| Some(if number == 0 { babbles } else { sound }))).unwrap();
    let expected =
        Outcome::Failed("its worker (number 0) sent 'z', which is no message of this protocol".into());
    assert!(records(&study).iter().any(|record| record.outcome == expected));
    assert_eq!(study.n_failed(), 1);
}

#[test]
fn workers_are_told_to_give_up_when_parsim_is_to_end() {
    struct Ending(Interrupt);
    impl Transport for Ending {
        fn open(&self) -> anyhow::Result<Box<dyn WorkerStream>> {
            let interrupt = self.0.clone();
            let workload = move || Squares { ends: Some((5, interrupt.clone())), ..Squares::default() };
            Ok(Box::new(Loop::start(0, &Arc::default(), |theirs| sound_with(theirs, workload))?))
        }
    }
    let interrupt = Interrupt::unbound().unwrap();
    let mut squares = Squares::default();
    let transport = Ending(interrupt.clone());
    let study = Experiment::new(&mut squares)
        .unwrap()
        .engines(vec![Box::new(Processes::new(NonZeroUsize::MIN, transport))])
        .interrupt(interrupt)
        .run()
        .unwrap();
    let cut = study.cut.unwrap();
    assert_eq!((&*cut.way, cut.finished, cut.tasks), ("processes", 5, Some(8)));
    assert!(study.columns[0].runs.is_empty());
}

#[test]
fn a_worker_of_another_version_says_which_one_it_speaks() {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let worker = std::thread::spawn(move || sound(theirs));
    let mut end = OtherEnd::new(ours);
    end.say(kind::HELLO, br#"{"protocol":"parsim-worker/999"}"#);
    let Frame { kind: said, payload } = end.hear().unwrap();
    let text = String::from_utf8(payload).unwrap();
    assert_eq!(said, kind::FAILED);
    assert!(text.contains(PROTOCOL) && text.contains("parsim-worker/999"), "{text}");
    worker.join().unwrap();
}

#[test]
fn a_worker_that_nobody_speaks_to_ends() {
    let (ours, theirs) = UnixStream::pair().unwrap();
    drop(ours);
    sound(theirs);
}

/// A way to a worker on which writing a message of this kind fails, the `broken`-th; the
/// worker itself is sound.
struct Breaking {
    link: Loop,
    /// What was written.
    frames: FrameReader,
    kind: u8,
    n_written: usize,
    broken: usize,
}

impl WorkerStream for Breaking {
    fn name(&self) -> String {
        self.link.name()
    }

    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        self.link.descriptor()
    }

    fn write_descriptor(&self) -> Option<BorrowedFd<'_>> {
        self.link.write_descriptor()
    }

    fn hang_up(&mut self) {
        self.link.hang_up();
    }

    fn reap(&mut self, patience: Duration) -> Option<String> {
        self.link.reap(patience)
    }
}

impl Read for Breaking {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.link.read(bytes)
    }
}

impl Write for Breaking {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut rest = bytes;
        while !rest.is_empty() {
            self.frames.fill(&mut rest).unwrap();
            while let Some(frame) = self.frames.next().unwrap() {
                self.n_written += usize::from(frame.kind == self.kind);
            }
        }
        if self.broken > 0 && self.n_written >= self.broken {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.link.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_worker_that_could_not_be_told_something_is_not_waited_for() {
    struct Breaks {
        n_started: AtomicUsize,
        kind: u8,
        broken: usize,
        /// In every worker, or in the first one only.
        always: bool,
    }
    impl Transport for Breaks {
        fn open(&self) -> anyhow::Result<Box<dyn WorkerStream>> {
            let number = self.n_started.fetch_add(1, Ordering::SeqCst);
            let link = Loop::start(number, &Arc::default(), sound)?;
            let broken = if self.always || number == 0 { self.broken } else { 0 };
            let frames = FrameReader::new(LONGEST);
            Ok(Box::new(Breaking { link, frames, kind: self.kind, n_written: 0, broken }))
        }
    }
    let study =
        |kind, broken, always| study_of(1, Breaks { n_started: AtomicUsize::new(0), kind, broken, always });
    // What it is to be, and what tasks share: without it no task is begun.
    for kind in [kind::HELLO, kind::SLOTS, kind::SHARED] {
        let error = study(kind, 1, false).unwrap().trouble.unwrap();
        assert!(error.contains("write to the worker (number 0)"), "{kind}: {error}");
    }
    // A task that it was not given is another one's, and so are those behind it.
    for broken in [1, 2, 7] {
        let study = study(kind::TASK, broken, false).unwrap();
        assert!(study.n_failed() <= 1 && crew(&study).replaced == 1, "{broken}");
    }
    // None can be told of any.
    assert_eq!(study(kind::TASK, 1, true).unwrap().n_failed(), usize::try_from(N_TASKS).unwrap());
}
