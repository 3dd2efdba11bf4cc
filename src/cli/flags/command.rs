//! The subcommands and their options as clap knows and parses them: those of workloads,
//! of `report` and of what tells of parsim itself.
//!
//! Options that several have come from the table of options, workloads' own and the
//! formats from theirs. Only parses; does not know what anything means on this machine.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::{OsStringValueParser, PossibleValue, PossibleValuesParser, TypedValueParser as _};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches as _, ValueHint};

use super::help;
use super::row::{Does, OptionRow, OptionSection};
use super::table::{CLUSTER, GATES, HOSTS, MEASURING, PICTURES, PROGRESS, RECORDS, RUNNING};
use super::typed::{Scope, Typed};
use super::values::{When, Workers};
use crate::cli::exit::status;
use crate::workload::{OutputFormat, ROWS, Row};

/// The version, and which commit was built where that is known: `0.1.0 (cd0ae31 2026-11-22)`.
pub(in crate::cli) const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), env!("PARSIM_COMMIT"));

/// What bare `parsim` says.
pub(in crate::cli) const BARE: &str = include_str!("text/bare.txt");

/// The whole command line as clap parses it. The words of batches it never sees.
#[rustfmt::skip]
pub(in crate::cli) fn command() -> Command {
    Command::new("parsim")
        .version(VERSION)
        .about("Runs a batch one task at a time and across all cores, shows wall and CPU time of both ways side by side, and checks that they agree")
        .after_help(format!("{}\n\n{}", help::statuses(), help::topics()))
        .subcommand_required(true)
        .subcommand(Command::new("serial").about("Run a batch of commands one task at a time"))
        .subcommand(Command::new("parallel").about("Run a batch of commands on all logical cores, as GNU parallel does"))
        .subcommand(Command::new("compare").about("Run a batch of commands both ways, side by side, and compare their results"))
        .subcommands(ROWS.iter().map(workload))
        .subcommand(shared(with::<Drawing>("report", "Show a saved study in any format, or compare two", REPORT_EXAMPLES), Scope::REPORT))
        .subcommand(Command::new("hosts").about("Show what other machines offer to parsim parallel -S"))
        .subcommand(with::<RunFolder>("status", "Show the progress of a run that has a run directory", RUNS))
        .subcommand(with::<ResumedRun>("resume", "Continue such a run and show its results", RUNS))
        .subcommand(with::<RunFolder>("cancel", "Stop the workers of such a run", RUNS))
        .subcommand(Command::new("cpus").about("Show the logical, physical and usable cores, and what limits them"))
        .subcommand(with::<Completions>("completions", "Print a script that completes parsim's options in bash, zsh or fish", COMPLETIONS_USE))
        .subcommand(with::<ManPages>("man", "Print a man page, or write all of them", MAN_EXAMPLES))
}

/// Whether parsim has a subcommand `word`, by whichever of its names.
pub(in crate::cli) fn is_subcommand(word: &str) -> bool {
    command().find_subcommand(word).is_some()
}

fn workload(row: &Row) -> Command {
    let command = Command::new(row.name)
        .visible_aliases(row.alias)
        .after_help(row.examples)
        .after_long_help(format!("{}\n\n{}", row.examples, help::statuses()));
    let command = (row.augment)(command.next_help_heading("What to do")).args(format_option(row));
    let command = if row.is_watched() { WatchOptions::augment_args(command) } else { command };
    // After these, for each group of options brings its own doc comment along.
    shared(Ways::augment_args(command), Scope::WORKLOAD).about(row.about).long_about(None)
}

/// How to tell what a workload that asks services found out.
pub(in crate::cli) const FORMAT: &str = "format";

/// The option for the formats that `row` has, if there are some.
fn format_option(row: &Row) -> Option<Arg> {
    let formats = || std::iter::once(OutputFormat::Text).chain(row.formats.iter().copied());
    let about: Vec<&str> = formats().map(OutputFormat::about).collect();
    let option = Arg::new(FORMAT)
        .long(FORMAT)
        .value_name("FORMAT")
        .default_value(OutputFormat::Text.name())
        .value_parser(PossibleValuesParser::new(formats().map(OutputFormat::name)))
        .hide_possible_values(true)
        .help(format!("Output format: {}", about.join(", ")))
        .help_heading("Report");
    (!row.formats.is_empty()).then_some(option)
}

/// Which format was typed; of workloads without the option text.
pub(in crate::cli) fn output_format(matches: &ArgMatches) -> OutputFormat {
    let typed = matches.try_get_one::<String>(FORMAT).ok().flatten();
    let mut formats = [OutputFormat::JsonLines, OutputFormat::Nagios].into_iter();
    formats.find(|format| typed.is_some_and(|typed| typed == format.name())).unwrap_or(OutputFormat::Text)
}

/// A subcommand with these options, which is told of in these words.
fn with<O: Args>(name: &'static str, about: &'static str, after: &'static str) -> Command {
    // After the options, for each group of them brings its own doc comment along.
    O::augment_args(Command::new(name)).about(about).long_about(None).after_help(after)
}

