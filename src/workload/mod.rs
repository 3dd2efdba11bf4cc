//! What a batch consists of: the trait of a workload and the table of those
//! that parsim brings.
//!
//! A workload knows *what* a task does; where and when it runs is not its
//! business. It never prints, never measures, and never starts threads.
//! A new one is a file here and a row in [`ROWS`]: subcommand, help and
//! completions come from the row.

pub mod command;
pub mod csv;
mod cx;
mod paths;
#[cfg(feature = "net")]
mod service;
pub mod sleep;
#[cfg(feature = "net")]
pub mod tap;

use clap::{ArgMatches, Args, Command};
use serde::de::DeserializeOwned;

pub use cx::{Cx, Setting, Turn};

use crate::interrupt::Interrupt;
use crate::output::Outlet;
use crate::task::{Digest, LeftFile, Outcome, Task, Way};

/// Tasks in input order, made as they are asked for.
pub type Tasks<'a> = Box<dyn Iterator<Item = anyhow::Result<Task>> + Send + 'a>;

/// What tasks do, and what they leave behind.
///
/// Only the first three methods have to be written.
pub trait Workload: Sync {
    /// The name, as on the command line.
    fn name(&self) -> &str;

    /// The tasks of one run. Every call gives the same ones.
    fn tasks(&self) -> Tasks<'_>;

    /// Does one task. Trouble is an [`Outcome`], told with object and cause.
    fn run(&self, task: &Task, cx: &mut Cx<'_>) -> Outcome;

    /// How much there is to do, where that is known beforehand.
    fn size(&self) -> Size {
        Size::default()
    }

    /// What a task makes: `file`, `block`, `task`.
    fn unit(&self) -> &'static str {
        "task"
    }

    /// Whether tasks wait rather than compute, so that more of them than there
    /// are cores may run at a time.
    fn waits(&self) -> bool {
        false
    }

    /// How many files and connections a task has open at a time, at most; one where
    /// that goes without saying.
    fn opens(&self) -> usize {
        1
    }

    /// Whether tasks ask something outside that may change by itself. Then what
    /// failed tasks found counts, too, where ways are compared, a difference is
    /// told and is no fault, nothing is asked again unless the user says so, and
    /// the records are kept for the report.
    fn asks_outside(&self) -> bool {
        false
    }

    /// Which ways are run when the user says nothing.
    fn usual_ways(&self) -> UsualWays {
        UsualWays::Both
    }

    /// The parameters, enough to build the workload again elsewhere.
    fn spec(&self) -> serde_json::Value {
        serde_json::Value::Null
    }

    /// The same for another process on this machine: secrets and odd names and all,
    /// for nobody to see.
    fn blueprint(&self) -> serde_json::Value {
        self.spec()
    }

    /// Tasks are to be done by processes that share no memory: from now on each has
    /// to stand alone. Before anything else. What a person should know comes back
    /// as a remark.
    ///
    /// # Errors
    /// When tasks cannot do without what the others know.
    fn stand_alone(&mut self) -> anyhow::Result<Option<String>> {
        Ok(None)
    }

    /// What [`Self::prepare`] made, for other processes to take over; `None` where
    /// each is to make it by itself.
    fn share(&self) -> Option<Vec<u8>> {
        None
    }

    /// Takes over what [`Self::share`] gave elsewhere, in the place of
    /// [`Self::prepare`].
    ///
    /// # Errors
    /// When this is nothing that it gave.
    fn take_over(&mut self, shared: &[u8]) -> anyhow::Result<()> {
        anyhow::bail!("{} bytes to take over, and no use for them", shared.len())
    }

    /// Puts what earlier runs left out of the way of a run of `next`: before
    /// anything that the user has prepared for it.
    ///
    /// # Errors
    /// When something is in the way that no run left.
    fn make_room(&self, next: Way) -> anyhow::Result<()> {
        let _ = next;
        Ok(())
    }

    /// Makes room for a run: folders, the files of the last run. Outside the
    /// clock of the tasks. What a person should know comes back as remarks.
    fn clear(&self, way: Way) -> anyhow::Result<Vec<String>> {
        let _ = way;
        Ok(Vec::new())
    }

    /// Makes what all tasks share, in every process that runs tasks. Outside
    /// the clock of the tasks, once per run.
    fn prepare(&mut self) -> anyhow::Result<()> {
        Ok(())
    }

