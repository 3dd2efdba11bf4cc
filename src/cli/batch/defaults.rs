//! Default options from `$PARSIM`, which stand before those that were typed.

use std::env;
use std::ffi::OsString;

use crate::cli::exit::Fault;
use crate::gnu_args::{self, Typed};
use crate::record::Way;

/// What `words` mean with the defaults before them.
pub(super) fn parse(way: Way, words: &[OsString]) -> Result<Typed, Fault> {
    let parse = |words: &[OsString]| gnu_args::parse(words).map_err(|error| Fault::Usage(error.to_string()));
    let defaults = from_environment()?;
    if defaults.is_empty() {
        return parse(words);
    }
    let alone = parse(&defaults).map_err(|fault| Fault::Usage(format!("$PARSIM: {fault}")))?;
    if !(alone.command.is_empty() && alone.sources.is_empty() && !alone.bare_separator) {
        return Err(Fault::Usage("$PARSIM holds default options and nothing else".to_owned()));
    }
    let mut typed = parse(&[&defaults, words].concat())?;
    // How many at a time is said for parallel runs.
    if way == Way::Serial && parse(words)?.run.jobs.is_none() {
        typed.run.jobs = None;
    }
    Ok(typed)
}

fn from_environment() -> Result<Vec<OsString>, Fault> {
    let Some(text) = env::var_os("PARSIM") else { return Ok(Vec::new()) };
    let text = text.into_string().map_err(|_| Fault::Usage("$PARSIM is no UTF-8 text".to_owned()))?;
    let words = shell_words::split(&text).map_err(|error| Fault::Usage(format!("$PARSIM: {error}")))?;
    Ok(words.into_iter().map(OsString::from).collect())
}
