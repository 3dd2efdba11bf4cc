//! Processes: what this one was handed at its start and by whom, the signals that it
//! is sent, its children, and the shell commands that run around a measurement.
//!
//! Knows nothing of tasks.

pub mod ancestors;
pub mod child;
mod descriptor;
pub mod init;
mod limits;
mod poll;
mod shell;
mod signal;
mod standard;
mod uninterrupted;

pub use descriptor::{open_to_read, open_to_write, set_nonblocking, widen};
pub use limits::{make_use_of_limits, of_descriptors, room_for_arguments, with_first_limits};
pub use poll::{Interest, PollEntry, Waker, poll};
pub use shell::{ShellLine, run_in_shell};
pub use signal::{
    CaughtSignals, Hup, Interrupt, SignalThread, Waited, Wakeup, end_by, ending_signals,
    file_limits_are_errors, harmless_in_children, is_in_background, send_to_process, stop_here,
};

/// On whose behalf this process runs, by number.
pub fn user() -> u32 {
    // SAFETY: it asks the kernel for a number, and cannot fail.
    #[expect(unsafe_code, reason = "the standard library does not say who one is")]
    unsafe {
        libc::geteuid()
    }
}

/// The names of the variables that this process was given.
pub fn variable_names() -> impl Iterator<Item = std::ffi::OsString> {
    std::env::vars_os().map(|(name, _)| name)
}

pub use standard::{
    BlockingIo, Handed, UnbufferedStdout, missed_stdout, stderr, stderr_for_children, stdin, stdout,
    stdout_for_children, stdout_was_open,
};
#[cfg(test)]
pub use uninterrupted::Disturbed;
pub use uninterrupted::Uninterrupted;
