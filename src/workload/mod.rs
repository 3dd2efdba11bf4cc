//! What a batch consists of: the trait of a workload, and those that parsim brings.
//!
//! A workload knows *what* a task does; where and when it runs is not its
//! business. It never prints, never measures, and never starts threads.
//! A new one is a file here and a row in `ROWS`: subcommand, help and
//! completions come from the row.

#[cfg(feature = "cli")]
pub(crate) mod command;
#[cfg(feature = "net")]
pub(crate) mod cone;
#[cfg(feature = "cli")]
pub mod csv;
mod cx;
mod output_digest;
#[cfg(feature = "cli")]
mod row;
#[cfg(feature = "net")]
mod service;
#[cfg(feature = "cli")]
pub mod sleep;
#[cfg(feature = "net")]
pub(crate) mod tap;

use std::path::Path;
use std::time::Duration;

use serde_json::Value;

pub use cx::{Consultant, Cx, Desk, Setting};
pub use output_digest::OutputDigest;
#[cfg(feature = "cli")]
pub use row::{Environment, Options, OutputFormat, Row};

use crate::output::Sink;
use crate::process::Interrupt;
use crate::study::Parameters;
use crate::task::{Column, ConeChart, Digest, LeftFile, Outcome, Task, TaskInput};

/// Every workload that parsim brings.
#[cfg(feature = "cli")]
pub const ROWS: &[Row] = &[
    sleep::ROW,
    csv::ROW,
    #[cfg(feature = "net")]
    tap::ROW,
    #[cfg(feature = "net")]
    cone::ROW,
];

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

    /// What kind of work this is.
    fn profile(&self) -> Profile {
        Profile::default()
    }

    /// A run begins in `process`: makes what all tasks share, or takes over what
    /// [`Portable::export_shared`] gave elsewhere. In every process that runs tasks,
    /// outside the clock of the tasks; a worker that replaces another begins in the
    /// middle of a run, so nothing that others have written is touched.
    ///
    /// # Errors
    /// When it cannot be made, or what was given is nothing that can be taken over.
    fn begin(&mut self, process: RunProcess<'_>) -> anyhow::Result<()> {
        match process.shared() {
            None => Ok(()),
            Some(shared) => anyhow::bail!("{} bytes to take over, and no use for them", shared.len()),
        }
    }

    /// Ends the tasks that run now: called on a worker's thread when the batch is
    /// to stop at once. Tasks that cannot be ended run on.
    fn cancel(&self) {}

    /// The run is over, however it ended: what its tasks began and did not finish
    /// is given up, and what they left is put where it belongs. Outside the clock of the
    /// tasks, in every process that ran some.
    ///
    /// # Errors
    /// When that cannot be done.
    fn finish(&self) -> anyhow::Result<()> {
        Ok(())
    }

    /// Where what tasks write goes; `None`: their head is kept for the report, in input
    /// order.
    fn outlet(&self) -> Option<&dyn Outlet> {
        None
    }

    /// What runs leave behind beside their tasks' outputs, where that is anything.
    fn results(&self) -> Option<&dyn Results> {
        None
    }

    /// How the workload gets to other processes, where it can.
    fn portable(&self) -> Option<&dyn Portable> {
        None
    }
}

/// In which process a run begins.
#[derive(Clone, Copy)]
pub enum RunProcess<'a> {
    /// In the one that compares runs, before each of them. What has to be found out
    /// beforehand, as addresses of names, is found out here alone, and once; that ends early
    /// when the interrupt is set.
    Client(&'a Interrupt),
    /// In a worker process, to which this was given to be taken over; `None`: it is to make
    /// that by itself.
    Worker(Option<&'a [u8]>),
}

impl<'a> RunProcess<'a> {
    /// What is to be taken over, if anything is.
    #[must_use]
    pub fn shared(self) -> Option<&'a [u8]> {
        match self {
            Self::Client(_) => None,
            Self::Worker(shared) => shared,
        }
    }
}

/// Where what tasks write goes, in the process that compares runs.
pub trait Outlet {
    /// What puts the outputs of a run in order and takes them there; `None`: their head is
    /// kept for the report, in input order.
    fn open(&self, column: &Column) -> Option<Box<dyn Sink + '_>>;

