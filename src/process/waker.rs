//! A descriptor that another thread, or the handler of a signal, makes readable to have
//! somebody look up from a wait.
//!
//! Does not know what is to be looked at.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

use super::descriptor;

/// So often somebody is woken where the system fails at it.
const TRIES: usize = 4;

/// Wakes who waits for it. Twice is the same as once.
#[derive(Clone, Debug)]
pub struct Waker {
    ends: Arc<WakerEnds>,
}

impl Waker {
    /// Wakes whoever waits, now or when they next do, until it is cleared. A handler may
    /// do it: it is one system call.
    pub fn wake(&self) {
        let mut writer = self.ends.writer.as_ref().unwrap_or(&self.ends.reader);
        // Who is not woken may wait for ever, so what fails is tried again.
        // (Where there is no room for more, it wakes already.)
        for _ in 0..TRIES {
            if writer.write(&1_u64.to_ne_bytes()).is_ok() {
                return;
            }
        }
    }

    /// One that takes a single descriptor where the system has counters for it,
    /// otherwise the two of a pipe.
    pub(super) fn new() -> io::Result<Self> {
        #[cfg(target_os = "linux")]
        let ends = WakerEnds { reader: File::from(descriptor::counter()?), writer: None };
        #[cfg(not(target_os = "linux"))]
        let ends = WakerEnds::pipe()?;
        Ok(Self { ends: Arc::new(ends) })
    }

    /// Wakes nobody any more until [`wake`](Self::wake) is called again.
    pub(super) fn clear(&self) {
        // It ends with an error: nothing came since.
        while { &self.ends.reader }.read(&mut [0; 8]).is_ok_and(|n| n > 0) {}
    }
}

impl AsFd for Waker {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.ends.reader.as_fd()
    }
}

#[derive(Debug)]
struct WakerEnds {
    reader: File,
    /// None when one descriptor is both ends.
    writer: Option<File>,
}

#[cfg(any(test, not(target_os = "linux")))]
impl WakerEnds {
    fn pipe() -> io::Result<Self> {
        use std::os::fd::OwnedFd;
        let (reader, writer) = io::pipe()?;
        descriptor::set_nonblocking(reader.as_fd())?;
        descriptor::set_nonblocking(writer.as_fd())?;
        Ok(Self { reader: OwnedFd::from(reader).into(), writer: Some(OwnedFd::from(writer).into()) })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::process::poll::{PollEntry, poll};

    #[test]
    fn a_waker_wakes_until_it_is_cleared() {
        for waker in [Waker::new().unwrap(), Waker { ends: Arc::new(WakerEnds::pipe().unwrap()) }] {
            let wakes = || poll(&mut [PollEntry::readable(waker.as_fd())], Some(Duration::ZERO)).unwrap() > 0;
            assert!(!wakes());
            waker.wake();
            waker.clone().wake();
            assert!(wakes() && wakes());
            waker.clear();
            assert!(!wakes());
        }
    }
}
