//! Faults and command lines in words that may be shown: without passwords, control
//! characters and the system's numbers.

use std::ffi::OsString;
use std::io;
use std::path::Path;

use super::exit::Fault;
use crate::format;
use crate::task::Mode;
use crate::workload::{ROWS, Row};

/// What follows the name of a program that goes by `parallel`: always a batch, for
/// scripts know of no exercises.
pub(super) fn called_parallel(argv: &[OsString]) -> Option<&[OsString]> {
    let (program, words) = argv.split_first()?;
    (Path::new(program).file_name()? == Mode::Parallel.name()).then_some(words)
}

/// The command line as a person would type it again.
pub(super) fn command_line(argv: &[OsString]) -> Vec<String> {
    let hide = if names_urls(argv) { format::without_login } else { format::without_passwords };
    let words = argv.iter().skip(1).map(|word| hide(&word.to_string_lossy()));
    std::iter::once("parsim".to_owned()).chain(words).collect()
}

/// `fault` in words that may be shown: what was typed is quoted in it.
pub(super) fn told(argv: &[OsString], fault: &Fault) -> String {
    let mut text = format::without_numbers(&with_limit(fault));
    if names_urls(argv) {
        for word in argv.iter().skip(1).map(|word| word.to_string_lossy()) {
            // The whole of it, blanks and all; and what `--option=` has behind it.
            for quoted in [&*word, word.split_once('=').map_or("", |(_, value)| value)] {
                let hidden = format::without_login(quoted);
                if hidden != quoted {
                    text = text.replace(quoted, &hidden);
                }
            }
        }
        text = format::without_logins(&text);
    }
    let safe = format::printable(&format::without_passwords(&text));
    format::with_short_words(&safe)
}

/// Whether the words name services, so that what has a login is a URL and no command.
fn names_urls(argv: &[OsString]) -> bool {
    let asks_services = |row: &Row, word: &str| !row.formats.is_empty() && row.is_called(word);
    let word = argv.get(1).map(|word| word.to_string_lossy()).filter(|_| called_parallel(argv).is_none());
    word.is_some_and(|word| ROWS.iter().any(|row| asks_services(row, &word)))
}

/// What is wrong, and where a limit is the reason, which.
fn with_limit(fault: &Fault) -> String {
    let text = fault.to_string();
    let Fault::Own(error) = fault else { return text };
    let system = error.chain().find_map(|cause| cause.downcast_ref::<io::Error>());
    match system.and_then(io::Error::raw_os_error) {
        Some(libc::EMFILE | libc::ENFILE) if !text.contains("ulimit") => {
            format!("{text}: raise the limit (ulimit -n)")
        }
        Some(libc::EAGAIN) if !text.contains("ulimit") => {
            format!("{text}: raise the limit of processes (ulimit -u), or of memory (ulimit -v)")
        }
        _ => text,
    }
}