const REPORT_EXAMPLES: &str = concat!(
    "\
Examples:
  parsim csv --runs 5 --export-json study.json
  parsim report study.json                       the table
  parsim report study.json --export-html study.html
  parsim report before.json after.json           what changed
  parsim report before.json after.json --fail-if-slower 5
  parsim report --history FILE --export-html availability.html

The exit status is 0 when the study could be shown, whatever it says; ",
    status!(Missed),
    " when a gate is
missed, or cannot be judged because the two studies are not of the same work."
);

/// What is drawn again.
#[derive(Args, Clone, Debug)]
pub(in crate::cli) struct Drawing {
    /// A study that --export-json saved (- is stdin)
    #[arg(value_name = "STUDY.json", value_hint = ValueHint::FilePath, required_unless_present = "history")]
    pub(in crate::cli) study: Option<PathBuf>,
    /// A later study of the same work: shows what changed
    #[arg(value_name = "AFTER.json", value_hint = ValueHint::FilePath)]
    pub(in crate::cli) after: Option<PathBuf>,
    /// Show instead how services fared over days, from what tap-check --history FILE kept
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "study")]
    pub(in crate::cli) history: Option<PathBuf>,
}

/// Which ways to run.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "How to run it")]
pub(in crate::cli) struct Ways {
    /// Only one task at a time (--serial --parallel: both ways)
    #[arg(long)]
    pub(in crate::cli) serial: bool,
    /// Only in parallel
    #[arg(long)]
    pub(in crate::cli) parallel: bool,
    /// Both ways, compared [default, except for tap, and for cone with more than 16 targets]
    #[arg(long)]
    pub(in crate::cli) compare: bool,
}

/// What is kept of services from run to run.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Report")]
pub(in crate::cli) struct WatchOptions {
    /// Tell what changed since the last run; FILE keeps what is known of each service
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(in crate::cli) since: Option<PathBuf>,
    /// Run CMD by /bin/sh when something changed since that run, with the changes as JSON on its stdin (60 s at most)
    #[arg(long, value_name = "CMD", requires = "since", value_hint = ValueHint::CommandString)]
    pub(in crate::cli) on_change: Option<String>,
    /// Append a line for each service to FILE, for parsim report --history FILE
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(in crate::cli) history: Option<PathBuf>,
}

/// What of it was typed; nothing of workloads that watch no services.
pub(in crate::cli) fn watch_options(row: &Row, matches: &ArgMatches) -> Result<WatchOptions, clap::Error> {
    if row.is_watched() { WatchOptions::from_arg_matches(matches) } else { Ok(WatchOptions::default()) }
}

const RUNS: &str = "\
DIR is the run directory of parsim parallel --workers slurm or local-dir: parsim help slurm";

/// Which run that workers do elsewhere.
#[derive(Args, Clone, Debug)]
pub(in crate::cli) struct RunFolder {
    /// The run directory
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(in crate::cli) directory: PathBuf,
}

/// The same, and from where.
#[derive(Args, Clone, Debug)]
pub(in crate::cli) struct ResumedRun {
    /// The run directory
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(in crate::cli) directory: PathBuf,
    /// Show again what was shown before
    #[arg(long)]
    pub(in crate::cli) from_start: bool,
}

/// Which script completes lines.
#[derive(Args, Clone, Debug)]
pub(in crate::cli) struct Completions {
    /// bash, zsh or fish
    #[arg(value_name = "SHELL", value_parser = ["bash", "zsh", "fish"], hide_possible_values = true)]
    pub(in crate::cli) shell: String,
}

const COMPLETIONS_USE: &str = "\
Installation:
  parsim completions bash >~/.local/share/bash-completion/completions/parsim
  parsim completions zsh >~/.zfunc/_parsim        any folder of $fpath
  parsim completions fish >~/.config/fish/completions/parsim.fish";

/// Which man pages.
#[derive(Args, Clone, Debug)]
pub(in crate::cli) struct ManPages {
    /// The page on this subcommand
    #[arg(value_name = "SUBCOMMAND", conflicts_with = "folder")]
    pub(in crate::cli) page: Option<String>,
    /// Write every page into DIR, which is made where it is missing
    #[arg(long = "out-dir", value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(in crate::cli) folder: Option<PathBuf>,
}

const MAN_EXAMPLES: &str = "\
Examples:
  parsim man | man -l -                parsim(1)
  parsim man parallel | man -l -       parsim-parallel(1)
  parsim man --out-dir ~/.local/share/man/man1";

/// Batches have it for jobs here, too; workloads on a cluster only.
const OF_NODES: &str = "threads-per-job";

/// The sections of what several subcommands have, as their help shows them.
const SHARED: [(&OptionSection, &str); 8] = [
    (&MEASURING, "How to run it"),
    (&RUNNING, "How to run it"),
    (&HOSTS, "Other machines"),
    (&CLUSTER, "On a cluster"),
    (&PROGRESS, "Report"),
    (&PICTURES, "Report"),
    (&RECORDS, "Report"),
    (&GATES, "Report"),
];

