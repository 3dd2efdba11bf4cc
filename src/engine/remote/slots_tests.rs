//! Workers with many slots: what they are told and tell, tasks that are sent ahead and
//! handed back, one that is ended alone, and ways to workers that are slow or break.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::Shutdown;
use std::num::NonZeroUsize;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, OnceLock};

use super::frame::{Frame, FrameReader, LONGEST};
use super::protocol::{ClockReading, TaskBegun, kind, numbers_in, numbers_of};
use super::request::{TaskReport, TaskRequest};
use super::scripted::{Loop, N_TASKS, OtherEnd, Scripted, Squares, greeting, sound, sound_with};
use super::transport::WorkerStream;
use super::*;
use crate::event::Observer;
use crate::experiment::Experiment;
use crate::process::Interrupt;
use crate::study::{RecordList, Study};
use crate::sync::Mutex;
use crate::task::{Outcome, Task};

/// A worker elsewhere.
struct Far<T>(T);

impl<T: Transport> Transport for Far<T> {
    fn open(&self) -> anyhow::Result<Box<dyn WorkerStream>> {
        self.0.open()
    }

    fn is_far(&self) -> bool {
        true
    }
}

/// The study of so many workers with so many slots each.
fn study_of(links: usize, slots: u32, transport: impl Transport, interrupt: &Interrupt) -> Study {
    try_study_of(links, slots, transport, interrupt).unwrap()
}

fn try_study_of(
    links: usize,
    slots: u32,
    transport: impl Transport,
    interrupt: &Interrupt,
) -> anyhow::Result<Study> {
    let links = NonZeroUsize::new(links).unwrap();
    let mut squares = Squares::default();
    let engine = Processes::new(links, transport).with_slots(slots);
    let experiment = Experiment::new(&mut squares).unwrap().engines(vec![Box::new(engine)]);
    experiment.interrupt(interrupt.clone()).run()
}

fn records(study: &Study) -> &RecordList {
    &study.columns[0].runs[0].records
}

fn costs(study: &Study) -> &WorkerCosts {
    study.columns[0].runs[0].crew.as_ref().unwrap()
}

fn undisturbed() -> Interrupt {
    Interrupt::unbound().unwrap()
}

#[test]
fn a_worker_does_as_many_tasks_at_a_time_as_it_has_slots_and_slots_count_over_all_workers() {
    static FOUR: OnceLock<Barrier> = OnceLock::new();
    fn four_at_a_time(stream: UnixStream) {
        let together = Some(FOUR.get_or_init(|| Barrier::new(4)));
        sound_with(stream, || Squares { together, ..Squares::default() });
    }
    for (links, slots) in [(1, 4), (2, 2)] {
        let transport = Scripted::new(|_| Some(four_at_a_time as fn(UnixStream)));
        let study = study_of(links, slots, transport, &undisturbed());
        assert_eq!(study.n_failed(), 0);
        assert_eq!(costs(&study).workers, links);
        let used: BTreeSet<u32> = records(&study).iter().map(|record| record.slot).collect();
        assert_eq!(used, (0..4).collect(), "{links} x {slots}");
        assert_eq!(study.columns[0].output.lines().nth(7), Some("square 49"));
    }
}

#[test]
fn where_nobody_knows_how_many_tasks_there_are_no_more_workers_are_started_than_come() {
    static TWO: OnceLock<Barrier> = OnceLock::new();
    fn two_at_a_time(stream: UnixStream) {
        let together = Some(TWO.get_or_init(|| Barrier::new(2)));
        sound_with(stream, || Squares { together, ..Squares::default() });
    }
    let transport = Scripted::new(|_| Some(two_at_a_time as fn(UnixStream)));
    let n_started = Arc::clone(&transport.n_started);
    // Eight tasks for six workers of two slots each.
    let mut squares = Squares { is_uncounted: true, ..Squares::default() };
    let engine = Processes::new(NonZeroUsize::new(6).unwrap(), transport).with_slots(2);
    let study = Experiment::new(&mut squares).unwrap().engines(vec![Box::new(engine)]).run().unwrap();
    assert_eq!(study.n_failed(), 0);
    let n_started = n_started.load(Ordering::SeqCst);
    assert!((1..=4).contains(&n_started), "{n_started}");
    assert_eq!((costs(&study).workers, costs(&study).replaced), (n_started, 0));
}

