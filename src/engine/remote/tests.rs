//! Workers on threads of this process, which speak over a pair of sockets: those
//! that do as they should, and those that do not.

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;

use serde_json::{Value, json};

use super::protocol::{Frame, kind, receive, send, send_json};
use super::transport::WorkerStream;
use super::*;
use crate::experiment::Experiment;
use crate::process::Interrupt;
use crate::study::Study;
use crate::task::{Outcome, Record, Task};
use crate::workload::{Cx, Portable, Tasks, numbered};

/// Task i writes what all share, and i squared.
#[derive(Default)]
pub(super) struct Squares {
    pub(super) shared: Option<String>,
    /// No task begins before this.
    pub(super) after: Option<&'static OnceLock<()>>,
    /// This task has parsim asked to end, and waits for it.
    pub(super) ends: Option<(u64, Interrupt)>,
    /// This task fails in the first tries, so many of them.
    pub(super) fails: Option<(u64, u32)>,
    /// All others last until they are told to end.
    pub(super) others_last: bool,
    /// Each asks whoever began the run what to write.
    pub(super) asks: bool,
    /// How many asked.
    pub(super) asked: AtomicU64,
}

const N_TASKS: u64 = 8;

impl Workload for Squares {
    fn name(&self) -> &'static str {
        "squares"
    }

    fn tasks(&self) -> Tasks<'_> {
        numbered(N_TASKS)
    }

    fn begin(&mut self, shared: Option<&[u8]>) -> anyhow::Result<()> {
        self.shared = Some(String::from_utf8(shared.unwrap_or(b"square").to_vec())?);
        Ok(())
    }

    fn portable(&self) -> Option<&dyn Portable> {
        Some(self)
    }

    fn answer(&self, question: Value) -> Value {
        let earlier = self.asked.fetch_add(1, Ordering::SeqCst);
        json!([question, earlier / N_TASKS])
    }

    fn run(&self, task: &Task, cx: &mut Cx<'_>) -> Outcome {
        if let Some((_, interrupt)) = self.ends.as_ref().filter(|(seq, _)| *seq == task.seq) {
            interrupt.trigger(libc::SIGTERM);
            // Not the one that was set here: what this worker is told.
            let is_left = cx.interrupt().sleep(Duration::from_secs(600));
            return if is_left { Outcome::Success } else { Outcome::Interrupted };
        }
        if let Some(after) = self.after {
            after.wait();
        }
        match self.fails {
            Some((seq, tries)) if seq == task.seq && cx.attempt() <= tries => {
                let _ = cx.write(b"what a try wrote that failed\n");
                return Outcome::Exited(7);
            }
            Some((seq, _)) if seq != task.seq && self.others_last => {
                let is_left = cx.interrupt().sleep(Duration::from_secs(600));
                return if is_left { Outcome::Success } else { Outcome::Interrupted };
            }
            Some(_) | None => {}
        }
        let shared = self.shared.as_deref().unwrap_or("nothing");
        if self.asks {
            let answer = cx.consultant().ask(json!(task.seq)).unwrap_or_default();
            return Outcome::from(cx.write(format!("{answer}\n").as_bytes()));
        }
        cx.timed("square", |_| ());
        Outcome::from(cx.write(format!("{shared} {}\n", task.seq * task.seq).as_bytes()))
    }
}

impl Portable for Squares {
    fn spec(&self) -> serde_json::Value {
        serde_json::Value::Null
    }

    fn export_shared(&self) -> Option<Vec<u8>> {
        self.shared.clone().map(String::into_bytes)
    }
}

/// A worker that does as it should.
pub(super) fn sound(stream: UnixStream) {
    sound_with(stream, Squares::default);
}

pub(super) fn sound_with(stream: UnixStream, workload: impl Fn() -> Squares) {
    let interrupt = Interrupt::unbound().unwrap();
    let to = stream.try_clone().unwrap();
    let build = |name: &str, _| {
        assert_eq!(name, "squares");
        Ok(Box::new(workload()) as Box<dyn Workload>)
    };
    serve(stream, to, &interrupt, &build).unwrap();
}

/// One that is ready for tasks, and nothing more.
pub(super) fn ready(stream: &mut UnixStream) {
    for expected in [kind::HELLO, kind::SHARED] {
        assert_eq!(receive(stream).unwrap().unwrap().kind, expected);
        send(stream, kind::READY, &[]).unwrap();
    }
}

/// Starts the worker that `script` makes of its number, from 0.
pub(super) struct Scripted<F> {
    script: F,
    n_started: AtomicUsize,
    n_bytes: Arc<AtomicU64>,
}

impl<F: Fn(usize) -> Option<fn(UnixStream)> + Sync> Scripted<F> {
    pub(super) fn new(script: F) -> Self {
        Self { script, n_started: AtomicUsize::new(0), n_bytes: Arc::default() }
    }
}

