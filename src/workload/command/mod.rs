//! A batch of commands: each task is a command line made of a template and the
//! values of one job.
//!
//! Knows neither the options it was asked for with nor the terminal. Values are
//! read as they come; a command that needs no shell is executed directly.

mod feed;
mod frozen;
mod lanes;
mod launch;
mod offer;
mod spool;

use std::borrow::Cow;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufRead};
use std::os::fd::AsFd as _;
use std::os::unix::ffi::OsStringExt as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;

pub use self::feed::{Feed, Patient, Values};
use self::frozen::{Freezer, Frozen};
use self::launch::Launch;
pub use self::lanes::{InTurn, Lanes};
pub use self::launch::Shell;
use self::offer::{Counted, Name, THROUGH_FIFO};
pub use self::offer::{NAME, Offer};
pub use self::spool::Spool;
use super::{Cx, Size, Tasks, Workload};
use crate::interrupt::Interrupt;
use crate::output::{Destination, Outlet};
use crate::process::child::{
    Cause, Channel, Command, Ended, Flow, Job, Listener, Report, Running, StartError, Stdin, Stdout, TermSequence,
    Woken, Words, Worker,
};
use crate::record::{Outcome, Spec, Task, Way};
use crate::template::{self, Numbers, Quoting, Template};

/// The variables that each job gets its own value of.
const OWN_VARIABLES: [&str; 5] =
    ["PARALLEL_SEQ", "PARALLEL_JOBSLOT", "PARALLEL_PID", "PARSIM_WAY", offer::VARIABLE];

/// How the commands of a batch are run.
pub struct Settings {
    /// The command line.
    pub template: Template,
    /// How values are quoted in it.
    pub quoting: Quoting,
    /// What runs a line that is more than plain words.
    pub shell: Shell,
    /// Where jobs run.
    pub directory: Directory,
    /// Variables of all jobs, beside those of this process.
    pub variables: Vec<(OsString, OsString)>,
    /// The variable that tells a job its slot, counted from 0.
    pub slot_variable: Option<OsString>,
    /// What jobs read.
    pub reads: Reads,
    /// How they are offered it.
    pub offer: Offer,
    /// How many jobs there are, where somebody said so.
    pub total: Option<u64>,
    /// The niceness of jobs.
    pub nice: Option<i32>,
    /// How long a job may last.
    pub timeout: Option<Duration>,
    /// Signals and waits for those that have to go.
    pub term_sequence: TermSequence,
    /// How many slots there are.
    pub slots: usize,
    /// What is done with a command line.
    pub act: Act,
    /// How outputs are put in order.
    pub order: Order,
}

/// Where jobs run.
#[derive(Clone, Debug)]
pub enum Directory {
    /// Here.
    Here,
    /// There, which is made.
    Fixed(PathBuf),
    /// Each where its values say, which is made.
    Each(Template),
}

/// What jobs read on standard input.
#[derive(Clone)]
pub enum Reads {
    /// The block of their task, or nothing.
    Own,
    /// One lane each.
    Lanes(Arc<Lanes>),
    /// All of it.
    All(Arc<Spool>),
    /// What is typed.
    Terminal(Arc<File>),
}

/// What is done with a command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// It is run.
    Run,
    /// It is printed on stdout and run: `-v`.
    PrintAndRun,
    /// It is printed on stderr and run: `-t`.
    TraceAndRun,
    /// It is printed on stdout: `--dry-run`.
    Print,
    /// It is printed on stdout, quoted for a shell so many times: `--shellquote`.
    PrintQuoted(usize),
}

/// How outputs are put in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Job by job, as they end.
    Grouped,
    /// Job by job, in input order: `-k`.
    Kept,
    /// Line by line, as they come: `--line-buffer`.
    Lines,
    /// Straight from the jobs to where parsim's own output goes: `-u`.
    Unbuffered,
}

/// Makes the place that outputs go to in the end.
pub type Outputs = Box<dyn Fn() -> Box<dyn Destination> + Sync>;

/// The workload: a task runs its command.
pub struct CommandBatch {
    settings: Settings,
    launch: Launch,
    feed: Mutex<Feed>,
    frozen: Option<Frozen>,
    outputs: Outputs,
    running: &'static Running,
    workers: Mutex<Vec<Worker<'static>>>,
}

