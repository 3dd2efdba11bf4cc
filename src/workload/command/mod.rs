//! A batch of commands: each task is a command line made of a template and the
//! values of one job.
//!
//! Knows neither the options it was asked for with nor the terminal. Values are
//! read as they come; a command that needs no shell is executed directly.

mod definitions;
mod feed;
mod job;
mod launch;
mod outputs;
mod own_folder;
mod resume;
mod round_robin;
mod sample;
mod saved_inputs;
mod settings;
mod spool;
mod stdin_mode;
mod walk;

use crate::sync::Mutex;
use std::fs;
use std::os::fd::AsFd as _;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::Context as _;

pub use self::definitions::{Definitions, names_apart};
pub use self::feed::{Feed, Patient, Values};
use self::launch::Launch;
pub use self::launch::Shell;
pub use self::outputs::{OutputFiles, Present};
use self::resume::Left;
pub use self::resume::{Earlier, HearsOfRows, Resume};
pub use self::round_robin::{InTurn, Narrows, RoundRobin};
use self::sample::Sample;
use self::saved_inputs::{Freezer, Frozen};
pub use self::settings::{Act, Directory, Order, Reads, Settings, Trace};
pub use self::spool::Spool;
pub use self::stdin_mode::{NAME, Offer};
use super::{Cx, Profile, Results, Size, Tasks, Workload};
use crate::event::Observer;
use crate::measure::Floor;
use crate::output::{self, Acknowledge, Destination, Outlet, Sink, TaskOutput, TaskRef};
use crate::process::child::{Running, Stdout, Worker};
use crate::process::{Handed, Interrupt, harmless_in_children, stderr_for_children, stdout_for_children};
use crate::task::{Column, LeftFile, Outcome, Record, Task, TaskInput};
use crate::template::{self, Dialect, Template};

/// Makes the place that outputs go to in the end.
pub type Outputs = Box<dyn Fn() -> Box<dyn Destination> + Sync>;

/// Makes the sink of a run's outputs, where they are not put in order.
pub type MakeSink = Box<dyn Fn() -> Box<dyn Sink> + Sync>;

/// The workload: a task runs its command.
pub struct CommandBatch {
    settings: Settings,
    launch: Launch,
    /// That of a serial run, where it is another.
    serial_launch: Option<Launch>,
    /// Which jobs are run, where not all are.
    sample: Option<Sample>,
    output_files: Option<OutputFiles>,
    feed: Mutex<Feed>,
    frozen: Option<Frozen>,
    outputs: Outputs,
    sink: Option<MakeSink>,
    earlier: Earlier,
    running: &'static Running,
    workers: Mutex<Vec<Worker<'static>>>,
    /// What parsim holds itself.
    floor: Floor,
    /// What jobs get as stdout and stderr where they write for themselves.
    handed: Option<[Handed; 2]>,
    /// Whether a job could not be started though nothing else ran, and none since.
    gave_up: AtomicBool,
    /// Whether it was told that a job waits to be started.
    told_of_waits: AtomicBool,
}

impl CommandBatch {
    /// A batch whose values come from `feed`. Make it once the process's signal
    /// handlers are installed.
    ///
    /// # Errors
    /// When the shell cannot be found, or descriptors have run out.
    pub fn new(settings: Settings, feed: Feed, outputs: Outputs) -> anyhow::Result<Self> {
        let environment = Arc::new(job::environment(&settings)?);
        if let Directory::Fixed(directory) = &settings.directory {
            let made = fs::create_dir_all(directory);
            made.with_context(|| format!("make the working directory {}", directory.display()))?;
        }
        let launch = Launch::new(&settings, &settings.template, &environment)?;
        let serial_launch = settings.serial_template.as_ref();
        let serial_launch =
            serial_launch.map(|template| Launch::new(&settings, template, &environment)).transpose()?;
        // One for each batch of a program, as long as its workers may live.
        let running = Running::new(settings.term_sequence.clone(), harmless_in_children())
            .context("prepare to start processes")?;
        running.set_time_limit(settings.timeout);
        let running = Box::leak(Box::new(running));
        let writes = settings.order == Order::Unbuffered;
        let handed = writes.then(|| [stdout_for_children(), stderr_for_children()]);
        Ok(Self {
            settings,
            launch,
            serial_launch,
            sample: None,
            output_files: None,
            feed: Mutex::new(feed),
            frozen: None,
            outputs,
            sink: None,
            earlier: Earlier::Nothing,
            running,
            workers: Mutex::default(),
            floor: Floor::default(),
            handed,
            gave_up: AtomicBool::new(false),
            told_of_waits: AtomicBool::new(false),
        })
    }

