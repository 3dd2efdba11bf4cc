//! A shell command that runs outside the clock (`--prepare`, `--cleanup`).

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail};

use super::child::{Stop, Stops};
use super::handed::{Handed, stderr_for_children};
use super::limits::with_first_limits;

/// So long a command that is asked to end may take for it.
const GRACE: Duration = Duration::from_millis(200);

/// Runs `command` by `shell`, the words before a command line, to its end; its output
/// goes to stderr, for stdout belongs to the report. When `wake` becomes readable first, the
/// command and its children are terminated, and that is no error: whoever made
/// it readable knows why. `stopped` hears of a signal that stopped the command.
///
/// # Errors
/// When the shell cannot be started or the command does not end with 0.
pub fn run_in_shell(
    shell: &[OsString],
    command: &str,
    env: &[(&str, &OsStr)],
    wake: BorrowedFd<'_>,
    stopped: &dyn Fn(i32),
) -> anyhow::Result<()> {
    let again = match stderr_for_children() {
        Handed::Again(file) => Some(file),
        // It is given what there is: nobody here writes for it.
        Handed::Same | Handed::Nothing => None,
    };
    let (out, err) = match again {
        Some(file) => (file.try_clone().context("duplicate stderr")?.into(), file.into()),
        None => (Stdio::from(io::stderr()), Stdio::inherit()),
    };
    let (program, words) = shell.split_first().context("no shell")?;
    let mut child = with_first_limits(&mut Command::new(program))
        .args(words)
        .arg(command)
        .envs(env.iter().copied())
        .stdin(Stdio::null())
        .stdout(out)
        .stderr(err)
        // A group of its own, so that all of it can be ended.
        .process_group(0)
        .spawn()
        .with_context(|| format!("start {} for {command:?}", program.display()))?;
    let ended = wait_for_end_or(wake, &child, stopped).with_context(|| format!("wait for {command:?}"));
    let ended = ended.and_then(|woken| {
        if woken {
            end_group(&child).with_context(|| format!("end {command:?}"))?;
        }
        Ok(woken)
    });
    if ended.is_err() {
        // Nobody would wait for it.
        signal_group(&child, libc::SIGKILL);
    }
    let status = child.wait().with_context(|| format!("wait for {command:?}"))?;
    let woken = ended?;
    if !woken && !status.success() {
        bail!("{command:?} ended with {status}");
    }
    Ok(())
}

/// Waits for the child's end or the wake descriptor; `true` if the latter came.
fn wait_for_end_or(wake: BorrowedFd<'_>, child: &Child, stopped: &dyn Fn(i32)) -> io::Result<bool> {
    let ended = end_of(child)?;
    let mut stops = Stops::new(File::open("/dev/tty").is_ok());
    loop {
        let [wake_is_ready, has_ended] = wait([wake, ended.as_fd()], stops.time())?;
        if wake_is_ready || has_ended {
            return Ok(wake_is_ready && !has_ended);
        }
        let leader = i32::try_from(child.id()).map_err(io::Error::other)?;
        if let Some(Stop::Stopped { signal, is_news: true }) = stops.look(leader, false) {
            stopped(signal);
        }
    }
}

/// Asks the child's group to end, and makes it when it does not.
fn end_group(child: &Child) -> io::Result<()> {
    signal_group(child, libc::SIGTERM);
    let ended = end_of(child)?;
    wait([ended.as_fd()], Some(GRACE))?;
    // Members that outlive the shell are ended too.
    signal_group(child, libc::SIGKILL);
    Ok(())
}

/// Which of `fds` are readable; none when the time is over.
fn wait<const N: usize>(fds: [BorrowedFd<'_>; N], time: Option<Duration>) -> io::Result<[bool; N]> {
    let mut entries = fds.map(|fd| libc::pollfd { fd: fd.as_raw_fd(), events: libc::POLLIN, revents: 0 });
    let count = libc::nfds_t::try_from(N).expect("a few descriptors");
    let millis =
        time.map_or(-1, |time| i32::try_from(time.as_nanos().div_ceil(1_000_000)).unwrap_or(i32::MAX));
    loop {
        #[expect(unsafe_code, reason = "std cannot wait for several things at once")]
        // SAFETY: the array lives through the call and has that many entries.
        let ready = unsafe { libc::poll(entries.as_mut_ptr(), count, millis) };
        match ready {
            0.. => return Ok(entries.map(|entry| entry.revents != 0)),
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
fn signal_group(child: &Child, signal: i32) {
    if let Ok(group) = i32::try_from(child.id()) {
        // SAFETY: two numbers; the leader has not been reaped, so that the
        // group is still the child's.
        unsafe { libc::killpg(group, signal) };
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream;

    use super::*;

    fn sh() -> [OsString; 2] {
        ["/bin/sh", "-c"].map(OsString::from)
    }

    #[test]
    fn a_failing_command_is_an_error_that_names_it() {
        let (wake, _ring) = UnixStream::pair().unwrap();
        let error = run_in_shell(&sh(), "exit 3", &[], wake.as_fd(), &|_| ()).unwrap_err().to_string();
        assert!(error.contains("\"exit 3\"") && error.contains('3'), "{error}");
    }

    #[test]
    fn the_environment_reaches_the_command() {
        let (wake, _ring) = UnixStream::pair().unwrap();
        let env = [("PARSIM_WAY", OsStr::new("serial"))];
        run_in_shell(&sh(), "test \"$PARSIM_WAY\" = serial", &env, wake.as_fd(), &|_| ()).unwrap();
    }

    #[test]
    fn a_readable_wake_descriptor_ends_the_command_and_its_children() {
        let (wake, ring) = UnixStream::pair().unwrap();
        drop(ring);
        run_in_shell(&sh(), "trap '' TERM; sleep 600 & sleep 600; wait", &[], wake.as_fd(), &|_| ()).unwrap();
    }
}
