//! The output of a try that may not be the last one: held back until that is
//! known, then handed on as a whole or forgotten.

use std::io;

use super::spill_buffer::{SpillBuffer, SpillFile};
use super::traits::{Acknowledge, Channel, Sink, TaskOutput, TaskRef, handed_on};
use crate::task::Record;

/// So much of a try's output is held in memory; the rest goes to a spill file.
const IN_MEMORY: usize = 256 << 10;

/// Hands a task's output on when it is closed. Dropped, it never was.
pub struct RetryBuffer<'a> {
    sink: &'a dyn Sink,
    task: TaskRef<'a>,
    written: SpillBuffer,
    spill: SpillFile,
}

impl<'a> RetryBuffer<'a> {
    /// The output of `task`, which goes to `sink` if it is closed.
    pub fn new(sink: &'a dyn Sink, task: TaskRef<'a>) -> Self {
        Self { sink, task, written: SpillBuffer::default(), spill: SpillFile::default() }
    }
}

impl TaskOutput for RetryBuffer<'_> {
    fn write(&mut self, channel: Channel, bytes: &[u8]) -> io::Result<()> {
        if self.written.put(channel, bytes, IN_MEMORY, &mut self.spill).is_err() {
            // Without room on disk memory has to do: a try that is still going on
            // has no turn that it could wait for.
            self.written.keep(channel, bytes);
        }
        Ok(())
    }

    fn close(self: Box<Self>, record: Record, acknowledge: &dyn Acknowledge) {
        let Self { sink, task, mut written, spill } = *self;
        let mut output = sink.open(task);
        let pieces = written.take();
        let handed = pieces
            .iter()
            .try_for_each(|piece| piece.read(&spill, |channel, block| output.write(channel, block)));
        output.close(handed_on(record, handed), acknowledge);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::traits_tests::Acknowledged;
    use crate::output::{Grouped, Kept};
    use crate::task::Task;
    use crate::task::tests::record;

    #[test]
    fn only_what_is_closed_is_handed_on_however_much_it_was() {
        let kept = Kept::new(10 << 20);
        let grouped = Grouped::new(kept.clone(), 0);
        let task = Task::numbered(0, "");
        let mut forgotten = RetryBuffer::new(&grouped, (&task).into());
        forgotten.write(Channel::Out, b"first try").unwrap();
        drop(forgotten);
        let mut last = Box::new(RetryBuffer::new(&grouped, (&task).into()));
        let block = vec![b'x'; 100_000];
        for _ in 0..5 {
            last.write(Channel::Out, &block).unwrap();
        }
        last.close(record(0), &Acknowledged::default());
        assert_eq!(kept.head(), vec![b'x'; 500_000]);
    }
}
