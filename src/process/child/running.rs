//! What runs now, and orders to it from other threads: a signal's handler
//! thread, a progress display, a policy that ends the run.
//!
//! Does not know how jobs are started and waited for.

use crate::sync::Mutex;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, MutexGuard, RwLock};
use std::time::{Duration, Instant};

use super::clock::Clock;
use super::oom::OomKills;
use super::running_job::{Order, RunningJob};
use super::sequence::TermSequence;
use super::signal;

/// The jobs of one run that are running now.
#[derive(Debug)]
pub struct Running {
    pub(super) sequence: TermSequence,
    pub(super) clock: Clock,
    pub(super) caught: u64,
    null: File,
    /// Whether a job could ask for the terminal: there is one.
    pub(super) has_terminal: bool,
    jobs: Mutex<Vec<Arc<RunningJob>>>,
    oom: Mutex<OomKills>,
    /// Once not `NONE` nothing is started any more.
    ending: AtomicU8,
    /// Shared while a job is started and not yet known: who pauses the run waits
    /// for that, so that no job runs on unseen.
    pub(super) starting: RwLock<()>,
}

impl Running {
    /// Nothing runs yet. Make it once the process's signal handlers are
    /// installed: those it finds are undone in every job, except for the `harmless`
    /// (as bit `signal - 1`), which may run there before the job's program does.
    ///
    /// If CHLD is ignored, its default is restored: otherwise the kernel would
    /// reap jobs by itself.
    ///
    /// # Errors
    /// When /dev/null cannot be opened.
    pub fn new(sequence: TermSequence, harmless: u64) -> io::Result<Self> {
        signal::keep_children();
        Ok(Self {
            sequence,
            clock: Clock::default(),
            caught: signal::caught() & !harmless,
            null: File::open("/dev/null")?,
            has_terminal: File::open("/dev/tty").is_ok(),
            jobs: Mutex::default(),
            oom: Mutex::new(OomKills::since_now()),
            ending: AtomicU8::new(Order::None as u8),
            starting: RwLock::new(()),
        })
    }

    /// Begins the kill sequence of every job, and starts no other.
    pub fn terminate(&self) {
        self.end(Order::Terminate);
    }

    /// Kills every job at once, and starts no other. It does not wait for the
    /// workers, which may be stuck in a write.
    pub fn kill_now(&self) {
        self.end(Order::Kill);
    }

    /// Begins the kill sequence of the one job whose group is `leader`. Says
    /// whether it was still running.
    pub fn terminate_one(&self, leader: i32) -> bool {
        self.jobs().iter().any(|running_job| running_job.order_if(Order::Terminate, leader))
    }

    /// Sends a signal to the process group of every job.
    pub fn signal(&self, signal: i32) {
        for running_job in self.jobs().iter() {
            running_job.send(signal);
        }
    }

    /// Stops every job by TSTP. Time limits stand still.
    pub fn pause(&self) {
        // First the clock: this process itself may be stopped next.
        self.clock.pause(Instant::now());
        let _none_starts = self.starting.write();
        self.signal(libc::SIGTSTP);
        self.ring();
    }

    /// Continues every job. Time limits go on where they stood.
    pub fn resume(&self) {
        self.signal(libc::SIGCONT);
        self.clock.resume(Instant::now());
        self.ring();
    }

    /// From now on every job, those that run included, is killed when it lasts
    /// longer than this.
    pub fn set_time_limit(&self, limit: Option<Duration>) {
        self.clock.set_limit(limit);
        self.ring();
    }

    /// What runs now: slot and process group of each job.
    #[must_use]
    pub fn list(&self) -> Vec<(usize, i32)> {
        self.jobs().iter().filter_map(|running_job| running_job.started()).collect()
    }

    pub(super) fn add_running_job(&self, slot: usize) -> io::Result<Arc<RunningJob>> {
        let running_job = Arc::new(RunningJob::new(slot)?);
        self.jobs().push(Arc::clone(&running_job));
        Ok(running_job)
    }

    pub(super) fn remove_running_job(&self, running_job: &Arc<RunningJob>) {
        self.jobs().retain(|other| !Arc::ptr_eq(other, running_job));
    }

    pub(super) fn is_ending(&self) -> bool {
        self.ending() != Order::None
    }

    /// Seats a job that has just been started.
    pub(super) fn set_job(&self, running_job: &RunningJob, leader: i32) {
        running_job.running_job(leader, || (self.ending(), self.clock.is_paused()));
    }

    pub(super) fn null(&self) -> BorrowedFd<'_> {
        self.null.as_fd()
    }

    pub(super) fn oom_killed(&self) -> Option<bool> {
        self.oom.lock().account()
    }

    fn ending(&self) -> Order {
        match self.ending.load(Ordering::SeqCst) {
            0 => Order::None,
            ending if ending == Order::Kill as u8 => Order::Kill,
            _ => Order::Terminate,
        }
    }

    fn end(&self, order: Order) {
        self.ending.fetch_max(order as u8, Ordering::SeqCst);
        for running_job in self.jobs().iter() {
            running_job.order(order);
        }
    }

    fn ring(&self) {
        for running_job in self.jobs().iter() {
            running_job.waker.ring();
        }
    }

    fn jobs(&self) -> MutexGuard<'_, Vec<Arc<RunningJob>>> {
        self.jobs.lock()
    }
}
