//! Output of many tasks, handed on in input order while every task may write
//! at any time.
//!
//! The task whose turn it is streams straight through. The others wait in
//! memory up to one budget for all, then in one spill file. If spilling fails
//! the others are held up until their turn, or until there is memory; nothing
//! is dropped.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use super::spill::{Piece, Spill};
use crate::output::{Channel, Destination, Sink, TaskOutput, Wake};
use crate::record::{Outcome, Task};

/// What a piece in memory takes beside its bytes.
const PIECE: usize = 64;

/// Puts the outputs of tasks in input order.
pub struct Ordered<D> {
    state: Mutex<State<D>>,
    /// Rung when a turn has passed.
    passed: Condvar,
}

struct State<D> {
    /// Whose turn it is.
    turn: u64,
    waiting: BTreeMap<u64, Waiting>,
    in_memory: usize,
    budget: usize,
    spill: Spill,
    /// Why the spill file took nothing more the last time.
    full: Option<String>,
    /// Those who wait until there is a place again.
    held_up: Vec<Wake>,
    destination: D,
}

/// What a task whose turn has not come has written so far.
#[derive(Default)]
struct Waiting {
    pieces: Vec<(Channel, Bytes)>,
    /// Set when the task is over.
    closed: Option<(Task, Outcome)>,
}

enum Bytes {
    Memory(Vec<u8>),
    Spilled(Piece),
}

impl<D: Destination> Ordered<D> {
    /// Keeps at most `budget` bytes in memory; the first turn is that of the
    /// task handed out first.
    #[must_use]
    pub fn new(destination: D, budget: usize) -> Self {
        let state = State {
            turn: 0,
            waiting: BTreeMap::new(),
            in_memory: 0,
            budget,
            spill: Spill::default(),
            full: None,
            held_up: Vec::new(),
            destination,
        };
        Self { state: Mutex::new(state), passed: Condvar::new() }
    }

    fn with_state<T>(&self, work: impl FnOnce(&mut State<D>) -> T) -> T {
        work(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<D: Destination> Sink for Ordered<D> {
    fn open<'a>(&'a self, task: &'a Task) -> Box<dyn TaskOutput + 'a> {
        Box::new(Writer { ordered: self, task })
    }
}

struct Writer<'a, D> {
    ordered: &'a Ordered<D>,
    task: &'a Task,
}

impl<D: Destination> TaskOutput for Writer<'_, D> {
    fn write(&mut self, channel: Channel, bytes: &[u8]) -> io::Result<()> {
        self.ordered.with_state(|state| state.write(self.task, channel, bytes))
    }

    fn holds_up(&mut self, wake: &Wake) -> Option<String> {
        self.ordered.with_state(|state| {
            let why = state.full.clone().filter(|_| state.has_no_room_for(self.task))?;
            state.held_up.push(Arc::clone(wake));
            Some(why)
        })
    }

    fn close(self: Box<Self>, outcome: &Outcome) -> io::Result<()> {
        let state = self.ordered.state.lock().unwrap_or_else(PoisonError::into_inner);
        // Who is over would make room for another task, and that for another:
        // without a place for what they write none is to begin.
        let has_no_room = |state: &mut State<D>| state.has_no_room_for(self.task);
        let passed = self.ordered.passed.wait_while(state, has_no_room);
        let result = passed.unwrap_or_else(PoisonError::into_inner).close(self.task, outcome);
        self.ordered.passed.notify_all();
        result
    }
}

impl<D: Destination> State<D> {
    fn write(&mut self, task: &Task, channel: Channel, bytes: &[u8]) -> io::Result<()> {
        if task.turn == self.turn {
            self.release(task)?;
            return self.destination.write(task, channel, bytes);
        }
        let fits = self.in_memory + bytes.len() + PIECE <= self.budget;
        let waiting = self.waiting.entry(task.turn).or_default();
        match waiting.pieces.last_mut() {
            Some((last, Bytes::Memory(kept))) if fits && *last == channel => {
                kept.extend_from_slice(bytes);
                self.in_memory += bytes.len();
            }
            _ if fits => {
                waiting.pieces.push((channel, Bytes::Memory(bytes.to_vec())));
                self.in_memory += bytes.len() + PIECE;
            }
            last => {
                let piece = match self.spill.put(bytes) {
                    Ok(piece) => piece,
                    Err(error) => {
                        self.full = Some(format!("cannot put output aside in TMPDIR: {error}"));
                        // Little more than what the pipe had: the task is held up now.
                        waiting.pieces.push((channel, Bytes::Memory(bytes.to_vec())));
                        self.in_memory += bytes.len() + PIECE;
                        return Ok(());
                    }
                };
                self.full = None;
                let joined = match last {
                    Some((last, Bytes::Spilled(kept))) => *last == channel && kept.joins(piece),
                    _ => false,
                };
                if !joined {
                    waiting.pieces.push((channel, Bytes::Spilled(piece)));
                }
            }
        }
        Ok(())
    }

