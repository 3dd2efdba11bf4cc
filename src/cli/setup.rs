//! What every experiment of the command line is put together from, whatever it
//! runs.

use std::ffi::{OsStr, OsString};
use std::io::Write as _;
use std::time::Instant;

use anyhow::Context as _;

use super::exit::Fault;
use super::exports::Exports;
use crate::engine::Engine;
use crate::event::Observer;
use crate::experiment::{Experiment, Hook};
use crate::process::{self, Interrupt};
use crate::task::Column;
use crate::text::printable;
use crate::workload::Workload;

/// What there is to be run, and who takes part.
pub(super) struct Setup<'a> {
    pub(super) workload: &'a mut dyn Workload,
    pub(super) engines: Vec<Box<dyn Engine + 'a>>,
    /// Whether somebody is going to look at the record of each task, beside the exports.
    pub(super) keeps_records: bool,
    pub(super) exports: &'a mut Exports,
    pub(super) interrupt: &'a Interrupt,
    pub(super) observer: &'a dyn Observer,
    /// The command line, and when the process began.
    pub(super) line: &'a [String],
    pub(super) started: Instant,
}

impl<'a> Setup<'a> {
    /// One run of each column, unless told otherwise.
    pub(super) fn experiment(self) -> Result<Experiment<'a>, Fault> {
        let exports = self.exports;
        let keeps_records = self.keeps_records || exports.any();
        let experiment = Experiment::new(self.workload)?
            .engines(self.engines)
            .interrupt(self.interrupt.clone())
            .observer(self.observer)
            // What cannot be saved now is tried once more at the end, and told then:
            // what was measured is shown all the same.
            .save(Box::new(|study| exports.save(study).or(Ok(()))))
            .command(self.line.to_vec(), self.started.elapsed());
        Ok(if keeps_records { experiment } else { experiment.without_records() })
    }
}

/// The commands that `--prepare` and `--cleanup` name, run by `shell`.
pub(super) struct HookCommands<'a> {
    pub(super) prepare: Option<&'a str>,
    pub(super) cleanup: Option<&'a str>,
    pub(super) shell: Vec<OsString>,
}

impl<'a> HookCommands<'a> {
    /// `experiment` with these around each run.
    pub(super) fn around(self, experiment: Experiment<'a>, interrupt: &'a Interrupt) -> Experiment<'a> {
        let Self { prepare, cleanup, shell } = self;
        let experiment = match prepare {
            Some(command) => {
                experiment.before_each(hook("the --prepare command", shell.clone(), command, interrupt))
            }
            None => experiment,
        };
        match cleanup {
            Some(command) => experiment.after_each(hook("the --cleanup command", shell, command, interrupt)),
            None => experiment,
        }
    }
}

/// A hook that runs `command` by `shell`, which is told the column; `name` is what an
/// error is about.
fn hook<'a>(
    name: &'static str,
    shell: Vec<OsString>,
    command: &'a str,
    interrupt: &'a Interrupt,
) -> Hook<'a> {
    Box::new(move |column: &Column| {
        let stopped = |signal: i32| {
            let why = match signal {
                libc::SIGTTIN | libc::SIGTTOU => "asks for the terminal, which it is not given".to_owned(),
                other => format!("was sent signal {other}"),
            };
            let text = format!("{command:?} has stopped: it {why}; Ctrl-C ends it");
            let _ = writeln!(process::stderr(), "parsim: {}", printable(&text));
        };
        let env = [("PARSIM_WAY", OsStr::new(&*column.name))];
        process::run_in_shell(&shell, command, &env, interrupt.wake_fd(), &stopped).context(name)
    })
}