impl<F: Fn(usize) -> Option<fn(UnixStream)> + Sync> Transport for Scripted<F> {
    fn open(&self) -> anyhow::Result<Box<dyn WorkerStream>> {
        let number = self.n_started.fetch_add(1, Ordering::SeqCst);
        let worker = (self.script)(number).context("no more workers")?;
        let (ours, theirs) = UnixStream::pair()?;
        let thread = std::thread::spawn(move || worker(theirs));
        let n_bytes = Arc::clone(&self.n_bytes);
        Ok(Box::new(Loop { stream: ours, number, thread: Some(thread), n_bytes }))
    }
}

struct Loop {
    stream: UnixStream,
    number: usize,
    thread: Option<JoinHandle<()>>,
    /// What passes, both ways.
    n_bytes: Arc<AtomicU64>,
}

impl Loop {
    fn counted(&self, n_bytes: usize) -> usize {
        self.n_bytes.fetch_add(n_bytes as u64, Ordering::SeqCst);
        n_bytes
    }
}

impl WorkerStream for Loop {
    fn name(&self) -> String {
        format!("number {}", self.number)
    }

    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        Some(self.stream.as_fd())
    }

    fn hang_up(&mut self) {
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    fn reap(&mut self, _patience: Duration) -> Option<String> {
        let _ = self.stream.shutdown(Shutdown::Both);
        self.thread.take()?.join().unwrap();
        None
    }
}

impl Read for Loop {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.stream.read(bytes).map(|n_bytes| self.counted(n_bytes))
    }
}

