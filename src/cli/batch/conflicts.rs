//! Options that are understood and refused all the same, with reasons.

use std::os::unix::ffi::OsStrExt as _;

use super::pairs;
use crate::cli::exit::Fault;
use crate::cli::flags::{Flag, Scope, Timeout, Typed};

/// Refuses what cannot be done both ways.
pub(in crate::cli) fn check_both_ways(typed: &Typed) -> Result<(), Fault> {
    let refuse = |text: String| Err(Fault::Usage(text));
    for given in &typed.given {
        if let Some(why) = given.not_compared {
            return refuse(format!("--{} does not go with compare: {why}", given.name));
        }
    }
    if matches!(typed.run.timeout, Some(Timeout::Percent(_))) {
        return refuse(
            "--timeout N% does not go with compare: both ways have to have the same limit".to_owned(),
        );
    }
    Ok(())
}

/// Whether nothing of `typed` is for comparing alone.
pub(super) fn goes_one_way(typed: &Typed) -> bool {
    typed.given.iter().all(|given| given.scope.has(Scope::ONE_WAY))
}

/// Refuses what cannot be done.
pub(super) fn check(typed: &Typed) -> Result<(), Fault> {
    let refuse = |text: String| Err(Fault::Usage(text));
    if let Some(given) = typed.given.iter().find(|given| !given.scope.has(Scope::ONE_WAY)) {
        return refuse(format!("--{} goes with both ways: parsim compare", given.name));
    }
    pairs::check(typed)?;
    if typed.pipes() && lacks_command(typed) {
        return refuse(
            "--pipe needs a command that reads what is piped: parsim parallel --pipe wc -l".to_owned(),
        );
    }
    Ok(())
}

/// Whether no job of a pipe would have a command. Only `--tee` takes values for
/// commands: elsewhere there are as many jobs as blocks, whatever their number.
fn lacks_command(typed: &Typed) -> bool {
    let has = |flag| typed.flags.has(flag);
    let words = || typed.command.iter().map(|word| word.as_bytes().trim_ascii());
    // The values of --pipe-part come on standard input, if from nowhere else.
    let has_values = !typed.sources.is_empty() || has(Flag::PipePart);
    match (words().all(<[u8]>::is_empty), has(Flag::Tee)) {
        (true, true) => !has_values || !typed.command.is_empty(),
        (true, false) => true,
        (false, _) => !has_values && words().all(|word| word == b"{}"),
    }
}
