//! What can be asked of a run directory by whoever did not begin the run: how far it is,
//! to end it, to go on with it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;

use super::accepted::{AcceptedFile, NumberSet};
use super::heartbeat::HeartWatch;
use super::layout::RunLayout;
use super::run_spec::RunSpec;
use super::segment::{Entry, SegmentReader};
use super::submitter::{ElementLife, n_elements, noted_jobs};
use super::submitter_of;
use super::task_file::TaskReader;

/// A run that somebody began.
#[derive(Clone, Debug)]
pub struct StoredRun {
    layout: RunLayout,
    spec: RunSpec,
    is_from_start: bool,
}

/// How far a run is.
#[derive(Clone, Debug, Default)]
pub struct RunStatus {
    /// How many tasks there are, and whether more may come.
    pub tasks: u64,
    /// Whether that is all.
    pub is_all: bool,
    /// Tasks whose results were handed on.
    pub handed_on: u64,
    /// Tasks that are done.
    pub recorded: u64,
    /// How many of these failed.
    pub failed: u64,
    /// Elements by what became of them.
    pub elements: BTreeMap<String, u32>,
    /// Workers that live, by node.
    pub workers: BTreeMap<String, u32>,
    /// Why the batch system does not say more.
    pub silence: Option<String>,
}

impl StoredRun {
    /// The one in a directory.
    ///
    /// # Errors
    /// When there is none, or it cannot be trusted.
    pub fn open(root: &Path) -> anyhow::Result<Self> {
        let layout = RunLayout::open(root)?;
        let spec = RunSpec::read(&layout)?;
        Ok(Self { layout, spec, is_from_start: false })
    }

    /// The same where what was handed on already is handed on again.
    #[must_use]
    pub fn from_start(self) -> Self {
        Self { is_from_start: true, ..self }
    }

    /// Whether that is so.
    pub fn is_from_start(&self) -> bool {
        self.is_from_start
    }

    /// Where it is.
    pub fn root(&self) -> &Path {
        self.layout.root()
    }

    /// Where whoever began it was.
    pub fn directory(&self) -> PathBuf {
        self.spec.directory()
    }

    /// The engine, as `--workers` has it.
    pub fn engine(&self) -> &'static str {
        if self.spec.engine == super::SLURM.name { super::SLURM.name } else { super::LOCAL.name }
    }

    /// The command line behind `parsim parallel`; `None` where nobody can go on.
    pub fn words(&self) -> Option<&[OsString]> {
        self.spec.words.as_deref()
    }

    /// How many tasks it has, as far as they were put down.
    ///
    /// # Errors
    /// When that cannot be seen.
    pub fn tasks(&self) -> anyhow::Result<u64> {
        Ok(TaskReader::open(&self.layout)?.count()?.0)
    }

    /// Ends all that works on it. Says how many elements there were.
    ///
    /// # Errors
    /// When the batch system cannot be told.
    pub fn cancel(&self) -> anyhow::Result<u32> {
        // Before it is looked what was submitted: a client looks for it after each submission.
        let noted = self.layout.cancel();
        let jobs = noted_jobs(&self.layout).context("cannot see what was submitted")?;
        let told = noted.and(self.layout.stop(0..n_elements(&jobs)));
        submitter_of(&self.spec.engine).cancel(&self.spec, &jobs)?;
        told.context("cannot tell workers to stop")?;
        Ok(jobs.iter().map(|job| job.count).sum())
    }

    /// How far it is.
    ///
    /// # Errors
    /// When that cannot be seen.
    pub fn status(&self) -> anyhow::Result<RunStatus> {
        let (tasks, is_all) = TaskReader::open(&self.layout)?.count()?;
        let (_, handed_on) = AcceptedFile::open(&self.layout).context("cannot see what is done")?;
        let mut status = RunStatus { tasks, is_all, handed_on: handed_on.count(), ..RunStatus::default() };
        let mut done = NumberSet::default();
        let mut watch = HeartWatch::new(&self.layout, Duration::MAX);
        let mut names = self.layout.names("hb")?;
        names.sort();
        for worker in names {
            let mut reader = SegmentReader::new(&worker);
            let mut node = None;
            loop {
                let entries = reader.read(&self.layout)?;
                if entries.is_empty() {
                    break;
                }
                for raw in entries {
                    match (raw.done_place(), node.is_none().then(|| raw.entry()).flatten()) {
                        (Some(place), _) if done.insert(place) => {
                            let entry = raw.entry();
                            let is_failure = |entry: &Entry| matches!(entry, Entry::Done(done) if done.record.outcome.is_failure());
                            status.failed += u64::from(entry.as_ref().is_some_and(is_failure));
                        }
                        (None, Some(Entry::Worker(about))) => node = Some(about.node),
                        _ => {}
                    }
                }
            }
            if !watch.is_gone(&worker) {
                *status.workers.entry(node.unwrap_or_else(|| worker.clone())).or_default() += 1;
            }
        }
        status.recorded = done.count();
        let jobs = noted_jobs(&self.layout)?;
        if !jobs.is_empty() {
            match submitter_of(&self.spec.engine).look(&self.spec, &jobs) {
                Ok(known) => {
                    for state in known {
                        let life = match state.life {
                            ElementLife::Waiting(reason) => format!("waiting ({reason})"),
                            ElementLife::Running(_) => "running".to_owned(),
                            // Long ago, or who started it was killed and has lost its memory:
                            // then it may still work.
                            ElementLife::Unknown if status.recorded < status.tasks => {
                                "not known any more (ended, or forgotten)".to_owned()
                            }
                            ElementLife::Ended(_) | ElementLife::Unknown => "ended".to_owned(),
                        };
                        *status.elements.entry(life).or_default() += 1;
                    }
                }
                Err(error) => status.silence = Some(format!("{error:#}")),
            }
        }
        Ok(status)
    }
}
