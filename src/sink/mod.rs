//! Between tasks that finish in any order and a place that takes bytes in
//! input order.
//!
//! Two forms of the same promise. [`Ordered`] lets every task write at once
//! and keeps what has to wait (memory first, then one spill file): for output
//! that is collected. [`Turns`] makes a task wait for its turn: for pieces of
//! one file, where an error must reach the piece that caused it.
//! Neither knows what the bytes mean.

mod kept;
mod ordered;
mod spill;
mod turns;

pub use kept::Kept;
pub use ordered::Ordered;
pub use turns::Turns;