impl Write for Loop {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.write(bytes).map(|n_bytes| self.counted(n_bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Loop {
    fn drop(&mut self) {
        self.reap(Duration::ZERO);
    }
}

/// The study of both ways, with so many workers.
pub(super) fn study_of(width: usize, transport: impl Transport) -> anyhow::Result<Study> {
    let width = NonZeroUsize::new(width).unwrap();
    let mut squares = Squares::default();
    Experiment::new(&mut squares)?
        .engines(vec![Box::new(super::super::Serial), Box::new(Processes::new(width, transport))])
        .run()
}

pub(super) fn records(study: &Study) -> &[Record] {
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
    assert_eq!(records(&study)[3].spans[0].name, "square");
}

#[test]
fn what_all_tasks_of_a_run_are_to_know_is_asked_of_who_began_it() {
    let mut squares = Squares { asks: true, ..Squares::default() };
    let worker: fn(UnixStream) = |stream| sound_with(stream, || Squares { asks: true, ..Squares::default() });
    let width = NonZeroUsize::new(3).unwrap();
    let processes = Processes::new(width, Scripted::new(move |_| Some(worker)));
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
    };
    assert_eq!(super::crew(&[cost(1), cost(2), cost(3)], seconds(7), seconds(20)), expected);
}

#[test]
fn a_worker_that_ends_in_the_middle_of_a_task_fails_it_and_is_replaced() {
    fn dies(mut stream: UnixStream) {
        ready(&mut stream);
        assert_eq!(receive(&mut stream).unwrap().unwrap().kind, kind::TASK);
    }
    let study = study_of(1, Scripted::new(|number| Some(if number == 0 { dies } else { sound }))).unwrap();
    let failed: Vec<_> = records(&study).iter().filter(|record| !record.outcome.is_success()).collect();
    assert_eq!(failed.len(), 1);
    assert_eq!(failed[0].outcome, Outcome::Failed("its worker (number 0) ended".to_owned()));
    assert_eq!(records(&study).len() as u64, N_TASKS);
    assert_eq!(crew(&study).replaced, 1);
}

#[test]
fn a_task_that_its_worker_did_not_begin_is_done_by_the_next() {
    fn leaves(mut stream: UnixStream) {
        ready(&mut stream);
        receive(&mut stream).unwrap();
        send_json(&mut stream, kind::BYE, &protocol::Bye::default()).unwrap();
    }
    let study = study_of(1, Scripted::new(|number| Some(if number < 2 { leaves } else { sound }))).unwrap();
    assert!(study.agrees() && study.n_failed() == 0);
    assert_eq!(crew(&study).replaced, 2);
}

#[test]
fn a_task_that_no_worker_begins_has_failed() {
    fn leaves(mut stream: UnixStream) {
        ready(&mut stream);
    }
    let study = study_of(2, Scripted::new(|_| Some(leaves))).unwrap();
    assert_eq!(study.n_failed() as u64, N_TASKS);
    // That it left may be noticed only after the task was sent.
    assert!(records(&study).iter().all(|record| record.outcome.is_failure()));
}

#[test]
fn where_no_worker_is_to_be_had_any_more_the_others_do_the_rest() {
    fn leaves(mut stream: UnixStream) {
        ready(&mut stream);
        receive(&mut stream).unwrap();
        send_json(&mut stream, kind::BYE, &protocol::Bye::default()).unwrap();
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
    assert_eq!(study.n_failed(), 1);
    let expected = Outcome::Failed("no worker to do it: no more workers".to_owned());
    assert!(records(&study).iter().any(|record| record.outcome == expected));
}

#[test]
fn where_no_worker_is_left_at_all_that_is_an_error() {
    fn dies(mut stream: UnixStream) {
        ready(&mut stream);
        receive(&mut stream).unwrap();
    }
    let study = study_of(1, Scripted::new(|number| (number < 1).then_some(dies as fn(UnixStream)))).unwrap();
    assert_eq!(study.trouble.unwrap(), "no worker process is left, and tasks are: no more workers");
}

#[test]
fn a_worker_that_cannot_be_what_it_is_to_be_says_why_before_any_task() {
    fn refuses(mut stream: UnixStream) {
        receive(&mut stream).unwrap();
        send(&mut stream, kind::FAILED, b"there is no workload \"squares\"").unwrap();
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
        let _ = receive(&mut stream);
    }
    let error = study_of(2, Scripted::new(|_| Some(prints))).unwrap().trouble.unwrap();
    assert!(error.contains("not what a parsim worker says"), "{error}");
}

#[test]
fn words_that_mean_nothing_lose_the_task_and_the_worker() {
    fn babbles(mut stream: UnixStream) {
        ready(&mut stream);
        receive(&mut stream).unwrap();
        send(&mut stream, b'?', b"").unwrap();
        // Whether it is heard of any more or not.
        let _ = receive(&mut stream);
    }
    let study = study_of(1, Scripted::new(|number| Some(if number == 0 { babbles } else { sound }))).unwrap();
    let expected = Outcome::Failed("its worker (number 0) says '?', which means nothing".to_owned());
    assert!(records(&study).iter().any(|record| record.outcome == expected));
    assert_eq!(study.n_failed(), 1);
}

#[test]
fn workers_are_told_to_give_up_when_parsim_is_to_end() {
    struct Ending(Interrupt);
    impl Transport for Ending {
        fn open(&self) -> anyhow::Result<Box<dyn WorkerStream>> {
            let (ours, theirs) = UnixStream::pair()?;
            let interrupt = self.0.clone();
            let workload = move || Squares { ends: Some((5, interrupt.clone())), ..Squares::default() };
            let thread = std::thread::spawn(move || sound_with(theirs, workload));
            Ok(Box::new(Loop { stream: ours, number: 0, thread: Some(thread), n_bytes: Arc::default() }))
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
    assert_eq!((&*cut.way, cut.finished, cut.tasks), ("processes", 5, None));
    assert!(study.columns[0].runs.is_empty());
}

#[test]
fn a_worker_of_another_version_says_which_one_it_speaks() {
    let (mut ours, theirs) = UnixStream::pair().unwrap();
    let worker = std::thread::spawn(move || sound(theirs));
    send(&mut ours, kind::HELLO, br#"{"protocol":"parsim-worker/999"}"#).unwrap();
    let Frame { kind: said, payload } = receive(&mut ours).unwrap().unwrap();
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

/// A way to a worker on which the `broken`-th write fails; the worker itself is sound.
struct Breaking {
    link: Loop,
    n_writes: usize,
    broken: usize,
}

impl WorkerStream for Breaking {
    fn name(&self) -> String {
        self.link.name()
    }

    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        self.link.descriptor()
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
        self.n_writes += 1;
        if self.n_writes == self.broken {
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
        broken: usize,
        /// In every worker, or in the first one only.
        always: bool,
    }
    impl Transport for Breaks {
        fn open(&self) -> anyhow::Result<Box<dyn WorkerStream>> {
            let number = self.n_started.fetch_add(1, Ordering::SeqCst);
            let (ours, theirs) = UnixStream::pair()?;
            let thread = std::thread::spawn(move || sound(theirs));
            let link = Loop { stream: ours, number, thread: Some(thread), n_bytes: Arc::default() };
            let broken = if self.always || number == 0 { self.broken } else { 0 };
            Ok(Box::new(Breaking { link, n_writes: 0, broken }))
        }
    }
    let study = |broken, always| study_of(1, Breaks { n_started: AtomicUsize::new(0), broken, always });
    // What it is to be, and what tasks share: without it no task is begun.
    for broken in [1, 2] {
        let error = study(broken, false).unwrap().trouble.unwrap();
        assert!(error.contains("write to the worker (number 0)"), "{broken}: {error}");
    }
    // A task that it was not given is another one's.
    for broken in [3, 4, 10] {
        let study = study(broken, false).unwrap();
        assert!(study.agrees() && study.n_failed() == 0, "{broken}");
    }
    // Each worker does one task before it cannot be told of another.
    assert!(study(4, true).unwrap().agrees());
    // None can be told of any.
    assert_eq!(study(3, true).unwrap().n_failed(), usize::try_from(N_TASKS).unwrap());
}
