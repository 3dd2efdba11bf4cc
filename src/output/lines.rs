//! Output line by line, as it comes: lines of different tasks alternate, but
//! none is torn. A carriage return ends a line, too, so that a meter which draws
//! itself again is seen as it moves. A line without an end waits in memory up to a
//! limit, then in a spill file.

use crate::sync::{Condvar, Mutex};
use std::collections::BTreeMap;
use std::io;
use std::sync::MutexGuard;
use std::time::{Duration, Instant};

use super::spill_buffer::{SpillBuffer, SpillFile};
use super::traits::{Acknowledge, Channel, Destination, Sink, TaskOutput, TaskRef, handed_on};
use crate::task::{Record, Task};

/// So much of a line that has not ended waits in memory.
const IN_MEMORY: usize = 1 << 20;

/// Hands on whole lines.
pub struct Lines<D> {
    door: Mutex<LinesDoor<D>>,
    /// Rung when a task is over.
    over: Condvar,
    granularity: Granularity,
}

/// What is handed on at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Granularity {
    Lines,
    /// Whatever a task writes.
    Writes,
}

/// The way to the destination.
struct LinesDoor<D> {
    destination: D,
    opened: StartGrace,
}

impl<D: Destination> Lines<D> {
    /// To `destination`.
    pub fn new(destination: D) -> Self {
        Self::with(destination, Granularity::Lines)
    }

    /// To `destination`, without waiting for the end of a line.
    pub fn torn(destination: D) -> Self {
        Self::with(destination, Granularity::Writes)
    }

    fn with(destination: D, granularity: Granularity) -> Self {
        let door = Mutex::new(LinesDoor { destination, opened: StartGrace::default() });
        Self { door, over: Condvar::new(), granularity }
    }

    /// The destination, for a task that writes: a moment later where an earlier
    /// task has just begun.
    fn in_turn(&self, task: &Task) -> MutexGuard<'_, LinesDoor<D>> {
        let mut door = self.door.lock();
        while let Some(wait) = door.opened.wait_of(task.turn) {
            door = self.over.wait_timeout(door, wait).0;
        }
        door
    }
}

impl<D: Destination> Sink for Lines<D> {
    fn open<'a>(&'a self, task: TaskRef<'a>) -> Box<dyn TaskOutput + 'a> {
        self.door.lock().opened.insert(task.turn);
        Box::new(LinesOutput {
            lines: self,
            task,
            begun: <[SpillBuffer; 2]>::default(),
            spill: SpillFile::default(),
        })
    }
}

struct LinesOutput<'a, D> {
    lines: &'a Lines<D>,
    task: TaskRef<'a>,
    /// By channel: the beginning of a line whose end has not come.
    begun: [SpillBuffer; 2],
    spill: SpillFile,
}

impl<D: Destination> LinesOutput<'_, D> {
    fn put(&mut self, channel: Channel, bytes: &[u8]) -> io::Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        self.begun[channel as usize].put(channel, bytes, IN_MEMORY, &mut self.spill)
    }

    /// Hands on what was begun, its end to follow.
    fn hand_on(&mut self, channel: Channel, destination: &mut D) -> io::Result<()> {
        let begun = self.begun[channel as usize].take();
        let handed_on = begun.iter().try_for_each(|piece| {
            piece.read(&self.spill, |channel, block| destination.write(&self.task, channel, block))
        });
        // What cannot be given back is used again.
        if self.begun.iter().all(SpillBuffer::is_empty) {
            let _ = self.spill.reset();
        }
        handed_on
    }
}

impl<D: Destination> TaskOutput for LinesOutput<'_, D> {
    fn write(&mut self, channel: Channel, bytes: &[u8]) -> io::Result<()> {
        let end = match self.lines.granularity {
            Granularity::Lines => {
                bytes.iter().rposition(|&byte| matches!(byte, b'\n' | b'\r')).map(|at| at + 1)
            }
            Granularity::Writes => Some(bytes.len()),
        };
        let Some(end) = end else { return self.put(channel, bytes) };
        let (lines, rest) = bytes.split_at(end);
        let mut door = self.lines.in_turn(&self.task);
        self.hand_on(channel, &mut door.destination)?;
        door.destination.write(&self.task, channel, lines)?;
        drop(door);
        self.put(channel, rest)
    }

    fn close(mut self: Box<Self>, record: Record, acknowledge: &dyn Acknowledge) {
        let lines = self.lines;
        let is_silent = self.begun.iter().all(SpillBuffer::is_empty);
        let mut door = if is_silent { lines.door.lock() } else { lines.in_turn(&self.task) };
        let LinesDoor { destination, opened } = &mut *door;
        opened.remove(self.task.turn);
        let [out, err] = [Channel::Out, Channel::Err].map(|channel| self.hand_on(channel, destination));
        let closed = destination.close(&self.task, &record.outcome);
        drop(door);
        lines.over.notify_all();
        acknowledge.acknowledge(handed_on(record, out.and(err).and(closed)));
    }
}

