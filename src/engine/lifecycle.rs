//! One task's life, wherever it runs: its tries, where its bytes go, what its end
//! means for the others, and when its output is handed on.
//!
//! A [`TaskLife`] is told what happens and waits for nothing, so that a thread may
//! hold many of them. The only place with a task's clocks.

use std::any::Any;
use std::borrow::Cow;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use super::{AfterTask, Run};
use crate::event::Event;
use crate::output::{Acknowledge, Channel, RetryBuffer, Sink, TaskOutput, TaskRef, Wake, handed_on};
use crate::task::{Outcome, Record, SharedText, Task, TaskInput};
use crate::workload::{Cx, Setting, Workload};

/// Handing on output that takes less than this holds nobody up.
const WORTH_COUNTING: Duration = Duration::from_millis(1);

/// A task from its start until its output is handed on.
pub struct TaskLife<'r, 'q> {
    run: &'r Run<'q>,
    sink: &'r dyn Sink,
    task: TaskRef<'r>,
    /// Which try goes on, from 1.
    attempt: u32,
    /// When that began, by the run's clock.
    start: Duration,
    /// Where its bytes go; away while the task is done on this thread.
    output: Option<Box<dyn TaskOutput + 'r>>,
    /// Whether those that came could be handed on.
    written: io::Result<()>,
    /// What it is called, where that turned out only elsewhere.
    label: Option<SharedText>,
    /// So many bytes produced were told of.
    told: u64,
    /// How long the tries before it took, where there were any.
    earlier: Option<Duration>,
}

/// What is to be done when a try has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterTry {
    /// After this wait the task is tried [again](TaskLife::again); if nothing is to be
    /// begun then, it is [over](TaskLife::over).
    Again(Duration),
    /// It is over. Once the others were dealt with, its output is to be [handed
    /// on](TaskLife::hand_on), which may take its time.
    Over(AfterTask),
}

impl<'r, 'q> TaskLife<'r, 'q> {
    /// `task` begins a try of this number, on a thread that keeps it.
    pub(super) fn begin(run: &'r Run<'q>, task: &'r Task, attempt: u32) -> Self {
        Self::with(run, run.sink, task.into(), attempt)
    }

    /// `task`, which has its slot, began its first try `at` this time of the run's clock, as
    /// one among many that are under way elsewhere. What it writes goes to `sink`.
    pub(super) fn begin_elsewhere(run: &'r Run<'q>, sink: &'r dyn Sink, task: Task, at: Duration) -> Self {
        let life = Self::with(run, sink, TaskRef::Shared(Arc::new(task)), 1);
        Self { start: at, ..life }
    }

    fn with(run: &'r Run<'q>, sink: &'r dyn Sink, task: TaskRef<'r>, attempt: u32) -> Self {
        let (start, output, written) = (Duration::ZERO, None, Ok(()));
        let mut life =
            Self { run, sink, task, attempt, start, output, written, label: None, told: 0, earlier: None };
        life.open();
        life
    }

    /// The next try begins: what the last one wrote is nobody's.
    pub(super) fn again(&mut self, ended: &Record) {
        self.attempt += 1;
        self.earlier = Some(self.earlier.unwrap_or_default().saturating_add(ended.wall));
        (self.written, self.told) = (Ok(()), 0);
        self.open();
    }

    /// The same of one elsewhere, which began `at` this time of the run's clock in `slot`.
    pub(super) fn again_elsewhere(&mut self, ended: &Record, slot: u32, at: Duration) {
        if let TaskRef::Shared(task) = &mut self.task {
            Arc::make_mut(task).slot = slot;
        }
        self.again(ended);
        self.start = at;
    }

    fn open(&mut self) {
        // Only the last try's output is anybody's, and which that is shows at its
        // end: until then it is held back.
        self.output = Some(if self.run.batch.may_try_again(self.attempt) {
            Box::new(RetryBuffer::new(self.sink, self.task.clone()))
        } else {
            self.sink.open(self.task.clone())
        });
        self.start = self.run.clock.now();
    }

