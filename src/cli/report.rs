//! `parsim report`: a saved study drawn again, in any format, here or elsewhere.
//!
//! Asks this machine nothing but how its terminal looks.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;

use anyhow::{Context as _, ensure};
use clap::{ArgMatches, FromArgMatches as _};

use super::args::Drawing;
use super::exit::{End, Exit, Fault};
use super::exports::Exports;
use super::term::Terminal;
use crate::report::{json, text};
use crate::study::Study;

/// Draws the study that the command line names. What it says of its tasks is
/// not this command's status: drawing is what was asked for.
pub(super) fn run(matches: &ArgMatches) -> Result<End, Fault> {
    let drawing = Drawing::from_arg_matches(matches).map_err(|error| Fault::Usage(error.to_string()))?;
    let terminal = Terminal::look(&drawing.color, "never");
    // The study first: a target may be the file itself.
    let study = read(&drawing.study).map_err(Fault::Own)?;
    let exports = Exports::open(matches).map_err(Fault::Own)?;
    let shown = if exports.take_stdout() {
        // With stderr closed there is nobody left to tell.
        let _ = io::stderr().write_all(text::render(&study, terminal.err).as_bytes());
        Ok(())
    } else {
        Terminal::print(&text::render(&study, terminal.out))
    };
    // Neither is left out because the other failed.
    let exported = exports.finish(&study);
    shown.and(exported).map_err(Fault::Own)?;
    Ok(End::Status(Exit::Success.status()))
}

fn read(path: &Path) -> anyhow::Result<Study> {
    let is_stdin = path == Path::new("-");
    let name = if is_stdin { "stdin".to_owned() } else { path.display().to_string() };
    let study = if is_stdin {
        json::read(io::stdin().lock())
    } else {
        File::open(path).map_err(anyhow::Error::from).and_then(json::read)
    };
    let study = study.with_context(|| format!("read {name}"))?;
    let measured = study.columns.iter().any(|column| !column.runs.is_empty());
    ensure!(measured, "{name} holds no finished run, so there is nothing to draw");
    Ok(study)
}