/// So long after its start a task is waited for by later ones.
pub(super) const A_MOMENT: Duration = Duration::from_millis(20);

/// The tasks that write, by turn, and when they began to.
///
/// Tasks that are over in no time end in the order in which they were started,
/// give or take what the scheduler does. To take that noise out, a task's output
/// waits a moment for that of an earlier task which has only just begun.
#[derive(Debug, Default)]
pub(super) struct StartGrace(BTreeMap<u64, Instant>);

impl StartGrace {
    pub(super) fn insert(&mut self, turn: u64) {
        self.0.insert(turn, Instant::now());
    }

    pub(super) fn remove(&mut self, turn: u64) {
        self.0.remove(&turn);
    }

    /// How long the task of `turn` waits, at most, for an earlier one.
    pub(super) fn wait_of(&self, turn: u64) -> Option<Duration> {
        let youngest = self.0.range(..turn).map(|(_, opened)| *opened).max()?;
        A_MOMENT.checked_sub(youngest.elapsed()).filter(|wait| !wait.is_zero())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::Kept;
    use crate::output::traits_tests::Acknowledged;
    use crate::task::tests::record;

    #[test]
    fn lines_alternate_but_none_is_torn() {
        let kept = Kept::new(100);
        let lines = Lines::new(kept.clone());
        let (first, second) = (Task::numbered(0, ""), Task::numbered(1, ""));
        let (mut one, mut two) = (lines.open((&first).into()), lines.open((&second).into()));
        one.write(Channel::Out, b"a").unwrap();
        two.write(Channel::Out, b"b1\nb").unwrap();
        one.write(Channel::Out, b"1\na2").unwrap();
        two.close(record(0), &Acknowledged::default());
        one.close(record(0), &Acknowledged::default());
        assert_eq!(kept.head(), b"b1\na1\nba2");
    }

    #[test]
    fn a_carriage_return_ends_a_line_and_a_newline_behind_it_follows_at_once() {
        let kept = Kept::new(100);
        let lines = Lines::new(kept.clone());
        let task = Task::numbered(0, "");
        let mut output = lines.open((&task).into());
        for (written, seen) in [
            ("10%\r2", "10%\r"),
            ("0%\r", "10%\r20%\r"),
            ("\nend", "10%\r20%\r\n"),
            ("\r\n", "10%\r20%\r\nend\r\n"),
        ] {
            output.write(Channel::Out, written.as_bytes()).unwrap();
            assert_eq!(kept.head(), seen.as_bytes(), "{written:?}");
        }
        output.close(record(0), &Acknowledged::default());
    }

    #[test]
    fn torn_lines_come_as_they_are_written() {
        let kept = Kept::new(100);
        let lines = Lines::torn(kept.clone());
        let task = Task::numbered(0, "");
        let mut output = lines.open((&task).into());
        output.write(Channel::Out, b"no end").unwrap();
        assert_eq!(kept.head(), b"no end");
        output.close(record(0), &Acknowledged::default());
    }

    #[test]
    fn a_line_without_an_end_comes_whole_however_long_it_is() {
        let kept = Kept::new(10 << 20);
        let lines = Lines::new(kept.clone());
        let task = Task::numbered(0, "");
        let mut output = lines.open((&task).into());
        let block = vec![b'x'; 300_000];
        for _ in 0..9 {
            output.write(Channel::Out, &block).unwrap();
        }
        assert!(kept.head().is_empty());
        output.write(Channel::Out, b"\nnext").unwrap();
        assert_eq!(kept.head(), [vec![b'x'; 2_700_000], b"\n".to_vec()].concat());
        output.close(record(0), &Acknowledged::default());
        assert!(kept.head().ends_with(b"x\nnext"));
    }
}
