//! Whoever began a run by way of a directory, or goes on with one: makes the directory
//! whole, has workers started, hears of what they do, and has others started while there
//! is progress.
//!
//! Does not know what batch systems say, nor what stands in a record.

use std::collections::BTreeSet;
use std::fmt;
use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::ops::Add as _;
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::Builder;
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow, bail, ensure};

use super::collector::{Collector, WorkerView};
use super::elements::ElementWatch;
use super::layout::{RunLayout, private};
use super::local_elements::LocalElements;
use super::manage::StoredRun;
use super::run_spec::RunSpec;
use super::slurm::{self, Slurm};
use super::submitter::{
    ElementLife, ElementState, Submission, SubmittedJob, Submitter, note_jobs, noted_jobs,
};
use super::task_file::TaskWriter;
use super::{DirectoryOptions, LOCAL, SLURM};
use crate::engine::{Engine, Run};
use crate::event::Event;
use crate::measure::Usage;
use crate::host::{self, FileSystem, STACK};
use crate::process::{PollEntry, Waker, poll};
use crate::study::{ElsewhereCosts, WorkerCosts};
use crate::sync::Mutex;
use crate::task::Column;
use crate::temporary::random;
use crate::workload::Workload;

/// Records are looked for after this, and after half as much again each time that there
/// were none ...
const FIRST_LOOK: Duration = Duration::from_millis(10);

/// ... but not after more than this.
const LAST_LOOK: Duration = Duration::from_millis(500);

/// Workers that were told to end get so long for it.
const PATIENCE: Duration = Duration::from_secs(40);

/// At the end of all tasks those that have nothing to do leave soon.
const LEAVING: Duration = Duration::from_secs(3);

/// A worker whose element runs for so long and that is not seen does not see the directory.
const UNSEEN: Duration = Duration::from_secs(60);

/// A reason to wait is told after this.
const WORTH_TELLING: Duration = Duration::from_secs(60);

/// Elements are submitted again so often without any progress.
const FRUITLESS: u32 = 1;

/// A worker on a file system of one machine is gone after such a silence, and on one of
/// many, where others see it late, after such.
const LEASE: Duration = Duration::from_secs(15);
const LEASE_OF_MANY: Duration = Duration::from_secs(90);

/// What ends a run whose workers go on without it.
#[derive(Clone, Debug)]
pub struct Detached {
    /// The run directory.
    pub directory: PathBuf,
}

impl fmt::Display for Detached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let directory = self.directory.display();
        write!(f, "left to its workers; parsim resume {directory} shows the results, parsim status {directory} how far it is")
    }
}

impl std::error::Error for Detached {}

/// The engine of a run by way of a directory.
pub struct DirectoryRun {
    name: &'static str,
    options: DirectoryOptions,
    /// The run that is gone on with, if it is one.
    stored: Option<StoredRun>,
    /// How many runs there were.
    n_runs: AtomicU32,
}

impl DirectoryRun {
    /// Runs by way of new directories, by the engine of this name.
    pub fn new(name: &'static str, options: DirectoryOptions) -> Self {
        Self { name, options, stored: None, n_runs: AtomicU32::new(0) }
    }

    /// Goes on with a run.
    pub fn resuming(stored: StoredRun, options: DirectoryOptions) -> Self {
        let name = stored.engine();
        Self { name, options, stored: Some(stored), n_runs: AtomicU32::new(0) }
    }

    /// The directory of the next run, and whether it is kept when all went well.
    fn root(&self, name: &str) -> (PathBuf, bool) {
        let number = self.n_runs.fetch_add(1, Ordering::Relaxed);
        match &self.options.run_dir {
            None => (self.options.directory.join(name), self.options.detaches),
            Some(path) if number == 0 => (path.clone(), true),
            // Each run of a comparison has its own.
            Some(path) => {
                let mut path = path.clone().into_os_string();
                path.push(format!("-{}", number + 1));
                (path.into(), true)
            }
        }
    }
}

/// The batch system of an engine.
pub(super) fn submitter_of(engine: &str) -> Box<dyn Submitter> {
    if engine == SLURM.name { Box::new(Slurm) } else { Box::new(LocalElements::default()) }
}

