//! Tasks on threads of this process: one at a time, several on a rayon pool, or as many
//! as a number says that may change meanwhile.
//!
//! Each thread of the pool takes the next task by itself (`broadcast`), so that
//! tasks start in input order and a slow one holds nobody up.

use std::io;
use std::num::NonZeroUsize;
use std::sync::{Arc, OnceLock};
use std::thread::Builder;

use anyhow::{anyhow, ensure};

use super::{Engine, EngineRow, needed, work, work_while};
use crate::engine::Run;
use crate::event::{Event, Observer};
use crate::host;
use crate::study::WorkerCosts;
use crate::sync::{Condvar, Mutex};
use crate::task::Column;
use crate::text::reason;
use crate::workload::Workload;

/// The row of the table of engines.
pub(super) const ROW: EngineRow = EngineRow {
    name: "threads",
    about: "Threads of one process",
    shares_memory: true,
    descriptors: 0,
    is_elsewhere: false,
    new: |width, _| Ok(Box::new(Pool::new(width))),
};

/// Beyond this, idle workers of a rayon pool spend more time looking for work
/// than they save (1,000 threads took 5.3 s where 300 took 0.5 s): plain
/// threads take over.
const WIDEST_POOL: usize = 300;

/// A thread's stack and its signal stack, and the guard page of each.
const MAPPINGS_OF_A_THREAD: usize = 4;

/// Where there are too few threads, so many of them are kept for one that works: what it
/// does may take more.
const SHARE: usize = 4;

/// More than the program, its libraries and its heap have.
const MAPPINGS_OF_THE_PROCESS: usize = 1000;

/// The serial engine, on the calling thread. It starts no other.
#[derive(Clone, Copy, Debug, Default)]
pub struct Serial;

impl Engine for Serial {
    fn column(&self) -> Column {
        Column::SERIAL
    }

    fn width(&self) -> usize {
        1
    }

    fn drive(&self, run: &Run<'_>, workload: &dyn Workload) -> anyhow::Result<Option<WorkerCosts>> {
        work(run, workload);
        Ok(None)
    }
}

/// The work of all tasks in one go, by the first of them; on the calling thread.
#[derive(Clone, Debug)]
pub struct InOneGo(Column);

impl InOneGo {
    /// The workload calls it `name`.
    pub const fn called(name: &'static str) -> Self {
        Self(Column::whole(name))
    }
}

impl Engine for InOneGo {
    fn column(&self) -> Column {
        self.0.clone()
    }

    fn width(&self) -> usize {
        1
    }

    fn drive(&self, run: &Run<'_>, workload: &dyn Workload) -> anyhow::Result<Option<WorkerCosts>> {
        work(run, workload);
        Ok(None)
    }
}

/// The parallel engine.
#[derive(Clone, Debug)]
pub struct Pool {
    width: NonZeroUsize,
    /// No more tasks will come, where whoever made it knows.
    most_tasks: usize,
    /// How many threads there were the last time, where that were fewer.
    had: OnceLock<usize>,
}

impl Pool {
    /// At most `width` tasks at a time.
    pub const fn new(width: NonZeroUsize) -> Self {
        Self { width, most_tasks: usize::MAX, had: OnceLock::new() }
    }

    /// The same for so many tasks, where their number is known although the workload does
    /// not tell it: threads that no task needs are not started.
    pub fn for_tasks(self, tasks: Option<u64>) -> Self {
        let most_tasks = tasks.and_then(|tasks| usize::try_from(tasks).ok()).unwrap_or(usize::MAX);
        Self { most_tasks, ..self }
    }
}

impl Engine for Pool {
    fn column(&self) -> Column {
        Column::PARALLEL
    }

    fn width(&self) -> usize {
        self.had.get().copied().unwrap_or(self.width.get())
    }

    fn drive(&self, run: &Run<'_>, workload: &dyn Workload) -> anyhow::Result<Option<WorkerCosts>> {
        let n_threads = needed(self.width(), workload).min(self.most_tasks.max(1));
        let had = on_threads(n_threads, run.observer, &|n_threads| {
            if n_threads == 1 {
                // Beside nobody: as a serial run does it, so that one slot against one finds
                // no difference.
                work(run, workload);
                Ok(Ok(()))
            } else if n_threads > WIDEST_POOL {
                drive_threads(n_threads, &|| work(run, workload))
            } else {
                drive_pool(n_threads, run, workload)
            }
        })?;
        if had.is_none() {
            work(run, workload);
        }
        if had != Some(n_threads) {
            // Only once: what there was too little of may be there the next time, but
            // ways are compared at one width.
            let _ = self.had.set(had.unwrap_or(1));
        }
        Ok(None)
    }
}