    /// Whether what `task` writes would find no place before its turn.
    fn has_no_room_for(&self, task: &Task) -> bool {
        task.seq != self.turn && self.full.is_some() && self.in_memory > self.budget
    }

    fn close(&mut self, task: &Task, outcome: &Outcome) -> io::Result<()> {
        if task.turn != self.turn {
            self.waiting.entry(task.turn).or_default().closed = Some((task.clone(), outcome.clone()));
            return Ok(());
        }
        let mut result = self.release(task).and_then(|()| self.destination.close(task, outcome));
        self.turn += 1;
        // Those that waited for this one and are over themselves follow at once.
        while let Some((next, outcome)) =
            self.waiting.get_mut(&self.turn).and_then(|waiting| waiting.closed.take())
        {
            let handed_on = self.release(&next).and_then(|()| self.destination.close(&next, &outcome));
            result = result.and(handed_on);
            self.turn += 1;
        }
        if self.waiting.is_empty() {
            result = result.and(self.spill.reset());
        }
        self.wake();
        result
    }

    /// Hands on what `task` had to hold back until its turn.
    fn release(&mut self, task: &Task) -> io::Result<()> {
        let Some(waiting) = self.waiting.remove(&task.turn) else { return Ok(()) };
        let mut result = Ok(());
        for (channel, bytes) in waiting.pieces {
            let handed_on = match bytes {
                Bytes::Memory(bytes) => {
                    self.in_memory -= bytes.len() + PIECE;
                    self.destination.write(task, channel, &bytes)
                }
                Bytes::Spilled(piece) => {
                    let destination = &mut self.destination;
                    self.spill.read(piece, |block| destination.write(task, channel, block))
                }
            };
            result = result.and(handed_on);
        }
        self.wake();
        result
    }

    /// There is a place again, or another's turn has come.
    fn wake(&mut self) {
        self.held_up.drain(..).for_each(|wake| wake());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use proptest::prelude::*;

    use super::*;
    use crate::sink::Kept;

    /// Does `steps` in order: each is a task's write of its own letter, until
    /// the task has none left; then it is closed.
    fn play(order: &[u64], pieces: usize, budget: usize) -> Vec<u8> {
        let kept = Kept::new(1 << 20);
        let ordered = Ordered::new(kept.clone(), budget);
        let n_tasks = order.iter().max().map_or(0, |&last| last + 1);
        let tasks: Vec<Task> = (0..n_tasks).map(|seq| Task::new(seq, "")).collect();
        let mut left = vec![pieces; tasks.len()];
        for &seq in order.iter().cycle().take(order.len() * (pieces + 1)) {
            let index = usize::try_from(seq).unwrap();
            let task = &tasks[index];
            let mut output = ordered.open(task);
            if left[index] > 0 {
                left[index] -= 1;
                output.write(Channel::Out, format!("{seq}.").as_bytes()).unwrap();
            } else {
                output.close(&Outcome::Success).unwrap();
            }
        }
        kept.head()
    }

    proptest! {
        #[test]
        fn bytes_come_out_in_input_order_whatever_the_order_and_the_budget(
            order in Just((0..6_u64).collect::<Vec<_>>()).prop_shuffle(),
            pieces in 0..4_usize,
            budget in 0..20_usize,
        ) {
            let expected: String = (0..6).map(|seq| format!("{seq}.").repeat(pieces)).collect();
            prop_assert_eq!(String::from_utf8(play(&order, pieces, budget)).unwrap(), expected);
        }
    }

    #[test]
    fn without_room_a_task_is_held_up_until_its_turn_and_loses_nothing() {
        let kept = Kept::new(100);
        let ordered = Ordered::new(kept.clone(), 0);
        ordered.with_state(|state| state.spill = Spill::full());
        let woken = Arc::new(AtomicBool::new(false));
        let rings = Arc::clone(&woken);
        let wake: Wake = Arc::new(move || rings.store(true, Ordering::Relaxed));
        let (first, second) = (Task::new(0, ""), Task::new(1, ""));
        let (mut one, mut two) = (ordered.open(&first), ordered.open(&second));
        two.write(Channel::Out, b"b1 ").unwrap();
        assert!(two.holds_up(&wake).is_some());
        one.write(Channel::Out, b"a1 ").unwrap();
        assert_eq!(one.holds_up(&wake), None);
        one.close(&Outcome::Success).unwrap();
        assert!(woken.load(Ordering::Relaxed));
        assert_eq!(two.holds_up(&wake), None);
        two.write(Channel::Out, b"b2 ").unwrap();
        two.close(&Outcome::Success).unwrap();
        assert_eq!(kept.head(), b"a1 b1 b2 ");
    }

    #[test]
    fn the_task_whose_turn_it_is_streams_through_at_once() {
        let kept = Kept::new(100);
        let ordered = Ordered::new(kept.clone(), 0);
        let task = Task::new(0, "");
        ordered.open(&task).write(Channel::Out, b"live").unwrap();
        assert_eq!(kept.head(), b"live");
    }
}