impl Engine for DirectoryRun {
    fn column(&self) -> Column {
        Column::of_engine(self.name)
    }

    fn width(&self) -> usize {
        self.options.width().get()
    }

    fn drive(&self, run: &Run<'_>, workload: &dyn Workload) -> anyhow::Result<Option<WorkerCosts>> {
        let submitter = submitter_of(self.name);
        let Some(stored) = &self.stored else {
            let made = self.make(run, workload)?;
            let (root, is_kept) = (made.layout.root().to_owned(), made.is_kept);
            let result = self.begin(run, made, &*submitter);
            let is_detached = result.as_ref().is_err_and(|error| error.is::<Detached>());
            // Where somebody may come back to it, it stays.
            let can_go_on = self.options.words.is_some() && root.join("jobs").exists();
            let stays = match &result {
                Ok((_, RunEnd::Done | RunEnd::Halted)) => is_kept,
                Ok((_, RunEnd::Left)) => can_go_on,
                Err(_) => is_detached || can_go_on,
            };
            if !stays {
                let _ = fs::remove_dir_all(&root);
            }
            return match result {
                Ok((costs, _)) => Ok(Some(costs)),
                Err(error) if stays && !is_detached => {
                    Err(anyhow!("{error:#}; go on with: parsim resume {}", root.display()))
                }
                Err(error) => Err(error),
            };
        };
        let layout = RunLayout::open(stored.root())?;
        let _lock = ClientLock::take(&layout)?;
        if stored.is_from_start() {
            let _ = fs::remove_file(layout.path("accepted"));
        }
        layout.go_on().context("cannot let workers go on")?;
        let jobs = noted_jobs(&layout).context("cannot see what was submitted")?;
        let spec = RunSpec::read(&layout)?;
        let waker = Waker::new().context("cannot open what wakes")?;
        let watch = ElementWatch::new(&*submitter, waker.clone());
        let context = ClientContext {
            run,
            layout: &layout,
            spec: &spec,
            program: self.program(&layout),
            submitter: &*submitter,
            watch: &watch,
            waker: &waker,
            trouble: &Mutex::default(),
        };
        let (costs, _) = context.with_watch(|| Client::new(context.clone(), jobs)?.resume())?;
        Ok(Some(costs))
    }
}

/// A directory that is whole but for its tasks.
struct MadeRun {
    layout: RunLayout,
    spec: RunSpec,
    is_kept: bool,
    _lock: ClientLock,
}

impl DirectoryRun {
    /// Makes a directory, and whatever workers need but the tasks.
    fn make(&self, run: &Run<'_>, workload: &dyn Workload) -> anyhow::Result<MadeRun> {
        let portable = workload.portable();
        let portable = portable
            .with_context(|| format!("{} cannot be done by worker processes", workload.name()))?;
        let name = format!("parsim-{:08x}", random() >> 32);
        let (root, is_kept) = self.root(&name);
        let existed = root.exists();
        let layout = RunLayout::create(&root)?;
        let made = || -> anyhow::Result<MadeRun> {
            let system = FileSystem::of(layout.root());
            let is_local = self.name == LOCAL.name;
            ensure!(
                is_local || !system.as_ref().is_some_and(FileSystem::is_in_memory),
                "{} is in this machine's memory, where no node sees it: give a --run-dir on a shared file system",
                layout.root().display()
            );
            let usual = if system.is_some_and(|system| system.is_shared()) { LEASE_OF_MANY } else { LEASE };
            let spec = RunSpec {
                blueprint: portable.wire_spec(),
                digested: run.digested,
                retry: run.batch.retry(),
                directory: self.options.directory.clone().into(),
                words: self.options.words.clone(),
                lease: self.options.lease.unwrap_or(usual),
                ..RunSpec::new(
                    name.clone(),
                    workload.name().to_owned(),
                    run.column.clone(),
                    self.options.cluster.clone(),
                )
            };
            if let Some(shared) = portable.export_shared() {
                let path = layout.path("files/shared");
                fs::write(&path, shared).with_context(|| format!("cannot write {}", path.display()))?;
            }
            if !is_local {
                let program = self.program(&layout);
                // Nodes may have another version, or none.
                fs::hard_link(&self.options.program, &program)
                    .or_else(|_| fs::copy(&self.options.program, &program).map(drop))
                    .with_context(|| format!("cannot put the program at {}", program.display()))?;
            }
            spec.write(&layout)?;
            let lock = ClientLock::take(&layout)?;
            Ok(MadeRun { layout: layout.clone(), spec, is_kept, _lock: lock })
        };
        made().inspect_err(|_| {
            if !existed {
                let _ = fs::remove_dir_all(layout.root());
            }
        })
    }

