//! One job from its start to its end, and what became of it.
//!
//! Does not know what it is started with, nor which job comes next.

use std::borrow::Cow;
use std::fs::File;
use std::io;
use std::os::fd::AsFd as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::job::{self, JobInput, PreparedJob, in_directory};
use super::transfer::HostFiles;
use super::{CommandRunner, OutputOrder, StdinMode};
use crate::event::Event;
use crate::measure::Floor;
use crate::output::{Channel, Wake};
use crate::process::child::through_shell;
use crate::process::child::{
    Cause, ChildUsage, Flow, Job, JobStdin, JobStream, Listener, ProcessEnd, Report, Seen, StartError, Stop,
};
use crate::task::{Outcome, ProcessCounts, Task, TaskInput, WaitTime};
use crate::template::Numbers;
use crate::text::{reason, without_numbers};
use crate::workload::Cx;

/// How long to wait before a job is started for which there was no process,
/// descriptor or memory, while other jobs run. There is nothing to wait on: other
/// programs use them, too.
const TRY_AGAIN: Duration = Duration::from_millis(100);

/// Where no other job runs, the first wait; each is twice as long as the one before ...
const FIRST_WAIT: Duration = Duration::from_millis(10);

/// ... and so many there are: five seconds in all.
const WAITS: u32 = 9;

impl CommandRunner {
    /// Runs a job to its end.
    pub(super) fn execute(&self, line: &[u8], task: &Task, numbers: &Numbers, cx: &mut Cx<'_>) -> Outcome {
        let mut waits = 0;
        let prepared = loop {
            let prepared = self.worker(numbers.slot).and_then(|worker| {
                let prepared = self.prepare(line, task, numbers, cx.column(), &worker.waker())?;
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
                    cause: without_numbers(&error.to_string()).into(),
                };
            }
        };
        let PreparedJob { variables, mut argv, mut command, mut input, named_input, directory } = prepared;
        let files = match self.files_brought(task, numbers, command.directory.clone(), cx) {
            Ok(files) => files,
            Err(error) => return Outcome::Failed(reason(&error).into()),
        };
        let launch = self.launch(cx.column());
        let interrupt = cx.interrupt().clone();
        let [stdout, stderr] = self.streams();
        let report = loop {
            let job = Job {
                terminal: self.stdin.terminal().map(File::as_fd),
                variables: &variables,
                stdin: match &mut input {
                    JobInput::Nothing => JobStdin::Null,
                    JobInput::File(file) => JobStdin::File(File::as_fd(file)),
                    JobInput::Terminal(terminal) => JobStdin::File(File::as_fd(terminal)),
                    JobInput::Bytes(bytes) => JobStdin::Feed(bytes),
                },
                stdout,
                stderr,
                wake: Some(interrupt.wake_fd()),
                is_witnessed: cx.is_compared(),
                counts_unread: self.stdin.dealer().is_some(),
                ..Job::new(&command, &argv)
            };
            cx.wait_for_turn();
            let waker = worker.waker();
            let wake: Wake = Arc::new(move || waker.wake());
            let report = worker.run(job, &mut OutputForwarder { cx, wake, seq: task.seq });
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
        if let (JobInput::Bytes(bytes), TaskInput::Values(_)) = (&input, &task.spec) {
            cx.input_offered(bytes.taken);
        }
        // What passed through a file or a FIFO was read by who put it there.
        if let (JobInput::Bytes(bytes), Some(_), StdinMode::Stdin, Ok(report)) =
            (&input, self.stdin.dealer(), self.settings.stdin_mode, &report)
        {
            cx.input_read(bytes.taken.saturating_sub(report.unread));
        }
        let fetched = files.map_or(Ok(()), |files| fetched(files, cx));
        drop((input, named_input, directory));
        self.workers.lock().push(worker);
        match report {
            Ok(report) => {
                self.gave_up.store(false, Ordering::Relaxed);
                let outcome = match (self.stdin.dealer(), ended(&report, cx, &self.floor)) {
                    (Some(dealer), Outcome::Success) => {
                        dealer.check_read(job::number(task), report.unread).into()
                    }
                    (_, outcome) => outcome,
                };
                let writes = self.settings.output_order == OutputOrder::Unbuffered;
                let outcome = match (outcome, fetched) {
                    (Outcome::Success, Err(error)) => Outcome::Failed(format!("--return: {error}").into()),
                    (outcome, _) => outcome,
                };
                if outcome == Outcome::Signaled(libc::SIGPIPE) && writes {
                    // The job wrote to where parsim's own output goes, and nobody reads there.
                    interrupt.trigger(libc::SIGPIPE);
                }
                outcome
            }
            Err(error) => not_started(&error),
        }
    }

    /// On another machine: the files of a job, which are there now. Which did not come is
    /// told on the job's stderr.
    fn files_brought<'f, 'c: 'f>(
        &'f self,
        task: &'f Task,
        numbers: &'f Numbers,
        directory: Option<PathBuf>,
        cx: &mut Cx<'c>,
    ) -> io::Result<Option<HostFiles<'f>>> {
        let rules = &self.settings.files;
        if !self.is_elsewhere || rules.is_empty() {
            return Ok(None);
        }
        let mut files = HostFiles::new(rules, cx.consultant(), task.spec.values(), numbers, directory);
        for why in cx.timed("send", |_| files.bring(&self.base_files))? {
            cx.hand_on(Channel::Err, format!("parsim: warning: not sent: {why}\n").as_bytes())?;
        }
        Ok(Some(files))
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
}

