//! What can be typed: the subcommands and the options they share.
//!
//! Workloads and export formats come from their tables. Only parses; does not
//! know what anything means on this machine.

use std::path::PathBuf;

use clap::builder::{PossibleValue, PossibleValuesParser, StyledStr, TypedValueParser};
use clap::{Arg, Args, Command, ValueHint};

use super::jobs::JobsList;
use super::{completions, gates, help, man};
use crate::engine::{self, EngineRow};
use crate::report;
use crate::workload::{ROWS, Row};

/// The version, and which commit was built where that is known: `0.1.0 (cd0ae31 2026-11-22)`.
pub(super) const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), env!("PARSIM_COMMIT"));

/// What bare `parsim` says.
pub(super) const BARE: &str = "\
parsim runs a batch of tasks one at a time and across all logical cores, shows
what that bought in wall and CPU time, and checks that both ways agree.

  parsim csv --parallel --files 20   write 20 CSV files on all cores
  parsim csv --files 20              write them both ways, side by side
  parsim sleep                       4 tasks that wait: serial against parallel

Subcommands: serial, parallel, compare, sleep, csv-gen (csv), tap-check (tap), report, cpus,
completions, man.
More: parsim --help, parsim csv --help
";

/// The whole command line.
pub(super) fn command() -> Command {
    Command::new("parsim")
        .version(VERSION)
        .about("Runs a batch one task at a time and across all cores, shows what that bought, and checks that both ways agree")
        .after_help(format!("{}\n\n{}", help::statuses(), help::topics()))
        .subcommand_required(true)
        .subcommand(pair("serial", "Run a batch of commands one task at a time"))
        .subcommand(pair("parallel", "Run a batch of commands on all logical cores, as GNU parallel does"))
        .subcommand(Command::new("compare").about("Run a batch of commands both ways, side by side, and compare their results"))
        .subcommands(ROWS.iter().map(workload))
        .subcommand(report())
        .subcommand(Command::new("cpus").about("Tell the logical, physical and usable cores, and what decided"))
        .subcommand(completions::command())
        .subcommand(man::command())
}

fn pair(name: &'static str, about: &'static str) -> Command {
    Shared::augment_args(exports(Command::new(name))).about(about).long_about(None)
}

fn workload(row: &Row) -> Command {
    let command = Command::new(row.name)
        .visible_aliases(row.alias)
        .after_help(row.examples)
        .after_long_help(format!("{}\n\n{}", row.examples, help::statuses()));
    let command = (row.augment)(command.next_help_heading("What to do"));
    // Last, for each group of options brings its own doc comment along.
    let command = exports(Shared::augment_args(Ways::augment_args(command)));
    gates::options(command, "Exit with 103 when parallel is surely slower than serial by more than PCT %")
        .about(row.about)
        .long_about(None)
}

fn report() -> Command {
    let command = exports(Drawing::augment_args(Command::new("report")));
    gates::options(
        command,
        "Exit with 103 when parallel is surely slower than serial - of two studies, after than before - by more than PCT %",
    )
    .about("Draw a saved study again, in any format, or what changed between two")
    .long_about(None)
    .after_help(REPORT_EXAMPLES)
}

const REPORT_EXAMPLES: &str = "\
Examples:
  parsim csv --runs 5 --export-json study.json
  parsim report study.json                       the table
  parsim report study.json --export-html study.html
  parsim report before.json after.json           what changed
  parsim report before.json after.json --fail-if-slower 5

The status is 0 when it could be drawn, whatever the study says, but for the gates:
103 when one is missed, or nothing can be said because the studies are not alike.";

/// What is drawn again.
#[derive(Args, Clone, Debug)]
pub(super) struct Drawing {
    /// A study that --export-json saved (- is stdin)
    #[arg(value_name = "STUDY.json", value_hint = ValueHint::FilePath)]
    pub(super) study: PathBuf,
    /// A later study of the same work: what changed is told
    #[arg(value_name = "AFTER.json", value_hint = ValueHint::FilePath)]
    pub(super) after: Option<PathBuf>,
    /// Use colours: auto, always, never
    #[arg(long, value_name = "WHEN", default_value = "auto",
        value_parser = PossibleValuesParser::new(WHEN), hide_possible_values = true, help_heading = "Report")]
    pub(super) color: String,
    #[command(flatten)]
    pub(super) drawn: Drawn,
}

