//! One job: what it is started with, and what became of it.
//!
//! Does not know which job comes next.

use std::borrow::Cow;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufRead, Read as _};
use std::os::fd::AsFd as _;
use std::os::unix::ffi::OsStringExt as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::own_folder::OwnFolder;
use super::spool::part;
use super::stdin_mode::{self, Counted, Name, THROUGH_FIFO, THROUGH_FILE};
use super::{CommandBatch, Directory, Offer, Order, Reads, Settings};
use crate::byte_list::ByteList;
use crate::event::Event;
use crate::measure::Floor;
use crate::output::Wake;
use crate::process::child::{
    Cause, Command, Flow, Job, JobRunner, JobStdin, JobStream, Listener, ProcessEnd, Report, StartError,
    Stop, inherited_environment, through_shell,
};
use crate::task::{Column, Outcome, Task, TaskInput};
use crate::template::{Numbers, Quoting};
use crate::text::reason;
use crate::workload::Cx;

/// The variables that each job gets its own value of.
const OWN_VARIABLES: [&str; 5] =
    ["PARALLEL_SEQ", "PARALLEL_JOBSLOT", "PARALLEL_PID", "PARSIM_WAY", stdin_mode::VARIABLE];

/// The variable that is put before each job's line instead.
const DEFINITIONS: &str = "PARALLEL_ENV";

/// How long to wait before a job is started for which there was no process,
/// descriptor or memory, while other jobs run. There is nothing to wait on: other
/// programs use them, too.
const TRY_AGAIN: Duration = Duration::from_millis(100);

/// Where no other job runs, the first wait; each is twice as long as the one before ...
const FIRST_WAIT: Duration = Duration::from_millis(10);

/// ... and so many there are: five seconds in all.
const WAITS: u32 = 9;

