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
//! | `find` | one replacement string at one place of a text |
//! | `shape` | the strings of `--plus` that hold a text of the user's |
//! | `pattern` | Perl's substitutions on top of the `regex` crate |
//! | `form` | what a replacement string makes of one value |
//! | `piece` | pieces, positions and a job's numbers |
//! | `counts` | how many slots and jobs there are, for those numbers |
//! | `group` | which pieces are repeated together |
//! | `walk` | the order in which a job's pieces come out |
//! | `quote` | the quoting of one value, shell by shell |
//! | `line` | a job's line, quoted in three ways |
//! | `render` | a template as a whole |
//! | `pack` | the length of a line that values are still added to |
//! | `measure` | what a piece of a line weighs |
//! | `direct` | a job's argument vector, made without a shell |
//! | `shell_builtins` | the words that only a shell can run |

mod counts;
mod direct;
mod find;
mod form;
mod group;
mod line;
mod measure;
mod pack;
mod parse;
mod pattern;
mod piece;
mod quote;
mod render;
mod replacements;
mod shape;
mod shell_builtins;
#[cfg(test)]
mod tests;
mod walk;

pub use counts::Counts;
pub use direct::Direct;
pub use pack::Packer;
pub use parse::Unsupported;
pub use piece::Numbers;
pub use quote::{Dialect, quote, quoted_len};
pub use render::{Quoting, Template};
pub use replacements::{Name, Options};
