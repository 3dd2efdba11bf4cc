//! What a worker has to do: the tasks that it was given, which slot does which, and which
//! of them is to end.
//!
//! Knows nothing of how tasks come, nor of what they do.

use std::collections::VecDeque;

use serde_json::Value;

use super::request::TaskRequest;
use crate::process::Interrupt;
use crate::sync::{Condvar, Mutex};

/// TERM: what a task that is told to end is given to see.
pub(super) const ENDED: i32 = libc::SIGTERM;

/// The tasks of a worker, and its slots.
pub(super) struct WorkerSeats {
    state: Mutex<SeatsState>,
    /// By slot: rung when it has something to do, or is to end.
    rung: Vec<Condvar>,
}

struct SeatsState {
    /// Those that no slot is free for.
    waiting: VecDeque<TaskRequest<'static>>,
    seats: Vec<Seat>,
    /// How many tasks were begun.
    n_begun: u64,
    /// Nothing more is begun, and what has begun is to end.
    is_over: bool,
}

/// A slot and the task in it.
#[derive(Default)]
struct Seat {
    /// Which task it does, or is about to.
    seq: Option<u64>,
    /// That task, until it is begun.
    given: Option<TaskRequest<'static>>,
    /// What ends its tasks, until it is set.
    interrupt: Option<Interrupt>,
    /// What its task asked for, until that has it.
    answer: Option<Value>,
}

impl WorkerSeats {
    /// With so many slots, and nothing to do.
    pub(super) fn new(slots: usize) -> Self {
        let seats = (0..slots).map(|_| Seat::default()).collect();
        let state = SeatsState { waiting: VecDeque::new(), seats, n_begun: 0, is_over: false };
        Self { state: Mutex::new(state), rung: (0..slots).map(|_| Condvar::new()).collect() }
    }

    /// Gives `request` to the lowest slot that is free, or to the next one that will be.
    pub(super) fn give(&self, request: TaskRequest<'static>) {
        let mut state = self.state.lock();
        let free = state.seats.iter().position(|seat| seat.seq.is_none());
        let Some(slot) = free else { return state.waiting.push_back(request) };
        let seat = &mut state.seats[slot];
        (seat.seq, seat.given) = (Some(request.task.seq), Some(request));
        drop(state);
        self.rung[slot].notify_one();
    }

    /// Whether there is a task for the next slot that is free.
    pub(super) fn has_waiting(&self) -> bool {
        !self.state.lock().waiting.is_empty()
    }

    /// What ends the tasks that a slot begins from now on; `None` once it is to begin none.
    ///
    /// # Errors
    /// When there is no descriptor left for it.
    pub(super) fn sit_down(&self, slot: usize) -> anyhow::Result<Option<Interrupt>> {
        let interrupt = Interrupt::unbound()?;
        let mut state = self.state.lock();
        if state.is_over {
            return Ok(None);
        }
        state.seats[slot].interrupt = Some(interrupt.clone());
        Ok(Some(interrupt))
    }

    /// The next task for a slot, and how many were begun before it here; waits for one, after
    /// `before_waiting`. `None` when the interrupt of the slot is set.
    pub(super) fn next(
        &self,
        slot: usize,
        before_waiting: impl FnOnce(),
    ) -> Option<(u64, TaskRequest<'static>)> {
        let mut state = self.state.lock();
        if let Some(taken) = state.take(slot) {
            return taken;
        }
        drop(state);
        before_waiting();
        let mut state = self.state.lock();
        loop {
            if let Some(taken) = state.take(slot) {
                return taken;
            }
            state = self.rung[slot].wait(state);
        }
    }

    /// Takes back tasks that have not begun, so many of the last ones. Says which.
    pub(super) fn take_back(&self, count: u64) -> Vec<u64> {
        let mut state = self.state.lock();
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        let kept = state.waiting.len().saturating_sub(count);
        let mut taken: Vec<u64> = state.waiting.drain(kept..).map(|request| request.task.seq).collect();
        let given = state.seats.iter_mut().filter_map(Seat::take_back);
        taken.extend(given.take(count - taken.len()));
        taken
    }

    /// Ends a task if it has begun, or takes it back: `true`.
    pub(super) fn end(&self, seq: u64) -> bool {
        let mut state = self.state.lock();
        if let Some(slot) = state.slot_of(seq) {
            let is_taken_back = state.seats[slot].take_back().is_some();
            if !is_taken_back {
                state.seats[slot].end();
                self.rung[slot].notify_one();
            }
            return is_taken_back;
        }
        let before = state.waiting.len();
        state.waiting.retain(|request| request.task.seq != seq);
        state.waiting.len() < before
    }

    /// Ends all tasks that have begun.
    pub(super) fn end_all(&self) {
        let mut state = self.state.lock();
        let has_begun = |seat: &&mut Seat| seat.seq.is_some() && seat.given.is_none();
        state.seats.iter_mut().filter(has_begun).for_each(Seat::end);
        drop(state);
        self.rung.iter().for_each(Condvar::notify_one);
    }

    /// What a task asked for has come.
    pub(super) fn answer(&self, seq: u64, answer: Value) {
        let mut state = self.state.lock();
        if let Some(slot) = state.slot_of(seq) {
            state.seats[slot].answer = Some(answer);
            self.rung[slot].notify_one();
        }
    }

    /// Waits for what the task in a slot asked for; `None` when that is to end.
    pub(super) fn wait_for_answer(&self, slot: usize) -> Option<Value> {
        let waits = |state: &mut SeatsState| {
            let seat = &state.seats[slot];
            seat.answer.is_none() && !seat.is_to_end()
        };
        self.rung[slot].wait_while(self.state.lock(), waits).seats[slot].answer.take()
    }

