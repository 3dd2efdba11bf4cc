//! `--min-speedup` and `--fail-if-slower`: what a script wants to be told by the
//! exit status. What is missed is said on stderr, a line each.

use std::io::Write as _;

use super::exit::{Exit, Fault};
use super::flags::StudyOptions;
use super::plan::RunModes;
use crate::process;
use crate::study::{Gates, Study};
use crate::text::printable;

/// The gates that were asked for.
pub(super) fn gates(typed: &StudyOptions) -> Gates {
    Gates { min_speedup: typed.min_speedup, slower_by: typed.fail_if_slower.map(|percent| percent / 100.0) }
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
    Err(Fault::Usage(format!("--min-speedup and --fail-if-slower compare both ways{what_to_do}")))
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
        let _ = writeln!(process::stderr(), "parsim: {}", printable(&text));
    }
    if missed.is_empty() { Exit::Success } else { Exit::Missed }
}
