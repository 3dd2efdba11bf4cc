//! Waiting for descriptors: the one `poll` there is.
//!
//! Does not know what the descriptors are for.

use std::io;
use std::marker::PhantomData;
use std::os::fd::{AsRawFd as _, BorrowedFd};
use std::time::Duration;

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
pub(super) struct PollEntry<'a> {
    entry: libc::pollfd,
    descriptor: PhantomData<BorrowedFd<'a>>,
}

impl<'a> PollEntry<'a> {
    /// A place in the list that stands for nothing.
    pub(super) const NOTHING: Self = Self::new(-1, 0);

    pub(super) fn readable(descriptor: BorrowedFd<'a>) -> Self {
        Self::of(descriptor, Interest::Read)
    }

    pub(super) fn writable(descriptor: BorrowedFd<'a>) -> Self {
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
    pub(super) fn is_ready(&self) -> bool {
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
pub(super) fn poll(entries: &mut [PollEntry<'_>], timeout: Option<Duration>) -> io::Result<usize> {
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
