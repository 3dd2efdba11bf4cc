//! The workload subcommands: from a workload and its options to the report; and what
//! stands where a batch has nothing to run.

use std::env;
use std::io::{self, IsTerminal as _};
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use clap::{ArgMatches, FromArgMatches as _};

use super::cluster;
use super::conflicts;
use super::exit::{End, Fault, all_of, refuse};
use super::exports::{Exports, ResultsGo};
use super::flags::{Typed, WatchOptions, Ways, When, output_format, shared_of, watch_options};
use super::named_hosts::NamedHosts;
use super::places::{check_apart, of_exports};
use super::plan::{Plan, RunModes, Setup, check_gates, gates};
use super::services;
use super::signals;
use super::terminal::{self, Terminal, say};
use super::watch::{self, Watch};
use crate::engine::WorkerChoice;
use crate::host::Limits;
use crate::numbers::{count, plural};
use crate::process::{Hup, Interrupt};
use crate::progress::{ProgressDisplay, RunProgress};
use crate::report::text;
use crate::study::{Cut, Study};
use crate::task::{Column, Mode};
use crate::whole_file::identity;
use crate::workload::sleep::{Sleep, SleepOptions};
use crate::workload::{DefaultModes, Outlet, OutputFormat, ROWS, Sharing, Workload};

/// Runs the workload called `name` as its subcommand's options say.
pub(super) fn run(
    name: &str,
    matches: &ArgMatches,
    words: &[String],
    started: Instant,
) -> Result<End, Fault> {
    let row = ROWS.iter().find(|row| row.name == name).expect("every other subcommand is a workload");
    let look = |name: &str| env::var_os(name).map(|value| value.to_string_lossy().into_owned());
    let ways = Ways::from_arg_matches(matches).map_err(Fault::usage)?;
    let mut typed = shared_of(matches);
    conflicts::check_pairs(&typed)?;
    let hosts = NamedHosts::of(&mut typed)?;
    let all_share = typed.run.workers.engines().all(|engine| engine.shares_memory);
    let sharing = match (hosts.is_empty(), all_share) {
        (true, true) => Sharing::Memory,
        (true, false) => Sharing::Machine,
        (false, _) => Sharing::Nothing,
    };
    let workload = (row.from_matches)(matches, &look, sharing).map_err(Fault::usage)?;
    let watch = watch_options(row, matches).map_err(Fault::usage)?;
    cluster::check_tasks(&typed)?;
    check_that_files_stay_here(&*workload, &hosts)?;
    if let (Some(host), Some(WorkerChoice::Python3)) = (hosts.first_other(), &typed.run.ssh_worker) {
        return refuse(format!(
            "--ssh-worker python3 runs commands only (parsim parallel, parsim compare): {name} needs a parsim on {host}"
        ));
    }
    let telling = Telling { format: output_format(matches), watch };
    run_ways(workload, &typed, &ways, hosts, telling, words, started)
}

/// How what services were found to be is told, and what is kept of it.
#[derive(Default)]
pub(super) struct Telling {
    format: OutputFormat,
    watch: WatchOptions,
}

/// Refuses hosts where what a run leaves would stay there.
fn check_that_files_stay_here(workload: &dyn Workload, hosts: &NamedHosts) -> Result<(), Fault> {
    let Some(host) = hosts.first_other() else { return Ok(()) };
    let name = workload.name();
    match workload.results().and_then(|results| results.location(&Column::PARALLEL)) {
        None => Ok(()),
        Some(place) => refuse(format!(
            "{name} writes its files where it runs, so {place} would stay on {host}: leave -S out, or fetch what jobs write there with parsim parallel -S {host} --return FILE"
        )),
    }
}

