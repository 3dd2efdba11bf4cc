//! A usage error in one line: what is wrong, what was perhaps meant, where to look.
//!
//! Knows what can be typed, and which programs there are; does not know what was
//! typed right.

use std::ffi::OsString;

use clap::error::ErrorKind;

use super::args::command;
use super::help;
use crate::process::child::resolve;
use crate::text;

/// A usage error in one line: what is wrong, what was perhaps meant, where to look.
pub(super) fn one_line(error: &clap::Error, argv: &[OsString]) -> String {
    let asked = argv.get(1).map(|word| word.to_string_lossy()).unwrap_or_default();
    match error.kind() {
        ErrorKind::MissingSubcommand => return "name a subcommand; see parsim --help".to_owned(),
        ErrorKind::InvalidSubcommand => {
            if asked == "help"
                && let Some(on) = argv.get(2).map(|word| word.to_string_lossy())
            {
                let typed = text::without_login(&on);
                return format!("there is no help on '{typed}'{}; see parsim --help", perhaps(nearest(&on)));
            }
            let meant = meant(argv).unwrap_or_else(|| perhaps(nearest(&asked)));
            // Perhaps a URL, whose subcommand was forgotten.
            let asked = text::without_login(&asked);
            return format!("there is no subcommand '{asked}'{meant}; see parsim --help");
        }
        _ => {}
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
    format!("{}; see {help} --help", folded(told))
}

/// Lines as one: what a colon announces follows it.
fn folded<'a>(lines: impl Iterator<Item = &'a str>) -> String {
    let mut text = String::new();
    for line in lines {
        text += match text.chars().last() {
            None => "",
            Some(':') => " ",
            Some(_) => "; ",
        };
        text += line;
    }
    text
}

/// Of a longer line only the beginning is shown again.
const SHOWN_AGAIN: usize = 200;

/// How to run the command that stands where a subcommand should, if it looks like
/// one: it is a program, or has inputs, and is not just a subcommand mistyped.
fn meant(argv: &[OsString]) -> Option<String> {
    let program = argv.get(1)?;
    let inputs = [":::", "::::", ":::+", "::::+"];
    let has_inputs = argv.iter().any(|word| inputs.iter().any(|input| word == input));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let is_program = resolve(program, &path).is_ok();
    let mistyped = nearest(&program.to_string_lossy());
    let looks_like_one = match mistyped {
        _ if is_program && has_inputs => true,
        Some((distance, _)) => is_program && distance > 1,
        None => is_program || has_inputs,
    };
    let typed = argv.iter().skip(1).map(|word| text::without_login(&word.to_string_lossy()));
    let typed = text::shortened(&shell_words::join(typed.collect::<Vec<_>>()), SHOWN_AGAIN);
    let inputs = if has_inputs { "" } else { " ::: ..." };
    looks_like_one.then(|| format!("; to run a command over inputs: parsim parallel {typed}{inputs}"))
}

fn perhaps(nearest: Option<(usize, String)>) -> String {
    nearest.map_or_else(String::new, |(_, name)| format!("; perhaps '{name}'"))
}

/// The subcommand, by whichever of its names, or the topic of help that `word`
/// comes closest to, and in how many letters it differs.
fn nearest(word: &str) -> Option<(usize, String)> {
    let command = command();
    let names = command.get_subcommands().flat_map(|command| {
        std::iter::once(command.get_name()).chain(command.get_all_aliases()).map(str::to_owned)
    });
    names
        .chain(help::abouts().map(|(name, _)| name.to_owned()))
        .map(|name| (strsim::damerau_levenshtein(word, &name), name))
        .filter(|(distance, name)| *distance <= 1 + name.len() / 3)
        .min_by_key(|(distance, _)| *distance)
}
