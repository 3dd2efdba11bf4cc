//! The workload subcommands: from a workload and its options to the report.

use std::io::Write as _;
use std::sync::OnceLock;
use std::time::Instant;

use clap::{ArgMatches, FromArgMatches as _};

use super::args::{Shared, Ways};
use super::exit::{End, Fault};
use super::exports::Exports;
use super::gates;
use super::plan::{Plan, RunModes};
use super::services::Told;
use super::setup::{HookCommands, Setup};
use super::shell::choose;
use super::term::Terminal;
use crate::host::Limits;
use crate::process::{self, Hup, Interrupt};
use crate::progress;
use crate::report::text;
use crate::study::{Cut, Study};
use crate::workload::{Sharing, Workload};

/// Runs the workload that `build` makes as its subcommand's options say.
pub(super) fn run(
    build: impl FnOnce(Sharing) -> anyhow::Result<Box<dyn Workload>>,
    matches: &ArgMatches,
    words: &[String],
    started: Instant,
) -> Result<End, Fault> {
    let ways = Ways::from_arg_matches(matches).map_err(|error| Fault::Usage(error.to_string()))?;
    let all_share = ways.workers.engines().all(|engine| engine.shares_memory);
    let sharing = if all_share { Sharing::Memory } else { Sharing::Nothing };
    let workload = build(sharing).map_err(|error| Fault::usage(&error))?;
    run_ways(workload, matches, &ways, words, started)
}

/// The same with the ways already chosen.
pub(super) fn run_ways(
    mut workload: Box<dyn Workload>,
    matches: &ArgMatches,
    ways: &Ways,
    words: &[String],
    started: Instant,
) -> Result<End, Fault> {
    let shared = Shared::from_arg_matches(matches).map_err(|error| Fault::Usage(error.to_string()))?;
    let terminal = Terminal::look(&shared.color, &shared.progress).drawing(shared.drawn);
    let wanted = RunModes::of(ways, &*workload);
    let gates = gates::asked(matches);
    let told = Told::of(matches);
    told.check_gates(&gates)?;
    let one_way = RunModes::reason(ways, &*workload);
    gates::check(&gates, wanted, one_way)?;
    let plan = Plan::new(&*workload, Limits::detect().usable, wanted, ways, &shared)?;
    // Before there is anything that a signal could leave behind.
    let interrupt = Interrupt::on_signals(Hup::Ends, &[]).map_err(Fault::Own)?;
    let mut exports = Exports::open(matches)?;
    told.check(&exports)?;
    let is_external = workload.profile().external;
    let unwritten = OnceLock::new();
    let observer = told.observer(progress::observer(terminal.progress), &unwritten);

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
        prepare: ways.prepare.as_deref(),
        cleanup: ways.cleanup.as_deref(),
        shell: choose(None).words(),
    };
    let experiment = hooks.around(experiment, &interrupt).repeats(plan.repeats).warmup(plan.warmup);
    let mut study = experiment.run().map_err(Fault::Own)?;

    if let Some(reason) = one_way {
        study.remarks.push(format!("parallel only, for {reason}: --compare shows both ways"));
    }
    let shown = match told {
        Told::Text => report(&study, exports, terminal),
        Told::JsonLines | Told::Nagios => told.end(&study, exports, &unwritten),
    };
    shown.map_err(Fault::Own)?;
    end(&study, &interrupt, || told.status(&study, &gates))
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
