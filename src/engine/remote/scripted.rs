//! Workers on threads of this process, which speak over a pair of sockets: those
//! that do as they should, and those that follow a script.

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, OnceLock};
use std::thread::JoinHandle;

use serde_json::{Value, json};

use super::frame::{Frame, FrameReader, LONGEST, put_frame};
use super::protocol::{Bye, Hello, PROTOCOL, TaskBegun, WorkerHost, kind};
use super::request::{TaskReport, TaskRequest};
use super::transport::WorkerStream;
use super::*;
use crate::output::{Kept, Ordered, Sink};
use crate::process::Interrupt;
use crate::sync::Mutex;
use crate::task::{Column, NodeName, Outcome, Record, Task};
use crate::workload::{Cx, Outlet, Portable, Profile, RunProcess, Size, Tasks, numbered};

/// Task i writes what all share, and i squared.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "what a test wants of it, one by one")]
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
    /// Whether what tasks write waits for what comes before it.
    pub(super) in_order: bool,
    /// Whether nobody knows how many tasks there are.
    pub(super) is_uncounted: bool,
    /// A task ends only together with others.
    pub(super) together: Option<&'static Barrier>,
    /// The workers after whom was cleaned up.
    pub(super) cleaned_after: Mutex<Vec<u32>>,
}

pub(super) const N_TASKS: u64 = 8;