#[test]
fn tasks_have_their_times_by_our_clock_whatever_the_workers_shows() {
    let study = study_of(2, 2, Scripted::new(|_| Some(sound as fn(UnixStream))), &undisturbed());
    let run = &study.columns[0].runs[0];
    assert!(records(&study).iter().all(|record| record.end() <= run.wall), "{run:?}");
}

/// Our end of a worker with two slots of which all tasks but one last.
struct TwoSlots {
    ours: OtherEnd,
    worker: std::thread::JoinHandle<()>,
}

impl TwoSlots {
    fn new() -> Self {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let workload = || Squares { fails: Some((9, 1)), others_last: true, ..Squares::default() };
        let worker = std::thread::spawn(move || sound_with(theirs, workload));
        let mut ours = OtherEnd::new(ours);
        ours.say(kind::HELLO, &serde_json::to_vec(&greeting()).unwrap());
        assert_eq!(ours.hear().unwrap().kind, kind::READY);
        ours.say(kind::SLOTS, &SlotRange { first: 5, count: 2 }.encoded());
        ours.say(kind::PREPARE, &[]);
        assert_eq!(ours.hear().unwrap().kind, kind::READY);
        Self { ours, worker }
    }

    fn give(&mut self, seq: u64) {
        let task = std::borrow::Cow::Owned(Task::numbered(seq, ""));
        self.ours.say(kind::TASK, &TaskRequest { task, attempt: 1 }.encoded());
    }

    /// What is heard next of a kind.
    fn hear(&mut self, kind: u8) -> Vec<u8> {
        let Frame { kind: heard, payload } = self.ours.hear().unwrap();
        assert_eq!(char::from(heard), char::from(kind));
        payload
    }

    fn begun(&mut self) -> (u64, u32) {
        let begun = TaskBegun::decoded(&self.hear(kind::BEGUN)).unwrap();
        (begun.seq, begun.slot)
    }

    fn done(&mut self) -> (u64, Outcome) {
        let TaskReport(record) = TaskReport::decoded(&self.hear(kind::DONE)).unwrap();
        (record.seq, record.outcome)
    }

    fn handed_back(&mut self) -> Vec<u64> {
        numbers_in(&self.hear(kind::NOT_BEGUN)).collect()
    }
}

#[test]
fn a_worker_ends_one_task_hands_back_those_behind_it_and_tells_the_time() {
    let mut two = TwoSlots::new();
    two.give(0);
    assert_eq!(two.begun(), (0, 5));
    two.give(1);
    assert_eq!(two.begun(), (1, 6));
    for seq in 2..6 {
        two.give(seq);
    }
    two.ours.say(kind::HAND_BACK, &2_u64.to_le_bytes());
    assert_eq!(two.handed_back(), [4, 5]);
    // One that waits is handed back, one that runs makes room for the next.
    two.ours.say(kind::END_TASK, &2_u64.to_le_bytes());
    assert_eq!(two.handed_back(), [2]);
    two.ours.say(kind::END_TASK, &1_u64.to_le_bytes());
    assert_eq!((two.done(), two.begun()), ((1, Outcome::Interrupted), (3, 6)));
    // Nobody does that any more.
    two.ours.say(kind::END_TASK, &1_u64.to_le_bytes());
    two.ours.say(kind::HAND_BACK, &u64::MAX.to_le_bytes());
    assert_eq!(two.handed_back(), [0; 0]);
    two.ours.say(kind::TIME, &77_u64.to_le_bytes());
    let time = ClockReading::decoded(&two.hear(kind::TIME_IS)).unwrap();
    assert_eq!(time.asked, Duration::from_nanos(77));
    assert!(time.answered > Duration::ZERO);
    // All that run end, and the worker goes on.
    two.ours.say(kind::END_TASK, &[]);
    let ended = BTreeSet::from([two.done().0, two.done().0]);
    assert_eq!(ended, BTreeSet::from([0, 3]));
    // Which slot is the first to be free again is nobody's promise.
    two.give(9);
    assert_eq!(two.begun().0, 9);
    two.hear(kind::OUT);
    assert_eq!(two.done(), (9, Outcome::Exited(7)));
    two.give(6);
    assert_eq!(two.begun().0, 6);
    two.ours.say(kind::STOP, &[]);
    assert_eq!(two.done(), (6, Outcome::Interrupted));
    two.hear(kind::BYE);
    two.worker.join().unwrap();
}