    /// Where the tasks' outputs go, and in which order.
    fn outlet(&self, way: Way) -> Outlet<'_> {
        let _ = way;
        Outlet::Kept
    }

    /// The run is over, however it ended: what its tasks began and did not finish
    /// is given up. Outside the clock of the tasks.
    fn settle(&self) {}

    /// A worker process of this machine was killed in the middle of a task: what it
    /// began and could not give up by itself is removed.
    fn clean_up_after(&self, way: Way, process: u32) {
        let _ = (way, process);
    }

    /// What the run left behind, item by item, read back after the clock has
    /// stopped: those that are `wanted`, the others without a digest. `None`: the
    /// tasks' outputs are all there is. May return early when `interrupt` is set.
    fn products(
        &self,
        way: Way,
        wanted: &dyn Fn(u64) -> bool,
        interrupt: &Interrupt,
    ) -> anyhow::Result<Option<Vec<Product>>> {
        let _ = (way, wanted, interrupt);
        Ok(None)
    }

    /// The files that a run left beside what its tasks wrote, read back after the
    /// clock has stopped, where there are any to be compared. May return early when
    /// `interrupt` is set.
    fn files(&self, way: Way, interrupt: &Interrupt) -> anyhow::Result<Option<Vec<LeftFile>>> {
        let _ = (way, interrupt);
        Ok(None)
    }

    /// Of how many tasks those of [`Self::tasks`] are a sample, if they are one.
    fn sample_of(&self) -> Option<u64> {
        None
    }

    /// Reads something that the run left behind as the data it should be, and
    /// says what was found. Once per experiment, outside the clock.
    fn verify(&self, way: Way) -> anyhow::Result<Option<String>> {
        let _ = way;
        Ok(None)
    }

    /// Where a person finds what the run left behind.
    fn whereabouts(&self, way: Way) -> Option<String> {
        let _ = way;
        None
    }

    /// Whether tasks wait for those before them to have started
    /// ([`Cx::wait_for_turn`]) and say when they have ([`Cx::has_started`]).
    fn starts_in_order(&self) -> bool {
        false
    }

    /// Fewer slots than were asked for will do the tasks, of which none has begun.
    fn narrowed_to(&self, slots: usize) {
        let _ = slots;
    }

    /// Ends the tasks that run now: called on a worker's thread when the batch is
    /// to stop at once. Tasks that cannot be ended run on.
    fn end_running(&self) {}

    /// What to try when the named span takes most of the tasks' time.
    fn advice(&self, span: &str) -> Option<&'static str> {
        let _ = span;
        None
    }
}

/// Which ways are run when the user says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UsualWays {
    /// Both, compared.
    Both,
    /// In parallel only, for this reason.
    ParallelFor(&'static str),
}

/// How much a run has to do, where it is known beforehand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    /// How many tasks.
    pub tasks: Option<u64>,
    /// How many bytes they produce together, near enough for a progress bar.
    pub bytes: Option<u64>,
}

/// Something a run left behind, to be compared between ways.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Product {
    /// Which item, from 0.
    pub item: u64,
    /// What it is: `file`.
    pub unit: &'static str,
    /// The item in a person's words.
    pub label: String,
    /// What it holds; `None` where it was not wanted or cannot be read.
    pub digest: Option<Digest>,
    /// Why it cannot be read.
    pub unread: Option<String>,
}

/// `count` tasks told by their number alone.
#[must_use]
pub fn numbered(count: u64) -> Tasks<'static> {
    Box::new((0..count).map(|seq| Ok(Task::new(seq, (seq + 1).to_string()))))
}

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
    pub from_matches: fn(&ArgMatches, Environment<'_>) -> anyhow::Result<Box<dyn Workload>>,
    /// Builds it from its [`Workload::spec`].
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

/// Every workload that parsim brings.
pub const ROWS: &[Row] = &[
    sleep::ROW,
    csv::ROW,
    #[cfg(feature = "net")]
    tap::ROW,
];

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
    fn build(self) -> anyhow::Result<Box<dyn Workload>>;
}

fn augment<O: Options>(command: Command) -> Command {
    O::augment_args(command)
}

fn from_matches<O: Options>(
    matches: &ArgMatches,
    look: Environment<'_>,
) -> anyhow::Result<Box<dyn Workload>> {
    O::from_arg_matches(matches)?.surrounded_by(look).build()
}

fn from_spec<O: Options>(spec: serde_json::Value) -> anyhow::Result<Box<dyn Workload>> {
    serde_json::from_value::<O>(spec)?.build()
}
