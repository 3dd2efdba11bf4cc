//! The command line: argv, environment, terminal and exit status are known
//! here and nowhere else.
//!
//! First what was typed (`args`), then what it means (`plan`), then the work,
//! then the report. Nothing below this floor reads argv or the environment.

mod args;
mod bare_command;
mod batch;
mod completions;
mod exit;
mod exports;
mod gates;
mod help;
mod jobs;
mod leftovers;
mod man;
mod option_docs;
mod output_path;
mod plan;
mod report;
mod services;
mod shell;
mod streams;
mod term;
mod usage_error;
mod worker;
mod workloads;

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use clap::ArgMatches;

pub use exit::{End, STATUSES};

use self::exit::{Exit, Fault};
use self::term::Terminal;
use crate::format;
use crate::host::Cores;
use crate::process::{self, end_by, init};
use crate::task::Way;
use crate::temporary;

/// The program: hands argv on and ends as that says.
#[must_use]
pub fn main() -> ExitCode {
    let started = Instant::now();
    let end = match init::stay_behind() {
        // Another process did the work.
        Some(init::Ended::Exited(status)) => End::Status(status),
        Some(init::Ended::Signaled(signal)) => End::Signal(signal),
        None => run(&std::env::args_os().collect::<Vec<_>>(), started),
    };
    ExitCode::from(match end {
        End::Status(status) => status,
        // Comes back only where signals do not end the process.
        End::Signal(signal) => end_by(signal),
    })
}

/// Does what `argv` says. `started` is when the process began.
#[must_use]
pub fn run(argv: &[OsString], started: Instant) -> End {
    process::make_use_of_limits();
    let outcome = std::panic::catch_unwind(|| match called_parallel(argv) {
        Some(words) => batch::run(Way::Parallel, words, &command_line(argv), started),
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
    // With stderr closed there is nobody left to tell.
    let _ = writeln!(process::stderr(), "parsim: {}", told(argv, &fault));
    End::Status(Exit::Fault.status())
}

/// Says what was not removed, for it may be in use on another machine.
fn tell_of_temporaries() {
    let Some((folder, count)) = temporary::left_to_others() else { return };
    let (files, folder) = (format::plural(count, "temporary file"), folder.display().to_string());
    // With stderr closed there is nobody left to tell.
    let _ = writeln!(
        process::stderr(),
        "parsim: {files} of other hosts in {} left untouched: remove them when no parsim writes there",
        format::printable(if folder.is_empty() { "." } else { &folder })
    );
}

/// What is wrong, and where a limit is the reason, which.
fn with_limit(fault: &Fault) -> String {
    let text = fault.to_string();
    let Fault::Own(error) = fault else { return text };
    let system = error.chain().find_map(|cause| cause.downcast_ref::<io::Error>());
    match system.and_then(io::Error::raw_os_error) {
        Some(libc::EMFILE | libc::ENFILE) if !text.contains("ulimit") => {
            format!("{text}: raise the limit (ulimit -n)")
        }
        Some(libc::EAGAIN) if !text.contains("ulimit") => {
            format!("{text}: raise the limit of processes (ulimit -u), or of memory (ulimit -v)")
        }
        _ => text,
    }
}

/// What follows the name of a program that goes by `parallel`: always a batch, for
/// scripts know of no exercises.
fn called_parallel(argv: &[OsString]) -> Option<&[OsString]> {
    let (program, words) = argv.split_first()?;
    (Path::new(program).file_name()? == Way::Parallel.name()).then_some(words)
}

fn dispatch(argv: &[OsString], started: Instant) -> Result<End, Fault> {
    if argv.len() <= 1 {
        return print(args::BARE);
    }
    // Parsim's own: nobody types it, and no help tells of it.
    if argv[1] == worker::NAME && argv.len() == 2 {
        return worker::run();
    }
    if argv[1] == "help"
        && let Some(text) = argv.get(2).and_then(|topic| help::topic(topic))
    {
        return print(&text);
    }
    if argv[1] == "help" && argv.get(2).is_some_and(|name| name == "compare") {
        return print(batch::COMPARE_HELP);
    }
    if let Some(way) = [Way::Serial, Way::Parallel].into_iter().find(|way| argv[1] == way.name()) {
        let words = &argv[2..];
        if batch::is_meant(words) {
            return batch::run(way, words, &command_line(argv), started);
        }
    }
    if argv[1] == "compare" {
        return match &argv[2..] {
            [only] if only == "--help" || only == "-h" => print(batch::COMPARE_HELP),
            words => batch::compare(words, &command_line(argv), started),
        };
    }
    let matches = match args::command().try_get_matches_from(argv) {
        Ok(matches) => matches,
        Err(error) if error.use_stderr() => return Err(Fault::Usage(usage_error::one_line(&error, argv))),
        Err(help) => return print(&term::help(&help)),
    };
    let (name, matches) = matches.subcommand().expect("clap asks for a subcommand");
    let runs_something = !["cpus", "completions", "man"].contains(&name);
    if runs_something {
        Terminal::has_stdout().map_err(|error| Fault::usage(&error))?;
    }
    match name {
        "completions" => completions::run(matches),
        "cpus" => cpus(),
        "man" => man::run(matches),
        "report" => report::run(matches),
        "serial" | "parallel" => bare_command::run(name, matches, &command_line(argv), started),
        _ => workload(name, matches, &command_line(argv), started),
    }
}

fn workload(name: &str, matches: &ArgMatches, words: &[String], started: Instant) -> Result<End, Fault> {
    let row = crate::workload::ROWS
        .iter()
        .find(|row| row.name == name)
        .expect("every other subcommand is a row of the table of workloads");
    let look = |name: &str| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned());
    let build = |sharing| (row.from_matches)(matches, &look, sharing);
    workloads::run(build, matches, words, started)
}

fn cpus() -> Result<End, Fault> {
    let rows = Cores::detect().rows();
    let width = rows.iter().map(|(label, _)| label.len()).max().unwrap_or(0);
    let text: String = rows.iter().map(|(label, value)| format!("{label:width$}  {value}\n")).collect();
    print(&text)
}

/// Puts `text` on stdout; that nobody reads on is no error.
fn print(text: &str) -> Result<End, Fault> {
    Terminal::print(text).map_err(Fault::Own)?;
    Ok(End::Status(Exit::Success.status()))
}

/// The command line as a person would type it again.
fn command_line(argv: &[OsString]) -> Vec<String> {
    let hide = if names_urls(argv) { format::without_login } else { format::without_passwords };
    let words = argv.iter().skip(1).map(|word| hide(&word.to_string_lossy()));
    std::iter::once("parsim".to_owned()).chain(words).collect()
}

/// `fault` in words that may be shown: what was typed is quoted in it.
fn told(argv: &[OsString], fault: &Fault) -> String {
    let mut text = format::without_numbers(&with_limit(fault));
    if names_urls(argv) {
        for word in argv.iter().skip(1).map(|word| word.to_string_lossy()) {
            // The whole of it, blanks and all; and what `--option=` has behind it.
            for quoted in [&*word, word.split_once('=').map_or("", |(_, value)| value)] {
                let hidden = format::without_login(quoted);
                if hidden != quoted {
                    text = text.replace(quoted, &hidden);
                }
            }
        }
        text = format::without_logins(&text);
    }
    let safe = format::printable(&format::without_passwords(&text));
    format::with_short_words(&safe)
}

/// Whether the words name services, so that what has a login is a URL and no command.
fn names_urls(argv: &[OsString]) -> bool {
    called_parallel(argv).is_none() && argv.get(1).is_some_and(|word| word == "tap" || word == "tap-check")
}
