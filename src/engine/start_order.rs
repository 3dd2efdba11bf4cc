//! Tasks start in the order in which they were taken, where starting takes time
//! of its own: a process is there only a fraction of a millisecond after its
//! task was taken, and its neighbour's would as often be there first.
//!
//! Only whoever asks for it waits, each for those with a lower turn. Does not
//! know what start order.

use std::collections::BTreeSet;

use crate::sync::{Condvar, Mutex};
use crate::workload::Turn;

/// Lets starts happen in the order of turns.
#[derive(Debug, Default)]
pub struct StartOrder {
    begun: Mutex<BegunTurns>,
    rung: Condvar,
}

#[derive(Debug, Default)]
struct BegunTurns {
    /// Every turn below this has begun.
    below: u64,
    /// Turns that began before one that is below them.
    early: BTreeSet<u64>,
}

/// One task's turn.
#[derive(Clone, Copy, Debug)]
pub struct InOrder<'a> {
    order: &'a StartOrder,
    turn: u64,
}

impl Turn for InOrder<'_> {
    fn wait(&self) {
        self.order.wait(self.turn);
    }

    fn begin(&self) {
        self.order.begin(self.turn);
    }
}

impl StartOrder {
    /// Turn `turn`, from 0, for the task that has it.
    #[must_use]
    pub fn turn(&self, turn: u64) -> InOrder<'_> {
        InOrder { order: self, turn }
    }

    /// Waits until every turn before `turn`, from 0, has begun or is over.
    pub fn wait(&self, turn: u64) {
        let begun = self.begun.lock();
        drop(self.rung.wait_while(begun, |begun| begun.below < turn));
    }

    /// The turn has begun, or will not. Said again, it means nothing.
    pub fn begin(&self, turn: u64) {
        let mut begun = self.begun.lock();
        if turn < begun.below {
            return;
        }
        begun.early.insert(turn);
        while begun.early.first() == Some(&begun.below) {
            begun.early.pop_first();
            begun.below += 1;
        }
        drop(begun);
        self.rung.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_starts_before_those_taken_before() {
        let start_order = StartOrder::default();
        let order = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for turn in (0..4).rev() {
                let (start_order, order) = (&start_order, &order);
                scope.spawn(move || {
                    start_order.wait(turn);
                    order.lock().push(turn);
                    start_order.begin(turn);
                });
            }
        });
        assert_eq!(order.into_inner(), [0, 1, 2, 3]);
    }

    #[test]
    fn a_turn_that_is_over_without_a_start_holds_nobody_up() {
        let start_order = StartOrder::default();
        start_order.begin(1);
        start_order.begin(0);
        start_order.begin(0);
        start_order.wait(2);
    }
}