/// Threads that could not be started.
#[derive(Debug)]
pub(super) struct Shortage {
    /// How many there were. They did nothing.
    started: usize,
    why: io::Error,
}

/// Has `drive` work on `wanted` threads, or where the system has not as many, on as
/// many as leave something for what tasks start themselves. How many it were; `None`
/// where there was none, and nothing was done.
///
/// # Errors
/// When so many threads cannot be, whatever the limits.
pub(super) fn on_threads(
    wanted: usize,
    observer: &dyn Observer,
    drive: &dyn Fn(usize) -> anyhow::Result<Result<(), Shortage>>,
) -> anyhow::Result<Option<usize>> {
    let mut n_threads = wanted;
    loop {
        let Err(Shortage { started, why }) = drive(n_threads)? else { return Ok(Some(n_threads)) };
        n_threads = fewer(started.min(n_threads - 1));
        let slots = n_threads.max(1);
        let why = format!("no more threads can be started: {} (see ulimit -u and -v)", reason(&why));
        observer.observe(&Event::FewerSlots { slots, wanted, why: &why });
        if n_threads == 0 {
            return Ok(None);
        }
    }
}

/// How many do the work where only so many could be had.
pub(super) fn fewer(had: usize) -> usize {
    had / SHARE
}

/// Threads that are joined are gone when the run is over: their CPU time is
/// counted whole, and none is left beside a serial run. A pool does not join its
/// threads by itself.
fn drive_pool(
    n_threads: usize,
    run: &Run<'_>,
    workload: &dyn Workload,
) -> anyhow::Result<Result<(), Shortage>> {
    std::thread::scope(|scope| {
        let mut threads = Vec::with_capacity(n_threads);
        let mut why = None;
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(n_threads)
            .spawn_handler(|thread| {
                let started = builder(thread.index()).spawn_scoped(scope, || thread.run());
                threads.push(started.map_err(|error| {
                    let kind = error.kind();
                    why = Some(error);
                    io::Error::from(kind)
                })?);
                Ok(())
            })
            .build();
        let pool = match (pool, why) {
            (Ok(pool), _) => pool,
            // Those that there were end by themselves.
            (Err(_), Some(why)) => return Ok(Err(Shortage { started: threads.len(), why })),
            // The error tells its cause itself.
            (Err(error), None) => return Err(anyhow!("{}: {error}", too_many(n_threads))),
        };
        pool.broadcast(|_| work(run, workload));
        drop(pool);
        for thread in threads {
            if let Err(panic) = thread.join() {
                std::panic::resume_unwind(panic);
            }
        }
        Ok(Ok(()))
    })
}

/// Does `work` on each of so many threads. None begins before all are there: work
/// done before it shows that there are too few would be done on other threads than
/// are told of.
pub(super) fn drive_threads(
    n_threads: usize,
    work: &(dyn Fn() + Sync),
) -> anyhow::Result<Result<(), Shortage>> {
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
    Ok(std::thread::scope(|scope| {
        let mut started = 0;
        let mut start = |index: usize| {
            let thread = builder(index).spawn_scoped(scope, || {
                if *all_there.wait() {
                    work();
                }
            });
            thread.map(|_| started = index + 1)
        };
        let all = (0..n_threads).try_for_each(&mut start);
        // Nobody else sets it.
        let _ = all_there.set(all.is_ok());
        all.map_err(|why| Shortage { started, why })
    }))
}

/// A thread for the slot of that number.
fn builder(index: usize) -> Builder {
    Builder::new().name(format!("slot {index}")).stack_size(host::STACK)
}

fn too_many(n_threads: usize) -> String {
    format!("start {n_threads} threads (a smaller -j needs fewer)")
}

/// How many at a time, as it is now.
#[derive(Debug)]
pub struct Width {
    state: Mutex<WidthState>,
    changed: Condvar,
}

#[derive(Debug)]
struct WidthState {
    most: NonZeroUsize,
    inside: usize,
}

impl WidthState {
    fn is_full(&mut self) -> bool {
        self.inside >= self.most.get()
    }
}

impl Width {
    /// At most `most` until it is set to something else.
    pub fn new(most: NonZeroUsize) -> Self {
        Self { state: Mutex::new(WidthState { most, inside: 0 }), changed: Condvar::new() }
    }

    /// At most `most` from now on. Nothing that runs is ended when that are fewer.
    pub fn set(&self, most: NonZeroUsize) {
        self.state.lock().most = most;
        self.changed.notify_all();
    }