impl CommandBatch {
    /// A batch whose values come from `feed`. Make it once the process's signal
    /// handlers are installed.
    ///
    /// # Errors
    /// When the shell cannot be found, or descriptors have run out.
    pub fn new(settings: Settings, feed: Feed, outputs: Outputs) -> anyhow::Result<Self> {
        let environment = Arc::new(environment(&settings)?);
        if let Directory::Fixed(directory) = &settings.directory {
            let made = fs::create_dir_all(directory);
            made.with_context(|| format!("make the working directory {}", directory.display()))?;
        }
        let launch = Launch::new(&settings, &environment)?;
        // One for each batch of a program, as long as its workers may live.
        let running = Running::new(settings.term_sequence.clone()).context("prepare to start processes")?;
        running.set_time_limit(settings.timeout);
        let running = Box::leak(Box::new(running));
        Ok(Self {
            settings,
            launch,
            feed: Mutex::new(feed),
            frozen: None,
            outputs,
            running,
            workers: Mutex::default(),
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
        let feed = self.feed.get_mut().unwrap_or_else(PoisonError::into_inner);
        while let Some(job) = feed.next(&self.settings)? {
            freezer.put(&job).context(put_aside)?;
        }
        self.frozen = Some(freezer.freeze().context(put_aside)?);
        Ok(())
    }

    /// What runs now, for orders from elsewhere.
    #[must_use]
    pub fn running(&self) -> &'static Running {
        self.running
    }

    fn execute(&self, line: &[u8], task: &Task, numbers: &Numbers, cx: &mut Cx<'_>) -> Outcome {
        let mut worker = match self.worker(numbers.slot) {
            Ok(worker) => worker,
            Err(error) => return Outcome::Failed(format!("prepare to start a process: {error}")),
        };
        let prepared = self.prepare(line, task, numbers, cx.way(), &worker);
        let Prepared { variables, mut argv, mut command, mut input, name } = match prepared {
            Ok(prepared) => prepared,
            Err(error) => return Outcome::NotStarted { status: 126, cause: error.to_string() },
        };
        let interrupt = cx.interrupt().clone();
        let stream =
            if self.settings.order == Order::Unbuffered { Stdout::Inherited } else { Stdout::Listener };
        let report = loop {
            let job = Job {
                variables: &variables,
                stdin: match &mut input {
                    Input::Nothing => Stdin::Null,
                    Input::File(file) => Stdin::File(File::as_fd(file)),
                    Input::Terminal(terminal) => Stdin::File(File::as_fd(terminal)),
                    Input::Bytes(bytes) => Stdin::Feed(bytes),
                },
                stdout: stream,
                stderr: stream,
                wake: Some(interrupt.wake_fd()),
                ..Job::new(&command, &argv)
            };
            cx.wait_for_turn();
            let report = worker.run(job, &mut HandOn { cx });
            // A script without an interpreter line is the shell's to run.
            if matches!(report, Err(StartError::NoInterpreter)) && command.program != self.launch.sh().program
            {
                argv = argv.through_sh(&command.program);
                let sh = Cow::Borrowed(self.launch.sh());
                command = in_directory(sh, command.directory.as_ref());
                continue;
            }
            break report;
        };
        if let Input::Bytes(bytes) = &input {
            cx.sent(bytes.taken);
        }
        drop((input, name));
        self.workers.lock().unwrap_or_else(PoisonError::into_inner).push(worker);
        match report {
            Ok(report) => {
                let outcome = ended(&report, cx);
                if outcome == Outcome::Signaled(libc::SIGPIPE) && self.settings.order == Order::Unbuffered {
                    // The job wrote to where parsim's own output goes, and nobody reads there.
                    interrupt.trigger(libc::SIGPIPE);
                }
                outcome
            }
            Err(error) => not_started(&error),
        }
    }

    /// What a job is started with.
    fn prepare<'t>(
        &'t self,
        line: &[u8],
        task: &'t Task,
        numbers: &Numbers,
        way: Way,
        worker: &Worker<'_>,
    ) -> io::Result<Prepared<'t>> {
        let Settings { slot_variable, directory, reads, offer, .. } = &self.settings;
        let mut variables = own_variables(numbers, way)?;
        if let Some(name) = slot_variable {
            variables.push_variable(name, (numbers.slot - 1).to_string())?;
        }
        let mut command = Cow::Borrowed(self.launch.command());
        if let Directory::Each(template) = directory {
            let mut path = Vec::new();
            template.render(task.spec.values(), numbers, Quoting::None, &mut path);
            let path = PathBuf::from(OsString::from_vec(path));
            fs::create_dir_all(&path)?;
            command = in_directory(command, Some(&path));
        }
        let reader: Option<Box<dyn BufRead + 't>> = match (reads, &task.spec) {
            (Reads::Own, Spec::Block(block)) => Some(Box::new(&block.bytes[..])),
            (Reads::Lanes(lanes), _) => {
                let number = usize::try_from(task.seq).unwrap_or(usize::MAX);
                Some(Box::new(lanes.reader(number, worker.bell())))
            }
            (Reads::All(spool), _) => spool.reader().map(|reader| Box::new(reader) as Box<dyn BufRead>),
            (Reads::Own | Reads::Terminal(_), _) => None,
        };
        let mut bytes = reader.map(|reader| Counted { reader, taken: 0 });
        let name = match (offer, &mut bytes) {
            (Offer::File, Some(bytes)) => Some(Name::with(bytes)?),
            (Offer::Fifo, Some(_)) if self.settings.template.uses_any() => Some(Name::free()?),
            _ => None,
        };
        if let Some(name) = &name {
            variables.push_variable(offer::VARIABLE, &name.path)?;
        }
        let argv = match &name {
            Some(name) if *offer == Offer::Fifo => {
                command = in_directory(Cow::Borrowed(self.launch.sh()), command.directory.as_ref());
                self.launch.argv_through(THROUGH_FIFO, &name.path, line)?
            }
            _ => self.launch.argv(line, task.spec.values(), numbers)?,
        };
        let input = match (reads, bytes, &name) {
            (Reads::Terminal(terminal), ..) => Input::Terminal(terminal),
            (_, Some(_), Some(name)) if *offer == Offer::File => Input::File(name.open()?),
            (_, Some(bytes), _) => Input::Bytes(bytes),
            (_, None, _) => Input::Nothing,
        };
        Ok(Prepared { variables, argv, command, input, name })
    }

    fn worker(&self, slot: u64) -> std::io::Result<Worker<'static>> {
        let idle = self.workers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        idle.map_or_else(|| Worker::new(self.running, usize::try_from(slot).unwrap_or(usize::MAX)), Ok)
    }
}