/// The same with the ways already chosen.
fn run_ways(
    mut workload: Box<dyn Workload>,
    typed: &Typed,
    ways: &Ways,
    hosts: NamedHosts,
    Telling { format, watch }: Telling,
    words: &[String],
    started: Instant,
) -> Result<End, Fault> {
    let terminal = Terminal::of(typed);
    let usual = match format {
        OutputFormat::Text => workload.profile().default_modes,
        OutputFormat::JsonLines | OutputFormat::Nagios => {
            DefaultModes::ParallelFor("a program reads this format")
        }
    };
    let (wanted, one_way) = RunModes::of(ways, usual);
    let gates = gates(&typed.study);
    services::check_gates(format, &gates)?;
    check_gates(&gates, wanted, one_way)?;
    let plan = Plan::new(&*workload, Limits::detect().usable, wanted, typed, hosts)?;
    // Before there is anything that a signal could leave behind.
    let interrupt = Interrupt::on_signals(Hup::Ends, &[])?;
    let interrupted = |fault| interrupt.signal().map(End::Signal).ok_or(fault);
    let places = workload.outlet().map(Outlet::places).unwrap_or_default();
    check_apart(of_exports(&typed.output.exports).chain(watch::places(&watch)).chain(places))?;
    let mut exports = match Exports::open(&typed.output.exports, &|time| interrupt.sleep(time)) {
        Ok(exports) => exports,
        Err(fault) => return interrupted(fault),
    };
    if format != OutputFormat::Text && exports.take_stdout() {
        return refuse("stdout is taken by --format: export to a file");
    }
    let is_free = format == OutputFormat::Text && !exports.take_stdout();
    let is_terminal = io::stdout().is_terminal();
    let claim = |outlet: &dyn Outlet| outlet.claim_stdout(is_free, is_terminal).map_err(Fault::usage);
    let takes_stdout = workload.outlet().map_or(Ok(false), claim)?;
    let results = if takes_stdout { ResultsGo::ToStdout } else { ResultsGo::Elsewhere };
    // Nothing that may be refused follows: what is opened now may be made now.
    let watch = match Watch::open(watch, &interrupt) {
        Ok(watch) => watch,
        Err(error) => return interrupted(error.into()),
    };
    let is_external = workload.profile().external;
    let unwritten = OnceLock::new();
    let show = terminal::progress(typed.output.progress.unwrap_or(When::Auto));
    let display = Arc::new(ProgressDisplay::new(Arc::default(), show, true));
    let attends = || signals::attend_beside(signals::catch_stops()?, None, &display, &interrupt);
    let _attendant = display.is_drawn().then(attends).transpose()?;
    let progress = Box::new(RunProgress::on(Arc::clone(&display)));
    let observer = services::observer(format, progress, &unwritten);
    let setup = Setup {
        workload: &mut *workload,
        engines: plan.engines,
        keeps_records: terminal.draws_pictures() || is_external,
        exports: &mut exports,
        interrupt: &interrupt,
        observer: &*observer,
        typed,
        line: words,
        started,
    };
    let mut study = setup.experiment()?.repeats(plan.repeats).warmup(plan.warmup).run()?;
    if let Some(reason) = one_way {
        study.remarks.push(format!("ran in parallel only, because {reason}; --compare shows both ways"));
    }
    let kept = watch.keep(&mut study);
    let told = match format {
        OutputFormat::Text => report(&study, exports, terminal, results),
        OutputFormat::JsonLines | OutputFormat::Nagios => services::tell(format, &study, exports, &unwritten),
    };
    let handed_on = watch.tell(&study, &interrupt);
    all_of(kept.into_iter().chain([told, handed_on]))?;
    end(&study, &interrupt, || services::status(format, &study, &gates))
}

/// Runs the notebook's pair of functions, sleep-and-increment, one way: what `parsim
/// serial` and `parsim parallel` do with nothing to run.
pub(super) fn run_exercise(
    mode: Mode,
    mut typed: Typed,
    words: &[String],
    started: Instant,
) -> Result<End, Fault> {
    let hosts = NamedHosts::of(&mut typed)?;
    say(&format!("nothing to run was given, so this is the exercise `parsim sleep --{mode}`"));
    let ways = Ways { serial: mode == Mode::Serial, parallel: mode == Mode::Parallel, ..Ways::default() };
    let sleep = Sleep::new(SleepOptions::default()).map_err(Fault::usage)?;
    // The line that does the same, so that the report's hint is true.
    let same = ["parsim".to_owned(), "sleep".to_owned(), format!("--{mode}")];
    let words: Vec<String> = same.into_iter().chain(words.iter().skip(2).cloned()).collect();
    run_ways(Box::new(sleep), &typed, &ways, hosts, Telling::default(), &words, started)
}

/// What was perhaps meant by a workload's name as the command.
pub(super) fn workload_hint(mode: Mode, first: &str) -> Option<String> {
    let row = ROWS.iter().find(|row| row.is_called(first))?;
    // A program of this name is what was asked for.
    let path = env::var_os("PATH").unwrap_or_default();
    let is_program = env::split_paths(&path).any(|folder| folder.join(first).is_file());
    (!is_program && row.name != "sleep").then(|| format!("{first} is a workload: parsim {first} --{mode}"))
}

/// Whether stdin is a terminal or /dev/null, where nobody left anything to read.
pub(super) fn stdin_offers_nothing() -> bool {
    if io::stdin().is_terminal() {
        return true;
    }
    let stdin = identity(Path::new("/dev/stdin"));
    stdin.is_some() && stdin == identity(Path::new("/dev/null"))
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
pub(super) fn report(
    study: &Study,
    exports: Exports,
    terminal: Terminal,
    results: ResultsGo,
) -> anyhow::Result<()> {
    let measured = study.found_something();
    let shown = if measured {
        exports.show_beside(results, terminal, |look| text::render(study, look))
    } else {
        Ok(())
    };
    if let Some(Cut { way, finished, tasks, .. }) = &study.cut {
        let done = match tasks {
            Some(tasks) => format!("{} of {}", count(*finished), plural(*tasks, "task")),
            None => plural(*finished, "task"),
        };
        say(&format!("interrupted in the {way} run: {done} had finished"));
    }
    all_of([shown, exports.finish(study)])
}
