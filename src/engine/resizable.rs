//! As many tasks at a time as a number says that may change meanwhile.
//!
//! Threads for the most there may be wait for room; nothing that runs is ended
//! when the number falls. Does not know who changes it, nor why.

use crate::sync::{Condvar, Mutex};
use std::num::NonZeroUsize;
use std::sync::Arc;

use super::local::{drive_threads, on_threads};
use super::{Engine, needed, work, work_while};
use crate::engine::Run;
use crate::study::WorkerCosts;
use crate::task::Column;
use crate::workload::Workload;

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
    fn is_full(&self) -> bool {
        self.inside >= self.most.get()
    }
}

impl Width {
    /// At most `most` until it is set to something else.
    #[must_use]
    pub fn new(most: NonZeroUsize) -> Self {
        Self { state: Mutex::new(WidthState { most, inside: 0 }), changed: Condvar::new() }
    }

    /// At most `most` from now on.
    pub fn set(&self, most: NonZeroUsize) {
        self.state.lock().most = most;
        self.changed.notify_all();
    }

    fn most(&self) -> NonZeroUsize {
        self.state.lock().most
    }

    /// Does `work` once there is room for one more. With at least one at a time,
    /// somebody is inside who will leave.
    fn within<T>(&self, work: impl FnOnce() -> T) -> T {
        let state = self.state.lock();
        self.changed.wait_while(state, |state| state.is_full()).inside += 1;
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
    #[must_use]
    pub fn new(width: Arc<Width>, most: NonZeroUsize) -> Self {
        Self { width, most }
    }
}

impl Engine for ResizablePool {
    fn column(&self) -> Column {
        Column::PARALLEL
    }

    fn width(&self) -> usize {
        self.width.most().min(self.most).get()
    }

    fn drive(&self, run: &Run<'_>, workload: &dyn Workload) -> anyhow::Result<Option<WorkerCosts>> {
        let n_threads = needed(self.most, workload);
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
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use super::*;

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
