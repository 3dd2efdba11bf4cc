//! What was typed, made into what it means on this machine: the columns of the
//! experiment, how often each is run, the gates; and what every experiment of the
//! command line is put together from, whatever it runs.
//!
//! A gate is what a script wants to be told by the exit status: `--min-speedup` and
//! `--fail-if-slower`. What is missed is said on stderr, a line each.

use std::ffi::{OsStr, OsString};
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use anyhow::Context as _;

use super::cluster;
use super::exit::{Exit, Fault, refuse};
use super::exports::Exports;
use super::flags::{StudyOptions, Typed, Ways};
use super::named_hosts::NamedHosts;
use super::shell::choose;
use super::terminal::say;
use super::width::{affordable, check_serial};
use super::worker;
use crate::engine::{DirectoryOptions, Engine, InOneGo, Serial, WorkerMeans};
use crate::event::Observer;
use crate::experiment::{Experiment, Hook, Repeats};
use crate::process::{self, Interrupt, ShellLine};
use crate::study::{Gates, Study};
use crate::task::Column;
use crate::workload::{DefaultModes, Workload};

/// A workload that waits gets at least a thread a task, up to this many.
const MOST_WAITING: usize = 64;

/// Short work is repeated until this much is measured ...
const ENOUGH: Duration = Duration::from_secs(1);

/// ... but not more often than this.
const MOST_REPEATS: usize = 10;

/// What is said where somebody wants one at a time on another machine.
pub(super) const SERIAL_IS_HERE: &str =
    "serial means one job at a time on this machine: with -S run it in parallel, with -j 1";

/// Which ways are run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RunModes {
    Serial,
    Parallel,
    Both,
}

/// What is to be done.
pub(super) struct Plan {
    pub(super) engines: Vec<Box<dyn Engine>>,
    pub(super) repeats: Repeats,
    pub(super) warmup: usize,
}

impl RunModes {
    /// Both flags mean both ways; neither, what the workload is usually asked for, and
    /// why that is one way alone, if it is.
    pub(super) fn of(ways: &Ways, usual: DefaultModes) -> (Self, Option<&'static str>) {
        match (ways.serial, ways.parallel, usual) {
            _ if ways.compare => (Self::Both, None),
            (true, false, _) => (Self::Serial, None),
            (false, true, _) => (Self::Parallel, None),
            (false, false, DefaultModes::ParallelFor(reason)) => (Self::Parallel, Some(reason)),
            (true, true, _) | (_, _, DefaultModes::Both) => (Self::Both, None),
        }
    }
}

impl Plan {
    /// The plan for `workload` on `usable` cores.
    pub(super) fn new(
        workload: &dyn Workload,
        usable: usize,
        wanted: RunModes,
        typed: &Typed,
        hosts: NamedHosts,
    ) -> Result<Self, Fault> {
        let profile = workload.profile();
        let tasks = profile.size.tasks.map(|tasks| usize::try_from(tasks).unwrap_or(usize::MAX));
        let at_once =
            if profile.waits { tasks.map_or(MOST_WAITING, |tasks| tasks.min(MOST_WAITING)) } else { 1 };
        if wanted == RunModes::Serial && !hosts.is_empty() {
            return refuse(SERIAL_IS_HERE);
        }
        let hosts = hosts.shared_out(at_once, profile.at_once);
        let widths = match &typed.run.jobs {
            // Each host has its own.
            _ if !hosts.is_empty() => Vec::new(),
            Some(jobs) => jobs.widths(usable, tasks.unwrap_or(usable)),
            None => vec![NonZeroUsize::new(usable.max(at_once)).unwrap_or(NonZeroUsize::MIN)],
        };
        let open = typed.run.workers.engines().map(|engine| engine.descriptors);
        let open = if wanted == RunModes::Serial { 0 } else { open.fold(profile.opens, usize::max) };
        let widths = allowed(widths, profile.at_once);
        let widths = affordable(widths, open, tasks.unwrap_or(usize::MAX));
        if wanted == RunModes::Serial {
            if typed.run.jobs.is_some() {
                widths.iter().try_for_each(|width| check_serial(width.get()))?;
            }
            if !typed.run.workers.is_default() {
                return refuse("serial means no workers: leave --workers out, or --serial");
            }
        }
        let mut engines = engines(wanted, typed, &widths, &hosts)?;
        if let Some(name) = profile.in_one_go {
            engines.push(Box::new(InOneGo::called(name)));
        }
        let repeats = match typed.study.runs {
            Some(runs) => Repeats::Times(runs),
            // To connect takes longer than what is short.
            None if engines.len() > 1 && !profile.external && hosts.is_empty() => {
                Repeats::Until { measured: ENOUGH, most: MOST_REPEATS }
            }
            None => Repeats::Times(1),
        };
        Ok(Self { engines, repeats, warmup: typed.study.warmup.unwrap_or(0) })
    }
}

