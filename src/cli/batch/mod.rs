//! `parsim serial` and `parsim parallel` over commands: from GNU parallel's
//! options to a batch, and to an exit status.
//!
//! | file | what it does |
//! |---|---|
//! | `conflicts` | options that are refused, with reasons |
//! | `pairs` | options that have no effect beside others |
//! | `info` | what is asked for instead of a run |
//! | `settings` | options to a batch: template, inputs, order of output |
//! | `job_input` | where jobs come from, and what they read |
//! | `shuffle` | `--shuf` |
//! | `width` | `-j` |
//! | `placeholder` | `{way}` |
//! | `compare` | both ways: which runs there are, and the report |
//! | `job_count` | how many jobs, where the line says it |
//! | `shell` | which shell, and whether it can be left out |
//! | `records` | what is put down of each job, and what an earlier run put down |
//! | `results` | where jobs' output goes when it is not shown |
//! | `portable` | jobs in worker processes |
//! | `policy` | when jobs start, are tried again, are given up |
//! | `timeout` | a limit that follows how long jobs take |
//! | `defaults` | options in `$PARSIM` |
//! | `signal_thread` | what a signal does to the batch; progress as time passes |
//! | `suspend_bar` | output with the bar out of its way |
//! | `finish` | what is said when the batch is over, and the exit status |

mod compare;
mod conflicts;
mod defaults;
mod finish;
mod info;
mod job_count;
mod job_input;
mod pairs;
mod placeholder;
mod policy;
mod portable;
mod records;
mod results;
mod settings;
mod shell;
mod shuffle;
mod signal_thread;
mod suspend_bar;
mod timeout;
mod width;

use std::ffi::OsString;
use std::sync::Arc;
use std::time::Instant;

pub(super) use self::compare::run as compare;
#[cfg(test)]
pub(super) use self::conflicts::check_both_ways;
pub(super) use self::conflicts::is_not_compared;
pub(super) use self::portable::WorkerSignals;
use self::settings::Purpose;
use self::timeout::MedianLimit;
use self::width::Reread;
use super::exit::{End, Fault};
use super::exports::Exports;
use super::term::Terminal;
use super::worker;
use crate::engine::{Engine, Pool, Serial};
use crate::event::Journal;
use crate::experiment::Experiment;
use crate::gnu_args::{self, Flag, Timeout, Typed, When};
use crate::host::Host;
use crate::process::{Hup, Interrupt};
use crate::progress::{Board, Meter, Show};
use crate::task::Way;

/// What `compare --help` says.
pub(super) const COMPARE_HELP: &str = include_str!("compare_help.txt");

/// Whether the line asks for a batch, and not for the notebook's pair.
pub(super) fn is_meant(words: &[OsString]) -> bool {
    gnu_args::parse(words).map_or(true, |typed| {
        if typed.ask.is_some() {
            return true;
        }
        let common = ["jobs", "progress", "color"];
        let only_common = typed.given.iter().all(|option| common.contains(option));
        let nothing = typed.command.is_empty() && typed.sources.is_empty() && !typed.bare_separator;
        let exports = !typed.output.exports.is_empty();
        !(nothing && (only_common || exports) && super::bare_command::stdin_offers_nothing())
    })
}

/// Runs the batch of `words`, which follow `serial` or `parallel`.
pub(super) fn run(way: Way, words: &[OsString], line: &[String], started: Instant) -> Result<End, Fault> {
    let typed = defaults::parse(way, words)?;
    if let Some(ask) = typed.ask {
        return info::answer(ask);
    }
    conflicts::check(&typed)?;
    let engine = portable::engine(way, &typed)?;
    if let Some(first) = typed.command.first()
        && let Some(hint) = super::bare_command::workload_hint(way, &first.to_string_lossy())
        && typed.sources.is_empty()
    {
        return Err(Fault::Usage(hint));
    }
    let typed = records::effective(typed)?;
    let interrupt = Interrupt::on_signals(Hup::Drains, signal_thread::ASKS).map_err(Fault::Own)?;
    let signals = signal_thread::catch(&interrupt).map_err(Fault::Own)?;
    let board = Arc::new(Board::expecting(typed.run.total_jobs.or_else(|| job_count::total(&typed))));
    let meter = Arc::new(meter(&typed, &board));
    let width = width::affordable(width::width(way, &typed)?, typed.run.jobs.as_ref(), &meter)?;
    let prepared = settings::prepare(&typed, Purpose::Effect, width, &interrupt, &meter);
    if let (Err(_), Some(signal)) = (&prepared, interrupt.signal()) {
        return Ok(End::Signal(signal));
    }
    let (mut batch, mut results) = prepared?;
    let mut exports = Exports::of(&typed.output.exports)?;
    let attendant =
        signal_thread::attend(signals, batch.running(), &meter, &interrupt).map_err(Fault::Own)?;
    let (reread, executor): (_, Box<dyn Engine>) = match way {
        Way::Serial => (None, Box::new(Serial)),
        Way::Parallel | Way::Processes if !engine.shares_memory => {
            (None, (engine.new)(width, worker::children).map_err(Fault::Own)?)
        }
        // Each job is a process anyway.
        Way::Parallel | Way::Processes => match Reread::of(&typed, width, &meter) {
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
    let observer = batch.observed_by(&*meter);
    let mut experiment = Experiment::new(&mut batch).map_err(Fault::Own)?;
    if !exports.any() {
        // Nobody is going to see more of the machine than its cores.
        experiment = experiment.without_records().host(Host::in_brief());
    }
    let study = experiment
        .executors(vec![executor])
        .policy(policy::policy(&typed))
        .journals(journals)
        .interrupt(interrupt.clone())
        .observer(&observer)
        .save(Box::new(|study| exports.save(study).or(Ok(()))))
        .command(line.to_vec(), started.elapsed())
        .run();
    meter.end();
    drop(attendant);
    let study = study.map_err(Fault::Own)?;
    finish::tell(&study, &typed, &results.tails, &board, &interrupt);
    finish::summarize(&study, &typed);
    exports.finish(&study).map_err(Fault::Own)?;
    if crate::process::missed_stdout() && interrupt.signal().is_none() {
        Terminal::has_stdout().map_err(Fault::Own)?;
    }
    Ok(finish::end(&study, &interrupt))
}

/// Shows how far `board`'s batch is: at once where that is asked for, else when
/// it is sent USR2.
fn meter(typed: &Typed, board: &Arc<Board>) -> Meter {
    let board = Arc::clone(board);
    match (show(typed), typed.output.progress) {
        (Show::Nothing, Some(_)) => Meter::new(board, Show::Nothing, false),
        (Show::Nothing, None) => Meter::new(board, Terminal::look("auto", "auto").progress, false),
        (show, _) => Meter::new(board, show, true),
    }
}

/// How progress is shown. Bare `--bar`, `--eta` and `--progress` are GNU
/// parallel's; without any of them a batch shows none.
fn show(typed: &Typed) -> Show {
    let asked = [Flag::Bar, Flag::Eta, Flag::Progress].iter().any(|&flag| typed.flags.has(flag));
    let when = typed.output.progress.map_or(if asked { "auto" } else { "never" }, |when| match when {
        When::Auto => "auto",
        When::Always => "always",
        When::Never => "never",
    });
    Terminal::look("auto", when).progress
}
