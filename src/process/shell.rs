//! A shell command that runs outside the clock (`--prepare`, `--cleanup`).

use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, bail};

/// Runs `command` with /bin/sh to its end; its output goes to stderr, for
/// stdout belongs to the report. When `wake` becomes readable first, the
/// command and its children are terminated, and that is no error: whoever made
/// it readable knows why.
///
/// # Errors
/// When the shell cannot be started or the command does not end with 0.
pub fn run_in_shell(command: &str, env: &[(&str, &OsStr)], wake: BorrowedFd<'_>) -> anyhow::Result<()> {
    let mut child = Command::new("/bin/sh")
        .arg("-c")
        .arg(command)
        .envs(env.iter().copied())
        .stdin(Stdio::null())
        .stdout(io::stderr())
        // A group of its own, so that all of it can be ended.
        .process_group(0)
        .spawn()
        .with_context(|| format!("start /bin/sh for {command:?}"))?;
    let woken = wait_for_end_or(wake, &child).with_context(|| format!("wait for {command:?}"))?;
    if woken {
        terminate_group(&child);
    }
    let status = child.wait().with_context(|| format!("wait for {command:?}"))?;
    if !woken && !status.success() {
        bail!("{command:?} ended with {status}");
    }
    Ok(())
}

/// Waits for the child's end or the wake descriptor; `true` if the latter came.
fn wait_for_end_or(wake: BorrowedFd<'_>, child: &Child) -> io::Result<bool> {
    let ended = end_of(child)?;
    let mut fds =
        [wake.as_raw_fd(), ended.as_raw_fd()].map(|fd| libc::pollfd { fd, events: libc::POLLIN, revents: 0 });
    loop {
        #[expect(unsafe_code, reason = "std cannot wait for two things at once")]
        // SAFETY: the array lives through the call and has two entries.
        let ready = unsafe { libc::poll(fds.as_mut_ptr(), 2, -1) };
        match ready {
            0.. => return Ok(fds[0].revents != 0 && fds[1].revents == 0),
            _ if io::Error::last_os_error().kind() == io::ErrorKind::Interrupted => {}
            _ => return Err(io::Error::last_os_error()),
        }
    }
}

/// A descriptor that becomes readable when `child` has ended.
#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "std's pidfd is not stable")]
fn end_of(child: &Child) -> io::Result<OwnedFd> {
    // SAFETY: the call takes two numbers; the child has not been waited for, so
    // that its number is still its own.
    let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, child.id(), 0) };
    match i32::try_from(fd) {
        // SAFETY: a new descriptor that nobody else owns.
        Ok(fd) if fd >= 0 => Ok(unsafe { OwnedFd::from_raw_fd(fd) }),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Elsewhere a thread waits in the place of the kernel.
#[cfg(not(target_os = "linux"))]
#[expect(unsafe_code, reason = "std cannot wait without reaping")]
fn end_of(child: &Child) -> io::Result<OwnedFd> {
    let (end, ring) = std::os::unix::net::UnixStream::pair()?;
    let pid = child.id();
    std::thread::spawn(move || {
        // SAFETY: an all-zero siginfo is a valid value to be written over;
        // WNOWAIT leaves the child to be reaped by its owner.
        unsafe {
            let mut info: libc::siginfo_t = std::mem::zeroed();
            libc::waitid(libc::P_PID, pid, &raw mut info, libc::WEXITED | libc::WNOWAIT);
        }
        drop(ring);
    });
    Ok(end.into())
}

#[expect(unsafe_code, reason = "std cannot signal a process group")]
fn terminate_group(child: &Child) {
    if let Ok(group) = i32::try_from(child.id()) {
        // SAFETY: two numbers; the leader has not been reaped, so that the
        // group is still the child's.
        unsafe { libc::killpg(group, libc::SIGTERM) };
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd as _;
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn a_failing_command_is_an_error_that_names_it() {
        let (wake, _ring) = UnixStream::pair().unwrap();
        let error = run_in_shell("exit 3", &[], wake.as_fd()).unwrap_err().to_string();
        assert!(error.contains("\"exit 3\"") && error.contains('3'), "{error}");
    }

    #[test]
    fn the_environment_reaches_the_command() {
        let (wake, _ring) = UnixStream::pair().unwrap();
        let env = [("PARSIM_WAY", OsStr::new("serial"))];
        run_in_shell("test \"$PARSIM_WAY\" = serial", &env, wake.as_fd()).unwrap();
    }

    #[test]
    fn a_readable_wake_descriptor_ends_the_command_and_its_children() {
        let (wake, ring) = UnixStream::pair().unwrap();
        drop(ring);
        run_in_shell("sleep 600 & sleep 600; wait", &[], wake.as_fd()).unwrap();
    }
}
