//! A usage error in one line: what is wrong, what was perhaps meant, where to look.
//!
//! Knows what can be typed, and which programs there are; does not know what was
//! typed right.

use std::error::Error as _;
use std::ffi::{OsStr, OsString};
use std::num::{IntErrorKind, ParseFloatError, ParseIntError};

use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::command::command;
use super::typed::Scope;
use super::{help, table};
use crate::process::child::resolve;
use crate::text::{shortened, without_login};

/// That a batch of `scope` has no option `typed`, with the one that was perhaps meant.
pub(super) fn unknown(typed: &str, scope: Scope) -> String {
    if let Some((_, what_to_do)) = ELSEWHERE.iter().find(|(option, _)| *option == typed) {
        return format!("unknown option {typed}: {what_to_do}");
    }
    let name = typed.trim_start_matches('-').to_ascii_lowercase();
    let names = table::rows().filter(|row| !row.is_refused()).flat_map(|row| row.names.iter().copied());
    match nearest(&name, names.filter(|known| known.len() > 1)) {
        Some((_, known)) if name.len() > 1 => format!("unknown option {typed}: did you mean --{known}?"),
        _ if scope == Scope::COMPARE => format!("unknown option {typed}; see parsim compare --help"),
        _ => format!("unknown option {typed}; see parsim parallel --help"),
    }
}

/// What is wrong with a line that clap could not read.
pub(in crate::cli) fn one_line(error: &clap::Error, argv: &[OsString]) -> String {
    let asked = argv.get(1).map(|word| word.to_string_lossy()).unwrap_or_default();
    if error.kind() == ErrorKind::MissingSubcommand {
        return "name a subcommand; see parsim --help".to_owned();
    }
    if error.kind() == ErrorKind::InvalidSubcommand {
        return match argv.get(2).filter(|_| asked == "help") {
            Some(topic) => absent("help on", &topic.to_string_lossy(), None),
            None => absent("subcommand", &asked, meant(argv)),
        };
    }
    // Options of a batch whose subcommand was forgotten, or of one that comes later.
    if asked.starts_with('-') {
        let known = command();
        let is_subcommand = |word: &OsString| known.find_subcommand(word).is_some();
        // What the program is called may be a subcommand's name, too.
        let (program, words) = argv.split_at(1);
        // What has inputs is a batch, whatever its command is called.
        let is_meant = |word: &OsString| is_subcommand(word) && (!has_inputs(argv) || runs_batch(word));
        let moved = words.iter().position(is_meant).map(|at| {
            let (before, behind) = (&words[..at], &words[at + 1..]);
            [program, &words[at..=at], before, behind].concat()
        });
        return match moved {
            Some(moved) => {
                format!("options stand behind the subcommand: did you mean parsim {}?", again(&moved))
            }
            None if has_inputs(argv) => {
                let typed = again(argv);
                format!("options stand behind a subcommand: did you mean parsim parallel {typed}?")
            }
            None => {
                let asked = again(&argv[..2.min(argv.len())]);
                format!(
                    "unknown option {asked}: options stand behind a subcommand, as in parsim csv --files 20; see parsim --help"
                )
            }
        };
    }
    if let Some(ContextValue::String(typed)) = error.get(ContextKind::InvalidArg)
        && ELSEWHERE.iter().any(|(option, _)| option == typed)
    {
        return unknown(typed, Scope::WORKLOAD);
    }
    if has_inputs(argv) && is_program(&argv[1]) {
        return format!("parsim {asked} takes no inputs: did you mean parsim parallel {}?", again(argv));
    }
    let help = command()
        .get_subcommands()
        .find(|command| command.get_name() == asked || command.get_all_aliases().any(|alias| alias == asked))
        .map_or_else(|| "parsim".to_owned(), |command| format!("parsim {}", command.get_name()));
    match in_words(error) {
        asks if asks.ends_with('?') => format!("{asks} See {help} --help"),
        tells => format!("{tells}; see {help} --help"),
    }
}

/// That there is no subcommand `typed`.
pub(super) fn no_subcommand(typed: &str) -> String {
    absent("subcommand", typed, None)
}

/// That there is no such thing as `typed`, and what was perhaps `meant`: else the name that
/// comes closest.
fn absent(what: &str, typed: &str, meant: Option<String>) -> String {
    let nearest = || subcommand(typed).map(|(_, name)| format!(": did you mean '{name}'?"));
    let meant = meant.or_else(nearest).unwrap_or_default();
    // Perhaps a URL, whose subcommand was forgotten.
    let typed = without_login(typed);
    let more = if meant.ends_with('?') { "" } else { "; see parsim --help" };
    format!("there is no {what} '{typed}'{meant}{more}")
}

