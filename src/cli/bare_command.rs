//! `parsim serial` and `parsim parallel` with nothing to run: the notebook's
//! pair of functions, sleep-and-increment.

use std::io::{self, IsTerminal as _, Write as _};
use std::path::Path;
use std::time::Instant;

use super::exit::{End, Fault};
use super::files::identity;
use super::flags::{Typed, Ways};
use super::workloads;
use crate::process;
use crate::task::Mode;
use crate::workload::sleep::{Sleep, SleepOptions};
use crate::workload::{OutputFormat, ROWS};

/// Runs the pair one way, or says what was perhaps meant.
pub(super) fn run(mode: Mode, typed: &Typed, words: &[String], started: Instant) -> Result<End, Fault> {
    let _ = writeln!(
        process::stderr(),
        "parsim: nothing to run was given, so this is the exercise `parsim sleep --{mode}`"
    );
    let ways = Ways { serial: mode == Mode::Serial, parallel: mode == Mode::Parallel, ..Ways::default() };
    let sleep = Sleep::new(SleepOptions::default()).map_err(|error| Fault::usage(&error))?;
    workloads::run_ways(Box::new(sleep), typed, &ways, OutputFormat::Text, &as_sleep(words, mode), started)
}

/// The line that does the same, so that the report's hint is true.
fn as_sleep(words: &[String], mode: Mode) -> Vec<String> {
    let rest = words.iter().skip(2).cloned();
    ["parsim".to_owned(), "sleep".to_owned(), format!("--{mode}")].into_iter().chain(rest).collect()
}

/// What was perhaps meant by a workload's name as the command.
pub(super) fn workload_hint(mode: Mode, first: &str) -> Option<String> {
    let row = ROWS.iter().find(|row| row.name == first || row.alias == Some(first))?;
    // A program of this name is what was asked for.
    let path = std::env::var_os("PATH").unwrap_or_default();
    let is_program = std::env::split_paths(&path).any(|folder| folder.join(first).is_file());
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
