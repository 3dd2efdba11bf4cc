//! The command line: argv, terminal and exit status are known here and nowhere else,
//! and what the environment means for options. (What jobs inherit, PATH, TMPDIR and the
//! variables of batch systems are read where they are needed: `process`, `temporary`,
//! `host`.)
//!
//! First what was typed (`flags`), then what it means (`plan`), then the work,
//! then the report.

mod batch;
mod cluster;
mod conflicts;
mod exit;
mod exports;
mod flags;
mod hosts;
mod named_hosts;
mod places;
mod plan;
mod report;
mod runs;
mod services;
mod shell;
mod signals;
mod terminal;
mod watch;
mod width;
mod worker;
mod workloads;

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

pub use exit::End;
#[cfg(any(test, feature = "testing"))]
pub use exit::STATUSES;

use self::exit::{Exit, Fault, called_parallel, command_line, told};
use self::flags::help;
use self::terminal::{Terminal, print, say};
use crate::host;
use crate::numbers;
use crate::process::child::ProcessEnd;
use crate::process::{self, end_by, init};
use crate::task::Mode;
use crate::temporary;

/// The program: hands argv on and ends as that says.
pub fn main() -> ExitCode {
    let started = Instant::now();
    let end = match init::stay_behind() {
        // Another process did the work.
        Some(ProcessEnd::Exited(status)) => End::Status(u8::try_from(status).unwrap_or(u8::MAX)),
        Some(ProcessEnd::Signaled { signal, .. }) => End::Signal(signal),
        None => run(&std::env::args_os().collect::<Vec<_>>(), started),
    };
    ExitCode::from(match end {
        End::Status(status) => status,
        // Comes back only where signals do not end the process.
        End::Signal(signal) => end_by(signal),
    })
}

/// Does what `argv` says. `started` is when the process began.
pub fn run(argv: &[OsString], started: Instant) -> End {
    process::make_use_of_limits();
    let outcome = std::panic::catch_unwind(|| match called_parallel(argv) {
        Some(words) => batch::run(Mode::Parallel, words, &command_line(argv), started),
        None => dispatch(argv, started),
    });
    tell_of_temporaries();
    let fault = match outcome {
        Ok(Ok(end)) => return end,
        Ok(Err(fault)) => fault,
        // The panic's own message is on stderr already.
        Err(_) => Fault::Own(anyhow::anyhow!("a bug in parsim: please report the message above")),
    };
    if let Some(end) = services::unknown(argv, &fault) {
        return end;
    }
    say(&told(argv, &fault));
    End::Status(Exit::Fault.status())
}

/// Says what was not removed, for it may be in use on another machine.
fn tell_of_temporaries() {
    let Some((folder, count)) = temporary::left_to_others() else { return };
    let files = numbers::plural(count, "temporary file");
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { &folder };
    say(&format!(
        "{files} of other hosts in {} left untouched: remove them when no parsim writes there",
        folder.display()
    ));
}

fn dispatch(argv: &[OsString], started: Instant) -> Result<End, Fault> {
    let [_, name, words @ ..] = argv else { return print(flags::BARE) };
    let line = || command_line(argv);
    // Parsim's own: nobody types it, and no help tells of it.
    if name == worker::NAME {
        let is_linked = words.is_empty() || words == [worker::ASKS_PROTOCOL];
        return if is_linked { worker::run(words) } else { worker::run_in(words) };
    }
    if name == "help"
        && let Some(text) = words.first().and_then(|topic| help::topic(topic))
    {
        return print(&text);
    }
    if let Some(mode) = [Mode::Serial, Mode::Parallel].into_iter().find(|mode| name == mode.name()) {
        return match batch::exercise(words) {
            Some(typed) => {
                Terminal::has_stdout().map_err(Fault::usage)?;
                workloads::run_exercise(mode, typed, &line(), started)
            }
            None => batch::run(mode, words, &line(), started),
        };
    }
    if name == hosts::NAME {
        return hosts::run(words);
    }
    if name == "compare" {
        return batch::compare(words, &line(), started);
    }
    let matches = match flags::command().try_get_matches_from(argv) {
        Ok(matches) => matches,
        Err(error) if error.use_stderr() => return Err(Fault::Usage(flags::one_line(&error, argv))),
        Err(help) => return print(&terminal::help(&help)),
    };
    let (name, matches) = matches.subcommand().expect("clap asks for a subcommand");
    let runs_something = !["cpus", "completions", "man", "cancel"].contains(&name);
    if runs_something {
        Terminal::has_stdout().map_err(Fault::usage)?;
    }
    match name {
        "completions" => flags::completions(matches),
        "cpus" => cpus(),
        "man" => flags::man(matches),
        "report" => report::run(matches),
        "status" => runs::status(matches),
        "resume" => runs::resume(matches, &line(), started),
        "cancel" => runs::cancel(matches),
        _ => workloads::run(name, matches, &line(), started),
    }
}

fn cpus() -> Result<End, Fault> {
    let rows = host::cores_table();
    let width = rows.iter().map(|(label, _)| label.len()).max().unwrap_or(0);
    let text: String = rows.iter().map(|(label, value)| format!("{label:width$}  {value}\n")).collect();
    print(&text)
}
