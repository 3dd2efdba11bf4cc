//! Starting a process, whichever way the system offers: as [`vfork`](super::vfork) does, or
//! by std, with a thread that waits for its end where there is no descriptor that tells.
//! That is slower, otherwise the same.
//!
//! Does not know what is done with its output.

use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::Stdio;

use super::command::StartError;
use super::job::Job;
use super::pipes::{Given, Theirs};
use super::reap;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
use super::vfork::Stack;
use crate::process::descriptor;
use crate::process::limits::with_first_limits;
use crate::process::signal::{self, SignalSet};

/// A process that was started and not yet reaped.
#[derive(Debug)]
pub(super) struct Child {
    /// Its number, which is its process group's, too.
    pub(super) pid: i32,
    /// Becomes readable, or is closed at the other end, when the process ends.
    pub(super) end: OwnedFd,
    /// What it got as standard output and standard error, where that is open here still.
    pub(super) writers: [Option<OwnedFd>; 2],
}

/// A way to start a process; belongs to one thread.
pub(super) enum Spawner {
    /// The parent's memory is borrowed until the program is loaded: several
    /// times cheaper than a copy of its page tables.
    #[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
    Vfork {
        stack: Stack,
        /// Signals that have a handler here, as bit `signal - 1`. (std takes care of them.)
        caught: u64,
    },
    /// What std offers.
    Portable,
}

impl Spawner {
    /// The fastest way there is, where signals have handlers: `caught`.
    pub(super) fn fastest(caught: u64) -> Self {
        #[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
        // Not with a kernel before 5.3, nor in a sandbox that does not know the call.
        if descriptor::process(std::process::id().cast_signed()).is_ok() {
            return Self::Vfork { stack: Stack::new(), caught };
        }
        let _ = caught;
        Self::Portable
    }

    /// Starts a process in a group of its own. All signal dispositions are the
    /// default, except that what was ignored when this process was started
    /// stays so; no signal is blocked.
    pub(super) fn spawn(&mut self, job: &Job<'_>, theirs: Theirs<'_>) -> Result<Child, StartError> {
        match self {
            #[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
            Self::Vfork { stack, caught } => {
                let child = super::vfork::spawn(stack, *caught, job, &theirs)?;
                let [_, stdout, stderr] = theirs;
                Ok(Child { writers: [stdout, stderr].map(Given::into_owned), ..child })
            }
            Self::Portable => spawn_by_std(job, theirs),
        }
    }
}

/// Starts `job` with the descriptors `theirs`.
fn spawn_by_std(job: &Job<'_>, theirs: Theirs<'_>) -> Result<Child, StartError> {
    let [stdin, stdout, stderr] = theirs;
    let mut command = std::process::Command::new(text(job.command.program.to_bytes()));
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
    end_of(pid).map(|end| Child { pid, end, writers: [None, None] }).map_err(|error| {
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
        && let Ok(end) = descriptor::process(pid)
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
fn prepare_in_child(command: &mut std::process::Command, nice: Option<i32>) {
    let prepare = move || {
        SignalSet::of([]).mask(libc::SIG_SETMASK);
        if let Some(nice) = nice {
            // SAFETY: takes plain numbers. What is not granted is no reason not to run.
            unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, nice) };
        }
        Ok(())
    };
    // SAFETY: two system calls, which a copy of a process with threads may make.
    unsafe { command.pre_exec(prepare) };
}
