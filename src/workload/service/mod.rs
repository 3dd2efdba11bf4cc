//! What workloads have in common that ask services over the network: lists of services,
//! how they are asked, how many at a time of a host and how often, what any answer says of itself,
//! and services inside parsim for lessons without a network.
//!
//! A task asks one service and leaves a [`crate::task::Finding`]; the time of each phase
//! is in its spans. Knows nothing of what is asked, nor of how findings are shown.

mod demo;
mod judge;
mod limit;
mod list;
mod list_table;
mod pace;
mod threshold;
mod transport;

pub use demo::{DemoRequest, DemoServer};
pub use judge::{
    asks_for_login, bare_status_line, class_of, fail, in_words, is_missing, is_success, kept_by_proxy,
    no_document, one_line, read, short, status_line,
};
pub use list::{Service, services};
pub use list_table::{ListTable, read_list};
pub use pace::{HostPace, PaceOptions, Reception};
pub use threshold::Thresholds;
pub use transport::{Attempt, HttpTransport, TransportOptions};