    /// Whether that is stdout, which `is_free` of other things: then the report is for
    /// stderr. What acts on a terminal is not to come where it `is_terminal`. Asked once,
    /// before the first run.
    ///
    /// # Errors
    /// When it was asked for, and stdout is not free.
    fn claim_stdout(&self, is_free: bool, is_terminal: bool) -> anyhow::Result<bool> {
        let _ = (is_free, is_terminal);
        Ok(false)
    }

    /// Which files and folders it writes, each with the option that names it, without its
    /// hyphens: nothing else is to go there.
    fn places(&self) -> Vec<(&'static str, &Path)> {
        Vec::new()
    }

    /// What the first run found, where that can be drawn as charts of the sky: asked once,
    /// after the last run.
    fn charts(&self) -> Vec<ConeChart> {
        Vec::new()
    }
}

/// What a run leaves behind beside its tasks' outputs: only ever looked after by the
/// process that compares runs, outside the clock of the tasks.
pub trait Results {
    /// Puts what earlier runs left out of the way of a run of `next`: before
    /// anything that the user has prepared for it.
    ///
    /// # Errors
    /// When something is in the way that no run left.
    fn check_clear(&self, next: &Column) -> anyhow::Result<()> {
        let _ = next;
        Ok(())
    }

    /// Makes room for a run: folders, the files of the last run. What a person should
    /// know comes back as remarks.
    ///
    /// # Errors
    /// When there is no room to be made.
    fn clear(&self, column: &Column) -> anyhow::Result<Vec<String>> {
        let _ = column;
        Ok(Vec::new())
    }

    /// What the run left behind, item by item, read back after the clock has
    /// stopped: those that are `wanted`, the others without a digest. `None`: the
    /// tasks' outputs are all there is. May return early when `interrupt` is set.
    ///
    /// # Errors
    /// When it cannot be looked for; what cannot be read is [told](Product::unread).
    fn products(
        &self,
        column: &Column,
        wanted: &dyn Fn(u64) -> bool,
        interrupt: &Interrupt,
    ) -> anyhow::Result<Option<Vec<Product>>> {
        let _ = (column, wanted, interrupt);
        Ok(None)
    }

    /// The files that a run left beside what its tasks wrote, read back after the
    /// clock has stopped, where there are any to be compared. May return early when
    /// `interrupt` is set.
    ///
    /// # Errors
    /// When they cannot be read.
    fn files(&self, column: &Column, interrupt: &Interrupt) -> anyhow::Result<Option<Vec<LeftFile>>> {
        let _ = (column, interrupt);
        Ok(None)
    }

    /// Reads something that the run left behind as the data it should be, and
    /// says what was found. Once per experiment.
    ///
    /// # Errors
    /// When it is something else.
    fn verify(&self, column: &Column) -> anyhow::Result<Option<String>> {
        let _ = column;
        Ok(None)
    }

    /// Where a person finds what the run left behind.
    fn location(&self, column: &Column) -> Option<String> {
        let _ = column;
        None
    }
}

/// How a workload gets to processes that share no memory with this one. Whether tasks
/// must stand alone there is decided when the workload is [built](Sharing).
pub trait Portable {
    /// The parameters, as a report may show them.
    fn spec(&self) -> Value;

    /// The same as a study has it, where lists as long as the batch take no memory of their own.
    fn parameters(&self) -> Parameters {
        self.spec().into()
    }

    /// The same for another process, enough to build the workload again: secrets and
    /// odd names and all, for nobody to see.
    fn wire_spec(&self) -> Value {
        self.spec()
    }

    /// What [`Workload::begin`] made, for other processes to take over; `None` where
    /// each is to make it by itself.
    fn export_shared(&self) -> Option<Vec<u8>> {
        None
    }

    /// Answers a running task that asks for what only the process knows that began the
    /// run, wherever the task runs ([`Cx::consultant`]): when its next request may leave, say.
    /// At once: who is to wait is told for how long.
    fn answer(&self, question: Value) -> Value {
        let _ = question;
        Value::Null
    }

    /// The same of a question that is about the task itself, which runs on another machine.
    fn answer_about(&self, task: &Task, question: Value) -> Value {
        let _ = task;
        self.answer(question)
    }

    /// The command line of a task in a run of `column`, where it has one: where another machine
    /// ran it, or nobody did.
    fn command_line(&self, task: &Task, column: &Column) -> Option<Vec<u8>> {
        let _ = (task, column);
        None
    }

