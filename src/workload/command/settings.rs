//! What can be asked of a batch of commands, as data.

use std::ffi::OsString;
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::{Offer, RoundRobin, Shell, Spool};
use crate::inputs::Seekable;
use crate::process::child::TermSequence;
use crate::template::{Counts, Quoting, Template};

/// How the commands of a batch are run.
pub struct Settings {
    /// The command line.
    pub template: Template,
    /// That of a serial run, where it is another.
    pub serial_template: Option<Template>,
    /// How values are quoted in it.
    pub quoting: Quoting,
    /// What runs a line that is more than plain words.
    pub shell: Shell,
    /// Where jobs run.
    pub directory: Directory,
    /// Variables of all jobs, beside those of this process.
    pub variables: Vec<(OsString, OsString)>,
    /// The variable that tells a job its slot, counted from 0.
    pub slot_variable: Option<OsString>,
    /// What jobs read.
    pub reads: Reads,
    /// How they are offered it.
    pub offer: Offer,
    /// How many slots there are, and how many jobs.
    pub counts: Counts,
    /// The niceness of jobs.
    pub nice: Option<i32>,
    /// How long a job may last.
    pub timeout: Option<Duration>,
    /// Signals and waits for those that have to go.
    pub term_sequence: TermSequence,
    /// What is done with a command line.
    pub act: Act,
    /// How outputs are put in order.
    pub order: Order,
}

/// Where jobs run.
#[derive(Clone, Debug)]
pub enum Directory {
    /// Here.
    Here,
    /// There, which is made.
    Fixed(PathBuf),
    /// Each where its values say, which is made.
    Each(Template),
    /// Each in a new one in this folder, gone when the job is over.
    OfItsOwn(PathBuf),
}

/// What jobs read on standard input.
#[derive(Clone)]
pub enum Reads {
    /// The block of their task, or nothing.
    Own,
    /// One lane each.
    RoundRobin(Arc<RoundRobin>),
    /// The part of a file that their task says.
    Parts(Arc<[Seekable]>),
    /// All of it.
    All(Arc<Spool>),
    /// What is typed.
    Terminal(Arc<File>),
}

/// Shows a command line at once, whatever else waits for its turn.
pub type Trace = fn(&[u8]);

/// What is done with a command line.
#[derive(Clone, Copy, Debug)]
pub enum Act {
    /// It is run.
    Run,
    /// It is printed on stdout and run: `-v`.
    PrintAndRun,
    /// It is printed on stderr and run: `-t`.
    TraceAndRun(Trace),
    /// It is printed on stdout: `--dry-run`.
    Print,
    /// It is printed on stdout, quoted for a shell so many times: `--shellquote`.
    PrintQuoted(usize),
}

/// How outputs are put in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Job by job, as they end.
    Grouped,
    /// Job by job, in input order: `-k`.
    Kept,
    /// The same, but stderr as it comes: `-k --line-buffer`.
    KeptLines,
    /// Line by line, as they come: `--line-buffer`.
    Lines,
    /// Straight from the jobs to where parsim's own output goes: `-u`.
    Unbuffered,
    /// Not at all, for nobody sees them: they are compared.
    Unseen,
}
