//! Several tasks at a time, on the threads of a rayon pool.
//!
//! Each thread takes the next task by itself (`broadcast`), so that tasks start
//! in input order and a slow one holds nobody up.

use std::num::NonZeroUsize;
use std::sync::OnceLock;

use anyhow::{Context as _, anyhow, ensure};

use super::{Executor, needed, work};
use crate::host;
use crate::record::Way;
use crate::run::Run;
use crate::study::Crew;
use crate::workload::Workload;

/// Beyond this, idle workers of a rayon pool spend more time looking for work
/// than they save (1,000 threads took 5.3 s where 300 took 0.5 s): plain
/// threads take over.
const WIDEST_POOL: usize = 300;

/// A thread's stack and its signal stack, and the guard page of each.
const MAPPINGS_OF_A_THREAD: usize = 4;

/// More than the program, its libraries and its heap have.
const MAPPINGS_OF_THE_PROCESS: usize = 1000;

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

    fn drive(&self, run: &Run<'_>, workload: &dyn Workload) -> anyhow::Result<Option<Crew>> {
        let n_threads = needed(self.width, workload);
        if n_threads > WIDEST_POOL {
            drive_threads(n_threads, &|| work(run, workload))?;
        } else {
            // The error tells its cause itself.
            drive_pool(n_threads, run, workload)
                .map_err(|error| anyhow!("{}: {error}", too_many(n_threads)))?;
        }
        Ok(None)
    }
}

/// Threads that are joined are gone when the run is over: their CPU time is
/// counted whole, and none is left beside a serial run. A pool does not join its
/// threads by itself.
fn drive_pool(
    n_threads: usize,
    run: &Run<'_>,
    workload: &dyn Workload,
) -> Result<(), rayon::ThreadPoolBuildError> {
    std::thread::scope(|scope| {
        let mut threads = Vec::with_capacity(n_threads);
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(n_threads)
            .spawn_handler(|thread| {
                let name = format!("slot {}", thread.index());
                let builder = std::thread::Builder::new().name(name);
                threads.push(builder.spawn_scoped(scope, || thread.run())?);
                Ok(())
            })
            .build()?;
        pool.broadcast(|_| work(run, workload));
        drop(pool);
        for thread in threads {
            if let Err(panic) = thread.join() {
                std::panic::resume_unwind(panic);
            }
        }
        Ok(())
    })
}

/// Does `work` on each of so many threads. None begins before all are there: a run
/// on fewer threads than it tells of is none, and work done before the error would
/// be lost.
pub(super) fn drive_threads(n_threads: usize, work: &(dyn Fn() + Sync)) -> anyhow::Result<()> {
    // Where the system has no mapping left for its stack, a thread aborts the process.
    if let Some(most) = host::most_mappings() {
        let room = most.saturating_sub(MAPPINGS_OF_THE_PROCESS) / MAPPINGS_OF_A_THREAD;
        ensure!(
            n_threads <= room,
            "{}: a process may have {most} mappings of memory here (vm.max_map_count), enough for {room} threads",
            too_many(n_threads)
        );
    }
    let all_there = OnceLock::new();
    std::thread::scope(|scope| {
        let start = |index: usize| {
            let builder = std::thread::Builder::new().name(format!("slot {index}"));
            builder.spawn_scoped(scope, || {
                if *all_there.wait() {
                    work();
                }
            })
        };
        let started = (0..n_threads).try_for_each(|index| start(index).map(drop));
        // Nobody else sets it.
        let _ = all_there.set(started.is_ok());
        started.with_context(|| too_many(n_threads))
    })
}

fn too_many(n_threads: usize) -> String {
    format!("start {n_threads} threads (a smaller -j needs fewer)")
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    #[test]
    fn more_threads_than_there_are_mappings_for_are_refused_before_any_starts() {
        let Some(most) = host::most_mappings() else { return };
        let worked = AtomicBool::new(false);
        let error = drive_threads(most, &|| worked.store(true, Ordering::Relaxed)).unwrap_err();
        assert!(error.to_string().contains("vm.max_map_count"), "{error:#}");
        assert!(!worked.into_inner());
    }
}
