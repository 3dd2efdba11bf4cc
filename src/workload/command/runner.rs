//! What runs the jobs of a batch, one after another on any number of threads: here, or
//! in a process that was handed what is needed for it.
//!
//! Knows what jobs are made of and what became of each. Does not know which job comes
//! next, nor where the output goes.

use std::borrow::Cow;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::fd::AsFd as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use serde::{Deserialize, Serialize};

use super::job::{self, JobInput, PreparedJob, in_directory};
use super::launch::Launch;
use super::settings::exact_path;
use super::{JobDirectory, JobStdin, LineAction, OutputOrder, PortableTemplate, Sample, Settings, StdinMode};
use crate::event::Event;
use crate::format::{reason, without_numbers};
use crate::inputs::Seekable;
use crate::measure::Floor;
use crate::output::Wake;
use crate::output::unnamed_file::keep_files_in;
use crate::process::child::{
    Cause, Channel, Ended, Flow, Job, Listener, Report, Running, StartError, Stdin, Stdout, Stop, Woken,
    Worker,
};
use crate::process::{self, Handed, harmless_in_children, stderr_for_children, stdout_for_children};
use crate::sync::Mutex;
use crate::task::{Outcome, Task, TaskInput, Way};
use crate::template::{self, Dialect, Numbers};
use crate::workload::{Cx, Portable, Profile, Tasks, Workload};

/// How long to wait before a job is started for which there was no process,
/// descriptor or memory, while other jobs run. There is nothing to wait on: other
/// programs use them, too.
const TRY_AGAIN: Duration = Duration::from_millis(100);

/// Where no other job runs, the first wait; each is twice as long as the one before ...
const FIRST_WAIT: Duration = Duration::from_millis(10);

/// ... and so many there are: five seconds in all.
const WAITS: u32 = 9;

/// Runs jobs. In a worker process it is the whole workload.
pub struct JobRunner {
    pub(super) settings: Settings,
    pub(super) stdin: JobStdin,
    /// Which jobs are run, where not all are.
    pub(super) sample: Option<Sample>,
    /// The number of the process that the user started.
    pub(super) client: String,
    launch: Launch,
    /// Those of the runs whose command line is another.
    launches_by_way: Vec<(String, Launch)>,
    running: &'static Running,
    workers: Mutex<Vec<Worker<'static>>>,
    /// What parsim holds itself.
    pub(super) floor: Floor,
    /// What jobs get as stdout and stderr where they write for themselves.
    handed: Option<[Handed; 2]>,
    /// Whether a job could not be started though nothing else ran, and none since.
    gave_up: AtomicBool,
    /// Whether it was told that a job waits to be started.
    told_of_waits: AtomicBool,
}

/// All that another process needs to run the same jobs.
#[derive(Serialize, Deserialize)]
struct RunnerSpec {
    settings: Settings,
    sample: Option<Sample>,
    client: String,
    /// The files that jobs read parts of, where they do.
    parts: Option<Vec<FileSpec>>,
}

/// A file to be opened again, and how to see that it is still the same.
#[derive(Serialize, Deserialize)]
struct FileSpec {
    #[serde(with = "exact_path")]
    path: PathBuf,
    length: u64,
}

impl JobRunner {
    /// What runs jobs as `settings` say. Make it once the process's signal handlers
    /// are installed.
    ///
    /// # Errors
    /// When the shell cannot be found, or descriptors have run out.
    pub(super) fn new(settings: Settings, stdin: JobStdin) -> anyhow::Result<Self> {
        let environment = Arc::new(job::environment(&settings)?);
        if let JobDirectory::Fixed(directory) = &settings.directory {
            let made = fs::create_dir_all(directory);
            made.with_context(|| format!("make the working directory {}", directory.display()))?;
        }
        let launch = Launch::new(&settings, &settings.template, &environment)?;
        let launch_of = |(way, template): &(String, PortableTemplate)| -> anyhow::Result<_> {
            Ok((way.clone(), Launch::new(&settings, template, &environment)?))
        };
        let launches_by_way = settings.templates_by_way.iter().map(launch_of).collect::<Result<_, _>>()?;
        // One for each batch of a program, as long as its workers may live.
        let running = Running::new(settings.term_sequence.clone(), harmless_in_children())
            .context("prepare to start processes")?;
        running.set_time_limit(settings.timeout);
        let writes = settings.output_order == OutputOrder::Unbuffered;
        Ok(Self {
            settings,
            stdin,
            sample: None,
            client: std::process::id().to_string(),
            launch,
            launches_by_way,
            running: Box::leak(Box::new(running)),
            workers: Mutex::default(),
            floor: Floor::default(),
            handed: writes.then(|| [stdout_for_children(), stderr_for_children()]),
            gave_up: AtomicBool::new(false),
            told_of_waits: AtomicBool::new(false),
        })
    }