    /// Nothing more is begun, and what has begun is to end.
    pub(super) fn close(&self) {
        let mut state = self.state.lock();
        state.is_over = true;
        state.waiting.clear();
        for seat in &mut state.seats {
            seat.take_back();
            seat.end();
        }
        drop(state);
        self.rung.iter().for_each(Condvar::notify_one);
    }
}

impl SeatsState {
    /// Which slot does a task, or is about to.
    fn slot_of(&self, seq: u64) -> Option<usize> {
        self.seats.iter().position(|seat| seat.seq == Some(seq))
    }

    /// The next task for a slot, if there is one; `None` within when it is to begin none.
    #[expect(clippy::option_option, reason = "wait, go on without, or go on with")]
    fn take(&mut self, slot: usize) -> Option<Option<(u64, TaskRequest<'static>)>> {
        let seat = &mut self.seats[slot];
        let given = seat.given.take();
        if given.is_none() {
            seat.seq = None;
        }
        if seat.is_to_end() || self.is_over {
            // What is given to it meanwhile waits for it to sit down again.
            seat.given = given;
            return Some(None);
        }
        let request = given.or_else(|| self.waiting.pop_front())?;
        (self.seats[slot].seq, self.seats[slot].answer) = (Some(request.task.seq), None);
        self.n_begun += 1;
        Some(Some((self.n_begun - 1, request)))
    }
}

impl Seat {
    /// Whether what it does is to end.
    fn is_to_end(&self) -> bool {
        self.interrupt.as_ref().is_none_or(Interrupt::is_set)
    }

    /// Takes back its task, if that has not begun.
    fn take_back(&mut self) -> Option<u64> {
        self.given.take()?;
        self.seq.take()
    }

    fn end(&mut self) {
        if let Some(interrupt) = &self.interrupt {
            interrupt.trigger(ENDED);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;
    use crate::task::Task;

    fn request(seq: u64) -> TaskRequest<'static> {
        TaskRequest { task: Cow::Owned(Task::numbered(seq, "")), attempt: 1 }
    }

    fn seats(slots: usize, tasks: u64) -> WorkerSeats {
        let seats = WorkerSeats::new(slots);
        (0..tasks).for_each(|seq| seats.give(request(seq)));
        seats
    }

    fn next(seats: &WorkerSeats, slot: usize) -> Option<(u64, u64)> {
        let next = seats.next(slot, || panic!("it would wait"));
        next.map(|(turn, request)| (turn, request.task.seq))
    }

    #[test]
    fn tasks_are_begun_in_the_order_in_which_they_came_and_the_last_ones_taken_back() {
        let seats = seats(2, 6);
        seats.sit_down(0).unwrap().unwrap();
        seats.sit_down(1).unwrap().unwrap();
        assert_eq!((next(&seats, 1), next(&seats, 0)), (Some((0, 1)), Some((1, 0))));
        assert_eq!(seats.take_back(3), [3, 4, 5]);
        assert_eq!(next(&seats, 0), Some((2, 2)));
        assert!(seats.take_back(u64::MAX).is_empty());
        assert!(!seats.has_waiting());
        // One that a slot is to begin has not begun.
        let seats = self::seats(2, 3);
        seats.sit_down(1).unwrap().unwrap();
        assert_eq!(next(&seats, 1), Some((0, 1)));
        assert_eq!(seats.take_back(u64::MAX), [2, 0]);
    }

    #[test]
    fn one_task_is_ended_and_its_slot_goes_on_afterwards_with_another_interrupt() {
        let seats = seats(2, 4);
        let [one, other] = [0, 1].map(|slot| seats.sit_down(slot).unwrap().unwrap());
        assert_eq!((next(&seats, 0), next(&seats, 1)), (Some((0, 0)), Some((1, 1))));
        assert!(!seats.end(1) && !seats.end(77));
        assert!(other.is_set() && !one.is_set());
        assert_eq!(next(&seats, 1), None);
        // It has ended: who ends it again ends nobody else.
        assert!(!seats.sit_down(1).unwrap().unwrap().is_set());
        assert_eq!(next(&seats, 1), Some((2, 2)));
        assert!(!seats.end(1));
        // One that has not begun is taken back.
        assert!(seats.end(3));
        seats.end_all();
        assert!(one.is_set());
        assert_eq!(next(&seats, 0), None);
        seats.give(request(4));
        seats.end_all();
        assert!(!seats.sit_down(0).unwrap().unwrap().is_set());
        assert_eq!(next(&seats, 0), Some((3, 4)));
    }

    #[test]
    fn the_lowest_free_slot_is_given_the_next_task_and_a_desk_that_is_closed_lets_all_go() {
        let seats = WorkerSeats::new(3);
        let slots = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for slot in 0..3 {
                let interrupt = seats.sit_down(slot).unwrap().unwrap();
                let (seats, slots) = (&seats, &slots);
                scope.spawn(move || {
                    while let Some((_, request)) = seats.next(slot, || ()) {
                        slots.lock().push((slot, request.task.seq));
                        interrupt.sleep(std::time::Duration::from_secs(600));
                    }
                });
            }
            let until = |is_so: &dyn Fn() -> bool| {
                while !is_so() {
                    std::thread::yield_now();
                }
            };
            for n_tasks in 1..=3_u64 {
                seats.give(request(n_tasks));
                until(&|| slots.lock().len() as u64 == n_tasks);
            }
            seats.close();
        });
        assert_eq!(slots.into_inner(), [(0, 1), (1, 2), (2, 3)]);
        assert!(seats.sit_down(0).unwrap().is_none());
        // Nothing is begun any more.
        seats.give(request(4));
        assert_eq!(next(&seats, 0), None);
    }
}
