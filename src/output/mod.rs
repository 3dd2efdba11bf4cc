//! Between tasks that run side by side and a place that takes bytes one after
//! another.
//!
//! [`Ordered`] lets every task write at once and keeps what has to wait (memory
//! first, then one spill file). [`Grouped`] hands a task's output on when it
//! ends, [`Lines`] line by line. [`HeadCapture`] keeps the beginning for a report,
//! [`RetryBuffer`] what a task wrote until it is known that this was its last try.
//! [`Recording`] puts aside what a run writes, and an [`OutputCopy`] tells how that
//! differs from what another run wrote. None knows what the bytes mean.
//!
//! [`JobLog`] and [`JsonLines`] put down what became of each task, a row at a
//! time ([`RowFile`]); [`ResultFiles`] and [`ResultTable`] take output that is not shown.

mod grouped;
mod head_capture;
#[cfg(feature = "cli")]
mod journals;
#[cfg(test)]
mod kept;
mod lines;
mod ordered;
mod output_copy;
mod recording;
#[cfg(feature = "cli")]
mod result_files;
#[cfg(feature = "cli")]
mod result_place;
#[cfg(feature = "cli")]
mod result_table;
mod retry_buffer;
#[cfg(feature = "cli")]
mod row_file;
mod spill_buffer;
mod traits;

pub use grouped::Grouped;
pub use head_capture::HeadCapture;
#[cfg(feature = "cli")]
pub use journals::{JobLog, JsonLines};
#[cfg(test)]
pub use kept::Kept;
pub use lines::Lines;
pub use ordered::Ordered;
pub use output_copy::OutputCopy;
pub use recording::Recording;
#[cfg(feature = "cli")]
pub use result_files::{FailureTails, ResultFiles};
#[cfg(feature = "cli")]
pub use result_place::{ResultColumns, ResultPlace};
#[cfg(feature = "cli")]
pub use result_table::{HeadedRows, ResultTable, RowsToFile, TableForm};
pub use retry_buffer::RetryBuffer;
#[cfg(feature = "cli")]
pub use row_file::{EarlierRows, RowFile, RowsEnd};
pub use spill_buffer::{SpillFile, Spilled, WAITING_OUTPUT};
#[cfg(test)]
pub(crate) use traits::tests as traits_tests;
pub use traits::{Acknowledge, Channel, Destination, Sink, TaskOutput, TaskRef, Wake, handed_on};
