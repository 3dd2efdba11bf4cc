//! `parsim worker`, which parsim starts by itself: tasks are heard on stdin and
//! records told on stdout; and how it is started.
//!
//! For a batch a worker is handed settings and no words of a command line: words mean
//! more than jobs (inputs, logs, defaults in the environment, warnings), and all of that
//! has been seen to by the time there is a worker. What is left of words are templates,
//! which the one parser reads again.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, IsTerminal as _, Write as _};
use std::os::fd::AsFd as _;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use anyhow::Context as _;

use super::exit::{End, Exit, Fault, refuse};
use super::shell;
use super::signals::{self, JobSignals};
use crate::engine::{Children, PROTOCOL, RunElement, serve, work_in};
use crate::host;
use crate::process::child::{Guard, RunningJobs};
use crate::process::{self, Hup, Interrupt, SignalThread};
use crate::task::{JobPlace, NodeName};
use crate::temporary;
use crate::workload::command::{self, ChosenBy, CommandRunner, Shell};
use crate::workload::{ROWS, Workload};

/// The word by which parsim starts a worker.
pub(super) const NAME: &str = "worker";

/// What is behind it where only the protocol is asked for.
pub(super) const ASKS_PROTOCOL: &str = "--protocol";

/// The jobs that run in this process, once it is told of a batch.
type KnownJobs = OnceLock<&'static RunningJobs>;

/// Does what it is told until nobody tells it any more.
pub(super) fn run(words: &[OsString]) -> Result<End, Fault> {
    if words == [ASKS_PROTOCOL] {
        // Who is about to begin a worker on another machine asks whether that is one.
        writeln!(process::stdout(), "{PROTOCOL}").context("cannot write to standard output")?;
        return Ok(End::Status(Exit::Success.status()));
    }
    if io::stdin().is_terminal() {
        return refuse("parsim starts its workers by itself: see --workers in parsim csv --help");
    }
    // Before there are threads. Without a process for it jobs run all the same.
    let guard = Guard::start().ok();
    // Who started it has looked through the folders.
    temporary::leave_all();
    // A terminal that hangs up tells all of them: whoever started it says what is to end.
    let interrupt = Interrupt::on_signals(Hup::Drains, signals::ASKS)?;
    // What parsim is asked about its progress is not for its workers.
    let (running, _attendant) = attended(&interrupt, signals::ASKS)?;
    // Unbuffered and not held: a thread of the worker's own hears, and whatever
    // else might print would be no message.
    let from = File::from(io::stdin().as_fd().try_clone_to_owned()?);
    let to = File::from(io::stdout().as_fd().try_clone_to_owned()?);
    let build = |name: &str, spec, node: Option<&NodeName>| {
        build(name, spec, node.map_or(JobPlace::Own, JobPlace::Host), &running, guard.clone())
    };
    serve(from, to, &interrupt, &build).context("cannot read what to do from standard input")?;
    if let Some(guard) = guard {
        guard.dismiss();
    }
    // How it ended was asked for by whoever started it.
    Ok(End::Status(Exit::Success.status()))
}

/// Does tasks that it finds in a run directory, until there are none: `--run-dir DIR
/// --run NAME --element N`.
pub(super) fn run_in(words: &[OsString]) -> Result<End, Fault> {
    let [run_dir, root, run, name, element, number] = words else {
        return refuse("parsim starts its workers by itself: see --workers in parsim parallel --help");
    };
    let number = number.to_str().and_then(|number| number.parse().ok());
    let is_so = run_dir == "--run-dir" && run == "--run" && element == "--element";
    let Some(number) = number.filter(|_| is_so) else {
        return refuse("parsim starts its workers by itself: see --workers in parsim parallel --help");
    };
    let guard = Guard::start_with_canary().ok();
    temporary::leave_all();
    let interrupt = Interrupt::on_signals(Hup::Ends, &[])?;
    let (running, _attendant) = attended(&interrupt, &[])?;
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let node = variable("SLURMD_NODENAME").or_else(host::name).unwrap_or_else(|| "a node".to_owned());
    let end = variable("SLURM_JOB_END_TIME").and_then(|end| end.parse().ok());
    let run = name.to_string_lossy().into_owned();
    let element = RunElement { number, run, node: node.clone(), end, guard: guard.clone() };
    let build = |name: &str, spec| build(name, spec, JobPlace::Node(&node), &running, guard.clone());
    work_in(Path::new(root), &element, &interrupt, &build)?;
    if let Some(guard) = guard {
        guard.dismiss();
    }
    Ok(End::Status(Exit::Success.status()))
}

/// Has signals passed on to the jobs that will run here: who is stopped by a terminal stops
/// its jobs first, and who is asked twice to end kills them.
fn attended(interrupt: &Interrupt, more: &[i32]) -> anyhow::Result<(Arc<KnownJobs>, SignalThread)> {
    let caught = signals::catch_beside_jobs(interrupt, more)?;
    let running = Arc::new(KnownJobs::new());
    let (known, mut jobs) = (Arc::clone(&running), JobSignals::new(interrupt));
    let attendant = signals::attend(caught, move |wakeup| {
        jobs.pass_on(wakeup, known.get().copied());
        None
    })?;
    Ok((running, attendant))
}

fn build(
    name: &str,
    spec: serde_json::Value,
    place: JobPlace<'_>,
    running: &KnownJobs,
    guard: Option<Guard>,
) -> anyhow::Result<Box<dyn Workload>> {
    if name == command::WORKLOAD_NAME {
        let runner =
            CommandRunner::from_spec(spec, place, own_shell).context("cannot prepare to run jobs")?;
        // A worker is built once.
        let _ = running.set(runner.running());
        if let Some(guard) = guard {
            runner.running().guard_by(guard);
        }
        return Ok(Box::new(runner));
    }
    let row = ROWS.iter().find(|row| row.name == name);
    let row = row.with_context(|| format!("there is no workload {name:?}"))?;
    (row.from_spec)(spec).with_context(|| format!("cannot build the workload {name:?} again"))
}

/// The shell of this machine for jobs that another had in `theirs`.
fn own_shell(theirs: Shell) -> anyhow::Result<Shell> {
    let asked = (theirs.chosen_by == ChosenBy::User).then_some(&*theirs.program);
    let own = shell::of_jobs(asked, theirs.refused).map_err(|fault| anyhow::anyhow!("{fault}"))?;
    // What was defined there is defined in its words.
    let definitions = theirs.definitions.filter(|_| own.dialect == theirs.dialect).or(own.definitions);
    Ok(Shell { can_be_left_out: own.can_be_left_out && definitions.is_none(), definitions, ..own })
}

/// Workers that are processes of this very program.
pub(super) fn children() -> anyhow::Result<Children> {
    let program = std::env::current_exe().context("cannot find the program itself, to start workers")?;
    Ok(Children::new(program, vec![NAME.into()]))
}
