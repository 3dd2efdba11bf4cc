//! `parsim status`, `resume` and `cancel`: runs that workers do elsewhere, by their
//! directories.

use std::path::Path;
use std::time::Instant;

use clap::{ArgMatches, FromArgMatches as _};

use super::batch;
use super::exit::{End, Exit, Fault, refuse};
use super::flags::{ResumedRun, RunFolder};
use super::terminal::{print, say};
use crate::engine::{RunStatus, StoredRun};
use crate::numbers::{count, plural};

/// Tells how far the run is.
pub(super) fn status(matches: &ArgMatches) -> Result<End, Fault> {
    let RunStatus { tasks, is_all, handed_on, recorded, failed, elements, workers, silence } =
        opened(&place(matches)?)?.status()?;
    let more = if is_all { "" } else { " so far" };
    let mut text = format!(
        "jobs      {} of {}{more} done, {} failed, {} shown\n",
        count(recorded),
        count(tasks),
        count(failed),
        count(handed_on)
    );
    let list = |names: Vec<String>| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    let elements = elements.into_iter().map(|(life, number)| format!("{number} {life}")).collect();
    text += &format!("workers   {}\n", list(elements));
    if let Some(silence) = silence {
        text += &format!("          the batch system does not answer: {silence}\n");
    }
    let on = |(node, number): (String, u32)| if number == 1 { node } else { format!("{node} ({number})") };
    text += &format!("nodes     {}\n", list(workers.into_iter().map(on).collect()));
    print(&text)
}

/// Ends the workers of the run.
pub(super) fn cancel(matches: &ArgMatches) -> Result<End, Fault> {
    let stored = opened(&place(matches)?)?;
    let ended = plural(stored.cancel()?.into(), "worker");
    say(&format!("ended {ended}; go on with: parsim resume {}", stored.root().display()));
    Ok(End::Status(Exit::Success.status()))
}

/// Goes on with the run.
pub(super) fn resume(matches: &ArgMatches, line: &[String], started: Instant) -> Result<End, Fault> {
    let ResumedRun { directory, from_start } = ResumedRun::from_arg_matches(matches).map_err(Fault::usage)?;
    let stored = opened(&RunFolder { directory })?;
    if stored.words().is_none() {
        return refuse("only a run of parsim parallel can be resumed: run this one again");
    }
    let stored = if from_start { stored.from_start() } else { stored };
    // What was typed means what it meant there.
    std::env::set_current_dir(stored.directory())?;
    batch::resume(stored, line, started)
}

fn place(matches: &ArgMatches) -> Result<RunFolder, Fault> {
    RunFolder::from_arg_matches(matches).map_err(Fault::usage)
}

fn opened(RunFolder { directory }: &RunFolder) -> Result<StoredRun, Fault> {
    StoredRun::open(Path::new(directory)).map_err(Fault::usage)
}
