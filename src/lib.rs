//! parsim runs a batch of tasks one at a time and across all logical cores,
//! shows wall and CPU time of both ways side by side, and checks that both gave
//! the same results.
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
//! fn main() -> anyhow::Result<()> {
//!     let study = Experiment::new(&mut Squares)?.run()?;
//!     assert!(study.agrees());
//!     println!("{}", report::text::plain(&study));
//!     if let Some(speed_up) = study.speed_up() {
//!         println!("{speed_up:.2} times as fast");
//!     }
//!     Ok(())
//! }
//! ```
//!
//! Tasks that have names come from an iterator of their own:
//!
//! ```
//! # use parsim::prelude::*;
//! fn tasks(names: &[String]) -> Tasks<'_> {
//!     Box::new(names.iter().map(|name| Ok(Task::new(name))))
//! }
//! ```
//!
//! Without the features `cli` (the program and its workloads), `html` (the page with
//! pictures, [`report::html`]) and `net` (the check of services) the core alone is
//! compiled: `parsim = { version = "0.1", default-features = false }`.
//!
//! # How data flows
//!
//! ```text
//! argv -> cli::flags (what was typed) -> cli::plan, cli::batch (what it means)
//!      -> Experiment ( runs x [ Workload x Engine -> Record* ] ) -> Study -> Document -> bytes
//!                                      \-> Event (sideways) -> progress
//! ```
//!
//! 1. An engine decides only *where and when*; a workload only *what*. Serial
//!    and parallel are the same code path: one `engine/lifecycle`
//!    for a task, wherever it runs.
//! 2. A failed task is data ([`task::Outcome`]), never `Err`. `Err` means that
//!    parsim itself could not do its job.
//! 3. Reports are pure functions of a [`study::Study`]: a document first, which formats
//!    draw. The terminal is known in one place (`cli/terminal.rs`). Workers never print.
//! 4. Bytes that a task produces go to a writer as they come.
//! 5. Serial and parallel are compared by what tasks *produced*, by task number;
//!    files are read back after the clock has stopped.
//!
//! # Where things are
//!
//! Four questions, each with one home: WHAT a task is, [`task`] and [`workload`]; WHERE it
//! runs, `engine`; WHAT WAS TYPED, `cli/flags`; WHAT IS SHOWN, `report/document.rs` and
//! `progress`. A file may use only floors below its own; a test reads the imports and
//! fails otherwise.
//!
//! | floor | modules | what lives there |
//! |---|---|---|
//! | 9 | `main.rs` | calls `cli` |
//! | 8 | `cli` | argv, environment, terminal: `flags/` (the table of options: parsing, help, man pages, completions), `batch/` (lines as GNU parallel spells them), `plan` (which columns, how often, which gates), `width` (`-j`), `workloads`, `report`, `exports` (files that a study is saved to), `places` (no two outputs to one), `shell`, `signals`, `exit` (the table of statuses), `worker` (the other end of an engine of processes), `cluster` (what is asked of nodes), `runs` (`status`, `resume`, `cancel`), `hosts`, `named_hosts` (`-S`), `conflicts` (options that do not go together), `terminal`, `services` (what monitors are told), `watch` (what is kept of services from run to run, and who hears of changes) |
//! | 7 | [`experiment`] | prepare, warm up, alternate, sweep, compare, save: the order of runs and what is inside the clock |
//! | 6 | `engine` | the table of engines; `lifecycle` (one task from start to hand-on: retries, halting, output), `queue` (slots, input order), `halt`, `throttle` (--delay, --load, ...); `local` (serial, pools), `remote/` (worker processes: protocol and frames, transport, one thread for all links, `failures` (when a lost worker is replaced), `serve` with many slots; `ssh`, `bootstrap`, `python3` and `hosts`: several machines), `run_directory/` (workers that claim tasks from a directory, started by `slurm` or as processes; `directory_run` begins a run) |
//! | 6 | [`report`] | the table of formats; `document` (what a report is made of), `overview` (its order), `tiles` (the figures read first), `command_line` (what was typed, long lists of inputs cut), `sentences` (what stands under the table), `tables`; text, Markdown and `html/` draw it, `terminal/` its pictures as text; `summary` (of a batch that ran one way); `laws`, `nodes`, `timeline` (figures that several of them need); `change/` (two studies), `services/` (`checked`: one service after another; `tally`: what they come to; verdicts, cones, news, history, Nagios, JSON Lines), JSON, CSV, `JUnit`, trace, Prometheus |
//! | 6 | `progress` | `state` (what runs), `eta`, `line` (both in words, in any width) and `display` (a bar, or lines) |
//! | 5 | [`workload`] | the trait, its profile, results and way to other processes; `row` (what its table says of each); `sleep`, `csv/`, `command/` (batches of commands; `transfer/`: files that go with them to other machines), `service/` (lists, limits per host, paces, requests: for all that ask services), `tap/`, `cone/` (`targets`, `resolver`, `search` and `upload`: what is sent; `rows`, `task`: what comes of it; `outlet`, `charts`: where it goes) |
//! | 4 | `output` | the traits between a task and who takes its bytes; output put in order: `ordered`, `grouped`, `lines`, `retry_buffer`, one `spill_buffer` (how much waits in memory, and the file behind it); `output_copy` (what `compare` puts aside of a run); job logs, records, files and tables of results |
//! | 4 | [`study`] | what was measured, of which work (`parameters`; `record_list`: what each task took, in a file where that is much), and arithmetic on it: comparisons, `interval`, scaling laws, agreement, gates; `estimate` (the serial time of one way), `prediction` (the whole of a sample); `explanation/` (the sentences that say what held the speed-up back); `news` and `history` (services from check to check: what changed, what will break, how they fared) |
//! | 3 | [`sky`] | what a cone search found as a chart of the sky: `plane` (angles, projection), `field` (where a place is in a chart), `sources` (which, how large), `symbol`, `graticule`, `names`, `legend`; `page` (with a view of the sky), `columns` (which are magnitude and type) |
//! | 3 | `event` | who hears of what happens: observers, journals |
//! | 2 | [`task`] | plain data: task, column, outcome, `finding` (verdicts, classes and warnings about a service), `chart` (sources in the sky), record, `spans`; `shared_text` (text that many hold) |
//! | 2 | `policy` | plain data and its rules: when tasks start, how often and after which wait they are tried again, when a batch ends early |
//! | 2 | `inputs`, `template` | a batch's arguments, read as they come; command lines with replacement strings |
//! | 2 | `host` | the machine: usable cores and what decided, room for slots, what else it does meanwhile |
//! | 2 | `http` | one HTTP request at a time, with the time of each phase; `pool` (connections that are kept for further ones) |
//! | 2 | `svg` | pictures as text |
//! | 2 | `whole_file` | files that are whole or absent; `place`: what a path stands for that output goes to |
//! | 1 | `joblog` | GNU parallel's job log: rows, and which jobs are done |
//! | 1 | `process` | `signal/` (handlers, the interrupt), `child/` (starting, watching, ending jobs, also when parsim cannot: `guard`, `canary`), streams, limits, shell |
//! | 1 | `measure` | clocks, CPU time, memory |
//! | 1 | `numbers`, `moment`, `text`, `style` | numbers and dates as people read them; text that is safe to show; colours |
//! | 1 | `mismatch`, `numpy`, `temporary` | where two files differ; NumPy's generators; files in TMPDIR and beside results |
//! | 0 | [`vo`] | documents of the Virtual Observatory: `votable/` (tables as streams), `position` and `cone` (places in the sky and what is asked about them), VOSI, Sesame; uses nothing of parsim |
//! | 0 | `byte_list`, `sorting`, `sync` | byte strings in one piece of memory; a sort for lists of all types; locks that a panic does not poison, and the order of starts |
//!
//! A new workload, engine, report format or option is one new file (an option: none) and a
//! row in its table: `workload/mod.rs`, `engine/mod.rs`, `report/mod.rs`,
//! `cli/flags/table/`.
//!
//! # What holds everywhere
//!
//! - Only `engine/lifecycle.rs` reads a task's clocks (named spans within it:
//!   [`workload::Cx`]), only `experiment/` a run's. What it takes to start and to feed
//!   workers is read where that is done (`engine/remote`, `engine/run_directory`).
//! - No workload starts a thread or calls rayon: a serial run has one thread. (A
//!   name is looked up beside the task that waits for it; `--demo` has its servers; where a
//!   batch shows how far it is, its inputs are read beside the jobs.)
//! - `unsafe` is in `process`, `measure` and `numpy/wide.rs` only.
//! - A file that parsim writes is whole or absent (`whole_file`).
//! - A type's name means one thing in the whole tree, and files do not use each other in
//!   circles; tests count both.

