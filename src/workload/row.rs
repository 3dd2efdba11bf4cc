//! What the table of workloads says of each: from the words of a command line to a
//! workload, here and in another process.

use clap::{ArgMatches, Args, Command};
use serde::de::DeserializeOwned;

use super::{Sharing, Workload};

/// A workload of the command line.
#[derive(Clone, Copy)]
pub struct Row {
    /// The subcommand.
    pub name: &'static str,
    /// Another name of it.
    pub alias: Option<&'static str>,
    /// One line of help.
    pub about: &'static str,
    /// The longer help's examples.
    pub examples: &'static str,
    /// Adds the workload's own options.
    pub augment: fn(Command) -> Command,
    /// Builds the workload from what was typed and what the environment says.
    pub from_matches: fn(&ArgMatches, Environment<'_>, Sharing) -> anyhow::Result<Box<dyn Workload>>,
    /// Builds it from its [`Portable::wire_spec`](super::Portable::wire_spec), for a process of its own.
    pub from_spec: fn(serde_json::Value) -> anyhow::Result<Box<dyn Workload>>,
    /// In which forms beside a report its findings can go to stdout; none where it asks
    /// no services.
    pub formats: &'static [OutputFormat],
}

impl Row {
    /// Whether `word` is its name on a command line.
    #[must_use]
    pub fn is_called(&self, word: &str) -> bool {
        self.name == word || self.alias == Some(word)
    }
}

/// In which form findings go to stdout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputFormat {
    /// A report for a person.
    Text,
    /// For a program: an object a line, as each service is done.
    JsonLines,
    /// For a monitor with the interface of Nagios: one line, and its statuses.
    Nagios,
}

impl OutputFormat {
    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::JsonLines => "json-lines",
            Self::Nagios => "nagios",
        }
    }

    /// The word, and what it does.
    #[must_use]
    pub const fn about(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::JsonLines => "json-lines (one object as each service is done)",
            Self::Nagios => "nagios (one line, status 0-3)",
        }
    }
}

/// Looks up a variable of the environment, which only the command line knows.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// A workload's own options, and the workload they describe.
pub trait Options: Args + DeserializeOwned {
    /// Takes in what the environment says.
    #[must_use]
    fn surrounded_by(self, look: Environment<'_>) -> Self {
        let _ = look;
        self
    }

    /// Checks the options and builds the workload.
    ///
    /// # Errors
    /// When they make no sense, or tasks cannot do without what `sharing` leaves them.
    fn build(self, sharing: Sharing) -> anyhow::Result<Box<dyn Workload>>;
}

pub(super) fn augment<O: Options>(command: Command) -> Command {
    O::augment_args(command)
}

pub(super) fn from_matches<O: Options>(
    matches: &ArgMatches,
    look: Environment<'_>,
    sharing: Sharing,
) -> anyhow::Result<Box<dyn Workload>> {
    O::from_arg_matches(matches)?.surrounded_by(look).build(sharing)
}

pub(super) fn from_spec<O: Options>(spec: serde_json::Value) -> anyhow::Result<Box<dyn Workload>> {
    serde_json::from_value::<O>(spec)?.build(Sharing::Nothing)
}
