//! How the process ends: one table for all subcommands; and what is said of it, without
//! passwords, control characters and the system's numbers.
//!
//! README and `--help` print [`STATUSES`]; nothing else in the project knows a status of
//! parsim's own. (What `--halt` asks for instead is worked out by `engine/halt`. A job that
//! cannot be started has the shell's 126 or 127, which `workload/command` gives it; a
//! monitor's statuses are in `report/services/nagios`.)

use std::ffi::OsString;
use std::path::Path;
use std::{fmt, io};

use crate::study::Study;
use crate::task::{Mode, status_of_failures};
use crate::text::{
    printable, with_short_words, without_login, without_logins, without_numbers, without_passwords,
};
use crate::workload::{ROWS, Row};

/// A status in the text of a constant.
macro_rules! status {
    (Missed) => {
        "103"
    };
    (TimeOver) => {
        "104"
    };
}
pub(super) use status;

/// Statuses and their meaning, as `--help` and README show them.
pub const STATUSES: &[(&str, &str)] = &[
    ("0", "every task succeeded, and results agreed where they were compared"),
    ("1-100", "that many distinct tasks failed in any run"),
    ("101", "more than 100 tasks failed"),
    ("102", "all tasks succeeded but serial and parallel results differ"),
    (status!(Missed), "a gate given by option was missed (--min-speedup, --fail-if-slower)"),
    (status!(TimeOver), "what ran succeeded, but --max-time was over before all jobs had started"),
    ("255", "parsim could not do its job: usage, unreadable input, unwritable report, or a caught panic"),
    ("128+n", "ended by signal n"),
];

/// How a batch ends that was ended early.
pub(super) const HALT_STATUSES: &str = "\
When --halt ended the batch: fail=1 and done=1 give that job's status (128+n for
signal n, 255 after a time limit), fail=N and done=N the number of failures, a share
in percent the percentage of failed jobs, and success 0.

A job that cannot be found or executed counts as one failed job (127, 126), and
so does one that a signal or a time limit ended.
";

/// How the process is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// With this status.
    Status(u8),
    /// By this signal, raised again so that the shell sees it.
    Signal(i32),
}

/// What became of it all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exit {
    Success,
    Failed(usize),
    Differs,
    Missed,
    TimeOver,
    Fault,
}

impl Exit {
    /// What `study` amounts to: failures weigh more than differences.
    pub(super) fn of(study: &Study) -> Self {
        match study.n_failed() {
            0 if study.agrees() => Self::Success,
            0 => Self::Differs,
            failed => Self::Failed(failed),
        }
    }

    pub(super) fn status(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Failed(failed) => status_of_failures(failed as u64),
            Self::Differs => 102,
            Self::Missed => 103,
            Self::TimeOver => 104,
            Self::Fault => 255,
        }
    }
}

/// Why parsim could not do its job.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    /// What was typed cannot be done.
    #[error("{0}")]
    Usage(String),
    /// Something parsim needs for itself failed.
    #[error("{0:#}")]
    Own(anyhow::Error),
}

impl From<anyhow::Error> for Fault {
    fn from(error: anyhow::Error) -> Self {
        Self::Own(error)
    }
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::Own(error.into())
    }
}

impl Fault {
    pub(super) fn usage(error: impl fmt::Display) -> Self {
        Self::Usage(format!("{error:#}"))
    }
}

/// That something cannot be done, and why.
pub(super) fn refuse<T>(why: impl Into<String>) -> Result<T, Fault> {
    Err(Fault::Usage(why.into()))
}

/// What failed of what was done one after the other, none of it left out because another
/// failed: all of it in one error.
pub(super) fn all_of(results: impl IntoIterator<Item = anyhow::Result<()>>) -> anyhow::Result<()> {
    let mut errors: Vec<_> = results.into_iter().filter_map(Result::err).collect();
    match errors.len() {
        0 => Ok(()),
        1 => Err(errors.remove(0)),
        _ => {
            let told: Vec<String> = errors.iter().map(|error| format!("{error:#}")).collect();
            Err(anyhow::anyhow!(told.join("; and ")))
        }
    }
}

/// What follows the name of a program that goes by `parallel`: always a batch, for
/// scripts know of no exercises.
pub(super) fn called_parallel(argv: &[OsString]) -> Option<&[OsString]> {
    let (program, words) = argv.split_first()?;
    (Path::new(program).file_name()? == Mode::Parallel.name()).then_some(words)
}

/// The command line as a person would type it again.
pub(super) fn command_line(argv: &[OsString]) -> Vec<String> {
    let hide = if names_urls(argv) { without_login } else { without_passwords };
    let words = argv.iter().skip(1).map(|word| hide(&word.to_string_lossy()));
    std::iter::once("parsim".to_owned()).chain(words).collect()
}

/// `fault` in words that may be shown: what was typed is quoted in it.
pub(super) fn told(argv: &[OsString], fault: &Fault) -> String {
    let mut text = without_numbers(&with_limit(fault));
    if names_urls(argv) {
        for word in argv.iter().skip(1).map(|word| word.to_string_lossy()) {
            // The whole of it, blanks and all; and what `--option=` has behind it.
            for quoted in [&*word, word.split_once('=').map_or("", |(_, value)| value)] {
                let hidden = without_login(quoted);
                if hidden != quoted {
                    text = text.replace(quoted, &hidden);
                }
            }
        }
        text = without_logins(&text);
    }
    with_short_words(&printable(&without_passwords(&text)))
}

/// Whether the words name services, so that what has a login is a URL and no command.
fn names_urls(argv: &[OsString]) -> bool {
    let word = argv.get(1).filter(|_| called_parallel(argv).is_none());
    let is_it = |row: &Row| word.is_some_and(|word| row.is_called(&word.to_string_lossy()));
    ROWS.iter().any(|row| !row.formats.is_empty() && is_it(row))
}

/// What is wrong, and where a limit is the reason, which.
fn with_limit(fault: &Fault) -> String {
    let text = fault.to_string();
    let Fault::Own(error) = fault else { return text };
    let system = error.chain().find_map(|cause| cause.downcast_ref::<io::Error>());
    let help = match system.and_then(io::Error::raw_os_error) {
        _ if text.contains("ulimit") => "",
        Some(libc::EMFILE | libc::ENFILE) => ": raise the limit (ulimit -n)",
        Some(libc::EAGAIN) => ": raise the limit of processes (ulimit -u), or of memory (ulimit -v)",
        _ => "",
    };
    text + help
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_name_the_statuses_that_there_are() {
        assert_eq!(status!(Missed), Exit::Missed.status().to_string());
        assert_eq!(status!(TimeOver), Exit::TimeOver.status().to_string());
    }

    #[test]
    fn everything_that_failed_is_told() {
        let failed = |what: &'static str| Err(anyhow::anyhow!("no room").context(what));
        assert!(all_of([Ok(()), Ok(())]).is_ok());
        assert_eq!(format!("{:#}", all_of([Ok(()), failed("a")]).unwrap_err()), "a: no room");
        let both = all_of([failed("a"), Ok(()), failed("b")]).unwrap_err();
        assert_eq!(format!("{both:#}"), "a: no room; and b: no room");
    }

    #[test]
    fn failures_are_counted_up_to_a_hundred() {
        assert_eq!(Exit::Failed(1).status(), 1);
        assert_eq!(Exit::Failed(100).status(), 100);
        assert_eq!(Exit::Failed(101).status(), 101);
        assert_eq!(Exit::Failed(5000).status(), 101);
    }
}