    /// Reads the values of all jobs and puts them aside, so that their number is
    /// known and they can be run again.
    ///
    /// # Errors
    /// When they cannot be read or put aside.
    pub fn freeze(&mut self) -> anyhow::Result<()> {
        let put_aside = "put the inputs aside in TMPDIR";
        let mut freezer = Freezer::new().context(put_aside)?;
        let feed = self.feed.get_mut();
        while let Some(job) = feed.next(&self.settings)? {
            freezer.put(&job).context(put_aside)?;
        }
        let frozen = freezer.freeze().context(put_aside)?;
        self.settings.counts.found(frozen.jobs());
        self.frozen = Some(frozen);
        Ok(())
    }

    /// Runs only `wanted` of the jobs, spread evenly over them, once they are
    /// frozen.
    #[must_use]
    pub fn sample(self, wanted: u64) -> Self {
        let sample = self.frozen.as_ref().and_then(|frozen| Sample::of(frozen.jobs(), wanted));
        Self { sample, ..self }
    }

    /// Compares the files that the jobs leave, too.
    #[must_use]
    pub fn output_files(self, output_files: OutputFiles) -> Self {
        Self { output_files: Some(output_files), ..self }
    }

    /// Outputs go to a place that tells jobs apart by itself.
    pub fn put_outputs(&mut self, sink: MakeSink) {
        self.sink = Some(sink);
    }

    /// An earlier run did part of the batch.
    pub fn go_on_from(&mut self, earlier: Earlier) {
        self.earlier = earlier;
    }

    /// The command line of a run, and how it is started.
    fn command(&self, column: &Column) -> (&Template, &Launch) {
        match (&self.settings.serial_template, &self.serial_launch) {
            (Some(template), Some(launch)) if column.is_serial() => (template, launch),
            _ => (&self.settings.template, &self.launch),
        }
    }

    /// Where a job's stdout and stderr go.
    fn streams(&self) -> [Stdout<'_>; 2] {
        let Some(handed) = &self.handed else { return [Stdout::Listener; 2] };
        handed.each_ref().map(|handed| match handed {
            Handed::Same => Stdout::Inherited,
            Handed::Again(file) => Stdout::File(file.as_fd()),
            Handed::Nothing => Stdout::Listener,
        })
    }

    /// Hears of a run of this batch before `observer` does.
    #[must_use]
    pub fn observed_by<'a>(&self, observer: &'a dyn Observer) -> Narrows<'a> {
        let jobs = match &self.settings.reads {
            Reads::RoundRobin(jobs) => Some(Arc::clone(jobs)),
            Reads::Own | Reads::Parts(_) | Reads::All(_) | Reads::Terminal(_) => None,
        };
        Narrows::new(jobs, observer)
    }

    /// What runs now, for orders from elsewhere.
    #[must_use]
    pub fn running(&self) -> &'static Running {
        self.running
    }
}

