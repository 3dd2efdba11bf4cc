//! What children that write for themselves are given as standard output and
//! standard error.
//!
//! A program that writes expects a write to wait. Where what this process was
//! handed does not (`O_NONBLOCK` set by others), the same pipe or terminal is
//! opened a second time, which has a mode of its own. Does not know who the
//! children are.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd};
use std::os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _};

use super::descriptor;
use super::standard::{stderr, stdout, stdout_was_open};

/// What a child gets.
#[derive(Debug)]
pub enum Handed {
    /// What this process has.
    Same,
    /// The same pipe or terminal, on which a write waits for room.
    Again(File),
    /// Nothing that would do: what it writes is to be written for it.
    Nothing,
}

/// Standard output for a child.
#[must_use]
pub fn stdout_for_children() -> Handed {
    if stdout_was_open() { handed(stdout().as_fd()) } else { Handed::Nothing }
}

/// Standard error for a child.
#[must_use]
pub fn stderr_for_children() -> Handed {
    handed(stderr().as_fd())
}

fn handed(fd: BorrowedFd<'_>) -> Handed {
    let Ok(flags) = descriptor::flags(fd) else { return Handed::Same };
    if flags & libc::O_NONBLOCK == 0 {
        return Handed::Same;
    }
    let kind = fd.try_clone_to_owned().and_then(|file| Ok(File::from(file).metadata()?.file_type()));
    match kind {
        // The flag means nothing for a file.
        Ok(kind) if kind.is_file() || kind.is_block_device() => Handed::Same,
        Ok(kind) if kind.is_fifo() || kind.is_char_device() => {
            open_again(fd, flags & libc::O_ACCMODE).map_or(Handed::Nothing, Handed::Again)
        }
        // A socket cannot be opened again.
        Ok(_) | Err(_) => Handed::Nothing,
    }
}

/// Opens what `fd` is once more; it waits for nobody meanwhile.
fn open_again(fd: BorrowedFd<'_>, access: i32) -> io::Result<File> {
    let file = OpenOptions::new()
        .read(access != libc::O_WRONLY)
        .write(access != libc::O_RDONLY)
        .custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY)
        .open(format!("/proc/self/fd/{}", fd.as_raw_fd()))?;
    descriptor::set_blocking(file.as_fd())?;
    Ok(file)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn a_pipe_that_does_not_wait_is_opened_again_and_keeps_its_mode() {
        let (_reader, writer) = io::pipe().unwrap();
        assert!(matches!(handed(writer.as_fd()), Handed::Same));
        descriptor::set_nonblocking(writer.as_fd()).unwrap();
        let Handed::Again(again) = handed(writer.as_fd()) else { panic!("not opened again") };
        let waits = |fd| descriptor::flags(fd).unwrap() & libc::O_NONBLOCK == 0;
        assert!(waits(again.as_fd()) && !waits(writer.as_fd()));
    }

    #[test]
    fn a_socket_that_does_not_wait_is_written_to_for_the_child() {
        let (ours, _theirs) = UnixStream::pair().unwrap();
        assert!(matches!(handed(ours.as_fd()), Handed::Same));
        ours.set_nonblocking(true).unwrap();
        assert!(matches!(handed(ours.as_fd()), Handed::Nothing));
    }
}