/// What clap found, as messages on batches say it.
fn in_words(error: &clap::Error) -> String {
    let told = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        Some(ContextValue::Strings(texts)) => texts.join(", "),
        _ => String::new(),
    };
    let (option, value) = (told(ContextKind::InvalidArg), told(ContextKind::InvalidValue));
    let name = option.split([' ', '=']).next().unwrap_or_default().trim_matches(['<', '>', '[', ']']);
    let meant = [ContextKind::SuggestedArg, ContextKind::SuggestedValue].map(told).concat();
    let meant = if meant.is_empty() { meant } else { format!(": did you mean {meant}?") };
    match error.kind() {
        ErrorKind::UnknownArgument if name.starts_with('-') => format!("unknown option {name}{meant}"),
        ErrorKind::UnknownArgument => format!("unexpected argument {option}{meant}"),
        ErrorKind::InvalidValue if value.is_empty() => format!("option {name} needs a value: {option}"),
        ErrorKind::InvalidValue => {
            format!("{name} {value}: expected one of {}{meant}", told(ContextKind::ValidValue))
        }
        ErrorKind::ValueValidation => format!("{name} {value}: {}", why(error)),
        ErrorKind::NoEquals => format!("{name} takes its value after an equals sign: {option}"),
        ErrorKind::TooManyValues => format!("option {name} takes no value, but was given {value}"),
        ErrorKind::MissingRequiredArgument => format!("an argument is missing: {option}"),
        ErrorKind::ArgumentConflict => {
            format!("{option} does not go with {}", told(ContextKind::PriorArg))
        }
        _ => {
            let rendered = error.render().to_string();
            let first = rendered.lines().next().unwrap_or_default();
            first.trim_start_matches("error: ").to_owned()
        }
    }
}

/// Why clap or an option's own parser did not take a value.
fn why(error: &clap::Error) -> String {
    let Some(source) = error.source() else { return "not understood".to_owned() };
    match source.downcast_ref::<ParseIntError>().map(ParseIntError::kind) {
        Some(IntErrorKind::PosOverflow) => "too large".to_owned(),
        Some(_) => "not a whole number".to_owned(),
        None if source.is::<ParseFloatError>() => "not a number".to_owned(),
        None => source.to_string(),
    }
}

/// Of a longer line only the beginning is shown again.
const SHOWN_AGAIN: usize = 200;

/// Options that people know from other programs, and what to do here.
const ELSEWHERE: &[(&str, &str)] = &[
    ("--insecure", "certificates are always checked; --cacert FILE trusts one of your own"),
    ("--setup", "--prepare CMD runs before each run"),
    ("--conclude", "--cleanup CMD runs after each run"),
    ("-c", "parsim compare --cleanup CMD runs after each run"),
    ("-r", "--runs N runs each way N times"),
    ("--min-runs", "--runs N runs each way N times"),
    ("--max-runs", "--runs N runs each way N times"),
    ("--ignore-failure", "failed jobs never stop a comparison, and are counted"),
    ("--shell", "it is an option of parsim parallel, serial and compare"),
    ("--output", "see --export-json, --export-csv and their like"),
    ("--input", "name the file in the command: parsim compare 'sort <{}' ::: FILE"),
    ("--style", "--color=WHEN is for colours, --progress=WHEN for the bar (auto, always, never)"),
    ("--export-asciidoc", "--export-markdown FILE writes a table"),
    ("--export-orgmode", "--export-markdown FILE writes a table"),
];

/// Whether the subcommand `word` runs a batch of commands.
fn runs_batch(word: &OsString) -> bool {
    ["serial", "parallel", "compare"].iter().any(|name| word == name)
}

/// Whether inputs stand on the line.
fn has_inputs(argv: &[OsString]) -> bool {
    argv.iter().skip(1).any(|word| [":::", "::::", ":::+", "::::+"].iter().any(|input| word == input))
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
    let is_program = is_program(program);
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

/// Whether there is a program of this name.
fn is_program(name: &OsStr) -> bool {
    resolve(name, &std::env::var_os("PATH").unwrap_or_default()).is_ok()
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
    let is_long = |name: &str| name.len().abs_diff(word.len()) > 1 + name.len() / 3;
    names
        .filter(|name| !is_long(name))
        .map(|name| (strsim::damerau_levenshtein(word, name), name))
        .filter(|(distance, name)| *distance <= 1 + name.len().min(word.len()) / 3)
        .min_by_key(|(distance, _)| *distance)
}