    /// What another process of this machine [described](Portable::wire_spec).
    ///
    /// # Errors
    /// When it is not that, the same cannot be made here, or a file is another by now.
    pub fn from_spec(spec: serde_json::Value) -> anyhow::Result<Self> {
        let RunnerSpec { settings, sample, client, parts } = serde_json::from_value(spec)?;
        if let Some(folder) = &settings.temporaries {
            keep_files_in(folder.into());
        }
        let open = |FileSpec { path, length }: FileSpec| -> anyhow::Result<Seekable> {
            let file = Seekable::open(&path)?;
            ensure!(file.length() == length, "{} has changed since the batch began", path.display());
            Ok(file)
        };
        let stdin = match parts {
            None => JobStdin::Own,
            Some(files) => JobStdin::Parts(files.into_iter().map(open).collect::<Result<_, _>>()?),
        };
        Ok(Self { sample, client, ..Self::new(settings, stdin)? })
    }

    /// Whether another process can run the same jobs: what they read is not dealt out, put
    /// aside or typed here, and they do not write to where this process does.
    pub(super) fn is_portable(&self) -> bool {
        matches!(self.stdin, JobStdin::Own | JobStdin::Parts(_)) && self.handed.is_none()
    }

    /// What runs now, for orders from elsewhere.
    #[must_use]
    pub fn running(&self) -> &'static Running {
        self.running
    }

    /// How jobs are started in a run of `way`.
    pub(super) fn launch(&self, way: Way) -> &Launch {
        let own = self.launches_by_way.iter().find(|(name, _)| name == way.name());
        own.map_or(&self.launch, |(_, launch)| launch)
    }

    /// Does the job of `task`, whatever that is: runs its command, or prints it.
    pub(super) fn do_job(&self, task: &Task, cx: &mut Cx<'_>) -> Outcome {
        // Whatever becomes of the job: others do not wait for it.
        let _seat = match &self.stdin {
            JobStdin::RoundRobin(dealer) => Some(dealer.attended(job::number(task))),
            JobStdin::Own | JobStdin::Parts(_) | JobStdin::All(_) | JobStdin::Terminal(_) => None,
        };
        let values = task.spec.values();
        let number = self.sample.map_or(task.seq, |sample| sample.job(task.seq));
        let numbers = self.settings.counts.numbers(number, cx.slot());
        let template = self.settings.template_of(cx.way().name());
        let mut line = Vec::new();
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
        let told = match self.settings.line_action {
            LineAction::Run => Ok(()),
            LineAction::PrintAndRun | LineAction::Print => cx.write(&shown(&line)),
            LineAction::PrintQuoted(times) => {
                cx.write(&shown(&quoted(&line, self.settings.shell.dialect, times)))
            }
            LineAction::TraceAndRun => {
                // With stderr closed there is nobody to show it to.
                let _ = process::stderr().write_all(&shown(&line));
                Ok(())
            }
        };
        match (told, self.settings.line_action) {
            (Err(error), _) => Outcome::Failed(format!("cannot write its output: {}", reason(&error))),
            (Ok(()), LineAction::Print | LineAction::PrintQuoted(_)) => Outcome::Success,
            (Ok(()), LineAction::Run | LineAction::PrintAndRun | LineAction::TraceAndRun) => {
                self.execute(&line, task, &numbers, cx)
            }
        }
    }

    /// Runs a job to its end.
    fn execute(&self, line: &[u8], task: &Task, numbers: &Numbers, cx: &mut Cx<'_>) -> Outcome {
        let mut waits = 0;
        let prepared = loop {
            let prepared = self.worker(numbers.slot).and_then(|worker| {
                let prepared = self.prepare(line, task, numbers, cx.way(), &worker.waker())?;
                Ok((worker, prepared))
            });
            match prepared {
                Err(error) if is_scarce(&error) && self.waits(&mut waits, &error, cx) => {}
                prepared => break prepared,
            }
        };
        let (mut worker, prepared) = match prepared {
            Ok(prepared) => prepared,
            Err(error) => {
                return Outcome::NotStarted { status: 126, cause: without_numbers(&error.to_string()) };
            }
        };
        let PreparedJob { variables, mut argv, mut command, mut input, named_input, directory } = prepared;
        let launch = self.launch(cx.way());
        let interrupt = cx.interrupt().clone();
        let [stdout, stderr] = self.streams();
        let report = loop {
            let job = Job {
                terminal: match &self.stdin {
                    JobStdin::Terminal(terminal) => Some(File::as_fd(terminal)),
                    JobStdin::Own | JobStdin::RoundRobin(_) | JobStdin::Parts(_) | JobStdin::All(_) => None,
                },
                variables: &variables,
                stdin: match &mut input {
                    JobInput::Nothing => Stdin::Null,
                    JobInput::File(file) => Stdin::File(File::as_fd(file)),
                    JobInput::Terminal(terminal) => Stdin::File(File::as_fd(terminal)),
                    JobInput::Bytes(bytes) => Stdin::Feed(bytes),
                },
                stdout,
                stderr,
                wake: Some(interrupt.wake_fd()),
                counts_unread: matches!(self.stdin, JobStdin::RoundRobin(_)),
                ..Job::new(&command, &argv)
            };
            cx.wait_for_turn();
            let waker = worker.waker();
            let wake: Wake = Arc::new(move || waker.ring());
            let report = worker.run(job, &mut OutputForwarder { cx, wake, seq: task.seq });
            // A script without an interpreter line is the shell's to run.
            let (shell, words) = launch.of_text();
            if matches!(report, Err(StartError::NoInterpreter)) && command.program != shell.program {
                argv = argv.through(words, &command.program);
                command = in_directory(Cow::Borrowed(shell), command.directory.as_ref());
                continue;
            }
            // What other jobs hold will be free again.
            if let Err(StartError::Resources(error)) = &report
                && self.waits(&mut waits, error, cx)
            {
                continue;
            }
            break report;
        };
        // How much a block holds is known before.
        if let (JobInput::Bytes(bytes), TaskInput::Values(_)) = (&input, &task.spec) {
            cx.input_offered(bytes.taken);
        }
        // What passed through a file or a FIFO was read by who put it there.
        if let (JobInput::Bytes(bytes), JobStdin::RoundRobin(_), StdinMode::Stdin, Ok(report)) =
            (&input, &self.stdin, self.settings.stdin_mode, &report)
        {
            cx.input_read(bytes.taken.saturating_sub(report.unread));
        }
        drop((input, named_input, directory));
        self.workers.lock().push(worker);
        match report {
            Ok(report) => {
                self.gave_up.store(false, Ordering::Relaxed);
                let outcome = match (&self.stdin, ended(&report, cx, &self.floor)) {
                    (JobStdin::RoundRobin(dealer), Outcome::Success) => {
                        dealer.check_read(job::number(task), report.unread).into()
                    }
                    (_, outcome) => outcome,
                };
                let writes = self.settings.output_order == OutputOrder::Unbuffered;
                if outcome == Outcome::Signaled(libc::SIGPIPE) && writes {
                    // The job wrote to where parsim's own output goes, and nobody reads there.
                    interrupt.trigger(libc::SIGPIPE);
                }
                outcome
            }
            Err(error) => not_started(&error),
        }
    }

    /// Waits before a start is tried again: as often as it takes while other jobs run,
    /// for what they hold will be free again, and else for a bounded time. `false`
    /// when it is not to be tried again.
    fn waits(&self, waits: &mut u32, error: &io::Error, cx: &mut Cx<'_>) -> bool {
        let wait = if !self.running.list().is_empty() {
            TRY_AGAIN
        } else if *waits < WAITS && !self.gave_up.load(Ordering::Relaxed) {
            *waits += 1;
            FIRST_WAIT * (1 << (*waits - 1))
        } else {
            // The next job need not find it out again.
            self.gave_up.store(true, Ordering::Relaxed);
            return false;
        };
        let is_news = !self.told_of_waits.swap(true, Ordering::Relaxed);
        cx.waits_to_start(&format!("a job cannot be started yet: {}", reason(error)), is_news);
        cx.interrupt().sleep(wait)
    }

    fn worker(&self, slot: u64) -> io::Result<Worker<'static>> {
        let idle = self.workers.lock().pop();
        idle.map_or_else(|| Worker::new(self.running, usize::try_from(slot).unwrap_or(usize::MAX)), Ok)
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
}

