//! The worker's side: it hears what it is to be, does the tasks that it is given, as many
//! at a time as it has slots, and hands each record back.
//!
//! Tasks are done as everywhere (`run_one`); what is told here is told through the
//! stream. Knows nothing of what carries the words, nor of the batch.

use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::thread::Builder;
use std::time::Instant;

use anyhow::Context as _;

use super::frame::{Frame, FrameReader, LONGEST, PayloadCursor};
use super::protocol::{
    BEAT, Bye, ClockReading, Greeting, Hello, NOTHING, PROTOCOL, SlotRange, TaskBegun, WorkerHost, kind,
    numbers_of,
};
use super::request::TaskRequest;
use super::seats::{ENDED, WorkerSeats};
use super::voice::{SlotVoice, Voice};
use crate::engine::{Run, StartOrder, TaskQueue, ThreadCpu, run_one};
use crate::host::{self, STACK};
use crate::measure::{Clock, MonotonicClock};
use crate::policy::Policy;
use crate::process::{Interest, Interrupt, Waited};
use crate::task::{NodeName, Outcome, Task};
use crate::workload::{Cx, RunProcess, Tasks, Workload};

/// Builds a workload, by its name, from its blueprint, on the machine that is called so.
pub type Build<'a> =
    &'a dyn Fn(&str, serde_json::Value, Option<&NodeName>) -> anyhow::Result<Box<dyn Workload>>;

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
    let voice = Voice::new(to);
    let mut frames = FrameReader::new(LONGEST);

    let Some(first) = next_frame(&mut frames, &mut from)? else { return Ok(()) };
    let (hello, mut workload) = match introduced(&first, build) {
        Ok(introduced) => introduced,
        Err(why) => return voice.say(kind::FAILED, &[format!("{why:#}").as_bytes()]),
    };
    voice.say(kind::READY, &[&serde_json::to_vec(&whereabouts())?])?;
    if hello.workload == NOTHING {
        return tell_the_time(&mut from, &mut frames, &voice, &clock);
    }
    let Some(slots) = next_frame(&mut frames, &mut from)? else { return Ok(()) };
    let Some(slots) = SlotRange::decoded(&slots.payload).filter(|_| slots.kind == kind::SLOTS) else {
        return voice.say(kind::FAILED, &[b"a message is missing: how many slots to use"]);
    };
    let Some(second) = next_frame(&mut frames, &mut from)? else { return Ok(()) };
    let prepared = match second.kind {
        kind::SHARED => workload.begin(RunProcess::Worker(Some(&second.payload))),
        kind::PREPARE => workload.begin(RunProcess::Worker(None)),
        other => {
            Err(anyhow::anyhow!("a message {:?} instead of the data that tasks share", char::from(other)))
        }
    };
    // It is not needed twice.
    drop(second);
    if let Err(why) = prepared {
        return voice.say(kind::FAILED, &[format!("{why:#}").as_bytes()]);
    }
    voice.say(kind::READY, &[])?;

    let (first_slot, slots) = (slots.first, slots.count as usize);
    let worker = Worker {
        workload: &*workload,
        hello: &hello,
        first_slot,
        clock: &clock,
        voice: &voice,
        seats: &WorkerSeats::new(slots),
        start_order: &StartOrder::default(),
        stops: interrupt,
    };
    std::thread::scope(|scope| -> io::Result<()> {
        let thread = || Builder::new().stack_size(STACK);
        thread().spawn_scoped(scope, || worker.listen(from, frames))?;
        for slot in 1..slots {
            let started = thread().spawn_scoped(scope, move || worker.do_tasks(slot));
            // Those that there are would be waited for.
            started.inspect_err(|_| worker.stop())?;
        }
        worker.do_tasks(0);
        Ok(())
    })?;
    workload.finish().map_err(io::Error::other)?;
    // Who has gone does not hear it.
    let bye = Bye { peak_memory: clock.peak_memory() };
    let _ = voice.say(kind::BYE, &[&serde_json::to_vec(&bye)?]);
    Ok(())
}

/// The next message; `None` where whoever speaks is gone, in the middle of one, too.
fn next_frame(frames: &mut FrameReader, from: &mut impl Read) -> io::Result<Option<Frame>> {
    match frames.receive(from) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        heard => heard,
    }
}

