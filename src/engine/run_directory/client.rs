//! Whoever began a run by way of a directory, or goes on with one: has workers started,
//! hears of what they do, and has others started while there is progress.
//!
//! Does not know what batch systems say, nor what stands in a record.

use std::collections::BTreeSet;
use std::fs;
use std::os::fd::AsFd as _;
use std::path::PathBuf;
use std::thread::Builder;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use super::collector::{Collector, WorkerView};
use super::elements::ElementWatch;
use super::heartbeat::{HeartWatch, last_word};
use super::layout::RunLayout;
use super::run_spec::RunSpec;
use super::submitter::{
    ElementLife, ElementState, Submission, SubmittedJob, Submitter, n_elements, note_jobs,
};
use super::task_file::TaskWriter;
use crate::engine::Run;
use crate::event::Event;
use crate::host::{FileSystem, STACK};
use crate::numbers::{count, plural};
use crate::process::{PollEntry, Waker, poll};
use crate::study::WorkerCosts;
use crate::sync::Mutex;

/// Records are looked for after this, and after half as much again each time that there
/// were none ...
pub(super) const FIRST_LOOK: Duration = Duration::from_millis(10);

/// ... but not after more than this.
const LAST_LOOK: Duration = Duration::from_millis(500);

/// Workers that were told to end get so long for it.
const PATIENCE: Duration = Duration::from_secs(40);

/// A worker whose element runs for so long and that is not seen does not see the directory.
pub(super) const UNSEEN: Duration = Duration::from_secs(60);

/// A reason to wait is told after this.
pub(super) const WORTH_TELLING: Duration = Duration::from_secs(60);

/// What nodes write is seen here so much later at most, where a network is in between.
const LATENESS: Duration = Duration::from_secs(60);

/// Elements are submitted again so often without any progress.
const FRUITLESS: u32 = 1;

/// How a run came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RunEnd {
    /// All tasks are done.
    Done,
    /// Some are not, and somebody may go on.
    Left,
    /// Some are not, and are not to be: a rule ended the run.
    Halted,
}

/// All that a client is given.
#[derive(Clone)]
pub(super) struct ClientContext<'a, 'r, 'q> {
    pub(super) run: &'r Run<'q>,
    pub(super) layout: &'a RunLayout,
    pub(super) spec: &'a RunSpec,
    pub(super) program: PathBuf,
    pub(super) submitter: &'a dyn Submitter,
    pub(super) watch: &'a ElementWatch<'a>,
    pub(super) waker: &'a Waker,
    /// Why tasks could not be put down.
    pub(super) trouble: &'a Mutex<Option<anyhow::Error>>,
}

impl ClientContext<'_, '_, '_> {
    /// Puts all tasks down, as they come. How many there were.
    pub(super) fn put_tasks(&self, mut writer: TaskWriter<'_>) -> anyhow::Result<u64> {
        let waits = self.run.batch.may_wait();
        let (mut flushed, mut is_first) = (Instant::now(), true);
        while let Some(task) = self.run.batch.take_ahead() {
            writer.put(&task).context("cannot put tasks down")?;
            if waits && (is_first || flushed.elapsed() >= FIRST_LOOK) {
                // What waits here is not found by anybody.
                writer.flush().context("cannot put tasks down")?;
                (flushed, is_first) = (Instant::now(), false);
                self.waker.wake();
            }
        }
        writer.finish().context("cannot put tasks down")
    }

    /// Does `work` while the batch system is asked now and then.
    pub(super) fn with_watch<T>(&self, work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<T> {
        std::thread::scope(|scope| {
            let thread = Builder::new().name("elements".to_owned()).stack_size(STACK);
            let watch = self.watch;
            thread.spawn_scoped(scope, move || watch.watch()).context("cannot start a thread")?;
            let result = work();
            self.watch.end();
            result
        })
    }

    pub(super) fn tell(&self, text: &str) {
        self.run.observer.observe(&Event::Told { text });
    }
}

