//! Everything that was typed, before it means anything.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use super::jobs::JobsOption;
use super::named::{Decimal, NamedInput};
use super::values::{Timeout, When, Workers};
use crate::engine::WorkerChoice;
use crate::inputs::{InputSource, Trim};
use crate::policy::{Delay, Halt, Load};
use crate::process::child::TermSequence;
use crate::report;
use crate::template::ReplacementName;

/// A command line of `serial`, `parallel` or `compare`; of other subcommands what
/// they share with these.
#[derive(Clone, Debug, Default)]
pub struct Typed {
    /// The command's words; none means that each input is a command.
    pub command: Vec<OsString>,
    /// The input sources; none means standard input.
    pub sources: Vec<InputSource>,
    /// Whether `:::` or `::::` ended the line with nothing after it and no other
    /// source: GNU parallel then reads standard input.
    pub bare_separator: bool,
    /// Options without a value that were given.
    pub flags: Vec<Flag>,
    /// What is asked for instead of a run.
    pub ask: Option<Ask>,
    /// How inputs are read and packed.
    pub input: InputOptions,
    /// Other names of replacement strings.
    pub renames: BTreeMap<ReplacementName, Vec<u8>>,
    /// How jobs run.
    pub run: RunOptions,
    /// How standard input is cut for `--pipe`.
    pub pipe: PipeOptions,
    /// What is written where.
    pub output: OutputOptions,
    /// Measuring and comparing.
    pub study: StudyOptions,
    /// The options that have an effect, in order.
    pub given: Vec<GivenOption>,
    /// The options that were accepted without effect.
    pub ignored: Vec<&'static str>,
}

impl Typed {
    /// Whether `flag` was given.
    pub fn has(&self, flag: Flag) -> bool {
        self.flags.contains(&flag)
    }

    /// Whether there is neither a command nor a source.
    pub fn names_nothing(&self) -> bool {
        self.command.is_empty() && self.sources.is_empty() && !self.bare_separator
    }

    /// Whether what jobs write goes into files instead of being shown.
    pub fn puts_output_down(&self) -> bool {
        self.output.results.is_some() || self.has(Flag::Files)
    }

    /// Whether one of `flags` was.
    pub fn has_any(&self, flags: &[Flag]) -> bool {
        flags.iter().any(|flag| self.has(*flag))
    }
}

/// An option that was given.
#[derive(Clone, Debug)]
pub struct GivenOption {
    /// Its best name.
    pub name: &'static str,
    /// As it was typed, with hyphens and without its value.
    pub spelled: String,
    /// Who has it.
    pub scope: Scope,
    /// Why `compare` has to do without it.
    pub not_compared: Option<&'static str>,
}

/// Subcommands that have an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scope(u8);

impl Scope {
    /// `serial` and `parallel`.
    pub const ONE_WAY: Self = Self(1);
    /// `compare`.
    pub const COMPARE: Self = Self(2);
    /// Every batch of commands.
    pub const BATCH: Self = Self(1 | 2);
    /// The subcommands of workloads.
    pub const WORKLOAD: Self = Self(4);
    /// `report`.
    pub const REPORT: Self = Self(8);

