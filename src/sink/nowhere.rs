//! For output that nobody is to see: it is only compared.

use std::io;

use crate::output::{Channel, Sink, TaskOutput};
use crate::record::{Outcome, Task};

/// Forgets what it is given.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nowhere;

impl Sink for Nowhere {
    fn open<'a>(&'a self, _task: &'a Task) -> Box<dyn TaskOutput + 'a> {
        Box::new(Self)
    }
}

impl TaskOutput for Nowhere {
    fn write(&mut self, _channel: Channel, _bytes: &[u8]) -> io::Result<()> {
        Ok(())
    }

    fn close(self: Box<Self>, _outcome: &Outcome) -> io::Result<()> {
        Ok(())
    }
}