/// Whoever hears of a run's workers.
pub(super) struct RunClient<'a, 'r, 'q> {
    pub(super) it: ClientContext<'a, 'r, 'q>,
    pub(super) records: Collector<'r, 'q>,
    pub(super) jobs: Vec<SubmittedJob>,
    pub(super) submitted: Instant,
    /// Tasks that were done when elements were submitted last, and how often that did not
    /// change.
    pub(super) done_then: u64,
    pub(super) fruitless: u32,
    pub(super) n_resubmitted: u64,
    /// What is told once: ends of elements, reasons to wait.
    pub(super) told: BTreeSet<String>,
    /// Since when an element runs whose worker was not seen.
    pub(super) unseen_since: Option<Instant>,
    /// Whether workers were told to begin nothing more, and since when they are to end.
    pub(super) drains: bool,
    pub(super) ending_since: Option<Instant>,
    pub(super) next_hurry: Instant,
    /// Whether there was a worker.
    pub(super) has_begun: bool,
    /// Whose hearts beat, for those of whom the batch system knows nothing.
    pub(super) hearts: HeartWatch,
    /// No element is left, as far as the batch system knows; and since when that is known.
    pub(super) nobody_is_left: bool,
    left_since: Option<Instant>,
    /// How late what others wrote is seen.
    lateness: Duration,
    /// How many elements have been told to stop.
    pub(super) n_stopped: u32,
    /// The times that the run had been cancelled before this client went on with it.
    pub(super) earlier_cancels: Vec<String>,
}

impl<'a, 'r, 'q> RunClient<'a, 'r, 'q> {
    pub(super) fn new(it: ClientContext<'a, 'r, 'q>, jobs: Vec<SubmittedJob>) -> anyhow::Result<Self> {
        let records = Collector::open(it.run, it.layout)?;
        let hearts = HeartWatch::new(it.layout, it.spec.lease);
        let is_shared = FileSystem::of(it.layout.root()).is_some_and(|system| system.is_shared());
        let lateness = if is_shared { LATENESS } else { Duration::ZERO };
        Ok(Self {
            done_then: records.n_done(),
            records,
            it,
            jobs,
            submitted: Instant::now(),
            fruitless: 0,
            n_resubmitted: 0,
            told: BTreeSet::new(),
            unseen_since: None,
            drains: false,
            ending_since: None,
            next_hurry: Instant::now(),
            hearts,
            has_begun: false,
            nobody_is_left: false,
            left_since: None,
            lateness,
            n_stopped: 0,
            earlier_cancels: Vec::new(),
        })
    }

    /// How many elements were ever submitted.
    pub(super) fn n_elements(&self) -> u32 {
        n_elements(&self.jobs)
    }

    /// Has so many more elements started.
    pub(super) fn submit(&mut self, count: u32) -> anyhow::Result<()> {
        let ClientContext { layout, spec, .. } = self.it;
        let program = self.it.program.clone();
        let submission = Submission { layout, spec, program, first: self.n_elements(), count };
        let jobs = self.it.submitter.submit(&submission)?;
        note_jobs(layout, &jobs).context("cannot note what was submitted")?;
        let had: u32 = jobs.iter().map(|job| job.count).sum();
        if had < count {
            let (of, do_it) = (plural(count.into(), "element"), if had == 1 { "it does" } else { "they do" });
            self.it.tell(&format!("Slurm takes {had} of {of}: {do_it} all of the work"));
        }
        self.jobs.extend(jobs);
        (self.submitted, self.nobody_is_left, self.unseen_since) = (Instant::now(), false, None);
        self.left_since = None;
        self.done_then = self.records.n_done();
        if self.records.workers.is_empty() {
            self.records.waits_since = Some(self.submitted);
        }
        self.it.watch.set_jobs(self.jobs.clone());
        // Whoever cancels it looks what was submitted after having noted that.
        self.check_is_wanted().inspect_err(|_| {
            let _ = self.stop_workers();
            let _ = self.it.submitter.cancel(self.it.spec, &self.jobs);
        })
    }

    /// Waits for the first task, and begins.
    pub(super) fn begin(mut self) -> anyhow::Result<(WorkerCosts, RunEnd)> {
        loop {
            if let Some(error) = self.it.trouble.lock().take() {
                return Err(error);
            }
            let has_tasks = fs::metadata(self.it.layout.path("tasks.index")).is_ok_and(|it| it.len() > 0);
            if self.it.run.interrupt.is_set() || self.records.n_tasks()? == Some(0) {
                return Ok((WorkerCosts::default(), RunEnd::Done));
            }
            self.check_is_wanted()?;
            if has_tasks {
                break;
            }
            self.wait(LAST_LOOK);
        }
        let wanted = match self.records.n_tasks()? {
            Some(tasks) => u32::try_from(tasks.div_ceil(self.it.spec.slots().into())).unwrap_or(u32::MAX),
            None => u32::MAX,
        };
        self.submit(self.it.spec.cluster.elements.min(wanted))?;
        self.go_on()
    }

