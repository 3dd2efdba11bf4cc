//! What is said when a batch is over, and how the process ends.

use std::io::{self, IsTerminal as _, Write as _};

use signal_hook::consts::SIGPIPE;

use crate::cli::exit::{End, Exit};
use crate::format;
use crate::gnu_args::{Typed, When};
use crate::interrupt::Interrupt;
use crate::process;
use crate::progress::Board;
use crate::report::summary::{self, Detail};
use crate::sink::Tails;
use crate::study::Study;

/// Names on stderr what failed, with what it had to say where that was not shown,
/// and what was not started.
pub(super) fn tell(study: &Study, tails: &Tails, board: &Board, interrupt: &Interrupt) {
    // Who reads no more does not want to hear of it, either.
    if interrupt.signal() == Some(SIGPIPE) {
        return;
    }
    for (job, failure) in &study.failures {
        say(&format!("job {} failed: {}: {}", job + 1, failure.why, failure.label));
        if let Some(tail) = tails.of(*job) {
            show(&tail);
        }
    }
    if study.unnamed_failures > 0 {
        say(&format!("{} more jobs failed", format::count(study.unnamed_failures)));
    }
    if let Some(cut) = &study.cut {
        let of = cut.tasks.map_or_else(String::new, |tasks| format!(" of {}", format::count(tasks)));
        let jobs = if cut.tasks.unwrap_or(cut.finished) == 1 { "job" } else { "jobs" };
        say(&format!("interrupted: {}{of} {jobs} had succeeded", format::count(cut.finished)));
    } else if study.left_some {
        match board.not_started() {
            Some(left) if left > 0 => {
                let were = if left == 1 { "was" } else { "were" };
                say(&format!("stopped early: {} {were} not started", format::plural(left, "job")));
            }
            _ => say("stopped early: not all jobs were started"),
        }
    }
}

/// Tells on stderr what the batch took, where that is wanted.
pub(super) fn summarize(study: &Study, typed: &Typed) {
    let detail = match typed.output.summary {
        Some(When::Always) => Detail::Full,
        Some(When::Auto) | None if io::stderr().is_terminal() => Detail::Short,
        Some(When::Auto | When::Never) | None => return,
    };
    for line in summary::render(study, detail).lines() {
        say(line);
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
    let _ = process::stderr().write_all(lines.as_bytes());
}

pub(super) fn say(text: &str) {
    // With stderr closed there is nobody left to tell.
    let _ = writeln!(process::stderr(), "parsim: {}", format::printable(text));
}
