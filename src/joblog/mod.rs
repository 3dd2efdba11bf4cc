//! GNU parallel's job log: nine columns, a row for each job that ended, and what
//! an earlier log says of a batch that is run again.
//!
//! Text only: no file is opened here and no job is known. Rows are written and
//! read as GNU parallel does, so that either program goes on where the other
//! stopped.
//!
//! | file | what it does |
//! |---|---|
//! | `row` | rows: a finished job as one, and what matters of them to a later run |
//! | `logged_jobs` | which jobs of a batch are left to be run |

mod logged_jobs;
mod row;

pub use logged_jobs::{FoundBy, LoggedJobs, ResumeJobs};
pub use row::{HEADER, JobLogRow, Unreadable, failed};
