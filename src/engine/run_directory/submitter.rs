//! How elements get to where they work: submit, cancel and look are all that there is to
//! know of a batch system.
//!
//! Does not know what elements do.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Read as _, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use super::layout::{RunLayout, private};
use super::run_spec::RunSpec;
use crate::measure::seconds;

/// What is asked of a batch system.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterOptions {
    /// How many elements there are: workers, each on one node.
    pub elements: u32,
    /// How many tasks each does at a time.
    pub slots_each: u32,
    /// How many CPUs a task needs.
    pub cpus_per_job: u32,
    /// How much memory a task needs, in bytes.
    pub memory_per_job: Option<u64>,
    /// Where they run.
    pub partition: Option<String>,
    /// Who pays.
    pub account: Option<String>,
    /// The quality of service.
    pub qos: Option<String>,
    /// How long each element may run.
    #[serde(with = "seconds::optional", default)]
    pub walltime: Option<Duration>,
    /// What else the batch system is told.
    pub sbatch_args: Vec<String>,
}

/// Elements to be submitted.
pub(super) struct Submission<'a> {
    pub(super) layout: &'a RunLayout,
    pub(super) spec: &'a RunSpec,
    /// The program that works, where elements find it.
    pub(super) program: PathBuf,
    /// The number of the first one, and how many there are.
    pub(super) first: u32,
    pub(super) count: u32,
}

/// Elements that were submitted together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SubmittedJob {
    pub(super) first: u32,
    pub(super) count: u32,
    /// What the batch system calls them.
    pub(super) id: String,
}

impl SubmittedJob {
    /// The elements' numbers.
    pub(super) fn elements(&self) -> std::ops::Range<u32> {
        self.first..self.first.saturating_add(self.count)
    }
}

/// How many elements were ever submitted, of which `jobs` are all.
pub(super) fn n_elements(jobs: &[SubmittedJob]) -> u32 {
    jobs.iter().map(|job| job.elements().end).max().unwrap_or(0)
}

/// What is known of an element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ElementState {
    pub(super) number: u32,
    pub(super) life: ElementLife,
}

/// Where an element has come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ElementLife {
    /// It waits, for this reason.
    Waiting(String),
    /// It runs, on this node.
    Running(String),
    /// It has ended, as the batch system calls that.
    Ended(String),
    /// The batch system does not know it: it ended long ago, or the batch system has lost its
    /// memory, and its worker may live for all that.
    Unknown,
}

/// A batch system.
pub(super) trait Submitter: Sync {
    /// Submits elements. What they are called comes back; these may be fewer than were asked for.
    fn submit(&self, submission: &Submission<'_>) -> anyhow::Result<Vec<SubmittedJob>>;

    /// Ends all elements of `jobs` that are called as `spec` says.
    fn cancel(&self, spec: &RunSpec, jobs: &[SubmittedJob]) -> anyhow::Result<()>;

    /// What is known of the elements of `jobs` that are called as `spec` says.
    fn look(&self, spec: &RunSpec, jobs: &[SubmittedJob]) -> anyhow::Result<Vec<ElementState>>;
}

/// Puts down that `jobs` were submitted.
pub(super) fn note_jobs(layout: &RunLayout, jobs: &[SubmittedJob]) -> io::Result<()> {
    let mut file = private().append(true).create(true).open(layout.path("jobs"))?;
    let lines: String =
        jobs.iter().map(|SubmittedJob { first, count, id }| format!("{first} {count} {id}\n")).collect();
    file.write_all(lines.as_bytes())?;
    file.sync_data()
}

/// What was submitted.
pub(super) fn noted_jobs(layout: &RunLayout) -> io::Result<Vec<SubmittedJob>> {
    let text = match fs::read_to_string(layout.path("jobs")) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        text => text?,
    };
    let job = |line: &str| {
        let mut words = line.splitn(3, ' ');
        let (first, count) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        Some(SubmittedJob { first, count, id: words.next()?.to_owned() })
    };
    Ok(text.lines().filter_map(job).collect())
}

/// What a program of a batch system answered.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) stdout: String,
    pub(super) stderr: String,
    /// Its exit status, if it ended by itself.
    pub(super) status: Option<i32>,
}

/// Variables by which a batch system would take a job within a job for a part of it.
const OF_THIS_JOB: &str = "SLURM_";

/// Those of them that say where the batch system is.
const OF_THE_SYSTEM: &str = "SLURM_CONF";

/// Runs a program of a batch system, which is to answer in `patience`.
pub(super) fn ask(
    program: &str,
    arguments: &[OsString],
    input: &str,
    patience: Duration,
) -> anyhow::Result<Answer> {
    let mut command = Command::new(program);
    for name in crate::process::variable_names() {
        if name.to_string_lossy().starts_with(OF_THIS_JOB) && name != OF_THE_SYSTEM {
            command.env_remove(name);
        }
    }
    // What a terminal sends is for this program: it says what is to end.
    command.args(arguments).process_group(0);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command
        .spawn()
        .with_context(|| format!("cannot run {program}: is Slurm installed here, and {program} in PATH?"))?;
    let (mut stdin, mut stdout, mut stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    std::thread::scope(|scope| {
        scope.spawn(|| stdin.take().map(|mut stdin| stdin.write_all(input.as_bytes())));
        let mut text = String::new();
        let out = scope.spawn(move || stdout.as_mut().map(|it| it.read_to_string(&mut text)).map(|_| text));
        let mut text = String::new();
        let err = scope.spawn(move || stderr.as_mut().map(|it| it.read_to_string(&mut text)).map(|_| text));
        let end = Instant::now() + patience;
        let mut wait = Duration::from_millis(1);
        let status = loop {
            if let Some(status) = child.try_wait().context("cannot wait for it")? {
                break status;
            }
            if Instant::now() >= end {
                let _ = child.kill();
                let _ = child.wait();
                anyhow::bail!("{program} did not answer in {} s", patience.as_secs());
            }
            std::thread::sleep(wait);
            wait = (wait * 2).min(Duration::from_millis(20));
        };
        let text = |read: std::thread::ScopedJoinHandle<'_, Option<String>>| {
            read.join().ok().flatten().unwrap_or_default()
        };
        Ok(Answer { stdout: text(out), stderr: text(err), status: status.code() })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_are_noted_one_by_one_and_a_line_that_is_none_is_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let layout = RunLayout::create(&folder.path().join("run")).unwrap();
        assert!(noted_jobs(&layout).unwrap().is_empty());
        let job = |first, id: &str| SubmittedJob { first, count: 2, id: id.to_owned() };
        note_jobs(&layout, &[job(0, "17"), job(2, "a b")]).unwrap();
        note_jobs(&layout, &[job(4, "18")]).unwrap();
        fs::write(layout.path("more"), "").unwrap();
        assert_eq!(noted_jobs(&layout).unwrap(), [job(0, "17"), job(2, "a b"), job(4, "18")]);
    }

    #[test]
    fn a_program_that_does_not_answer_is_not_waited_for() {
        let error = ask("sleep", &["600".into()], "", Duration::from_millis(50)).unwrap_err();
        assert!(error.to_string().contains("did not answer"), "{error}");
        let error = ask("no-such-program", &[], "", Duration::from_secs(9)).unwrap_err();
        assert!(error.to_string().contains("in PATH"), "{error}");
        let answer = ask("cat", &[], "text", Duration::from_secs(60)).unwrap();
        assert_eq!((&*answer.stdout, answer.status), ("text", Some(0)));
    }
}
