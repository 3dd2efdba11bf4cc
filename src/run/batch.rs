//! The tasks of one run and what became of them: laziness, input order, slots,
//! and when no more are started.
//!
//! Does not know who takes tasks, nor what they do.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::{Mutex, PoisonError};

use crate::event::{Event, Observer};
use crate::interrupt::Interrupt;
use crate::record::{Record, Task};
use crate::workload::Tasks;

/// Hands out tasks in input order, each with the lowest free slot, and takes
/// their records back.
pub struct Batch<'a> {
    state: Mutex<State<'a>>,
    interrupt: &'a Interrupt,
    observer: &'a dyn Observer,
}

struct State<'a> {
    tasks: Tasks<'a>,
    /// Set when the tasks ended or could not be read.
    exhausted: bool,
    free_slots: BinaryHeap<Reverse<u32>>,
    /// The lowest slot that was never given out.
    fresh_slot: u32,
    ledger: &'a mut dyn Ledger,
    trouble: Option<anyhow::Error>,
}

/// Takes the record of each finished task, in order of ending: kept whole or
/// folded into sums, as the experiment needs.
pub trait Ledger: Send {
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
    /// Which attempt this is, from 1.
    pub attempt: u32,
}

impl<'a> Batch<'a> {
    /// A batch over `tasks`, which are made only as they are taken; their
    /// records go to `ledger`.
    #[must_use]
    pub fn new(
        tasks: Tasks<'a>,
        ledger: &'a mut dyn Ledger,
        interrupt: &'a Interrupt,
        observer: &'a dyn Observer,
    ) -> Self {
        let state = State {
            tasks,
            exhausted: false,
            free_slots: BinaryHeap::new(),
            fresh_slot: 0,
            ledger,
            trouble: None,
        };
        Self { state: Mutex::new(state), interrupt, observer }
    }

    /// The next task, or `None` when there is none to be started any more.
    #[must_use]
    pub fn take(&self) -> Option<Ticket> {
        let ticket = self.with_state(|state| {
            if state.exhausted || self.interrupt.is_set() {
                return None;
            }
            match state.tasks.next() {
                Some(Ok(task)) => Some(Ticket { task, slot: state.lowest_free_slot(), attempt: 1 }),
                Some(Err(error)) => {
                    state.exhausted = true;
                    state.trouble = Some(error);
                    None
                }
                None => {
                    state.exhausted = true;
                    None
                }
            }
        })?;
        let Ticket { task, slot, .. } = &ticket;
        self.observer.observe(&Event::TaskStarted { seq: task.seq, slot: *slot, label: &task.label });
        Some(ticket)
    }

    /// The task of `record` is over; its slot is free.
    pub fn finish(&self, record: Record) {
        self.observer.observe(&Event::TaskFinished(&record));
        self.with_state(|state| {
            state.free_slots.push(Reverse(record.slot));
            state.ledger.enter(record);
        });
    }

    /// The batch is over.
    ///
    /// # Errors
    /// When the tasks could not be read to their end.
    pub fn close(self) -> anyhow::Result<()> {
        let state = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        state.trouble.map_or(Ok(()), Err)
    }

    fn with_state<T>(&self, work: impl FnOnce(&mut State<'a>) -> T) -> T {
        // A panic under the lock can only come from a library user's iterator;
        // the state is then still whole.
        work(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
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
