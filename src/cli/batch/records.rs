//! What is put down of each job (`--joblog`, `--records`), and what an earlier
//! run put down (`--resume`, `--resume-failed`, `--retry-failed`).

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, BufReader};
use std::os::fd::AsFd as _;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::cli::exit::Fault;
use crate::cli::term::Terminal;
use crate::event::Journal;
use crate::gnu_args::{Flag, Typed};
use crate::interrupt::Interrupt;
use crate::joblog::{self, Done, Mode, Unreadable, Wanted};
use crate::record::Task;
use crate::sink::{Earlier as Rest, JobLog, JsonLines, Rows};
use crate::workload::command::{Earlier, Resume};

/// Whether a job's results are there already.
pub(super) type HasResults = Arc<dyn Fn(&Task) -> bool + Send + Sync>;

/// `typed` as it is to be run: with `--retry-failed` each line of the log is a
/// command, whatever else was typed.
pub(super) fn effective(mut typed: Typed) -> Result<Typed, Fault> {
    let has = |flag| typed.flags.has(flag);
    let needs = |what: &str| Err(Fault::Usage(format!("{what}.")));
    let output = &typed.output;
    if has(Flag::ResumeFailed) && output.joblog.is_none() && output.results.is_some() {
        return needs("--resume-failed requires --joblog: results do not tell which jobs failed");
    }
    if (has(Flag::Resume) || has(Flag::ResumeFailed)) && output.joblog.is_none() && output.results.is_none() {
        return needs("--resume and --resume-failed require --joblog or --results");
    }
    let goes_on = has(Flag::Resume) || has(Flag::ResumeFailed) || has(Flag::RetryFailed);
    if goes_on && (has(Flag::RoundRobin) || has(Flag::Tee)) {
        return needs("--resume and its like do not go with --round-robin and --tee: every job reads anew");
    }
    if has(Flag::RetryFailed) {
        if output.joblog.is_none() {
            return needs("--retry-failed requires --joblog");
        }
        typed.command.clear();
        typed.sources.clear();
    }
    Ok(typed)
}

/// What an earlier run did. `goes_by_slot`: command lines depend on the slot, so
/// that they say nothing.
pub(super) fn earlier(
    typed: &Typed,
    lines: Lines,
    has_results: HasResults,
    interrupt: &Interrupt,
) -> Result<Earlier, Fault> {
    let has = |flag| typed.flags.has(flag);
    let path = typed.output.joblog.as_deref().map(log_path);
    if has(Flag::RetryFailed)
        && let Some(path) = &path
    {
        let log = File::open(path).map_err(|error| unreadable(path, &error.into()))?;
        let failed = joblog::failed(BufReader::new(log)).map_err(|error| unreadable(path, &error))?;
        return Ok(Earlier::Failed(failed));
    }
    if !has(Flag::Resume) && !has(Flag::ResumeFailed) {
        return Ok(Earlier::Nothing);
    }
    let wanted = if has(Flag::ResumeFailed) { Wanted::NewAndFailed } else { Wanted::New };
    let log = match &path {
        None => Done::nothing(wanted),
        // From a pipe or a device nothing comes back.
        Some(path) if std::fs::metadata(path).is_ok_and(|data| !data.is_file()) => Done::nothing(wanted),
        Some(path) => match File::open(path) {
            // The first run may be called as the later ones are.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Done::nothing(wanted),
            Err(error) => return Err(unreadable(path, &error.into())),
            Ok(log) => Done::read(BufReader::new(log), wanted).map_err(|error| unreadable(path, &error))?,
        },
    };
    // Failed jobs have left results, too.
    let has_results = if has(Flag::Resume) { has_results } else { Arc::new(|_: &Task| false) };
    let interrupt = interrupt.clone();
    let goes_by_number = move || {
        // Inputs that were not waited for are not known.
        if !interrupt.is_draining() {
            super::ending::say("no command of this batch is in the job log: going on by job numbers");
        }
    };
    let mode = (lines == Lines::DependOnSlot).then_some(Mode::Number);
    Ok(Earlier::Log(Resume { log, mode, has_results, goes_by_number: Box::new(goes_by_number) }))
}

/// Whether the same job has the same command line in each run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lines {
    /// It has.
    Stay,
    /// Not where the slot is part of it.
    DependOnSlot,
}

/// Opens the files that each job gets a row in; with `--dry-run` none, for no
/// job is run.
pub(super) fn open(typed: &Typed) -> Result<Vec<Box<dyn Journal>>, Fault> {
    let has = |flag| typed.flags.has(flag);
    let mut journals: Vec<Box<dyn Journal>> = Vec::new();
    if has(Flag::DryRun) {
        return Ok(journals);
    }
    let goes_on = has(Flag::Resume) || has(Flag::ResumeFailed) || has(Flag::RetryFailed);
    let rows = |option: &str, typed: &OsStr| {
        let (path, is_appended) = appended(typed);
        let rest = if is_appended || goes_on { Rest::Kept } else { Rest::Dropped };
        let shown = path.display();
        let opened = if path == Path::new("-") { on_stdout(&path) } else { Rows::open(&path, rest) };
        opened.map_err(|error| Fault::Usage(format!("{option} {shown}: {error}")))
    };
    if let Some(joblog) = &typed.output.joblog {
        let rows = rows("--joblog", joblog)?;
        // As GNU parallel: what is appended to has its header.
        let log = if appended(joblog).1 && !goes_on {
            JobLog::without_header(rows)
        } else {
            JobLog::new(rows).map_err(Fault::Own)?
        };
        journals.push(Box::new(log));
    }
    if let Some(records) = &typed.output.records {
        journals.push(Box::new(JsonLines::new(rows("--records", records.as_os_str())?)));
    }
    Ok(journals)
}

/// `-`: rows among what the jobs print.
fn on_stdout(path: &Path) -> io::Result<Rows> {
    Terminal::has_stdout().map_err(io::Error::other)?;
    let stdout = io::stdout().as_fd().try_clone_to_owned()?;
    Ok(Rows::behind(stdout.into(), path))
}

/// `+FILE`: the file, and that it is appended to.
fn appended(typed: &OsStr) -> (PathBuf, bool) {
    match typed.as_bytes().strip_prefix(b"+") {
        Some(path) => (PathBuf::from(std::ffi::OsString::from_vec(path.to_vec())), true),
        None => (PathBuf::from(typed), false),
    }
}

fn log_path(typed: &OsStr) -> PathBuf {
    appended(typed).0
}

fn unreadable(path: &Path, error: &Unreadable) -> Fault {
    Fault::Usage(format!("read the job log {}: {error}", path.display()))
}
