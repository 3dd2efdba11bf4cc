//! A batch of commands: each task is a command line made of a template and the
//! values of one job.
//!
//! Knows neither the options it was asked for with nor the terminal. Values are
//! read as they come; a command that needs no shell is executed directly. What runs
//! the jobs ([`CommandRunner`]) knows nothing of the batch, so that other processes can.

mod execution;
mod job;
mod job_feed;
mod launch;
mod output_files;
mod read_ahead;
mod round_robin;
mod runner;
mod sample;
mod saved_inputs;
mod selection;
mod settings;
mod stdin_mode;
mod transfer;

pub use self::job_feed::{BoxedPatience, FeedSource, JobFeed, JobValues};
pub use self::launch::{ChosenBy, Definitions, Shell, names_apart};
pub use self::output_files::{OutputFiles, PresentFiles};
pub use self::read_ahead::count_beside;
use self::read_ahead::{Jobs, ReadAhead};
pub use self::round_robin::{InTurn, Narrows, RoundRobin};
pub use self::runner::CommandRunner;
use self::sample::Sample;
use self::saved_inputs::{InputSaver, SavedInputs};
use self::selection::Remaining;
pub use self::selection::{EarlierRun, Resume};
pub use self::settings::{
    FileRules, JobDirectory, LineAction, OutputOrder, PortableTemplate, Settings, TemplateKind,
};
pub use self::stdin_mode::{INPUT_NAME, Spool, StdinMode, StdinSource};
use super::{Cx, Outlet, Portable, Profile, Results, Size, Tasks, Workload};
use crate::event::Observer;
use crate::inputs::InputCount;
use crate::output::{
    Acknowledge, Channel, Destination, Grouped, Lines, Ordered, Sink, TaskOutput, TaskRef, WAITING_OUTPUT,
};
use crate::process::Interrupt;
use crate::process::child::RunningJobs;
use crate::sync::Mutex;
use crate::task::{Column, LeftFile, Outcome, Record, Task, TaskInput};

/// What the workload is called where one is named to another process.
pub const WORKLOAD_NAME: &str = "command";

/// Makes the place that outputs go to in the end.
pub type MakeDestination = Box<dyn Fn() -> Box<dyn Destination> + Sync>;

/// Makes the sink of a run's outputs, where they are not put in order.
pub type MakeSink = Box<dyn Fn() -> Box<dyn Sink> + Sync>;

/// The workload: a task runs its command.
pub struct CommandBatch {
    runner: CommandRunner,
    /// The files that the jobs leave, where they are compared, too.
    pub output_files: Option<OutputFiles>,
    jobs: Mutex<Jobs>,
    saved: Option<SavedInputs>,
    outputs: MakeDestination,
    /// A place that tells jobs apart by itself, where outputs go to one.
    pub sink: Option<MakeSink>,
    /// Whether an earlier run did part of the batch.
    pub earlier: EarlierRun,
    /// How many jobs there are, for whoever finds it out.
    pub count: InputCount,
    /// On which hosts jobs run.
    pub places: JobPlaces,
}

/// On which hosts jobs run, where there are several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobPlaces {
    /// Each on any.
    Any,
    /// Those whose values say `VALUE@GROUP+GROUP` on hosts of these: `--hostgroups`.
    ByGroup,
    /// One job without values on each of these: `--nonall`.
    OnEach(Vec<String>),
    /// All jobs on each of these: `--onall`.
    AllOnEach(Vec<String>),
}

