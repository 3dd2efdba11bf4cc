//! Default options from `$PARSIM`, which stand before those that were typed. They
//! are for every batch: what does not go with one subcommand is left out there.

use std::env;
use std::ffi::OsString;

use crate::cli::conflicts;
use crate::cli::exit::{Fault, refuse};
use crate::cli::flags::{self, Scope, Typed};
use crate::task::Mode;

/// What `words` mean with the defaults before them, for a batch run one way.
/// The words come back with the defaults among them.
pub(super) fn parse(mode: Mode, words: &[OsString]) -> Result<(Typed, Vec<OsString>), Fault> {
    let (mut typed, all) =
        with_defaults(words, Scope::ONE_WAY, |option| conflicts::for_comparing(option).is_none())?;
    // How many at a time, and who, is said for parallel runs.
    if mode == Mode::Serial {
        let own = flags::parse(words, Scope::ONE_WAY)?.run;
        (typed.run.jobs, typed.run.workers) = (own.jobs, own.workers);
    }
    Ok((typed, all))
}

/// The same for a batch compared.
pub(super) fn parse_compared(words: &[OsString]) -> Result<Typed, Fault> {
    let (typed, _) =
        with_defaults(words, Scope::COMPARE, |option| conflicts::check_both_ways(option).is_ok())?;
    Ok(typed)
}

/// What defaults mean: in a variable of parsim's own its options are meant, where
/// GNU parallel has others of the same name.
fn understood(defaults: &[OsString]) -> Result<Typed, Fault> {
    flags::parse(defaults, Scope::COMPARE)
}

/// `words` behind those defaults that go with what is run.
fn with_defaults(
    words: &[OsString],
    scope: Scope,
    goes: fn(&Typed) -> bool,
) -> Result<(Typed, Vec<OsString>), Fault> {
    let defaults = from_environment()?;
    if defaults.is_empty() {
        return Ok((flags::parse(words, scope)?, words.to_vec()));
    }
    let alone = understood(&defaults).map_err(|fault| Fault::Usage(format!("$PARSIM: {fault}")))?;
    if !alone.names_nothing() {
        return refuse("$PARSIM holds default options and nothing else");
    }
    // Whether `defaults` go with what was typed.
    let go = |defaults: &[OsString]| {
        let typed = flags::parse(&[defaults, words].concat(), scope)?;
        Ok::<_, Fault>(conflicts::check_pairs(&typed).is_ok())
    };
    let mut kept = Vec::new();
    for option in one_by_one(&defaults) {
        let more = [&kept, option].concat();
        // As well as those before it, that is.
        let goes_beside = || Ok::<_, Fault>(go(&more)? || !go(&kept)?);
        if understood(option).is_ok_and(|typed| goes(&typed)) && goes_beside().unwrap_or(true) {
            kept = more;
        }
    }
    let all = [&kept, words].concat();
    Ok((flags::parse(&all, scope)?, all))
}

/// `words`, which are options, each with its value.
fn one_by_one(words: &[OsString]) -> Vec<&[OsString]> {
    let mut options = Vec::new();
    let mut rest = words;
    while !rest.is_empty() {
        let is_whole = |n: &usize| understood(&rest[..*n]).is_ok();
        let begins_next = |n: usize| rest.get(n).is_none_or(|word| word.as_encoded_bytes().starts_with(b"-"));
        let whole = (1..=rest.len()).find(|n| is_whole(n) && begins_next(*n)).unwrap_or(rest.len());
        let (option, after) = rest.split_at(whole);
        options.push(option);
        rest = after;
    }
    options
}

fn from_environment() -> Result<Vec<OsString>, Fault> {
    let Some(text) = env::var_os("PARSIM") else { return Ok(Vec::new()) };
    let Ok(text) = text.into_string() else { return refuse("$PARSIM is not UTF-8 text") };
    let words = shell_words::split(&text).map_err(|error| Fault::Usage(format!("$PARSIM: {error}")))?;
    Ok(words.into_iter().map(OsString::from).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_told_apart_with_their_values() {
        let words: Vec<OsString> =
            "-k -j -2 --joblog log -kj2 --progress=never --eof x --bar --tagstring -a-"
                .split(' ')
                .map(OsString::from)
                .collect();
        let options: Vec<String> = one_by_one(&words)
            .iter()
            .map(|option| option.iter().map(|word| word.to_str().unwrap()).collect::<Vec<_>>().join(" "))
            .collect();
        let expected = [
            "-k",
            "-j -2",
            "--joblog log",
            "-kj2",
            "--progress=never",
            "--eof x",
            "--bar",
            "--tagstring -a-",
        ];
        assert_eq!(options, expected);
    }
}
