//! GNU parallel's command line: what was typed after `serial`, `parallel` or
//! `compare`, as data.
//!
//! Every option of GNU parallel 20221122 is known: it has its effect, or is
//! accepted without one, or is refused with a reason; never is one taken for a
//! command. parsim's own options stand beside them. Options end at the first
//! word that is none; then come the command and its input sources.
//!
//! Only parses: no file, environment or machine is looked at, and what a
//! combination of options means is decided by whoever asked.
//!
//! | file | what it does |
//! |---|---|
//! | `typed` | [`Typed`]: everything that was typed |
//! | `meaning` | what several options mean together: reading, packing, blocks |
//! | `values` | durations, sizes, policies |
//! | `parse` | words into options, command and sources |
//! | `option` | one option: names, what it takes, what it does |
//! | `table/` | all options, by topic |
//! | `escapes` | those of `--tagstring` |
//! | `error` | what cannot be understood, and what was perhaps meant |

mod error;
mod escapes;
mod meaning;
mod option;
mod parse;
mod table;
#[cfg(test)]
mod tests;
mod typed;
mod values;

pub use error::UsageError;
pub use parse::parse;
pub use typed::{
    Ask, Color, Export, Flag, Flags, Grouping, InputOptions, OutputOptions, PipeOptions, Replacements,
    RunOptions, StudyOptions, Typed,
};
pub use values::{Jobs, TermStep, Timeout, When};
