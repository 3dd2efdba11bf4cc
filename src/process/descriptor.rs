//! The few calls on descriptors that std lacks: how much a pipe holds, `O_NONBLOCK`,
//! a counter to wake with, a process as a descriptor, and files that are opened without a
//! wait.
//!
//! Does not know what the descriptors are for.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::fd::{AsFd as _, AsRawFd, BorrowedFd};
#[cfg(target_os = "linux")]
use std::os::fd::{FromRawFd as _, OwnedFd};
use std::os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::time::Duration;

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
pub fn widen(pipe: BorrowedFd<'_>) {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    {
        const MEBIBYTE: libc::c_int = 1 << 20;
        if fcntl(&pipe, libc::F_GETPIPE_SZ, 0).is_ok_and(|size| size < MEBIBYTE) {
            let _ = fcntl(&pipe, libc::F_SETPIPE_SZ, MEBIBYTE);
        }
    }
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    let _ = pipe;
}

/// Makes reading or writing answer `WouldBlock` instead of waiting. The flag belongs to
/// the open file: it is one that was opened just now and is nobody else's.
///
/// # Errors
/// When there is no such file.
pub fn set_nonblocking(descriptor: BorrowedFd<'_>) -> io::Result<()> {
    fcntl(&descriptor, libc::F_SETFL, flags(descriptor)? | libc::O_NONBLOCK).map(drop)
}

/// How an open file is read and written: `O_NONBLOCK`, `O_WRONLY` and others.
pub(super) fn flags(descriptor: BorrowedFd<'_>) -> io::Result<i32> {
    fcntl(&descriptor, libc::F_GETFL, 0)
}

/// Whether the descriptor of that number is open.
#[cfg(target_os = "linux")]
pub(super) fn is_open(number: i32) -> bool {
    fcntl(&number, libc::F_GETFD, 0).is_ok()
}

#[expect(unsafe_code, reason = "no fcntl in std")]
fn fcntl(descriptor: &impl AsRawFd, command: libc::c_int, number: libc::c_int) -> io::Result<libc::c_int> {
    // SAFETY: the commands of this file take and return plain numbers, of a descriptor that
    // is open or only asked about.
    match unsafe { libc::fcntl(descriptor.as_raw_fd(), command, number) } {
        -1 => Err(io::Error::last_os_error()),
        answer => Ok(answer),
    }
}

/// A counter that is readable while it is not zero.
#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "no eventfd in std")]
pub(super) fn counter() -> io::Result<OwnedFd> {
    // SAFETY: takes plain flags; a descriptor it returns is new, hence ours alone.
    unsafe {
        match libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) {
            -1 => Err(io::Error::last_os_error()),
            fd => Ok(OwnedFd::from_raw_fd(fd)),
        }
    }
}

/// A descriptor that becomes readable when the process ends. Since Linux 5.3.
#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "no stable pidfd_open in std")]
pub(super) fn process(pid: i32) -> io::Result<OwnedFd> {
    // SAFETY: takes plain numbers; a descriptor it returns is new, hence ours
    // alone, and closed on exec.
    unsafe {
        match i32::try_from(libc::syscall(libc::SYS_pidfd_open, pid, 0)) {
            Ok(fd) if fd >= 0 => Ok(OwnedFd::from_raw_fd(fd)),
            _ => Err(io::Error::last_os_error()),
        }
    }
}

/// How long to wait before it is looked again whether somebody reads.
const A_MOMENT: Duration = Duration::from_millis(10);

/// Opens `path` to be read. A pipe that nobody writes to yet is no file that has
/// ended: it becomes readable with the first writer, which is to be waited for.
///
/// # Errors
/// When it cannot be opened.
pub fn open_to_read(path: &Path) -> io::Result<File> {
    open_at_once(path, OpenOptions::new().read(true))
}

/// Opens `path` as `options` say. While it is a pipe that nobody reads, `wait` waits,
/// and says whether to go on waiting.
///
/// # Errors
/// When it cannot be opened, or was not to be waited for any more.
pub fn open_to_write(
    path: &Path,
    options: &OpenOptions,
    wait: impl Fn(Duration) -> bool,
) -> io::Result<File> {
    if !fs::metadata(path).is_ok_and(|data| data.file_type().is_fifo()) {
        return options.open(path);
    }
    let mut options = options.clone();
    loop {
        match open_at_once(path, &mut options) {
            Err(error) if error.raw_os_error() == Some(libc::ENXIO) => {
                if !wait(A_MOMENT) {
                    return Err(io::Error::new(io::ErrorKind::Interrupted, "nobody reads from this pipe"));
                }
            }
            opened => return opened,
        }
    }
}

/// Opens `path` as `options` say. A pipe waits for who opens its other end, and a wait that
/// no signal ends is none: this waits for nobody, though what is read and written does.
pub(super) fn open_at_once(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    let file = options.custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY).open(path)?;
    fcntl(&file, libc::F_SETFL, flags(file.as_fd())? & !libc::O_NONBLOCK)?;
    Ok(file)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_pipe_is_widened_and_never_narrowed() {
        let (reader, _writer) = io::pipe().unwrap();
        let size = || fcntl(&reader, libc::F_GETPIPE_SZ, 0).unwrap();
        let first = size();
        widen(reader.as_fd());
        // A user who has many pipes already is granted no more.
        assert!(size() >= first);
        if let Ok(larger) = fcntl(&reader, libc::F_SETPIPE_SZ, 2 << 20) {
            widen(reader.as_fd());
            assert_eq!(size(), larger);
        }
    }
}
