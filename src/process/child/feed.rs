//! Writing to a job's standard input, from the loop that reads its output.
//!
//! Does not know where the bytes come from.

use std::fs::File;
use std::io::{self, BufRead, ErrorKind, PipeWriter, Write as _};
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd};

use super::descriptor::{self, Watch};

/// A job's input on its way.
pub(super) struct Feed<'a> {
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

impl<'a> Feed<'a> {
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
    pub(super) fn watch(&self) -> Watch<'_> {
        let pipe: BorrowedFd<'_> = self.pipe.as_fd();
        if self.waits { Watch::closing(pipe) } else { Watch::writable(pipe) }
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

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::os::fd::OwnedFd;

    use super::*;

    fn fed(file: OwnedFd) -> io::Result<Fed> {
        let mut bytes = &b"some"[..];
        Feed::new(file.into(), &mut bytes)?.pump()
    }

    #[test]
    fn a_job_that_reads_no_more_is_fed_and_any_other_trouble_is_an_error() {
        let (reader, writer) = io::pipe().unwrap();
        drop(reader);
        assert_eq!(fed(writer.into()).unwrap(), Fed::All);
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        assert_eq!(fed(full.into()).unwrap_err().kind(), ErrorKind::StorageFull);
    }
}
