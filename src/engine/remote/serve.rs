//! The worker's side: it hears what it is to be, does task after task, and hands
//! each record back.
//!
//! Tasks are done as everywhere (`run_one`); what is told here is told through the
//! stream. Knows nothing of what carries the words, nor of the batch.

use crate::sync::Mutex;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::protocol::{
    Bye, Frame, Greeting, Hello, Incident, PROTOCOL, TaskReport, TaskRequest, kind, receive, send, send_json,
};
use crate::engine::{RecordSink, Run, StartOrder, TaskQueue, ThreadCpu, run_one};
use crate::event::{Event, Observer};
use crate::host::STACK;
use crate::measure::{Clock, MonotonicClock};
use crate::output::{Acknowledge, Channel, Sink, TaskOutput, TaskRef};
use crate::policy::Policy;
use crate::process::{Interest, Interrupt, Waited};
use crate::task::{Record, Task};
use crate::workload::{Desk, Workload};

/// Progress within a task is told at most so often.
const INTERVAL: Duration = Duration::from_millis(100);

/// TERM: what a worker that is told to end gives its tasks to see.
const ENDED: i32 = libc::SIGTERM;

/// Builds a workload, by its name, from its blueprint.
pub type Build<'a> = &'a dyn Fn(&str, serde_json::Value) -> anyhow::Result<Box<dyn Workload>>;

/// Does what is heard on `from` until there is no more, or until `interrupt` is set,
/// and answers on `to`.
///
/// # Errors
/// When nobody listens, or what is heard is no message.
pub fn serve(
    mut from: impl Read + AsFd + Send,
    to: impl Write + Send,
    interrupt: &Interrupt,
    build: Build<'_>,
) -> io::Result<()> {
    let clock = MonotonicClock::start();
    clock.reset_peak();
    let voice = Voice(Mutex::new(Speaker { to, is_broken: false, waiting: 0, last: Instant::now() }));

    let Some(first) = receive(&mut from)? else { return Ok(()) };
    let (hello, mut workload) = match introduced(&first, build) {
        Ok(introduced) => introduced,
        Err(why) => return voice.say(kind::FAILED, format!("{why:#}").as_bytes()),
    };
    voice.say(kind::READY, &[])?;
    let Some(second) = receive(&mut from)? else { return Ok(()) };
    let prepared = match second.kind {
        kind::SHARED => workload.begin(Some(&second.payload)),
        kind::PREPARE => workload.begin(None),
        other => Err(anyhow::anyhow!("{:?} instead of what tasks share", char::from(other))),
    };
    // It is not needed twice.
    drop(second);
    if let Err(why) = prepared {
        return voice.say(kind::FAILED, format!("{why:#}").as_bytes());
    }
    voice.say(kind::READY, &[])?;

    let (requests, waiting) = channel();
    let (answers, answered) = channel();
    let desk = FarDesk { voice: &voice, answered: Mutex::new(answered) };
    std::thread::scope(|scope| -> io::Result<()> {
        let listens = std::thread::Builder::new().stack_size(STACK);
        listens.spawn_scoped(scope, move || listen(from, interrupt, &requests, &answers))?;
        let mut ledger = &voice;
        let run = Run {
            column: hello.column,
            batch: TaskQueue::new(
                Box::new(std::iter::empty()),
                None,
                &Policy::default(),
                &mut ledger,
                &[],
                interrupt,
                &voice,
            ),
            start_order: StartOrder::default(),
            ordered_starts: workload.profile().ordered_starts,
            desk: Some(&desk),
            sink: &voice,
            digested: hello.digested,
            clock: &clock,
            started: clock.now(),
            interrupt,
            observer: &voice,
        };
        // The order of starts is kept among the tasks of this worker.
        for (turn, TaskRequest { task, slot, attempt }) in (0..).zip(waiting) {
            // Waiting and talking between tasks are not the next one's.
            let mut cpu = ThreadCpu::now(&run);
            let task = Task { turn, slot, ..task.into_owned() };
            run_one(&run, &mut cpu, &task, attempt, &*workload);
            if interrupt.is_set() || voice.0.lock().is_broken {
                break;
            }
        }
        // Whoever listens stops.
        interrupt.trigger(ENDED);
        Ok(())
    })?;
    workload.finish().map_err(io::Error::other)?;
    // Who has gone does not hear it.
    let bye = Bye { peak_memory: clock.peak_memory() };
    let _ = voice.tell(|to| send_json(to, kind::BYE, &bye));
    Ok(())
}

/// What this worker is to be; an error is for the other to hear.
fn introduced(first: &Frame, build: Build<'_>) -> anyhow::Result<(Hello, Box<dyn Workload>)> {
    anyhow::ensure!(first.kind == kind::HELLO, "{:?} instead of a greeting", char::from(first.kind));
    let Greeting { protocol } = first.json()?;
    anyhow::ensure!(
        protocol == PROTOCOL,
        "version {} speaks {PROTOCOL} and not {protocol}: parsim was replaced by another version meanwhile",
        env!("CARGO_PKG_VERSION")
    );
    let hello: Hello = first.json()?;
    let workload = build(&hello.workload, hello.blueprint.clone())?;
    Ok((hello, workload))
}

