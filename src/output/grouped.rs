//! Output task by task, in the order in which tasks end: what they produced
//! first, then what they had to say, never mixed with another's.
//!
//! Tasks that are over in no time end in the order in which they were started,
//! give or take what the scheduler does. That noise is taken out: a task waits
//! a moment for an earlier one that has only just begun, so that a batch of short
//! commands prints in input order, as it does under a runner that starts them
//! more slowly.
//!
//! Waiting output of all tasks shares one budget of memory; beyond it a task
//! writes to a spill file of its own. If spilling fails, one task after another
//! streams straight through while the others are held up; nothing is dropped.

use crate::sync::{Condvar, Mutex};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::lines::StartGrace;
use super::spill_buffer::{PIECE_OVERHEAD, SpillBuffer, SpillFile, no_room};
use super::traits::{Acknowledge, Channel, Destination, Sink, TaskOutput, TaskRef, Wake, handed_on};
use crate::task::{Outcome, Record};

/// Hands the output of each task on as a whole.
pub struct Grouped<D> {
    door: Mutex<GroupedDoor<D>>,
    /// Rung when a task is over.
    over: Condvar,
    in_memory: AtomicUsize,
    budget: usize,
}

/// The way to the destination.
struct GroupedDoor<D> {
    destination: D,
    /// The task that streams through, and keeps the others out until it is over.
    holder: Option<u64>,
    held_up: Vec<Wake>,
    opened: StartGrace,
}

impl<D: Destination> Grouped<D> {
    /// Keeps at most about `budget` bytes in memory.
    pub fn new(destination: D, budget: usize) -> Self {
        let door =
            GroupedDoor { destination, holder: None, held_up: Vec::new(), opened: StartGrace::default() };
        Self { door: Mutex::new(door), over: Condvar::new(), in_memory: AtomicUsize::new(0), budget }
    }
}

impl<D: Destination> Sink for Grouped<D> {
    fn open<'a>(&'a self, task: TaskRef<'a>) -> Box<dyn TaskOutput + 'a> {
        self.door.lock().opened.insert(task.turn);
        Box::new(GroupedOutput::new(self, task, SpillFile::default()))
    }
}

struct GroupedOutput<'a, D> {
    grouped: &'a Grouped<D>,
    task: TaskRef<'a>,
    /// What was put aside, by channel.
    waiting: [SpillBuffer; 2],
    spill: SpillFile,
    goes: Goes,
}

/// Where the output of a task goes.
enum Goes {
    /// Aside, until the task is over.
    Aside,
    /// Aside, but there was no room on disk any more, for this reason.
    NowhereFor(String),
    /// Straight through.
    Through,
}

impl<'a, D: Destination> GroupedOutput<'a, D> {
    fn new(grouped: &'a Grouped<D>, task: TaskRef<'a>, spill: SpillFile) -> Self {
        Self { grouped, task, waiting: <[SpillBuffer; 2]>::default(), spill, goes: Goes::Aside }
    }

    fn is_empty(&self) -> bool {
        self.waiting.iter().all(SpillBuffer::is_empty)
    }

    /// Takes the door, if nobody else has it, and hands on what was put aside.
    fn go_through(&mut self) -> io::Result<bool> {
        let mut door = self.grouped.door.lock();
        if door.holder.is_some() {
            return Ok(false);
        }
        door.holder = Some(self.task.seq);
        self.goes = Goes::Through;
        self.hand_on(&mut door.destination).map(|()| true)
    }

    fn hand_on(&mut self, destination: &mut D) -> io::Result<()> {
        let mut result = Ok(());
        for piece in self.waiting.iter_mut().flat_map(SpillBuffer::take) {
            self.grouped.in_memory.fetch_sub(piece.in_memory(), Ordering::Relaxed);
            let write = |channel, block: &[u8]| destination.write(&self.task, channel, block);
            result = result.and(piece.read(&self.spill, write));
        }
        result
    }

    /// Nobody wants what was put aside.
    fn forget(&mut self) {
        let in_memory = self.waiting.iter().map(SpillBuffer::in_memory).sum();
        self.grouped.in_memory.fetch_sub(in_memory, Ordering::Relaxed);
        self.waiting = Default::default();
    }
}

