//! Output line by line, as it comes: lines of different tasks alternate, but
//! none is torn. A carriage return ends a line, too, so that a meter which draws
//! itself again is seen as it moves. A line without an end waits in memory up to a
//! limit, then in a spill file.

use crate::sync::{Condvar, Mutex};
use std::io;
use std::sync::MutexGuard;

use super::spill::{Piece, Spill};
use super::start_grace::StartGrace;
use crate::output::{Acknowledge, Channel, Destination, Sink, TaskOutput, TaskRef, handed_on};
use crate::task::{Record, Task};

/// So much of a line that has not ended waits in memory.
const IN_MEMORY: usize = 1 << 20;

/// Hands on whole lines.
pub struct Lines<D> {
    state: Mutex<State<D>>,
    /// Rung when a task is over.
    over: Condvar,
    pieces: Pieces,
}

/// What is handed on at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pieces {
    Lines,
    /// Whatever a task writes.
    Any,
}

struct State<D> {
    destination: D,
    opened: StartGrace,
}

impl<D: Destination> Lines<D> {
    /// To `destination`.
    #[must_use]
    pub fn new(destination: D) -> Self {
        Self::with(destination, Pieces::Lines)
    }

    /// To `destination`, without waiting for the end of a line.
    #[must_use]
    pub fn torn(destination: D) -> Self {
        Self::with(destination, Pieces::Any)
    }

    fn with(destination: D, pieces: Pieces) -> Self {
        let state = Mutex::new(State { destination, opened: StartGrace::default() });
        Self { state, over: Condvar::new(), pieces }
    }

    /// The destination, for a task that writes: a moment later where an earlier
    /// task has just begun.
    fn in_turn(&self, task: &Task) -> MutexGuard<'_, State<D>> {
        let mut state = self.state.lock();
        while let Some(wait) = state.opened.wait_of(task.turn) {
            state = self.over.wait_timeout(state, wait).0;
        }
        state
    }
}

impl<D: Destination> Sink for Lines<D> {
    fn open<'a>(&'a self, task: TaskRef<'a>) -> Box<dyn TaskOutput + 'a> {
        self.state.lock().opened.insert(task.turn);
        Box::new(Writer { lines: self, task, begun: <[Begun; 2]>::default() })
    }
}

struct Writer<'a, D> {
    lines: &'a Lines<D>,
    task: TaskRef<'a>,
    /// By channel: the beginning of a line whose end has not come.
    begun: [Begun; 2],
}

/// The beginning of a line, the part in the file first.
#[derive(Default)]
struct Begun {
    spill: Spill,
    spilled: Vec<Piece>,
    memory: Vec<u8>,
}

impl Begun {
    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.memory.len() + bytes.len() > IN_MEMORY {
            let memory = std::mem::take(&mut self.memory);
            for block in [&memory[..], bytes] {
                let piece = self.spill.put(block)?;
                if !self.spilled.last_mut().is_some_and(|last| last.joins(piece)) {
                    self.spilled.push(piece);
                }
            }
        } else {
            self.memory.extend_from_slice(bytes);
        }
        Ok(())
    }

    fn take(&mut self, mut hand_on: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
        for piece in std::mem::take(&mut self.spilled) {
            self.spill.read(piece, &mut hand_on)?;
        }
        let memory = std::mem::take(&mut self.memory);
        if memory.is_empty() { Ok(()) } else { hand_on(&memory) }
    }
}

impl<D: Destination> TaskOutput for Writer<'_, D> {
    fn write(&mut self, channel: Channel, bytes: &[u8]) -> io::Result<()> {
        let begun = &mut self.begun[channel as usize];
        let end = match self.lines.pieces {
            Pieces::Lines => bytes.iter().rposition(|&byte| matches!(byte, b'\n' | b'\r')).map(|at| at + 1),
            Pieces::Any => Some(bytes.len()),
        };
        let Some(end) = end else { return begun.put(bytes) };
        let (lines, rest) = bytes.split_at(end);
        let mut state = self.lines.in_turn(&self.task);
        let destination = &mut state.destination;
        begun.take(|begun| destination.write(&self.task, channel, begun))?;
        destination.write(&self.task, channel, lines)?;
        drop(state);
        begun.put(rest)
    }

    fn close(mut self: Box<Self>, record: Record, acknowledge: &dyn Acknowledge) {
        let is_silent = self.begun.iter().all(|begun| begun.spilled.is_empty() && begun.memory.is_empty());
        let mut state = if is_silent { self.lines.state.lock() } else { self.lines.in_turn(&self.task) };
        let State { destination, opened } = &mut *state;
        opened.remove(self.task.turn);
        let mut result = Ok(());
        for (channel, begun) in [Channel::Out, Channel::Err].into_iter().zip(&mut self.begun) {
            result = result.and(begun.take(|begun| destination.write(&self.task, channel, begun)));
        }
        let closed = destination.close(&self.task, &record.outcome);
        drop(state);
        self.lines.over.notify_all();
        acknowledge.acknowledge(handed_on(record, result.and(closed)));
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
        let (first, second) = (Task::new(0, ""), Task::new(1, ""));
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
        let task = Task::new(0, "");
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
        let task = Task::new(0, "");
        let mut output = lines.open((&task).into());
        output.write(Channel::Out, b"no end").unwrap();
        assert_eq!(kept.head(), b"no end");
        output.close(record(0), &Acknowledged::default());
    }

    #[test]
    fn a_line_without_an_end_comes_whole_however_long_it_is() {
        let kept = Kept::new(10 << 20);
        let lines = Lines::new(kept.clone());
        let task = Task::new(0, "");
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
