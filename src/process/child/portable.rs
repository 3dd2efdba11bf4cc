//! Starting a process by std, and a thread that waits for its end: for systems
//! and kernels without a descriptor that tells. Slower, otherwise the same.
//!
//! Does not know what is done with the process's output.

use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};

use super::error::StartError;
use super::reap;
use super::signal;
use super::spawn::{Child, Program};
use super::streams::{Given, Theirs};
use crate::process::limits::with_first_limits;

/// Starts `job` with the descriptors `theirs`.
pub(super) fn spawn(job: &Program<'_>, theirs: Theirs<'_>) -> Result<Child, StartError> {
    let [stdin, stdout, stderr] = theirs;
    let mut command = Command::new(text(job.command.program.to_bytes()));
    command.process_group(0).env_clear();
    let mut words = job.argv.iter();
    if let Some(name) = words.next() {
        command.arg0(text(name));
    }
    command.args(words.map(text));
    for bytes in job.command.environment.iter().chain(job.variables.iter()) {
        // A name may begin with "=", as std has it.
        if let Some(end) = bytes.iter().skip(1).position(|&byte| byte == b'=') {
            command.env(text(&bytes[..=end]), text(&bytes[end + 2..]));
        }
    }
    if let Some(directory) = &job.command.directory {
        // std does not tell a missing directory from a missing program.
        std::fs::read_dir(directory).map_err(StartError::Directory)?;
        command.current_dir(directory);
    }
    command.stdin(stdio(stdin).map_err(StartError::Resources)?);
    command.stdout(stdio(stdout).map_err(StartError::Resources)?);
    command.stderr(stdio(stderr).map_err(StartError::Resources)?);
    if job.command.nice.is_some() || signal::blocks_any() {
        prepare_in_child(&mut command, job.command.nice);
    }
    with_first_limits(&mut command);
    // Dropped without a wait: std has no reaper of its own.
    let pid = command.spawn().map_err(StartError::from_exec)?.id().cast_signed();
    end_of(pid).map(|end| Child { pid, end }).map_err(|error| {
        // Started, but nobody would notice its end.
        let _ = signal::send_to_group(pid, libc::SIGKILL);
        let _ = reap::reap(pid);
        StartError::Resources(error)
    })
}

/// A descriptor that is closed at its other end when the child has ended.
fn end_of(pid: i32) -> io::Result<OwnedFd> {
    #[cfg(target_os = "linux")]
    if !cfg!(test)
        && let Ok(end) = super::descriptor::process(pid)
    {
        return Ok(end);
    }
    let (reader, writer) = io::pipe()?;
    std::thread::Builder::new().stack_size(64 * 1024).spawn(move || {
        reap::await_end(pid);
        drop(writer);
    })?;
    Ok(reader.into())
}

fn stdio(given: Given<'_>) -> io::Result<Stdio> {
    Ok(match given {
        Given::Inherited => Stdio::inherit(),
        Given::Lent(file) => file.as_fd().try_clone_to_owned()?.into(),
        Given::Owned(file) => file.into(),
    })
}

fn text(bytes: &[u8]) -> &OsStr {
    OsStr::from_bytes(bytes)
}

/// Sets what std leaves as it is: the niceness, and the signal mask, which would
/// be this thread's. For this std copies the whole process, hence only if needed.
#[expect(unsafe_code, reason = "std runs no code in the child otherwise")]
fn prepare_in_child(command: &mut Command, nice: Option<i32>) {
    let prepare = move || {
        signal::unblock_all();
        if let Some(nice) = nice {
            // SAFETY: takes plain numbers. What is not granted is no reason not to run.
            unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, nice) };
        }
        Ok(())
    };
    // SAFETY: two system calls, which a copy of a process with threads may make.
    unsafe { command.pre_exec(prepare) };
}