impl<D: Destination> TaskOutput for GroupedOutput<'_, D> {
    fn write(&mut self, channel: Channel, bytes: &[u8]) -> io::Result<()> {
        let grouped = self.grouped;
        if let Goes::Through = self.goes {
            return grouped.door.lock().destination.write(&self.task, channel, bytes);
        }
        let waiting = &mut self.waiting[channel as usize];
        // Taken first, so that tasks which write at once cannot all find room.
        let taken = bytes.len() + PIECE_OVERHEAD;
        let held = grouped.in_memory.fetch_add(taken, Ordering::Relaxed);
        let fits = held + taken <= grouped.budget;
        let spilled = (!fits).then(|| waiting.spill(channel, bytes, &mut self.spill));
        let kept = match spilled {
            Some(Ok(())) => 0,
            // Without room on disk it is little more than what the pipe had: the
            // task is held up now.
            None | Some(Err(_)) => waiting.keep(channel, bytes),
        };
        grouped.in_memory.fetch_sub(taken - kept, Ordering::Relaxed);
        if let Some(Err(error)) = spilled {
            self.goes = Goes::NowhereFor(no_room(&error));
            self.go_through()?;
        }
        Ok(())
    }

    fn holds_up(&mut self, wake: &Wake) -> Option<String> {
        let Goes::NowhereFor(why) = &self.goes else { return None };
        let why = why.clone();
        // An error comes again with the next write, and at the end.
        if self.go_through().unwrap_or(true) {
            return None;
        }
        let mut door = self.grouped.door.lock();
        if door.holder.is_none() {
            // It went meanwhile: look again at once.
            wake();
        } else {
            door.held_up.push(Arc::clone(wake));
        }
        Some(why)
    }

    fn close(mut self: Box<Self>, record: Record, acknowledge: &dyn Acknowledge) {
        let grouped = self.grouped;
        let task = self.task.clone();
        let own = Some(task.seq);
        let mut door = grouped.door.lock();
        let has_output = !self.is_empty();
        while let Some(wait) = door.opened.wait_of(task.turn).filter(|_| has_output && door.holder.is_none())
        {
            door = grouped.over.wait_timeout(door, wait).0;
        }
        let is_anothers = |door: &mut GroupedDoor<D>| door.holder.is_some() && door.holder != own;
        let mut door = grouped.over.wait_while(door, is_anothers);
        door.opened.remove(task.turn);
        // What was cut off in the middle is no whole of anything.
        let written = if record.outcome == Outcome::Interrupted {
            self.forget();
            Ok(())
        } else {
            self.hand_on(&mut door.destination)
        };
        let closed = door.destination.close(&task, &record.outcome);
        if door.holder == own {
            door.holder = None;
            door.held_up.drain(..).for_each(|wake| wake());
        }
        drop(door);
        grouped.over.notify_all();
        acknowledge.acknowledge(handed_on(record, written.and(closed)));
    }
}

#[cfg(test)]
mod tests {
    use crate::task::Task;
    use std::time::Instant;

    use super::super::lines::A_MOMENT;
    use super::*;
    use crate::output::Kept;
    use crate::output::traits_tests::Acknowledged;
    use crate::task::tests::record;

    #[test]
    fn outputs_come_whole_in_the_order_of_ending_whatever_the_budget() {
        for budget in [0, 3, 1000] {
            let kept = Kept::new(100);
            let grouped = Grouped::new(kept.clone(), budget);
            let (first, second) = (Task::numbered(0, ""), Task::numbered(1, ""));
            let (mut one, mut two) = (grouped.open((&first).into()), grouped.open((&second).into()));
            one.write(Channel::Out, b"a1 ").unwrap();
            two.write(Channel::Out, b"b1 ").unwrap();
            one.write(Channel::Out, b"a2 ").unwrap();
            two.write(Channel::Out, b"b2 ").unwrap();
            // The first one has begun long ago.
            std::thread::sleep(A_MOMENT);
            two.close(record(0), &Acknowledged::default());
            one.close(record(0), &Acknowledged::default());
            assert_eq!(kept.head(), b"b1 b2 a1 a2 ");
        }
    }

    #[test]
    fn without_room_one_task_streams_and_the_other_waits_for_its_turn() {
        let kept = Kept::new(100);
        let grouped = Grouped::new(kept.clone(), 3 + PIECE_OVERHEAD);
        let (first, second) = (Task::numbered(0, ""), Task::numbered(1, ""));
        let woken = Arc::new(AtomicUsize::new(0));
        let rings = Arc::clone(&woken);
        let wake: Wake = Arc::new(move || {
            rings.fetch_add(1, Ordering::Relaxed);
        });
        let on_a_full_disk = |task| Box::new(GroupedOutput::new(&grouped, task, SpillFile::full()));
        let (mut one, mut two) = (on_a_full_disk((&first).into()), on_a_full_disk((&second).into()));
        one.write(Channel::Out, b"a1 ").unwrap();
        assert_eq!(one.holds_up(&wake), None, "there was memory");
        one.write(Channel::Out, b"a2 ").unwrap();
        assert_eq!(one.holds_up(&wake), None, "it streams");
        two.write(Channel::Out, b"b1 b2 ").unwrap();
        assert!(two.holds_up(&wake).is_some());
        one.write(Channel::Out, b"a3 ").unwrap();
        assert_eq!((kept.head(), woken.load(Ordering::Relaxed)), (b"a1 a2 a3 ".to_vec(), 0));
        one.close(record(0), &Acknowledged::default());
        assert_eq!(woken.load(Ordering::Relaxed), 1);
        assert_eq!(two.holds_up(&wake), None);
        two.write(Channel::Out, b"b3 ").unwrap();
        two.close(record(0), &Acknowledged::default());
        assert_eq!(kept.head(), b"a1 a2 a3 b1 b2 b3 ");
    }

    #[test]
    fn a_task_waits_for_an_earlier_one_that_has_just_begun() {
        let kept = Kept::new(100);
        let grouped = Grouped::new(kept.clone(), 1000);
        let (first, second) = (Task::numbered(0, ""), Task::numbered(1, ""));
        let opened = Instant::now();
        let mut one = grouped.open((&first).into());
        one.write(Channel::Out, b"a ").unwrap();
        let (is_open, opens) = std::sync::mpsc::channel();
        std::thread::scope(|scope| {
            let (grouped, second) = (&grouped, &second);
            scope.spawn(move || {
                let mut two = grouped.open(second.into());
                two.write(Channel::Out, b"b ").unwrap();
                is_open.send(()).unwrap();
                two.close(record(0), &Acknowledged::default());
            });
            opens.recv().unwrap();
            std::thread::sleep(A_MOMENT / 4);
            one.close(record(0), &Acknowledged::default());
        });
        // On a machine that stood still meanwhile there is nothing to be seen.
        if opened.elapsed() < A_MOMENT {
            assert_eq!(kept.head(), b"a b ");
        }
    }
}
