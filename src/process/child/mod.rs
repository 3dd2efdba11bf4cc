//! Children: a command is started, its output handed on as it comes, its own
//! resource usage collected, and its whole process group killed when asked to.
//!
//! ```text
//! Running (one a run) -> Worker (one a thread) -> run(Job, Listener) -> Report
//!     terminate, kill_now, pause, resume, signal: from any thread, at any time
//! ```
//!
//! Each job leads a process group of its own. A worker waits in one `poll()`,
//! without an interval, for the job's two pipes, its input, its end, and its
//! own [`Waker`]. A job ends when its *process* ends: what its pipes hold by
//! then is read, and what background processes write later is dropped. They are
//! left alone, unless the job was killed: then no member of its group survives.
//!
//! Knows nothing of tasks, templates, order of output or the terminal.
//!
//! | file | what it knows |
//! |---|---|
//! | `command` | what can be asked for: [`Command`], [`Job`] |
//! | `argv` | arguments and environments made of other ones |
//! | `resolve` | a program's place in PATH |
//! | `worker` | a job from its start to its report |
//! | `listener` | how a job's bytes reach the caller: [`Listener`], [`Flow`] |
//! | `running`, `running_job` | what runs now; orders from other threads |
//! | `clock` | time limits, which a pause shifts |
//! | `streams` | the ends of a job's descriptors |
//! | `spawn` | starting a process: `vfork` (Linux) or `portable` (std) |
//! | `event_loop` | the poll loop |
//! | `output` | reading a pipe: live, paused, drained |
//! | `feed` | writing to the job's standard input |
//! | `foreground` | a job that has the terminal |
//! | `stops` | a job that asks for it in vain |
//! | `killing` | a kill sequence on its way; `sequence` its steps; `group` its survivors |
//! | `reap` | how a process ended and what it used |
//! | `oom` | whether the kernel killed for lack of memory |
//! | `waker`, `descriptor`, `signal` | the few system calls that std lacks |

mod argv;
mod clock;
mod command;
mod descriptor;
mod error;
mod event_loop;
mod feed;
mod foreground;
mod group;
mod killing;
mod listener;
mod oom;
mod output;
mod portable;
mod reap;
mod resolve;
mod running;
mod running_job;
mod sequence;
mod signal;
mod spawn;
mod stops;
mod streams;
#[cfg(test)]
mod tests;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod vfork;
mod waker;
mod worker;

pub use argv::{inherited_environment, through_shell};
pub use command::{Command, Job, Stdin, Stdout};
pub use descriptor::widen;
pub use error::StartError;
pub use event_loop::Broken;
pub use killing::Cause;
pub use listener::{Channel, Flow, Listener, Stop, Woken};
pub use reap::{Ended, Usage};
pub use resolve::resolve;
pub use running::Running;
pub use sequence::TermSequence;
pub(super) use stops::Stops;
pub use waker::Waker;
pub use worker::{Report, Worker};