    /// These and `other`.
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all of `other` is in it.
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// An option without a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flag {
    /// `--ascii`
    Ascii,
    /// `--bar`, `--eta`, `--progress` without a value
    Bar,
    /// `--cat`
    Cat,
    /// `--cleanup`
    CleanUp,
    /// `--csv`
    Csv,
    /// `--detach`
    Detach,
    /// `--dry-run`
    DryRun,
    /// `-x`
    Exit,
    /// `--fifo`
    Fifo,
    /// `--filter-hosts`
    FilterHosts,
    /// `--files`
    Files,
    /// `--hostgroups`
    HostGroups,
    /// `-k`
    KeepOrder,
    /// `--lanes`
    Lanes,
    /// `--link`
    Link,
    /// `-m`
    Multiple,
    /// `--no-shell`
    NoShell,
    /// `--nonall`
    NonAll,
    /// `--noswap`
    NoSwap,
    /// `-0`
    Null,
    /// `--onall`
    OnAll,
    /// `--pipe`
    Pipe,
    /// `--pipe-part`
    PipePart,
    /// `--plus`
    Plus,
    /// `-q`
    Quote,
    /// `--regexp`
    Regexp,
    /// `--rrs`
    RemoveRecSep,
    /// `--resume`
    Resume,
    /// `--resume-failed`
    ResumeFailed,
    /// `--retry-failed`
    RetryFailed,
    /// `--round-robin`
    RoundRobin,
    /// `--shell-quote`
    ShellQuote,
    /// `--show-output`
    ShowOutput,
    /// `--shuf`
    Shuf,
    /// `--skip-first-line`
    SkipFirstLine,
    /// `-r`
    SkipBlank,
    /// `-t`
    Trace,
    /// `--tag`: unless there is a text for it.
    Tag,
    /// `--tee`
    Tee,
    /// `--tty`
    Tty,
    /// `-v`
    Verbose,
    /// `-X`
    WithContext,
    /// `--xargs`
    Xargs,
}

/// What is asked for instead of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// `-h`
    ShortHelp,
    /// `--help`
    LongHelp,
    /// `--version`
    Version,
    /// `--min-version N`
    MinVersion(u64),
    /// `--citation`, of which there is none.
    Citation,
    /// `--number-of-cores`
    Cores,
    /// `--number-of-threads` and `--number-of-cpus`
    Threads,
    /// `--number-of-sockets`
    Sockets,
    /// `--max-line-length-allowed`
    LineLength,
}

/// How inputs are read and packed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InputOptions {
    /// `-d`, escapes resolved.
    pub delimiter: Option<Vec<u8>>,
    /// `-C`
    pub colsep: Option<Vec<u8>>,
    /// `--trim`
    pub trim: Option<Trim>,
    /// `--header`
    pub header: Option<Vec<u8>>,
    /// `-E`
    pub end_mark: Option<Vec<u8>>,
    /// `-n`
    pub max_args: Option<usize>,
    /// `-N`
    pub max_replace_args: Option<usize>,
    /// `-L`
    pub max_lines: Option<usize>,
    /// `-l`
    pub lines: Option<usize>,
    /// `-s`
    pub max_chars: Option<usize>,
    /// `--parameter-list`, `--parameter-scan`
    pub named: Vec<NamedInput>,
    /// `--parameter-step-size`
    pub step: Option<Decimal>,
}

/// How jobs run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunOptions {
    /// `-j`
    pub jobs: Option<JobsOption>,
    /// `--workers`
    pub workers: Workers,
    /// `--threads-per-job`
    pub threads_per_job: Option<usize>,
    /// `--delay`
    pub delay: Option<Delay>,
    /// `--load`
    pub load: Option<Load>,
    /// `--memfree`, in bytes.
    pub memfree: Option<u64>,
    /// `--memsuspend`, in bytes.
    pub memsuspend: Option<u64>,
    /// `--nice`
    pub nice: Option<i32>,
    /// `--wd`
    pub work_dir: Option<PathBuf>,
    /// `--env`
    pub env: Vec<OsString>,
    /// `--sshlogin` and `--sshloginfile`, in order.
    pub hosts: Vec<HostSource>,
    /// `--ssh`
    pub ssh: Option<String>,
    /// `--sshdelay`
    pub ssh_delay: Option<Duration>,
    /// `--ssh-worker`
    pub ssh_worker: Option<WorkerChoice>,
    /// `--transferfile`, as typed
    pub sent_files: Vec<OsString>,
    /// `--return`, as typed
    pub fetched_files: Vec<OsString>,
    /// `--basefile`
    pub base_files: Vec<OsString>,
    /// `--process-slot-var`
    pub slot_variable: Option<OsString>,
    /// `--shell`
    pub shell: Option<PathBuf>,
    /// `--retries`: tries in all, 0 for no limit.
    pub retries: Option<u64>,
    /// `--retry-delay`
    pub retry_delay: Option<Duration>,
    /// `--backoff`: what each wait is multiplied by.
    pub backoff: Option<f64>,
    /// `--timeout`
    pub timeout: Option<Timeout>,
    /// `--max-time`
    pub max_time: Option<Duration>,
    /// `--halt`
    pub halt: Option<Halt>,
    /// `--term-seq`
    pub term_seq: Option<TermSequence>,
    /// `--total-jobs`
    pub total_jobs: Option<u64>,
    /// `--tmpdir`
    pub tmpdir: Option<PathBuf>,
    /// What workers on other machines are asked for.
    pub cluster: ClusterWishes,
}

