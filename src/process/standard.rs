//! Standard input, output and error, as whoever started this process left them:
//! closed, or in a mode in which a read or write does not wait.
//!
//! `O_NONBLOCK` belongs to the open file, which others share (node, ssh and CI
//! runners set it): it is never changed here. A write that finds no room and a read
//! that finds nothing wait in `poll` and go on; nothing is lost, and nobody is blamed.
//! Does not know what is written.

use crate::sync::Mutex;
use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd};
use std::sync::atomic::{AtomicBool, Ordering};

use super::inherited::stdout_was_open;

/// Whether something was to be written to a stdout that was closed from the start.
static MISSED: AtomicBool = AtomicBool::new(false);

/// A descriptor whose writes wait for room, and whose reads wait for something to
/// read, in whichever mode it is.
#[derive(Debug)]
pub struct Patient<F>(
    /// Where the bytes go.
    pub F,
);

impl<F: AsFd> Write for Patient<F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let fd = self.0.as_fd();
        loop {
            match write_once(fd, bytes) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => wait_for(fd, libc::POLLOUT)?,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                written => return written,
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<F: AsFd> Read for Patient<F> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let fd = self.0.as_fd();
        loop {
            match read_once(fd, room) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => wait_for(fd, libc::POLLIN)?,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                read => return read,
            }
        }
    }
}

/// Standard output, without a buffer. What is written where it was closed from the
/// start is an error.
#[derive(Clone, Copy, Debug)]
pub struct Stdout(());

/// Standard error, without a buffer. What is written at once comes out at once,
/// never mixed with what another thread writes.
#[derive(Clone, Copy, Debug)]
pub struct Stderr(());

/// This process's standard input, without a buffer.
#[must_use]
pub fn stdin() -> Patient<io::Stdin> {
    Patient(io::stdin())
}

/// This process's standard output.
#[must_use]
pub fn stdout() -> Stdout {
    Stdout(())
}

/// This process's standard error.
#[must_use]
pub fn stderr() -> Stderr {
    Stderr(())
}

/// Whether bytes were refused because stdout was closed when the process started.
#[must_use]
pub fn missed_stdout() -> bool {
    MISSED.load(Ordering::Relaxed)
}

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !stdout_was_open() && !bytes.is_empty() {
            MISSED.store(true, Ordering::Relaxed);
            return Err(io::Error::other("standard output is closed"));
        }
        Patient(*self).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl AsFd for Stdout {
    #[expect(unsafe_code, reason = "std lends it for as long as a handle of its own lives")]
    fn as_fd(&self) -> BorrowedFd<'_> {
        // SAFETY: the runtime sees to it that it is open, and nobody here closes it.
        unsafe { BorrowedFd::borrow_raw(libc::STDOUT_FILENO) }
    }
}

impl Write for Stderr {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Patient(*self).write(bytes)
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        static TALKS: Mutex<()> = Mutex::new(());
        let _one_at_a_time = TALKS.lock();
        Patient(*self).write_all(bytes)
    }

    fn write_fmt(&mut self, text: fmt::Arguments<'_>) -> io::Result<()> {
        self.write_all(text.to_string().as_bytes())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl AsFd for Stderr {
    #[expect(unsafe_code, reason = "std lends it for as long as a handle of its own lives")]
    fn as_fd(&self) -> BorrowedFd<'_> {
        // SAFETY: the runtime sees to it that it is open, and nobody here closes it.
        unsafe { BorrowedFd::borrow_raw(libc::STDERR_FILENO) }
    }
}

#[expect(unsafe_code, reason = "std writes only by way of handles that close what they write to")]
fn write_once(fd: BorrowedFd<'_>, bytes: &[u8]) -> io::Result<usize> {
    // SAFETY: the bytes are ours to read for that length, and the descriptor is open.
    let written = unsafe { libc::write(fd.as_raw_fd(), bytes.as_ptr().cast(), bytes.len()) };
    usize::try_from(written).map_err(|_| io::Error::last_os_error())
}

#[expect(unsafe_code, reason = "std reads only by way of handles that close what they read from")]
fn read_once(fd: BorrowedFd<'_>, room: &mut [u8]) -> io::Result<usize> {
    // SAFETY: the room is ours to fill for that length, and the descriptor is open.
    let read = unsafe { libc::read(fd.as_raw_fd(), room.as_mut_ptr().cast(), room.len()) };
    usize::try_from(read).map_err(|_| io::Error::last_os_error())
}

/// Returns when the next call of what `events` names would get on, or fail.
#[expect(unsafe_code, reason = "no poll in std")]
fn wait_for(fd: BorrowedFd<'_>, events: libc::c_short) -> io::Result<()> {
    let mut watch = libc::pollfd { fd: fd.as_raw_fd(), events, revents: 0 };
    // SAFETY: one entry, which is ours and lives through the call.
    match unsafe { libc::poll(&raw mut watch, 1, -1) } {
        -1 => {
            let error = io::Error::last_os_error();
            if error.kind() == ErrorKind::Interrupted { Ok(()) } else { Err(error) }
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn a_write_that_finds_no_room_goes_on_when_there_is_some_and_leaves_the_mode() {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        let bytes: Vec<u8> = (0..4_000_000_u32).map(|n| n.to_le_bytes()[0]).collect();
        std::thread::scope(|scope| {
            let reader = scope.spawn(move || {
                let mut read = Vec::new();
                theirs.read_to_end(&mut read).unwrap();
                read
            });
            Patient(&ours).write_all(&bytes).unwrap();
            // The flag is that of the open file still.
            let mut buffer = [0];
            assert_eq!((&ours).read(&mut buffer).unwrap_err().kind(), ErrorKind::WouldBlock);
            drop(ours);
            assert!(reader.join().unwrap() == bytes);
        });
    }

    #[test]
    fn a_write_that_nobody_reads_is_an_error_all_the_same() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        drop(theirs);
        let error = Patient(&ours).write_all(b"x").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BrokenPipe);
    }
}