impl CommandBatch {
    /// A batch whose values come from `feed`, and whose jobs read `stdin`. Make it once
    /// the process's signal handlers are installed.
    ///
    /// # Errors
    /// When the shell cannot be found, or descriptors have run out.
    pub fn new(
        settings: Settings,
        stdin: StdinSource,
        feed: JobFeed,
        outputs: MakeDestination,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            runner: CommandRunner::new(settings, stdin)?,
            output_files: None,
            jobs: Mutex::new(Jobs::OnDemand(feed)),
            saved: None,
            outputs,
            sink: None,
            earlier: EarlierRun::Nothing,
            count: InputCount::default(),
            places: JobPlaces::Any,
        })
    }

    /// Reads the values of all jobs and puts them aside, so that their number is
    /// known and they can be run again.
    ///
    /// # Errors
    /// When they cannot be read or put aside.
    pub fn save_inputs(&mut self) -> anyhow::Result<()> {
        let mut file = InputSaver::new()?;
        let jobs = self.jobs.get_mut();
        while let Some(job) = jobs.next(&self.runner.settings)? {
            file.put(&job)?;
        }
        let saved = file.finish()?;
        self.runner.settings.counts.found(saved.jobs());
        self.saved = Some(saved);
        Ok(())
    }

    /// Reads inputs as soon as they are there, and counts the jobs before they are asked for.
    ///
    /// # Errors
    /// When there can be no thread for it.
    pub fn read_ahead(self) -> anyhow::Result<Self> {
        let jobs = match self.jobs.into_inner() {
            Jobs::OnDemand(feed) => ReadAhead::start(feed, self.runner.settings.clone(), self.count.clone())?,
            Jobs::Ahead(ahead) => ahead,
        };
        Ok(Self { jobs: Mutex::new(Jobs::Ahead(jobs)), ..self })
    }

    /// Runs only `wanted` of the jobs, spread evenly over them, once their inputs are
    /// saved.
    pub fn sample(mut self, wanted: u64) -> Self {
        self.runner.sample = self.saved.as_ref().and_then(|saved| Sample::of(saved.jobs(), wanted));
        self
    }

    /// Hears of a run of this batch before `observer` does.
    pub fn observed_by<'a>(&self, observer: &'a dyn Observer) -> Narrows<'a> {
        Narrows { jobs: self.runner.stdin.dealer().cloned(), observer }
    }

    /// What runs now, for orders from elsewhere.
    pub fn running(&self) -> &'static RunningJobs {
        self.runner.running()
    }

    fn profile_of(&self, tasks: Option<u64>) -> Profile {
        Profile { size: Size { tasks, bytes: None }, ..self.runner.profile() }
    }

    /// `task` with the hosts that its values name, and these without them.
    fn placed(&self, mut task: Task) -> Task {
        if let (JobPlaces::ByGroup, TaskInput::Values(values)) = (&self.places, &mut task.spec) {
            for value in values {
                let Some(at) = value.iter().position(|byte| *byte == b'@') else { continue };
                let groups = String::from_utf8_lossy(&value[at + 1..]).into_owned();
                task.hosts.extend(groups.split('+').filter(|group| !group.is_empty()).map(str::to_owned));
                value.truncate(at);
            }
        }
        task
    }

    /// The jobs of the batch, whether they are left to be done or not.
    fn all_jobs(&self) -> JobInputs<'_> {
        if let Some(saved) = &self.saved {
            return Box::new(saved.iter());
        }
        let dealer = self.runner.stdin.dealer().map(|dealer| NoMoreJobs(dealer));
        Box::new(std::iter::from_fn(move || {
            let _dealer = &dealer;
            let mut jobs = self.jobs.lock();
            jobs.next(&self.runner.settings).transpose()
        }))
    }
}

impl Workload for CommandBatch {
    fn name(&self) -> &'static str {
        WORKLOAD_NAME
    }

    fn tasks(&self) -> Tasks<'_> {
        let on = |host: &String, seq, spec| Task { hosts: vec![host.clone()], ..task(seq, spec) };
        match &self.places {
            JobPlaces::OnEach(hosts) => {
                let hosts = (1..).zip(hosts);
                return Box::new(
                    hosts.map(move |(seq, host)| Ok(on(host, seq, TaskInput::Values(Vec::new())))),
                );
            }
            JobPlaces::AllOnEach(hosts) => {
                let all = hosts.iter().flat_map(|host| self.all_jobs().map(move |job| (host, job)));
                return Box::new((1..).zip(all).map(move |(seq, (host, job))| Ok(on(host, seq, job?))));
            }
            JobPlaces::ByGroup | JobPlaces::Any => {}
        }
        let jobs = match &self.earlier {
            EarlierRun::Failed(failed) => {
                let again =
                    |(seq, line): &(u64, Vec<u8>)| Ok(task(*seq, TaskInput::Values(vec![line.clone()])));
                return Box::new(failed.iter().map(again));
            }
            EarlierRun::Log(resume) => {
                let settings = &self.runner.settings;
                return Box::new(
                    Remaining::new(self.all_jobs(), resume, &self.count, |seq, spec| {
                        let mut line = Vec::new();
                        let numbers = settings.counts.numbers(seq - 1, 0);
                        let placed = self.placed(task(seq, spec.clone()));
                        settings.template.render(placed.spec.values(), &numbers, settings.quoting, &mut line);
                        line
                    })
                    .map(|task| Ok(self.placed(task?))),
                );
            }
            EarlierRun::Nothing => self.all_jobs(),
        };
        let jobs: JobInputs<'_> = match self.runner.sample {
            None => jobs,
            Some(sample) => {
                Box::new((0..).zip(jobs).filter_map(move |(job, spec)| sample.has(job).then_some(spec)))
            }
        };
        Box::new((1..).zip(jobs).map(|(seq, spec)| Ok(self.placed(task(seq, spec?)))))
    }

    fn profile(&self) -> Profile {
        let tasks = match &self.earlier {
            EarlierRun::Failed(failed) => Some(failed.len() as u64),
            EarlierRun::Nothing | EarlierRun::Log(_) => {
                let hosts = match &self.places {
                    JobPlaces::OnEach(hosts) => return self.profile_of(Some(hosts.len() as u64)),
                    JobPlaces::AllOnEach(hosts) => hosts.len() as u64,
                    JobPlaces::Any | JobPlaces::ByGroup => 1,
                };
                self.runner
                    .sample
                    .map(Sample::wanted)
                    .or(self.saved.as_ref().map(|saved| saved.jobs() * hosts))
            }
        };
        self.profile_of(tasks)
    }

    fn cancel(&self) {
        self.runner.cancel();
    }

    fn run(&self, task: &Task, cx: &mut Cx<'_>) -> Outcome {
        self.runner.do_job(task, cx)
    }

    fn outlet(&self) -> Option<&dyn Outlet> {
        Some(self)
    }

    fn results(&self) -> Option<&dyn Results> {
        Some(self)
    }

    fn portable(&self) -> Option<&dyn Portable> {
        self.runner.is_portable().then_some(&self.runner)
    }
}

