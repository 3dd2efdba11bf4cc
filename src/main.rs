//! The program: hands argv to the library and ends as it says.

use std::process::ExitCode;
use std::time::Instant;

use parsim::cli::{self, End};
use parsim::interrupt::end_by;
use parsim::process::init;

fn main() -> ExitCode {
    let started = Instant::now();
    let end = match init::stay_behind() {
        // Another process did the work.
        Some(init::Ended::Exited(status)) => End::Status(status),
        Some(init::Ended::Signaled(signal)) => End::Signal(signal),
        None => cli::run(&std::env::args_os().collect::<Vec<_>>(), started),
    };
    ExitCode::from(match end {
        End::Status(status) => status,
        // Comes back only where signals do not end the process.
        End::Signal(signal) => end_by(signal),
    })
}
