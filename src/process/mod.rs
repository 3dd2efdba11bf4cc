//! Processes: what this one was handed at its start and by whom, the signals that it
//! is sent, its children, and the shell commands that run around a measurement.
//!
//! Knows nothing of tasks.

pub mod ancestors;
pub mod child;
mod descriptors;
mod handed;
mod inherited;
pub mod init;
mod interrupt;
mod limits;
mod pipes;
mod shell;
pub mod signals;
mod standard;

pub use descriptors::of_descriptors;
pub use handed::{Handed, stderr_for_children, stdout_for_children};
pub use inherited::stdout_was_open;
pub use interrupt::{
    Hup, Interest, Interrupt, Waited, end_by, ending_signals, file_limits_are_errors, harmless_in_children,
};
pub use limits::{make_use_of_limits, room_for_arguments, with_first_limits};
pub use pipes::{open_to_read, open_to_write};
pub use shell::run_in_shell;
pub use standard::{Patient, Stderr, Stdout, missed_stdout, stderr, stdin, stdout};
