//! The tasks of one run and what became of them: laziness, input order, slots,
//! tries, and when no more are started.
//!
//! Does not know who takes tasks, nor what they do.

use crate::sync::Mutex;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::halt::{Halting, Then};
use super::throttle::{Pause, Throttle};
use crate::event::{Event, Journal, Observer};
use crate::output::Acknowledge;
use crate::policy::{Policy, Retry};
use crate::process::Interrupt;
use crate::task::{Outcome, Record, Task};
use crate::workload::Tasks;

/// Hands out tasks in input order, each with the lowest free slot, and takes
/// their records back.
pub struct TaskQueue<'a> {
    /// Held by one worker at a time, which may wait there: for input, for a
    /// delay, for a quieter machine. Never taken under `state`.
    source: Mutex<Source<'a>>,
    state: Mutex<State<'a>>,
    retry: Retry,
    /// Whether starts may have to wait for anything.
    is_paced: bool,
    journals: &'a [&'a dyn Journal],
    interrupt: &'a Interrupt,
    observer: &'a dyn Observer,
}

struct Source<'a> {
    tasks: Tasks<'a>,
    /// Set when the tasks ended or could not be read.
    exhausted: bool,
    pace: Throttle,
    n_taken: u64,
}

impl Source<'_> {
    /// The task that was just taken is done by nobody, and no more are taken: whoever
    /// makes them is told by the end of what makes them.
    fn give_up(&mut self) {
        self.exhausted = true;
        self.tasks = Box::new(std::iter::empty());
    }
}

struct State<'a> {
    free_slots: BinaryHeap<Reverse<u32>>,
    /// The lowest slot that was never given out.
    fresh_slot: u32,
    ledger: &'a mut dyn RecordSink,
    halting: Halting,
    pause: Pause,
    /// Whether there was a task that could have been started and was not.
    left_some: bool,
    trouble: Option<anyhow::Error>,
}

/// Takes the record of each task whose output has been handed on: kept whole or
/// folded into sums, as the experiment needs.
pub trait RecordSink: Send {
    /// Takes note of a finished task.
    fn enter(&mut self, record: Record);
}

/// A task to be done, with its slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// What to do.
    pub task: Task,
    /// The slot, from 0: free again when the record comes back.
    pub slot: u32,
    /// How many tasks were taken before it.
    pub turn: u64,
}

/// What a batch ended with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Closing {
    /// The exit status that the policy asks for, where it asks for one.
    pub status: Option<u8>,
    /// Whether tasks were left that could have been started.
    pub left_some: bool,
}

impl<'a> TaskQueue<'a> {
    /// A batch over `tasks`, which are made only as they are taken, of which
    /// there are `total` as far as is known; their records go to `ledger` and
    /// `journals`.
    #[must_use]
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
        let state = State {
            free_slots: BinaryHeap::new(),
            fresh_slot: 0,
            ledger,
            halting: Halting::new(policy.halt, total),
            pause: Pause::new(policy.delay),
            left_some: false,
            trouble: None,
        };
        let source = Source { tasks, exhausted: false, pace: Throttle::new(policy), n_taken: 0 };
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

