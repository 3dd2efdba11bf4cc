//! `parsim completions SHELL`: what a shell needs to complete parsim's lines.
//!
//! The options come from the whole command line; that a batch's words are a command
//! of its own is added for the shells that are not told by that.

use clap::{ArgMatches, Command};
use clap_complete::Shell;

use super::command::{command, documented};
use super::help;
use crate::cli::exit::{End, Fault};
use crate::cli::terminal::print;

const BASH: &str = include_str!("text/batch.bash");

const FISH: &str = include_str!("text/batch.fish");

/// Prints the script.
pub(in crate::cli) fn run(matches: &ArgMatches) -> Result<End, Fault> {
    let name = matches.get_one::<String>("shell").map_or("", String::as_str);
    let mut command = with_help();
    let (shell, more) = match name {
        "bash" => (Shell::Bash, BASH.replace("@VALUED@", &with_values(&command).join("|"))),
        "fish" => (Shell::Fish, FISH.replace("@VALUED@", &with_values(&command).join(" "))),
        _ => (Shell::Zsh, String::new()),
    };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, "parsim", &mut script);
    print(&(String::from_utf8_lossy(&script).into_owned() + &more))
}

/// The whole command line with what follows `help`.
fn with_help() -> Command {
    let named = |name: &str, about: String| Command::new(name.to_owned()).about(about);
    let known = command();
    let about = |known: &Command| known.get_about().map(ToString::to_string).unwrap_or_default();
    let subcommands = known.get_subcommands().map(|known| named(known.get_name(), about(known)));
    let topics = help::abouts().map(|(name, about)| named(name, about.to_owned()));
    let help = Command::new("help").about("Print the help on a subcommand or a topic");
    documented().subcommand(help.subcommands(subcommands.chain(topics)))
}

/// The options of a batch whose value is the next word.
fn with_values(command: &Command) -> Vec<String> {
    let batches = ["parallel", "compare"].into_iter().filter_map(|name| command.find_subcommand(name));
    let options = batches.flat_map(Command::get_arguments);
    let options =
        options.filter(|option| option.get_action().takes_values() && !option.is_require_equals_set());
    let mut names: Vec<String> = options
        .flat_map(|option| {
            let short = option.get_short().map(|short| format!("-{short}"));
            short.into_iter().chain(option.get_long().map(|long| format!("--{long}")))
        })
        .collect();
    // Long names at the beginning would be options of fish's own function.
    names.sort_by_key(|name| (name.starts_with("--"), name.clone()));
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_with_values_are_those_of_a_batch_whose_value_is_a_word_of_its_own() {
        let names = with_values(&documented());
        for name in ["-j", "--jobs", "-a", "--runs", "--joblog"] {
            assert!(names.iter().any(|known| known == name), "{name} in {names:?}");
        }
        for name in ["-k", "--progress", "--bar", "--files"] {
            assert!(names.iter().all(|known| known != name), "{name} in {names:?}");
        }
    }
}