impl Workload for CommandBatch {
    fn name(&self) -> &'static str {
        "command"
    }

    fn tasks(&self) -> Tasks<'_> {
        let jobs: Jobs<'_> = match (&self.earlier, &self.frozen) {
            (Earlier::Failed(failed), _) => {
                let again =
                    |(seq, line): &(u64, Vec<u8>)| Ok(task(*seq, TaskInput::Values(vec![line.clone()])));
                return Box::new(failed.iter().map(again));
            }
            (_, Some(frozen)) => Box::new(frozen.thaw().map(|job| job.context("read the inputs put aside"))),
            (_, None) => Box::new(std::iter::from_fn({
                let lanes = match &self.settings.reads {
                    Reads::RoundRobin(lanes) => Some(NoMoreJobs(lanes)),
                    Reads::Own | Reads::Parts(_) | Reads::All(_) | Reads::Terminal(_) => None,
                };
                move || {
                    let _lanes = &lanes;
                    let mut feed = self.feed.lock();
                    feed.next(&self.settings).transpose()
                }
            })),
        };
        if let Earlier::Log(resume) = &self.earlier {
            return Box::new(Left::new(jobs, resume, |seq, spec| {
                let mut line = Vec::new();
                let numbers = self.settings.counts.numbers(seq - 1, 0);
                self.settings.template.render(spec.values(), &numbers, self.settings.quoting, &mut line);
                line
            }));
        }
        let jobs: Jobs<'_> = match self.sample {
            None => jobs,
            Some(sample) => {
                Box::new((0..).zip(jobs).filter_map(move |(job, spec)| sample.has(job).then_some(spec)))
            }
        };
        Box::new((1..).zip(jobs).map(|(seq, spec)| Ok(task(seq, spec?))))
    }

    fn profile(&self) -> Profile {
        let tasks = match &self.earlier {
            Earlier::Failed(failed) => Some(failed.len() as u64),
            Earlier::Nothing | Earlier::Log(_) => {
                self.sample.map(Sample::wanted).or(self.frozen.as_ref().map(Frozen::jobs))
            }
        };
        Profile {
            unit: "job",
            size: Size { tasks, bytes: None },
            ordered_starts: true,
            sample_of: self.sample.map(Sample::total),
            ..Profile::default()
        }
    }

    fn cancel(&self) {
        self.running.terminate();
    }

    fn run(&self, task: &Task, cx: &mut Cx<'_>) -> Outcome {
        // Whatever becomes of the job: others do not wait for it.
        let _lane = match &self.settings.reads {
            Reads::RoundRobin(lanes) => Some(lanes.attended(usize::try_from(task.seq).unwrap_or(usize::MAX))),
            Reads::Own | Reads::Parts(_) | Reads::All(_) | Reads::Terminal(_) => None,
        };
        let values = task.spec.values();
        let job = self.sample.map_or(task.seq, |sample| sample.job(task.seq));
        let numbers = self.settings.counts.numbers(job, cx.slot());
        let mut line = Vec::new();
        let (template, _) = self.command(cx.column());
        template.render(values, &numbers, self.settings.quoting, &mut line);
        cx.command_line(&line);
        if let TaskInput::Block(block) = &task.spec {
            cx.input_offered(block.length());
        }
        if template.skips(values) {
            cx.skip();
            return Outcome::Success;
        }
        let shown = |line: &[u8]| [line, b"\n"].concat();
        let told = match self.settings.act {
            Act::Run => Ok(()),
            Act::PrintAndRun | Act::Print => cx.write(&shown(&line)),
            Act::PrintQuoted(times) => cx.write(&shown(&quoted(&line, self.settings.shell.dialect, times))),
            Act::TraceAndRun(trace) => {
                trace(&shown(&line));
                Ok(())
            }
        };
        match (told, self.settings.act) {
            (Err(error), _) => {
                Outcome::Failed(format!("cannot write its output: {}", crate::format::reason(&error)))
            }
            (Ok(()), Act::Print | Act::PrintQuoted(_)) => Outcome::Success,
            (Ok(()), Act::Run | Act::PrintAndRun | Act::TraceAndRun(_)) => {
                self.execute(&line, task, &numbers, cx)
            }
        }
    }

    fn outlet(&self, _column: &Column) -> Outlet<'_> {
        // A run begins, and with it parsim's own peak.
        self.floor.forget();
        if let Some(sink) = &self.sink {
            return Outlet::Own(sink());
        }
        let destination = (self.outputs)();
        match self.settings.order {
            Order::Grouped => Outlet::Grouped(destination),
            Order::Kept => Outlet::GroupedInOrder(destination),
            Order::KeptLines => Outlet::InOrder(destination),
            Order::Lines => Outlet::Lines(destination),
            // Jobs write for themselves, unless they cannot.
            Order::Unbuffered => Outlet::Torn(destination),
            Order::Unseen => Outlet::Own(Box::new(Unseen)),
        }
    }

    fn results(&self) -> Option<&dyn Results> {
        Some(self)
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
    fn write(&mut self, _channel: output::Channel, _bytes: &[u8]) -> std::io::Result<()> {
        Ok(())
    }

    fn close(self: Box<Self>, record: Record, acknowledge: &dyn Acknowledge) {
        acknowledge.acknowledge(record);
    }
}

/// Jobs in input order.
type Jobs<'a> = Box<dyn Iterator<Item = anyhow::Result<TaskInput>> + Send + 'a>;

/// Job `seq`, from 1.
fn task(seq: u64, spec: TaskInput) -> Task {
    Task { spec, ..Task::new(seq - 1, "") }
}

/// `line` as a shell would have to be given it, so many times.
fn quoted(line: &[u8], dialect: Dialect, times: usize) -> Vec<u8> {
    let mut line = line.to_vec();
    for _ in 0..times {
        let mut out = Vec::new();
        template::quote(&line, dialect, &mut out);
        line = out;
    }
    line
}

/// Whether a wait for input is to be given up.
#[must_use]
pub fn patience(interrupt: Interrupt) -> impl crate::inputs::Patience + Send {
    use crate::inputs::Wait;
    move |fd: std::os::fd::BorrowedFd<'_>| {
        Ok(if interrupt.wait_readable(fd)? { Wait::Readable } else { Wait::Woken })
    }
}
