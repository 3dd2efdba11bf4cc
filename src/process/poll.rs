//! Waiting for descriptors: the one `poll` there is, and the descriptor that another
//! thread, or the handler of a signal, makes readable to have somebody look up from it.
//!
//! Does not know what the descriptors are for, nor what is to be looked at.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::marker::PhantomData;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd};
use std::sync::Arc;
use std::time::Duration;

use super::descriptor;

/// What a descriptor is to be ready for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interest {
    /// Something can be read, or the end was reached.
    Read,
    /// Something can be written, or a connection stands.
    Write,
}

/// One descriptor in a [`poll`]; what it borrows cannot be closed meanwhile.
#[repr(transparent)]
pub struct PollEntry<'a> {
    entry: libc::pollfd,
    descriptor: PhantomData<BorrowedFd<'a>>,
}

impl<'a> PollEntry<'a> {
    /// A place in the list that stands for nothing.
    pub const NOTHING: Self = Self::new(-1, 0);

    /// Ready when something can be read, or the end was reached.
    pub fn readable(descriptor: BorrowedFd<'a>) -> Self {
        Self::of(descriptor, Interest::Read)
    }

    /// Ready when something can be written, or nobody reads any more.
    pub fn writable(descriptor: BorrowedFd<'a>) -> Self {
        Self::of(descriptor, Interest::Write)
    }

    pub(super) fn of(descriptor: BorrowedFd<'a>, interest: Interest) -> Self {
        let events = match interest {
            Interest::Read => libc::POLLIN,
            Interest::Write => libc::POLLOUT,
        };
        Self::new(descriptor.as_raw_fd(), events)
    }

    /// Ready only when the other end closes.
    pub(super) fn closing(descriptor: BorrowedFd<'a>) -> Self {
        Self::new(descriptor.as_raw_fd(), 0)
    }

    /// Whether anything happened: what was asked for, or the other end closed.
    pub fn is_ready(&self) -> bool {
        self.entry.revents != 0
    }

    /// Whether the other end closed and nothing is left to read.
    pub(super) fn is_at_end(&self) -> bool {
        self.entry.revents & (libc::POLLHUP | libc::POLLIN) == libc::POLLHUP
    }

    const fn new(fd: i32, events: i16) -> Self {
        Self { entry: libc::pollfd { fd, events, revents: 0 }, descriptor: PhantomData }
    }
}

/// Waits for one of the descriptors, or for `timeout`, or for a signal: then none is
/// ready. Says how many are.
///
/// # Errors
/// When the system cannot wait for them.
pub fn poll(entries: &mut [PollEntry<'_>], timeout: Option<Duration>) -> io::Result<usize> {
    if let Ok(ready) = usize::try_from(poll_once(entries, timeout)) {
        return Ok(ready);
    }
    let error = io::Error::last_os_error();
    if error.kind() != io::ErrorKind::Interrupted {
        return Err(error);
    }
    for entry in entries {
        entry.entry.revents = 0;
    }
    Ok(0)
}

/// Never back before the time, which would be a turn of somebody's loop for nothing.
#[expect(unsafe_code, reason = "no poll in std")]
fn poll_once(entries: &mut [PollEntry<'_>], timeout: Option<Duration>) -> libc::c_int {
    let count = libc::nfds_t::try_from(entries.len()).expect("a handful of descriptors");
    let entries = entries.as_mut_ptr().cast::<libc::pollfd>();
    #[cfg(any(target_os = "linux", target_os = "freebsd"))]
    {
        let timeout = timeout.map(|time| libc::timespec {
            tv_sec: libc::time_t::try_from(time.as_secs()).unwrap_or(libc::time_t::MAX),
            tv_nsec: time.subsec_nanos().into(),
        });
        let timeout = timeout.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
        // SAFETY: `PollEntry` is a transparent `pollfd`; the slice is the caller's to
        // write and lives through the call, as do the time and what the entries borrow.
        // No signal mask is given.
        unsafe { libc::ppoll(entries, count, timeout, std::ptr::null()) }
    }
    #[cfg(not(any(target_os = "linux", target_os = "freebsd")))]
    {
        let millis =
            timeout.map_or(-1, |time| i32::try_from(time.as_nanos().div_ceil(1_000_000)).unwrap_or(i32::MAX));
        // SAFETY: as above.
        unsafe { libc::poll(entries, count, millis) }
    }
}

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
    ///
    /// # Errors
    /// When there are no descriptors left.
    pub fn new() -> io::Result<Self> {
        #[cfg(target_os = "linux")]
        let ends = WakerEnds { reader: File::from(descriptor::counter()?), writer: None };
        #[cfg(not(target_os = "linux"))]
        let ends = WakerEnds::pipe()?;
        Ok(Self { ends: Arc::new(ends) })
    }

    /// Wakes nobody any more until [`wake`](Self::wake) is called again.
    pub fn clear(&self) {
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
    use super::*;

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
