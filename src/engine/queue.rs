//! The tasks of one run and what became of them: laziness, input order, slots,
//! tries, and when no more are started.
//!
//! Does not know who takes tasks, nor what they do.

use crate::sync::Mutex;
use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};
use std::time::Duration;

use super::halt::{AfterTask, Halting};
use super::throttle::{Pause, Throttle, timed};
use crate::event::{Event, Journal, Observer};
use crate::output::Acknowledge;
use crate::policy::{Policy, Retry};
use crate::process::Interrupt;
use crate::study::StartWaits;
use crate::task::{Outcome, Record, Task};
use crate::workload::Tasks;

/// Hands out tasks in input order, each with the lowest free slot, and takes
/// their records back.
pub struct TaskQueue<'a> {
    /// Held by one engine's thread at a time, which may wait there: for input, for a
    /// delay, for a quieter machine. Never taken under `state`.
    source: Mutex<TaskSource<'a>>,
    state: Mutex<QueueState<'a>>,
    retry: Retry,
    /// Whether starts may have to wait for anything.
    is_paced: bool,
    journals: &'a [&'a dyn Journal],
    interrupt: &'a Interrupt,
    observer: &'a dyn Observer,
}

struct TaskSource<'a> {
    tasks: Tasks<'a>,
    /// Set when the tasks ended or could not be read.
    exhausted: bool,
    pace: Throttle,
    n_taken: u64,
    /// How long the next input was waited for, where inputs come as they like: how many
    /// there will be is not known.
    input_wait: Option<Duration>,
}

impl TaskSource<'_> {
    /// The next task, once its input is there.
    fn next(&mut self) -> Option<anyhow::Result<Task>> {
        let Some(waited) = &mut self.input_wait else { return self.tasks.next() };
        timed(waited, || self.tasks.next())
    }
}

struct QueueState<'a> {
    free_slots: BinaryHeap<Reverse<u32>>,
    /// The lowest slot that was never given out.
    fresh_slot: u32,
    ledger: &'a mut dyn RecordSink,
    halting: Halting,
    pause: Pause,
    /// Whether there was a task that could have been started and was not.
    left_some: bool,
    /// Tasks that were taken ahead and will not start, until others know that.
    left_ahead: BTreeSet<u64>,
    /// How long tasks that were over had whoever takes their output wait.
    handing_on: Duration,
    trouble: Option<anyhow::Error>,
}

/// Takes the record of each task whose output has been handed on: kept whole or
/// folded into sums, as the experiment needs.
pub trait RecordSink: Send {
    /// Takes note of a finished task.
    fn enter(&mut self, record: Record);
}

/// What a batch ended with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Closing {
    /// The exit status that the policy asks for, where it asks for one.
    pub status: Option<u8>,
    /// Whether tasks were left that could have been started.
    pub left_some: bool,
    /// What slots without a task waited for.
    pub waits: StartWaits,
}

