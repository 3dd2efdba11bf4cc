//! Events shown to a person while the work goes on, always on stderr: a bar on a
//! terminal, lines elsewhere, or nothing.
//!
//! Knows events only. [`ProgressState`] takes note of them, [`ProgressDisplay`]
//! draws that, and says at once what is to be said at once.

mod display;
mod state;

pub use display::{NO_DESCRIPTORS, ProgressDisplay, Show, fewer_slots, observer};
pub use state::{ProgressState, Snapshot};
