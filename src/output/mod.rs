//! Between tasks that run side by side and a place that takes bytes one after
//! another.
//!
//! [`Ordered`] lets every task write at once and keeps what has to wait (memory
//! first, then one spill file). [`Grouped`] hands a task's output on when it
//! ends, [`Lines`] line by line. [`HeadCapture`] keeps the beginning for a report,
//! [`RetryBuffer`] what a task wrote until it is known that this was its last try.
//! [`Recording`] puts aside what one run writes and [`Comparing`] compares another
//! with it. None knows what the bytes mean.
//!
//! [`JobLog`] and [`JsonLines`] put down what became of each task, a row at a
//! time ([`Rows`]); [`ResultFiles`] and [`Table`] take output that is not shown.

mod early;
mod grouped;
mod head_capture;
mod journals;
mod kept;
mod lines;
mod ordered;
mod reference;
mod results;
mod retry_buffer;
mod rows;
mod spill;
mod start_grace;
mod traits;
pub mod unnamed_file;

pub use grouped::Grouped;
pub use head_capture::HeadCapture;
pub use journals::{JobLog, JsonLines};
pub use kept::Kept;
pub use lines::Lines;
pub use ordered::Ordered;
pub use reference::{Comparing, Recording, Reference};
pub use results::{Columns, FailureTails, Form, Headed, Place, ResultFiles, Table, ToFile};
pub use retry_buffer::RetryBuffer;
pub use rows::{Earlier, Ends, Rows};
#[cfg(test)]
pub(crate) use traits::tests as traits_tests;
pub use traits::{Acknowledge, Channel, Destination, Outlet, Sink, TaskOutput, TaskRef, Wake, handed_on};
