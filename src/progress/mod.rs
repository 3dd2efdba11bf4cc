//! Events drawn for a person while the work goes on: a bar on a terminal,
//! plain lines elsewhere, or nothing. Always on stderr.
//!
//! Knows events only. Lines are drawn when something happens; a bar also shows
//! that time passes, which takes a thread that sleeps. A batch, which has one
//! that attends to signals, is noted by a [`Board`] and shown by a [`Meter`].

mod bar;
mod board;
mod meter;
mod plain;

pub use bar::Bar;
pub use board::{Board, RunningTask, Standing};
pub use meter::Meter;
pub use plain::Plain;

use std::io::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::event::{Event, Observer, Unobserved};
use crate::process;

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
    let inner: Box<dyn Observer> = match show {
        Show::Bar => Box::new(Bar::default()),
        Show::Lines(interval) => Box::new(Plain::every(interval)),
        Show::Nothing => Box::new(Unobserved),
    };
    Box::new(Telling { inner, told: AtomicBool::new(false) })
}

/// That fewer slots run than were wanted.
#[must_use]
pub fn fewer_slots(slots: usize, wanted: usize, why: &str) -> String {
    format!("running {slots} at a time, not {wanted}: {why}")
}

/// That tasks wait to be started.
fn start_held_up(why: &str) -> String {
    format!("{why}: jobs wait until others have ended (a smaller -j needs less; see ulimit -u and -n)")
}

/// Tells what is to be known even where no progress is shown.
struct Telling {
    inner: Box<dyn Observer>,
    /// Whether it was told that tasks wait to be started.
    told: AtomicBool,
}

impl Observer for Telling {
    fn observe(&self, event: &Event<'_>) {
        let told = match *event {
            Event::FewerSlots { slots, wanted, why } => Some(fewer_slots(slots, wanted, why)),
            Event::StartHeldUp { why } if !self.told.swap(true, Ordering::Relaxed) => {
                Some(start_held_up(why))
            }
            _ => None,
        };
        if let Some(told) = told {
            // With stderr closed there is nobody left to tell.
            let _ = writeln!(process::stderr(), "parsim: {told}");
        }
        self.inner.observe(event);
    }
}
