//! Several tasks at a time, on the threads of a rayon pool.
//!
//! Each thread takes the next task by itself (`broadcast`), so that tasks start
//! in input order and a slow one holds nobody up.

use std::num::NonZeroUsize;

use anyhow::Context as _;

use super::{Executor, work};
use crate::record::Way;
use crate::run::Run;
use crate::workload::Workload;

/// Beyond this, idle workers of a rayon pool spend more time looking for work
/// than they save (1,000 threads took 5.3 s where 300 took 0.5 s): plain
/// threads take over.
const WIDEST_POOL: usize = 300;

/// The parallel engine.
#[derive(Clone, Copy, Debug)]
pub struct Pool {
    width: NonZeroUsize,
}

impl Pool {
    /// At most `width` tasks at a time.
    #[must_use]
    pub const fn new(width: NonZeroUsize) -> Self {
        Self { width }
    }
}

impl Executor for Pool {
    fn way(&self) -> Way {
        Way::Parallel
    }

    fn width(&self) -> usize {
        self.width.get()
    }

    fn drive(&self, run: &Run<'_>, workload: &dyn Workload) -> anyhow::Result<()> {
        // No more threads than tasks: a pool's start-up grows with its threads.
        let n_tasks = workload.size().tasks.and_then(|tasks| usize::try_from(tasks).ok());
        let n_threads = self.width().min(n_tasks.unwrap_or(usize::MAX)).max(1);
        if n_threads > WIDEST_POOL {
            return drive_threads(n_threads, run, workload);
        }
        // Scoped threads are gone when the run is over: their CPU time is
        // counted whole, and none is left beside a serial run.
        rayon::ThreadPoolBuilder::new()
            .num_threads(n_threads)
            .thread_name(|index| format!("slot {index}"))
            .build_scoped(rayon::ThreadBuilder::run, |pool| {
                pool.broadcast(|_| work(run, workload));
            })
            .with_context(|| too_many(n_threads))
    }
}

fn drive_threads(n_threads: usize, run: &Run<'_>, workload: &dyn Workload) -> anyhow::Result<()> {
    std::thread::scope(|scope| {
        for index in 0..n_threads {
            std::thread::Builder::new()
                .name(format!("slot {index}"))
                .spawn_scoped(scope, || work(run, workload))
                .with_context(|| too_many(n_threads))?;
        }
        Ok(())
    })
}

fn too_many(n_threads: usize) -> String {
    format!("start {n_threads} threads (a smaller -j needs fewer)")
}