    /// Goes on where another client was.
    pub(super) fn resume(mut self) -> anyhow::Result<(WorkerCosts, RunEnd)> {
        let Some(tasks) = self.records.n_tasks()? else {
            bail!("the inputs of this run were not read to their end: run it again");
        };
        self.it.tell(&format!("done before: {} of {}", count(self.records.n_done()), plural(tasks, "job")));
        self.records.catch_up(self.n_elements())?;
        self.earlier_cancels = self.it.layout.cancels().context("cannot see whether it was cancelled")?;
        if self.records.n_done() < tasks {
            let states = self.it.submitter.look(self.it.spec, &self.jobs)?;
            let states = self.known(states);
            self.bury_ended(&states)?;
            // Those that were told to stop do nothing more, and may wait in a queue for hours.
            let goes_on = |state: &ElementState| {
                !matches!(state.life, ElementLife::Ended(_)) && !self.it.layout.is_stopped(state.number)
            };
            if states.iter().any(goes_on) {
                self.it.watch.set_jobs(self.jobs.clone());
            } else {
                let left = (tasks - self.records.n_done()).div_ceil(self.it.spec.slots().into());
                let left = u32::try_from(left).unwrap_or(u32::MAX);
                self.submit(self.it.spec.cluster.elements.min(left))?;
            }
        }
        self.go_on()
    }

    /// Hears of workers until all tasks are done, or nobody is left to do them.
    fn go_on(mut self) -> anyhow::Result<(WorkerCosts, RunEnd)> {
        let mut look = FIRST_LOOK;
        let result = loop {
            match self.step() {
                Ok(LookStep::News) => look = FIRST_LOOK,
                Ok(LookStep::Nothing) => look = (look * 3 / 2).min(LAST_LOOK),
                Ok(LookStep::Over(end)) => break Ok(end),
                Err(error) => break Err(error),
            }
            self.wait(look);
        };
        let _ = self.stop_workers();
        let is_by_rule = !self.it.run.interrupt.is_set() && self.it.run.batch.may_be_halted();
        let end = match result {
            Ok(RunEnd::Left) if is_by_rule => RunEnd::Halted,
            Ok(end) => end,
            Err(error) => {
                let _ = self.it.submitter.cancel(self.it.spec, &self.jobs);
                // That explains whatever else went wrong.
                return self.it.layout.check_is_there().and(Err(error));
            }
        };
        self.leave(end)?;
        Ok((self.costs(), end))
    }

    pub(super) fn wait(&self, time: Duration) {
        let interrupt = self.it.run.interrupt;
        let unless = |is_known: bool, entry| if is_known { PollEntry::NOTHING } else { entry };
        let mut entries = [
            unless(self.ending_since.is_some(), PollEntry::readable(interrupt.wake_fd())),
            unless(self.drains, PollEntry::readable(interrupt.drain_fd())),
            PollEntry::readable(self.it.waker.as_fd()),
        ];
        let deadline = interrupt.until_deadline().filter(|_| !self.drains);
        let _ = poll(&mut entries, Some(deadline.map_or(time, |left| time.min(left))));
        self.it.waker.clear();
    }

    fn step(&mut self) -> anyhow::Result<LookStep> {
        if let Some(error) = self.it.trouble.lock().take() {
            return Err(error);
        }
        let is_news = self.records.collect(self.n_elements())?;
        self.hear_workers();
        if self.records.n_tasks()?.is_some_and(|tasks| self.records.n_done() >= tasks) {
            return Ok(LookStep::Over(RunEnd::Done));
        }
        if let Some(end) = self.look_whether_to_end()? {
            return Ok(LookStep::Over(end));
        }
        if let Some(states) = self.it.watch.news() {
            self.hear_elements(states)?;
        }
        if let Some((failures, why)) = self.it.watch.silence()
            && failures == 3
        {
            self.it.tell(&format!("the batch system does not answer, which holds nothing up: {why}"));
        }
        Ok(if is_news { LookStep::News } else { LookStep::Nothing })
    }

