//! `parsim serial` and `parsim parallel` over commands: from GNU parallel's
//! options to a batch, and to an exit status.
//!
//! | file | what it does |
//! |---|---|
//! | `info` | what is asked for instead of a run; how many jobs, where the line says it |
//! | `settings` | options to a batch: template, inputs, order of output |
//! | `job_input` | where jobs come from, and what they read |
//! | `compare` | both ways: which runs there are, and the report |
//! | `hosts` | what jobs on other machines need: files, variables, directories |
//! | `records` | what is put down of each job, and what an earlier run put down |
//! | `results` | where jobs' output goes when it is not shown |
//! | `policy` | when jobs start, are tried again, are given up; a limit that follows how long they take |
//! | `streams` | output on stdout and stderr: tags, the bar out of its way |
//! | `latest_lines` | the latest line of each job, where each slot has a line |
//! | `defaults` | options in `$PARSIM` |
//! | `finish` | what is said when the batch is over, and the exit status |

mod compare;
mod defaults;
mod finish;
mod hosts;
mod info;
mod job_input;
mod latest_lines;
mod policy;
mod records;
mod results;
mod settings;
mod streams;

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Instant;

use signal_hook::consts::SIGHUP;

pub(super) use self::compare::run as compare;
use self::policy::MedianLimit;
use self::settings::Purpose;
use super::cluster;
use super::conflicts;
use super::exit::{End, Exit, Fault, refuse};
use super::exports::Exports;
use super::named_hosts::NamedHosts;
use super::places;
use super::plan::{SERIAL_IS_HERE, Setup, parallel_engines};
use super::signals;
use super::terminal::{self, Terminal, say};
use super::width::{self, Reread};
use super::workloads::{stdin_offers_nothing, workload_hint};
use crate::cli::flags::{self, Flag, PipeOptions, Scope, Typed, When};
use crate::engine::{Detached, DirectoryRun, Engine, EngineRow, Pool, Serial, StoredRun};
use crate::event::Journal;
use crate::host::Host;
use crate::inputs::{InputCount, InputSource, Origin};
use crate::process::{Hup, Interrupt, missed_stdout};
use crate::progress::{ProgressDisplay, ProgressState, Show};
use crate::task::Mode;

/// What was typed, where nothing to run was: no batch is asked for then, but the
/// notebook's pair, which has the options that batches share with workloads.
pub(super) fn exercise(words: &[OsString]) -> Option<Typed> {
    let typed = flags::parse(words, Scope::ONE_WAY).ok()?;
    let shared = Scope::ONE_WAY.and(Scope::WORKLOAD);
    let only_shared = typed.ask.is_none() && typed.given.iter().all(|given| given.scope.has(shared));
    (typed.names_nothing() && only_shared && stdin_offers_nothing()).then_some(typed)
}

/// Runs the batch of `words`, which follow `serial` or `parallel`.
pub(super) fn run(mode: Mode, words: &[OsString], line: &[String], started: Instant) -> Result<End, Fault> {
    let (typed, words) = defaults::parse(mode, words)?;
    if let Some(ask) = typed.ask {
        return info::answer(ask, Scope::ONE_WAY);
    }
    run_typed(mode, typed, BatchWords { own: words, line }, None, started)
}

/// Goes on with a run of `parsim parallel` that workers do elsewhere.
pub(super) fn resume(stored: StoredRun, line: &[String], started: Instant) -> Result<End, Fault> {
    let words = stored.words().unwrap_or_default().to_vec();
    let mut typed = flags::parse(&words, Scope::ONE_WAY)?;
    // Its inputs were read: jobs are in the directory, and what was put down of some is kept.
    typed.sources = vec![InputSource::new(Origin::Values(Vec::new()))];
    let reads = [Flag::Pipe, Flag::PipePart, Flag::Cat, Flag::Fifo, Flag::Shuf];
    typed.flags.retain(|flag| !reads.contains(flag));
    typed.given.retain(|given| {
        !["pipe", "pipe-part", "cat", "fifo", "block", "recstart", "recend", "header", "total-jobs"]
            .contains(&given.name)
    });
    (typed.pipe, typed.input.header) = (PipeOptions::default(), None);
    typed.run.total_jobs = Some(stored.tasks()?);
    if typed.output.joblog.is_some() && !typed.has_any(records::RESUMES) {
        typed.flags.push(Flag::Resume);
    }
    run_typed(Mode::Parallel, typed, BatchWords { own: words, line }, Some(stored), started)
}

