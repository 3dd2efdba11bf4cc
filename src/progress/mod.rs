//! Events shown to a person while the work goes on, always on stderr: a bar on a
//! terminal, lines elsewhere, or nothing.
//!
//! Knows events only. [`ProgressState`] takes note of them, `eta` says when it may be
//! over, `line` puts that into words, [`ProgressDisplay`] draws them, and says at once
//! what is to be said at once.

mod display;
mod eta;
mod line;
mod screen;
mod state;

pub use display::{NO_DESCRIPTORS, ProgressDisplay, RunProgress, Show, fewer_slots};
pub use screen::TerminalSize;
pub use state::{ProgressState, Snapshot};