impl Workload for Squares {
    fn name(&self) -> &'static str {
        "squares"
    }

    fn tasks(&self) -> Tasks<'_> {
        numbered(N_TASKS)
    }

    fn profile(&self) -> Profile {
        let tasks = (!self.is_uncounted).then_some(N_TASKS);
        Profile { size: Size { tasks, ..Size::default() }, ..Profile::default() }
    }

    fn begin(&mut self, process: RunProcess<'_>) -> anyhow::Result<()> {
        self.shared = Some(String::from_utf8(process.shared().unwrap_or(b"square").to_vec())?);
        Ok(())
    }

    fn portable(&self) -> Option<&dyn Portable> {
        Some(self)
    }

    fn outlet(&self) -> Option<&dyn Outlet> {
        Some(self)
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
        if let Some(together) = self.together {
            together.wait();
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

impl Outlet for Squares {
    fn open(&self, _column: &Column) -> Option<Box<dyn Sink + '_>> {
        self.in_order.then(|| Box::new(Ordered::new(Kept::new(1000), 1000)) as Box<dyn Sink>)
    }
}

impl Portable for Squares {
    fn answer(&self, question: Value) -> Value {
        let earlier = self.asked.fetch_add(1, Ordering::SeqCst);
        json!([question, earlier / N_TASKS])
    }

    fn spec(&self) -> serde_json::Value {
        serde_json::Value::Null
    }

    fn export_shared(&self) -> Option<Vec<u8>> {
        self.shared.clone().map(String::into_bytes)
    }

    fn clean_after(&self, _column: &Column, process: u32) {
        self.cleaned_after.lock().push(process);
    }
}

/// What a worker of [`Squares`] is greeted with.
pub(super) fn greeting() -> Hello {
    Hello {
        protocol: PROTOCOL.to_owned(),
        version: "1".to_owned(),
        workload: "squares".to_owned(),
        blueprint: serde_json::Value::Null,
        column: Column::PARALLEL,
        digested: false,
        node: None,
    }
}

/// A worker that does as it should.
pub(super) fn sound(stream: UnixStream) {
    sound_with(stream, Squares::default);
}

pub(super) fn sound_with(stream: UnixStream, workload: impl Fn() -> Squares) {
    let interrupt = Interrupt::unbound().unwrap();
    let to = stream.try_clone().unwrap();
    let build = |name: &str, _, _: Option<&NodeName>| {
        assert_eq!(name, "squares");
        Ok(Box::new(workload()) as Box<dyn Workload>)
    };
    // Who is sent home before it is ready speaks to nobody.
    if let Err(error) = serve(stream, to, &interrupt, &build) {
        let is_cut = matches!(error.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::UnexpectedEof);
        assert!(is_cut, "{error}");
    }
}

/// The other end of a link, for a worker that does not do as it should.
pub(super) struct OtherEnd {
    stream: UnixStream,
    frames: FrameReader,
}

impl OtherEnd {
    pub(super) fn new(stream: UnixStream) -> Self {
        Self { stream, frames: FrameReader::new(LONGEST) }
    }

    /// One that is ready for tasks.
    pub(super) fn ready(stream: UnixStream) -> Self {
        let mut end = Self::new(stream);
        let host = serde_json::to_vec(&WorkerHost::default()).unwrap();
        for (expected, answer) in
            [(kind::HELLO, Some(&host[..])), (kind::SLOTS, None), (kind::SHARED, Some(&[]))]
        {
            // It may be sent home before that.
            let Some(frame) = end.hear() else { break };
            assert_eq!(frame.kind, expected);
            if let Some(answer) = answer {
                end.say(kind::READY, answer);
            }
        }
        end
    }

    /// `None` when nothing more is said.
    pub(super) fn hear(&mut self) -> Option<Frame> {
        self.frames.receive(&mut self.stream).ok().flatten()
    }

    /// The next task that it is given, if it is given one.
    pub(super) fn next_task(&mut self) -> Option<u64> {
        loop {
            let frame = self.hear()?;
            if frame.kind == kind::TASK {
                return Some(TaskRequest::decoded(&frame.payload).unwrap().task.seq);
            }
        }
    }

    /// Begins the next task that it is given, if it is given one.
    pub(super) fn begin(&mut self) -> Option<u64> {
        let seq = self.next_task()?;
        self.begins(seq, 0);
        Some(seq)
    }

    pub(super) fn begins(&mut self, seq: u64, slot: u32) {
        let begun = TaskBegun { seq, slot, at: Duration::ZERO };
        self.say(kind::BEGUN, &begun.encoded());
    }

    pub(super) fn ends(&mut self, seq: u64, outcome: Outcome) {
        let report = TaskReport(Record::without_measures(seq, outcome));
        self.say(kind::DONE, &report.encoded().unwrap());
    }

    /// Whether anybody listens or not.
    pub(super) fn say(&mut self, kind: u8, payload: &[u8]) {
        let mut wire = Vec::new();
        put_frame(&mut wire, kind, &[payload], LONGEST).unwrap();
        let _ = self.stream.write_all(&wire);
    }

    /// The beginning of something.
    pub(super) fn say_half(&mut self, kind: u8) {
        let mut wire = Vec::new();
        put_frame(&mut wire, kind, &[b"more than this"], LONGEST).unwrap();
        let _ = self.stream.write_all(&wire[..9]);
    }

    pub(super) fn say_of(&mut self, seq: u64, kind: u8, payload: &[u8]) {
        self.say(kind, &[&seq.to_le_bytes(), payload].concat());
    }

    pub(super) fn leave(mut self) {
        self.say(kind::BYE, &serde_json::to_vec(&Bye::default()).unwrap());
    }
}

/// Starts the worker that `script` makes of its number, from 0.
pub(super) struct Scripted<F> {
    script: F,
    pub(super) n_started: Arc<AtomicUsize>,
    pub(super) n_bytes: Arc<AtomicU64>,
}

impl<F: Fn(usize) -> Option<fn(UnixStream)> + Sync> Scripted<F> {
    pub(super) fn new(script: F) -> Self {
        Self { script, n_started: Arc::default(), n_bytes: Arc::default() }
    }
}

impl<F: Fn(usize) -> Option<fn(UnixStream)> + Sync> Transport for Scripted<F> {
    fn open(&self) -> anyhow::Result<Box<dyn WorkerStream>> {
        let number = self.n_started.fetch_add(1, Ordering::SeqCst);
        let worker = (self.script)(number).context("no more workers")?;
        Ok(Box::new(Loop::start(number, &self.n_bytes, worker)?))
    }
}

pub(super) struct Loop {
    stream: UnixStream,
    number: usize,
    thread: Option<JoinHandle<()>>,
    /// What passes, both ways.
    n_bytes: Arc<AtomicU64>,
}

impl Loop {
    pub(super) fn start(
        number: usize,
        n_bytes: &Arc<AtomicU64>,
        worker: impl FnOnce(UnixStream) + Send + 'static,
    ) -> anyhow::Result<Self> {
        let (stream, theirs) = UnixStream::pair()?;
        stream.set_nonblocking(true)?;
        let thread = Some(std::thread::spawn(move || worker(theirs)));
        Ok(Self { stream, number, thread, n_bytes: Arc::clone(n_bytes) })
    }

    fn counted(&self, n_bytes: usize) -> usize {
        self.n_bytes.fetch_add(n_bytes as u64, Ordering::SeqCst);
        n_bytes
    }
}

impl WorkerStream for Loop {
    fn name(&self) -> String {
        format!("number {}", self.number)
    }

    /// As if it were one.
    fn process(&self) -> Option<u32> {
        u32::try_from(self.number).ok()
    }

    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        Some(self.stream.as_fd())
    }

    fn write_descriptor(&self) -> Option<BorrowedFd<'_>> {
        self.descriptor()
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
