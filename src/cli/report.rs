//! `parsim report`: a saved study drawn again, in any format, here or elsewhere;
//! or two of them, and what changed.
//!
//! Asks this machine nothing but how its terminal looks.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read};
use std::path::{Path, PathBuf};
use std::thread;

use anyhow::{Context as _, anyhow, ensure};
use clap::{ArgMatches, FromArgMatches as _};

use super::exit::{End, Fault, all_of, refuse};
use super::exports::{Exports, ResultsGo};
use super::flags::{Drawing, Export, Typed, shared_of};
use super::places::{check_apart, of_exports};
use super::plan::{gates, tell_gates};
use super::signals::removed_by_signals;
use super::terminal::Terminal;
use crate::process::{self, SignalThread, file_limits_are_errors};
use crate::report::change::{Side, StudyPair};
use crate::report::{json, text};
use crate::study::{History, Study};
use crate::whole_file::identity;

/// A longer line of a history is cut.
const LONGEST_LINE: u64 = 1 << 20;

/// Draws what the command line names. What a study says of its tasks is not this
/// command's status: drawing is what was asked for, and the gates.
pub(super) fn run(matches: &ArgMatches) -> Result<End, Fault> {
    let drawing = Drawing::from_arg_matches(matches).map_err(Fault::usage)?;
    let typed = shared_of(matches);
    let inputs: Vec<&PathBuf> = drawing.study.iter().chain(&drawing.after).chain(&drawing.history).collect();
    check_apart(of_exports(&typed.output.exports))?;
    check_targets(&typed.output.exports, &inputs)?;
    file_limits_are_errors()?;
    match (&drawing.study, &drawing.after, &drawing.history) {
        (Some(study), None, _) => one(&typed, study),
        (Some(study), Some(after), _) => two(&typed, study, after),
        (None, _, Some(history)) => over_days(&typed, history),
        (None, _, None) => unreachable!("one of them is required"),
    }
}

/// What has no effect on a history, with the reason.
const NOT_OF_DAYS: [(&[&str], &str); 2] = [
    (
        &["min-speedup", "fail-if-slower"],
        "a history of services has no speed-up; drop the option, or name a study",
    ),
    (&["lanes", "verbose"], "a history of services has no runs to show; --export-html FILE draws its days"),
];

fn over_days(typed: &Typed, path: &Path) -> Result<End, Fault> {
    let given = |name: &&&str| typed.given.iter().any(|given| given.name == **name);
    for (options, why) in NOT_OF_DAYS {
        if let Some(option) = options.iter().find(given) {
            return refuse(format!("--{option} has no effect with --history: {why}"));
        }
    }
    Exports::check_history(&typed.output.exports)?;
    let name = name(path);
    let history = read_history(path).with_context(|| format!("cannot read {name}"))?;
    if history.services.is_empty() {
        return Err(Fault::Own(anyhow!("{name} holds no line that --history wrote")));
    }
    let _leftovers = leftovers(&typed.output.exports)?;
    let exports = open(&typed.output.exports)?;
    let shown = exports.show_beside(ResultsGo::Elsewhere, Terminal::of(typed), |look| {
        text::render_history(&history, &name, look)
    });
    all_of([shown, exports.finish_history(&history, &name)])?;
    Ok(End::Status(0))
}

fn read_history(path: &Path) -> std::io::Result<History> {
    let file: Box<dyn Read> = match path.to_str() {
        Some("-") => Box::new(process::stdin()),
        _ => Box::new(File::open(path)?),
    };
    let mut lines = BufReader::with_capacity(1 << 16, file);
    let mut history = History::default();
    let mut line = Vec::new();
    // What has no end is no history: a line of one has some hundred bytes.
    while lines.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line)? > 0 {
        history.add(&line);
        line.clear();
    }
    Ok(history)
}

fn one(typed: &Typed, path: &Path) -> Result<End, Fault> {
    // The study first: a target may be the file itself.
    let study = read(path)?;
    let _leftovers = leftovers(&typed.output.exports)?;
    let exports = open(&typed.output.exports)?;
    let shown =
        exports.show_beside(ResultsGo::Elsewhere, Terminal::of(typed), |look| text::render(&study, look));
    all_of([shown, exports.finish(&study)])?;
    let gates = gates(&typed.study);
    Ok(End::Status(tell_gates(&gates.missed(&study), &gates.undecided(&study)).status()))
}

fn two(typed: &Typed, before: &Path, after: &Path) -> Result<End, Fault> {
    Exports::check_pair(&typed.output.exports)?;
    if [before, after].iter().all(|path| *path == Path::new("-")) {
        return refuse("standard input holds one study: name a file for the other");
    }
    let studies = (read(before)?, read(after)?);
    let _leftovers = leftovers(&typed.output.exports)?;
    let exports = open(&typed.output.exports)?;
    let names = (name(before), name(after));
    let side = |name, study| Side { name, study };
    let pair = StudyPair::new(side(&names.0, &studies.0), side(&names.1, &studies.1));
    let shown = exports
        .show_beside(ResultsGo::Elsewhere, Terminal::of(typed), |look| text::render_change(&pair, look));
    all_of([shown, exports.finish_pair(&pair)])?;
    let gates = gates(&typed.study);
    let missed = gates.missed_by(&pair.changes, &studies.1);
    let undecided = gates.undecided_by(&pair.changes, &studies.1);
    Ok(End::Status(tell_gates(&missed, &undecided).status()))
}

/// Opens `exports`. What waits for who reads a pipe is ended by any signal.
fn open(exports: &[Export]) -> Result<Exports, Fault> {
    Exports::open(exports, &|time| {
        thread::sleep(time);
        true
    })
}

/// A signal leaves nothing half written.
fn leftovers(exports: &[Export]) -> Result<Option<SignalThread>, Fault> {
    let folders = Exports::folders(exports);
    (!folders.is_empty()).then(|| removed_by_signals(folders)).transpose().map_err(Fault::Own)
}

/// Refuses a target that is one of the studies to be read: it would be gone. One
/// study as JSON onto itself stays what it is.
fn check_targets(exports: &[Export], inputs: &[&PathBuf]) -> Result<(), Fault> {
    for Export { row, path } in exports {
        let target = if path == Path::new("-") { Path::new("/dev/stdout") } else { path };
        let is_itself = row.option == json::ROW.option && inputs.len() == 1;
        let is_read = |input: &Path| {
            let input = if input == Path::new("-") { Path::new("/dev/stdin") } else { input };
            input.is_file() && identity(input) == identity(target)
        };
        if let Some(input) = inputs.iter().find(|input| is_read(input)).filter(|_| !is_itself) {
            let (option, name) = (row.option, name(input));
            return refuse(format!("--{option} would overwrite {name}, which is read: name another file"));
        }
    }
    Ok(())
}

fn name(path: &Path) -> String {
    if path == Path::new("-") { "stdin".to_owned() } else { path.display().to_string() }
}

fn read(path: &Path) -> anyhow::Result<Study> {
    let name = name(path);
    let study = match path.to_str() {
        Some("-") => json::read(process::stdin()),
        _ => File::open(path).map_err(anyhow::Error::from).and_then(json::read),
    };
    let study = study.with_context(|| format!("cannot read {name}"))?;
    ensure!(study.found_something(), "{name} holds no finished run, so there is nothing to draw");
    Ok(study)
}
