//! A descriptor that another thread makes readable, to have a worker look up
//! from its `poll`.
//!
//! Does not know what is to be looked at.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

use super::descriptor;

/// Wakes one worker. Ringing it twice is the same as ringing it once.
#[derive(Clone, Debug)]
pub struct Waker {
    ends: Arc<Ends>,
}

impl Waker {
    /// Wakes the worker, now or when it next waits.
    pub fn ring(&self) {
        let writer = self.ends.writer.as_ref().unwrap_or(&self.ends.reader);
        // It only fails when there is no room for more, and then it rings already.
        let _ = { writer }.write(&1_u64.to_ne_bytes());
    }

    /// A bell that takes one descriptor where the system has counters for it,
    /// otherwise the two of a pipe.
    pub(super) fn new() -> io::Result<Self> {
        #[cfg(target_os = "linux")]
        let ends = Ends { reader: File::from(descriptor::counter()?), writer: None };
        #[cfg(not(target_os = "linux"))]
        let ends = Ends::pipe()?;
        Ok(Self { ends: Arc::new(ends) })
    }

    /// Makes it silent again.
    pub(super) fn still(&self) {
        // It ends with an error: nobody rang since.
        while { &self.ends.reader }.read(&mut [0; 8]).is_ok_and(|n| n > 0) {}
    }
}

impl AsFd for Waker {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.ends.reader.as_fd()
    }
}

#[derive(Debug)]
struct Ends {
    reader: File,
    /// None when one descriptor is both ends.
    writer: Option<File>,
}

#[cfg(any(test, not(target_os = "linux")))]
impl Ends {
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
    use descriptor::{Watch, poll};

    #[test]
    fn a_bell_rings_until_it_is_stilled() {
        for waker in [Waker::new().unwrap(), Waker { ends: Arc::new(Ends::pipe().unwrap()) }] {
            let rings = || poll(&mut [Watch::readable(waker.as_fd())], Some(Duration::ZERO)).unwrap() > 0;
            assert!(!rings());
            waker.ring();
            waker.clone().ring();
            assert!(rings() && rings());
            waker.still();
            assert!(!rings());
        }
    }
}
