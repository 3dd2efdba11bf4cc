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
//! | `command` | a program's place in PATH, its arguments and environment; why it could not be started |
//! | `job` | what can be asked for, [`Job`]; who takes its output, [`Listener`]; and what is reported, [`Report`] |
//! | `job_runner` | a job from its start to its report |
//! | `running` | what runs now; orders from other threads; time limits, which a pause shifts |
//! | `spawn`, `vfork` | starting a process, as fast as the system allows |
//! | `event_loop` | the poll loop |
//! | `pipes` | a job's descriptors: reading its output, live, paused, drained; writing to its input |
//! | `stops` | a job that has the terminal, or asks for it in vain |
//! | `killing` | a kill sequence, and one on its way |
//! | `guard` | a process that ends jobs when this one cannot |
//! | `canary` | one that is killed first where a batch system kills all of them, one by one |
//! | `reap` | how a process ended, what it used, and whether memory had run out |
//! | `witness`, `awaited`, `quota` | where ways are compared, what a job waits for: when it is looked at; what /proc shows; what holds its control group back |

mod awaited;
mod canary;
mod command;
mod event_loop;
mod guard;
mod job;
mod job_runner;
mod killing;
mod pipes;
mod quota;
mod reap;
mod running;
mod spawn;
mod stops;
#[cfg(test)]
mod tests;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod vfork;
mod witness;

pub use self::awaited::Awaited;
pub use self::command::{Command, StartError, inherited_environment, resolve, through_shell};
pub use self::guard::Guard;
pub use self::job::{Cause, Flow, Job, JobStdin, JobStdout, JobStream, Listener, Report, Stop};
pub use self::job_runner::JobRunner;
pub use self::killing::TermSequence;
pub use self::reap::{ChildUsage, ProcessEnd};
pub use self::running::RunningJobs;
pub use self::witness::Seen;
