//! What is said when a batch is over, and how the process ends.

use std::io::{self, Write as _};

use crate::cli::exit::{End, Exit};
use crate::format;
use crate::interrupt::Interrupt;
use crate::sink::Tails;
use crate::study::Study;

/// Names on stderr what failed, with what it had to say where that was not shown,
/// and what was not started.
pub(super) fn tell(study: &Study, tails: &Tails) {
    for (job, failure) in &study.failures {
        say(&format!("job {} failed: {}: {}", job + 1, failure.why, failure.label));
        if let Some(tail) = tails.of(*job) {
            show(&tail);
        }
    }
    if study.unnamed_failures > 0 {
        say(&format!("{} more jobs failed", format::count(study.unnamed_failures)));
    }
    if study.left_some {
        say("stopped early: not all jobs were started");
    }
}

/// How the process ends.
pub(super) fn end(study: &Study, interrupt: &Interrupt) -> End {
    match (interrupt.signal(), study.halt_status) {
        (Some(signal), _) => End::Signal(signal),
        (None, Some(status)) => End::Status(status),
        (None, None) => End::Status(Exit::of(study).status()),
    }
}

/// What a job had to say, indented, so that it is not taken for parsim's own.
fn show(tail: &[u8]) {
    let text = String::from_utf8_lossy(tail);
    let lines: String = text.lines().map(|line| format!("    {}\n", format::printable(line))).collect();
    // With stderr closed there is nobody left to tell.
    let _ = io::stderr().write_all(lines.as_bytes());
}

pub(super) fn say(text: &str) {
    // With stderr closed there is nobody left to tell.
    let _ = writeln!(io::stderr(), "parsim: {}", format::printable(text));
}
