//! Events shown to a person while the work goes on, always on stderr: a bar on a
//! terminal, lines elsewhere, or nothing.
//!
//! Knows events only. [`ProgressState`] takes note of them, [`ProgressDisplay`]
//! draws that; `notice` has what is to be said at once, whatever is shown.

mod display;
mod notice;
mod state;

pub use display::{ProgressDisplay, Show, observer};
pub use notice::{NO_DESCRIPTORS, fewer_slots};
pub use state::ProgressState;