    /// What a task is to do, in a run of `column`, in words for a worker that knows no
    /// templates; `None` where there are no such words.
    fn spelled_out(&self, task: &Task, column: &Column) -> Option<TaskInput> {
        let _ = (task, column);
        None
    }

    /// A try of `task` ended in another process, as it should or without an end to what it
    /// began to ask.
    fn ended_elsewhere(&self, task: &Task) {
        let _ = task;
    }

    /// A worker process of this machine was killed in the middle of a task: what it
    /// began and could not give up by itself is removed.
    fn clean_after(&self, column: &Column, process: u32) {
        let _ = (column, process);
    }
}

/// What kind of work a workload is: asked once a run, after it has begun, and before
/// the first to plan it.
#[derive(Clone, Debug)]
pub struct Profile {
    /// What a task makes: `file`, `block`, `task`.
    pub unit: &'static str,
    /// How much there is to do, where that is known beforehand.
    pub size: Size,
    /// Whether tasks wait rather than compute, so that more of them than there are
    /// cores may run at a time.
    pub waits: bool,
    /// How many files and connections a task has open at a time, at most; one where
    /// that goes without saying.
    pub opens: usize,
    /// At most how many tasks may run at a time, whatever the user says; `None`: as many as
    /// there are slots.
    pub at_once: Option<usize>,
    /// How many requests a second all tasks together may send, where that is limited: each
    /// sends one.
    pub rate: Option<f64>,
    /// What doing everything in one go is called, where that is a column of its own: its tasks
    /// are run one after the other in [`Mode::Whole`](crate::task::Mode::Whole), and the first
    /// does the work of all.
    pub in_one_go: Option<&'static str>,
    /// Whether tasks ask something outside that may change by itself. Then what failed
    /// tasks found counts, too, where ways are compared, a difference is told and is no
    /// fault, nothing is asked again unless the user says so, and the records are kept
    /// for the report.
    pub external: bool,
    /// Which ways are run when the user says nothing.
    pub default_modes: DefaultModes,
    /// Whether tasks wait for those before them to have started
    /// ([`Cx::wait_for_turn`]) and say when they have ([`Cx::has_started`]).
    pub ordered_starts: bool,
    /// How long a task that is to end may take for it, beyond the moment that every task
    /// may.
    pub grace: Duration,
    /// Of how many tasks those of [`Workload::tasks`] are a sample, if they are one.
    pub sample_of: Option<u64>,
    /// By the name of a span: what to try when it takes most of the tasks' time.
    pub advice: &'static [(&'static str, &'static str)],
    /// What a person should know of it.
    pub remarks: Vec<String>,
}

impl Default for Profile {
    fn default() -> Self {
        Self {
            unit: "task",
            size: Size::default(),
            waits: false,
            opens: 1,
            at_once: None,
            rate: None,
            in_one_go: None,
            external: false,
            default_modes: DefaultModes::Both,
            ordered_starts: false,
            grace: Duration::ZERO,
            sample_of: None,
            advice: &[],
            remarks: Vec::new(),
        }
    }
}

/// Which ways are run when the user says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DefaultModes {
    /// Both, compared.
    Both,
    /// In parallel only, for this reason.
    ParallelFor(&'static str),
}

/// What the tasks of a workload have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sharing {
    /// The memory of one process.
    Memory,
    /// The machine and its files: each may be done by another process.
    Machine,
    /// Nothing: each may be done on another machine.
    Nothing,
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
    Box::new((0..count).map(|seq| Ok(Task::numbered(seq, (seq + 1).to_string()))))
}

/// The digest of what the file at `path` holds; `None` when interrupted.
#[cfg(feature = "cli")]
fn file_digest(path: &std::path::Path, interrupt: &Interrupt) -> std::io::Result<Option<Digest>> {
    use std::io::Read as _;

    use crate::process::Uninterrupted;
    let mut file = Uninterrupted(std::fs::File::open(path)?);
    let mut digester = xxhash_rust::xxh3::Xxh3::new();
    let mut block = vec![0; 256 << 10];
    loop {
        match file.read(&mut block)? {
            0 => return Ok(Some(Digest(digester.digest128()))),
            _ if interrupt.is_set() => return Ok(None),
            length => digester.update(&block[..length]),
        }
    }
}
