//! Command templates: replacement strings, shell quoting, packing many values
//! into one line, and whether a line needs a shell at all.
//!
//! Everything follows GNU parallel 20221122 byte for byte where it can. Text
//! only: this folder knows no process, no PATH, no environment and no input.
//!
//! | file | what it knows |
//! |---|---|
//! | `replacements` | which replacement strings exist, and under which names |
//! | `parse` | how a command's words become pieces |
//! | `form` | what a string makes of one value; Perl's substitutions on top of the `regex` crate |
//! | `piece` | pieces, and which of them are repeated together |
//! | `numbers` | a job's numbers, and how many slots and jobs there are |
//! | `quote` | the quoting of one value, shell by shell |
//! | `render` | a template as a whole, and a job's line: its pieces in order, quoted in three ways |
//! | `any_slot` | a job's line for whoever knows its slot, and nothing of templates |
//! | `growing_line` | the length of a line that values are still added to |
//! | `direct_command` | a job's argument vector, made without a shell; the words that only a shell can run |

mod any_slot;
mod direct_command;
mod form;
mod growing_line;
mod numbers;
mod parse;
mod piece;
mod quote;
mod render;
mod replacements;
#[cfg(test)]
mod tests;

pub use direct_command::DirectCommand;
pub use growing_line::GrowingLine;
pub use numbers::{Counts, Numbers};
pub use parse::Unsupported;
pub use quote::{Dialect, quote};
pub use render::{Quoting, Template};
pub use replacements::{ReplacementName, TemplateOptions};