impl Workload for JobRunner {
    fn name(&self) -> &'static str {
        super::WORKLOAD_NAME
    }

    /// None of its own: it does those that it is handed.
    fn tasks(&self) -> Tasks<'_> {
        Box::new(std::iter::empty())
    }

    fn profile(&self) -> Profile {
        Profile {
            unit: "job",
            ordered_starts: true,
            grace: self.settings.term_sequence.length(),
            sample_of: self.sample.map(Sample::total),
            ..Profile::default()
        }
    }

    fn run(&self, task: &Task, cx: &mut Cx<'_>) -> Outcome {
        self.do_job(task, cx)
    }

    fn cancel(&self) {
        self.running.terminate();
    }
}

impl Portable for JobRunner {
    /// What a command line shows is in the report already.
    fn spec(&self) -> serde_json::Value {
        serde_json::Value::Null
    }

    /// All that another process of this machine needs to run the same jobs. It inherits
    /// the environment, the working directory and the mask of new files.
    fn wire_spec(&self) -> serde_json::Value {
        let file = |file: &Seekable| FileSpec {
            // Standard input is another file there.
            path: fs::canonicalize(file.path()).unwrap_or_else(|_| file.path().to_owned()),
            length: file.length(),
        };
        let parts = match &self.stdin {
            JobStdin::Parts(files) => Some(files.iter().map(file).collect()),
            JobStdin::Own | JobStdin::RoundRobin(_) | JobStdin::All(_) | JobStdin::Terminal(_) => None,
        };
        serde_json::json!(RunnerSpec {
            settings: self.settings.clone(),
            sample: self.sample,
            client: self.client.clone(),
            parts,
        })
    }
}