/// What `--workers slurm` and `--workers local-dir` are told.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClusterWishes {
    /// `--nodes`
    pub nodes: Option<u32>,
    /// `--slots`
    pub slots: Option<u32>,
    /// `--memory-per-job`, in bytes.
    pub memory_per_job: Option<u64>,
    /// `--partition`
    pub partition: Option<String>,
    /// `--account`
    pub account: Option<String>,
    /// `--qos`
    pub qos: Option<String>,
    /// `--walltime`
    pub walltime: Option<Duration>,
    /// `--sbatch-arg`
    pub sbatch_args: Vec<String>,
    /// `--run-dir`
    pub run_dir: Option<PathBuf>,
}

/// Where hosts are named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostSource {
    /// On the command line.
    Text(String),
    /// In this file; `-` is standard input, `..` the one that GNU parallel has for it.
    File(PathBuf),
}

/// How standard input is cut for `--pipe`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PipeOptions {
    /// `--block`, in bytes.
    pub block: Option<u64>,
    /// `--block -N`: how many blocks a slot gets of a file.
    pub blocks_per_slot: Option<usize>,
    /// `--recstart`, as typed.
    pub recstart: Option<Vec<u8>>,
    /// `--recend`, as typed.
    pub recend: Option<Vec<u8>>,
}

/// How output of jobs is kept apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Grouping {
    /// Job by job.
    #[default]
    Group,
    /// Line by line: `--line-buffer`.
    LineBuffer,
    /// Line by line, of which a terminal shows the latest of each job: `--latest-line`.
    LatestLine,
    /// Not at all: `-u`.
    Ungroup,
}

/// A report to be written: `--export-json FILE`.
#[derive(Clone)]
pub struct Export {
    /// As what.
    pub row: &'static report::Format,
    /// Where to.
    pub path: PathBuf,
}

impl fmt::Debug for Export {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "--{} {}", self.row.option, self.path.display())
    }
}

/// What is written where.
#[derive(Clone, Debug, Default)]
pub struct OutputOptions {
    /// `--group`, `--line-buffer`, `-u`: the last one counts.
    pub grouping: Grouping,
    /// `--tagstring`, escapes resolved; an empty one is none.
    pub tag_string: Option<Vec<u8>>,
    /// `--joblog`, `+` included.
    pub joblog: Option<OsString>,
    /// `--results`
    pub results: Option<OsString>,
    /// `--records`
    pub records: Option<PathBuf>,
    /// `--color=WHEN`; without a value it is GNU parallel's, about the jobs' output.
    pub color: Option<When>,
    /// `--progress=WHEN`
    pub progress: Option<When>,
    /// `--summary`
    pub summary: Option<When>,
    /// `--export-*`
    pub exports: Vec<Export>,
}

/// Measuring and comparing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StudyOptions {
    /// `--runs`
    pub runs: Option<usize>,
    /// `--warmup`
    pub warmup: Option<usize>,
    /// `--setup`
    pub setup: Option<String>,
    /// `--command-name`
    pub name: Option<String>,
    /// `--time-unit`
    pub time_unit: Option<String>,
    /// `--prepare`
    pub prepare: Option<String>,
    /// `--cleanup CMD`
    pub cleanup: Option<String>,
    /// `--outputs`
    pub outputs: Vec<OsString>,
    /// `--sample`
    pub sample: Option<u64>,
    /// `--min-speedup`
    pub min_speedup: Option<f64>,
    /// `--fail-if-slower`, in per cent.
    pub fail_if_slower: Option<f64>,
}