/// `widths` as far as the workload goes, each once.
fn allowed(widths: Vec<NonZeroUsize>, most: Option<usize>) -> Vec<NonZeroUsize> {
    let most = most.and_then(NonZeroUsize::new).unwrap_or(NonZeroUsize::MAX);
    let mut allowed: Vec<NonZeroUsize> = Vec::new();
    for width in widths.into_iter().map(|width| width.min(most)) {
        if !allowed.contains(&width) {
            allowed.push(width);
        }
    }
    allowed
}

/// The engines of the ways that are `wanted`: on `hosts` if there are some, else each
/// parallel one in all `widths`.
pub(super) fn engines(
    wanted: RunModes,
    typed: &Typed,
    widths: &[NonZeroUsize],
    hosts: &NamedHosts,
) -> Result<Vec<Box<dyn Engine>>, Fault> {
    let mut engines: Vec<Box<dyn Engine>> = Vec::new();
    let directory = cluster::options(typed, None)?;
    let parallel = match wanted {
        RunModes::Serial => Vec::new(),
        RunModes::Parallel | RunModes::Both => parallel_engines(typed, widths, hosts, directory)?,
    };
    if wanted != RunModes::Parallel {
        engines.push(if hosts.is_empty() { Box::new(Serial) } else { hosts.serial(typed)? });
    }
    engines.extend(parallel);
    Ok(engines)
}

/// What does tasks side by side: workers on `hosts` if there are some, else the engines that
/// `--workers` names, each in all `widths`.
pub(super) fn parallel_engines(
    typed: &Typed,
    widths: &[NonZeroUsize],
    hosts: &NamedHosts,
    directory: Option<DirectoryOptions>,
) -> Result<Vec<Box<dyn Engine>>, Fault> {
    if !hosts.is_empty() {
        return Ok(vec![hosts.parallel(typed)?]);
    }
    let means = WorkerMeans { own: worker::children, directory };
    let mut engines = Vec::new();
    for engine in typed.run.workers.engines() {
        // How many at a time is a matter of nodes where there are some.
        let widths = if engine.is_elsewhere { &widths[..1] } else { widths };
        for &width in widths {
            engines.push((engine.new)(width, &means)?);
        }
    }
    Ok(engines)
}

/// The gates that were asked for.
pub(super) fn gates(typed: &StudyOptions) -> Gates {
    Gates { min_speedup: typed.min_speedup, slower_by: typed.fail_if_slower.map(|percent| percent / 100.0) }
}

/// Refuses gates where only one way is run, so that there is nothing to compare;
/// `reason` is why, where nobody asked for just that.
pub(super) fn check_gates(gates: &Gates, wanted: RunModes, reason: Option<&str>) -> Result<(), Fault> {
    let what_to_do = match (wanted, reason) {
        _ if *gates == Gates::default() => return Ok(()),
        (RunModes::Both, _) => return Ok(()),
        (_, Some(reason)) => format!(", and only one runs, because {reason}: add --compare"),
        (RunModes::Serial, None) => ": leave --serial out".to_owned(),
        (RunModes::Parallel, None) => ": leave --parallel out".to_owned(),
    };
    refuse(format!("--min-speedup and --fail-if-slower compare both ways{what_to_do}"))
}

