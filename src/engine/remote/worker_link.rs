//! One worker and what is said to it: it is made ready, given task after task,
//! replaced when it ends before its time, and sent home.
//!
//! Knows nothing of the other workers, nor of what carries the words.

use std::io;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use super::link::{Link, Transport};
use super::protocol::{Bye, Done, Frame, Hello, TaskRequest, kind, receive, send, send_json};
use crate::engine::{Run, Ticket};
use crate::event::Event;
use crate::output::{Channel, TaskOutput, handed_on};
use crate::process::{Interrupt, Waited};
use crate::task::{Outcome, Record, TaskInput};
use crate::workload::Workload;

/// So long a worker may take to give up its task, and to end.
const PATIENCE: Duration = Duration::from_secs(5);

/// A worker that was asked to end may answer before parsim hears that it is asked
/// as well: a terminal asks all of them at once.
const LAG: Duration = Duration::from_millis(200);

/// A task that workers did not begin is given to so many others.
const TRIES: usize = 3;

/// What every worker is told before its first task.
pub(super) struct WorkerInit {
    pub(super) hello: Hello,
    /// What tasks share; `None`: each worker makes it by itself.
    pub(super) shared: Option<Vec<u8>>,
}

/// A place for one worker after another, and what they cost.
pub(super) struct WorkerLink<'a> {
    transport: &'a dyn Transport,
    orders: &'a WorkerInit,
    /// `None` after one that ended before its time.
    link: Option<Box<dyn Link>>,
    /// Why the worker could not be told what it was to be told.
    untold: Option<io::Error>,
    pub(super) cost: Cost,
}

/// What the workers of one seat cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Cost {
    /// Bytes passed both ways.
    pub(super) passed: u64,
    /// How long was waited for something to be passed.
    pub(super) passing: Duration,
    /// The most memory that one of them held.
    pub(super) peak_memory: Option<u64>,
    /// How many were replaced.
    pub(super) replaced: u64,
}

/// What became of a task that was sent.
enum Answer {
    /// It was done, or tried.
    Done(Box<Done>),
    /// Its worker had ended before.
    NotBegun,
    /// Its worker ended with it.
    Lost(String),
    /// It did not give it up in time, when parsim was asked to end.
    GivenUp,
}

impl<'a> WorkerLink<'a> {
    /// Starts a worker and tells it what it is to be. It is not waited for.
    pub(super) fn open(transport: &'a dyn Transport, orders: &'a WorkerInit) -> anyhow::Result<Self> {
        let mut worker = Self { transport, orders, link: None, untold: None, cost: Cost::default() };
        worker.start()?;
        Ok(worker)
    }

    fn start(&mut self) -> anyhow::Result<()> {
        let mut link = self.transport.open()?;
        let sent = send_json(&mut *link, kind::HELLO, &self.orders.hello);
        self.link = Some(link);
        self.told(sent);
        Ok(())
    }

    /// The worker was told something, or could not be. Then it would wait for it for
    /// ever, and we for its answer: it hears nothing more, which ends it. When it is
    /// waited for, that is told.
    fn told(&mut self, sent: io::Result<u64>) {
        match sent {
            Ok(n_bytes) => self.cost.passed += n_bytes,
            Err(error) => {
                self.untold = Some(error);
                if let Some(link) = &mut self.link {
                    link.hang_up();
                }
            }
        }
    }

    /// Waits until the worker is there.
    pub(super) fn get_ready(&mut self, interrupt: &Interrupt) -> anyhow::Result<()> {
        let link = self.link.as_mut().expect("it was started just now");
        let name = link.name();
        let untold = self.untold.take();
        // One that is gone is told of by how it ended.
        if let Some(error) = untold.filter(|error| error.kind() != io::ErrorKind::BrokenPipe) {
            link.reap(PATIENCE);
            return Err(error).with_context(|| format!("write to the worker ({name})"));
        }
        let answered = loop {
            match link.wait(interrupt, Instant::now() + PATIENCE) {
                Ok(Waited::Ready) => break receive(&mut **link),
                Ok(Waited::Interrupted) => bail!("interrupted"),
                // A machine may be slow.
                Ok(Waited::TimedOut) => {}
                Err(error) => break Err(error),
            }
        };
        match answered {
            Ok(Some(Frame { kind: kind::READY, payload })) => {
                self.cost.passed += Frame { kind: kind::READY, payload }.length();
                Ok(())
            }
            Ok(Some(frame)) if frame.kind == kind::FAILED => bail!("the worker ({name}): {}", frame.text()),
            Ok(Some(_)) => bail!("the worker ({name}) is none of parsim's"),
            Ok(None) => {
                let how = link.reap(PATIENCE).unwrap_or_else(|| "ended".to_owned());
                bail!("the worker ({name}) {how} before it was ready")
            }
            Err(error) => Err(error).with_context(|| format!("hear of the worker ({name})")),
        }
    }