impl CommandBatch {
    /// Runs a job to its end.
    pub(super) fn execute(&self, line: &[u8], task: &Task, numbers: &Numbers, cx: &mut Cx<'_>) -> Outcome {
        let mut waits = 0;
        let prepared = loop {
            let prepared = self.worker(numbers.slot).and_then(|worker| {
                let prepared = self.prepare(line, task, numbers, cx.column(), &worker)?;
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
                return Outcome::NotStarted {
                    status: 126,
                    cause: crate::text::without_numbers(&error.to_string()),
                };
            }
        };
        let Prepared { variables, mut argv, mut command, mut input, name, directory } = prepared;
        let (_, launch) = self.command(cx.column());
        let interrupt = cx.interrupt().clone();
        let [stdout, stderr] = self.streams();
        let report = loop {
            let job = Job {
                terminal: match &self.settings.reads {
                    Reads::Terminal(terminal) => Some(File::as_fd(terminal)),
                    Reads::Own | Reads::RoundRobin(_) | Reads::Parts(_) | Reads::All(_) => None,
                },
                variables: &variables,
                stdin: match &mut input {
                    Input::Nothing => JobStdin::Null,
                    Input::File(file) => JobStdin::File(File::as_fd(file)),
                    Input::Terminal(terminal) => JobStdin::File(File::as_fd(terminal)),
                    Input::Bytes(bytes) => JobStdin::Feed(bytes),
                },
                stdout,
                stderr,
                wake: Some(interrupt.wake_fd()),
                counts_unread: matches!(self.settings.reads, Reads::RoundRobin(_)),
                ..Job::new(&command, &argv)
            };
            cx.wait_for_turn();
            let waker = worker.waker();
            let wake: Wake = Arc::new(move || waker.wake());
            let report = worker.run(job, &mut HandOn { cx, wake, seq: task.seq });
            // A script without an interpreter line is the shell's to run.
            let (shell, words) = launch.of_text();
            if matches!(report, Err(StartError::NoInterpreter)) && command.program != shell.program {
                argv = through_shell(&argv, words, &command.program);
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
        if let (Input::Bytes(bytes), TaskInput::Values(_)) = (&input, &task.spec) {
            cx.input_offered(bytes.taken);
        }
        // What passed through a file or a FIFO was read by who put it there.
        if let (Input::Bytes(bytes), Reads::RoundRobin(_), Offer::Stdin, Ok(report)) =
            (&input, &self.settings.reads, self.settings.offer, &report)
        {
            cx.input_read(bytes.taken.saturating_sub(report.unread));
        }
        drop((input, name, directory));
        self.workers.lock().push(worker);
        match report {
            Ok(report) => {
                self.gave_up.store(false, Ordering::Relaxed);
                let outcome = match (&self.settings.reads, ended(&report, cx, &self.floor)) {
                    (Reads::RoundRobin(lanes), Outcome::Success) => {
                        lanes.check_read(lane(task), report.unread).into()
                    }
                    (_, outcome) => outcome,
                };
                if outcome == Outcome::Signaled(libc::SIGPIPE) && self.settings.order == Order::Unbuffered {
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

    /// What a job is started with.
    fn prepare<'t>(
        &'t self,
        line: &[u8],
        task: &'t Task,
        numbers: &Numbers,
        column: &Column,
        worker: &JobRunner<'_>,
    ) -> io::Result<Prepared<'t>> {
        let Settings { slot_variable, directory, reads, offer, .. } = &self.settings;
        let (_, launch) = self.command(column);
        let mut variables = own_variables(numbers, column)?;
        if let Some(name) = slot_variable {
            variables.push_variable(name, (numbers.slot - 1).to_string())?;
        }
        let mut command = Cow::Borrowed(launch.command());
        let mut own_directory = None;
        match directory {
            Directory::Each(template) => {
                let mut path = Vec::new();
                template.render(task.spec.values(), numbers, Quoting::None, &mut path);
                let path = PathBuf::from(OsString::from_vec(path));
                fs::create_dir_all(&path)?;
                command = in_directory(command, Some(&path));
            }
            Directory::OfItsOwn(folder) => {
                let made = OwnFolder::new_in(folder)?;
                command = in_directory(command, Some(made.path()));
                own_directory = Some(made);
            }
            Directory::Here | Directory::Fixed(_) => {}
        }
        let reader: Option<Box<dyn BufRead + 't>> = match (reads, &task.spec) {
            (Reads::Own, TaskInput::Block(block)) => Some(Box::new(&block.bytes[..])),
            (Reads::RoundRobin(lanes), _) => Some(Box::new(lanes.reader(lane(task), worker.waker()))),
            (Reads::All(spool), _) => spool.reader().map(|reader| Box::new(reader) as Box<dyn BufRead>),
            (Reads::Parts(files), TaskInput::Block(block)) => {
                let rest =
                    block.stretch.map(|stretch| (files[stretch.file].file(), stretch.from, stretch.length));
                Some(match rest {
                    Some((file, from, length)) => Box::new(block.bytes.chain(part(file, from, length))),
                    None => Box::new(&block.bytes[..]),
                })
            }
            (Reads::Own | Reads::Parts(_) | Reads::Terminal(_), _) => None,
        };
        let mut bytes = reader.map(|reader| Counted { reader, taken: 0 });
        // What is dealt out comes as long as the job runs.
        let through = match (offer, reads) {
            (Offer::Fifo, _) => Some(THROUGH_FIFO),
            (Offer::File, Reads::RoundRobin(_)) => Some(THROUGH_FILE),
            (Offer::File | Offer::Stdin, _) => None,
        };
        let name = match (offer, through, &mut bytes) {
            (Offer::File, None, Some(bytes)) => Some(Name::with(bytes)?),
            (Offer::File | Offer::Fifo, Some(_), Some(_)) => Some(Name::free()),
            _ => None,
        };
        if let Some(name) = &name {
            variables.push_variable(stdin_mode::VARIABLE, &name.path)?;
        }
        let argv = match (&name, through) {
            (Some(name), Some(script)) => {
                command = in_directory(Cow::Borrowed(launch.sh()), command.directory.as_ref());
                launch.argv_through(script, &name.path, line)?
            }
            _ => launch.argv(line, task.spec.values(), numbers)?,
        };
        let input = match (reads, bytes, &name) {
            (Reads::Terminal(terminal), ..) => Input::Terminal(terminal),
            (_, Some(_), Some(name)) if through.is_none() => Input::File(name.open()?),
            (_, Some(bytes), _) => Input::Bytes(bytes),
            (_, None, _) => Input::Nothing,
        };
        Ok(Prepared { variables, argv, command, input, name, directory: own_directory })
    }

    fn worker(&self, slot: u64) -> std::io::Result<JobRunner<'static>> {
        let idle = self.workers.lock().pop();
        idle.map_or_else(|| JobRunner::new(self.running, usize::try_from(slot).unwrap_or(usize::MAX)), Ok)
    }
}

/// Hands a job's bytes on as they come, and ends it when parsim is to end.
struct HandOn<'c, 'a> {
    cx: &'c mut Cx<'a>,
    wake: Wake,
    /// Which job it is, from 0.
    seq: u64,
}

impl Listener for HandOn<'_, '_> {
    fn output(&mut self, channel: JobStream, bytes: &[u8]) -> std::io::Result<Flow> {
        match channel {
            JobStream::Out => self.cx.write(bytes)?,
            JobStream::Err => self.cx.write_err(bytes)?,
        }
        Ok(if self.cx.is_held_up(&self.wake) { Flow::Pause } else { Flow::Continue })
    }

    fn resumes(&mut self, _channel: JobStream) -> bool {
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
}

/// Whether there was no process, descriptor or memory to be had.
fn is_scarce(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EAGAIN | libc::ENOMEM | libc::EMFILE | libc::ENFILE))
}

/// What a job is started with.
struct Prepared<'t> {
    variables: ByteList,
    argv: ByteList,
    command: Cow<'t, Command>,
    input: Input<'t>,
    /// Kept as long as the job may open it.
    name: Option<Name>,
    /// Kept as long as the job runs there.
    directory: Option<OwnFolder>,
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

/// The number of the lane that is the task's.
fn lane(task: &Task) -> usize {
    usize::try_from(task.seq).unwrap_or(usize::MAX)
}

/// The environment that all jobs share.
pub(super) fn environment(settings: &Settings) -> io::Result<ByteList> {
    let variables = &settings.variables;
    let own =
        OWN_VARIABLES.iter().chain([&DEFINITIONS]).map(OsString::from).chain(settings.slot_variable.clone());
    let without: Vec<OsString> = own.chain(variables.iter().map(|(name, _)| name.clone())).collect();
    let mut environment = inherited_environment(&without);
    variables.iter().try_for_each(|(name, value)| environment.push_variable(name, value))?;
    Ok(environment)
}

fn own_variables(numbers: &Numbers, column: &Column) -> std::io::Result<ByteList> {
    let mut variables = ByteList::new();
    variables.push_variable("PARALLEL_SEQ", numbers.seq.to_string())?;
    variables.push_variable("PARALLEL_JOBSLOT", numbers.slot.to_string())?;
    variables.push_variable("PARALLEL_PID", std::process::id().to_string())?;
    variables.push_variable("PARSIM_WAY", &*column.name)?;
    Ok(variables)
}

fn ended(report: &Report, cx: &mut Cx<'_>, floor: &Floor) -> Outcome {
    cx.child_used(report.usage.user, report.usage.sys, report.usage.max_rss_bytes, floor);
    if report.out_of_memory == Some(true) {
        cx.fact("killed", "the system had run out of memory");
    }
    if let (Some(broken), None | Some(Cause::Broken)) = (&report.broken, report.cause) {
        return Outcome::Failed(crate::text::without_numbers(&broken.to_string()));
    }
    match (report.cause, report.ended) {
        (Some(Cause::TimedOut), _) => Outcome::TimedOut,
        (Some(Cause::Terminated | Cause::Killed), _) => Outcome::Interrupted,
        (Some(Cause::Broken), _) => Outcome::Failed("parsim could not watch it".to_owned()),
        (None, ProcessEnd::Exited(0)) => Outcome::Success,
        (None, ProcessEnd::Exited(status)) => Outcome::Exited(status),
        (None, ProcessEnd::Signaled { signal, .. }) => Outcome::Signaled(signal),
    }
}

fn not_started(error: &StartError) -> Outcome {
    let cause = crate::text::without_numbers(&error.to_string());
    match error {
        StartError::Ending => Outcome::Interrupted,
        StartError::NotFound => Outcome::NotStarted { status: 127, cause },
        StartError::Lost(_) => Outcome::Failed(cause),
        _ => Outcome::NotStarted { status: 126, cause },
    }
}
