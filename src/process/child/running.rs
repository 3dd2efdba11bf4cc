//! What runs now, and orders to it from other threads: a signal's handler
//! thread, a progress display, a policy that ends the run.
//!
//! A process group is signalled only while its leader was not reaped, so that
//! its number cannot have become another's. Does not know how jobs are started and
//! waited for.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, MutexGuard, OnceLock, RwLock};
use std::time::{Duration, Instant};

use super::job_clock::JobClock;
use super::oom::OomKills;
use super::reap::{ChildUsage, ProcessEnd, reap};
use super::term_sequence::TermSequence;
use crate::process::signal;
use crate::process::waker::Waker;
use crate::sync::Mutex;

/// The jobs of one run that are running now.
#[derive(Debug)]
pub struct RunningJobs {
    pub(super) sequence: TermSequence,
    pub(super) clock: JobClock,
    pub(super) caught: u64,
    null: File,
    /// Whether a job could ask for the terminal: there is one.
    pub(super) has_terminal: bool,
    jobs: Mutex<Vec<Arc<RunningJob>>>,
    /// Counted from the first start on.
    oom: OnceLock<Mutex<OomKills>>,
    /// Once not `NONE` nothing is started any more.
    ending: AtomicU8,
    /// Shared while a job is started and not yet known: who pauses the run waits
    /// for that, so that no job runs on unseen.
    pub(super) starting: RwLock<()>,
}

impl RunningJobs {
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
            clock: JobClock::default(),
            caught: signal::caught_beside(harmless),
            null: File::open("/dev/null")?,
            has_terminal: File::open("/dev/tty").is_ok(),
            jobs: Mutex::default(),
            oom: OnceLock::new(),
            ending: AtomicU8::new(KillOrder::None as u8),
            starting: RwLock::new(()),
        })
    }

    /// Begins the kill sequence of every job, and starts no other.
    pub fn terminate(&self) {
        self.end(KillOrder::Terminate);
    }

    /// Kills every job at once, and starts no other. It does not wait for the
    /// workers, which may be stuck in a write.
    pub fn kill_now(&self) {
        self.end(KillOrder::Kill);
    }

    /// Begins the kill sequence of the one job whose group is `leader`. Says
    /// whether it was still running.
    pub fn terminate_one(&self, leader: i32) -> bool {
        self.jobs().iter().any(|running_job| running_job.order_if(KillOrder::Terminate, leader))
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
        self.wake_all();
    }

    /// Continues every job. Time limits go on where they stood.
    pub fn resume(&self) {
        self.signal(libc::SIGCONT);
        self.clock.resume(Instant::now());
        self.wake_all();
    }

    /// From now on every job, those that run included, is killed when it lasts
    /// longer than this.
    pub fn set_time_limit(&self, limit: Option<Duration>) {
        self.clock.set_limit(limit);
        self.wake_all();
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
        self.ending() != KillOrder::None
    }

    /// Takes note of a job that has just been started.
    pub(super) fn begin_job(&self, running_job: &RunningJob, leader: i32) {
        running_job.begin(leader, || (self.ending(), self.clock.is_paused()));
        // Now that it runs, and not while it waits: it takes longer to fill the memory.
        self.oom();
    }

    pub(super) fn null(&self) -> BorrowedFd<'_> {
        self.null.as_fd()
    }

    pub(super) fn oom_killed(&self) -> Option<bool> {
        self.oom().lock().account()
    }

    fn oom(&self) -> &Mutex<OomKills> {
        self.oom.get_or_init(|| Mutex::new(OomKills::since_now()))
    }

    fn ending(&self) -> KillOrder {
        match self.ending.load(Ordering::SeqCst) {
            0 => KillOrder::None,
            ending if ending == KillOrder::Kill as u8 => KillOrder::Kill,
            _ => KillOrder::Terminate,
        }
    }

    fn end(&self, order: KillOrder) {
        self.ending.fetch_max(order as u8, Ordering::SeqCst);
        for running_job in self.jobs().iter() {
            running_job.order(order);
        }
    }

    fn wake_all(&self) {
        for running_job in self.jobs().iter() {
            running_job.waker.wake();
        }
    }

    fn jobs(&self) -> MutexGuard<'_, Vec<Arc<RunningJob>>> {
        self.jobs.lock()
    }
}

/// What a job is asked to do; more is worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum KillOrder {
    None,
    Terminate,
    Kill,
}

/// Where one worker says what it runs.
#[derive(Debug)]
pub(super) struct RunningJob {
    pub(super) waker: Waker,
    slot: usize,
    job: Mutex<CurrentJob>,
}

#[derive(Debug)]
struct CurrentJob {
    /// The leader of the job's group, until it is reaped.
    leader: Option<i32>,
    order: KillOrder,
}

impl RunningJob {
    /// Nothing runs yet.
    fn new(slot: usize) -> io::Result<Self> {
        let job = Mutex::new(CurrentJob { leader: None, order: KillOrder::None });
        Ok(Self { waker: Waker::new()?, slot, job })
    }

    /// What runs: its slot and its group.
    fn started(&self) -> Option<(usize, i32)> {
        Some((self.slot, self.lock().leader?))
    }

    /// Takes note of a job that has just been started. What the others are told to do
    /// by then holds for it, too: `standing` is asked under the lock, so that
    /// who gives an order after this finds the job.
    fn begin(&self, leader: i32, standing: impl FnOnce() -> (KillOrder, bool)) {
        let mut job = self.lock();
        job.leader = Some(leader);
        job.order = KillOrder::None;
        let (order, paused) = standing();
        job.take(order);
        if paused {
            job.send(libc::SIGTSTP);
        }
        if order != KillOrder::None {
            self.waker.wake();
        }
    }

    /// The worst that this worker's job was asked to do.
    pub(super) fn asked(&self) -> KillOrder {
        self.lock().order
    }

    /// Sends a signal to the job's group, if there is one.
    pub(super) fn send(&self, signal: i32) {
        self.lock().send(signal);
    }

    /// Reaps the job, which has ended; from then on nobody signals its group.
    pub(super) fn reap(&self, leader: i32) -> io::Result<(ProcessEnd, ChildUsage)> {
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
    fn order(&self, order: KillOrder) {
        self.lock().take(order);
        self.waker.wake();
    }

    /// Gives an order to the job if it is that one; says whether it is.
    fn order_if(&self, order: KillOrder, leader: i32) -> bool {
        let mut job = self.lock();
        if job.leader != Some(leader) {
            return false;
        }
        job.take(order);
        self.waker.wake();
        true
    }

    fn lock(&self) -> MutexGuard<'_, CurrentJob> {
        self.job.lock()
    }
}

impl CurrentJob {
    fn take(&mut self, order: KillOrder) {
        self.order = self.order.max(order);
        if order == KillOrder::Kill {
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