#![cfg_attr(
    not(feature = "cli"),
    expect(dead_code, unused_imports, reason = "the program uses more of what the core stands on")
)]

mod byte_list;
#[cfg(feature = "cli")]
mod cli;
mod engine;
mod event;
pub mod experiment;
mod host;
#[cfg(feature = "net")]
mod http;
#[cfg(feature = "cli")]
mod inputs;
#[cfg(feature = "cli")]
mod joblog;
mod measure;
mod mismatch;
mod moment;
mod numbers;
#[cfg(feature = "cli")]
mod numpy;
mod output;
mod policy;
mod process;
#[cfg(feature = "cli")]
mod progress;
pub mod report;
pub mod sky;
mod sorting;
pub mod study;
mod style;
mod svg;
mod sync;
pub mod task;
#[cfg(feature = "cli")]
mod template;
mod temporary;
mod text;
pub mod vo;
mod whole_file;
pub mod workload;

pub use anyhow;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub use cli::main;

/// What a program needs to run a workload of its own.
pub mod prelude {
    pub use crate::anyhow;
    pub use crate::experiment::{Experiment, Repeats};
    pub use crate::report;
    pub use crate::study::Study;
    pub use crate::task::{Column, Mode, Outcome, Task};
    pub use crate::workload::{Cx, Tasks, Workload, numbered};
}

/// What is behind the library's face, for the tests and benches of parsim itself.
#[cfg(feature = "testing")]
#[doc(hidden)]
pub mod testing {
    macro_rules! shown {
        ($($name:ident)*) => {
            $(pub mod $name {
                pub use crate::$name::*;
            })*
        };
    }

    shown! { byte_list cli engine event host measure numbers numpy output policy process text }
}