/// Hears of tasks while others are done, and of the end in the middle of one.
fn listen(
    mut from: impl Read + AsFd,
    interrupt: &Interrupt,
    requests: &Sender<TaskRequest<'static>>,
    answers: &Sender<Value>,
) {
    loop {
        match interrupt.wait_until(from.as_fd(), Interest::Read, Instant::now() + Duration::from_secs(3600)) {
            Ok(Waited::Ready) => {}
            Ok(Waited::TimedOut) => continue,
            Ok(Waited::Interrupted) | Err(_) => return,
        }
        // Told to give up, or nobody is there any more.
        let Ok(Some(frame)) = receive(&mut from) else { break };
        let is_taken = match frame.kind {
            kind::TASK => frame.json().is_ok_and(|request| requests.send(request).is_ok()),
            kind::CONSULT => frame.json().is_ok_and(|answer| answers.send(answer).is_ok()),
            _ => false,
        };
        if !is_taken {
            break;
        }
    }
    interrupt.trigger(ENDED);
}

/// Asks whoever began the run.
struct FarDesk<'a, W> {
    voice: &'a Voice<W>,
    /// Closed when there is nobody to answer any more.
    answered: Mutex<Receiver<Value>>,
}

impl<W: Write + Send> Desk for FarDesk<'_, W> {
    fn ask(&self, question: Value) -> Option<Value> {
        // One question at a time: the next answer is its own.
        let answered = self.answered.lock();
        self.voice.tell(|to| send_json(to, kind::CONSULT, &question)).ok()?;
        answered.recv().ok()
    }
}

/// Tells the other side what happens here.
struct Voice<W>(Mutex<Speaker<W>>);

struct Speaker<W> {
    to: W,
    /// Whether nobody listens any more.
    is_broken: bool,
    /// Bytes produced that were not told of yet.
    waiting: u64,
    /// When they were last told of.
    last: Instant,
}

impl<W> Speaker<W> {
    fn tell(&mut self, send: impl FnOnce(&mut W) -> io::Result<u64>) -> io::Result<()> {
        let said = send(&mut self.to);
        self.is_broken |= said.is_err();
        said.map(drop)
    }
}

impl<W: Write> Voice<W> {
    fn say(&self, kind: u8, payload: &[u8]) -> io::Result<()> {
        self.tell(|to| send(to, kind, payload))
    }

    /// Has `send` say something. What follows a message that was cut is no message.
    fn tell(&self, send: impl FnOnce(&mut W) -> io::Result<u64>) -> io::Result<()> {
        self.0.lock().tell(send)
    }
}

impl<W: Write + Send> Sink for Voice<W> {
    fn open<'a>(&'a self, _task: TaskRef<'a>) -> Box<dyn TaskOutput + 'a> {
        Box::new(SpokenOutput(self))
    }
}

/// What one task writes.
struct SpokenOutput<'a, W>(&'a Voice<W>);

impl<W: Write> TaskOutput for SpokenOutput<'_, W> {
    fn write(&mut self, channel: Channel, bytes: &[u8]) -> io::Result<()> {
        let kind = match channel {
            Channel::Out => kind::OUT,
            Channel::Err => kind::ERR,
        };
        self.0.say(kind, bytes)
    }

    fn close(self: Box<Self>, record: Record, acknowledge: &dyn Acknowledge) {
        acknowledge.acknowledge(record);
    }
}

impl<W: Write + Send> Observer for Voice<W> {
    fn observe(&self, event: &Event<'_>) {
        // That nobody listens shows when the record is handed back.
        match event {
            Event::Advanced { bytes } => {
                let mut speaker = self.0.lock();
                speaker.waiting += bytes;
                if speaker.last.elapsed() >= INTERVAL {
                    let told = std::mem::take(&mut speaker.waiting);
                    speaker.last = Instant::now();
                    let _ = speaker.tell(|to| send(to, kind::ADVANCED, &told.to_le_bytes()));
                }
            }
            Event::TaskNamed { label, .. } => drop(self.say(kind::NAMED, label.as_bytes())),
            other => {
                if let Some(incident) = Incident::of(other) {
                    let _ = self.tell(|to| send_json(to, kind::INCIDENT, &incident));
                }
            }
        }
    }
}

impl<W: Write + Send> RecordSink for &Voice<W> {
    fn enter(&mut self, mut record: Record) {
        let line = record.line.take();
        let mut speaker = self.0.lock();
        // The record tells of them.
        speaker.waiting = 0;
        let _ = speaker.tell(|to| send_json(to, kind::DONE, &TaskReport { record, line }));
    }
}
