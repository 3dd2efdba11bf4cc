//! Processes: what this one was handed at its start and by whom, and the shell
//! commands that run around a measurement.
//!
//! Knows nothing of tasks.

pub mod ancestors;
pub mod child;
mod descriptors;
mod inherited;
pub mod init;
mod shell;
pub mod signals;

pub use descriptors::of_descriptors;
pub use inherited::stdout_was_open;
pub use shell::run_in_shell;
