//! A destination that keeps the head of what the tasks produced, for a report
//! that shows results.

use crate::sync::Mutex;
use std::io;
use std::sync::Arc;

use super::traits::{Channel, Destination};
use crate::task::{Outcome, Task};

/// Keeps the first bytes of the out channel; forgets the rest. Clones share
/// what is kept.
#[derive(Clone, Debug)]
pub struct Kept {
    limit: usize,
    head: Arc<Mutex<Vec<u8>>>,
}

impl Kept {
    /// Keeps at most `limit` bytes.
    pub fn new(limit: usize) -> Self {
        Self { limit, head: Arc::default() }
    }

    /// What was kept, in input order.
    pub fn head(&self) -> Vec<u8> {
        self.head.lock().clone()
    }
}

impl Destination for Kept {
    fn write(&mut self, _task: &Task, channel: Channel, bytes: &[u8]) -> io::Result<()> {
        if channel == Channel::Out {
            let mut head = self.head.lock();
            let room = self.limit - head.len();
            head.extend_from_slice(&bytes[..bytes.len().min(room)]);
        }
        Ok(())
    }

    fn close(&mut self, _task: &Task, _outcome: &Outcome) -> io::Result<()> {
        Ok(())
    }
}