#[test]
fn who_has_nothing_to_do_gets_what_others_have_not_begun() {
    static HAS_TWO: OnceLock<()> = OnceLock::new();
    static HANDED_BACK: OnceLock<u64> = OnceLock::new();
    /// Begins its first task and ends it only when it has handed back the second.
    fn hoards(stream: UnixStream) {
        let mut end = OtherEnd::ready(stream);
        let (first, second) = (end.begin().unwrap(), end.next_task().unwrap());
        HAS_TWO.set(()).unwrap();
        while end.hear().unwrap().kind != kind::HAND_BACK {}
        end.say(kind::NOT_BEGUN, &numbers_of(&[second]));
        HANDED_BACK.set(second).unwrap();
        end.ends(first, Outcome::Success);
        while let Some(seq) = end.begin() {
            end.ends(seq, Outcome::Success);
        }
        end.leave();
    }
    fn waits(stream: UnixStream) {
        sound_with(stream, || Squares { after: Some(&HAS_TWO), ..Squares::default() });
    }
    let script = |number| Some(if number == 0 { hoards as fn(UnixStream) } else { waits });
    let study = study_of(2, 1, Far(Scripted::new(script)), &undisturbed());
    assert_eq!((study.n_failed(), costs(&study).replaced), (0, 0));
    let seqs: Vec<u64> = records(&study).iter().map(|record| record.seq).collect();
    assert_eq!(seqs, (0..N_TASKS).collect::<Vec<_>>());
    assert!(HANDED_BACK.get().is_some());
}

#[test]
fn what_was_sent_ahead_and_not_begun_is_left_when_nothing_more_is_to_be_begun() {
    static DRAINS: OnceLock<Interrupt> = OnceLock::new();
    /// Begins its first task, and hands back the second one.
    fn slow(stream: UnixStream) {
        let mut end = OtherEnd::ready(stream);
        let (first, second) = (end.begin().unwrap(), end.next_task().unwrap());
        while end.hear().unwrap().kind != kind::HAND_BACK {}
        end.say(kind::NOT_BEGUN, &numbers_of(&[second]));
        end.ends(first, Outcome::Success);
        while end.hear().is_some() {}
        end.leave();
    }
    /// Does one task of an even number and hands back all others.
    fn quick(stream: UnixStream) {
        let mut end = OtherEnd::ready(stream);
        let tasks = [end.next_task().unwrap(), end.next_task().unwrap()];
        for seq in tasks {
            end.begins(seq, 1);
            end.ends(seq, Outcome::Success);
        }
        // Those that it is given now will not begin.
        let mut given = vec![end.next_task().unwrap()];
        DRAINS.get().unwrap().drain();
        loop {
            match end.hear() {
                Some(frame) if frame.kind == kind::TASK => {
                    given.push(TaskRequest::decoded(&frame.payload).unwrap().task.seq);
                }
                Some(frame) if frame.kind == kind::HAND_BACK => {
                    end.say(kind::NOT_BEGUN, &numbers_of(&std::mem::take(&mut given)));
                }
                Some(_) => {}
                None => break,
            }
        }
        end.leave();
    }
    let interrupt = DRAINS.get_or_init(undisturbed);
    let script = |number| Some(if number == 0 { slow as fn(UnixStream) } else { quick });
    let mut squares = Squares { in_order: true, ..Squares::default() };
    let engine = Processes::new(NonZeroUsize::new(2).unwrap(), Far(Scripted::new(script)));
    let experiment = Experiment::new(&mut squares).unwrap().engines(vec![Box::new(engine)]);
    let study = experiment.interrupt(interrupt.clone()).run().unwrap();
    assert_eq!(study.n_failed(), 0);
    assert!(study.left_some);
    // One of those that were done is behind one that was not.
    let done: Vec<u64> = records(&study).iter().map(|record| record.seq).collect();
    assert_eq!(done, [0, 1, 3]);
}

