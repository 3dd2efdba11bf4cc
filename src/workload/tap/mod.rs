//! The third exercise: is each TAP service available, and since when.
//!
//! A task asks one service, over a fresh connection. What it found out is its record's
//! finding, the time of each phase is in its spans; a service that is not up is a
//! failed task. Nothing is printed here.

mod availability;
mod check;
mod demo;
mod options;
mod workload;

pub use options::TapOptions;
pub use workload::{ROW, TapCheck};
