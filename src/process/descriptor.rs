//! The few calls on descriptors that std lacks: how much a pipe holds, `O_NONBLOCK`,
//! a counter to wake with, and a process as a descriptor.
//!
//! Does not know what the descriptors are for.

use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd};

/// How many bytes a pipe holds now.
#[expect(unsafe_code, reason = "no FIONREAD in std")]
pub(super) fn bytes_held(pipe: BorrowedFd<'_>) -> io::Result<usize> {
    let mut count: libc::c_int = 0;
    loop {
        // SAFETY: FIONREAD writes one int, which lives through the call.
        if unsafe { libc::ioctl(pipe.as_raw_fd(), libc::FIONREAD, &raw mut count) } != -1 {
            return Ok(usize::try_from(count).unwrap_or(0));
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
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

/// Makes reading or writing answer `WouldBlock` instead of waiting. The flag belongs to
/// the open file: it is one that was opened just now and is nobody else's.
pub(super) fn set_nonblocking(descriptor: BorrowedFd<'_>) -> io::Result<()> {
    set_flags(descriptor, flags(descriptor)? | libc::O_NONBLOCK)
}

/// Makes reading and writing wait, as they do by default; of a file as above.
pub(super) fn set_blocking(descriptor: BorrowedFd<'_>) -> io::Result<()> {
    set_flags(descriptor, flags(descriptor)? & !libc::O_NONBLOCK)
}

/// How an open file is read and written: `O_NONBLOCK`, `O_WRONLY` and others.
#[expect(unsafe_code, reason = "std does not tell a descriptor's flags")]
pub(super) fn flags(descriptor: BorrowedFd<'_>) -> io::Result<i32> {
    // SAFETY: F_GETFL only reads the flags of an open descriptor.
    match unsafe { libc::fcntl(descriptor.as_raw_fd(), libc::F_GETFL) } {
        -1 => Err(io::Error::last_os_error()),
        flags => Ok(flags),
    }
}

#[expect(unsafe_code, reason = "std sets these flags on sockets only")]
fn set_flags(descriptor: BorrowedFd<'_>, flags: i32) -> io::Result<()> {
    // SAFETY: takes plain flags of an open descriptor.
    match unsafe { libc::fcntl(descriptor.as_raw_fd(), libc::F_SETFL, flags) } {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

#[cfg(target_os = "linux")]
pub(super) use linux::{counter, process};

#[cfg(target_os = "linux")]
mod linux {
    use std::io;
    use std::os::fd::{FromRawFd as _, OwnedFd};

    /// A counter that is readable while it is not zero.
    #[expect(unsafe_code, reason = "no eventfd in std")]
    pub(in crate::process) fn counter() -> io::Result<OwnedFd> {
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
    pub(in crate::process) fn process(pid: i32) -> io::Result<OwnedFd> {
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
