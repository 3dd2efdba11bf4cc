//! How a task ended.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::SharedText;
use crate::text::without_numbers;

/// How a task ended: every ending there is, matched without `_`, so that the
/// compiler asks when one is added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind", content = "why")]
pub enum Outcome {
    /// It did what it was to do.
    Success,
    /// It could not; the text names object and cause.
    Failed(SharedText),
    /// The command ended by itself with this status, which is not 0.
    Exited(i32),
    /// The command was ended by this signal.
    Signaled(i32),
    /// The command was killed because it lasted too long.
    TimedOut,
    /// The command could not be started; the status is the shell's for that.
    NotStarted {
        /// 127 (not found), 126 (cannot be executed) or 255 (no machine to run it on).
        status: i32,
        /// The cause.
        cause: SharedText,
    },
    /// The code of the task panicked; the text is the panic's.
    Panicked(SharedText),
    /// It was not done because an earlier part of the same item had failed.
    Skipped(SharedText),
    /// It was given up because parsim was asked to end.
    Interrupted,
}

impl Outcome {
    /// Whether the task counts among the failed ones.
    #[must_use]
    pub const fn is_failure(&self) -> bool {
        match self {
            Self::Failed(_)
            | Self::Panicked(_)
            | Self::Exited(_)
            | Self::Signaled(_)
            | Self::TimedOut
            | Self::NotStarted { .. } => true,
            Self::Success | Self::Skipped(_) | Self::Interrupted => false,
        }
    }

    /// Whether the task did what it was to do.
    #[must_use]
    pub const fn is_success(&self) -> bool {
        match self {
            Self::Success => true,
            Self::Failed(_)
            | Self::Panicked(_)
            | Self::Exited(_)
            | Self::Signaled(_)
            | Self::TimedOut
            | Self::NotStarted { .. }
            | Self::Skipped(_)
            | Self::Interrupted => false,
        }
    }

    /// The same as it is shown, which takes no memory of its own where it is a text already.
    #[must_use]
    pub fn in_words(&self) -> SharedText {
        match self {
            Self::Failed(why) => why.made(without_numbers),
            other => other.to_string().into(),
        }
    }

    /// Exit status and signal, as a shell or a job log tells them.
    #[must_use]
    pub const fn status_and_signal(&self) -> (i32, i32) {
        match self {
            Self::Success => (0, 0),
            Self::Exited(status) | Self::NotStarted { status, .. } => (*status, 0),
            Self::Signaled(signal) => (0, *signal),
            // As GNU parallel logs it: the signal that began the end.
            Self::TimedOut => (-1, 15),
            Self::Failed(_) | Self::Panicked(_) | Self::Skipped(_) | Self::Interrupted => (1, 0),
        }
    }
}

/// The exit status that says how many tasks failed: their number, or 101 for more than 100.
#[must_use]
pub fn status_of_failures(failed: u64) -> u8 {
    u8::try_from(failed).unwrap_or(101).min(101)
}

impl<T, E: fmt::Display> From<Result<T, E>> for Outcome {
    fn from(result: Result<T, E>) -> Self {
        match result {
            Ok(_) => Self::Success,
            Err(error) => Self::Failed(without_numbers(&format!("{error:#}")).into()),
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Success => f.write_str("succeeded"),
            Self::Failed(why) => f.write_str(&without_numbers(why)),
            Self::Exited(status) => write!(f, "exit status {status}"),
            Self::Signaled(signal) => write!(f, "killed by signal {signal}"),
            Self::TimedOut => f.write_str("timed out"),
            Self::NotStarted { cause, .. } => f.write_str(&without_numbers(cause)),
            Self::Panicked(why) => write!(f, "panicked: {why}"),
            Self::Skipped(why) => write!(f, "skipped: {why}"),
            Self::Interrupted => f.write_str("interrupted"),
        }
    }
}