/// How `study` ends with these gates: failures and differences weigh more.
pub(super) fn exit(study: &Study, gates: &Gates) -> Exit {
    match (Exit::of(study), tell_gates(&gates.missed(study), &gates.undecided(study))) {
        (Exit::Success, gates) => gates,
        (other, _) => other,
    }
}

/// Says what was `missed` and what is `undecided`, and how something ends where
/// nothing else counts.
pub(super) fn tell_gates(missed: &[String], undecided: &[String]) -> Exit {
    let notes = undecided.iter().map(|text| format!("note: {text}"));
    for text in missed.iter().cloned().chain(notes) {
        say(&text);
    }
    if missed.is_empty() { Exit::Success } else { Exit::Missed }
}

/// What there is to be run, and who takes part.
pub(super) struct Setup<'a> {
    pub(super) workload: &'a mut dyn Workload,
    pub(super) engines: Vec<Box<dyn Engine + 'a>>,
    /// Whether somebody is going to look at the record of each task, beside the exports.
    pub(super) keeps_records: bool,
    pub(super) exports: &'a mut Exports,
    pub(super) interrupt: &'a Interrupt,
    pub(super) observer: &'a dyn Observer,
    pub(super) typed: &'a Typed,
    /// The command line, and when the process began.
    pub(super) line: &'a [String],
    pub(super) started: Instant,
}

impl<'a> Setup<'a> {
    /// One run of each column, unless told otherwise, each with the commands around it
    /// that `--prepare` and `--cleanup` name.
    pub(super) fn experiment(self) -> Result<Experiment<'a>, Fault> {
        let Self { exports, interrupt, typed, .. } = self;
        let keeps_records = self.keeps_records || exports.any();
        let mut experiment = Experiment::new(self.workload)?
            .engines(self.engines)
            .interrupt(interrupt.clone())
            .observer(self.observer)
            // What cannot be saved now is tried once more at the end, and told then:
            // what was measured is shown all the same.
            .save(Box::new(|study| exports.save(study).or(Ok(()))))
            .command(self.line.to_vec(), self.started.elapsed())
            .called(typed.study.name.clone())
            .time_unit(typed.study.time_unit.clone());
        if !keeps_records {
            experiment = experiment.without_records();
        }
        let shell = || choose(typed.run.shell.as_deref()).words();
        if let Some(command) = &typed.study.prepare {
            experiment = experiment.before_each(hook("the --prepare command", shell(), command, interrupt));
        }
        if let Some(command) = &typed.study.cleanup {
            experiment = experiment.after_each(hook("the --cleanup command", shell(), command, interrupt));
        }
        Ok(experiment)
    }
}

/// Runs the command of `--setup`, if there is one, to its end.
pub(super) fn set_up(typed: &Typed, interrupt: &Interrupt) -> Result<(), Fault> {
    let Some(command) = &typed.study.setup else { return Ok(()) };
    let shell = choose(typed.run.shell.as_deref()).words();
    Ok(run_beside("the --setup command", &shell, command, &[], interrupt)?)
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
        let env = [("PARSIM_WAY", OsStr::new(&*column.name))];
        run_beside(name, &shell, command, &env, interrupt)
    })
}

/// Runs `command`, which is none of the batch's, by `shell`.
fn run_beside(
    name: &'static str,
    shell: &[OsString],
    command: &str,
    env: &[(&str, &OsStr)],
    interrupt: &Interrupt,
) -> anyhow::Result<()> {
    let stopped = |signal: i32| {
        let why = match signal {
            libc::SIGTTIN | libc::SIGTTOU => "asks for the terminal, which it is not given".to_owned(),
            other => format!("was sent signal {other}"),
        };
        say(&format!("{command:?} has stopped: it {why}; Ctrl-C ends it"));
    };
    let line = ShellLine { command, env, ..ShellLine::default() };
    process::run_in_shell(shell, line, interrupt.wake_fd(), &stopped).context(name)
}
