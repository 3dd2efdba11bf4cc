//! Everything that was typed, before it means anything.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use super::jobs::JobsOption;
use super::values::{Timeout, When, Workers};
use crate::cli::exit::{Fault, refuse};
use crate::inputs::{
    BlockSpec, Combine, Header, InputSource, Reading, RowsPerJob, Separator, Split, Trim, unescape,
};
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
    #[must_use]
    pub fn has(&self, flag: Flag) -> bool {
        self.flags.contains(&flag)
    }

    /// Whether there is neither a command nor a source.
    #[must_use]
    pub fn names_nothing(&self) -> bool {
        self.command.is_empty() && self.sources.is_empty() && !self.bare_separator
    }

    /// Whether one of `flags` was.
    #[must_use]
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
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all of `other` is in it.
    #[must_use]
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
    /// `--csv`
    Csv,
    /// `--dry-run`
    DryRun,
    /// `-x`
    Exit,
    /// `--fifo`
    Fifo,
    /// `--files`
    Files,
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
    /// `--noswap`
    NoSwap,
    /// `-0`
    Null,
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

/// What several options mean together: how inputs are read, packed and cut.
impl Typed {
    /// Whether jobs are given blocks of standard input, or of files.
    #[must_use]
    pub fn pipes(&self) -> bool {
        self.has_any(&[Flag::Pipe, Flag::PipePart, Flag::Cat, Flag::Fifo])
    }

    /// How the sources are read.
    ///
    /// # Errors
    /// A separator that CSV cannot have.
    pub fn reading(&self) -> Result<Reading, Fault> {
        let input = &self.input;
        // With blocks to read, the head is theirs.
        let head = input.header.as_ref().filter(|_| !self.pipes());
        let split = if self.has(Flag::Csv) {
            Split::Csv(self.csv_separator()?)
        } else {
            match (&input.colsep, head) {
                (Some(pattern), _) => Split::At(pattern.clone()),
                // Names stand apart by tabs, and so do the values below them.
                (None, Some(header)) if header != b"0" => Split::At(b"\t".to_vec()),
                (None, _) => Split::Whole,
            }
        };
        let null = if self.has(Flag::Null) { b"\0" } else { b"\n" };
        let default_trim = if input.colsep.is_some() { Trim::Both } else { Trim::None };
        Ok(Reading {
            delimiter: input.delimiter.clone().unwrap_or_else(|| null.to_vec()),
            split,
            header: head.map(|typed| header(typed)),
            trim: input.trim.unwrap_or(default_trim),
            end_mark: input.end_mark.clone().filter(|mark| !mark.is_empty()),
            skip_blank: self.has(Flag::SkipBlank),
            skip_first: self.has(Flag::SkipFirstLine),
            continued: !self.pipes() && self.lines().is_some(),
            combine: if self.has(Flag::Link) { Combine::Link } else { Combine::AsJoined },
        })
    }

    /// How rows become jobs on `slots` slots, on lines of at most `limit` bytes.
    #[must_use]
    pub fn packing(&self, slots: NonZeroUsize, limit: usize) -> RowsPerJob {
        let input = &self.input;
        let spreads = (self.has(Flag::WithContext) || self.has(Flag::Multiple)) && !self.has(Flag::Xargs);
        let fills = spreads || self.has(Flag::Xargs);
        // `-l 0` is `-l 1`; 0 elsewhere inserts none, and is no limit to `-X`.
        let lines = input.lines.map(|n| n.max(1));
        // With blocks to read, lines are those of the blocks.
        let lines = input.max_lines.or(lines).filter(|_| !self.pipes());
        let typed = input.max_replace_args.or(input.max_args).or(lines);
        let at_most = match (typed, fills) {
            (Some(0) | None, false) => NonZeroUsize::new(1),
            (n, _) => n.and_then(NonZeroUsize::new),
        };
        RowsPerJob {
            at_most,
            slots: spreads.then_some(slots),
            insert_nothing: typed == Some(0),
            // GNU parallel wants lines to be shorter than `-s` says.
            limit: input.max_chars.map_or(limit, |most| most.saturating_sub(1).min(limit)),
            room: usize::MAX,
        }
    }

    /// Whether a word around `{}` is repeated for each value of a job, as `-X`,
    /// `-N` and `-L` have it; else the values stand side by side within it.
    #[must_use]
    pub fn repeats_words(&self) -> bool {
        let input = &self.input;
        let side_by_side = self.has_any(&[Flag::Multiple, Flag::Xargs]);
        let by_lines = input.max_lines.is_some() && !self.pipes() && !side_by_side;
        input.max_replace_args.is_some()
            || self.has(Flag::WithContext)
            || by_lines && input.max_args.is_none()
    }

    /// How `--pipe` cuts standard input.
    ///
    /// # Errors
    /// A block of no bytes; a separator that CSV cannot have.
    pub fn block_spec(&self) -> Result<BlockSpec, Fault> {
        let (input, pipe) = (&self.input, &self.pipe);
        let records = input.max_replace_args.or(input.max_args).map(|n| n.max(1));
        let size = match pipe.block.map(|bytes| usize::try_from(bytes).ok().and_then(NonZeroUsize::new)) {
            None => BlockSpec::default().size,
            Some(Some(size)) => size,
            Some(None) => return refuse("--block 0: a block has at least one byte"),
        };
        Ok(BlockSpec {
            size,
            records: records.and_then(NonZeroUsize::new),
            lines: self.lines(),
            separator: self.separator()?,
            remove_marks: self.has(Flag::RemoveRecSep),
            skip_first: self.has(Flag::SkipFirstLine),
            skip_blank: self.has(Flag::SkipBlank),
            header: input.header.as_deref().map(header),
        })
    }

    /// `-L`, or `-l`, where nothing is one; `-L 0` is none.
    fn lines(&self) -> Option<NonZeroUsize> {
        let lines = self.input.lines.map(|n| n.max(1));
        self.input.max_lines.or(lines).and_then(NonZeroUsize::new)
    }

    fn separator(&self) -> Result<Separator, Fault> {
        let pipe = &self.pipe;
        if self.has(Flag::Csv) {
            return Ok(Separator::Csv(self.csv_separator()?));
        }
        // `-L` alone counts lines, whatever else ends records.
        let by_records = self.input.max_replace_args.or(self.input.max_args).is_some();
        if self.lines().is_some() && !by_records {
            return Ok(Separator::default());
        }
        // A newline ends a record unless something else is said to.
        let default_end = if pipe.recstart.is_none() { "\n" } else { "" };
        let end = pipe.recend.clone().unwrap_or_else(|| default_end.into());
        let start = pipe.recstart.clone().unwrap_or_default();
        Ok(if self.has(Flag::Regexp) {
            Separator::Regexp { end, start }
        } else {
            Separator::Bytes { end: unescape(&end), start: unescape(&start) }
        })
    }

    fn csv_separator(&self) -> Result<u8, Fault> {
        match self.input.colsep.as_deref().map(unescape).as_deref() {
            None => Ok(b','),
            Some([byte]) => Ok(*byte),
            Some(_) => refuse("--csv with --colsep: the separator must be one byte"),
        }
    }
}

fn header(typed: &[u8]) -> Header {
    match typed {
        b"0" => Header::FileNames,
        b":" => Header::First,
        _ => {
            let lines = std::str::from_utf8(typed).ok().and_then(|text| text.parse().ok());
            lines.map_or_else(|| Header::Matching(typed.to_vec()), Header::Lines)
        }
    }
}
