//! `parsim report`: a saved study drawn again, in any format, here or elsewhere;
//! or two of them, and what changed.
//!
//! Asks this machine nothing but how its terminal looks.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;

use anyhow::{Context as _, ensure};
use clap::{ArgMatches, FromArgMatches as _};

use super::args::Drawing;
use super::exit::{End, Fault};
use super::exports::Exports;
use super::gates;
use super::term::Terminal;
use crate::interrupt::file_limits_are_errors;
use crate::report::change::{self, Pair, Side};
use crate::report::{Look, json, text};
use crate::study::Study;

/// Draws what the command line names. What a study says of its tasks is not this
/// command's status: drawing is what was asked for, and the gates.
pub(super) fn run(matches: &ArgMatches) -> Result<End, Fault> {
    let drawing = Drawing::from_arg_matches(matches).map_err(|error| Fault::Usage(error.to_string()))?;
    let terminal = Terminal::look(&drawing.color, "never").drawing(drawing.drawn);
    file_limits_are_errors().map_err(Fault::Own)?;
    match &drawing.after {
        None => one(matches, &drawing.study, terminal),
        Some(after) => two(matches, &drawing.study, after, terminal),
    }
}

fn one(matches: &ArgMatches, path: &Path, terminal: Terminal) -> Result<End, Fault> {
    // The study first: a target may be the file itself.
    let study = read(path).map_err(Fault::Own)?;
    let exports = Exports::open(matches).map_err(Fault::Own)?;
    let shown = show(&exports, terminal, |look| text::render(&study, look));
    // Neither is left out because the other failed.
    let exported = exports.finish(&study);
    shown.and(exported).map_err(Fault::Own)?;
    let missed = gates::asked(matches).missed(&study);
    Ok(End::Status(gates::told(&missed).status()))
}

fn two(matches: &ArgMatches, before: &Path, after: &Path, terminal: Terminal) -> Result<End, Fault> {
    Exports::check_pair(matches)?;
    if [before, after].iter().all(|path| *path == Path::new("-")) {
        return Err(Fault::Usage("standard input holds one study: name a file for the other".to_owned()));
    }
    let studies = (read(before).map_err(Fault::Own)?, read(after).map_err(Fault::Own)?);
    let exports = Exports::open(matches).map_err(Fault::Own)?;
    let names = (name(before), name(after));
    let side = |name, study| Side { name, study };
    let pair = Pair::new(side(&names.0, &studies.0), side(&names.1, &studies.1));
    let shown = show(&exports, terminal, |look| change::text(&pair, look));
    let exported = exports.finish_pair(&pair);
    shown.and(exported).map_err(Fault::Own)?;
    let missed = gates::asked(matches).missed_by(&pair.changes, &studies.1);
    Ok(End::Status(gates::told(&missed).status()))
}

/// Puts what `draw` makes where the exports leave room for it.
fn show(exports: &Exports, terminal: Terminal, draw: impl Fn(Look) -> String) -> anyhow::Result<()> {
    if !exports.take_stdout() {
        return Terminal::print(&draw(terminal.out));
    }
    // With stderr closed there is nobody left to tell.
    let _ = io::stderr().write_all(draw(terminal.err).as_bytes());
    Ok(())
}

fn name(path: &Path) -> String {
    if path == Path::new("-") { "stdin".to_owned() } else { path.display().to_string() }
}

fn read(path: &Path) -> anyhow::Result<Study> {
    let name = name(path);
    let study = if path == Path::new("-") {
        json::read(io::stdin().lock())
    } else {
        File::open(path).map_err(anyhow::Error::from).and_then(json::read)
    };
    let study = study.with_context(|| format!("read {name}"))?;
    ensure!(study.found_something(), "{name} holds no finished run, so there is nothing to draw");
    Ok(study)
}