/// Sends back what a job made, and removes what is to go.
fn fetched(mut files: HostFiles<'_>, cx: &mut Cx<'_>) -> io::Result<()> {
    let missing = cx.timed("fetch", |_| files.take_back());
    files.remove();
    let missing = missing?;
    missing.is_empty().then_some(()).ok_or_else(|| io::Error::other(missing.join("; ")))
}

/// Hands a job's bytes on as they come, and ends it when parsim is to end.
struct OutputForwarder<'c, 'a> {
    cx: &'c mut Cx<'a>,
    wake: Wake,
    /// Which job it is, from 0.
    seq: u64,
}

impl Listener for OutputForwarder<'_, '_> {
    fn output(&mut self, channel: JobStream, bytes: &[u8]) -> io::Result<Flow> {
        let channel = match channel {
            JobStream::Out => Channel::Out,
            JobStream::Err => Channel::Err,
        };
        self.cx.hand_on(channel, bytes)?;
        Ok(if self.cx.is_held_up(&self.wake) { Flow::Pause } else { Flow::Continue })
    }

    fn resumes(&mut self, _channel: JobStream) -> bool {
        !self.cx.is_held_up(&self.wake)
    }

    fn starts(&mut self) {
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

fn ended(report: &Report, cx: &mut Cx<'_>, floor: &Floor) -> Outcome {
    let ChildUsage { user, sys, max_rss_bytes, .. } = report.usage;
    cx.child_used(user, sys, max_rss_bytes, floor);
    cx.child_counted(counts(report));
    if report.out_of_memory == Some(true) {
        cx.fact("killed", "the system had run out of memory");
    }
    if let (Some(broken), None | Some(Cause::Broken)) = (&report.broken, report.cause) {
        return Outcome::Failed(without_numbers(&broken.to_string()).into());
    }
    match (report.cause, report.ended) {
        (Some(Cause::TimedOut), _) => Outcome::TimedOut,
        (Some(Cause::Terminated | Cause::Killed), _) => Outcome::Interrupted,
        (Some(Cause::Broken), _) => Outcome::Failed("parsim could not watch it".into()),
        (None, ProcessEnd::Exited(0)) => Outcome::Success,
        (None, ProcessEnd::Exited(status)) => Outcome::Exited(status),
        (None, ProcessEnd::Signaled { signal, .. }) => Outcome::Signaled(signal),
    }
}

/// What was counted and seen of a job.
fn counts(report: &Report) -> ProcessCounts {
    let ChildUsage {
        user: _,
        sys: _,
        max_rss_bytes: _,
        major_faults,
        block_reads,
        block_writes,
        voluntary_switches,
        involuntary_switches,
    } = report.usage;
    let Seen { run_delay, pinned_to, waits, throttled } = report.seen.clone().unwrap_or_default();
    ProcessCounts {
        major_faults,
        block_reads,
        block_writes,
        voluntary_switches,
        involuntary_switches,
        run_delay,
        pinned_to,
        waits: waits.into_iter().map(|(awaited, time)| (awaited, WaitTime(time))).collect(),
        throttled,
        ..ProcessCounts::default()
    }
}

fn not_started(error: &StartError) -> Outcome {
    let cause = without_numbers(&error.to_string()).into();
    match error {
        StartError::Ending => Outcome::Interrupted,
        StartError::NotFound => Outcome::NotStarted { status: 127, cause },
        StartError::Lost(_) => Outcome::Failed(cause),
        _ => Outcome::NotStarted { status: 126, cause },
    }
}
