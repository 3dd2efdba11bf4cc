//! What runs now, and orders to it from other threads: a signal's handler
//! thread, a progress display, a policy that ends the run.
//!
//! A process group is signalled only while its leader was not reaped, so that
//! its number cannot have become another's. Does not know how jobs are started and
//! waited for.

use std::fs::File;
use std::io;
use std::sync::{Arc, OnceLock, RwLock};
use std::time::{Duration, Instant};

use super::guard::Guard;
use super::killing::TermSequence;
use super::reap::{ChildUsage, OomKills, ProcessEnd, reap};
use crate::process::poll::Waker;
use crate::process::signal;
use crate::sync::Mutex;

/// The jobs of one run that are running now.
#[derive(Debug)]
pub struct RunningJobs {
    pub(super) sequence: TermSequence,
    pub(super) clock: Mutex<JobClock>,
    pub(super) caught: u64,
    pub(super) null: File,
    /// Whether a job could ask for the terminal: there is one.
    pub(super) has_terminal: bool,
    jobs: Mutex<Vec<Arc<RunningJob>>>,
    /// Counted from the first start on.
    oom: OnceLock<Mutex<OomKills>>,
    /// Once not `NONE` nothing is started any more.
    ending: Mutex<KillOrder>,
    /// Who ends the jobs when this process cannot.
    guard: OnceLock<Guard>,
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
            clock: Mutex::default(),
            caught: signal::caught_beside(harmless),
            null: File::open("/dev/null")?,
            has_terminal: File::open("/dev/tty").is_ok(),
            jobs: Mutex::default(),
            oom: OnceLock::new(),
            ending: Mutex::new(KillOrder::None),
            guard: OnceLock::new(),
            starting: RwLock::new(()),
        })
    }

    /// From now on `guard` ends the jobs if this process is gone before them. To be called
    /// before any is started.
    pub fn guard_by(&self, guard: Guard) {
        guard.ends_by(self.sequence.steps());
        let _ = self.guard.set(guard);
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

    /// Sends a signal to the process group of every job.
    pub fn signal(&self, signal: i32) {
        for running_job in self.jobs.lock().iter() {
            running_job.send(signal);
        }
    }

    /// Stops every job by TSTP. Time limits stand still.
    pub fn pause(&self) {
        // First the clock: this process itself may be stopped next.
        self.clock.lock().pause(Instant::now());
        let _none_starts = self.starting.write();
        self.signal(libc::SIGTSTP);
        self.wake_all();
    }

    /// Continues every job. Time limits go on where they stood.
    pub fn resume(&self) {
        self.signal(libc::SIGCONT);
        self.clock.lock().resume(Instant::now());
        self.wake_all();
    }

    /// From now on every job, those that run included, is killed when it lasts
    /// longer than this.
    pub fn set_time_limit(&self, limit: Option<Duration>) {
        self.clock.lock().limit = limit;
        self.wake_all();
    }

    /// What runs now: slot and process group of each job.
    pub fn list(&self) -> Vec<(usize, i32)> {
        self.jobs.lock().iter().filter_map(|running_job| running_job.started()).collect()
    }

    pub(super) fn add_running_job(&self, slot: usize) -> io::Result<Arc<RunningJob>> {
        let running_job = Arc::new(RunningJob::new(slot, self.guard.get().cloned())?);
        self.jobs.lock().push(Arc::clone(&running_job));
        Ok(running_job)
    }

    pub(super) fn remove_running_job(&self, running_job: &Arc<RunningJob>) {
        self.jobs.lock().retain(|other| !Arc::ptr_eq(other, running_job));
    }

    pub(super) fn is_ending(&self) -> bool {
        self.ending() != KillOrder::None
    }

    /// Takes note of a job that has just been started.
    pub(super) fn begin_job(&self, running_job: &RunningJob, leader: i32) {
        running_job.begin(leader, || (self.ending(), self.clock.lock().is_paused()));
        // Now that it runs, and not while it waits: it takes longer to fill the memory.
        self.oom();
    }

    /// What counts kills for lack of memory.
    pub(super) fn oom(&self) -> &Mutex<OomKills> {
        self.oom.get_or_init(|| Mutex::new(OomKills::since_now()))
    }

    fn ending(&self) -> KillOrder {
        *self.ending.lock()
    }

    fn worsen(&self, order: KillOrder) {
        let mut ending = self.ending.lock();
        *ending = order.max(*ending);
    }

    fn end(&self, order: KillOrder) {
        self.worsen(order);
        for running_job in self.jobs.lock().iter() {
            running_job.order(order);
        }
    }

    fn wake_all(&self) {
        for running_job in self.jobs.lock().iter() {
            running_job.waker.wake();
        }
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
    guard: Option<Guard>,
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
    fn new(slot: usize, guard: Option<Guard>) -> io::Result<Self> {
        let job = Mutex::new(CurrentJob { leader: None, order: KillOrder::None });
        Ok(Self { waker: Waker::new()?, slot, guard, job })
    }

    /// What runs: its slot and its group.
    fn started(&self) -> Option<(usize, i32)> {
        Some((self.slot, self.job.lock().leader?))
    }

    /// Takes note of a job that has just been started. What the others are told to do
    /// by then holds for it, too: `standing` is asked under the lock, so that
    /// who gives an order after this finds the job.
    fn begin(&self, leader: i32, standing: impl FnOnce() -> (KillOrder, bool)) {
        // As soon as can be: until then nobody else could end it.
        if let Some(guard) = &self.guard {
            guard.began(leader);
        }
        let mut job = self.job.lock();
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
        self.job.lock().order
    }

    /// Sends a signal to the job's group, if there is one.
    pub(super) fn send(&self, signal: i32) {
        self.job.lock().send(signal);
    }

    /// Reaps the job, which has ended; from then on nobody signals its group.
    pub(super) fn reap(&self, leader: i32) -> io::Result<(ProcessEnd, ChildUsage)> {
        let mut job = self.job.lock();
        job.leader = None;
        self.is_over(leader);
        reap(leader)
    }

    /// The group of `leader` is not ended any more: once that is reaped, its number may be
    /// another's.
    fn is_over(&self, leader: i32) {
        if let Some(guard) = &self.guard {
            guard.over(leader);
        }
    }

    /// Kills and reaps the job, if it was not reaped.
    pub(super) fn abandon(&self) {
        let mut job = self.job.lock();
        job.send(libc::SIGKILL);
        if let Some(leader) = job.leader.take() {
            self.is_over(leader);
            // There is nobody to tell the end to.
            let _ = reap(leader);
        }
    }

    /// Gives an order to the job, if there is one.
    fn order(&self, order: KillOrder) {
        self.job.lock().take(order);
        self.waker.wake();
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

/// The time limit of every job, which stands still while the run is paused, and how long it
/// was paused so far.
#[derive(Debug, Default)]
pub(super) struct JobClock {
    limit: Option<Duration>,
    paused_since: Option<Instant>,
    paused_for: Duration,
}

impl JobClock {
    fn pause(&mut self, now: Instant) {
        self.paused_since.get_or_insert(now);
    }

    fn resume(&mut self, now: Instant) {
        if let Some(since) = self.paused_since.take() {
            self.paused_for += now.saturating_duration_since(since);
        }
    }

    pub(super) fn is_paused(&self) -> bool {
        self.paused_since.is_some()
    }

    /// A stopwatch for a job that starts now.
    pub(super) fn start(&self, deadline: Option<Instant>) -> Allowance {
        Allowance { started: Instant::now(), deadline, paused_before: self.paused_for }
    }
}

/// How long one job may last.
#[derive(Clone, Copy, Debug)]
pub(super) struct Allowance {
    started: Instant,
    /// The job's own, beside the limit of all.
    deadline: Option<Instant>,
    paused_before: Duration,
}

impl Allowance {
    /// When it has to end, as things are now. None: never, or not while the run
    /// is paused.
    pub(super) fn end(&self, clock: &JobClock) -> Option<Instant> {
        if clock.paused_since.is_some() {
            return None;
        }
        let limit = clock.limit.and_then(|limit| self.started.checked_add(limit));
        let end = [self.deadline, limit].into_iter().flatten().min()?;
        end.checked_add(clock.paused_for.saturating_sub(self.paused_before))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_pause_shifts_the_deadline_by_its_length_and_until_then_there_is_none() {
        let mut clock = JobClock::default();
        let now = Instant::now();
        let job = clock.start(Some(now + 10 * SECOND));
        assert_eq!(job.end(&clock), Some(now + 10 * SECOND));
        clock.pause(now + SECOND);
        clock.pause(now + 2 * SECOND);
        assert_eq!(job.end(&clock), None);
        clock.resume(now + 5 * SECOND);
        clock.resume(now + 9 * SECOND);
        assert_eq!(job.end(&clock), Some(now + 14 * SECOND));
        let later = clock.start(Some(now + 20 * SECOND));
        assert_eq!(later.end(&clock), Some(now + 20 * SECOND), "an earlier pause is not its own");
    }

    #[test]
    fn the_earlier_of_deadline_and_limit_holds_and_the_limit_can_change() {
        let mut clock = JobClock::default();
        let job = clock.start(None);
        assert_eq!(job.end(&clock), None);
        clock.limit = Some(3 * SECOND);
        assert_eq!(job.end(&clock), Some(job.started + 3 * SECOND));
        let hurried = clock.start(Some(job.started + 2 * SECOND));
        assert_eq!(hurried.end(&clock), Some(job.started + 2 * SECOND));
        clock.limit = Some(Duration::MAX);
        assert_eq!(job.end(&clock), None);
    }
}