    /// What workers said of themselves.
    pub(super) fn hear_workers(&mut self) {
        if !self.has_begun && self.records.workers.iter().any(|worker| worker.about.is_some()) {
            self.has_begun = true;
            self.it.run.observer.observe(&Event::StartsGoOn);
        }
        let mut failed = Vec::new();
        for worker in &mut self.records.workers {
            if let Some(why) = worker.failed.take() {
                failed.push(format!("{}: {why}", worker.node()));
            }
            if !worker.has_left() && self.it.layout.dead(worker.name()).exists() {
                worker.is_gone = true;
                let word = last_word(self.it.layout, worker.name());
                failed.extend(word.map(|why| format!("{}: {why}", worker.node())));
            }
        }
        for why in failed {
            self.tell_once(&why);
        }
        // Where none of those that were submitted last is left, there is no need to ask anybody.
        let last = self.jobs.iter().map(SubmittedJob::elements).collect::<Vec<_>>();
        let left = |element: u32| {
            let mut own =
                self.records.workers.iter().filter(|worker| worker.element() == Some(element)).peekable();
            own.peek().is_some() && own.all(WorkerView::has_left)
        };
        if last.into_iter().flatten().all(left) {
            self.nobody_is_left = true;
        }
    }

    pub(super) fn tell_once(&mut self, text: &str) {
        if self.told.insert(text.to_owned()) {
            self.it.tell(text);
        }
    }

    /// Ends what is to end. What came of the run where that has been done.
    fn look_whether_to_end(&mut self) -> anyhow::Result<Option<RunEnd>> {
        let interrupt = self.it.run.interrupt;
        if interrupt.is_draining() && !std::mem::replace(&mut self.drains, true) {
            self.stop_workers().context("cannot tell workers to stop")?;
        }
        let ends = interrupt.is_set() || self.records.is_halted;
        if ends && self.ending_since.is_none() {
            self.ending_since = Some(Instant::now());
            self.stop_workers().context("cannot tell workers to stop")?;
            if interrupt.is_set() {
                self.it.tell("ending the workers; once more leaves them to end by themselves");
            }
            self.it.submitter.cancel(self.it.spec, &self.jobs)?;
        }
        if let Some(since) = self.ending_since {
            if Instant::now() >= self.next_hurry {
                self.next_hurry = Instant::now() + Duration::from_millis(300);
                self.it.watch.hurry();
            }
            let is_enough = interrupt.n_signals() > 1 || since.elapsed() > PATIENCE;
            return Ok((self.nobody_is_left || is_enough).then_some(RunEnd::Left));
        }
        if !self.drains {
            return if self.nobody_is_left && self.has_seen_all() { self.submit_again() } else { Ok(None) };
        }
        let all_have_left = self.records.workers.iter().all(WorkerView::has_left);
        if self.nobody_is_left || (all_have_left && self.records.n_running() == 0) {
            self.it.submitter.cancel(self.it.spec, &self.jobs)?;
            return Ok(Some(RunEnd::Left));
        }
        Ok(None)
    }

    /// Whether all is here that those recorded who are not left: what nodes wrote may be seen
    /// later than that they are done.
    fn has_seen_all(&mut self) -> bool {
        let since = *self.left_since.get_or_insert_with(Instant::now);
        since.elapsed() >= self.lateness || !self.lacks(|worker| worker.bye.is_some())
    }

    /// Where nobody is left and tasks are, others are to do them, as long as there is progress.
    fn submit_again(&mut self) -> anyhow::Result<Option<RunEnd>> {
        // That the last one has left may be seen before what it recorded at its end.
        self.records.catch_up(self.n_elements())?;
        let done = self.records.n_done();
        if self.records.n_tasks()?.is_some_and(|tasks| done >= tasks) {
            return Ok(Some(RunEnd::Done));
        }
        self.check_is_wanted()?;
        if done == self.done_then {
            self.fruitless += 1;
            if self.fruitless > FRUITLESS {
                let why = self.told.last().map_or_else(String::new, |why| format!(": {why}"));
                bail!(
                    "workers end without doing anything{why}; what they had to say is in {}",
                    self.it.layout.path("log").display()
                );
            }
        } else {
            self.fruitless = 0;
        }
        let left = self.records.n_tasks()?.map_or(u64::MAX, |tasks| tasks - done);
        let elements = left.div_ceil(self.it.spec.slots().into()).min(self.it.spec.cluster.elements.into());
        let are_left = if left == 1 { "1 job is left" } else { &format!("{} jobs are left", count(left)) };
        self.it.tell(&format!("all workers have ended and {are_left}: starting {} more", count(elements)));
        self.n_resubmitted += elements;
        for worker in self.records.workers.iter().filter(|worker| !worker.has_left()) {
            self.it.layout.bury(worker.name()).context("cannot note that a worker is gone")?;
        }
        self.submit(u32::try_from(elements).unwrap_or(1).max(1))?;
        Ok(None)
    }
}

/// What came of a look.
enum LookStep {
    News,
    Nothing,
    Over(RunEnd),
}
