//! The whole command line as documentation sees it: what clap parses, and the
//! batch subcommands with the options that their help tells of.
//!
//! For man pages and completions; nothing is parsed by it.

use clap::{Arg, Command, ValueHint};

use super::args;
use super::batch::{self, COMPARE_HELP};
use super::help::{self, LONG, told};

/// Everything that can be typed.
pub(super) fn command() -> Command {
    let shared = told::options(LONG);
    let own = told::options(COMPARE_HELP);
    let both_ways = shared.iter().filter(|arg| !arg.get_long().is_some_and(batch::is_not_compared));
    let rest = both_ways.filter(|arg| !own.iter().any(|known| is_same(known, arg))).cloned();
    let compare: Vec<Arg> = own.iter().cloned().chain(rest).collect();
    args::command()
        .disable_help_subcommand(true)
        .mut_subcommand("serial", |command| as_told("serial", &command, LONG, &shared))
        .mut_subcommand("parallel", |command| as_told("parallel", &command, LONG, &shared))
        .mut_subcommand("compare", |command| as_told("compare", &command, COMPARE_HELP, &compare))
}

/// The same with what follows `help`.
pub(super) fn with_help() -> Command {
    let command = command();
    let named = |name: &str, about: String| Command::new(name.to_owned()).about(about);
    let subcommands: Vec<Command> = command
        .get_subcommands()
        .map(|known| named(known.get_name(), known.get_about().map(ToString::to_string).unwrap_or_default()))
        .collect();
    let topics = help::abouts().map(|(name, about)| named(name, about.to_owned()));
    let help = Command::new("help").about("Print the help on a subcommand or a topic");
    command.subcommand(help.subcommands(subcommands).subcommands(topics))
}

/// `command` as `text` tells of it.
fn as_told(name: &'static str, command: &Command, text: &'static str, options: &[Arg]) -> Command {
    let words = Arg::new("command").value_name("COMMAND").num_args(0..).trailing_var_arg(true);
    let words = words.help("the command and its words; without one, each input is a command");
    Command::new(name)
        .about(command.get_about().cloned().unwrap_or_default())
        .long_about(told::description(text))
        .override_usage(told::usage(text))
        .display_order(command.get_display_order())
        .args(options)
        .arg(words.value_hint(ValueHint::CommandWithArguments))
}

fn is_same(one: &Arg, other: &Arg) -> bool {
    one.get_short().is_some() && one.get_short() == other.get_short()
        || one.get_long().is_some() && one.get_long() == other.get_long()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gnu_args;

    #[test]
    fn the_batch_has_the_options_of_its_help_and_compare_not_those_it_refuses() {
        let command = command();
        let has = |name: &str, long: &str| {
            let command = command.find_subcommand(name).unwrap();
            command.get_arguments().filter(|arg| arg.get_long() == Some(long)).count()
        };
        assert_eq!((has("parallel", "joblog"), has("serial", "joblog"), has("compare", "joblog")), (1, 1, 0));
        assert_eq!((has("parallel", "export-json"), has("compare", "export-json")), (1, 1));
        assert_eq!((has("parallel", "runs"), has("compare", "runs"), has("sleep", "runs")), (0, 1, 1));
    }

    #[test]
    fn compare_takes_every_option_that_is_told_of_it() {
        let command = command();
        let compare = command.find_subcommand("compare").unwrap();
        for option in compare.get_arguments().filter(|arg| !arg.is_positional()) {
            let name = match (option.get_long(), option.get_short()) {
                (Some(long), _) => format!("--{long}"),
                (None, short) => format!("-{}", short.unwrap()),
            };
            let value = option.get_value_names().map(|names| match names[0].as_str() {
                "WHETHER" => "never",
                "HOW" => "lr",
                "SEQUENCE" => "TERM,25",
                _ => "1",
            });
            let words = match value {
                Some(value) if option.is_require_equals_set() => vec![format!("{name}={value}")],
                Some(value) => vec![name.clone(), value.to_owned()],
                None => vec![name.clone()],
            };
            let words: Vec<_> = words.into_iter().map(Into::into).collect();
            let typed = gnu_args::parse(&words).unwrap_or_else(|error| panic!("{name}: {error}"));
            let told = batch::check_both_ways(&typed).map_err(|fault| fault.to_string());
            assert_eq!(told, Ok(()), "{name}");
        }
    }

    #[test]
    fn what_clap_asks_of_a_command_holds() {
        command().debug_assert();
    }

    #[test]
    fn every_format_that_can_be_exported_is_told_of() {
        for row in crate::report::ROWS {
            assert!(LONG.contains(&format!("\n  --{} FILE ", row.option)), "{}", row.option);
        }
    }
}
