//! A usage error in one line: what is wrong, what was perhaps meant, where to look.
//!
//! Knows what can be typed, and which programs there are; does not know what was
//! typed right.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::command::command;
use super::{help, table};
use crate::process::child::resolve;
use crate::text::{shortened, without_login};

/// That a batch has no option `typed`, with the one that was perhaps meant.
pub(super) fn unknown(typed: &str) -> String {
    if let Some((_, what_to_do)) = ELSEWHERE.iter().find(|(option, _)| *option == typed) {
        return format!("unknown option {typed}: {what_to_do}");
    }
    let name = typed.trim_start_matches('-').to_ascii_lowercase();
    let names = table::rows().filter(|row| !row.is_refused()).flat_map(|row| row.names.iter().copied());
    match nearest(&name, names.filter(|known| known.len() > 1)) {
        Some((_, known)) if name.len() > 1 => format!("unknown option {typed}: did you mean --{known}?"),
        _ => format!("unknown option {typed}"),
    }
}

/// What is wrong with a line that clap could not read.
pub(in crate::cli) fn one_line(error: &clap::Error, argv: &[OsString]) -> String {
    let asked = argv.get(1).map(|word| word.to_string_lossy()).unwrap_or_default();
    if error.kind() == ErrorKind::MissingSubcommand {
        return "name a subcommand; see parsim --help".to_owned();
    }
    if error.kind() == ErrorKind::InvalidSubcommand {
        let (what, typed, meant) = match argv.get(2).filter(|_| asked == "help") {
            Some(topic) => ("help on", topic.to_string_lossy(), None),
            None => ("subcommand", asked, meant(argv)),
        };
        let meant = meant.unwrap_or_else(|| match subcommand(&typed) {
            Some((_, name)) => format!(": did you mean '{name}'?"),
            None => String::new(),
        });
        // Perhaps a URL, whose subcommand was forgotten.
        let typed = without_login(&typed);
        return if meant.ends_with('?') {
            format!("there is no {what} '{typed}'{meant}")
        } else {
            format!("there is no {what} '{typed}'{meant}; see parsim --help")
        };
    }
    // Options of a batch whose subcommand was forgotten.
    if asked.starts_with('-') && has_inputs(argv) {
        return format!("options stand behind a subcommand: did you mean parsim parallel {}?", again(argv));
    }
    if let Some(ContextValue::String(typed)) = error.get(ContextKind::InvalidArg)
        && ELSEWHERE.iter().any(|(option, _)| option == typed)
    {
        return unknown(typed);
    }
    let rendered = error.render().to_string();
    let told = rendered
        .lines()
        .take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more information"))
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(|line| line.trim_start_matches("error: ").trim_start_matches("tip: "));
    let help = command()
        .get_subcommands()
        .find(|command| command.get_name() == asked || command.get_all_aliases().any(|alias| alias == asked))
        .map_or_else(|| "parsim".to_owned(), |command| format!("parsim {}", command.get_name()));
    // What a colon announces follows it.
    let told = told.collect::<Vec<_>>().join("; ").replace(":; ", ": ");
    let told = told.replace("; a similar argument exists: ", ": did you mean ");
    format!("{told}; see {help} --help")
}

/// Of a longer line only the beginning is shown again.
const SHOWN_AGAIN: usize = 200;

/// Options that people know from other programs, and what to do here.
const ELSEWHERE: &[(&str, &str)] = &[
    ("--insecure", "certificates are always checked; --cacert FILE trusts one of your own"),
    ("--setup", "--prepare CMD runs before each run"),
    ("--conclude", "--cleanup CMD runs after each run"),
    ("-w", "parsim compare --warmup N runs each way N times first"),
    ("--min-runs", "parsim compare --runs N runs each way N times"),
    ("--max-runs", "parsim compare --runs N runs each way N times"),
    ("--command-name", "the report shows the command itself"),
    ("--time-unit", "the report takes the unit that fits; --export-json has seconds"),
    ("--ignore-failure", "failed jobs never stop a comparison, and are counted"),
    ("--parameter-list", "give the values as inputs: parsim compare CMD ::: a b"),
    ("--parameter-scan", "give the values as inputs: parsim compare CMD ::: 1 2 3"),
    ("--shell", "it is an option of parsim parallel, serial and compare"),
    ("--output", "see --export-json, --export-csv and their like"),
    ("--style", "see --color, --progress and --lanes"),
];

/// Whether inputs stand on the line.
fn has_inputs(argv: &[OsString]) -> bool {
    argv.iter().any(|word| [":::", "::::", ":::+", "::::+"].iter().any(|input| word == input))
}

/// What was typed behind `parsim`, as a shell takes it.
fn again(argv: &[OsString]) -> String {
    let typed = argv.iter().skip(1).map(|word| without_login(&word.to_string_lossy()));
    shortened(&shell_words::join(typed.collect::<Vec<_>>()), SHOWN_AGAIN)
}

/// How to run the command that stands where a subcommand should, if it looks like
/// one: it is a program, or has inputs, and is not just a subcommand mistyped.
fn meant(argv: &[OsString]) -> Option<String> {
    let program = argv.get(1)?;
    let has_inputs = has_inputs(argv);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let is_program = resolve(program, &path).is_ok();
    let mistyped = subcommand(&program.to_string_lossy());
    let looks_like_one = match mistyped {
        _ if is_program && has_inputs => true,
        Some((distance, _)) => is_program && distance > 1,
        None => is_program || has_inputs,
    };
    let typed = again(argv);
    let inputs = if has_inputs { "" } else { " ::: ..." };
    looks_like_one.then(|| format!("; to run a command over inputs: parsim parallel {typed}{inputs}"))
}

/// The subcommand, by whichever of its names, or the topic of help that `word`
/// comes closest to, and in how many letters it differs.
fn subcommand(word: &str) -> Option<(usize, String)> {
    let command = command();
    let names = command
        .get_subcommands()
        .flat_map(|command| std::iter::once(command.get_name()).chain(command.get_all_aliases()));
    let nearest = nearest(word, names.chain(help::abouts().map(|(name, _)| name)));
    nearest.map(|(distance, name)| (distance, name.to_owned()))
}

/// The one of `names` that is written most nearly as `word`, if one is near, and in
/// how many letters it differs.
fn nearest<'a>(word: &str, names: impl Iterator<Item = &'a str>) -> Option<(usize, &'a str)> {
    names
        .map(|name| (strsim::damerau_levenshtein(word, name), name))
        .filter(|(distance, name)| *distance <= 1 + name.len().min(word.len()) / 3)
        .min_by_key(|(distance, _)| *distance)
}
