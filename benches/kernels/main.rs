//! The kernels, timed by criterion: random words, draws, text, files, what
//! parsim itself costs for each task, and rows of `VOTables`.
//!
//! `cargo bench --bench kernels -- --save-baseline before`, a change, and
//! `-- --baseline before` tell what the change did; a word picks benches by
//! name. Every bench checks its answer before it is timed.

mod draws;
mod files;
#[path = "../support/mod.rs"]
mod support;
mod tasks;
mod votable;

use std::time::Duration;

use criterion::Criterion;

fn main() -> anyhow::Result<()> {
    // Few and short samples: the whole of `cargo bench` is to take about a minute.
    let mut criterion = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(800))
        .without_plots()
        .configure_from_args();
    draws::words(&mut criterion);
    draws::poisson(&mut criterion);
    draws::uniform(&mut criterion);
    files::text(&mut criterion)?;
    files::whole(&mut criterion)?;
    tasks::clocks(&mut criterion);
    tasks::task(&mut criterion)?;
    tasks::dispatch(&mut criterion)?;
    tasks::experiment(&mut criterion)?;
    votable::rows(&mut criterion)?;
    criterion.final_summary();
    Ok(())
}
