//! Children: a command is started, its output handed on as it comes, its own
//! resource usage collected, and its whole process group killed when asked to.
//!
//! ```text
//! RunningJobs (one a run) -> JobRunner (one a thread) -> run(Job, Listener) -> Report
//!     terminate, kill_now, pause, resume, signal: from any thread, at any time
//! ```
//!
//! Each job leads a process group of its own. A runner waits in one `poll()`,
//! without an interval, for the job's two pipes, its input, its end, and its
//! own [`Waker`](super::Waker). A job ends when its *process* ends: what its pipes hold by
//! then is read, and what background processes write later is dropped. They are
//! left alone, unless the job was killed: then no member of its group survives.
//!
//! Knows nothing of tasks, templates, order of output or the terminal.
//!
//! | file | what it knows |
//! |---|---|
//! | `job` | what can be asked for, [`Command`] and [`Job`], and what is reported, [`Report`] |
//! | `argv` | arguments and environments made of other ones |
//! | `resolve`, `start_error` | a program's place in PATH; why a job could not be started |
//! | `job_runner` | a job from its start to its report |
//! | `listener` | how a job's bytes reach the caller: [`Listener`], [`Flow`] |
//! | `running` | what runs now; orders from other threads |
//! | `job_clock` | time limits, which a pause shifts |
//! | `spawn`, `vfork` | starting a process, as fast as the system allows |
//! | `event_loop` | the poll loop |
//! | `pipes` | reading a job's output: live, paused, drained; writing to its input |
//! | `stops` | a job that has the terminal, or asks for it in vain |
//! | `killing`, `term_sequence` | a kill sequence on its way; its steps |
//! | `reap` | how a process ended and what it used |
//! | `witness`, `awaited`, `quota` | where ways are compared, what a job waits for: when it is looked at; what /proc shows; what holds its control group back |
//! | `oom` | whether the kernel killed for lack of memory |

mod argv;
mod awaited;
mod event_loop;
mod job;
mod job_clock;
mod job_runner;
mod killing;
mod listener;
mod oom;
mod pipes;
mod quota;
mod reap;
mod resolve;
mod running;
mod spawn;
mod start_error;
mod stops;
mod term_sequence;
#[cfg(test)]
mod tests;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod vfork;
mod witness;

pub use self::argv::{inherited_environment, through_shell};
pub use self::awaited::Awaited;
pub use self::job::{Cause, Command, Job, JobStdin, JobStdout, Report};
pub use self::job_runner::JobRunner;
pub use self::listener::{Flow, JobStream, Listener, Stop};
pub use self::reap::{ChildUsage, ProcessEnd};
pub use self::resolve::resolve;
pub use self::running::RunningJobs;
pub use self::start_error::StartError;
pub use self::term_sequence::TermSequence;
pub use self::witness::Seen;
