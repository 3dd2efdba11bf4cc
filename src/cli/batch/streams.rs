//! Jobs' output on stdout and stderr: with a tag before each line if asked for, and
//! with the progress bar out of its way where both are seen on one terminal.

use std::io::{self, ErrorKind, IsTerminal as _, Write as _};
use std::os::fd::AsFd as _;
use std::sync::Arc;

use signal_hook::consts::SIGPIPE;

use crate::output::{Channel, Destination};
use crate::process::{self, Interrupt, stdout_was_open, widen};
use crate::progress::ProgressDisplay;
use crate::task::{Outcome, Task};
use crate::template::{Counts, Quoting, Template};

/// What stands before each line.
#[derive(Clone, Debug)]
pub(super) enum LineTag {
    /// Nothing.
    None,
    /// All values of the job, and a tab.
    Values,
    /// The host that it is for, and a tab.
    Hosts,
    /// A text made of them and of the job's numbers, and a tab.
    Text(Template, Counts),
}

/// So much written at once fills a pipe as it comes from the system.
const MUCH: usize = 64 << 10;

/// parsim's own stdout and stderr.
pub(super) struct Streams {
    /// Whether stdout, if it is a pipe, holds more than at first.
    wide: bool,
    tag: LineTag,
    interrupt: Interrupt,
    /// By channel: whether the next byte begins a line.
    at_start: [bool; 2],
    /// Tasks, by turn, that ended a line with a carriage return: a newline that comes
    /// next belongs to it.
    returned: Vec<(u64, Channel)>,
}

impl Streams {
    /// That nobody reads stdout any more sets `interrupt`: nothing is left to
    /// be done for. Where it was closed from the start, nothing more is begun.
    pub(super) fn new(tag: LineTag, interrupt: Interrupt) -> Self {
        Self { wide: false, tag, interrupt, at_start: [true; 2], returned: Vec::new() }
    }

    fn print(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut stdout = process::stdout();
        if bytes.len() >= MUCH && !self.wide {
            // Jobs need not stand still while the reader is about to read.
            widen(stdout.as_fd());
            self.wide = true;
        }
        stdout.write_all(bytes)
    }

    fn tag(&self, task: &Task) -> Vec<u8> {
        let values = task.spec.values();
        let mut tag = Vec::new();
        match &self.tag {
            LineTag::None => return tag,
            LineTag::Values => tag.extend(values.join(&b' ')),
            LineTag::Hosts => tag.extend(task.hosts.join("+").into_bytes()),
            LineTag::Text(template, counts) => {
                let numbers = counts.numbers(task.seq, task.slot);
                template.render(values, &numbers, Quoting::None, &mut tag);
            }
        }
        tag.push(b'\t');
        tag
    }

    /// `bytes` with the tag at the start of each line.
    fn tagged(&mut self, task: &Task, channel: Channel, bytes: &[u8]) -> Vec<u8> {
        let tag = self.tag(task);
        let mut tagged = Vec::with_capacity(bytes.len() + tag.len());
        let place = (task.turn, channel);
        let goes_on = self.returned.iter().position(|returned| *returned == place);
        let mut after_return = goes_on.map(|at| self.returned.swap_remove(at)).is_some();
        for line in bytes.split_inclusive(|&byte| matches!(byte, b'\n' | b'\r')) {
            if self.at_start[channel as usize] && !(after_return && line == b"\n") {
                tagged.extend_from_slice(&tag);
            }
            tagged.extend_from_slice(line);
            after_return = line.ends_with(b"\r");
            self.at_start[channel as usize] = after_return || line.ends_with(b"\n");
        }
        if after_return {
            self.returned.push(place);
        }
        tagged
    }
}

impl Destination for Streams {
    fn write(&mut self, task: &Task, channel: Channel, bytes: &[u8]) -> io::Result<()> {
        let tagged;
        let bytes = if let LineTag::None = self.tag {
            bytes
        } else {
            tagged = self.tagged(task, channel, bytes);
            &tagged
        };
        let written = match channel {
            Channel::Out => self.print(bytes),
            Channel::Err => process::stderr().write_all(bytes),
        };
        if channel == Channel::Out
            && written.as_ref().is_err_and(|error| error.kind() == ErrorKind::BrokenPipe)
        {
            self.interrupt.trigger(SIGPIPE);
        }
        if channel == Channel::Out && written.is_err() && !stdout_was_open() {
            self.interrupt.drain();
        }
        written
    }

    fn close(&mut self, task: &Task, _outcome: &Outcome) -> io::Result<()> {
        self.at_start = [true; 2];
        self.returned.retain(|(turn, _)| *turn != task.turn);
        Ok(())
    }
}

/// A destination that shares the terminal with a display.
pub(super) struct Beside<D> {
    inner: D,
    pub(super) display: Arc<ProgressDisplay>,
    /// By channel: whether it goes where the bar is. A pipe whose reader is slow
    /// is not to hold up the bar.
    pub(super) on_terminal: [bool; 2],
}

impl<D: Destination> Beside<D> {
    pub(super) fn new(inner: D, display: Arc<ProgressDisplay>) -> Self {
        Self::on(inner, display, [io::stdout().is_terminal(), io::stderr().is_terminal()])
    }

    /// The same where it is known which channels go there.
    pub(super) fn on(inner: D, display: Arc<ProgressDisplay>, on_terminal: [bool; 2]) -> Self {
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
