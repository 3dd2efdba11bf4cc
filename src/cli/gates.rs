//! `--min-speedup` and `--fail-if-slower`: what a script wants to be told by the
//! exit status. What is missed is said on stderr, a line each.

use std::io::Write as _;

use clap::{Arg, ArgMatches, Command};

use super::exit::{Exit, Fault};
use super::plan::RunModes;
use crate::format;
use crate::gnu_args::StudyOptions;
use crate::process;
use crate::study::{Gates, Study};

const MIN_SPEEDUP: &str = "min-speedup";
const FAIL_IF_SLOWER: &str = "fail-if-slower";

/// `command` with the two options; `slower` tells what is slower than what.
pub(super) fn options(command: Command, slower: &'static str) -> Command {
    let option = |name, value, help| {
        Arg::new(name)
            .long(name)
            .value_name(value)
            .value_parser(not_negative)
            .allow_negative_numbers(true)
            .help(help)
            .help_heading("Report")
    };
    command
        .arg(option(
            MIN_SPEEDUP,
            "X",
            "Exit with 103 when the best speed-up is surely below X (fewer than 5 runs: below X)",
        ))
        .arg(option(FAIL_IF_SLOWER, "PCT", slower))
}

fn not_negative(text: &str) -> Result<f64, String> {
    let number = text.trim_end_matches(['x', '%']).parse::<f64>();
    let number = number.ok().filter(|number| number.is_finite() && *number >= 0.0);
    number.ok_or_else(|| "give a number from 0".to_owned())
}

/// The gates of `compare`.
pub(super) fn typed(typed: &StudyOptions) -> Gates {
    gates(typed.min_speedup, typed.fail_if_slower)
}

/// The gates that were asked for; of subcommands without the options none.
pub(super) fn asked(matches: &ArgMatches) -> Gates {
    let value = |name| matches.try_get_one::<f64>(name).ok().flatten().copied();
    gates(value(MIN_SPEEDUP), value(FAIL_IF_SLOWER))
}

fn gates(min_speedup: Option<f64>, fail_if_slower: Option<f64>) -> Gates {
    Gates { min_speedup, slower_by: fail_if_slower.map(|percent| percent / 100.0) }
}

/// Refuses gates where only one way is run, so that there is nothing to compare;
/// `reason` is why, where nobody asked for just that.
pub(super) fn check(gates: &Gates, wanted: RunModes, reason: Option<&str>) -> Result<(), Fault> {
    if *gates == Gates::default() {
        return Ok(());
    }
    let what_to_do = match (wanted, reason) {
        (RunModes::Both, _) => return Ok(()),
        (_, Some(reason)) => format!(", and one is run alone, for {reason}: add --compare"),
        (RunModes::Serial, None) => ": leave --serial out".to_owned(),
        (RunModes::Parallel, None) => ": leave --parallel out".to_owned(),
    };
    Err(Fault::Usage(format!("--{MIN_SPEEDUP} and --{FAIL_IF_SLOWER} compare both ways{what_to_do}")))
}

/// How `study` ends with these gates: failures and differences weigh more.
pub(super) fn exit(study: &Study, gates: &Gates) -> Exit {
    match (Exit::of(study), told(&gates.missed(study), &gates.undecided(study))) {
        (Exit::Success, gates) => gates,
        (other, _) => other,
    }
}

/// Says what was `missed` and what is `undecided`, and how something ends where
/// nothing else counts.
pub(super) fn told(missed: &[String], undecided: &[String]) -> Exit {
    let notes = undecided.iter().map(|text| format!("note: {text}"));
    for text in missed.iter().cloned().chain(notes) {
        // With stderr closed there is nobody left to tell.
        let _ = writeln!(process::stderr(), "parsim: {}", format::printable(&text));
    }
    if missed.is_empty() { Exit::Success } else { Exit::Missed }
}
