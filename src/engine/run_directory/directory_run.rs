//! The engine of a run by way of a directory: makes the directory whole, or opens one that
//! is there, and keeps it as long as somebody may come back to it.
//!
//! Does not know what becomes of its workers.

use std::fmt;
use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::Builder;
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail, ensure};

use super::client::{ClientContext, RunClient, RunEnd};
use super::elements::ElementWatch;
use super::layout::{RunLayout, private};
use super::manage::StoredRun;
use super::run_spec::RunSpec;
use super::submitter::{Submitter, noted_jobs};
use super::task_file::TaskWriter;
use super::{DirectoryOptions, LOCAL, submitter_of};
use crate::engine::{Engine, Run};
use crate::host::{self, FileSystem, STACK};
use crate::process::Waker;
use crate::study::WorkerCosts;
use crate::sync::Mutex;
use crate::task::Column;
use crate::temporary::random;
use crate::workload::Workload;

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
        write!(
            f,
            "left to its workers; parsim resume {directory} shows the results, parsim status {directory} how far it is"
        )
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
            let result = self.begin(run, &made, &*submitter);
            let is_detached = result.as_ref().is_err_and(anyhow::Error::is::<Detached>);
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
        let jobs = noted_jobs(&layout).context("cannot see what was submitted")?;
        let spec = RunSpec::read(&layout)?;
        let waker = Waker::new().context("cannot open what wakes")?;
        let watch = ElementWatch::new(&*submitter, &spec, waker.clone());
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
        let (costs, _) = context.with_watch(|| RunClient::new(context.clone(), jobs)?.resume())?;
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
        let portable =
            portable.with_context(|| format!("{} cannot be done by worker processes", workload.name()))?;
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
        made: &MadeRun,
        submitter: &dyn Submitter,
    ) -> anyhow::Result<(WorkerCosts, RunEnd)> {
        let MadeRun { layout, spec, .. } = made;
        let mut writer = TaskWriter::create(layout).context("cannot put tasks down")?;
        let waker = Waker::new().context("cannot open what wakes")?;
        let watch = ElementWatch::new(submitter, spec, waker.clone());
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
            let client = RunClient::new(context.clone(), Vec::new())?;
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
            let result = context.with_watch(|| RunClient::new(context.clone(), Vec::new())?.begin());
            if result.is_err() {
                // Whoever reads inputs is not to wait for them.
                run.interrupt.drain();
            }
            result
        })
    }
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
