//! The program: hands argv to the library and ends as it says.

use std::process::ExitCode;
use std::time::Instant;

use parsim::cli::{self, End};

fn main() -> ExitCode {
    let started = Instant::now();
    match cli::run(&std::env::args_os().collect::<Vec<_>>(), started) {
        End::Status(status) => ExitCode::from(status),
        End::Signal(signal) => {
            // Does not come back when the signal's default is to end the process.
            let _ = signal_hook::low_level::emulate_default_handler(signal);
            ExitCode::from(255)
        }
    }
}
