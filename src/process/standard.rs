//! Standard input, output and error, as whoever started this process left them:
//! closed, or in a mode in which a read or write does not wait.
//!
//! `O_NONBLOCK` belongs to the open file, which others share (node, ssh and CI
//! runners set it): it is never changed here. A write that finds no room and a read
//! that finds nothing wait in `poll` and go on; nothing is lost, and nobody is blamed.
//! Does not know what is written, nor who the children are that get the same.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::mem::ManuallyDrop;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, FromRawFd as _};
use std::os::unix::fs::FileTypeExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use super::descriptor;
use super::poll::{Interest, PollEntry, poll};
use crate::sync::Mutex;

/// Whether something was to be written to a stdout that was closed from the start.
static MISSED: AtomicBool = AtomicBool::new(false);

static STDOUT_WAS_CLOSED: AtomicBool = AtomicBool::new(false);

/// A descriptor whose writes wait for room, and whose reads wait for something to
/// read, in whichever mode it is.
#[derive(Debug)]
pub struct BlockingIo<F>(
    /// Where the bytes go.
    pub F,
);

impl<F: AsFd> Write for BlockingIo<F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        again_when_ready(self.0.as_fd(), Interest::Write, |file| file.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<F: AsFd> Read for BlockingIo<F> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        again_when_ready(self.0.as_fd(), Interest::Read, |file| file.read(room))
    }
}

/// Calls `once` until it need not wait.
fn again_when_ready(
    fd: BorrowedFd<'_>,
    interest: Interest,
    mut once: impl FnMut(&mut File) -> io::Result<usize>,
) -> io::Result<usize> {
    let mut file = as_file(fd);
    loop {
        match once(&mut file) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                poll(&mut [PollEntry::of(fd, interest)], None)?;
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            done => return done,
        }
    }
}

/// `fd` as a file: std reads and writes only by way of handles that close what they have.
#[expect(unsafe_code, reason = "a handle that does not close")]
fn as_file(fd: BorrowedFd<'_>) -> ManuallyDrop<File> {
    // SAFETY: the descriptor is open as long as it is borrowed, which is longer than any
    // caller keeps the file, and the file is never closed.
    ManuallyDrop::new(unsafe { File::from_raw_fd(fd.as_raw_fd()) })
}

/// This process's standard input, without a buffer.
pub fn stdin() -> BlockingIo<io::Stdin> {
    BlockingIo(io::stdin())
}

/// This process's standard output.
pub fn stdout() -> UnbufferedStdout {
    UnbufferedStdout(BlockingIo(io::stdout()))
}

/// This process's standard error.
pub fn stderr() -> UnbufferedStderr {
    UnbufferedStderr(BlockingIo(io::stderr()))
}

/// Standard output, without a buffer. What is written where it was closed from the
/// start is an error.
#[derive(Debug)]
pub struct UnbufferedStdout(BlockingIo<io::Stdout>);

impl Write for UnbufferedStdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !stdout_was_open() && !bytes.is_empty() {
            MISSED.store(true, Ordering::Relaxed);
            return Err(io::Error::other("standard output is closed"));
        }
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl AsFd for UnbufferedStdout {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.0.as_fd()
    }
}

/// Standard error, without a buffer. What is written at once comes out at once,
/// never mixed with what another thread writes.
#[derive(Debug)]
pub struct UnbufferedStderr(BlockingIo<io::Stderr>);

impl Write for UnbufferedStderr {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        static TALKS: Mutex<()> = Mutex::new(());
        let _one_at_a_time = TALKS.lock();
        self.0.write_all(bytes)
    }

    fn write_fmt(&mut self, text: fmt::Arguments<'_>) -> io::Result<()> {
        self.write_all(text.to_string().as_bytes())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl AsFd for UnbufferedStderr {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.0.as_fd()
    }
}

/// Whether bytes were refused because stdout was closed when the process started.
pub fn missed_stdout() -> bool {
    MISSED.load(Ordering::Relaxed)
}

/// Whether descriptor 1 was open when the process started. Where the platform
/// offers no way to know, it is taken to be open.
///
/// Rust's runtime opens /dev/null in the place of a closed standard descriptor, so that
/// a report to a closed stdout would vanish without a word. The question has to be asked
/// before the runtime starts, which the loader's list of initialisers allows.
pub fn stdout_was_open() -> bool {
    !STDOUT_WAS_CLOSED.load(Ordering::Relaxed)
}

#[cfg(target_os = "linux")]
#[used]
#[expect(unsafe_code, reason = "no other way to run before the runtime")]
// SAFETY: the loader calls each entry of this section once, as a C function
// without arguments that it looks at, before main.
#[unsafe(link_section = ".init_array")]
static LOOK: extern "C" fn() = look;

#[cfg(target_os = "linux")]
extern "C" fn look() {
    STDOUT_WAS_CLOSED.store(!descriptor::is_open(1), Ordering::Relaxed);
}

/// What a child that writes for itself gets: such a program expects a write to wait. Where
/// what this process was handed does not, the same pipe or terminal is opened a second
/// time, which has a mode of its own.
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
pub fn stdout_for_children() -> Handed {
    if stdout_was_open() { handed(stdout().as_fd()) } else { Handed::Nothing }
}

/// Standard error for a child.
pub fn stderr_for_children() -> Handed {
    handed(stderr().as_fd())
}

fn handed(fd: BorrowedFd<'_>) -> Handed {
    let Ok(flags) = descriptor::flags(fd) else { return Handed::Same };
    if flags & libc::O_NONBLOCK == 0 {
        return Handed::Same;
    }
    match as_file(fd).metadata().map(|file| file.file_type()) {
        // The flag means nothing for a file.
        Ok(kind) if kind.is_file() || kind.is_block_device() => Handed::Same,
        Ok(kind) if kind.is_fifo() || kind.is_char_device() => {
            open_again(fd, flags & libc::O_ACCMODE).map_or(Handed::Nothing, Handed::Again)
        }
        // A socket cannot be opened again.
        Ok(_) | Err(_) => Handed::Nothing,
    }
}

/// Opens what `fd` is once more.
fn open_again(fd: BorrowedFd<'_>, access: i32) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(access != libc::O_WRONLY).write(access != libc::O_RDONLY);
    descriptor::open_at_once(Path::new(&format!("/proc/self/fd/{}", fd.as_raw_fd())), &mut options)
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
            BlockingIo(&ours).write_all(&bytes).unwrap();
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
        let error = BlockingIo(&ours).write_all(b"x").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BrokenPipe);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_pipe_that_does_not_wait_is_opened_again_and_keeps_its_mode() {
        let (_reader, writer) = io::pipe().unwrap();
        assert!(matches!(handed(writer.as_fd()), Handed::Same));
        descriptor::set_nonblocking(writer.as_fd()).unwrap();
        let Handed::Again(again) = handed(writer.as_fd()) else { panic!("not opened again") };
        let waits = |fd| descriptor::flags(fd).unwrap() & libc::O_NONBLOCK == 0;
        assert!(waits(again.as_fd()) && !waits(writer.as_fd()));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_socket_that_does_not_wait_is_written_to_for_the_child() {
        let (ours, _theirs) = UnixStream::pair().unwrap();
        assert!(matches!(handed(ours.as_fd()), Handed::Same));
        ours.set_nonblocking(true).unwrap();
        assert!(matches!(handed(ours.as_fd()), Handed::Nothing));
    }
}
