//! One worker and what is said to it: it is made ready, given task after task,
//! replaced when it ends before its time, and sent home.
//!
//! Knows nothing of the other workers, nor of what carries the words.

use std::borrow::Cow;
use std::io;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use super::protocol::{Bye, Frame, Hello, Incident, TaskReport, TaskRequest, kind, receive, send, send_json};
use super::transport::{StopSignal, Transport, WorkerStream};
use crate::engine::Run;
use crate::engine::lifecycle::TaskLife;
use crate::output::Channel;
use crate::process::{Interrupt, Waited};
use crate::task::{Outcome, Record, Task};
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
    /// How long a task takes to be given up, beyond what is usual.
    pub(super) grace: Duration,
}

/// A place for one worker after another, and what they cost.
pub(super) struct WorkerLink<'a> {
    transport: &'a dyn Transport,
    orders: &'a WorkerInit,
    /// `None` after one that ended before its time.
    link: Option<Box<dyn WorkerStream>>,
    /// Why the worker could not be told what it was to be told.
    untold: Option<io::Error>,
    pub(super) cost: LinkCost,
}

/// What the workers of one link cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct LinkCost {
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
    Done(Box<TaskReport>),
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
        let mut worker = Self { transport, orders, link: None, untold: None, cost: LinkCost::default() };
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
    pub(super) fn get_ready(&mut self, stop: &StopSignal) -> anyhow::Result<()> {
        let link = self.link.as_mut().expect("it was started just now");
        let name = link.name();
        let untold = self.untold.take();
        // One that is gone is told of by how it ended.
        if let Some(error) = untold.filter(|error| error.kind() != io::ErrorKind::BrokenPipe) {
            link.reap(PATIENCE);
            return Err(error).with_context(|| format!("cannot write to the worker ({name})"));
        }
        let answered = loop {
            match stop.wait(&**link, Instant::now() + PATIENCE) {
                Ok(Waited::Ready) => break receive(&mut **link),
                Ok(Waited::Interrupted) => bail!("interrupted"),
                // A machine may be slow.
                Ok(Waited::TimedOut) => {}
                Err(error) => break Err(error),
            }
        };
        match answered {
            Ok(Some(frame)) if frame.kind == kind::READY => {
                self.cost.passed += frame.length();
                Ok(())
            }
            Ok(Some(frame)) if frame.kind == kind::FAILED => bail!("the worker ({name}): {}", frame.text()),
            Ok(Some(_)) => bail!("the worker ({name}) is none of parsim's"),
            Ok(None) => {
                let how = link.reap(PATIENCE).unwrap_or_else(|| "ended".to_owned());
                bail!("the worker ({name}) {how} before it was ready")
            }
            Err(error) => Err(error).with_context(|| format!("cannot hear of the worker ({name})")),
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

    /// Has `task` done by the worker, or by those that come after it. An
    /// error means that there is no worker any more, and none to be had.
    pub(super) fn work(
        &mut self,
        run: &Run<'_>,
        workload: &dyn Workload,
        stop: &StopSignal,
        task: Task,
    ) -> anyhow::Result<()> {
        let life = TaskLife::begin_elsewhere(run, task);
        life.live(|life| self.attempt(run, workload, stop, life), || stop.halt())
    }

    /// One try of the task, and why there can be no other.
    fn attempt(
        &mut self,
        run: &Run<'_>,
        workload: &dyn Workload,
        stop: &StopSignal,
        life: &mut TaskLife<'_, '_>,
    ) -> (Record, anyhow::Result<()>) {
        let mut trouble = None;
        let mut answer = Answer::NotBegun;
        for _ in 0..TRIES {
            if let Err(error) = self.replace_if_gone(stop) {
                trouble = Some(error);
                break;
            }
            let process = self.link.as_ref().and_then(|link| link.process());
            answer = self.converse(life, workload, stop);
            if let (Answer::Lost(_) | Answer::GivenUp, Some(process)) = (&answer, process)
                && let Some(portable) = workload.portable()
            {
                portable.clean_after(&run.column, process);
            }
            if !matches!(answer, Answer::NotBegun) || stop.is_set() {
                break;
            }
        }
        let outcome = match answer {
            Answer::Done(done) => {
                let TaskReport { record, line } = *done;
                self.cost.passing += life.elapsed().saturating_sub(record.wall);
                let record = Record { line, outcome: self.meant(record.outcome, run.interrupt), ..record };
                return (record, Ok(()));
            }
            Answer::GivenUp => Outcome::Interrupted,
            // Running tasks are to end: nothing is wrong with this one.
            Answer::Lost(_) | Answer::NotBegun if stop.is_set() => Outcome::Interrupted,
            Answer::Lost(how) => Outcome::Failed(how),
            Answer::NotBegun => Outcome::Failed(trouble.as_ref().map_or_else(
                || "the workers ended before they began it".to_owned(),
                |error| format!("no worker to do it: {error:#}"),
            )),
        };
        (life.unmeasured(outcome), trouble.map_or(Ok(()), Err))
    }

    /// Sends the task, and hears of it until it is over.
    fn converse(
        &mut self,
        life: &mut TaskLife<'_, '_>,
        workload: &dyn Workload,
        stop: &StopSignal,
    ) -> Answer {
        let link = self.link.as_mut().expect("one that is gone was replaced");
        let task = Cow::Borrowed(life.task());
        let request = TaskRequest { task, slot: life.task().slot, attempt: life.attempt() };
        let Ok(sent) = send_json(&mut **link, kind::TASK, &request) else {
            self.reap();
            return Answer::NotBegun;
        };
        self.cost.passed += sent;
        loop {
            let frame = match hear(&mut **link, stop, PATIENCE + self.orders.grace) {
                Ok(FromWorker::Frame(frame)) => frame,
                Ok(FromWorker::TooLate) => {
                    self.reap();
                    return Answer::GivenUp;
                }
                Ok(FromWorker::End) => return self.lose("ended"),
                Err(error) => return self.lose(&format!("is not understood: {error}")),
            };
            self.cost.passed += frame.length();
            match frame.kind {
                kind::OUT => life.wrote(Channel::Out, &frame.payload),
                kind::ERR => life.wrote(Channel::Err, &frame.payload),
                kind::ADVANCED => life.advanced(frame.payload.try_into().map_or(0, u64::from_le_bytes)),
                kind::NAMED => life.named(frame.text()),
                kind::INCIDENT => {
                    // What is not understood would only have been shown.
                    if let Ok(incident) = frame.json::<Incident>() {
                        life.observe(&incident.event(life.task()));
                    }
                }
                kind::CONSULT => {
                    let Ok(question) = frame.json() else { return self.lose("asks what is no question") };
                    // One that does not hear it any more ends, which is heard next.
                    self.cost.passed +=
                        send_json(&mut **link, kind::CONSULT, &workload.answer(question)).unwrap_or(0);
                }
                kind::DONE => match frame.json::<TaskReport>() {
                    Ok(done) => {
                        life.advanced_to(done.record.bytes);
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

    fn replace_if_gone(&mut self, stop: &StopSignal) -> anyhow::Result<()> {
        if self.link.is_some() {
            return Ok(());
        }
        self.cost.replaced += 1;
        self.start()?;
        let ready = self.get_ready(stop).and_then(|()| {
            self.share();
            self.get_ready(stop)
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
        if let Ok(undisturbed) = StopSignal::never()
            && let Ok(Waited::Ready) = undisturbed.wait(&**link, end)
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
enum FromWorker {
    Frame(Frame),
    /// It will say no more.
    End,
    /// It was told to give up and did not in time.
    TooLate,
}

/// Waits for the next frame. Once `stop` comes the worker is told to give up,
/// and not waited for any longer than `patience`.
fn hear(link: &mut dyn WorkerStream, stop: &StopSignal, patience: Duration) -> io::Result<FromWorker> {
    // There is no last moment: it is waited for as long as it takes.
    let waited = loop {
        match stop.wait(link, Instant::now() + Duration::from_secs(3600))? {
            Waited::TimedOut => {}
            other => break other,
        }
    };
    if waited == Waited::Interrupted {
        // One that does not hear it any more has ended.
        let _ = send(link, kind::STOP, &[]);
        let undisturbed = StopSignal::never().map_err(io::Error::other)?;
        if undisturbed.wait(link, Instant::now() + patience)? == Waited::TimedOut {
            return Ok(FromWorker::TooLate);
        }
    }
    Ok(receive(link)?.map_or(FromWorker::End, FromWorker::Frame))
}