    /// The program that works, as elements find it.
    fn program(&self, layout: &RunLayout) -> PathBuf {
        if self.name == LOCAL.name { self.options.program.clone() } else { layout.path("bin/parsim") }
    }

    /// Has the tasks of a directory done that was made just now.
    fn begin(
        &self,
        run: &Run<'_>,
        made: MadeRun,
        submitter: &dyn Submitter,
    ) -> anyhow::Result<(WorkerCosts, RunEnd)> {
        let MadeRun { layout, spec, .. } = &made;
        let mut writer = TaskWriter::create(layout).context("cannot put tasks down")?;
        let waker = Waker::new().context("cannot open what wakes")?;
        let watch = ElementWatch::new(submitter, waker.clone());
        let trouble = Mutex::default();
        let context = ClientContext {
            run,
            layout,
            spec,
            program: self.program(layout),
            submitter,
            watch: &watch,
            waker: &waker,
            trouble: &trouble,
        };
        // Those that are there at once are put down before anybody is asked to work.
        let waits = run.batch.may_wait() && !self.options.detaches;
        if !waits {
            let tasks = context.put_tasks(writer)?;
            if run.interrupt.is_set() || tasks == 0 {
                return Ok((WorkerCosts::default(), RunEnd::Done));
            }
            let client = Client::new(context.clone(), Vec::new())?;
            if self.options.detaches {
                let mut client = client;
                client.submit(spec.cluster.elements)?;
                return Err(Detached { directory: layout.root().to_owned() }.into());
            }
            return context.with_watch(|| client.begin());
        }
        writer.flush().context("cannot put tasks down")?;
        std::thread::scope(|scope| {
            let thread = Builder::new().name("tasks".to_owned()).stack_size(STACK);
            let feeding = context.clone();
            let feed = move || {
                if let Err(error) = feeding.put_tasks(writer) {
                    feeding.trouble.lock().get_or_insert(error);
                }
                feeding.waker.wake();
            };
            thread.spawn_scoped(scope, feed).context("cannot start a thread")?;
            let result = context.with_watch(|| Client::new(context.clone(), Vec::new())?.begin());
            if result.is_err() {
                // Whoever reads inputs is not to wait for them.
                run.interrupt.drain();
            }
            result
        })
    }
}

/// How a run came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RunEnd {
    /// All tasks are done.
    Done,
    /// Some are not, and somebody may go on.
    Left,
    /// Some are not, and are not to be: a rule ended the run.
    Halted,
}

/// All that a client is given.
#[derive(Clone)]
struct ClientContext<'a, 'r, 'q> {
    run: &'r Run<'q>,
    layout: &'a RunLayout,
    spec: &'a RunSpec,
    program: PathBuf,
    submitter: &'a dyn Submitter,
    watch: &'a ElementWatch<'a>,
    waker: &'a Waker,
    /// Why tasks could not be put down.
    trouble: &'a Mutex<Option<anyhow::Error>>,
}

