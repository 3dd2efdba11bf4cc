//! GNU parallel's job log: nine columns, a row for each job that ended, and what
//! an earlier log says of a batch that is run again.
//!
//! Text only: no file is opened here and no job is known. Rows are written and
//! read as GNU parallel does, so that either program goes on where the other
//! stopped.
//!
//! | file | what it does |
//! |---|---|
//! | `row` | a finished job into a row |
//! | `read` | rows, as far as they matter to a later run |
//! | `done` | which jobs of a batch are left to be run |

mod done;
mod read;
mod row;

pub use done::{Done, FoundBy, Wanted};
pub use read::{Entry, Unreadable, failed, read};
pub use row::{HEADER, Row};