impl Workload for CommandBatch {
    fn name(&self) -> &'static str {
        "command"
    }

    fn unit(&self) -> &'static str {
        "job"
    }

    fn tasks(&self) -> Tasks<'_> {
        let mut jobs: Box<dyn Iterator<Item = anyhow::Result<Spec>> + Send + '_> = match &self.frozen {
            Some(frozen) => Box::new(frozen.thaw().map(|job| job.context("read the inputs put aside"))),
            None => Box::new(std::iter::from_fn(|| {
                let mut feed = self.feed.lock().unwrap_or_else(PoisonError::into_inner);
                feed.next(&self.settings).transpose()
            })),
        };
        let mut seq = 0;
        Box::new(std::iter::from_fn(move || {
            let spec = match jobs.next()? {
                Ok(spec) => spec,
                Err(error) => return Some(Err(error)),
            };
            let task = Task { seq, label: String::new(), spec };
            seq += 1;
            Some(Ok(task))
        }))
    }

    fn size(&self) -> Size {
        Size { tasks: self.frozen.as_ref().map(Frozen::jobs), bytes: None }
    }

    fn starts_in_order(&self) -> bool {
        true
    }

    fn end_running(&self) {
        self.running.terminate();
    }

    fn run(&self, task: &Task, cx: &mut Cx<'_>) -> Outcome {
        let values = task.spec.values();
        let frozen = self.frozen.as_ref().map(Frozen::jobs);
        let numbers = Numbers {
            seq: task.seq + 1,
            slot: u64::from(cx.slot()) + 1,
            slots: self.settings.slots as u64,
            total: self.settings.total.or(frozen).unwrap_or(0),
        };
        let mut line = Vec::new();
        self.settings.template.render(values, &numbers, self.settings.quoting, &mut line);
        cx.command_line(&line);
        if self.settings.template.skips(values) {
            return Outcome::Success;
        }
        let shown = |line: &[u8]| [line, b"\n"].concat();
        let told = match self.settings.act {
            Act::Run => Ok(()),
            Act::PrintAndRun | Act::Print => cx.write(&shown(&line)),
            Act::PrintQuoted(times) => cx.write(&shown(&quoted(&line, times))),
            Act::TraceAndRun => cx.write_err(&shown(&line)),
        };
        match (told, self.settings.act) {
            (Err(error), _) => Outcome::Failed(format!("hand on its output: {error}")),
            (Ok(()), Act::Print | Act::PrintQuoted(_)) => Outcome::Success,
            (Ok(()), Act::Run | Act::PrintAndRun | Act::TraceAndRun) => {
                self.execute(&line, task, &numbers, cx)
            }
        }
    }

    fn outlet(&self, _way: Way) -> Outlet<'_> {
        let destination = (self.outputs)();
        match self.settings.order {
            Order::Grouped => Outlet::Grouped(destination),
            Order::Kept => Outlet::InOrder(destination),
            Order::Lines | Order::Unbuffered => Outlet::Lines(destination),
        }
    }
}