/// Hands a job's bytes on as they come, and ends it when parsim is to end.
struct OutputForwarder<'c, 'a> {
    cx: &'c mut Cx<'a>,
    wake: Wake,
    /// Which job it is, from 0.
    seq: u64,
}

impl Listener for OutputForwarder<'_, '_> {
    fn output(&mut self, channel: Channel, bytes: &[u8]) -> io::Result<Flow> {
        match channel {
            Channel::Out => self.cx.write(bytes)?,
            Channel::Err => self.cx.write_err(bytes)?,
        }
        Ok(if self.cx.is_held_up(&self.wake) { Flow::Pause } else { Flow::Continue })
    }

    fn resumes(&mut self, _channel: Channel) -> bool {
        !self.cx.is_held_up(&self.wake)
    }

    fn started(&mut self) {
        self.cx.has_started();
    }

    fn stopped(&mut self, leader: i32, stop: Stop) {
        let slot = self.cx.slot();
        self.cx.observer().observe(&match stop {
            Stop::Stopped { signal, is_news } => {
                Event::TaskStopped { seq: self.seq, slot, signal, group: leader, is_news }
            }
            Stop::Continued => Event::TaskContinued { slot },
        });
    }

    fn woken(&mut self) -> Woken {
        Woken::Terminate
    }
}

/// Whether there was no process, descriptor or memory to be had.
fn is_scarce(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EAGAIN | libc::ENOMEM | libc::EMFILE | libc::ENFILE))
}

fn ended(report: &Report, cx: &mut Cx<'_>, floor: &Floor) -> Outcome {
    cx.child_used(report.usage.user, report.usage.sys, report.usage.max_rss_bytes, floor);
    if report.out_of_memory == Some(true) {
        cx.fact("killed", "the system had run out of memory");
    }
    if let (Some(broken), None | Some(Cause::Broken)) = (&report.broken, report.cause) {
        return Outcome::Failed(without_numbers(&broken.to_string()));
    }
    match (report.cause, report.ended) {
        (Some(Cause::TimedOut), _) => Outcome::TimedOut,
        (Some(Cause::Terminated | Cause::Killed), _) => Outcome::Interrupted,
        (Some(Cause::Broken), _) => Outcome::Failed("parsim could not watch it".to_owned()),
        (None, Ended::Exited(0)) => Outcome::Success,
        (None, Ended::Exited(status)) => Outcome::Exited(status),
        (None, Ended::Signaled { signal, .. }) => Outcome::Signaled(signal),
    }
}

fn not_started(error: &StartError) -> Outcome {
    let cause = without_numbers(&error.to_string());
    match error {
        StartError::Ending => Outcome::Interrupted,
        StartError::NotFound => Outcome::NotStarted { status: 127, cause },
        StartError::Lost(_) => Outcome::Failed(cause),
        _ => Outcome::NotStarted { status: 126, cause },
    }
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