/// The words of a command line.
struct BatchWords<'a> {
    /// Behind `parsim parallel`, defaults and all.
    own: Vec<OsString>,
    /// All of it, as it may be shown.
    line: &'a [String],
}

fn run_typed(
    mode: Mode,
    mut typed: Typed,
    words: BatchWords<'_>,
    stored: Option<StoredRun>,
    started: Instant,
) -> Result<End, Fault> {
    let line = words.line;
    let hosts = NamedHosts::of(&mut typed)?;
    if mode == Mode::Serial && !hosts.is_empty() {
        return refuse(SERIAL_IS_HERE);
    }
    conflicts::check_one_way(&typed)?;
    let directory = cluster::options(&typed, Some(words.own))?;
    let row = engine(mode, &typed)?;
    check_is_command(mode, &typed)?;
    let typed = records::effective(typed)?;
    let interrupt = Interrupt::on_signals(Hup::Drains, signals::ASKS)?;
    let caught = signals::catch_beside_jobs(&interrupt, &[signals::ASKS, &[SIGHUP]].concat())?;
    // What fails because a signal came is that signal's end.
    let interrupted = || interrupt.signal().map(End::Signal);
    let total = typed.run.total_jobs.or_else(|| info::job_count(&typed));
    let count = InputCount::default();
    let progress = Arc::new(ProgressState::expecting(total, count.clone()));
    let display = Arc::new(display(&typed, &progress));
    let wanted = Some(&count).filter(|_| total.is_none() && display.is_on());
    let is_here = hosts.is_empty() && directory.is_none();
    let width = if is_here {
        width::affordable_in_batch(width::of_batch(mode, &typed)?, typed.run.jobs.as_ref(), &display)?
    } else {
        // It is as wide as the machines are.
        NonZeroUsize::MIN
    };
    let elsewhere = match (stored, directory) {
        (Some(stored), Some(options)) => {
            Some(Box::new(DirectoryRun::resuming(stored, options)) as Box<dyn Engine>)
        }
        // Each job is a process anyway.
        _ if hosts.is_empty() && row.shares_memory => None,
        (_, directory) => parallel_engines(&typed, &[width], &hosts, directory)?.pop(),
    };
    let width = elsewhere.as_ref().and_then(|engine| NonZeroUsize::new(engine.width())).unwrap_or(width);
    let prepared = opened(&typed, &interrupt).and_then(|exports| {
        let batch = settings::prepare(&typed, Purpose::Effect, width, &interrupt, &display, wanted)?;
        Ok((exports, batch))
    });
    let (mut exports, (mut batch, mut results)) = match prepared {
        Ok(prepared) => prepared,
        Err(fault) => return interrupted().ok_or(fault),
    };
    let attendant = signals::attend_beside(caught, Some(batch.running()), &display, &interrupt)?;
    let reread = match (mode, &elsewhere) {
        (Mode::Parallel, None) => Reread::of(&typed, width, &display),
        _ => None,
    };
    let (reread, resizable) = reread.unzip();
    let engine: Box<dyn Engine> = match (mode, elsewhere, resizable) {
        (_, Some(elsewhere), _) => elsewhere,
        (Mode::Serial, None, _) => Box::new(Serial),
        (_, None, Some(resizable)) => Box::new(resizable),
        (_, None, None) => Box::new(Pool::new(width).for_tasks(info::job_count(&typed))),
    };
    let limit = MedianLimit::of(&typed, batch.running());
    // Results are in place before the log says so.
    let mut kept: Vec<Box<dyn Journal>> = results.journal.take().into_iter().collect();
    kept.extend(match records::open(&typed, &interrupt) {
        Ok(opened) => opened,
        Err(fault) => return interrupted().ok_or(fault),
    });
    let limits = limit.iter().map(|limit| limit as &dyn Journal);
    let limits = limits.chain(reread.iter().map(|reread| reread as &dyn Journal));
    let journals = limits.chain(kept.iter().map(|journal| &**journal)).collect();
    let observer = batch.observed_by(&*display);
    // Nobody is going to see more of the machine than its cores.
    let host = (!exports.any()).then(Host::in_brief);
    let setup = Setup {
        workload: &mut batch,
        engines: vec![engine],
        keeps_records: false,
        exports: &mut exports,
        interrupt: &interrupt,
        observer: &observer,
        typed: &typed,
        line,
        started,
    };
    let mut experiment = setup.experiment()?;
    if let Some(host) = host {
        experiment = experiment.host(host);
    }
    let summary = finish::detail(&typed);
    if summary.is_some() && mode == Mode::Parallel {
        experiment = experiment.watching_the_cores();
    }
    let study = experiment.policy(policy::policy(&typed)).journals(journals).run();
    display.end();
    drop(attendant);
    let study = match study {
        Ok(study) => study,
        Err(error) => return left_to_workers(error),
    };
    finish::tell(&study, &typed, &results.tails, &progress, &interrupt);
    if let Some(detail) = summary {
        finish::summarize(&study, detail);
    }
    exports.finish(&study)?;
    if missed_stdout() && interrupt.signal().is_none() {
        Terminal::has_stdout()?;
    }
    Ok(finish::end(&study, &interrupt))
}