#[test]
fn a_task_that_ends_by_a_signal_while_its_worker_is_ended_was_given_up() {
    /// Is asked to end by somebody, as its task was.
    fn is_ended(stream: UnixStream) {
        let mut end = OtherEnd::ready(stream);
        let seq = end.begin().unwrap();
        end.ends(seq, Outcome::Signaled(libc::SIGTERM));
        end.leave();
    }
    /// Its tasks end by a signal, as far as it can tell.
    fn goes_on(stream: UnixStream) {
        let mut end = OtherEnd::ready(stream);
        while let Some(seq) = end.begin() {
            end.ends(seq, if seq == 3 { Outcome::Exited(143) } else { Outcome::Success });
        }
        end.leave();
    }
    let script = |number| Some(if number == 0 { is_ended as fn(UnixStream) } else { goes_on });
    let study = study_of(1, 1, Scripted::new(script), &undisturbed());
    let ends: Vec<Outcome> = records(&study).iter().map(|record| record.outcome.clone()).collect();
    assert_eq!(ends[0], Outcome::Failed("its worker (number 0) was asked to end".into()));
    assert_eq!(ends[3], Outcome::Exited(143));
    assert_eq!(study.n_failed(), 2);
}

#[test]
fn a_task_that_ends_by_a_signal_just_before_parsim_is_asked_to_end_was_given_up() {
    static ENDS: OnceLock<Interrupt> = OnceLock::new();
    fn is_ended(stream: UnixStream) {
        let mut end = OtherEnd::ready(stream);
        let seq = end.begin().unwrap();
        end.ends(seq, Outcome::Exited(130));
        ENDS.get().unwrap().trigger(libc::SIGINT);
        while end.hear().is_some_and(|frame| frame.kind != kind::STOP) {}
        end.leave();
    }
    /// How the one task ended.
    #[derive(Default)]
    struct Ends(Mutex<Vec<Outcome>>);
    impl Observer for Ends {
        fn observe(&self, event: &Event<'_>) {
            if let Event::TaskFinished(record) = event {
                self.0.lock().push(record.outcome.clone());
            }
        }
    }
    let (interrupt, ends) = (ENDS.get_or_init(undisturbed), Ends::default());
    let mut squares = Squares::default();
    let engine = Processes::new(NonZeroUsize::MIN, Scripted::new(|_| Some(is_ended as fn(UnixStream))));
    let experiment = Experiment::new(&mut squares).unwrap().engines(vec![Box::new(engine)]);
    let study = experiment.interrupt(interrupt.clone()).observer(&ends).run().unwrap();
    assert_eq!(study.cut.unwrap().finished, 0);
    assert_eq!(ends.0.into_inner(), [Outcome::Interrupted]);
}

/// A way to workers on which all that is said takes its time, and which may break.
struct Relayed {
    delay: Duration,
    /// After so many bytes from the worker.
    breaks_after: Option<usize>,
    n_started: AtomicUsize,
    /// The most tasks that a worker had at a time.
    most: Arc<Mutex<usize>>,
}

