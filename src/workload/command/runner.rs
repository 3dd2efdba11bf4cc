//! What runs the jobs of a batch, one after another on any number of threads: here, or
//! in a process that was handed what is needed for it.
//!
//! Knows what jobs are made of and what became of each. Does not know which job comes
//! next, nor where the output goes.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Write as _};
use std::os::fd::AsFd as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::{Context as _, ensure};
use serde::{Deserialize, Serialize};

use super::job;
use super::launch::Launch;
use super::settings::exact_path;
use super::transfer::{BaseFiles, FilesComing};
use super::{
    JobDirectory, LineAction, OutputOrder, PortableTemplate, Sample, Settings, Shell, StdinMode, StdinSource,
    stdin_mode,
};
use crate::inputs::Seekable;
use crate::measure::Floor;
use crate::process::child::{JobRunner, JobStdout, RunningJobs};
use crate::process::{self, Handed, harmless_in_children, stderr_for_children, stdout_for_children};
use crate::sync::Mutex;
use crate::task::{Block, Column, JobPlace, Outcome, Task, TaskInput};
use crate::template::{self, Dialect, Quoting};
use crate::temporary::keep_files_in;
use crate::text::reason;
use crate::workload::{Cx, Portable, Profile, Tasks, Workload};

/// Runs jobs. In a worker process it is the whole workload.
pub struct CommandRunner {
    pub(super) settings: Settings,
    pub(super) stdin: StdinSource,
    /// Which jobs are run, where not all are.
    pub(super) sample: Option<Sample>,
    /// The number of the process that the user started.
    pub(super) client: String,
    launch: Launch,
    /// Those of the runs whose command line is another.
    launches_by_way: Vec<(String, Launch)>,
    pub(super) running: &'static RunningJobs,
    pub(super) workers: Mutex<Vec<JobRunner<'static>>>,
    /// What parsim holds itself.
    pub(super) floor: Floor,
    /// What jobs get as stdout and stderr where they write for themselves.
    handed: Option<[Handed; 2]>,
    /// Whether a job could not be started though nothing else ran, and none since.
    pub(super) gave_up: AtomicBool,
    /// Whether it was told that a job waits to be started.
    pub(super) told_of_waits: AtomicBool,
    /// Whether this is another machine than the one of who began the batch.
    pub(super) is_elsewhere: bool,
    /// What all jobs have here, where this is another machine.
    pub(super) base_files: BaseFiles,
    /// What comes back from other machines, where this is none.
    files_coming: FilesComing,
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

impl CommandRunner {
    /// What runs jobs as `settings` say. Make it once the process's signal handlers
    /// are installed.
    ///
    /// # Errors
    /// When the shell cannot be found, or descriptors have run out.
    pub(super) fn new(settings: Settings, stdin: StdinSource) -> anyhow::Result<Self> {
        let environment = Arc::new(job::environment(&settings)?);
        if let (JobDirectory::Fixed(directory), false) = (&settings.directory, settings.runs_elsewhere) {
            let made = fs::create_dir_all(directory);
            made.with_context(|| format!("cannot make the working directory {}", directory.display()))?;
        }
        let launch = Launch::new(&settings, &settings.template, &environment)?;
        let launch_of = |(way, template): &(String, PortableTemplate)| -> anyhow::Result<_> {
            Ok((way.clone(), Launch::new(&settings, template, &environment)?))
        };
        let launches_by_way = settings.templates_by_way.iter().map(launch_of).collect::<Result<_, _>>()?;
        // One for each batch of a program, as long as its workers may live.
        let running = RunningJobs::new(settings.term_sequence.clone(), harmless_in_children())
            .context("cannot prepare to start processes")?;
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
            is_elsewhere: false,
            base_files: BaseFiles::default(),
            files_coming: FilesComing::default(),
        })
    }

    /// What another process [described](Portable::wire_spec), to run on the machine `place`;
    /// a host has a shell of its own.
    ///
    /// # Errors
    /// When it is not that, the same cannot be made here, or a file is another by now.
    pub fn from_spec(
        spec: serde_json::Value,
        place: JobPlace<'_>,
        own_shell: impl FnOnce(Shell) -> anyhow::Result<Shell>,
    ) -> anyhow::Result<Self> {
        let RunnerSpec { mut settings, sample, client, parts } = serde_json::from_value(spec)?;
        settings.variables.extend(place_variables(place));
        settings.runs_elsewhere = false;
        let is_elsewhere = matches!(place, JobPlace::Host(host) if host.host != HERE);
        let has_our_stderr = !is_elsewhere && !matches!(place, JobPlace::Node(_));
        if let (LineAction::TraceAndRun, false) = (settings.line_action, has_our_stderr) {
            settings.line_action = LineAction::TraceInOutput;
        }
        if is_elsewhere {
            settings.shell = own_shell(settings.shell)?;
        }
        if let Some(folder) = &settings.temporaries {
            keep_files_in(folder.into());
        }
        let open = |FileSpec { path, length }: FileSpec| -> anyhow::Result<Seekable> {
            let file = Seekable::open(&path)?;
            ensure!(file.length() == length, "{} has changed since the batch began", path.display());
            Ok(file)
        };
        let stdin = match parts {
            None => StdinSource::Own,
            Some(files) => StdinSource::Parts(files.into_iter().map(open).collect::<Result<_, _>>()?),
        };
        Ok(Self { sample, client, is_elsewhere, ..Self::new(settings, stdin)? })
    }

    /// Whether another process can run the same jobs: what they read is not dealt out, put
    /// aside or typed here, and they do not write to where this process does.
    pub(super) fn is_portable(&self) -> bool {
        matches!(self.stdin, StdinSource::Own | StdinSource::Parts(_)) && self.handed.is_none()
    }

    /// What runs now, for orders from elsewhere.
    pub fn running(&self) -> &'static RunningJobs {
        self.running
    }

    /// How jobs are started in a run of `column`.
    pub(super) fn launch(&self, column: &Column) -> &Launch {
        let own = self.launches_by_way.iter().find(|(name, _)| *name == column.name);
        own.map_or(&self.launch, |(_, launch)| launch)
    }

    /// Does the job of `task`, whatever that is: runs its command, or prints it.
    pub(super) fn do_job(&self, task: &Task, cx: &mut Cx<'_>) -> Outcome {
        // Whatever becomes of the job: others do not wait for it.
        let _seat = self.stdin.dealer().map(|dealer| dealer.attended(job::number(task)));
        let values = task.spec.values();
        let number = self.sample.map_or(task.seq, |sample| sample.job(task.seq));
        let numbers = self.settings.counts.numbers(number, cx.slot());
        let template = self.settings.template_of(&cx.column().name);
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
        let (told, runs) = match self.settings.line_action {
            LineAction::Run => (Ok(()), true),
            LineAction::PrintAndRun => (cx.write(&shown(&line)), true),
            LineAction::Print => (cx.write(&shown(&line)), false),
            LineAction::PrintQuoted(times) => {
                (cx.write(&shown(&quoted(&line, self.settings.shell.dialect, times))), false)
            }
            LineAction::TraceAndRun => {
                // With stderr closed there is nobody to show it to.
                let _ = process::stderr().write_all(&shown(&line));
                (Ok(()), true)
            }
            LineAction::TraceInOutput => (cx.write_err(&shown(&line)), true),
        };
        match told {
            Err(error) => Outcome::Failed(format!("cannot write its output: {}", reason(&error)).into()),
            Ok(()) if runs => self.execute(&line, task, &numbers, cx),
            Ok(()) => Outcome::Success,
        }
    }

    pub(super) fn worker(&self, slot: u64) -> io::Result<JobRunner<'static>> {
        let idle = self.workers.lock().pop();
        idle.map_or_else(|| JobRunner::new(self.running, usize::try_from(slot).unwrap_or(usize::MAX)), Ok)
    }

    /// Where a job's stdout and stderr go.
    pub(super) fn streams(&self) -> [JobStdout<'_>; 2] {
        let Some(handed) = &self.handed else { return [JobStdout::Listener; 2] };
        handed.each_ref().map(|handed| match handed {
            Handed::Same => JobStdout::Inherited,
            Handed::Again(file) => JobStdout::File(file.as_fd()),
            Handed::Nothing => JobStdout::Listener,
        })
    }
}

