//! Between tasks that run side by side and a place that takes bytes one after
//! another.
//!
//! [`Ordered`] lets every task write at once and keeps what has to wait (memory
//! first, then one spill file). [`Grouped`] hands a task's output on when it
//! ends, [`Lines`] line by line. [`Heads`] keeps the beginning for a report,
//! [`Held`] what a task wrote until it is known that this was its last try.
//! [`Recording`] puts aside what one run writes and [`Comparing`] compares another
//! with it. None knows what the bytes mean.
//!
//! [`JobLog`] and [`JsonLines`] put down what became of each task, a row at a
//! time ([`Rows`]); [`ResultFiles`] and [`Table`] take output that is not shown.

mod early;
mod grouped;
mod heads;
mod held;
mod journals;
mod kept;
mod lines;
mod opened;
mod ordered;
mod reference;
mod results;
mod rows;
mod spill;

pub use grouped::Grouped;
pub use heads::Heads;
pub use held::Held;
pub use journals::{JobLog, JsonLines};
pub use kept::Kept;
pub use lines::Lines;
pub use ordered::Ordered;
pub use reference::{Comparing, Recording, Reference};
pub use results::{Columns, Form, Headed, Place, ResultFiles, Table, Tails, ToFile};
pub use rows::{Earlier, Ends, Rows};