/// Hands a job's bytes on as they come, and ends it when parsim is to end.
struct HandOn<'c, 'a> {
    cx: &'c mut Cx<'a>,
}

impl Listener for HandOn<'_, '_> {
    fn output(&mut self, channel: Channel, bytes: &[u8]) -> std::io::Result<Flow> {
        match channel {
            Channel::Out => self.cx.write(bytes)?,
            Channel::Err => self.cx.write_err(bytes)?,
        }
        Ok(Flow::Continue)
    }

    fn started(&mut self) {
        self.cx.has_started();
    }

    fn woken(&mut self) -> Woken {
        Woken::Terminate
    }
}

/// What a job is started with.
struct Prepared<'t> {
    variables: Words,
    argv: Words,
    command: Cow<'t, Command>,
    input: Input<'t>,
    /// Kept as long as the job may open it.
    name: Option<Name>,
}

/// What a job reads.
enum Input<'t> {
    Nothing,
    Terminal(&'t File),
    File(File),
    Bytes(Counted<Box<dyn BufRead + 't>>),
}

/// `command` where `directory` is, if it is anywhere else.
fn in_directory<'t>(command: Cow<'t, Command>, directory: Option<&PathBuf>) -> Cow<'t, Command> {
    if command.directory.as_ref() == directory {
        return command;
    }
    Cow::Owned(Command { directory: directory.cloned(), ..command.into_owned() })
}

/// `line` as a shell would have to be given it, so many times.
fn quoted(line: &[u8], times: usize) -> Vec<u8> {
    let mut line = line.to_vec();
    for _ in 0..times {
        let mut out = Vec::new();
        template::quote(&line, &mut out);
        line = out;
    }
    line
}

/// The environment that all jobs share.
fn environment(settings: &Settings) -> io::Result<Words> {
    let variables = &settings.variables;
    let own = OWN_VARIABLES.iter().map(OsString::from).chain(settings.slot_variable.clone());
    let without: Vec<OsString> = own.chain(variables.iter().map(|(name, _)| name.clone())).collect();
    let mut environment = Words::inherited_environment(&without);
    variables.iter().try_for_each(|(name, value)| environment.push_variable(name, value))?;
    Ok(environment)
}

fn own_variables(numbers: &Numbers, way: Way) -> std::io::Result<Words> {
    let mut variables = Words::new();
    variables.push_variable("PARALLEL_SEQ", numbers.seq.to_string())?;
    variables.push_variable("PARALLEL_JOBSLOT", numbers.slot.to_string())?;
    variables.push_variable("PARALLEL_PID", std::process::id().to_string())?;
    variables.push_variable("PARSIM_WAY", way.name())?;
    Ok(variables)
}

fn ended(report: &Report, cx: &mut Cx<'_>) -> Outcome {
    cx.child_used(report.usage.cpu(), report.usage.max_rss_bytes);
    if report.out_of_memory == Some(true) {
        cx.fact("killed", "the system had run out of memory");
    }
    match (report.cause, report.ended) {
        (Some(Cause::TimedOut), _) => Outcome::TimedOut,
        (Some(Cause::Terminated | Cause::Killed), _) => Outcome::Interrupted,
        (Some(Cause::Broken), _) => {
            let why = report.broken.as_ref().map_or_else(|| "cause unknown".to_owned(), ToString::to_string);
            Outcome::Failed(format!("hand on its output: {why}"))
        }
        (None, Ended::Exited(0)) => Outcome::Success,
        (None, Ended::Exited(status)) => Outcome::Exited(status),
        (None, Ended::Signaled { signal, .. }) => Outcome::Signaled(signal),
    }
}

fn not_started(error: &StartError) -> Outcome {
    let cause = error.to_string();
    match error {
        StartError::Ending => Outcome::Interrupted,
        StartError::NotFound => Outcome::NotStarted { status: 127, cause },
        _ => Outcome::NotStarted { status: 126, cause },
    }
}

/// Whether a wait for input is to be given up.
#[must_use]
pub fn patience(interrupt: Interrupt) -> impl crate::inputs::Patience + Send {
    use crate::inputs::Wait;
    move |fd: std::os::fd::BorrowedFd<'_>| {
        Ok(if interrupt.wait_readable(fd)? { Wait::Readable } else { Wait::Woken })
    }
}
