//! `parsim serial` and `parsim parallel` over commands: from GNU parallel's
//! options to a batch, and to an exit status.
//!
//! | file | what it does |
//! |---|---|
//! | `conflicts` | options that are refused, with reasons |
//! | `pairs` | options that have no effect beside others |
//! | `info` | what is asked for instead of a run; how many jobs, where the line says it |
//! | `settings` | options to a batch: template, inputs, order of output |
//! | `job_input` | where jobs come from, and what they read |
//! | `width` | `-j` |
//! | `placeholder` | `{way}` |
//! | `compare` | both ways: which runs there are, and the report |
//! | `shell` | which shell, and whether it can be left out |
//! | `records` | what is put down of each job, and what an earlier run put down |
//! | `results` | where jobs' output goes when it is not shown |
//! | `portable` | jobs in worker processes |
//! | `policy` | when jobs start, are tried again, are given up; a limit that follows how long they take |
//! | `streams` | output on stdout and stderr: tags, the bar out of its way |
//! | `defaults` | options in `$PARSIM` |
//! | `signal_thread` | what a signal does to the batch; progress as time passes |
//! | `finish` | what is said when the batch is over, and the exit status |

mod compare;
mod conflicts;
mod defaults;
mod finish;
mod info;
mod job_input;
mod pairs;
mod placeholder;
mod policy;
mod portable;
mod records;
mod results;
mod settings;
mod shell;
mod signal_thread;
mod streams;
mod width;

use std::ffi::OsString;
use std::sync::Arc;
use std::time::Instant;

pub(super) use self::compare::run as compare;
use self::policy::MedianLimit;
pub(super) use self::portable::WorkerSignals;
use self::settings::Purpose;
use self::width::Reread;
use super::exit::{End, Fault};
use super::exports::Exports;
use super::setup::Setup;
use super::terminal::{self, Terminal};
use super::worker;
use crate::cli::bare_command::{stdin_offers_nothing, workload_hint};
use crate::cli::flags::{self, Scope, Timeout, Typed, When};
use crate::engine::{Engine, Pool, Serial};
use crate::event::Journal;
use crate::host::Host;
use crate::process::{Hup, Interrupt};
use crate::progress::{ProgressDisplay, ProgressState, Show};
use crate::task::Mode;

/// What was typed, where nothing to run was: no batch is asked for then, but the
/// notebook's pair, which has the options that batches share with workloads.
pub(super) fn exercise(words: &[OsString]) -> Option<Typed> {
    let typed = flags::parse(words, Scope::ONE_WAY).ok()?;
    let shared = Scope::ONE_WAY.and(Scope::WORKLOAD);
    let nothing = typed.command.is_empty() && typed.sources.is_empty() && !typed.bare_separator;
    let only_shared = typed.ask.is_none() && typed.given.iter().all(|given| given.scope.has(shared));
    (nothing && only_shared && stdin_offers_nothing()).then_some(typed)
}

/// Runs the batch of `words`, which follow `serial` or `parallel`.
pub(super) fn run(mode: Mode, words: &[OsString], line: &[String], started: Instant) -> Result<End, Fault> {
    let typed = defaults::parse(mode, words)?;
    if let Some(ask) = typed.ask {
        return info::answer(ask, Scope::ONE_WAY);
    }
    conflicts::check(&typed)?;
    let row = portable::engine(mode, &typed)?;
    if let Some(first) = typed.command.first()
        && let Some(hint) = workload_hint(mode, &first.to_string_lossy())
        && typed.sources.is_empty()
    {
        return Err(Fault::Usage(hint));
    }
    let typed = records::effective(typed)?;
    let interrupt = Interrupt::on_signals(Hup::Drains, signal_thread::ASKS)?;
    let signals = signal_thread::catch(&interrupt)?;
    let progress =
        Arc::new(ProgressState::expecting(typed.run.total_jobs.or_else(|| info::job_count(&typed))));
    let display = Arc::new(display(&typed, &progress));
    let width = width::affordable(width::width(mode, &typed)?, typed.run.jobs.as_ref(), &display)?;
    let prepared = settings::prepare(&typed, Purpose::Effect, width, &interrupt, &display);
    if let (Err(_), Some(signal)) = (&prepared, interrupt.signal()) {
        return Ok(End::Signal(signal));
    }
    let (mut batch, mut results) = prepared?;
    let mut exports = Exports::open(&typed.output.exports)?;
    let attendant = signal_thread::attend(signals, batch.running(), &display, &interrupt)?;
    let (reread, engine): (_, Box<dyn Engine>) = match mode {
        Mode::Serial => (None, Box::new(Serial)),
        Mode::Parallel if !row.shares_memory => (None, (row.new)(width, worker::children)?),
        // Each job is a process anyway.
        Mode::Parallel => match Reread::of(&typed, width, &display) {
            Some((reread, resizable)) => (Some(reread), Box::new(resizable)),
            None => (None, Box::new(Pool::new(width))),
        },
    };
    let limit = match typed.run.timeout {
        Some(Timeout::Percent(percent)) => Some(MedianLimit::new(batch.running(), percent)),
        Some(Timeout::After(_)) | None => None,
    };
    // Results are in place before the log says so.
    let mut kept: Vec<Box<dyn Journal>> = results.journal.take().into_iter().collect();
    let opened = records::open(&typed, &interrupt);
    if let (Err(_), Some(signal)) = (&opened, interrupt.signal()) {
        return Ok(End::Signal(signal));
    }
    kept.extend(opened?);
    let limits = limit.iter().map(|limit| limit as &dyn Journal);
    let limits = limits.chain(reread.iter().map(|reread| reread as &dyn Journal));
    let journals = limits.chain(kept.iter().map(|journal| &**journal)).collect();
    let observer = batch.observed_by(&*display);
    // Nobody is going to see more of the machine than its cores.
    let host = (!exports.any()).then(Host::in_brief);
    let mut experiment = Setup {
        workload: &mut batch,
        engines: vec![engine],
        keeps_records: false,
        exports: &mut exports,
        interrupt: &interrupt,
        observer: &observer,
        line,
        started,
    }
    .experiment()?;
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
    let study = study?;
    finish::tell(&study, &typed, &results.tails, &progress, &interrupt);
    if let Some(detail) = summary {
        finish::summarize(&study, detail);
    }
    exports.finish(&study)?;
    if crate::process::missed_stdout() && interrupt.signal().is_none() {
        Terminal::has_stdout()?;
    }
    Ok(finish::end(&study, &interrupt))
}

/// Shows how far `progress`'s batch is: at once where that is asked for, else when
/// it is sent USR2.
fn display(typed: &Typed, progress: &Arc<ProgressState>) -> ProgressDisplay {
    let progress = Arc::clone(progress);
    match (terminal::progress_of_batch(typed), typed.output.progress) {
        (Show::Nothing, Some(_)) => ProgressDisplay::new(progress, Show::Nothing, false),
        (Show::Nothing, None) => ProgressDisplay::new(progress, terminal::progress(When::Auto), false),
        (show, _) => ProgressDisplay::new(progress, show, true),
    }
}
