//! A shell command that runs outside the clock (`--prepare`, `--cleanup`).

use std::ffi::{CString, OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use super::child::{
    Cause, Command, Flow, Job, JobRunner, JobStdin, JobStdout, JobStream, Listener, ProcessEnd, RunningJobs,
    Stop, TermSequence, inherited_environment, resolve,
};
use super::signal::harmless_in_children;
use super::standard::{Handed, stderr, stderr_for_children};
use crate::byte_list::ByteList;

/// So long a command that is asked to end may take for it.
const GRACE: Duration = Duration::from_millis(200);

/// A command line for a shell.
#[derive(Clone, Copy, Debug, Default)]
pub struct ShellLine<'a> {
    /// The line.
    pub command: &'a str,
    /// Variables of its own.
    pub env: &'a [(&'a str, &'a OsStr)],
    /// What it can read.
    pub input: &'a [u8],
    /// How long it may last.
    pub limit: Option<Duration>,
}

/// Runs `line` by `shell`, the words before a command line, to its end; its output
/// goes to stderr, for stdout belongs to the report. When `wake` becomes readable first, the
/// command and its children are terminated, and that is no error: whoever made
/// it readable knows why. `stopped` hears of a signal that stopped the command.
///
/// # Errors
/// When the shell cannot be started or the command does not end with 0 in time.
pub fn run_in_shell(
    shell: &[OsString],
    line: ShellLine<'_>,
    wake: BorrowedFd<'_>,
    stopped: &dyn Fn(i32),
) -> anyhow::Result<()> {
    let ShellLine { command, env, mut input, limit } = line;
    let again = match stderr_for_children() {
        Handed::Again(file) => Some(file),
        // It is given what there is: nobody here writes for it.
        Handed::Same | Handed::Nothing => None,
    };
    let own = stderr();
    let output = JobStdout::File(again.as_ref().map_or_else(|| own.as_fd(), File::as_fd));
    let program = shell.first().context("no shell")?;
    let start = || format!("start {} for {command:?}", program.display());
    let argv = ByteList::from_words(shell.iter().map(OsString::as_os_str).chain([OsStr::new(command)]));
    let (argv, launch) = (argv.with_context(start)?, prepare(program, env).with_context(start)?);
    let sequence = TermSequence::new(vec![(libc::SIGTERM, GRACE), (libc::SIGKILL, Duration::ZERO)]);
    let running = RunningJobs::new(sequence, harmless_in_children()).with_context(start)?;
    let mut runner = JobRunner::new(&running, 1).with_context(start)?;
    let stdin = if input.is_empty() { JobStdin::Null } else { JobStdin::Feed(&mut input) };
    let deadline = limit.map(|limit| Instant::now() + limit);
    let job =
        Job { stdin, stdout: output, stderr: output, wake: Some(wake), deadline, ..Job::new(&launch, &argv) };
    let report = runner.run(job, &mut StopListener(stopped)).with_context(start)?;
    if let (Some(Cause::TimedOut), Some(limit)) = (report.cause, limit) {
        bail!("{command:?} was ended after {} s: it took too long", limit.as_secs_f64());
    }
    if report.cause.is_none() && !report.ended.is_success() {
        bail!("{command:?} ended with {}", status(report.ended));
    }
    Ok(())
}

/// The shell `program` and its environment.
fn prepare(program: &OsStr, env: &[(&str, &OsStr)]) -> anyhow::Result<Command> {
    let path = std::env::var_os("PATH").unwrap_or_else(|| "/bin:/usr/bin".into());
    let program = CString::new(resolve(program, &path)?.into_os_string().into_vec())?;
    let names: Vec<&str> = env.iter().map(|(name, _)| *name).collect();
    let mut environment = inherited_environment(&names);
    env.iter().try_for_each(|(name, value)| environment.push_variable(name, value))?;
    Ok(Command::new(program, Arc::new(environment)))
}

/// As std says it.
fn status(ended: ProcessEnd) -> ExitStatus {
    ExitStatus::from_raw(match ended {
        ProcessEnd::Exited(status) => status << 8,
        ProcessEnd::Signaled { signal, core_dumped } => signal | if core_dumped { 0x80 } else { 0 },
    })
}

/// Hears of stops; its output goes elsewhere.
struct StopListener<'s>(&'s dyn Fn(i32));

impl Listener for StopListener<'_> {
    fn output(&mut self, _stream: JobStream, _bytes: &[u8]) -> io::Result<Flow> {
        Ok(Flow::Continue)
    }

    fn stopped(&mut self, _leader: i32, stop: Stop) {
        if let Stop::Stopped { signal, is_news: true } = stop {
            self.0(signal);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream;

    use super::*;

    fn sh() -> [OsString; 2] {
        ["/bin/sh", "-c"].map(OsString::from)
    }

    fn line(command: &str) -> ShellLine<'_> {
        ShellLine { command, ..ShellLine::default() }
    }

    #[test]
    fn a_command_reads_what_it_is_given_or_leaves_it_and_may_not_last_too_long() {
        let (wake, _ring) = UnixStream::pair().unwrap();
        let run = |line| run_in_shell(&sh(), line, wake.as_fd(), &|_| ());
        let much = vec![b'x'; 1 << 20];
        run(ShellLine { input: b"abc", ..line("test \"$(cat)\" = abc") }).unwrap();
        run(ShellLine { input: &much, ..line("true") }).unwrap();
        let limit = Some(Duration::from_millis(50));
        let error = run(ShellLine { limit, ..line("sleep 600 & sleep 600") }).unwrap_err().to_string();
        assert!(error.contains("it took too long"), "{error}");
    }

    #[test]
    fn a_failing_command_is_an_error_that_names_it() {
        let (wake, _ring) = UnixStream::pair().unwrap();
        let error = run_in_shell(&sh(), line("exit 3"), wake.as_fd(), &|_| ()).unwrap_err().to_string();
        assert!(error.contains("\"exit 3\"") && error.contains('3'), "{error}");
    }

    #[test]
    fn the_environment_reaches_the_command() {
        let (wake, _ring) = UnixStream::pair().unwrap();
        let env = [("PARSIM_WAY", OsStr::new("serial"))];
        let line = ShellLine { env: &env, ..line("test \"$PARSIM_WAY\" = serial") };
        run_in_shell(&sh(), line, wake.as_fd(), &|_| ()).unwrap();
    }

    #[test]
    fn a_readable_wake_descriptor_ends_the_command_and_its_children() {
        let (wake, ring) = UnixStream::pair().unwrap();
        drop(ring);
        run_in_shell(&sh(), line("trap '' TERM; sleep 600 & sleep 600; wait"), wake.as_fd(), &|_| ())
            .unwrap();
    }
}
