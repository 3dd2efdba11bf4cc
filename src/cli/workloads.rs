//! The workload subcommands: from a workload and its options to the report.

use std::ffi::{OsStr, OsString};
use std::io::Write as _;
use std::sync::OnceLock;
use std::time::Instant;

use clap::{ArgMatches, FromArgMatches as _};

use super::exit::{End, Fault};
use super::exports::Exports;
use super::flags::{Typed, Ways, When, shared_of};
use super::gates::{self, gates};
use super::plan::{Plan, Wanted};
use super::services::Told;
use super::shell::choose;
use super::terminal::{self, Terminal};
use crate::experiment::{Experiment, Hook};
use crate::format;
use crate::host::Limits;
use crate::process::{self, Hup, Interrupt};
use crate::progress;
use crate::report::text;
use crate::study::{Cut, Study};
use crate::task::Way;
use crate::workload::{Sharing, Workload};

/// Runs the workload that `build` makes as its subcommand's options say.
pub(super) fn run(
    build: impl FnOnce(Sharing) -> anyhow::Result<Box<dyn Workload>>,
    matches: &ArgMatches,
    words: &[String],
    started: Instant,
) -> Result<End, Fault> {
    let ways = Ways::from_arg_matches(matches).map_err(|error| Fault::Usage(error.to_string()))?;
    let typed = shared_of(matches);
    let all_share = typed.run.workers.engines().all(|engine| engine.shares_memory);
    let sharing = if all_share { Sharing::Memory } else { Sharing::Nothing };
    let workload = build(sharing).map_err(|error| Fault::usage(&error))?;
    run_ways(workload, &typed, &ways, Told::of(matches), words, started)
}

/// The same with the ways already chosen.
pub(super) fn run_ways(
    mut workload: Box<dyn Workload>,
    typed: &Typed,
    ways: &Ways,
    told: Told,
    words: &[String],
    started: Instant,
) -> Result<End, Fault> {
    let terminal = Terminal::of(typed);
    let wanted = Wanted::of(ways, &*workload);
    let gates = gates(&typed.study);
    told.check_gates(&gates)?;
    let one_way = Wanted::reason(ways, &*workload);
    gates::check(&gates, wanted, one_way)?;
    let plan = Plan::new(&*workload, Limits::detect().usable, wanted, typed)?;
    // Before there is anything that a signal could leave behind.
    let interrupt = Interrupt::on_signals(Hup::Ends, &[]).map_err(Fault::Own)?;
    let mut exports = Exports::open(&typed.output.exports)?;
    told.check(&exports)?;
    let keeps_records = exports.any() || workload.profile().external;
    let unwritten = OnceLock::new();
    let observer = told.observer(
        progress::observer(terminal::progress(typed.output.progress.unwrap_or(When::Auto))),
        &unwritten,
    );

    let mut experiment = Experiment::new(&mut *workload).map_err(Fault::Own)?;
    if !keeps_records && !terminal.draws_pictures() {
        experiment = experiment.without_records();
    }
    if let Some(command) = &typed.study.prepare {
        experiment = experiment.before_each(hook(choose(None).words(), command, &interrupt));
    }
    if let Some(command) = &typed.study.cleanup {
        experiment = experiment.after_each(hook(choose(None).words(), command, &interrupt));
    }
    let mut study = experiment
        .executors(plan.executors)
        .repeats(plan.repeats)
        .warmup(plan.warmup)
        .interrupt(interrupt.clone())
        .observer(&*observer)
        // What cannot be saved now is tried once more at the end, and told then:
        // what was measured is shown all the same.
        .save(Box::new(|study| exports.save(study).or(Ok(()))))
        .command(words.to_vec(), started.elapsed())
        .run()
        .map_err(Fault::Own)?;

    if let Some(reason) = one_way {
        study.remarks.push(format!("parallel only, for {reason}: --compare shows both ways"));
    }
    let shown = match told {
        Told::Text => report(&study, exports, terminal),
        Told::JsonLines | Told::Nagios => told.end(&study, exports, &unwritten),
    };
    shown.map_err(Fault::Own)?;
    if let (Some(trouble), None) = (&study.trouble, interrupt.signal()) {
        return Err(Fault::Own(anyhow::anyhow!("{trouble}")));
    }
    Ok(match interrupt.signal() {
        Some(signal) => End::Signal(signal),
        None => End::Status(told.status(&study, &gates)),
    })
}

/// A hook that runs `command` by `shell`, which is told the way.
pub(super) fn hook<'a>(shell: Vec<OsString>, command: &'a str, interrupt: &'a Interrupt) -> Hook<'a> {
    Box::new(move |way: Way| {
        let stopped = |signal: i32| {
            let why = match signal {
                libc::SIGTTIN | libc::SIGTTOU => "asks for the terminal, which it is not given".to_owned(),
                other => format!("was sent signal {other}"),
            };
            let text = format!("{command:?} has stopped: it {why}; Ctrl-C ends it");
            let _ = writeln!(process::stderr(), "parsim: {}", format::printable(&text));
        };
        let env = [("PARSIM_WAY", OsStr::new(way.name()))];
        process::run_in_shell(&shell, command, &env, interrupt.wake_fd(), &stopped)
    })
}

/// Shows the report and writes what is to be exported.
pub(super) fn report(study: &Study, exports: Exports, terminal: Terminal) -> anyhow::Result<()> {
    let measured = study.found_something();
    let mut shown = Ok(());
    if measured && exports.take_stdout() {
        // With stderr closed there is nobody left to tell.
        let _ = process::stderr().write_all(text::render(study, terminal.err).as_bytes());
    } else if measured {
        shown = Terminal::print(&text::render(study, terminal.out));
    }
    if let Some(Cut { way, finished, tasks, .. }) = &study.cut {
        let of = tasks.map_or_else(String::new, |tasks| format!(" of {tasks}"));
        let _ = writeln!(
            process::stderr(),
            "parsim: interrupted in the {way} run: {finished}{of} tasks had finished"
        );
    }
    // Neither is left out because the other failed.
    let exported = exports.finish(study);
    shown.and(exported)
}