    /// The next task, or `None` when there is none to be started any more.
    #[must_use]
    pub fn take(&self) -> Option<Ticket> {
        let mut source = self.source.lock();
        if source.exhausted {
            return None;
        }
        if self.interrupt.is_draining() {
            source.exhausted = true;
            // No wait for input: there, draining is seen as well.
            let left_some = source.tasks.next().is_some();
            if left_some {
                source.give_up();
            }
            self.with_state(|state| state.left_some = left_some);
            return None;
        }
        let mut task = match source.tasks.next() {
            Some(Ok(task)) => task,
            Some(Err(error)) => {
                source.exhausted = true;
                self.with_state(|state| {
                    state.trouble.get_or_insert(error);
                });
                return None;
            }
            None => {
                source.exhausted = true;
                // Where nothing more is to be begun, inputs that were not there
                // yet were not waited for.
                if !self.interrupt.is_draining() {
                    let tasks = self.with_state(|state| state.halting.n_started());
                    self.observer.observe(&Event::TasksEnded { tasks });
                }
                return None;
            }
        };
        // While its input was waited for, much may have happened.
        if self.interrupt.is_draining() {
            source.give_up();
            self.with_state(|state| state.left_some = true);
            return None;
        }
        if self.is_paced {
            let pause = self.with_state(|state| state.pause.length());
            if !source.pace.wait(pause, self.interrupt, self.observer) {
                source.give_up();
                self.with_state(|state| state.left_some = true);
                return None;
            }
        }
        let slot = self.with_state(|state| {
            state.halting.started();
            state.lowest_free_slot()
        });
        let turn = source.n_taken;
        (task.turn, task.slot) = (turn, slot);
        source.n_taken += 1;
        drop(source);
        self.observer.observe(&Event::TaskStarted { seq: task.seq, slot, label: &task.label });
        Some(Ticket { task, slot, turn })
    }

    /// How often a failing task is tried, for whoever does tasks elsewhere.
    #[must_use]
    pub fn retry(&self) -> Retry {
        self.retry
    }

    /// Whether a task may be tried again after `attempt` tries, from 1, should
    /// it fail.
    #[must_use]
    pub fn may_try_again(&self, attempt: u32) -> bool {
        self.retry.goes_on(attempt)
    }

    /// Waits until a failed task is to be tried again; `false` when it is not:
    /// it did not fail, has had its tries, or nothing more is to be begun.
    #[must_use]
    pub fn tries_again(&self, attempt: u32, outcome: &Outcome) -> bool {
        outcome.is_failure()
            && self.retry.goes_on(attempt)
            && !self.interrupt.is_draining()
            && self.interrupt.sleep_before_a_start(self.retry.wait_after(attempt))
    }

    /// The task of `record` has ended; its slot is free. What is told back says what
    /// becomes of the others. What the task wrote may still wait for its turn: only
    /// when it is [acknowledged](Acknowledge) does the task count.
    #[must_use]
    pub fn ended(&self, record: &Record) -> Then {
        self.observer.observe(&Event::TaskFinished(record));
        self.journals.iter().for_each(|journal| journal.ended(record));
        let then = self.with_state(|state| {
            let then = state.halting.ended(&record.outcome);
            state.pause.follow(&record.outcome);
            // One that was handed out elsewhere is free there.
            if record.slot < state.fresh_slot {
                state.free_slots.push(Reverse(record.slot));
            }
            then
        });
        if then != Then::GoOn {
            self.interrupt.drain();
        }
        then
    }

    /// The batch is over.
    ///
    /// # Errors
    /// When the tasks could not be read to their end, or a journal could not be
    /// kept.
    pub fn close(self) -> anyhow::Result<Closing> {
        let state = self.state.into_inner();
        match state.trouble {
            Some(trouble) => Err(trouble),
            None => Ok(Closing { status: state.halting.status(), left_some: state.left_some }),
        }
    }

    fn with_state<T>(&self, work: impl FnOnce(&mut State<'a>) -> T) -> T {
        // No user's code runs under this lock but the ledger's, which does not panic.
        work(&mut self.state.lock())
    }
}

impl Acknowledge for TaskQueue<'_> {
    fn acknowledge(&self, record: Record) {
        // What was given up is no result: it is to be done again.
        let entered = match record.outcome {
            Outcome::Interrupted => Ok(()),
            _ => self.journals.iter().try_for_each(|journal| journal.enter(&record)),
        };
        let failed = entered.is_err();
        self.with_state(|state| {
            state.ledger.enter(record);
            if let Err(error) = entered {
                state.trouble.get_or_insert(error);
            }
        });
        if failed {
            self.interrupt.drain();
        }
    }
}

impl State<'_> {
    fn lowest_free_slot(&mut self) -> u32 {
        if let Some(Reverse(slot)) = self.free_slots.pop() {
            return slot;
        }
        self.fresh_slot += 1;
        self.fresh_slot - 1
    }
}