    /// Gives the worker what tasks share, or has it made there. It is not waited for.
    pub(super) fn share(&mut self) {
        let link = self.link.as_mut().expect("it is ready");
        let sent = match &self.orders.shared {
            Some(bytes) => send(&mut **link, kind::SHARED, bytes),
            None => send(&mut **link, kind::PREPARE, &[]),
        };
        self.told(sent);
    }

    /// Does the task of `ticket` in the worker, and hands its record to the batch.
    /// An error means that there is no worker any more, and none to be had.
    pub(super) fn work(
        &mut self,
        run: &Run<'_>,
        workload: &dyn Workload,
        ticket: &Ticket,
    ) -> anyhow::Result<()> {
        let start = run.clock.now();
        let mut output = run.sink.open(&ticket.task);
        let mut written = Ok(());
        let mut trouble = None;
        let mut answer = Answer::NotBegun;
        for _ in 0..TRIES {
            if let Err(error) = self.replace_if_gone(run.interrupt) {
                trouble = Some(error);
                break;
            }
            let process = self.link.as_ref().and_then(|link| link.process());
            answer = self.converse(run, ticket, &mut *output, &mut written);
            if let (Answer::Lost(_) | Answer::GivenUp, Some(process)) = (&answer, process)
                && let Some(portable) = workload.portable()
            {
                portable.clean_after(run.way, process);
            }
            if !matches!(answer, Answer::NotBegun) || run.interrupt.is_set() {
                break;
            }
        }
        let round_trip = run.clock.now().saturating_sub(start);
        let record = match answer {
            Answer::Done(done) => {
                let Done { record, line } = *done;
                self.cost.passing += round_trip.saturating_sub(record.wall);
                Record { line, outcome: self.meant(record.outcome, run.interrupt), ..record }
            }
            Answer::GivenUp => lost(ticket, round_trip, Outcome::Interrupted),
            // Parsim is to end: nothing is wrong with the task.
            Answer::Lost(_) | Answer::NotBegun if run.interrupt.is_set() => {
                lost(ticket, round_trip, Outcome::Interrupted)
            }
            Answer::Lost(how) => lost(ticket, round_trip, Outcome::Failed(how)),
            Answer::NotBegun => {
                let why = trouble.as_ref().map_or_else(
                    || "the workers ended before they began it".to_owned(),
                    |error| format!("no worker to do it: {error:#}"),
                );
                lost(ticket, round_trip, Outcome::Failed(why))
            }
        };
        let start = start.saturating_sub(run.started);
        let record = handed_on(Record { slot: ticket.slot, start, ..record }, written);
        // No rule that ends running tasks reaches here.
        let _ = run.batch.ended(&record);
        output.close(record, &run.batch);
        trouble.map_or(Ok(()), Err)
    }

    /// Sends the task, and hears of it until it is over.
    fn converse(
        &mut self,
        run: &Run<'_>,
        ticket: &Ticket,
        output: &mut dyn TaskOutput,
        written: &mut io::Result<()>,
    ) -> Answer {
        let link = self.link.as_mut().expect("one that is gone was replaced");
        let request = TaskRequest { task: ticket.task.clone(), slot: ticket.slot };
        let Ok(sent) = send_json(&mut **link, kind::TASK, &request) else {
            self.reap();
            return Answer::NotBegun;
        };
        self.cost.passed += sent;
        let mut told = 0;
        loop {
            let frame = match hear(&mut **link, run.interrupt) {
                Ok(Heard::Frame(frame)) => frame,
                Ok(Heard::TooLate) => {
                    self.reap();
                    return Answer::GivenUp;
                }
                Ok(Heard::End) => return self.lose("ended"),
                Err(error) => return self.lose(&format!("is not understood: {error}")),
            };
            self.cost.passed += frame.length();
            let mut hand_on = |channel| {
                if written.is_ok() {
                    *written = output.write(channel, &frame.payload);
                }
            };
            match frame.kind {
                kind::OUT => hand_on(Channel::Out),
                kind::ERR => hand_on(Channel::Err),
                kind::ADVANCED => {
                    let bytes = frame.payload.try_into().map_or(0, u64::from_le_bytes);
                    told += bytes;
                    run.observer.observe(&Event::Advanced { bytes });
                }
                kind::NAMED => {
                    run.observer.observe(&Event::TaskNamed { slot: ticket.slot, label: &frame.text() });
                }
                kind::DONE => match frame.json::<Done>() {
                    Ok(done) => {
                        let rest = done.record.bytes.saturating_sub(told);
                        run.observer.observe(&Event::Advanced { bytes: rest });
                        return Answer::Done(Box::new(done));
                    }
                    Err(error) => return self.lose(&format!("is not understood: {error}")),
                },
                kind::BYE => {
                    self.reap_after(&frame);
                    return Answer::NotBegun;
                }
                kind::FAILED => return self.lose(&frame.text()),
                other => return self.lose(&format!("says {:?}, which means nothing", char::from(other))),
            }
        }
    }

