//! A job's standard descriptors: the ends it gets and those that are kept here; reading its
//! output, live, paused, and drained once the job ended, and writing to its input.
//!
//! Every descriptor made here is closed on exec, so that no job keeps another's
//! pipe open. Pipes are never used twice: a background process of the last job
//! may still write to its own. Does not know where the bytes go, nor where they come from.

use std::fs::File;
use std::io::{self, BufRead, ErrorKind, PipeReader, PipeWriter, Read as _, Write as _};
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, OwnedFd};

use super::job::{Flow, Job, JobStdin, JobStdout, JobStream, Listener};
use crate::process::descriptor;
use crate::process::poll::PollEntry;

/// What the job gets as 0, 1 and 2.
pub(super) type Theirs<'a> = [Given<'a>; 3];

/// One descriptor of the job.
pub(super) enum Given<'a> {
    /// Its number here.
    Inherited,
    Lent(BorrowedFd<'a>),
    /// To be closed here when the job has it, or has ended.
    Owned(OwnedFd),
}

impl Given<'_> {
    /// What was made for this job alone.
    pub(super) fn into_owned(self) -> Option<OwnedFd> {
        match self {
            Self::Owned(file) => Some(file),
            Self::Inherited | Self::Lent(_) => None,
        }
    }
}

/// What is kept here.
pub(super) struct Ours<'a> {
    pub(super) stdin: Option<InputPipe<'a>>,
    pub(super) stdout: Option<PipeReader>,
    pub(super) stderr: Option<PipeReader>,
}

/// Opens what `job` needs; its input is taken out of it.
pub(super) fn open_streams<'a, 'job: 'a>(
    job: &mut Job<'job>,
    null: BorrowedFd<'a>,
) -> io::Result<(Theirs<'a>, Ours<'a>)> {
    let (stdin, feed) = match std::mem::replace(&mut job.stdin, JobStdin::Null) {
        JobStdin::Null => (lend(null, 0)?, None),
        JobStdin::File(file) => (lend(file, 0)?, None),
        JobStdin::Feed(source) => {
            let (reader, writer) = io::pipe()?;
            (Given::Owned(above_standard(reader.into())?), Some(InputPipe::new(writer, source)?))
        }
    };
    let (stdout, from_stdout) = output(job.stdout, 1)?;
    let (stderr, from_stderr) = output(job.stderr, 2)?;
    Ok(([stdin, stdout, stderr], Ours { stdin: feed, stdout: from_stdout, stderr: from_stderr }))
}

fn output(output: JobStdout<'_>, number: i32) -> io::Result<(Given<'_>, Option<PipeReader>)> {
    Ok(match output {
        JobStdout::Inherited => (Given::Inherited, None),
        JobStdout::File(file) => (lend(file, number)?, None),
        JobStdout::Listener => {
            let (reader, writer) = io::pipe()?;
            (Given::Owned(above_standard(writer.into())?), Some(reader))
        }
    })
}

/// Lends `file` as descriptor `number`. One of the other two standard
/// descriptors is copied first, for it is replaced before its turn comes.
fn lend(file: BorrowedFd<'_>, number: i32) -> io::Result<Given<'_>> {
    if file.as_raw_fd() == number {
        return Ok(Given::Inherited);
    }
    if file.as_raw_fd() > 2 {
        return Ok(Given::Lent(file));
    }
    Ok(Given::Owned(file.try_clone_to_owned()?))
}

/// A program that closed its standard descriptors gets new ones in their place.
fn above_standard(file: OwnedFd) -> io::Result<OwnedFd> {
    if file.as_raw_fd() > 2 { Ok(file) } else { file.try_clone() }
}

/// The bytes of a buffer for [`OutputPipe::read`] at first: most jobs write less, and
/// memory that nobody touches costs a short batch nothing.
pub(super) const FIRST_BUFFER: usize = 4 << 10;

/// What the buffer grows to once it was too small: what a pipe holds.
const MOST: usize = 64 << 10;

/// One channel of a job, until it is at its end.
pub(super) struct OutputPipe {
    channel: JobStream,
    pipe: Option<PipeReader>,
    /// The end that the job writes to, which is kept as long as the pipe is read: most
    /// programs close theirs one after the other just before they end, and each would wake
    /// us for nothing. That the job has ended is told by its process.
    writer: Option<OwnedFd>,
    paused: bool,
    /// Whether the pipe holds more than at first.
    wide: bool,
    /// How much is still to be read of a job that has ended.
    left: Option<usize>,
}

impl OutputPipe {
    pub(super) fn new(channel: JobStream, pipe: Option<PipeReader>, writer: Option<OwnedFd>) -> Self {
        let writer = writer.filter(|_| pipe.is_some());
        Self { channel, pipe, writer, paused: false, wide: false, left: None }
    }

    pub(super) fn is_open(&self) -> bool {
        self.pipe.is_some()
    }

    pub(super) fn watch(&self) -> PollEntry<'_> {
        match &self.pipe {
            Some(pipe) if !self.paused => PollEntry::readable(pipe.as_fd()),
            _ => PollEntry::NOTHING,
        }
    }

    /// Closes the pipe; what it still holds is lost.
    pub(super) fn close(&mut self) {
        (self.pipe, self.writer) = (None, None);
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

/// A job's input on its way.
pub(super) struct InputPipe<'a> {
    pipe: PipeWriter,
    source: &'a mut dyn BufRead,
    /// The source had nothing when last asked.
    waits: bool,
}

/// What came of feeding.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fed {
    /// There is more to do, later.
    Some,
    /// The source is at its end, or the job reads no more: close the pipe.
    All,
}

