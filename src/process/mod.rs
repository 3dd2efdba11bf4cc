//! Processes: what this one was handed at its start, and the shell commands
//! that run around a measurement.
//!
//! Knows nothing of tasks.

pub mod child;
mod inherited;
mod shell;

pub use inherited::stdout_was_open;
pub use shell::run_in_shell;