impl ClientContext<'_, '_, '_> {
    /// Puts all tasks down, as they come. How many there were.
    fn put_tasks(&self, mut writer: TaskWriter<'_>) -> anyhow::Result<u64> {
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
    fn with_watch<T>(&self, work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<T> {
        std::thread::scope(|scope| {
            let thread = Builder::new().name("elements".to_owned()).stack_size(STACK);
            let watch = self.watch;
            thread.spawn_scoped(scope, move || watch.watch()).context("cannot start a thread")?;
            let result = work();
            self.watch.end();
            result
        })
    }

    fn tell(&self, text: &str) {
        self.run.observer.observe(&Event::Told { text });
    }
}

/// Whoever hears of a run's workers.
struct Client<'a, 'r, 'q> {
    it: ClientContext<'a, 'r, 'q>,
    records: Collector<'r, 'q>,
    jobs: Vec<SubmittedJob>,
    submitted: Instant,
    /// Tasks that were done when elements were submitted last, and how often that did not
    /// change.
    done_then: u64,
    fruitless: u32,
    n_resubmitted: u64,
    /// What is told once: ends of elements, reasons to wait.
    told: BTreeSet<String>,
    /// Since when an element runs whose worker was not seen.
    unseen_since: Option<Instant>,
    /// Whether workers were told to begin nothing more, and since when they are to end.
    drains: bool,
    ending_since: Option<Instant>,
    next_hurry: Instant,
    /// Whether there was a worker.
    has_begun: bool,
    /// No element is left, as far as the batch system knows.
    nobody_is_left: bool,
}