/// Refuses a workload's name where a command should be.
fn check_is_command(mode: Mode, typed: &Typed) -> Result<(), Fault> {
    let first = typed.command.first().filter(|_| typed.sources.is_empty());
    match first.and_then(|first| workload_hint(mode, &first.to_string_lossy())) {
        Some(hint) => refuse(hint),
        None => Ok(()),
    }
}

/// The exports, opened, once no two outputs go to one place.
fn opened(typed: &Typed, interrupt: &Interrupt) -> Result<Exports, Fault> {
    let exports = &typed.output.exports;
    places::check_apart(results::places(typed).chain(places::of_exports(exports)))?;
    Exports::open(exports, &|time| interrupt.sleep(time))
}

/// Why a run did not come to its end, unless its workers were left to themselves.
fn left_to_workers(error: anyhow::Error) -> Result<End, Fault> {
    let detached = error.downcast::<Detached>()?;
    say(&detached.to_string());
    Ok(End::Status(Exit::Success.status()))
}

/// The one engine of a batch that is run one way.
fn engine(mode: Mode, typed: &Typed) -> Result<&'static EngineRow, Fault> {
    if mode == Mode::Serial && !typed.run.workers.is_default() {
        return refuse("serial means no workers: leave --workers out, or run it in parallel");
    }
    match typed.run.workers.engines().collect::<Vec<_>>()[..] {
        [engine] => Ok(engine),
        _ => refuse("--workers both compares threads and processes: use parsim compare"),
    }
}

/// Shows how far `progress`'s batch is: at once where that is asked for, else when
/// it is sent USR2.
fn display(typed: &Typed, progress: &Arc<ProgressState>) -> ProgressDisplay {
    let (show, on) = match (terminal::progress_of_batch(typed), typed.output.progress) {
        (Show::Nothing, Some(_)) => (Show::Nothing, false),
        (Show::Nothing, None) => (terminal::progress(When::Auto), false),
        (show, _) => (show, true),
    };
    ProgressDisplay::new(Arc::clone(progress), show, on)
}