/// Answers who only wants to know how far away it is.
fn tell_the_time(
    from: &mut impl Read,
    frames: &mut FrameReader,
    voice: &Voice<impl Write>,
    clock: &MonotonicClock,
) -> io::Result<()> {
    while let Some(frame) = next_frame(frames, from)? {
        if frame.kind != kind::TIME {
            return voice.say(kind::FAILED, &[b"it was asked for nothing but the time"]);
        }
        voice.say(kind::TIME_IS, &[&ClockReading::answer(&frame.payload, clock.now())])?;
        voice.flush();
    }
    Ok(())
}

/// What this worker is to be; an error is for the other to hear.
fn introduced(first: &Frame, build: Build<'_>) -> anyhow::Result<(Hello, Box<dyn Workload>)> {
    anyhow::ensure!(
        first.kind == kind::HELLO,
        "a message {:?} instead of a greeting",
        char::from(first.kind)
    );
    let Greeting { protocol } = serde_json::from_slice(&first.payload)?;
    anyhow::ensure!(
        protocol == PROTOCOL,
        "version {} speaks {PROTOCOL} and not {protocol}: parsim was replaced by another version in the meantime",
        env!("CARGO_PKG_VERSION")
    );
    let hello: Hello = serde_json::from_slice(&first.payload)?;
    if hello.workload == NOTHING {
        return Ok((hello, Box::new(Idle)));
    }
    let workload = build(&hello.workload, hello.blueprint.clone(), hello.node.as_ref())?;
    Ok((hello, workload))
}

/// The workload of a worker that does nothing.
struct Idle;

impl Workload for Idle {
    fn name(&self) -> &str {
        NOTHING
    }

    fn tasks(&self) -> Tasks<'_> {
        Box::new(std::iter::empty())
    }

    fn run(&self, _task: &Task, _cx: &mut Cx<'_>) -> Outcome {
        Outcome::Failed("it was to do nothing".into())
    }
}

/// Where this is.
fn whereabouts() -> WorkerHost {
    WorkerHost {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        host: host::name().unwrap_or_default(),
        cores: host::Limits::detect().usable,
        memory: host::memory_room(),
        load: host::load(),
        boot_id: host::boot_id(),
        takes_lines: false,
    }
}

/// What the threads of a worker share.
struct Worker<'a, W> {
    workload: &'a dyn Workload,
    hello: &'a Hello,
    /// Its first slot of the batch.
    first_slot: u32,
    clock: &'a MonotonicClock,
    voice: &'a Voice<W>,
    seats: &'a WorkerSeats,
    /// That of the tasks of this worker.
    start_order: &'a StartOrder,
    /// Set when the process is to end.
    stops: &'a Interrupt,
}

impl<W> Clone for Worker<'_, W> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<W> Copy for Worker<'_, W> {}