impl Workload for CommandRunner {
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

    fn finish(&self) -> anyhow::Result<()> {
        if self.settings.files.removed {
            self.base_files.remove();
        }
        Ok(())
    }
}

impl CommandRunner {
    /// The command line of `task` as it would be in a run called `way`.
    pub(super) fn line_of(&self, task: &Task, slot: u32, way: &str) -> Vec<u8> {
        let number = self.sample.map_or(task.seq, |sample| sample.job(task.seq));
        let numbers = self.settings.counts.numbers(number, slot);
        let mut line = Vec::new();
        self.settings.template_of(way).render(task.spec.values(), &numbers, self.settings.quoting, &mut line);
        line
    }
}

impl Portable for CommandRunner {
    fn answer_about(&self, task: &Task, question: serde_json::Value) -> serde_json::Value {
        let number = self.sample.map_or(task.seq, |sample| sample.job(task.seq));
        let numbers = self.settings.counts.numbers(number, task.slot);
        let (rules, values) = (&self.settings.files, task.spec.values());
        self.files_coming.answer(rules, task.seq, values, &numbers, question).unwrap_or_default()
    }

    /// Its number, whether it is left out and the script that offers it a pipe, as JSON, and what
    /// templates make of its values in any slot: its line, its directory, where each job has its
    /// own, and the names of files that go there and come back.
    fn spelled_out(&self, task: &Task, column: &Column) -> Option<TaskInput> {
        let Settings { counts, quoting, directory, files, .. } = &self.settings;
        let number = self.sample.map_or(task.seq, |sample| sample.job(task.seq));
        let numbers = counts.numbers(number, 0);
        let (template, values) = (self.settings.template_of(&column.name), task.spec.values());
        let through = (self.settings.stdin_mode == StdinMode::Fifo).then_some(stdin_mode::THROUGH_FIFO);
        let skipped = template.skips(values);
        let head = serde_json::json!({ "number": numbers.seq, "skipped": skipped, "through": through });
        let mut spelled =
            vec![head.to_string().into_bytes(), template.in_any_slot(values, &numbers, *quoting)];
        let each = match directory {
            JobDirectory::Each(template) => Some(template),
            JobDirectory::Here | JobDirectory::Fixed(_) | JobDirectory::OfItsOwn(_) => None,
        };
        let names = each.into_iter().chain(&files.sent).chain(&files.fetched);
        spelled.extend(names.map(|name| name.in_any_slot(values, &numbers, Quoting::None)));
        Some(match &task.spec {
            TaskInput::Block(block) => {
                let bytes = block.bytes.clone();
                TaskInput::Block(Box::new(Block { values: spelled, bytes, stretch: block.stretch }))
            }
            _ => TaskInput::Values(spelled),
        })
    }

    fn ended_elsewhere(&self, task: &Task) {
        self.files_coming.forget(task.seq);
    }

    fn command_line(&self, task: &Task, column: &Column) -> Option<Vec<u8>> {
        Some(self.line_of(task, task.slot, &column.name))
    }

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
        let parts = if let StdinSource::Parts(files) = &self.stdin {
            Some(files.iter().map(file).collect())
        } else {
            None
        };
        serde_json::json!(RunnerSpec {
            settings: self.settings.clone(),
            sample: self.sample,
            client: self.client.clone(),
            parts,
        })
    }
}

/// The machine of whoever named several.
const HERE: &str = ":";

/// What tells a job on which machine it is.
fn place_variables(place: JobPlace<'_>) -> Vec<(OsString, OsString)> {
    let variables = match place {
        JobPlace::Own => vec![],
        JobPlace::Host(host) => vec![
            ("PARALLEL_SSHLOGIN", &*host.login),
            ("PARALLEL_SSHHOST", &*host.host),
            ("PARSIM_NODE", &*host.host),
        ],
        JobPlace::Node(node) => vec![("PARSIM_NODE", node)],
    };
    variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect()
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