    /// Does `work` once there is room for one more. With at least one at a time,
    /// somebody is inside who will leave.
    fn within<T>(&self, work: impl FnOnce() -> T) -> T {
        let state = self.state.lock();
        self.changed.wait_while(state, WidthState::is_full).inside += 1;
        let _leaves = Leaves(self);
        work()
    }
}

/// Makes room again, after a panic, too: others wait for it.
struct Leaves<'a>(&'a Width);

impl Drop for Leaves<'_> {
    fn drop(&mut self) {
        self.0.state.lock().inside -= 1;
        self.0.changed.notify_one();
    }
}

/// The parallel engine of a changing width.
#[derive(Clone, Debug)]
pub struct ResizablePool {
    width: Arc<Width>,
    most: NonZeroUsize,
}

impl ResizablePool {
    /// As many as `width` says, but never more than `most`.
    pub fn new(width: Arc<Width>, most: NonZeroUsize) -> Self {
        Self { width, most }
    }
}

impl Engine for ResizablePool {
    fn column(&self) -> Column {
        Column::PARALLEL
    }

    fn width(&self) -> usize {
        self.width.state.lock().most.min(self.most).get()
    }

    fn drive(&self, run: &Run<'_>, workload: &dyn Workload) -> anyhow::Result<Option<WorkerCosts>> {
        let n_threads = needed(self.most.get(), workload);
        let had = on_threads(n_threads, run.observer, &|n_threads| {
            drive_threads(n_threads, &|| work_while(run, workload, |step| self.width.within(step)))
        })?;
        if had.is_none() {
            work(run, workload);
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
    use std::thread;

    use super::*;

    #[test]
    fn more_threads_than_there_are_mappings_for_are_refused_before_any_starts() {
        let Some(most) = host::most_mappings() else { return };
        let worked = AtomicBool::new(false);
        let error = drive_threads(most, &|| worked.store(true, Ordering::Relaxed)).unwrap_err();
        assert!(error.to_string().contains("vm.max_map_count"), "{error:#}");
        assert!(!worked.into_inner());
    }

    /// Hears how many slots there are instead.
    #[derive(Default)]
    struct Told(Mutex<Vec<(usize, usize)>>);

    impl Observer for Told {
        fn observe(&self, event: &Event<'_>) {
            if let Event::FewerSlots { slots, wanted, .. } = *event {
                self.0.lock().push((slots, wanted));
            }
        }
    }

    #[test]
    fn where_threads_run_out_a_quarter_of_them_does_the_work_and_that_is_told() {
        for (most, had, told) in [
            (60, Some(60), vec![]),
            (41, Some(10), vec![(10, 60)]),
            (3, None, vec![(1, 60)]),
            (0, None, vec![(1, 60)]),
        ] {
            let heard = Told::default();
            let drive = |n_threads: usize| {
                let why = || io::ErrorKind::WouldBlock.into();
                Ok(if n_threads <= most { Ok(()) } else { Err(Shortage { started: most, why: why() }) })
            };
            assert_eq!(on_threads(60, &heard, &drive).unwrap(), had, "{most}");
            assert_eq!(heard.0.into_inner(), told, "{most}");
        }
    }

    fn at_most(n: usize) -> NonZeroUsize {
        NonZeroUsize::new(n).unwrap()
    }

    #[test]
    fn a_room_is_full_when_as_many_are_inside_as_may_be() {
        let is_full = |inside| WidthState { most: at_most(2), inside }.is_full();
        assert_eq!([0, 1, 2, 3].map(is_full), [false, false, true, true]);
    }

    #[test]
    fn no_more_are_inside_than_the_width_says_and_all_come_in_once_it_grows() {
        let width = Width::new(at_most(1));
        let (inside, together) = (AtomicUsize::new(0), AtomicUsize::new(0));
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    width.within(|| {
                        let number = inside.fetch_add(1, Ordering::SeqCst) + 1;
                        together.fetch_max(number, Ordering::SeqCst);
                        // The first one inside lets the others in, and nobody
                        // leaves before all are there.
                        if number == 1 {
                            assert_eq!(width.state.lock().inside, 1);
                            width.set(at_most(3));
                        }
                        while inside.load(Ordering::SeqCst) < 3 {
                            thread::yield_now();
                        }
                    });
                });
            }
        });
        assert_eq!(together.into_inner(), 3);
        assert_eq!(width.state.lock().inside, 0);
    }

    #[test]
    fn a_panic_makes_room_for_the_next_one() {
        let width = Width::new(at_most(1));
        let panicked =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| width.within(|| panic!("stop"))));
        assert!(panicked.is_err());
        assert_eq!(width.within(|| 7), 7);
    }
}
