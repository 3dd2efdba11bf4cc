//! Output line by line, as it comes: lines of different tasks alternate, but
//! none is torn.

use std::io;
use std::sync::{Mutex, PoisonError};

use crate::output::{Channel, Destination, Sink, TaskOutput};
use crate::record::{Outcome, Task};

/// Hands on whole lines.
pub struct Lines<D> {
    destination: Mutex<D>,
}

impl<D: Destination> Lines<D> {
    /// To `destination`.
    #[must_use]
    pub fn new(destination: D) -> Self {
        Self { destination: Mutex::new(destination) }
    }
}

impl<D: Destination> Sink for Lines<D> {
    fn open<'a>(&'a self, task: &'a Task) -> Box<dyn TaskOutput + 'a> {
        Box::new(Writer { lines: self, task, begun: [Vec::new(), Vec::new()] })
    }
}

struct Writer<'a, D> {
    lines: &'a Lines<D>,
    task: &'a Task,
    /// By channel: the beginning of a line whose end has not come.
    begun: [Vec<u8>; 2],
}

impl<D: Destination> Writer<'_, D> {
    fn hand_on(&self, channel: Channel, parts: [&[u8]; 2]) -> io::Result<()> {
        let mut destination = self.lines.destination.lock().unwrap_or_else(PoisonError::into_inner);
        parts
            .into_iter()
            .filter(|part| !part.is_empty())
            .try_for_each(|part| destination.write(self.task, channel, part))
    }
}

impl<D: Destination> TaskOutput for Writer<'_, D> {
    fn write(&mut self, channel: Channel, bytes: &[u8]) -> io::Result<()> {
        let Some(last) = bytes.iter().rposition(|&byte| byte == b'\n') else {
            self.begun[channel as usize].extend_from_slice(bytes);
            return Ok(());
        };
        let (lines, rest) = bytes.split_at(last + 1);
        let begun = std::mem::take(&mut self.begun[channel as usize]);
        self.begun[channel as usize] = rest.to_vec();
        self.hand_on(channel, [&begun, lines])
    }

    fn close(self: Box<Self>, outcome: &Outcome) -> io::Result<()> {
        let out = self.hand_on(Channel::Out, [&self.begun[0], &[]]);
        let err = self.hand_on(Channel::Err, [&self.begun[1], &[]]);
        let mut destination = self.lines.destination.lock().unwrap_or_else(PoisonError::into_inner);
        out.and(err).and(destination.close(self.task, outcome))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sink::Kept;

    #[test]
    fn lines_alternate_but_none_is_torn() {
        let kept = Kept::new(100);
        let lines = Lines::new(kept.clone());
        let (first, second) = (Task::new(0, ""), Task::new(1, ""));
        let (mut one, mut two) = (lines.open(&first), lines.open(&second));
        one.write(Channel::Out, b"a").unwrap();
        two.write(Channel::Out, b"b1\nb").unwrap();
        one.write(Channel::Out, b"1\na2").unwrap();
        two.close(&Outcome::Success).unwrap();
        one.close(&Outcome::Success).unwrap();
        assert_eq!(kept.head(), b"b1\na1\nba2");
    }
}
