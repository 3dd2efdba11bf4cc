//! The few calls on descriptors that std lacks: `poll`, how much a pipe holds,
//! `O_NONBLOCK`, a counter to wake with, and a process as a descriptor.
//!
//! Does not know what the descriptors are for.

use std::io;
use std::marker::PhantomData;
use std::os::fd::{AsRawFd as _, BorrowedFd};
use std::time::Duration;

/// One descriptor in a [`poll`]; what it borrows cannot be closed meanwhile.
#[repr(transparent)]
pub(super) struct Watch<'a> {
    entry: libc::pollfd,
    descriptor: PhantomData<BorrowedFd<'a>>,
}

impl<'a> Watch<'a> {
    /// A place in the list that stands for nothing.
    pub(super) const NOTHING: Self = Self::new(-1, 0);

    pub(super) fn readable(descriptor: BorrowedFd<'a>) -> Self {
        Self::new(descriptor.as_raw_fd(), libc::POLLIN)
    }

    pub(super) fn writable(descriptor: BorrowedFd<'a>) -> Self {
        Self::new(descriptor.as_raw_fd(), libc::POLLOUT)
    }

    /// Stirs only when the other end closes.
    pub(super) fn closing(descriptor: BorrowedFd<'a>) -> Self {
        Self::new(descriptor.as_raw_fd(), 0)
    }

    /// Whether anything happened: what was asked for, or the other end closed.
    pub(super) fn stirred(&self) -> bool {
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

/// Waits for one of the descriptors, or for `timeout`, or for a signal: then
/// nothing has stirred. Says how many did.
#[expect(unsafe_code, reason = "no poll in std")]
pub(super) fn poll(watches: &mut [Watch<'_>], timeout: Option<Duration>) -> io::Result<usize> {
    // Rounded up: a wake-up just before the time would be one for nothing.
    let millis =
        timeout.map_or(-1, |time| i32::try_from(time.as_nanos().div_ceil(1_000_000)).unwrap_or(i32::MAX));
    let count = libc::nfds_t::try_from(watches.len()).expect("a handful of descriptors");
    // SAFETY: `Watch` is a transparent `pollfd`; the slice is ours to write and
    // lives through the call, as does what its entries borrow.
    let stirred = unsafe { libc::poll(watches.as_mut_ptr().cast::<libc::pollfd>(), count, millis) };
    if let Ok(stirred) = usize::try_from(stirred) {
        return Ok(stirred);
    }
    let error = io::Error::last_os_error();
    if error.kind() != io::ErrorKind::Interrupted {
        return Err(error);
    }
    for watch in watches {
        watch.entry.revents = 0;
    }
    Ok(0)
}

/// How many bytes a pipe holds now.
#[expect(unsafe_code, reason = "no FIONREAD in std")]
pub(super) fn bytes_held(pipe: BorrowedFd<'_>) -> io::Result<usize> {
    let mut count: libc::c_int = 0;
    // SAFETY: FIONREAD writes one int, which lives through the call.
    if unsafe { libc::ioctl(pipe.as_raw_fd(), libc::FIONREAD, &raw mut count) } == -1 {
        return Err(io::Error::last_os_error());
    }
    Ok(usize::try_from(count).unwrap_or(0))
}

/// Lets a pipe hold as much as an unprivileged process may have by default, unless
/// it holds more. What the system does not grant stays as it was.
#[expect(unsafe_code, reason = "no F_SETPIPE_SZ in std")]
pub fn widen(pipe: BorrowedFd<'_>) {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    {
        const MEBIBYTE: libc::c_int = 1 << 20;
        let fd = pipe.as_raw_fd();
        // SAFETY: both take and return plain numbers, of an open descriptor.
        unsafe {
            if libc::fcntl(fd, libc::F_GETPIPE_SZ) < MEBIBYTE {
                libc::fcntl(fd, libc::F_SETPIPE_SZ, MEBIBYTE);
            }
        }
    }
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    let _ = pipe;
}

/// Makes reading or writing this end answer `WouldBlock` instead of waiting.
#[expect(unsafe_code, reason = "std sets this flag on sockets only")]
pub(super) fn set_nonblocking(descriptor: BorrowedFd<'_>) -> io::Result<()> {
    let fd = descriptor.as_raw_fd();
    // SAFETY: both commands take and return plain flags of an open descriptor.
    let done = unsafe {
        let flags = libc::fcntl(fd, libc::F_GETFL);
        flags != -1 && libc::fcntl(fd, libc::F_SETFL, flags | libc::O_NONBLOCK) != -1
    };
    if done { Ok(()) } else { Err(io::Error::last_os_error()) }
}

#[cfg(target_os = "linux")]
pub(super) use linux::{counter, process};

#[cfg(target_os = "linux")]
mod linux {
    use std::io;
    use std::os::fd::{FromRawFd as _, OwnedFd};

    /// A counter that is readable while it is not zero.
    #[expect(unsafe_code, reason = "no eventfd in std")]
    pub(in super::super) fn counter() -> io::Result<OwnedFd> {
        // SAFETY: takes plain flags; a descriptor it returns is new, hence ours alone.
        unsafe {
            match libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) {
                -1 => Err(io::Error::last_os_error()),
                fd => Ok(OwnedFd::from_raw_fd(fd)),
            }
        }
    }

    /// A descriptor that becomes readable when the process ends. Since Linux 5.3.
    #[expect(unsafe_code, reason = "no stable pidfd_open in std")]
    pub(in super::super) fn process(pid: i32) -> io::Result<OwnedFd> {
        // SAFETY: takes plain numbers; a descriptor it returns is new, hence ours
        // alone, and closed on exec.
        unsafe {
            match i32::try_from(libc::syscall(libc::SYS_pidfd_open, pid, 0)) {
                Ok(fd) if fd >= 0 => Ok(OwnedFd::from_raw_fd(fd)),
                _ => Err(io::Error::last_os_error()),
            }
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::os::fd::AsFd as _;

    use super::*;

    #[test]
    #[expect(unsafe_code, reason = "no size of a pipe in std")]
    fn a_pipe_is_widened_and_never_narrowed() {
        let (reader, _writer) = std::io::pipe().unwrap();
        let fd = reader.as_raw_fd();
        // SAFETY: both take and return plain numbers, of an open descriptor.
        let size = || unsafe { libc::fcntl(fd, libc::F_GETPIPE_SZ) };
        let first = size();
        widen(reader.as_fd());
        // A user who has many pipes already is granted no more.
        assert!(size() >= first);
        // SAFETY: as above.
        let larger = unsafe { libc::fcntl(fd, libc::F_SETPIPE_SZ, 2 << 20) };
        if larger > 0 {
            widen(reader.as_fd());
            assert_eq!(size(), larger);
        }
    }
}