/// How pictures look where text goes.
#[derive(Args, Clone, Copy, Debug)]
pub(super) struct Drawn {
    /// Draw bars, lanes and sweeps although the report does not go to a terminal
    #[arg(long, help_heading = "Report")]
    pub(super) lanes: bool,
    /// Draw with plain ASCII only
    #[arg(long, help_heading = "Report")]
    pub(super) ascii: bool,
}

/// One option for each format that can be exported.
fn exports(command: Command) -> Command {
    let options = report::ROWS.iter().map(|row| {
        Arg::new(row.option)
            .long(row.option)
            .value_name("FILE")
            .value_hint(ValueHint::FilePath)
            .value_parser(clap::value_parser!(PathBuf))
            .help(format!("Write {} to FILE (- is stdout)", row.about))
            .help_heading("Report")
    });
    command.args(options)
}

/// Who does tasks side by side: an engine's name, or [`Workers::BOTH`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Workers(String);

impl Default for Workers {
    fn default() -> Self {
        Self(engine::ROWS[0].name.to_owned())
    }
}

impl Workers {
    /// Threads, then processes.
    const BOTH: &str = "both";

    /// The engines, in the order of their columns.
    pub(super) fn engines(&self) -> impl Iterator<Item = &'static EngineRow> {
        let (rows, all) = if self.0 == Self::BOTH { (engine::BOTH, true) } else { (engine::ROWS, false) };
        rows.iter().filter(move |row| all || row.name == self.0)
    }

    /// Whether it is what is used when nothing is said.
    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }

    fn parser() -> impl TypedValueParser<Value = Self> {
        let named = engine::ROWS.iter().map(|row| PossibleValue::new(row.name).help(row.about));
        let both = PossibleValue::new(Self::BOTH)
            .help("First the one, then the other: what starting processes and passing data costs");
        PossibleValuesParser::new(named.chain([both])).map(Self)
    }
}

/// Which ways to run.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "How to run it")]
pub(super) struct Ways {
    /// Only one task at a time
    #[arg(long)]
    pub(super) serial: bool,
    /// Only in parallel (without either: both ways, compared)
    #[arg(long)]
    pub(super) parallel: bool,
    /// Both ways, compared, where one would do
    #[arg(long)]
    pub(super) compare: bool,
    /// Who does tasks in parallel
    #[arg(long, value_name = "WHO", default_value = engine::ROWS[0].name, value_parser = Workers::parser())]
    pub(super) workers: Workers,
    /// Run each way N times, in the order A B, B A
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) runs: Option<u32>,
    /// Run each way N times first without counting it
    #[arg(long, value_name = "N", default_value_t = 0, allow_negative_numbers = true)]
    pub(super) warmup: u32,
    /// A shell command to run before each run, outside the clock (which way: `$PARSIM_WAY`)
    #[arg(long, value_name = "CMD")]
    pub(super) prepare: Option<String>,
    /// A shell command to run after each run, outside the clock (which way: `$PARSIM_WAY`)
    #[arg(long, value_name = "CMD")]
    pub(super) cleanup: Option<String>,
}

/// What every subcommand that runs something shares.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "How to run it")]
pub(super) struct Shared {
    /// Tasks at a time: N, N%, +N, -N, 0 (as many as tasks), or a list or range to sweep (1,2,4 or 1-8)
    #[arg(short, long, value_name = "N", allow_hyphen_values = true, value_parser = JobsList::parse)]
    pub(super) jobs: Option<JobsList>,
    /// Show progress: auto, always, never
    #[arg(long, value_name = "WHEN", require_equals = true, default_value = "auto",
        value_parser = PossibleValuesParser::new(WHEN), hide_possible_values = true, help_heading = "Report")]
    pub(super) progress: String,
    /// Use colours: auto, always, never
    #[arg(long, value_name = "WHEN", default_value = "auto",
        value_parser = PossibleValuesParser::new(WHEN), hide_possible_values = true, help_heading = "Report")]
    pub(super) color: String,
    #[command(flatten)]
    pub(super) drawn: Drawn,
}

const WHEN: [&str; 3] = ["auto", "always", "never"];

/// The text of `--help` or `--version`.
pub(super) fn help_text(help: &clap::Error) -> StyledStr {
    help.render()
}
