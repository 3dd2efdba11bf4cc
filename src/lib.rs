//! parsim runs a batch of tasks one at a time and across all logical cores,
//! shows what that bought in wall and CPU time side by side, and checks that
//! both ways gave the same results.
//!
//! The program is a thin shell around this library. A program of your own runs
//! its own workload both ways like this:
//!
//! ```
//! use parsim::prelude::*;
//!
//! struct Squares;
//!
//! impl Workload for Squares {
//!     fn name(&self) -> &str { "squares" }
//!     fn tasks(&self) -> Tasks<'_> { numbered(8) }
//!     fn run(&self, task: &Task, cx: &mut Cx<'_>) -> Outcome {
//!         Outcome::from(cx.write((task.seq * task.seq).to_string().as_bytes()))
//!     }
//! }
//!
//! # fn main() -> anyhow::Result<()> {
//! let study = Experiment::new(&mut Squares)?.run()?;
//! assert!(study.agrees());
//! println!("{}", report::text::plain(&study));
//! # Ok(())
//! # }
//! ```
//!
//! # How data flows
//!
//! ```text
//! argv -> Cli (what was typed) -> Plan (what it means)
//!      -> Experiment ( runs x [ Workload x Engine -> Record* ] ) -> Study -> report bytes
//!                                      \-> Event (sideways) -> progress
//! ```
//!
//! 1. An executor decides only *where and when*; a workload only *what*. Serial
//!    and parallel are the same code path.
//! 2. A failed task is data ([`task::Outcome`]), never `Err`. `Err` means that
//!    parsim itself could not do its job.
//! 3. Reports are pure functions of a [`study::Study`]. The terminal is known in
//!    one place (`cli::term`). Workers never print.
//! 4. Bytes that a task produces go to a writer as they come.
//! 5. Serial and parallel are compared by what tasks *produced*, by task number;
//!    files are read back after the clock has stopped.
//!
//! # Floors
//!
//! A file may use only floors below its own; a test reads the imports and fails
//! otherwise.
//!
//! | floor | modules | what they know |
//! |---|---|---|
//! | 9 | `main.rs` | how the process ends |
//! | 8 | `cli` | argv, environment, terminal, exit status |
//! | 7 | [`experiment`] | the order of runs, what is inside the clock, when to save |
//! | 6 | `engine` | where and when tasks run: serial, pool, worker processes, mock; one pass over a batch: slots, input order, a task's clocks |
//! | 6 | [`report`] | a study, or what changed between two, as text, JSON, CSV, Markdown, a page with pictures, `JUnit`'s XML, a trace; the table is computed once as cells |
//! | 6 | `progress` | events drawn as a bar or as lines |
//! | 5 | [`workload`] | what tasks do: `sleep`, `csv`, `tap`, `command` |
//! | 4 | `output` | the traits between a task and who takes its bytes; output put in order: streamed, grouped, kept, spilled; job logs and files of results |
//! | 4 | [`study`] | speed-up, intervals, scaling, agreement, the sentence: arithmetic only |
//! | 3 | `event` | the traits between floors: who hears |
//! | 2 | [`task`] | plain data: tasks, outcomes, what was measured |
//! | 2 | `policy` | plain data: when tasks start, are tried again, are given up |
//! | 2 | `inputs`, `template` | a batch's arguments, read as they come; command lines with replacement strings |
//! | 2 | `host` | the machine: usable cores and what decided, what else it does meanwhile |
//! | 2 | `http` | one HTTP request at a time, with the time of each phase |
//! | 2 | `whole_file` | files that are whole or absent |
//! | 1 | `format`, `joblog`, `measure`, `mismatch`, `numpy`, `process`, `style`, `temporary`, [`vo`] | one thing each, nothing of parsim |
//! | 0 | `sync` | locks that a panic does not poison |
//!
//! A new workload, executor or report format is one new file and a row in its
//! folder's `mod.rs`.
//!
//! # What holds everywhere
//!
//! - Only `engine/lifecycle.rs` reads a task's clocks (named spans within it: `workload::Cx`),
//!   only `experiment/` a run's. What it takes to start and to feed worker processes
//!   is read where that is done (`engine/remote`).
//! - No workload starts a thread or calls rayon: a serial run has one thread. (A
//!   name is looked up beside the task that waits for it; `--demo` has its servers.)
//! - `unsafe` is in `process`, `measure` and `numpy::wide` only.
//! - A file that parsim writes is whole or absent (`whole_file`).

#![expect(dead_code, unused_imports, reason = "what hid behind `pub` is being cleared out")]

mod cli;
mod engine;
mod event;
pub mod experiment;
mod format;
mod host;
#[cfg(feature = "net")]
mod http;
mod inputs;
mod joblog;
mod measure;
mod mismatch;
mod numpy;
mod output;
mod policy;
mod process;
mod progress;
pub mod report;
pub mod study;
mod style;
mod sync;
pub mod task;
mod template;
mod temporary;
pub mod vo;
mod whole_file;
pub mod workload;

#[doc(hidden)]
pub use cli::main;

/// The rest of the house, for the tests and benches of parsim itself.
#[cfg(feature = "testing")]
#[doc(hidden)]
pub mod testing {
    pub mod cli {
        pub use crate::cli::*;
    }
    pub mod event {
        pub use crate::event::*;
    }
    pub mod engine {
        pub use crate::engine::*;
    }
    pub mod format {
        pub use crate::format::*;
    }
    pub mod host {
        pub use crate::host::*;
    }
    pub mod measure {
        pub use crate::measure::*;
    }
    pub mod numpy {
        pub use crate::numpy::*;
    }
    pub mod output {
        pub use crate::output::*;
    }
    pub mod policy {
        pub use crate::policy::*;
    }
    pub mod process {
        pub use crate::process::*;
    }
}

/// What a program needs to run a workload of its own.
pub mod prelude {
    pub use crate::experiment::{Experiment, Repeats};
    pub use crate::report;
    pub use crate::study::Study;
    pub use crate::task::{Column, Mode, Outcome, Task};
    pub use crate::workload::{Cx, Tasks, Workload, numbered};
}