impl Transport for Relayed {
    fn open(&self) -> anyhow::Result<Box<dyn WorkerStream>> {
        let number = self.n_started.fetch_add(1, Ordering::SeqCst);
        // One that replaces another does not break.
        let limit = self.breaks_after.filter(|_| number == 0).unwrap_or(usize::MAX);
        let (delay, most) = (self.delay, Arc::clone(&self.most));
        let relay = move |near: UnixStream| {
            let (far, theirs) = UnixStream::pair().unwrap();
            let worker = std::thread::spawn(move || sound(theirs));
            let (near_too, far_too) = (near.try_clone().unwrap(), far.try_clone().unwrap());
            let had = Arc::new(Mutex::new(0_usize));
            let there = std::thread::spawn({
                let had = Arc::clone(&had);
                move || {
                    pass(&near_too, &far_too, delay, usize::MAX, |kind| {
                        if kind == kind::TASK {
                            *had.lock() += 1;
                            let mut most = most.lock();
                            *most = (*most).max(*had.lock());
                        }
                    });
                }
            });
            pass(&far, &near, delay, limit, |kind| {
                *had.lock() -= usize::from(kind == kind::DONE);
            });
            let _ = far.shutdown(Shutdown::Both);
            there.join().unwrap();
            worker.join().unwrap();
        };
        Ok(Box::new(Loop::start(number, &Arc::default(), relay)?))
    }

    fn is_far(&self) -> bool {
        true
    }
}

/// Passes on what comes, after `delay`, so many bytes at most; `saw` is told of each frame.
fn pass(
    mut from: &UnixStream,
    mut to: &UnixStream,
    delay: Duration,
    mut limit: usize,
    mut saw: impl FnMut(u8),
) {
    let mut bytes = [0; 4096];
    let (mut frames, mut seen) = (FrameReader::new(LONGEST), Vec::new());
    while let Ok(length) = from.read(&mut bytes) {
        if length == 0 || limit == 0 {
            break;
        }
        let passed = &bytes[..length.min(limit)];
        limit -= passed.len();
        std::thread::sleep(delay);
        seen.extend_from_slice(passed);
        let mut unseen = &seen[..];
        while let Ok(Some(frame)) = frames.receive(&mut unseen) {
            saw(frame.kind);
        }
        seen.clear();
        if to.write_all(passed).is_err() || limit == 0 {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
    if limit == 0 {
        let _ = from.shutdown(Shutdown::Both);
    }
}

#[test]
fn where_the_way_is_long_tasks_are_sent_ahead_and_all_are_done_once() {
    let relayed = Relayed {
        delay: Duration::from_millis(5),
        breaks_after: None,
        n_started: AtomicUsize::new(0),
        most: Arc::default(),
    };
    let most = Arc::clone(&relayed.most);
    let study = study_of(1, 2, relayed, &undisturbed());
    assert_eq!(study.n_failed(), 0);
    assert_eq!(study.columns[0].output.lines().count() as u64, N_TASKS);
    assert!(*most.lock() > 2, "{most:?}");
}

#[test]
fn wherever_the_way_breaks_every_task_is_done_or_failed_once() {
    for breaks_after in (0..1500).step_by(37) {
        let relayed = Relayed {
            delay: Duration::ZERO,
            breaks_after: Some(breaks_after),
            n_started: AtomicUsize::new(0),
            most: Arc::default(),
        };
        // It may break before the worker is ready.
        let Ok(study) = try_study_of(1, 2, relayed, &undisturbed()) else { continue };
        let seqs: Vec<u64> = records(&study).iter().map(|record| record.seq).collect();
        assert_eq!(seqs, (0..N_TASKS).collect::<Vec<_>>(), "{breaks_after}");
        for record in records(&study) {
            let is_lost = matches!(&record.outcome, Outcome::Failed(why) if why.contains("its worker"));
            assert!(record.outcome.is_success() || is_lost, "{breaks_after}: {record:?}");
        }
        assert!(study.n_failed() <= 2, "{breaks_after}: as many as it had slots");
    }
}
