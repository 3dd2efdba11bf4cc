//! What is said when a batch is over, and how the process ends.

use std::io::{self, IsTerminal as _, Write as _};

use signal_hook::consts::SIGPIPE;

use crate::cli::exit::{End, Exit};
use crate::cli::flags::{Flag, Typed, When, makes_commands};
use crate::cli::terminal::{say, say_before};
use crate::numbers;
use crate::output::FailureTails;
use crate::policy::HaltWhy;
use crate::process::{self, Interrupt};
use crate::progress::{ProgressState, Snapshot};
use crate::report::summary::{self, Detail};
use crate::study::Study;
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
    let after = AfterBatch { study, typed, last: progress.last() };
    if study.unnamed_failures > 0 {
        let more = numbers::plural(study.unnamed_failures, "more job");
        say(&format!("{more} failed; {}", after.list()));
    }
    let unfinished = if let Some(cut) = &study.cut {
        format!("interrupted: {}", after.counts(cut.finished))
    } else if let (true, Some(time)) = (is_time_over(study, interrupt), typed.run.max_time) {
        format!("--max-time {} s was over{}", time.as_secs_f64(), unstarted(study, progress))
    } else if study.left_some {
        let run = study.columns.first().and_then(|column| column.runs.last());
        format!("stopped early: {}", after.counts(run.map_or(0, |run| run.succeeded)))
    } else {
        if let Some(Advice { words, to_copy }) = after.rerun() {
            say_before(&words, &to_copy);
        }
        return;
    };
    match after.go_on() {
        Some(Advice { words, to_copy }) => say_before(&format!("{unfinished}; {words}"), &to_copy),
        None => say(&unfinished),
    }
}

/// What can be done now, and what is typed for it, which follows.
struct Advice {
    words: String,
    to_copy: String,
}

impl Advice {
    fn alone(words: impl Into<String>) -> Self {
        Self { words: words.into(), to_copy: String::new() }
    }
}

/// What there is to be said of a batch that did not do all it was to do.
struct AfterBatch<'a> {
    study: &'a Study,
    typed: &'a Typed,
    /// How far it came.
    last: Snapshot,
}

impl AfterBatch<'_> {
    /// What became of its jobs, of which `done` succeeded.
    fn counts(&self, done: u64) -> String {
        let Self { study, last, .. } = self;
        let total = study.cut.as_ref().and_then(|cut| cut.tasks).or(last.total);
        let of = total.map_or_else(String::new, |total| format!(" of {}", numbers::count(total)));
        let jobs = if total.unwrap_or(done) == 1 { "job" } else { "jobs" };
        let failed = study.n_failed() as u64;
        let killed = last.started.saturating_sub(done + failed);
        let left = last.left().unwrap_or_default();
        let others = [(failed, "failed"), (killed, "killed"), (left, "not started")];
        let others = others.into_iter().filter(|(count, _)| *count > 0);
        let others: String =
            others.map(|(count, what)| format!(", {} {what}", numbers::count(count))).collect();
        let unknown = if study.left_some && last.total.is_none() { ", others not started" } else { "" };
        format!("{}{of} {jobs} done{others}{unknown}", numbers::count(done))
    }

    /// How the rest is done, where it is to be and can be.
    fn go_on(&self) -> Option<Advice> {
        // Whose rule ended the batch has what was wanted, unless that was a failure.
        let has_halted = self.study.halt_status.is_some() && self.study.cut.is_none();
        let is_enough = self.typed.run.halt.is_some_and(|halt| halt.why != HaltWhy::Fail);
        if has_halted && is_enough || !self.leaves_a_log() {
            return None;
        }
        let resume = if self.study.n_failed() > 0 { "--resume-failed" } else { "--resume" };
        Some(match self.log() {
            Some(log) => {
                Advice { words: "go on with ".to_owned(), to_copy: format!("--joblog {log} {resume}") }
            }
            None => Advice::alone(format!("--joblog and {resume} would go on from here")),
        })
    }

    /// How jobs that failed are run again, where there were others.
    fn rerun(&self) -> Option<Advice> {
        let Self { study, typed, .. } = self;
        let column = study.columns.first().filter(|_| study.n_failed() > 0)?;
        if !self.leaves_a_log() || column.runs.iter().all(|run| run.tasks < 2) {
            return None;
        }
        let mode = column.column.mode;
        let again = "rerun the failed: the same command again";
        Some(match self.log() {
            None => Advice::alone("with --joblog FILE you can rerun only the failed jobs"),
            Some(log) if self.log_is_all_there_is() => Advice {
                words: "rerun the failed: ".to_owned(),
                to_copy: format!("parsim {mode} --joblog {log} --retry-failed"),
            },
            Some(_) if typed.has(Flag::RetryFailed) => Advice::alone(again),
            Some(log) => {
                Advice { words: format!("{again} with "), to_copy: format!("--joblog {log} --resume-failed") }
            }
        })
    }

    /// Whether jobs run alike by their rows in the log alone: no option but those that the
    /// command lines in it come of says how.
    fn log_is_all_there_is(&self) -> bool {
        let mut given = self.typed.given.iter().map(|given| given.name);
        !self.typed.pipes()
            && given.all(|name| {
                ["joblog", "resume", "resume-failed", "retry-failed"].contains(&name) || makes_commands(name)
            })
    }

    /// Whether a job log would tell what is left to be done: of jobs that run, and do not all
    /// read the same.
    fn leaves_a_log(&self) -> bool {
        !self.typed.has_any(&[Flag::DryRun, Flag::RoundRobin, Flag::Tee])
    }

    /// Where all that failed are listed.
    fn list(&self) -> String {
        let Self { study, typed, .. } = self;
        let all = format!("all {} are", numbers::count(study.n_failed() as u64));
        match (self.log(), &typed.output.records) {
            (Some(log), _) => format!("{all} in {log}, with an Exitval or Signal other than 0"),
            (None, Some(records)) => format!("{all} in {}", records.display()),
            (None, None) => "--joblog FILE would list all of them".to_owned(),
        }
    }

    /// The job log as a shell takes it, where there is one that can be read again.
    fn log(&self) -> Option<String> {
        let log = self.typed.output.joblog.as_ref()?.to_string_lossy();
        let log = log.strip_prefix('+').unwrap_or(&log);
        (log != "-").then(|| shell_words::quote(log).into_owned())
    }
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
