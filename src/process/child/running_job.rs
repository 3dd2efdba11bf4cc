//! Where one worker says what it runs, so that other threads can signal it.
//!
//! A process group is signalled only while its leader was not reaped, so that
//! its number cannot have become another's. Does not know the other workers.

use crate::sync::Mutex;
use std::io;
use std::sync::MutexGuard;

use super::reap::{Ended, Usage, reap};
use super::signal;
use super::waker::Waker;

/// What a job is asked to do; more is worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Order {
    None,
    Terminate,
    Kill,
}

/// Where one worker says what it runs.
#[derive(Debug)]
pub(super) struct RunningJob {
    pub(super) waker: Waker,
    slot: usize,
    job: Mutex<Seated>,
}

#[derive(Debug)]
struct Seated {
    /// The leader of the job's group, until it is reaped.
    leader: Option<i32>,
    order: Order,
}

impl RunningJob {
    /// Nobody sits there yet.
    pub(super) fn new(slot: usize) -> io::Result<Self> {
        let job = Mutex::new(Seated { leader: None, order: Order::None });
        Ok(Self { waker: Waker::new()?, slot, job })
    }

    /// The job that sits there: its slot and its group.
    pub(super) fn started(&self) -> Option<(usize, i32)> {
        Some((self.slot, self.lock().leader?))
    }

    /// Seats a job that has just been started. What the others are told to do
    /// by then holds for it, too: `standing` is asked under the lock, so that
    /// who gives an order after this finds the job.
    pub(super) fn running_job(&self, leader: i32, standing: impl FnOnce() -> (Order, bool)) {
        let mut job = self.lock();
        job.leader = Some(leader);
        job.order = Order::None;
        let (order, paused) = standing();
        job.take(order);
        if paused {
            job.send(libc::SIGTSTP);
        }
        if order != Order::None {
            self.waker.ring();
        }
    }

    /// The worst that this worker's job was asked to do.
    pub(super) fn asked(&self) -> Order {
        self.lock().order
    }

    /// Sends a signal to the job's group, if there is one.
    pub(super) fn send(&self, signal: i32) {
        self.lock().send(signal);
    }

    /// Reaps the job, which has ended; from then on nobody signals its group.
    pub(super) fn reap(&self, leader: i32) -> io::Result<(Ended, Usage)> {
        let mut job = self.lock();
        job.leader = None;
        reap(leader)
    }

    /// Kills and reaps the job, if it was not reaped.
    pub(super) fn abandon(&self) {
        let mut job = self.lock();
        job.send(libc::SIGKILL);
        if let Some(leader) = job.leader.take() {
            // There is nobody to tell the end to.
            let _ = reap(leader);
        }
    }

    /// Gives an order to the job, if there is one.
    pub(super) fn order(&self, order: Order) {
        self.lock().take(order);
        self.waker.ring();
    }

    /// Gives an order to the job if it is that one; says whether it is.
    pub(super) fn order_if(&self, order: Order, leader: i32) -> bool {
        let mut job = self.lock();
        if job.leader != Some(leader) {
            return false;
        }
        job.take(order);
        self.waker.ring();
        true
    }

    fn lock(&self) -> MutexGuard<'_, Seated> {
        self.job.lock()
    }
}

impl Seated {
    fn take(&mut self, order: Order) {
        self.order = self.order.max(order);
        if order == Order::Kill {
            self.send(libc::SIGKILL);
        }
    }

    fn send(&self, signal: i32) {
        if let Some(leader) = self.leader {
            // It only fails when all of the group is a zombie already, or
            // changed its user: nothing more can be done.
            let _ = signal::send_to_group(leader, signal);
        }
    }
}
