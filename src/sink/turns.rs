//! Pieces of one stream, each written by its own task when its turn has come.
//!
//! A task that is early waits. That cannot lock up: tasks are started in input
//! order, so the one whose turn it is always runs. In exchange nothing is held
//! in memory, and an error (a full disk) reaches the task that caused it.

use std::io;
use std::sync::{Condvar, Mutex, PoisonError};

use crate::output::{Channel, Destination, Sink, TaskOutput};
use crate::record::{Outcome, Task};

/// Hands the destination from task to task in input order.
pub struct Turns<D> {
    state: Mutex<State<D>>,
    next: Condvar,
}

struct State<D> {
    /// The sequence number whose turn it is.
    turn: u64,
    destination: D,
}

impl<D: Destination> Turns<D> {
    /// The first turn is that of task 0.
    #[must_use]
    pub fn new(destination: D) -> Self {
        Self { state: Mutex::new(State { turn: 0, destination }), next: Condvar::new() }
    }
}

impl<D: Destination> Sink for Turns<D> {
    fn open<'a>(&'a self, task: &'a Task) -> Box<dyn TaskOutput + 'a> {
        Box::new(Turn { turns: self, task })
    }
}

struct Turn<'a, D> {
    turns: &'a Turns<D>,
    task: &'a Task,
}

impl<D: Destination> Turn<'_, D> {
    fn with_destination<T>(&self, work: impl FnOnce(&mut State<D>) -> T) -> T {
        let state = self.turns.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut state = self
            .turns
            .next
            .wait_while(state, |state| state.turn < self.task.seq)
            .unwrap_or_else(PoisonError::into_inner);
        work(&mut state)
    }
}

impl<D: Destination> TaskOutput for Turn<'_, D> {
    fn write(&mut self, channel: Channel, bytes: &[u8]) -> io::Result<()> {
        self.with_destination(|state| state.destination.write(self.task, channel, bytes))
    }

    fn close(self: Box<Self>, outcome: &Outcome) -> io::Result<()> {
        let result = self.with_destination(|state| {
            state.turn = self.task.seq + 1;
            state.destination.close(self.task, outcome)
        });
        self.turns.next.notify_all();
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sink::Kept;

    #[test]
    fn a_late_task_is_waited_for_and_an_early_one_writes_behind_it() {
        let kept = Kept::new(100);
        let turns = Turns::new(kept.clone());
        let tasks: Vec<Task> = (0..3).map(|seq| Task::new(seq, "")).collect();
        std::thread::scope(|scope| {
            // Started in the reverse of their order: each must wait for the one before.
            for task in tasks.iter().rev() {
                let turns = &turns;
                scope.spawn(move || {
                    let mut output = turns.open(task);
                    output.write(Channel::Out, task.seq.to_string().as_bytes()).unwrap();
                    output.close(&Outcome::Success).unwrap();
                });
            }
        });
        assert_eq!(kept.head(), b"012");
    }
}