    pub(super) fn task(&self) -> &Task {
        &self.task
    }

    pub(super) fn attempt(&self) -> u32 {
        self.attempt
    }

    /// How long the try has been going on.
    pub(super) fn elapsed(&self) -> Duration {
        self.run.clock.now().saturating_sub(self.start)
    }

    /// Bytes came that it wrote.
    pub(super) fn wrote(&mut self, channel: Channel, bytes: &[u8]) {
        if let (Some(output), Ok(())) = (&mut self.output, &self.written) {
            self.written = output.write(channel, bytes);
        }
    }

    /// Whether what it wrote would find no place if it were handed on now: that has to wait
    /// until `wake` was called.
    pub(super) fn is_held_up(&mut self, wake: &Wake) -> bool {
        let why = self.output.as_mut().and_then(|output| output.holds_up(wake));
        if let Some(why) = &why {
            self.observe(&Event::OutputHeldUp { why });
        }
        why.is_some()
    }

    /// It produced so many more bytes.
    pub(super) fn advanced(&mut self, bytes: u64) {
        self.told = self.told.saturating_add(bytes);
        self.run.observer.observe(&Event::Advanced { bytes });
    }

    /// It produced so many bytes in all.
    pub(super) fn advanced_to(&mut self, bytes: u64) {
        self.advanced(bytes.saturating_sub(self.told));
    }

    /// What it is called turned out.
    pub(super) fn named(&mut self, label: SharedText) {
        self.observe(&Event::TaskNamed { slot: self.task.slot, label: &label });
        self.label = Some(label);
    }

    /// Something happened to it.
    pub(super) fn observe(&self, event: &Event<'_>) {
        self.run.observer.observe(event);
    }

    /// The record of a try that nobody has measured.
    pub(super) fn unmeasured(&self, outcome: Outcome) -> Record {
        Record {
            label: self.label.as_ref().unwrap_or(&self.task.label).clone(),
            item: item(&self.task),
            wall: self.elapsed(),
            ..Record::without_measures(self.task.seq, outcome)
        }
    }

    /// The try ended, as `record` says: what is known here only is put there.
    pub(super) fn ended(&mut self, record: &mut Record) -> AfterTry {
        (record.slot, record.attempt) = (self.task.slot, self.attempt);
        record.start = self.start.saturating_sub(self.run.started);
        if let Err(error) = std::mem::replace(&mut self.written, Ok(())) {
            *record = handed_on(record.clone(), Err(error));
        }
        match self.run.batch.wait_before_retry(self.attempt, &record.outcome) {
            Some(wait) => AfterTry::Again(wait),
            None => AfterTry::Over(self.over(record)),
        }
    }

    /// The try that ended was the last one. Says what becomes of the others.
    pub(super) fn over(&mut self, record: &mut Record) -> AfterTask {
        if self.run.ordered_starts {
            // It may have ended without a start.
            self.run.start_order.begin(self.task.turn);
        }
        if let Some(wall) = self.earlier {
            record.spans.push(Cow::Borrowed("earlier tries"), wall);
        }
        self.run.batch.ended(record)
    }

    /// The task, of which all tries were made elsewhere, is over; the last one began `at`
    /// this time of the run's clock. Says what becomes of the others.
    pub(super) fn ended_elsewhere(&mut self, record: &mut Record, at: Duration) -> AfterTask {
        (self.attempt, self.start) = (record.attempt, at);
        (record.slot, record.start) = (self.task.slot, at.saturating_sub(self.run.started));
        if let Err(error) = std::mem::replace(&mut self.written, Ok(())) {
            *record = handed_on(record.clone(), Err(error));
        }
        self.over(record)
    }

    /// Hands on what the last try wrote: the task counts as done behind it.
    pub(super) fn hand_on(self, record: Record) {
        let batch = &self.run.batch;
        self.hand_on_to(record, batch);
    }

