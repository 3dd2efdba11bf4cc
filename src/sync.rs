//! Locks that a panic does not poison: what they guard is whole between statements, and a
//! task that panics is a failed task, not the end of the batch.
//!
//! One made of them, which lets starts happen in order; and locks on files that others have
//! for a moment.
//!
//! Knows nothing of what is guarded, nor of what starts.

use std::collections::BTreeSet;
use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{self, LockResult, MutexGuard, PoisonError, TryLockError, WaitTimeoutResult};
use std::thread;
use std::time::Duration;

/// As [`std::sync::Mutex`], without poison.
#[derive(Debug, Default)]
pub struct Mutex<T: ?Sized>(sync::Mutex<T>);

/// As [`std::sync::Condvar`], without poison, and without a system call where nobody waits.
#[derive(Debug, Default)]
pub struct Condvar {
    inner: sync::Condvar,
    /// How many wait, or are about to: counted up under the lock under which they looked.
    waiters: AtomicUsize,
}

impl<T> Mutex<T> {
    /// A lock around `value`.
    pub const fn new(value: T) -> Self {
        Self(sync::Mutex::new(value))
    }

    /// What was guarded.
    pub fn into_inner(self) -> T {
        whole(self.0.into_inner())
    }
}

impl<T: ?Sized> Mutex<T> {
    /// Waits for the lock.
    pub fn lock(&self) -> MutexGuard<'_, T> {
        whole(self.0.lock())
    }

    /// The lock, where nobody has it.
    pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        match self.0.try_lock() {
            Ok(guard) => Some(guard),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// What is guarded, where nobody else can hold the lock.
    pub fn get_mut(&mut self) -> &mut T {
        whole(self.0.get_mut())
    }
}

impl Condvar {
    /// Something to wait for.
    pub const fn new() -> Self {
        Self { inner: sync::Condvar::new(), waiters: AtomicUsize::new(0) }
    }

    /// Wakes one of those that wait. What they wait for was changed under the lock.
    pub fn notify_one(&self) {
        if self.is_awaited() {
            self.inner.notify_one();
        }
    }

    /// Wakes all that wait, as above.
    pub fn notify_all(&self) {
        if self.is_awaited() {
            self.inner.notify_all();
        }
    }

    /// Waits to be woken, without the lock meanwhile.
    pub fn wait<'a, T>(&self, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
        self.counted(|condvar| whole(condvar.wait(guard)))
    }

    /// The same for as long as `condition` holds.
    pub fn wait_while<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        condition: impl FnMut(&mut T) -> bool,
    ) -> MutexGuard<'a, T> {
        self.counted(|condvar| whole(condvar.wait_while(guard, condition)))
    }

    /// The same for at most `time`.
    pub fn wait_timeout<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        time: Duration,
    ) -> (MutexGuard<'a, T>, WaitTimeoutResult) {
        self.counted(|condvar| whole(condvar.wait_timeout(guard, time)))
    }

    fn counted<R>(&self, wait: impl FnOnce(&sync::Condvar) -> R) -> R {
        self.waiters.fetch_add(1, Ordering::SeqCst);
        let waited = wait(&self.inner);
        self.waiters.fetch_sub(1, Ordering::SeqCst);
        waited
    }

    fn is_awaited(&self) -> bool {
        self.waiters.load(Ordering::SeqCst) > 0
    }
}

fn whole<T>(result: LockResult<T>) -> T {
    result.unwrap_or_else(PoisonError::into_inner)
}

/// Lets starts happen in the order of turns, where starting takes time of its own: a
/// process is there only a fraction of a millisecond after its task was taken, and its
/// neighbour's would as often be there first. Only whoever asks for it waits, each for
/// those with a lower turn.
#[derive(Debug, Default)]
pub struct StartOrder {
    begun: Mutex<BegunTurns>,
    rung: Condvar,
}

#[derive(Debug, Default)]
struct BegunTurns {
    /// Every turn below this has begun.
    below: u64,
    /// Turns that began before one that is below them.
    early: BTreeSet<u64>,
}

impl StartOrder {
    /// Waits until every turn before `turn`, from 0, has begun or is over.
    pub fn wait(&self, turn: u64) {
        let begun = self.begun.lock();
        drop(self.rung.wait_while(begun, |begun| begun.below < turn));
    }

    /// The turn has begun, or will not. Said again, it means nothing.
    pub fn begin(&self, turn: u64) {
        let mut begun = self.begun.lock();
        if turn < begun.below {
            return;
        }
        begun.early.insert(turn);
        while begun.early.first() == Some(&begun.below) {
            begun.early.pop_first();
            begun.below += 1;
        }
        drop(begun);
        self.rung.notify_all();
    }
}

/// How often a lock is asked for which others only need for a moment.
const PATIENCE: u32 = 200;

/// How long to wait before it is asked for again.
pub const A_MOMENT: Duration = Duration::from_millis(5);

/// Asks for `lock` on a file again while others have it, which is a moment unless it is a
/// user's.
///
/// # Errors
/// When others have it for longer, or files have no locks there.
pub fn patiently(lock: impl Fn() -> Result<(), fs::TryLockError>) -> Result<(), fs::TryLockError> {
    for _ in 1..PATIENCE {
        match lock() {
            Err(fs::TryLockError::WouldBlock) => thread::sleep(A_MOMENT),
            had => return had,
        }
    }
    lock()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_starts_before_those_taken_before() {
        let start_order = StartOrder::default();
        let order = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for turn in (0..4).rev() {
                let (start_order, order) = (&start_order, &order);
                scope.spawn(move || {
                    start_order.wait(turn);
                    order.lock().push(turn);
                    start_order.begin(turn);
                });
            }
        });
        assert_eq!(order.into_inner(), [0, 1, 2, 3]);
    }

    #[test]
    fn a_turn_that_is_over_without_a_start_holds_nobody_up() {
        let start_order = StartOrder::default();
        start_order.begin(1);
        start_order.begin(0);
        start_order.begin(0);
        start_order.wait(2);
    }
}
