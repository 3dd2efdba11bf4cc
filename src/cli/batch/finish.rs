//! What is said when a batch is over, and how the process ends.

use std::ffi::OsStr;
use std::io::{self, IsTerminal as _, Write as _};

use signal_hook::consts::SIGPIPE;

use crate::cli::exit::{End, Exit};
use crate::cli::flags::{Typed, When};
use crate::cli::terminal::say;
use crate::numbers;
use crate::output::FailureTails;
use crate::process::{self, Interrupt};
use crate::progress::{ProgressState, Snapshot};
use crate::report::summary::{self, Detail};
use crate::study::{Cut, Study};
use crate::text::{printable, with_short_words};

/// Names on stderr what failed, with what it had to say where that was not shown,
/// and what was not started.
pub(super) fn tell(
    study: &Study,
    typed: &Typed,
    tails: &FailureTails,
    progress: &ProgressState,
    interrupt: &Interrupt,
) {
    // Who reads no more does not want to hear of it, either.
    if interrupt.signal() == Some(SIGPIPE) {
        return;
    }
    for (job, failure) in &study.failures {
        say(&format!("job {} failed: {}: {}", job + 1, failure.why, with_short_words(&failure.label)));
        if let Some(tail) = tails.of(*job) {
            show(&tail);
        }
    }
    if study.unnamed_failures > 0 {
        say(&format!("{} more jobs failed", numbers::count(study.unnamed_failures)));
    }
    if let Some(cut) = &study.cut {
        say(&interrupted(study, cut, &progress.last(), typed.output.joblog.as_deref()));
    } else if let (true, Some(time)) = (is_time_over(study, interrupt), typed.run.max_time) {
        say(&format!("--max-time {} s was over{}", time.as_secs_f64(), unstarted(study, progress)));
    } else if study.left_some {
        match progress.last().left() {
            Some(left) if left > 0 => {
                let were = if left == 1 { "was" } else { "were" };
                say(&format!("stopped early: {} {were} not started", numbers::plural(left, "job")));
            }
            _ => say("stopped early: not all jobs were started"),
        }
    }
}

/// How far an interrupted batch came, and how to go on.
fn interrupted(study: &Study, cut: &Cut, last: &Snapshot, log: Option<&OsStr>) -> String {
    let total = cut.tasks.or(last.total);
    let of = total.map_or_else(String::new, |total| format!(" of {}", numbers::count(total)));
    let jobs = if total.unwrap_or(cut.finished) == 1 { "job" } else { "jobs" };
    let killed = last.started.saturating_sub(cut.finished + study.n_failed() as u64);
    let others = [
        (study.n_failed() as u64, "failed"),
        (killed, "killed"),
        (last.left().unwrap_or_default(), "not started"),
    ];
    let others = others.into_iter().filter(|(count, _)| *count > 0);
    let others: String = others.map(|(count, what)| format!(", {} {what}", numbers::count(count))).collect();
    let how = match log {
        Some(log) => {
            let log = log.to_string_lossy();
            let log = log.strip_prefix('+').unwrap_or(&log);
            format!("go on with --joblog {} --resume", shell_words::quote(log))
        }
        None => "--joblog and --resume would go on from here".to_owned(),
    };
    format!("interrupted: {}{of} {jobs} done{others}; {how}", numbers::count(cut.finished))
}

/// Whether `--max-time` alone is why there are jobs that were not started, or may
/// have been.
fn is_time_over(study: &Study, interrupt: &Interrupt) -> bool {
    interrupt.is_time_over() && (study.left_some || interrupt.has_left_input())
}

/// What is known of jobs that the time was not enough for.
fn unstarted(study: &Study, progress: &ProgressState) -> String {
    let now = progress.last();
    let started = numbers::plural(now.started, "job");
    let were = if now.started == 1 { "was" } else { "were" };
    match (now.total, now.left()) {
        (Some(total), Some(left)) if left > 0 => {
            format!(": {} of {} not started", numbers::count(left), numbers::plural(total, "job"))
        }
        _ if study.left_some => format!(": {started} {were} started, and there were more"),
        _ => format!(" before the input had ended: {started} {were} started"),
    }
}

/// How much of what the batch took is told on stderr, where that is wanted.
pub(super) fn detail(typed: &Typed) -> Option<Detail> {
    match typed.output.summary {
        Some(When::Always) => Some(Detail::Full),
        Some(When::Auto) | None if io::stderr().is_terminal() => Some(Detail::Short),
        Some(When::Auto | When::Never) | None => None,
    }
}

/// Tells on stderr what the batch took.
pub(super) fn summarize(study: &Study, detail: Detail) {
    for line in summary::render(study, detail).lines() {
        say(line);
    }
}

/// How the process ends.
pub(super) fn end(study: &Study, interrupt: &Interrupt) -> End {
    if let Some(signal) = interrupt.signal() {
        return End::Signal(signal);
    }
    match study.halt_status.unwrap_or_else(|| Exit::of(study).status()) {
        0 if is_time_over(study, interrupt) => End::Status(Exit::TimeOver.status()),
        status => End::Status(status),
    }
}

/// What a job had to say, indented, so that it is not taken for parsim's own.
fn show(tail: &[u8]) {
    let text = String::from_utf8_lossy(tail);
    let lines: String = text.lines().map(|line| format!("    {}\n", printable(line))).collect();
    // With stderr closed there is nobody left to tell.
    let _ = process::stderr().write_all(lines.as_bytes());
}
