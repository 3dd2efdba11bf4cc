//! Locks that a panic does not poison: what they guard is whole between statements, and a
//! task that panics is a failed task, not the end of the batch.
//!
//! Knows nothing of what is guarded.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{self, LockResult, MutexGuard, PoisonError, TryLockError, WaitTimeoutResult};
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
    #[must_use]
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
