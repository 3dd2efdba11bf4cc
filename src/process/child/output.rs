//! Reading one of a job's pipes: live, paused, and drained once the job ended.
//!
//! Does not know where the bytes go.

use std::io::{self, ErrorKind, PipeReader, Read as _};
use std::os::fd::AsFd as _;

use super::descriptor::{self, Watch};
use super::listener::{Channel, Flow, Listener};

/// The bytes of a buffer for [`Output::read`] at first: most jobs write less, and
/// memory that nobody touches costs a short batch nothing.
pub(super) const LEAST: usize = 4 << 10;

/// What the buffer grows to once it was too small: what a pipe holds.
const MOST: usize = 64 << 10;

/// One channel of a job, until it is at its end.
pub(super) struct Output {
    channel: Channel,
    pipe: Option<PipeReader>,
    paused: bool,
    /// Whether the pipe holds more than at first.
    wide: bool,
    /// How much is still to be read of a job that has ended.
    left: Option<usize>,
}

impl Output {
    pub(super) fn new(channel: Channel, pipe: Option<PipeReader>) -> Self {
        Self { channel, pipe, paused: false, wide: false, left: None }
    }

    pub(super) fn is_open(&self) -> bool {
        self.pipe.is_some()
    }

    pub(super) fn watch(&self) -> Watch<'_> {
        match &self.pipe {
            Some(pipe) if !self.paused => Watch::readable(pipe.as_fd()),
            _ => Watch::NOTHING,
        }
    }

    /// Closes the pipe; what it still holds is lost.
    pub(super) fn close(&mut self) {
        self.pipe = None;
    }

    /// Closes the pipe unless it may be read now.
    pub(super) fn close_if_paused(&mut self) {
        if self.paused {
            self.close();
        }
    }

    /// Reads once, as much as the buffer takes, and hands the bytes on.
    ///
    /// # Errors
    /// The listener's.
    pub(super) fn read(&mut self, buffer: &mut Vec<u8>, listener: &mut dyn Listener) -> io::Result<()> {
        let Some(pipe) = &mut self.pipe else { return Ok(()) };
        let room = self.left.map_or(buffer.len(), |left| left.min(buffer.len()));
        match pipe.read(&mut buffer[..room]) {
            Ok(0) => self.close(),
            Ok(count) => {
                self.paused = listener.output(self.channel, &buffer[..count])? == Flow::Pause;
                self.left = self.left.map(|left| left - count);
                if count == MOST && !self.wide {
                    // A job that fills its pipe would write more if it could: with a
                    // wider one it waits less often for us.
                    descriptor::widen(pipe.as_fd());
                    self.wide = true;
                }
                if count == buffer.len() {
                    buffer.resize(MOST, 0);
                }
                if self.left == Some(0) {
                    self.close();
                }
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// The job's process has ended: what the pipe holds by now is all there is.
    pub(super) fn drain(&mut self) -> io::Result<()> {
        if let Some(pipe) = &self.pipe {
            match descriptor::bytes_held(pipe.as_fd())? {
                0 => self.close(),
                held => self.left = Some(held),
            }
        }
        Ok(())
    }

    /// Asks the listener whether it takes bytes again.
    pub(super) fn ask_again(&mut self, listener: &mut dyn Listener) {
        if self.is_open() && self.paused {
            self.paused = !listener.resumes(self.channel);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn the_buffer_grows_once_it_was_too_small_and_then_the_pipe() {
        let (pipe, mut writer) = io::pipe().unwrap();
        let mut output = Output::new(Channel::Out, Some(pipe));
        let mut buffer = vec![0; LEAST];
        let mut lengths = Vec::new();
        for n_bytes in [LEAST - 1, LEAST, LEAST, MOST] {
            writer.write_all(&vec![b'x'; n_bytes]).unwrap();
            let mut listener = |_, bytes: &[u8]| {
                lengths.push(bytes.len());
                Ok(Flow::Continue)
            };
            output.read(&mut buffer, &mut listener).unwrap();
            lengths.push(buffer.len());
            assert_eq!(output.wide, n_bytes == MOST, "{n_bytes}");
        }
        assert_eq!(lengths, [LEAST - 1, LEAST, LEAST, MOST, LEAST, MOST, MOST, MOST]);
    }
}