impl<'a> TaskQueue<'a> {
    /// A batch over `tasks`, which are made only as they are taken, of which
    /// there are `total` as far as is known; their records go to `ledger` and
    /// `journals`.
    pub fn new(
        tasks: Tasks<'a>,
        total: Option<u64>,
        policy: &Policy,
        ledger: &'a mut dyn RecordSink,
        journals: &'a [&'a dyn Journal],
        interrupt: &'a Interrupt,
        observer: &'a dyn Observer,
    ) -> Self {
        if let Some(time) = policy.max_time {
            interrupt.drain_after(time);
        }
        let state = QueueState {
            free_slots: BinaryHeap::new(),
            fresh_slot: 0,
            ledger,
            halting: Halting::new(policy.halt, total),
            pause: Pause::new(policy.delay),
            left_some: false,
            left_ahead: BTreeSet::new(),
            handing_on: Duration::ZERO,
            trouble: None,
        };
        let source = TaskSource {
            tasks,
            exhausted: false,
            pace: Throttle::new(policy),
            n_taken: 0,
            input_wait: total.is_none().then_some(Duration::ZERO),
        };
        Self {
            source: Mutex::new(source),
            state: Mutex::new(state),
            retry: policy.retry,
            is_paced: policy.delay.is_some()
                || policy.load.is_some()
                || policy.memory.is_some()
                || policy.spares_swap,
            journals,
            interrupt,
            observer,
        }
    }

    /// The next task, which starts now in a slot of its own, or `None` when there is none
    /// to be started any more.
    pub fn take(&self) -> Option<Task> {
        let mut source = self.source.lock();
        let mut task = self.next(&mut source)?;
        // Before anybody else takes one: slots are given in the order of tasks.
        self.give_slot(&mut task);
        drop(source);
        self.announce(&task);
        Some(task)
    }

    /// The next task, for an engine that sends tasks ahead: it has no slot before it
    /// [starts](Self::start_in).
    pub(super) fn take_ahead(&self) -> Option<Task> {
        self.next(&mut self.source.lock())
    }

    /// `task`, which was taken ahead, starts now in this slot of those that whoever does it
    /// hands out.
    pub(super) fn start_in(&self, slot: u32, task: &mut Task) {
        self.state.lock().halting.started();
        task.slot = slot;
        self.announce(task);
    }

    /// Task `seq`, which was taken ahead, will not start: its record, behind which others
    /// may wait, is no task's that was done.
    pub(super) fn leave_ahead(&self, seq: u64) {
        self.state.lock().left_ahead.insert(seq);
    }

    /// Whether the next task may have to be waited for: for its input, for a delay, for a
    /// quieter machine.
    pub(super) fn may_wait(&self) -> bool {
        self.is_paced || self.source.lock().input_wait.is_some()
    }

    /// Whether tasks may be on their way before it is known what became of those before
    /// them.
    pub(super) fn may_run_ahead(&self) -> bool {
        !self.is_paced && !self.retry.goes_on(1) && !self.state.lock().halting.has_rule()
    }

    fn next(&self, source: &mut TaskSource<'a>) -> Option<Task> {
        if source.exhausted {
            return None;
        }
        if self.interrupt.is_draining() {
            source.exhausted = true;
            // No wait for input: there, draining is seen as well.
            return source.tasks.next().and_then(|_| self.leave(source));
        }
        let task = match source.next() {
            Some(Ok(task)) => task,
            Some(Err(error)) => {
                source.exhausted = true;
                self.state.lock().trouble.get_or_insert(error);
                return None;
            }
            None => {
                source.exhausted = true;
                // Where nothing more is to be begun, inputs that were not there
                // yet were not waited for.
                if !self.interrupt.is_draining() {
                    self.observer.observe(&Event::TasksEnded { tasks: source.n_taken });
                }
                return None;
            }
        };
        // While its input was waited for, much may have happened.
        if self.interrupt.is_draining() {
            return self.leave(source);
        }
        if self.is_paced {
            let pause = self.state.lock().pause.length();
            if !source.pace.wait(pause, self.interrupt, self.observer) {
                return self.leave(source);
            }
        }
        let turn = source.n_taken;
        source.n_taken += 1;
        let mut task = Task { turn, ..task };
        task.comes_at(turn);
        Some(task)
    }

    /// The task that was just taken is done by nobody, and no more are taken: whoever
    /// makes them is told by the end of what makes them.
    fn leave(&self, source: &mut TaskSource<'a>) -> Option<Task> {
        source.exhausted = true;
        source.tasks = Box::new(std::iter::empty());
        self.state.lock().left_some = true;
        None
    }

    fn give_slot(&self, task: &mut Task) {
        let mut state = self.state.lock();
        state.halting.started();
        task.slot = state.lowest_free_slot();
    }

    fn announce(&self, Task { seq, slot, label, .. }: &Task) {
        self.observer.observe(&Event::TaskStarted { seq: *seq, slot: *slot, label });
    }

    /// Whether there is a rule that may end it early.
    pub(super) fn may_be_halted(&self) -> bool {
        self.state.lock().halting.has_rule()
    }

    /// How often tasks are tried, for whoever tries them elsewhere.
    pub(super) fn retry(&self) -> Retry {
        self.retry
    }

    /// Whether a task may be tried again after `attempt` tries, from 1, should
    /// it fail.
    pub fn may_try_again(&self, attempt: u32) -> bool {
        self.retry.goes_on(attempt)
    }

    /// After which wait a task whose `attempt`-th try ended is tried again; `None`
    /// when it is not: it did not fail, has had its tries, or nothing more is to be
    /// begun.
    pub fn wait_before_retry(&self, attempt: u32, outcome: &Outcome) -> Option<Duration> {
        let goes_on = outcome.is_failure() && self.retry.goes_on(attempt) && !self.interrupt.is_draining();
        goes_on.then(|| self.retry.wait_after(attempt))
    }

    /// The task of `record` has ended; its slot is free. What is told back says what
    /// becomes of the others. What the task wrote may still wait for its turn: only
    /// when it is [acknowledged](Acknowledge) does the task count.
    pub fn ended(&self, record: &Record) -> AfterTask {
        self.observer.observe(&Event::TaskFinished(record));
        self.journals.iter().for_each(|journal| journal.ended(record));
        let mut state = self.state.lock();
        let next = state.halting.ended(&record.outcome);
        state.pause.follow(&record.outcome);
        // One that was handed out elsewhere is free there.
        if record.slot < state.fresh_slot {
            state.free_slots.push(Reverse(record.slot));
        }
        drop(state);
        if next != AfterTask::GoOn {
            self.interrupt.drain();
        }
        next
    }

    /// It took this long until whoever takes the output of a task that was over had it.
    pub(super) fn handed_on(&self, took: Duration) {
        self.state.lock().handing_on += took;
    }

    /// The batch is over.
    ///
    /// # Errors
    /// When the tasks could not be read to their end, or a journal could not be
    /// kept.
    pub fn close(self) -> anyhow::Result<Closing> {
        let state = self.state.into_inner();
        // Those that were taken ahead and never started.
        let source = self.source.into_inner();
        let left_ahead = state.halting.n_started() < source.n_taken;
        if let Some(trouble) = state.trouble {
            return Err(trouble);
        }
        let waits = StartWaits {
            input: source.input_wait.unwrap_or_default(),
            output: state.handing_on,
            ..source.pace.waits()
        };
        Ok(Closing { status: state.halting.status(), left_some: state.left_some || left_ahead, waits })
    }
}

impl Acknowledge for TaskQueue<'_> {
    fn acknowledge(&self, record: Record) {
        if record.outcome == Outcome::Interrupted && self.state.lock().left_ahead.remove(&record.seq) {
            return;
        }
        // What was given up is no result: it is to be done again.
        let entered = match record.outcome {
            Outcome::Interrupted => Ok(()),
            _ => self.journals.iter().try_for_each(|journal| journal.enter(&record)),
        };
        // No user's code runs under this lock but the ledger's, which does not panic.
        let mut state = self.state.lock();
        state.ledger.enter(record);
        if let Err(error) = entered {
            state.trouble.get_or_insert(error);
            drop(state);
            self.interrupt.drain();
        }
    }
}

impl QueueState<'_> {
    fn lowest_free_slot(&mut self) -> u32 {
        if let Some(Reverse(slot)) = self.free_slots.pop() {
            return slot;
        }
        self.fresh_slot += 1;
        self.fresh_slot - 1
    }
}
