//! One pass over a batch: what is shared while it lasts, and how one task is
//! done.
//!
//! Knows neither how many threads there are nor what is done with the records.

mod halt;
mod one;
mod queue;
mod throttle;

use std::time::Duration;

pub use halt::Then;
pub use one::{Worker, run_one};
pub use queue::{Closing, RecordSink, TaskQueue, Ticket};

use crate::event::Observer;
use crate::interrupt::Interrupt;
use crate::measure::Clock;
use crate::output::Sink;
use crate::record::Way;
use crate::start_order::StartOrder;

/// Everything that the tasks of one pass share.
pub struct Run<'a> {
    /// How the batch is run.
    pub way: Way,
    /// The tasks and what became of them.
    pub batch: TaskQueue<'a>,
    /// Who starts before whom.
    pub start_order: StartOrder,
    /// Where outputs go.
    pub sink: &'a dyn Sink,
    /// Whether outputs are digested, for a comparison of ways.
    pub digested: bool,
    /// The clock of all durations.
    pub clock: &'a dyn Clock,
    /// The clock's time at the start of this run.
    pub started: Duration,
    /// When to stop early.
    pub interrupt: &'a Interrupt,
    /// Who hears of what happens.
    pub observer: &'a dyn Observer,
}
