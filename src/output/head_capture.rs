//! The head of what the tasks produced, for a report that shows results.
//!
//! Keeps what comes first in input order and forgets the rest at once, so that
//! no task waits for another and none pays for another's output.

use crate::sync::Mutex;
use std::collections::BTreeMap;
use std::io;

use super::traits::{Acknowledge, Channel, Sink, TaskOutput, TaskRef};
use crate::task::Record;

/// Keeps the first bytes of the out channel, in input order.
#[derive(Debug)]
pub struct HeadCapture {
    limit: usize,
    heads: Mutex<Heads>,
}

#[derive(Debug, Default)]
struct Heads {
    /// By task: no more of them than make up the head.
    by_task: BTreeMap<u64, Vec<u8>>,
    /// How many bytes that are.
    length: usize,
}

impl HeadCapture {
    /// Keeps at most `limit` bytes.
    pub fn new(limit: usize) -> Self {
        Self { limit, heads: Mutex::default() }
    }

    /// What was kept: whole lines, where it had to be cut.
    pub fn into_head(self) -> Vec<u8> {
        let heads = self.heads.into_inner();
        let mut head = heads.by_task.into_values().collect::<Vec<_>>().concat();
        if head.len() > self.limit {
            head.truncate(self.limit);
            head.truncate(head.iter().rposition(|&byte| byte == b'\n').map_or(self.limit, |last| last + 1));
        }
        head
    }

    fn keep(&self, seq: u64, bytes: Vec<u8>) {
        let mut heads = self.heads.lock();
        let Heads { by_task, length } = &mut *heads;
        *length += bytes.len();
        by_task.insert(seq, bytes);
        // One byte more than the limit shows that something was cut.
        while let Some(last) = by_task.last_entry()
            && *length - last.get().len() > self.limit
        {
            *length -= last.remove().len();
        }
    }
}

impl Sink for HeadCapture {
    fn open<'a>(&'a self, task: TaskRef<'a>) -> Box<dyn TaskOutput + 'a> {
        Box::new(HeadCaptureOutput { heads: self, seq: task.seq, bytes: Vec::new() })
    }
}

struct HeadCaptureOutput<'a> {
    heads: &'a HeadCapture,
    seq: u64,
    bytes: Vec<u8>,
}

impl TaskOutput for HeadCaptureOutput<'_> {
    fn write(&mut self, channel: Channel, bytes: &[u8]) -> io::Result<()> {
        if channel == Channel::Out {
            let room = self.heads.limit + 1 - self.bytes.len();
            self.bytes.extend_from_slice(&bytes[..bytes.len().min(room)]);
        }
        Ok(())
    }

    fn close(self: Box<Self>, record: Record, acknowledge: &dyn Acknowledge) {
        if !self.bytes.is_empty() {
            self.heads.keep(self.seq, self.bytes);
        }
        acknowledge.acknowledge(record);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::traits_tests::Acknowledged;
    use crate::task::Task;
    use crate::task::tests::record;

    /// Tasks write "seq\n" each and end in the given order.
    fn head(limit: usize, order: &[u64]) -> String {
        let heads = HeadCapture::new(limit);
        for &seq in order {
            let task = Task::numbered(seq, "");
            let mut output = heads.open((&task).into());
            output.write(Channel::Out, format!("{seq}\n").as_bytes()).unwrap();
            output.write(Channel::Err, b"aside").unwrap();
            output.close(record(0), &Acknowledged::default());
        }
        String::from_utf8(heads.into_head()).unwrap()
    }

    #[test]
    fn what_is_kept_is_in_input_order_whatever_the_order_of_ending() {
        assert_eq!(head(100, &[2, 0, 3, 1]), "0\n1\n2\n3\n");
    }

    #[test]
    fn a_head_is_cut_between_lines() {
        assert_eq!(head(5, &[3, 2, 1, 0]), "0\n1\n");
        assert_eq!(head(4, &[3, 1, 0, 2]), "0\n1\n");
    }
}
