//! `parsim worker`, which parsim starts by itself: tasks are heard on stdin and
//! records told on stdout; and how it is started.

use std::io::{self, IsTerminal as _};
use std::os::fd::AsFd as _;

use anyhow::Context as _;

use super::batch::WorkerSignals;
use super::exit::{End, Exit, Fault};
use crate::engine::{Children, serve};
use crate::process::{Hup, Interrupt};
use crate::temporary;
use crate::workload::{ROWS, Workload, command};

/// The word by which parsim starts a worker.
pub(super) const NAME: &str = "worker";

/// Does what it is told until nobody tells it any more.
pub(super) fn run() -> Result<End, Fault> {
    if io::stdin().is_terminal() {
        let text = "parsim starts its workers by itself: see --workers in parsim csv --help";
        return Err(Fault::Usage(text.to_owned()));
    }
    // Who started it has looked through the folders.
    temporary::leave_all();
    // A terminal that hangs up tells all of them: whoever started it says what is to end.
    let interrupt = Interrupt::on_signals(Hup::Drains, WorkerSignals::OTHERS)?;
    let signals = WorkerSignals::catch(&interrupt)?;
    // Unbuffered and not held: a thread of the worker's own hears, and whatever
    // else might print would be no message.
    let streams =
        (|| Ok((io::stdin().as_fd().try_clone_to_owned()?, io::stdout().as_fd().try_clone_to_owned()?)))();
    let (from, to) = streams.map_err(|error: io::Error| Fault::Own(error.into()))?;
    serve(std::fs::File::from(from), std::fs::File::from(to), &interrupt, &|name, spec| {
        build(name, spec, &signals)
    })
    .map_err(|error| Fault::Own(anyhow::Error::new(error).context("hear what is to be done")))?;
    // How it ended was asked for by whoever started it.
    Ok(End::Status(Exit::Success.status()))
}

fn build(
    name: &str,
    blueprint: serde_json::Value,
    signals: &WorkerSignals,
) -> anyhow::Result<Box<dyn Workload>> {
    if name == command::WORKLOAD_NAME {
        return signals.rebuild(blueprint).context("prepare to run jobs");
    }
    let row = ROWS.iter().find(|row| row.name == name);
    let row = row.with_context(|| format!("there is no workload {name:?}"))?;
    (row.from_spec)(blueprint).with_context(|| format!("build the workload {name:?} again"))
}

/// Workers that are processes of this very program.
pub(super) fn children() -> anyhow::Result<Children> {
    let program = std::env::current_exe().context("find the program itself, to start workers")?;
    Ok(Children::new(program, vec![NAME.into()]))
}