impl<'a, 'r, 'q> Client<'a, 'r, 'q> {
    fn new(it: ClientContext<'a, 'r, 'q>, jobs: Vec<SubmittedJob>) -> anyhow::Result<Self> {
        let records = Collector::open(it.run, it.layout)?;
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
            has_begun: false,
            nobody_is_left: false,
        })
    }

    /// How many elements were ever submitted.
    fn n_elements(&self) -> u32 {
        self.jobs.iter().map(|job| job.elements().end).max().unwrap_or(0)
    }

    /// Has so many more elements started.
    fn submit(&mut self, count: u32) -> anyhow::Result<()> {
        let ClientContext { layout, spec, .. } = self.it;
        let program = self.it.program.clone();
        let submission = Submission { layout, spec, program, first: self.n_elements(), count };
        let jobs = self.it.submitter.submit(&submission)?;
        note_jobs(layout, &jobs).context("cannot note what was submitted")?;
        let had: u32 = jobs.iter().map(|job| job.count).sum();
        if had < count {
            self.it.tell(&format!("Slurm takes {had} of {count} elements: they do all of the work"));
        }
        self.jobs.extend(jobs);
        (self.submitted, self.nobody_is_left, self.unseen_since) = (Instant::now(), false, None);
        self.done_then = self.records.n_done();
        self.it.watch.set_jobs(self.jobs.clone());
        Ok(())
    }

    /// Waits for the first task, and begins.
    fn begin(mut self) -> anyhow::Result<(WorkerCosts, RunEnd)> {
        loop {
            if let Some(error) = self.it.trouble.lock().take() {
                return Err(error);
            }
            let has_tasks = fs::metadata(self.it.layout.path("tasks.index")).is_ok_and(|it| it.len() > 0);
            if self.it.run.interrupt.is_set() || self.records.n_tasks()? == Some(0) {
                return Ok((WorkerCosts::default(), RunEnd::Done));
            }
            if has_tasks {
                break;
            }
            self.wait(LAST_LOOK);
        }
        let wanted = match self.records.n_tasks()? {
            Some(tasks) => tasks.div_ceil(self.it.spec.slots().into()).min(u64::from(u32::MAX)) as u32,
            None => u32::MAX,
        };
        self.submit(self.it.spec.cluster.elements.min(wanted))?;
        self.go_on()
    }

    /// Goes on where another client was.
    fn resume(mut self) -> anyhow::Result<(WorkerCosts, RunEnd)> {
        let Some(tasks) = self.records.n_tasks()? else {
            bail!("the inputs of this run were not read to their end: run it again");
        };
        self.it.tell(&format!("{} of {tasks} jobs were done before", self.records.n_done()));
        self.records.collect(self.n_elements())?;
        if self.records.n_done() < tasks {
            let states = self.it.submitter.look(&self.jobs)?;
            self.bury_ended(&states)?;
            let is_alive = |state: &ElementState| !matches!(state.life, ElementLife::Ended(_));
            if states.iter().any(is_alive) {
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
                Ok(Step::News) => look = FIRST_LOOK,
                Ok(Step::Nothing) => look = (look * 3 / 2).min(LAST_LOOK),
                Ok(Step::Over(end)) => break Ok(end),
                Err(error) => break Err(error),
            }
            self.wait(look);
        };
        let _ = self.it.layout.stop();
        let is_by_rule = !self.it.run.interrupt.is_set() && self.it.run.batch.may_be_halted();
        let end = match result {
            Ok(RunEnd::Left) if is_by_rule => RunEnd::Halted,
            Ok(end) => end,
            Err(error) => {
                let _ = self.it.submitter.cancel(self.it.spec, &self.jobs);
                return Err(error);
            }
        };
        self.leave(end)?;
        Ok((self.costs(), end))
    }

    fn wait(&self, time: Duration) {
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

    fn step(&mut self) -> anyhow::Result<Step> {
        if let Some(error) = self.it.trouble.lock().take() {
            return Err(error);
        }
        let is_news = self.records.collect(self.n_elements())?;
        self.hear_workers()?;
        if self.records.n_tasks()?.is_some_and(|tasks| self.records.n_done() >= tasks) {
            return Ok(Step::Over(RunEnd::Done));
        }
        if let Some(end) = self.look_whether_to_end()? {
            return Ok(Step::Over(end));
        }
        if let Some(states) = self.it.watch.news() {
            self.hear_elements(&states)?;
        }
        if let Some((failures, why)) = self.it.watch.silence()
            && failures == 3
        {
            self.it.tell(&format!("the batch system does not answer, which holds nothing up: {why}"));
        }
        Ok(if is_news { Step::News } else { Step::Nothing })
    }

    /// What workers said of themselves.
    fn hear_workers(&mut self) -> anyhow::Result<()> {
        if !self.has_begun && self.records.workers.iter().any(|worker| worker.about.is_some()) {
            self.has_begun = true;
            self.records.queue_wait = self.submitted.elapsed();
            self.it.run.observer.observe(&Event::StartsGoOn);
        }
        let mut failed = Vec::new();
        for worker in &mut self.records.workers {
            if let Some(why) = worker.failed.take() {
                failed.push(format!("{}: {why}", worker.node()));
            }
            if !worker.has_left() {
                worker.is_gone = self.it.layout.dead(worker.name()).exists();
            }
        }
        for why in failed {
            self.tell_once(&why);
        }
        // Where none of those that were submitted last is left, there is no need to ask anybody.
        let last = self.jobs.iter().map(SubmittedJob::elements).collect::<Vec<_>>();
        let left = |element: u32| {
            let mut own = self.records.workers.iter().filter(|worker| worker.element() == Some(element)).peekable();
            own.peek().is_some() && own.all(WorkerView::has_left)
        };
        if self.nobody_is_left || last.into_iter().flatten().all(left) {
            self.nobody_is_left();
        }
        Ok(())
    }

    fn tell_once(&mut self, text: &str) {
        if self.told.insert(text.to_owned()) {
            self.it.tell(text);
        }
    }

    /// Nobody works any more.
    fn nobody_is_left(&mut self) {
        self.nobody_is_left = true;
    }

    /// Ends what is to end. What came of the run where that has been done.
    fn look_whether_to_end(&mut self) -> anyhow::Result<Option<RunEnd>> {
        let interrupt = self.it.run.interrupt;
        if interrupt.is_draining() && !std::mem::replace(&mut self.drains, true) {
            self.it.layout.stop().context("cannot tell workers to stop")?;
        }
        let ends = interrupt.is_set() || self.records.is_halted;
        if ends && self.ending_since.is_none() {
            self.ending_since = Some(Instant::now());
            self.it.layout.stop().context("cannot tell workers to stop")?;
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
            return if self.nobody_is_left { self.submit_again() } else { Ok(None) };
        }
        let all_have_left = self.records.workers.iter().all(WorkerView::has_left);
        if self.nobody_is_left || (all_have_left && self.records.n_running() == 0) {
            self.it.submitter.cancel(self.it.spec, &self.jobs)?;
            return Ok(Some(RunEnd::Left));
        }
        Ok(None)
    }

    /// Where nobody is left and tasks are, others are to do them, as long as there is progress.
    fn submit_again(&mut self) -> anyhow::Result<Option<RunEnd>> {
        let done = self.records.n_done();
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
        self.it.tell(&format!("all workers have ended and {left} jobs are left: starting {elements} more"));
        self.n_resubmitted += elements;
        for worker in self.records.workers.iter().filter(|worker| !worker.has_left()) {
            self.it.layout.bury(worker.name()).context("cannot note that a worker is gone")?;
        }
        self.submit(u32::try_from(elements).unwrap_or(1).max(1))?;
        Ok(None)
    }

    /// Notes of workers whose elements have ended that they will record nothing more.
    fn bury_ended(&mut self, states: &[ElementState]) -> anyhow::Result<()> {
        for ElementState { number, life } in states {
            if !matches!(life, ElementLife::Ended(_)) {
                continue;
            }
            for worker in &mut self.records.workers {
                if worker.element() == Some(*number) && !worker.has_left() {
                    worker.is_gone = true;
                    let buried = self.it.layout.bury(worker.name());
                    buried.context("cannot note that a worker is gone")?;
                }
            }
        }
        Ok(())
    }

    /// What the batch system knows of elements.
    fn hear_elements(&mut self, states: &[ElementState]) -> anyhow::Result<()> {
        // What they recorded before they ended is here by now.
        self.records.collect(self.n_elements())?;
        self.bury_ended(states)?;
        let mut waiting = None;
        let (mut n_alive, mut n_running) = (0, 0);
        for ElementState { number, life } in states {
            match life {
                ElementLife::Waiting(reason) => {
                    n_alive += 1;
                    waiting.get_or_insert_with(|| reason.clone());
                }
                ElementLife::Running(node) => {
                    (n_alive, n_running) = (n_alive + 1, n_running + 1);
                    self.look_for_worker(*number, node)?;
                }
                ElementLife::Ended(how) => {
                    if let Some(why) = slurm::ending(how).filter(|_| self.it.spec.engine == SLURM.name) {
                        let mut own = self.records.workers.iter().filter(|it| it.element() == Some(*number));
                        let left = own.next_back().is_some_and(|worker| worker.bye.is_some());
                        if !left && self.ending_since.is_none() {
                            self.tell_once(&format!("element {}: {why}", number + 1));
                        }
                    }
                }
            }
        }
        if n_alive == 0 {
            self.nobody_is_left();
        }
        if n_running > 0 {
            self.it.watch.relax();
        }
        if let Some(reason) = waiting.filter(|_| n_running == 0) {
            self.held_up(&reason)?;
        }
        Ok(())
    }

    /// An element runs: its worker should be seen.
    fn look_for_worker(&mut self, element: u32, node: &str) -> anyhow::Result<()> {
        if self.records.workers.iter().any(|worker| worker.element() == Some(element)) {
            return Ok(());
        }
        if self.unseen_since.get_or_insert_with(Instant::now).elapsed() < UNSEEN {
            return Ok(());
        }
        let shown = self.it.layout.root().display();
        let why = format!("{node} does not see {shown}: give a --run-dir on a file system that nodes share");
        if self.records.workers.is_empty() {
            bail!("{why}");
        }
        self.tell_once(&why);
        Ok(())
    }

    /// All elements wait.
    fn held_up(&mut self, reason: &str) -> anyhow::Result<()> {
        let waited = self.submitted.elapsed();
        let minutes = waited.as_secs() / 60;
        let (why, is_worth_telling) = match slurm::meaning(reason) {
            Ok(why) => (why.replacen("queued", &format!("queued {minutes} min"), 1), waited >= WORTH_TELLING),
            Err(why) => (why, true),
        };
        let is_news = is_worth_telling && self.told.insert(format!("waits: {reason}"));
        self.it.run.observer.observe(&Event::StartsHeldUp { why: &why, is_news });
        Ok(())
    }

    /// Lets workers go, and says what is left.
    fn leave(&mut self, end: RunEnd) -> anyhow::Result<()> {
        let until = Instant::now() + LEAVING;
        if end == RunEnd::Done {
            let is_unseen = self.lacks(|_| true);
            if is_unseen || self.it.spec.engine == LOCAL.name {
                // They are idle, or have not begun.
                let _ = self.it.submitter.cancel(self.it.spec, &self.jobs);
            }
            while Instant::now() < until && !self.records.workers.iter().all(WorkerView::has_left) {
                self.wait(FIRST_LOOK);
                self.records.collect(self.n_elements())?;
                self.hear_workers()?;
            }
            if self.lacks(|worker| worker.bye.is_some()) && !is_unseen {
                // Of those the batch system may believe that they work.
                let _ = self.it.submitter.cancel(self.it.spec, &self.jobs);
            }
            if self.it.spec.engine == LOCAL.name {
                // Whoever started processes waits for them.
                while Instant::now() < until {
                    let states = self.it.submitter.look(&self.jobs)?;
                    if states.iter().all(|state| matches!(state.life, ElementLife::Ended(_))) {
                        break;
                    }
                    std::thread::sleep(Duration::from_millis(2));
                }
            }
            return Ok(());
        }
        self.records.collect(self.n_elements())?;
        if self.it.spec.words.is_none() || end == RunEnd::Halted {
            return self.records.give_up_rest();
        }
        // Whoever goes on shows in its turn what waits here for what is not done.
        let root = self.it.layout.root().display();
        let left = if self.nobody_is_left { "" } else { "workers may still run: parsim cancel ends them; " };
        self.it.tell(&format!("{left}go on with: parsim resume {root}"));
        Ok(())
    }

    /// Whether there is an element that has no such worker.
    fn lacks(&self, is_such: impl Fn(&WorkerView) -> bool) -> bool {
        let workers = self.records.workers.iter().filter(|worker| is_such(worker));
        let elements: BTreeSet<u32> = workers.filter_map(WorkerView::element).collect();
        self.jobs.iter().flat_map(SubmittedJob::elements).any(|element| !elements.contains(&element))
    }

    fn costs(&self) -> WorkerCosts {
        let workers = &self.records.workers;
        let nodes: BTreeSet<&str> =
            workers.iter().filter_map(|worker| Some(worker.about.as_ref()?.node.as_str())).collect();
        // Processes of this machine were waited for, and count with this one.
        let used = workers.iter().filter(|_| self.it.spec.engine == SLURM.name);
        let usage = used.filter_map(|worker| Some(worker.bye.as_ref()?.usage)).fold(Usage::default(), Usage::add);
        let memory = workers.iter().filter_map(|worker| worker.bye.as_ref()?.peak_memory);
        WorkerCosts {
            workers: workers.len().max(1),
            startup: Duration::ZERO,
            peak_memory: Some(memory.sum()),
            passed: 0,
            passing: Duration::ZERO,
            replaced: self.n_resubmitted,
            elsewhere: Some(ElsewhereCosts {
                queue_wait: self.records.queue_wait,
                usage,
                nodes: nodes.into_iter().map(str::to_owned).collect(),
                reruns: self.records.counts.reruns,
                duplicates: self.records.counts.duplicates,
            }),
        }
    }
}

/// What came of a look.
enum Step {
    News,
    Nothing,
    Over(RunEnd),
}

/// Held by the one client of a run.
struct ClientLock {
    _file: File,
}

impl ClientLock {
    fn take(layout: &RunLayout) -> anyhow::Result<Self> {
        let path: &Path = &layout.path("client.lock");
        let mut file = private().read(true).append(true).create(true).open(path)?;
        if file.try_lock().is_err() {
            let mut text = String::new();
            let _ = file.read_to_string(&mut text);
            let who = text.lines().last().unwrap_or("another parsim").to_owned();
            bail!("{} is in use by {who}", layout.root().display());
        }
        let host = host::name().unwrap_or_default();
        writeln!(file, "process {} on {host}", std::process::id())?;
        Ok(Self { _file: file })
    }
}