    /// The same where `acknowledge` tells the batch of it.
    pub(super) fn hand_on_to(self, record: Record, acknowledge: &dyn Acknowledge) {
        let output = self.output.expect("a task that is done elsewhere keeps its output here");
        // Tasks within this process may be far shorter than a look at the clock is worth.
        let begun = self.run.ordered_starts.then(|| self.run.clock.now());
        output.close(record, acknowledge);
        let took = begun.map_or(Duration::ZERO, |begun| self.run.clock.now().saturating_sub(begun));
        if took > WORTH_COUNTING {
            self.run.batch.handed_on(took);
        }
    }

    /// Lives it on this thread, which sleeps between tries.
    fn live(mut self, mut attempt: impl FnMut(&mut Self) -> Record, end_running: impl FnOnce()) {
        let (record, next) = loop {
            let mut record = attempt(&mut self);
            let next = match self.ended(&mut record) {
                AfterTry::Over(next) => next,
                AfterTry::Again(wait) if self.run.interrupt.sleep_before_a_start(wait) => {
                    self.again(&record);
                    continue;
                }
                AfterTry::Again(_) => self.over(&mut record),
            };
            break (record, next);
        };
        if next == AfterTask::EndRunning {
            end_running();
        }
        self.hand_on(record);
    }

    /// One try on this thread.
    fn try_here(&mut self, cpu: &mut ThreadCpu, workload: &'r dyn Workload) -> Record {
        let (run, task) = (self.run, self.task.clone());
        let setting = Setting {
            column: &run.column,
            slot: task.slot,
            attempt: self.attempt,
            digested: run.digested,
            clock: run.clock,
            interrupt: run.interrupt,
            observer: run.observer,
            start_order: run.start_order,
            workload,
            desk: run.desk,
            turn: task.turn,
        };
        let output = self.output.take().expect("it is taken for one try and put back");
        let record = Record {
            label: task.label.clone(),
            item: item(&task),
            ..Record::without_measures(task.seq, Outcome::Success)
        };
        let mut cx = Cx::new(setting, output, record);
        let outcome = caught(workload, &task, &mut cx);
        let cpu = cpu.passed(run);
        let wall = self.elapsed();
        let (record, output) = cx.into_parts();
        self.output = Some(output);
        // That of a child process counts in its place.
        let cpu = record.user.zip(record.sys).map_or(cpu, |(user, sys)| user + sys);
        Record { wall, cpu, outcome, ..record }
    }
}

/// Does `task` on this thread, beginning with a try of this number.
pub fn run_one<'r>(
    run: &'r Run<'_>,
    cpu: &mut ThreadCpu,
    task: &'r Task,
    attempt: u32,
    workload: &'r dyn Workload,
) {
    let life = TaskLife::begin(run, task, attempt);
    life.live(|life| life.try_here(cpu, workload), || workload.cancel());
}

/// The CPU time of the calling thread at the end of the last task. Reading that clock
/// is most of what a short task costs, so each task starts with the reading its
/// predecessor ended with; handing out (about 0.1 us) counts with the task.
#[derive(Debug)]
pub struct ThreadCpu(Duration);

impl ThreadCpu {
    /// That of the calling thread, now.
    pub fn now(run: &Run<'_>) -> Self {
        Self(run.clock.thread_cpu())
    }

    fn passed(&mut self, run: &Run<'_>) -> Duration {
        let now = run.clock.thread_cpu();
        now.saturating_sub(std::mem::replace(&mut self.0, now))
    }
}

/// Of which item it is a part.
fn item(task: &Task) -> Option<u64> {
    match task.spec {
        TaskInput::Part { item, .. } => Some(item),
        TaskInput::Sequence | TaskInput::Values(_) | TaskInput::Block(_) | TaskInput::Json(_) => None,
    }
}

/// A panic is an ending of the task, not of parsim.
fn caught(workload: &dyn Workload, task: &Task, cx: &mut Cx<'_>) -> Outcome {
    catch_unwind(AssertUnwindSafe(|| workload.run(task, cx)))
        .unwrap_or_else(|panic| Outcome::Panicked(panic_text(&*panic).into()))
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no text").to_owned()
}

#[cfg(test)]
mod tests;
