//! The workload subcommands: from a workload and its options to the report.

use std::io::Write as _;
use std::sync::OnceLock;
use std::time::Instant;

use clap::{ArgMatches, FromArgMatches as _};

use super::exit::{End, Fault};
use super::exports::Exports;
use super::flags::{Typed, Ways, When, output_format, shared_of};
use super::gates::{self, gates};
use super::plan::{Plan, RunModes};
use super::services;
use super::setup::{HookCommands, Setup};
use super::shell::choose;
use super::terminal::{self, Terminal};
use crate::host::Limits;
use crate::process::{self, Hup, Interrupt};
use crate::progress;
use crate::report::text;
use crate::study::{Cut, Study};
use crate::workload::{DefaultModes, OutputFormat, Sharing, Workload};

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
    run_ways(workload, &typed, &ways, output_format(matches), words, started)
}

/// The same with the ways already chosen.
pub(super) fn run_ways(
    mut workload: Box<dyn Workload>,
    typed: &Typed,
    ways: &Ways,
    format: OutputFormat,
    words: &[String],
    started: Instant,
) -> Result<End, Fault> {
    let terminal = Terminal::of(typed);
    let usual = match format {
        OutputFormat::Text => workload.profile().default_modes,
        OutputFormat::JsonLines | OutputFormat::Nagios => DefaultModes::ParallelFor("a machine reads it"),
    };
    let wanted = RunModes::of(ways, usual);
    let gates = gates(&typed.study);
    services::check_gates(format, &gates)?;
    let one_way = RunModes::reason(ways, usual);
    gates::check(&gates, wanted, one_way)?;
    let plan = Plan::new(&*workload, Limits::detect().usable, wanted, typed)?;
    // Before there is anything that a signal could leave behind.
    let interrupt = Interrupt::on_signals(Hup::Ends, &[])?;
    let mut exports = Exports::open(&typed.output.exports)?;
    services::check_stdout(format, &exports)?;
    let is_external = workload.profile().external;
    let unwritten = OnceLock::new();
    let progress = progress::observer(terminal::progress(typed.output.progress.unwrap_or(When::Auto)));
    let observer = services::observer(format, progress, &unwritten);

    let experiment = Setup {
        workload: &mut *workload,
        engines: plan.engines,
        keeps_records: terminal.draws_pictures() || is_external,
        exports: &mut exports,
        interrupt: &interrupt,
        observer: &*observer,
        line: words,
        started,
    }
    .experiment()?;
    let hooks = HookCommands {
        prepare: typed.study.prepare.as_deref(),
        cleanup: typed.study.cleanup.as_deref(),
        shell: choose(None).words(),
    };
    let experiment = hooks.around(experiment, &interrupt).repeats(plan.repeats).warmup(plan.warmup);
    let mut study = experiment.run()?;

    if let Some(reason) = one_way {
        study.remarks.push(format!("parallel only, for {reason}: --compare shows both ways"));
    }
    let shown = match format {
        OutputFormat::Text => report(&study, exports, terminal),
        OutputFormat::JsonLines | OutputFormat::Nagios => services::end(format, &study, exports, &unwritten),
    };
    shown?;
    end(&study, &interrupt, || services::status(format, &study, &gates))
}

/// How a run that was told of ends: by the signal that cut it short, with what ended it
/// before its time, or else with `status`.
pub(super) fn end(study: &Study, interrupt: &Interrupt, status: impl FnOnce() -> u8) -> Result<End, Fault> {
    match (interrupt.signal(), &study.trouble) {
        (Some(signal), _) => Ok(End::Signal(signal)),
        (None, Some(trouble)) => Err(Fault::Own(anyhow::anyhow!("{trouble}"))),
        (None, None) => Ok(End::Status(status())),
    }
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
