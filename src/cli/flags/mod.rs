//! What was typed: the options of every subcommand, as data.
//!
//! An option is one row of `table`: names, value, help, who has it, what it does.
//! Help, man pages, completions, suggestions and the list of what is refused come from
//! the rows. A batch's line has a parser of its own, for it is GNU parallel's: every
//! option of GNU parallel 20221122 is known, has its effect, or is accepted without
//! one, or is refused with a reason, and never is one taken for a command. Options end
//! at the first word that is none; then come the command and its input sources. Lines
//! of workloads and of `report` are clap's, which is given the rows that they have.
//!
//! Only parses: no file, environment or machine is looked at (but for PATH, where what
//! was mistyped may be a program), and what a combination of options means is decided by
//! whoever asked.
//!
//! | file | what it does |
//! |---|---|
//! | `row` | one option, and sections of them |
//! | `table/` | all options, section by section |
//! | `typed`, `meaning` | [`Typed`]: everything that was typed; what several options mean together: reading, packing, blocks |
//! | `parse` | a batch's words into options, command and sources |
//! | `command` | subcommands, and rows as clap knows options |
//! | `hyperfine`, `named` | what people type on `compare` who know hyperfine; inputs that have names |
//! | `values`, `jobs` | durations, sizes, policies; `-j` |
//! | `usage_error` | what cannot be understood, and what was perhaps meant |
//! | `help`, `generated` | what tells of the options: help; man pages, completions |

mod command;
mod generated;
pub(super) mod help;
mod hyperfine;
mod jobs;
mod meaning;
mod named;
mod parse;
mod row;
mod table;
#[cfg(test)]
mod tests;
mod typed;
mod usage_error;
mod values;

pub(super) use command::{
    BARE, Drawing, FORMAT, ResumedRun, RunFolder, VERSION, WatchOptions, Ways, command, is_subcommand,
    output_format, shared_of, watch_options,
};
pub(super) use generated::{completions, man};
pub(super) use jobs::{JobCount, JobsOption, each_once};
pub(super) use parse::parse;
pub(super) use table::makes_commands;
pub(super) use typed::{Ask, Export, Flag, Grouping, HostSource, PipeOptions, Scope, StudyOptions, Typed};
pub(super) use usage_error::one_line;
pub(super) use values::{Timeout, When};