    /// A task that was given up because its worker alone was asked to end has failed.
    fn meant(&self, outcome: Outcome, interrupt: &Interrupt) -> Outcome {
        if outcome != Outcome::Interrupted || interrupt.is_draining() || !interrupt.sleep(LAG) {
            return outcome;
        }
        let name = self.link.as_ref().map_or_else(String::new, |link| format!(" ({})", link.name()));
        Outcome::Failed(format!("its worker{name} was asked to end"))
    }

    /// The worker ended in the middle of a task, or says what it should not.
    fn lose(&mut self, otherwise: &str) -> Answer {
        let name = self.link.as_ref().map_or_else(String::new, |link| link.name());
        let how = self.reap().unwrap_or_else(|| otherwise.to_owned());
        Answer::Lost(format!("its worker ({name}) {how}"))
    }

    fn replace_if_gone(&mut self, interrupt: &Interrupt) -> anyhow::Result<()> {
        if self.link.is_some() {
            return Ok(());
        }
        self.cost.replaced += 1;
        self.start()?;
        let ready = self.get_ready(interrupt).and_then(|()| {
            self.share();
            self.get_ready(interrupt)
        });
        if ready.is_err() {
            self.reap();
        }
        ready
    }

    /// Sends the worker home and waits until it is gone.
    pub(super) fn dismiss(&mut self) {
        let Some(link) = &mut self.link else { return };
        link.hang_up();
        let end = Instant::now() + PATIENCE;
        if let Ok(undisturbed) = Interrupt::unbound()
            && let Ok(Waited::Ready) = link.wait(&undisturbed, end)
            && let Ok(Some(frame)) = receive(&mut **link)
            && frame.kind == kind::BYE
        {
            self.cost.passed += frame.length();
            self.reap_after(&frame);
        }
        self.reap();
    }

    fn reap_after(&mut self, bye: &Frame) {
        let Bye { peak_memory } = bye.json().unwrap_or_default();
        self.cost.peak_memory = self.cost.peak_memory.max(peak_memory);
        self.reap();
    }

    /// Waits until the worker is gone. How it ended, unless it did as it should.
    fn reap(&mut self) -> Option<String> {
        self.link.take()?.reap(PATIENCE)
    }
}

/// What is heard of a worker.
enum Heard {
    Frame(Frame),
    /// It will say no more.
    End,
    /// It was told to give up and did not in time.
    TooLate,
}

/// Waits for the next frame. Once `interrupt` is set the worker is told to give up,
/// and not waited for any longer than that should take.
fn hear(link: &mut dyn Link, interrupt: &Interrupt) -> io::Result<Heard> {
    // There is no last moment: it is waited for as long as it takes.
    let waited = loop {
        match link.wait(interrupt, Instant::now() + Duration::from_secs(3600))? {
            Waited::TimedOut => {}
            other => break other,
        }
    };
    if waited == Waited::Interrupted {
        // One that does not hear it any more has ended.
        let _ = send(link, kind::STOP, &[]);
        let undisturbed = Interrupt::unbound().map_err(io::Error::other)?;
        if link.wait(&undisturbed, Instant::now() + PATIENCE)? == Waited::TimedOut {
            return Ok(Heard::TooLate);
        }
    }
    Ok(receive(link)?.map_or(Heard::End, Heard::Frame))
}

/// The record of a task that its worker has nothing to tell of.
fn lost(ticket: &Ticket, wall: Duration, outcome: Outcome) -> Record {
    Record {
        label: ticket.task.label.clone(),
        item: match ticket.task.spec {
            TaskInput::Part { item, .. } => Some(item),
            TaskInput::Sequence | TaskInput::Values(_) | TaskInput::Block(_) | TaskInput::Json(_) => None,
        },
        slot: ticket.slot,
        wall,
        ..Record::without_measures(ticket.task.seq, outcome)
    }
}
