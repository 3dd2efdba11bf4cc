//! Batches of commands next to the other programs that run them: the same
//! inputs and the same argument vectors for all, answers checked first.
//!
//! `cargo bench --bench batch -- dispatch` runs the parts whose name holds the
//! word; `-- --test` runs all of them small. Peers are xargs, GNU parallel,
//! rust-parallel and a bare loop in C, as far as PATH and a C compiler have
//! them; what is missing is left out.

#[path = "../support/asked.rs"]
mod asked;
mod output;
#[path = "../support/pairs.rs"]
mod pairs;
mod peers;
mod program;
mod queue;
mod start;

use self::asked::Part;

/// How much is done.
#[derive(Clone, Copy, Debug)]
struct Scale {
    /// Jobs of a batch that does nothing.
    jobs: usize,
    /// Inputs that wait.
    queued: usize,
    /// Jobs with an output of a mebibyte.
    outputs: usize,
    /// Mebibytes of the one large output.
    large: usize,
    /// Arguments that are packed.
    packed: usize,
    /// Pairs of runs compared with each other.
    pairs: usize,
    /// The same with a peer that takes many times as long.
    slow_pairs: usize,
}

const WHOLE: Scale = Scale {
    jobs: 2000,
    queued: 1_000_000,
    outputs: 200,
    large: 1024,
    packed: 1_000_000,
    pairs: 7,
    slow_pairs: 1,
};
const SMALL: Scale =
    Scale { jobs: 20, queued: 2000, outputs: 3, large: 2, packed: 2000, pairs: 1, slow_pairs: 1 };

const PARTS: &[(&str, Part<Scale>)] = &[
    ("dispatch", start::dispatch),
    ("start_up", start::start_up),
    ("queue", queue::queued),
    ("finished", queue::finished),
    ("packing", queue::packing),
    ("outputs", output::many),
    ("large_output", output::large),
];

fn main() -> anyhow::Result<()> {
    asked::run(&WHOLE, &SMALL, PARTS)
}
