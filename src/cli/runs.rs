//! `parsim status`, `resume` and `cancel`: runs that workers do elsewhere, by their
//! directories.

use std::ffi::OsString;
use std::path::Path;
use std::time::Instant;

use super::batch;
use super::exit::{End, Exit, Fault, refuse};
use super::terminal::{print, say};
use crate::engine::{RunStatus, StoredRun};
use crate::numbers::{count, plural};

/// The subcommands.
pub(super) const WORDS: [&str; 3] = ["status", "resume", "cancel"];

/// What handing on again begins with.
const FROM_START: &str = "--from-start";

/// Does what `what` says with the run that `words` name.
pub(super) fn run(what: &str, words: &[OsString], line: &[String], started: Instant) -> Result<End, Fault> {
    let wants_help = words.iter().any(|word| ["-h", "--help"].iter().any(|help| word == help));
    if wants_help {
        return print(include_str!("flags/text/slurm.txt"));
    }
    let (options, places): (Vec<_>, Vec<_>) =
        words.iter().partition(|word| word.as_encoded_bytes().starts_with(b"-"));
    if let Some(option) = options.iter().find(|option| what != "resume" || **option != FROM_START) {
        return refuse(format!("parsim {what} has no option {}: see parsim help slurm", option.display()));
    }
    let [place] = places[..] else {
        return refuse(format!("give one run directory: parsim {what} DIR"));
    };
    let stored = StoredRun::open(Path::new(place)).map_err(Fault::usage)?;
    match what {
        "status" => status(&stored),
        "cancel" => {
            let elements = stored.cancel()?;
            say(&format!(
                "ended {}; go on with: parsim resume {}",
                plural(elements.into(), "worker"),
                stored.root().display()
            ));
            Ok(End::Status(Exit::Success.status()))
        }
        _ => {
            if stored.words().is_none() {
                return refuse("only a run of parsim parallel can be resumed: run this one again");
            }
            let stored = if options.is_empty() { stored } else { stored.from_start() };
            std::env::set_current_dir(stored.directory())?;
            batch::resume(stored, line, started)
        }
    }
}

fn status(stored: &StoredRun) -> Result<End, Fault> {
    let RunStatus { tasks, is_all, handed_on, recorded, failed, elements, workers, silence } =
        stored.status()?;
    let more = if is_all { "" } else { " so far" };
    let mut text = format!(
        "jobs      {} of {}{more} done, {failed} failed, {} shown\n",
        count(recorded),
        count(tasks),
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