impl Outlet for CommandBatch {
    fn open(&self, _column: &Column) -> Option<Box<dyn Sink + '_>> {
        // A run begins, and with it parsim's own peak.
        self.runner.floor.forget();
        if let Some(sink) = &self.sink {
            return Some(sink());
        }
        let destination = (self.outputs)();
        Some(match self.runner.settings.output_order {
            OutputOrder::Grouped => Box::new(Grouped::new(destination, WAITING_OUTPUT)),
            OutputOrder::Kept => Box::new(Ordered::grouped(destination, WAITING_OUTPUT)),
            OutputOrder::KeptLines => Box::new(Ordered::new(destination, WAITING_OUTPUT)),
            OutputOrder::Lines => Box::new(Lines::new(destination)),
            // Jobs write for themselves, unless they cannot.
            OutputOrder::Unbuffered => Box::new(Lines::torn(destination)),
            OutputOrder::Unseen => Box::new(Unseen),
        })
    }
}

impl Results for CommandBatch {
    fn check_clear(&self, next: &Column) -> anyhow::Result<()> {
        self.output_files.as_ref().map_or(Ok(()), |files| files.check_clear(next, &|| self.tasks()))
    }

    fn files(&self, column: &Column, interrupt: &Interrupt) -> anyhow::Result<Option<Vec<LeftFile>>> {
        let Some(files) = &self.output_files else { return Ok(None) };
        files.left(column, &|| self.tasks(), interrupt).map(Some)
    }
}

/// Dropped with what makes jobs.
struct NoMoreJobs<'a>(&'a RoundRobin);

impl Drop for NoMoreJobs<'_> {
    fn drop(&mut self) {
        self.0.no_more_jobs();
    }
}

/// Forgets what jobs write.
struct Unseen;

impl Sink for Unseen {
    fn open<'a>(&'a self, _task: TaskRef<'a>) -> Box<dyn TaskOutput + 'a> {
        Box::new(Self)
    }
}

impl TaskOutput for Unseen {
    fn write(&mut self, _channel: Channel, _bytes: &[u8]) -> std::io::Result<()> {
        Ok(())
    }

    fn close(self: Box<Self>, record: Record, acknowledge: &dyn Acknowledge) {
        acknowledge.acknowledge(record);
    }
}

/// What jobs are made of, in input order.
type JobInputs<'a> = Box<dyn Iterator<Item = anyhow::Result<TaskInput>> + Send + 'a>;

/// Job `seq`, from 1.
fn task(seq: u64, spec: TaskInput) -> Task {
    Task { spec, ..Task::numbered(seq - 1, "") }
}

/// Whether a wait for input is to be given up.
pub fn patience(interrupt: Interrupt) -> impl crate::inputs::Patience + Send {
    use crate::inputs::Wait;
    move |fd: std::os::fd::BorrowedFd<'_>| {
        Ok(if interrupt.wait_readable(fd)? { Wait::Readable } else { Wait::Woken })
    }
}
