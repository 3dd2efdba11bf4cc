//! Results of jobs in files of their own, or in one table: `--results`, `--files`.
//!
//! Knows where a job's output goes and in which form, not what is shown.
//!
//! | file | what it does |
//! |---|---|
//! | `place` | the names of a job's files, safe whatever its values are |
//! | `files` | output into these files |
//! | `table` | output and what became of the job into a row |
//! | `cells` | how a row is written: CSV, TSV, JSON |
//! | `failure_tails` | the last of what failed jobs had to say |

mod cells;
mod failure_tails;
mod files;
mod place;
mod table;

pub use failure_tails::FailureTails;
pub use files::ResultFiles;
pub use place::{Columns, Place};
pub use table::{Form, Headed, Table, ToFile};
