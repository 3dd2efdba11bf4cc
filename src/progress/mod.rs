//! Events drawn for a person while the work goes on: a bar on a terminal,
//! plain lines elsewhere, or nothing. Always on stderr.
//!
//! Knows events only. Lines are drawn when something happens; a bar also shows
//! that time passes, which takes a thread that sleeps. A batch, which has one
//! that attends to signals, is noted by a [`Board`] and shown by a [`Meter`].

mod bar;
mod board;
mod meter;
mod notice;
mod plain;

pub use bar::Bar;
pub use board::{Board, RunningTask, Standing};
pub use meter::Meter;
pub use notice::{NO_DESCRIPTORS, fewer_slots};
pub use plain::Plain;

use std::time::Duration;

use crate::event::Observer;

/// Fewer bytes than this are results, not a stream to be told the rate of.
const WORTH_A_RATE: u64 = 1_000_000;

/// How progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Show {
    /// A bar that is drawn over itself.
    Bar,
    /// A line at most once in this long.
    Lines(Duration),
    /// Nothing.
    Nothing,
}

/// The observer that shows progress as asked for.
#[must_use]
pub fn observer(show: Show) -> Box<dyn Observer> {
    match show {
        Show::Bar => Box::new(Bar::default()),
        Show::Lines(interval) => Box::new(Plain::every(interval)),
        Show::Nothing => Box::new(notice::Quiet),
    }
}