impl<W: Write + Send> Worker<'_, W> {
    /// Hears of tasks while others are done, and of the end in the middle of some.
    fn listen(self, mut from: impl Read + AsFd, mut frames: FrameReader) {
        let mut beat = Instant::now() + BEAT;
        loop {
            match frames.next() {
                Ok(Some(frame)) => match self.hear(&frame) {
                    Some(()) => continue,
                    None => break,
                },
                Ok(None) => {}
                Err(_) => break,
            }
            match self.stops.wait_until(from.as_fd(), Interest::Read, beat) {
                Ok(Waited::Ready) => {}
                Ok(Waited::TimedOut) => {
                    self.voice.say_unless_busy(kind::BEAT);
                    beat = Instant::now() + BEAT;
                    continue;
                }
                Ok(Waited::Interrupted) | Err(_) => break,
            }
            // Nobody may be there any more.
            if frames.fill(&mut from).is_ok_and(|n_bytes| n_bytes > 0) {
                continue;
            }
            break;
        }
        self.stop();
    }

    /// Does what it is told; `None` when that is to give up, or nothing that means anything.
    fn hear(self, frame: &Frame) -> Option<()> {
        let number = || PayloadCursor(&frame.payload).u64();
        let hand_back = |tasks: &[u64]| self.voice.say(kind::NOT_BEGUN, &[&numbers_of(tasks)]);
        match frame.kind {
            kind::TASK => self.seats.give(TaskRequest::decoded(&frame.payload)?),
            kind::HAND_BACK => hand_back(&self.seats.take_back(number()?)).ok()?,
            kind::END_TASK if frame.payload.is_empty() => self.seats.end_all(),
            kind::END_TASK => {
                let seq = number()?;
                if self.seats.end(seq) {
                    hand_back(&[seq]).ok()?;
                }
            }
            kind::CONSULT => {
                let mut cursor = PayloadCursor(&frame.payload);
                self.seats.answer(cursor.u64()?, serde_json::from_slice(cursor.0).ok()?);
            }
            kind::TIME => {
                let answer = ClockReading::answer(&frame.payload, self.clock.now());
                self.voice.say(kind::TIME_IS, &[&answer]).ok()?;
            }
            _ => return None,
        }
        Some(())
    }

    /// Gives up what is being done, and begins nothing more.
    fn stop(self) {
        self.seats.close();
        // Whoever listens stops.
        self.stops.trigger(ENDED);
    }

    /// Does tasks in a slot, until there are none any more.
    fn do_tasks(self, slot: usize) {
        loop {
            match self.seats.sit_down(slot).context("cannot prepare to end tasks") {
                Ok(Some(interrupt)) => self.do_tasks_until(slot, &interrupt),
                Ok(None) => return,
                Err(error) => {
                    // Who has gone does not hear it.
                    let _ = self.voice.say(kind::FAILED, &[format!("{error:#}").as_bytes()]);
                    return self.stop();
                }
            }
        }
    }

    fn do_tasks_until(self, slot: usize, interrupt: &Interrupt) {
        let voice = SlotVoice::new(self.voice, self.seats, slot);
        let mut ledger = &voice;
        let no_tasks = Box::new(std::iter::empty());
        let run = Run {
            column: self.hello.column.clone(),
            batch: TaskQueue::new(no_tasks, None, &Policy::default(), &mut ledger, &[], interrupt, &voice),
            start_order: self.start_order,
            ordered_starts: self.workload.profile().ordered_starts,
            desk: Some(&voice),
            sink: &voice,
            digested: self.hello.digested,
            clock: self.clock,
            started: self.clock.now(),
            interrupt,
            observer: &voice,
        };
        let number = self.first_slot + u32::try_from(slot).expect("it was one before");
        while let Some((turn, TaskRequest { task, attempt })) = self.seats.next(slot, || self.voice.flush()) {
            // Waiting and talking between tasks are not the next one's.
            let mut cpu = ThreadCpu::now(&run);
            // The order of starts is kept among the tasks of this worker.
            let task = Task { turn, slot: number, ..task.into_owned() };
            voice.begins(&TaskBegun { seq: task.seq, slot: number, at: self.clock.now() });
            if self.voice.is_broken() {
                // Who does not hear that it begins has it done by another.
                return self.stop();
            }
            run_one(&run, &mut cpu, &task, attempt, self.workload);
            if self.voice.is_broken() {
                return self.stop();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;
    use std::net::Shutdown;
    use std::os::unix::net::UnixStream;

    use super::super::scripted::{OtherEnd, Squares, greeting};
    use super::*;

    /// Hears nothing more once a task begins.
    struct Deaf(UnixStream);

    impl Write for Deaf {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if bytes.get(4) == Some(&kind::BEGUN) {
                self.0.shutdown(Shutdown::Both)?;
                return Err(io::ErrorKind::BrokenPipe.into());
            }
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_task_of_which_nobody_hears_that_it_begins_is_not_begun() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let mut end = OtherEnd::new(ours.try_clone().unwrap());
        end.say(kind::HELLO, &serde_json::to_vec(&greeting()).unwrap());
        end.say(kind::SLOTS, &SlotRange { first: 0, count: 1 }.encoded());
        end.say(kind::PREPARE, &[]);
        let task = Cow::Owned(Task::numbered(0, ""));
        end.say(kind::TASK, &TaskRequest { task, attempt: 1 }.encoded());
        let begun = Interrupt::unbound().unwrap();
        let build = |_: &str, _, _: Option<&NodeName>| {
            let squares = Squares { ends: Some((0, begun.clone())), ..Squares::default() };
            Ok(Box::new(squares) as Box<dyn Workload>)
        };
        serve(theirs, Deaf(ours), &Interrupt::unbound().unwrap(), &build).unwrap();
        assert!(!begun.is_set());
    }
}
