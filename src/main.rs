//! The program: the library does all of it.

use std::process::ExitCode;

fn main() -> ExitCode {
    parsim::main()
}
