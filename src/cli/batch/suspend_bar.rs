//! Output of jobs with the progress bar out of its way, where both are seen on
//! one terminal.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::Arc;

use crate::output::{Channel, Destination};
use crate::process;
use crate::progress::ProgressDisplay;
use crate::task::{Outcome, Task};

/// A destination that shares the terminal with a display.
pub(super) struct Beside<D> {
    inner: D,
    display: Arc<ProgressDisplay>,
    /// By channel: whether it goes where the bar is. A pipe whose reader is slow
    /// is not to hold up the bar.
    on_terminal: [bool; 2],
}

impl<D: Destination> Beside<D> {
    pub(super) fn new(inner: D, display: Arc<ProgressDisplay>) -> Self {
        let on_terminal = [io::stdout().is_terminal(), io::stderr().is_terminal()];
        Self { inner, display, on_terminal }
    }
}

impl<D: Destination> Destination for Beside<D> {
    fn write(&mut self, task: &Task, channel: Channel, bytes: &[u8]) -> io::Result<()> {
        if !self.on_terminal[channel as usize] {
            return self.inner.write(task, channel, bytes);
        }
        let inner = &mut self.inner;
        self.display.beside(|has_bar| {
            let written = inner.write(task, channel, bytes);
            if has_bar && !bytes.ends_with(b"\n") {
                // The bar comes back in a line of its own; what was written stays
                // as it is wherever it is no terminal.
                let _ = process::stderr().write_all(b"\n");
            }
            written
        })
    }

    fn close(&mut self, task: &Task, outcome: &Outcome) -> io::Result<()> {
        self.inner.close(task, outcome)
    }
}