impl<'a> InputPipe<'a> {
    pub(super) fn new(pipe: PipeWriter, source: &'a mut dyn BufRead) -> io::Result<Self> {
        descriptor::set_nonblocking(pipe.as_fd())?;
        Ok(Self { pipe, source, waits: false })
    }

    /// The other end of the pipe, which tells what was never read once this one is
    /// closed; `None` where the system does not open it again.
    pub(super) fn other_end(&self) -> Option<File> {
        File::open(format!("/proc/self/fd/{}", self.pipe.as_raw_fd())).ok()
    }

    /// How many bytes were written and not read so far.
    pub(super) fn unread(&self) -> u64 {
        unread(self.pipe.as_fd())
    }

    /// What to wait for. A source that has nothing is not waited for here: but
    /// that the job closed its end is noticed all the same.
    pub(super) fn watch(&self) -> PollEntry<'_> {
        let pipe: BorrowedFd<'_> = self.pipe.as_fd();
        if self.waits { PollEntry::closing(pipe) } else { PollEntry::writable(pipe) }
    }

    /// Whether the source has nothing: if something stirs, the job closed its end.
    pub(super) fn is_waiting(&self) -> bool {
        self.waits
    }

    /// The source may have something again.
    pub(super) fn ask_again(&mut self) {
        self.waits = false;
    }

    /// Writes what the pipe takes at once, and not for long: a job that reads as
    /// fast as it is fed still has a deadline.
    ///
    /// # Errors
    /// The source's, and the pipe's; that a job closed its input is none.
    pub(super) fn pump(&mut self) -> io::Result<Fed> {
        for _ in 0..16 {
            let bytes = match self.source.fill_buf() {
                Ok([]) => return Ok(Fed::All),
                Ok(bytes) => bytes,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.waits = true;
                    return Ok(Fed::Some);
                }
                Err(error) => return Err(error),
            };
            let wanted = bytes.len();
            match self.pipe.write(bytes) {
                Ok(written) => {
                    self.source.consume(written);
                    if written < wanted {
                        return Ok(Fed::Some);
                    }
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(Fed::Some),
                Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(Fed::All),
                Err(error) => return Err(error),
            }
        }
        Ok(Fed::Some)
    }
}

/// How many bytes the pipe holds that nobody has read.
pub(super) fn unread(pipe: BorrowedFd<'_>) -> u64 {
    descriptor::bytes_held(pipe).map_or(0, |bytes| bytes as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_buffer_grows_once_it_was_too_small_and_then_the_pipe() {
        let (pipe, mut writer) = io::pipe().unwrap();
        let mut output = OutputPipe::new(JobStream::Out, Some(pipe), None);
        let mut buffer = vec![0; FIRST_BUFFER];
        let mut lengths = Vec::new();
        for n_bytes in [FIRST_BUFFER - 1, FIRST_BUFFER, FIRST_BUFFER, MOST] {
            writer.write_all(&vec![b'x'; n_bytes]).unwrap();
            let mut listener = |_, bytes: &[u8]| {
                lengths.push(bytes.len());
                Ok(Flow::Continue)
            };
            output.read(&mut buffer, &mut listener).unwrap();
            lengths.push(buffer.len());
            assert_eq!(output.wide, n_bytes == MOST, "{n_bytes}");
        }
        assert_eq!(
            lengths,
            [FIRST_BUFFER - 1, FIRST_BUFFER, FIRST_BUFFER, MOST, FIRST_BUFFER, MOST, MOST, MOST]
        );
    }

    #[cfg(target_os = "linux")]
    fn fed(file: std::os::fd::OwnedFd) -> io::Result<Fed> {
        let mut bytes = &b"some"[..];
        InputPipe::new(file.into(), &mut bytes)?.pump()
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_job_that_reads_no_more_is_fed_and_any_other_trouble_is_an_error() {
        let (reader, writer) = io::pipe().unwrap();
        drop(reader);
        assert_eq!(fed(writer.into()).unwrap(), Fed::All);
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        assert_eq!(fed(full.into()).unwrap_err().kind(), ErrorKind::StorageFull);
    }
}
