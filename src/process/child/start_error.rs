//! Why a job could not be started, told apart as far as a caller has different
//! answers.
//!
//! Does not know the answers: exit statuses are the caller's.

use std::fmt;
use std::io;

/// Why there is no report of a job.
#[derive(Debug)]
pub enum StartError {
    /// No such program, or its interpreter is missing. Shells end with 127.
    NotFound,
    /// It may not be executed. Shells end with 126.
    Denied,
    /// Executable, but neither a binary for this machine nor a text with an
    /// interpreter line. Shells then run it themselves or with /bin/sh:
    /// [`Words::through`](super::Words::through).
    NoInterpreter,
    /// The arguments and the environment are longer than the kernel allows.
    TooLong,
    /// Any other refusal of the program itself.
    Refused(io::Error),
    /// The job's working directory cannot be entered.
    Directory(io::Error),
    /// No process, descriptor or memory was to be had; jobs that run may free some.
    Resources(io::Error),
    /// Nothing is started any more: the run was terminated.
    Ending,
    /// It was started, but could not be attended to: it was killed.
    Lost(io::Error),
}

impl StartError {
    /// The reason for which `execve` failed.
    pub(super) fn from_exec(error: io::Error) -> Self {
        match error.raw_os_error() {
            Some(libc::ENOENT | libc::ENOTDIR) => Self::NotFound,
            Some(libc::EACCES | libc::EPERM) => Self::Denied,
            Some(libc::ENOEXEC) => Self::NoInterpreter,
            Some(libc::E2BIG) => Self::TooLong,
            Some(libc::EAGAIN | libc::ENOMEM | libc::EMFILE | libc::ENFILE) => Self::Resources(error),
            _ => Self::Refused(error),
        }
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound => f.write_str("no such program (or its interpreter is missing)"),
            Self::Denied => f.write_str("permission denied"),
            Self::NoInterpreter => f.write_str("neither a program for this machine nor a script with #!"),
            Self::TooLong => f.write_str("arguments and environment are longer than the system allows"),
            Self::Refused(error) => write!(f, "cannot be executed: {error}"),
            Self::Directory(error) => write!(f, "cannot enter the working directory: {error}"),
            Self::Resources(error) => write!(f, "cannot start a process: {error} (see ulimit -u, -n and -v)"),
            Self::Ending => f.write_str("not started: the run was ending"),
            Self::Lost(error) => write!(f, "killed: parsim could not watch it: {error}"),
        }
    }
}

impl std::error::Error for StartError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Refused(error) | Self::Directory(error) | Self::Resources(error) | Self::Lost(error) => {
                Some(error)
            }
            Self::NotFound | Self::Denied | Self::NoInterpreter | Self::TooLong | Self::Ending => None,
        }
    }
}
