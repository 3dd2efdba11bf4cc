//! The third exercise: is each TAP service available, and since when.
//!
//! A task asks one service, over a fresh connection. What it found out is in the
//! record's facts, the time of each phase in its spans; a service that is not up
//! is a failed task. Nothing is printed here.

#[cfg(feature = "net")]
mod check;
#[cfg(feature = "net")]
mod demo;
mod finding;
#[cfg(feature = "net")]
mod judge;
#[cfg(feature = "net")]
mod options;
#[cfg(feature = "net")]
mod per_host;
#[cfg(feature = "net")]
mod services;
#[cfg(feature = "net")]
mod workload;

pub use finding::{Class, Finding, Verdict, Warning};
#[cfg(feature = "net")]
pub use options::TapOptions;
#[cfg(feature = "net")]
pub use workload::{ROW, TapCheck};
