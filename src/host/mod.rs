//! What machine this is, and how many of its cores this process may use.
//!
//! Reads /proc, /sys and the variables of batch systems; does not know what the cores are for,
//! nor what the user asked for with `-j`. What a system does not tell is None, never a guess.

mod cgroup;
mod cores;
mod describe;
mod limits;
mod room;
mod run_queue;
mod surroundings;
mod system;

pub use cores::{Cores, sockets};
pub use describe::Host;
pub use limits::Limits;
pub use room::{STACK, SlotRoom};
pub use run_queue::{RunQueue, RunQueueWatch};
pub use surroundings::{
    Surroundings, SurroundingsWatch, available_memory, most_mappings, running_threads, swapped_pages,
};
