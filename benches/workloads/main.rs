//! The exercises through the library: checked, compared with the limit of the
//! machine and with other programs, and told as parsim's own tables.
//!
//! `cargo bench --bench workloads -- csv` runs the parts whose name holds the
//! word; `-- --test` runs all of them small. A wrong answer ends the bench with
//! an error. `PARSIM_BENCH_PYTHON` names the Python to compare with (default
//! `python3`); what it has not installed is left out.

#[path = "../support/asked.rs"]
mod asked;
mod exercises;
#[path = "../support/pairs.rs"]
mod pairs;
mod peers;
mod renewed;
#[path = "../support/mod.rs"]
mod support;
mod write_limit;

use self::asked::Part;

/// How much is done.
#[derive(Clone, Copy, Debug)]
struct Scale {
    /// Runs of each way of an exercise.
    runs: usize,
    /// Files of a batch.
    files: i64,
    /// Milliseconds that each of the sleeping tasks sleeps.
    sleep: u32,
    /// Rows of the one larger file.
    rows: i64,
    /// Pairs of runs compared with each other.
    pairs: usize,
    /// The same where the other side takes a second and more.
    slow_pairs: usize,
}

const WHOLE: Scale = Scale { runs: 7, files: 20, sleep: 50, rows: 8000, pairs: 11, slow_pairs: 5 };
const SMALL: Scale = Scale { runs: 1, files: 2, sleep: 5, rows: 1100, pairs: 1, slow_pairs: 1 };

/// The parts in their order: parsim's own tables come last.
const PARTS: &[(&str, Part<Scale>)] = &[
    ("write_limit", write_limit::compare),
    ("peers", peers::compare),
    ("sleep", exercises::sleep),
    ("csv_shared", exercises::csv_shared),
    ("csv_per_file", exercises::csv_per_file),
    ("csv_fast", exercises::csv_fast),
];

fn main() -> anyhow::Result<()> {
    asked::run(&WHOLE, &SMALL, PARTS)
}
