//! Where the tasks come from that workers are given: taken from the batch one after the
//! other, as many as there is room for, on a thread of its own where the next one may have
//! to be waited for.
//!
//! Knows nothing of workers.

use std::collections::VecDeque;
use std::thread::Builder;

use crate::engine::TaskQueue;
use crate::host::STACK;
use crate::process::Waker;
use crate::sync::{Condvar, Mutex};
use crate::task::Task;

/// Takes tasks ahead of those who do them.
pub(super) struct TaskFeeder<'a, 'q> {
    batch: &'a TaskQueue<'q>,
    stock: Mutex<TaskStock>,
    called: Condvar,
    /// Wakes who is to be told of a task.
    waker: Waker,
}

#[derive(Default)]
struct TaskStock {
    /// So many more are to be taken.
    wanted: usize,
    taken: VecDeque<Task>,
    /// Whether there is none after those.
    is_last: bool,
    /// Whether a thread takes them.
    has_thread: bool,
    /// Whether nobody wants any more.
    is_over: bool,
}

impl<'a, 'q> TaskFeeder<'a, 'q> {
    /// Takes from `batch`, and wakes by `waker`.
    pub(super) fn new(batch: &'a TaskQueue<'q>, waker: Waker) -> Self {
        Self { batch, stock: Mutex::default(), called: Condvar::new(), waker }
    }

    fn take_all(&self) {
        loop {
            let stock = self.stock.lock();
            let stock = self.called.wait_while(stock, |stock| stock.wanted == 0 && !stock.is_over);
            if stock.is_over || stock.is_last {
                return;
            }
            drop(stock);
            self.take_one();
        }
    }

    fn take_one(&self) {
        let task = self.batch.take_ahead();
        let mut stock = self.stock.lock();
        stock.wanted = stock.wanted.saturating_sub(1);
        let is_news = stock.taken.is_empty();
        stock.is_last = task.is_none();
        stock.taken.extend(task);
        drop(stock);
        if is_news {
            self.waker.wake();
        }
    }

    /// There is room for so many, those included that were taken already.
    pub(super) fn ask(&self, room: usize) {
        let mut stock = self.stock.lock();
        stock.wanted = room.saturating_sub(stock.taken.len());
        if stock.has_thread {
            drop(stock);
            return self.called.notify_one();
        }
        while stock.wanted > 0 && !stock.is_last {
            drop(stock);
            self.take_one();
            stock = self.stock.lock();
        }
    }

    /// Appends those that were taken to `tasks`. Says whether there will be no more.
    pub(super) fn give(&self, tasks: &mut VecDeque<Task>) -> bool {
        let mut stock = self.stock.lock();
        tasks.append(&mut stock.taken);
        stock.is_last
    }

    /// Has a thread take the tasks, where one may have to be waited for, as long as `work`
    /// goes on. Where there can be no thread, whoever asks for tasks waits.
    pub(super) fn while_working<T>(&self, work: impl FnOnce() -> T) -> T {
        /// After a panic, too: the thread is waited for.
        struct Ends<'f, 'a, 'q>(&'f TaskFeeder<'a, 'q>);
        impl Drop for Ends<'_, '_, '_> {
            fn drop(&mut self) {
                self.0.stock.lock().is_over = true;
                self.0.called.notify_one();
            }
        }
        if !self.batch.may_wait() {
            return work();
        }
        std::thread::scope(|scope| {
            let _ends = Ends(self);
            let thread = Builder::new().name("tasks".to_owned()).stack_size(STACK);
            self.stock.lock().has_thread = true;
            let started = thread.spawn_scoped(scope, || self.take_all());
            self.stock.lock().has_thread = started.is_ok();
            work()
        })
    }
}