/// `command` with the options of the table that `scope` has.
fn shared(command: Command, scope: Scope) -> Command {
    let options = SHARED.iter().flat_map(|(section, heading)| options(section, scope, heading));
    command.args(options.map(|option| {
        let help = option.get_help().map(ToString::to_string).unwrap_or_default();
        let takes_value = option.get_action().takes_values();
        let option = option.help(capitalised(&help));
        // They would take half of the screen that -h has.
        let mut elsewhere = HOSTS.rows().chain(CLUSTER.rows()).filter(|row| row.scope.has(scope));
        let is_brief =
            option.get_long() != Some(OF_NODES) && elsewhere.all(|row| row.long() != option.get_long());
        let option = option.hide_short_help(!is_brief);
        if takes_value { option.num_args(1).allow_negative_numbers(true) } else { option }
    }))
}

pub(super) fn options(
    section: &'static OptionSection,
    scope: Scope,
    heading: &'static str,
) -> impl Iterator<Item = Arg> {
    section.rows().filter(move |row| row.is_told(scope)).map(move |row| arg(row, scope).help_heading(heading))
}

/// What stands for the value of an option that may be given several times.
const REPEATED: [&str; 2] = ["ARG", "HOSTS"];

/// The option of a row.
pub(super) fn arg(row: &'static OptionRow, scope: Scope) -> Arg {
    let mut arg = Arg::new(row.names[0]).help(row.help(scope).replace('\n', " "));
    arg = arg.short(row.letter().and_then(|letter| letter.chars().next()));
    arg = arg.long(row.long()).aliases(row.names.iter().skip(1).filter(|name| name.len() > 1));
    if row.value.is_empty() {
        return arg.action(ArgAction::SetTrue);
    }
    arg = arg.value_name(row.value).value_hint(hint(row.value));
    arg = match row.value {
        "WHEN" => {
            let when = PossibleValuesParser::new(When::ALL.map(|(name, _)| name));
            arg.value_parser(when.map(OsString::from)).hide_possible_values(true)
        }
        "WHO" => {
            let who = Workers::abouts().map(|(name, about)| PossibleValue::new(name).help(about));
            arg.value_parser(PossibleValuesParser::new(who).map(OsString::from))
        }
        _ => arg.value_parser(OsStringValueParser::new().try_map(move |value| checked(row, value))),
    };
    match row.does {
        Does::AfterEquals(_) => arg.num_args(0..=1).require_equals(true),
        Does::Words(count, _) => arg.num_args(count).value_names(row.value.split(' ')),
        // It may be given again.
        _ if REPEATED.contains(&row.value) => arg.action(ArgAction::Append).allow_hyphen_values(true),
        Does::MaybeWhen(_) if Scope::BATCH.has(scope) => arg.num_args(0..=1).require_equals(true),
        _ => arg,
    }
}

/// `value`, if the option of `row` takes it.
fn checked(row: &OptionRow, value: OsString) -> Result<OsString, String> {
    let mut typed = Typed::default();
    row.does.store(&mut typed, Some(&value))?;
    typed.run.jobs.map_or(Ok(()), |jobs| jobs.check_widths())?;
    Ok(value)
}

/// What was typed of the options that several subcommands have.
pub(in crate::cli) fn shared_of(matches: &ArgMatches) -> Typed {
    let mut typed = Typed::default();
    // Batches have options of the same names.
    let is_shared = |row: &&OptionRow| row.scope.has(Scope::WORKLOAD) || row.scope.has(Scope::REPORT);
    for row in SHARED.iter().flat_map(|(section, _)| section.rows()).filter(is_shared) {
        let name = row.names[0];
        if matches.try_contains_id(name).is_err()
            || matches.value_source(name) != Some(ValueSource::CommandLine)
        {
            continue;
        }
        let raw = matches.try_get_raw(name).ok().flatten().into_iter().flatten();
        for word in raw.take(if REPEATED.contains(&row.value) { usize::MAX } else { 1 }) {
            let value = Some(word).filter(|_| !row.value.is_empty());
            typed.given.push(row.given(&row.shown()));
            row.does.store(&mut typed, value).expect("it was checked when it was parsed");
        }
        typed.given.push(row.given(&row.shown()));
    }
    typed
}

/// What a shell may offer for a value of this name.
fn hint(name: &str) -> ValueHint {
    match name {
        "FILE" => ValueHint::FilePath,
        "DIR" => ValueHint::DirPath,
        "OUT" | "GLOB" => ValueHint::AnyPath,
        "PATH" => ValueHint::ExecutablePath,
        "CMD" => ValueHint::CommandString,
        // Its values are known.
        "WHEN" | "WHO" => ValueHint::Unknown,
        _ => ValueHint::Other,
    }
}

fn capitalised(text: &str) -> String {
    let mut rest = text.chars();
    rest.next().map_or_else(String::new, |first| first.to_uppercase().chain(rest).collect())
}
