//! What is put down of each job (`--joblog`, `--records`), and what an earlier
//! run put down (`--resume`, `--resume-failed`, `--retry-failed`).

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, BufReader};
use std::os::fd::AsFd as _;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::finish::say;
use crate::cli::exit::Fault;
use crate::cli::flags::{Flag, Typed};
use crate::cli::terminal::Terminal;
use crate::event::Journal;
use crate::joblog::{self, FoundBy, LoggedJobs, ResumeJobs, Unreadable};
use crate::numbers::count;
use crate::output::{EarlierRows as Rest, JobLog, JsonLines, RowFile, RowsEnd};
use crate::process::Interrupt;
use crate::task::Task;
use crate::workload::command::{EarlierRun, Resume};

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
    lines: CommandLines,
    has_results: HasResults,
    interrupt: &Interrupt,
) -> Result<EarlierRun, Fault> {
    let has = |flag| typed.flags.has(flag);
    let path = typed.output.joblog.as_deref().map(log_path);
    if has(Flag::RetryFailed)
        && let Some(path) = &path
    {
        let log = File::open(path).map_err(|error| unreadable(path, &error.into()))?;
        if lacks_its_end(&log).map_err(|error| unreadable(path, &error.into()))? {
            let path = path.display();
            say(&format!("--retry-failed: the last row of {path} was cut off, its job is not run again"));
        }
        let failed = joblog::failed(BufReader::new(log)).map_err(|error| unreadable(path, &error))?;
        if failed.is_empty() {
            say(&format!("--retry-failed: nothing to do: no job failed, says {}", path.display()));
        }
        return Ok(EarlierRun::Failed(failed));
    }
    if !has(Flag::Resume) && !has(Flag::ResumeFailed) {
        return Ok(EarlierRun::Nothing);
    }
    let wanted = if has(Flag::ResumeFailed) { ResumeJobs::NewAndFailed } else { ResumeJobs::New };
    // From a pipe or a device nothing comes back.
    let kept = path.filter(|path| !std::fs::metadata(path).is_ok_and(|data| !data.is_file()));
    let log = match &kept {
        None => LoggedJobs::nothing(wanted),
        Some(path) => match File::open(path) {
            // The first run may be called as the later ones are.
            Err(error) if error.kind() == io::ErrorKind::NotFound => LoggedJobs::nothing(wanted),
            Err(error) => return Err(unreadable(path, &error.into())),
            Ok(log) => {
                LoggedJobs::read(BufReader::new(log), wanted).map_err(|error| unreadable(path, &error))?
            }
        },
    };
    // Where there is a log, it decides: a job whose results are there but not its row
    // was cut off between the two, and how it ended is not known. Failed jobs have
    // left results, too.
    let results_decide = kept.is_none() && has(Flag::Resume);
    let has_results = if results_decide { has_results } else { Arc::new(|_: &Task| false) };
    let why = match lines {
        CommandLines::Stay => "no command of this batch is in the job log",
        CommandLines::DependOnSlot => "commands with {%} in them are not the same in each run",
    };
    let draining = interrupt.clone();
    let goes_by_number = move |jobs: &[(u64, u64)]| {
        // Inputs that were not waited for are not known.
        if !draining.is_draining() {
            say(&format!("{why}: {}", skipping(jobs)));
        }
    };
    let draining = interrupt.clone();
    let (option, place) = (
        if has(Flag::ResumeFailed) { "--resume-failed" } else { "--resume" },
        if kept.is_some() { "in the job log" } else { "among the results" },
    );
    let nothing_left = move |jobs: u64| {
        if !draining.is_draining() {
            let are =
                if jobs == 1 { "the job is".to_owned() } else { format!("all {} jobs are", count(jobs)) };
            say(&format!("{option}: nothing to do: {are} {place}"));
        }
    };
    let mode = (lines == CommandLines::DependOnSlot).then_some(FoundBy::Number);
    Ok(EarlierRun::Log(Resume {
        log,
        mode,
        has_results,
        goes_by_number: Box::new(goes_by_number),
        nothing_left: Box::new(nothing_left),
    }))
}

/// Whether the last row of `log` was cut off.
fn lacks_its_end(log: &File) -> io::Result<bool> {
    let data = log.metadata()?;
    let mut last = *b"\n";
    if data.is_file() && data.len() > 0 {
        log.read_exact_at(&mut last, data.len() - 1)?;
    }
    Ok(last != *b"\n")
}

/// `skipping jobs 1-2 and 5 by number`: `rows` are first and last of jobs in a row.
fn skipping(rows: &[(u64, u64)]) -> String {
    /// So many rows are named.
    const NAMED: usize = 5;
    let name = |&(first, last): &(u64, u64)| match last - first {
        0 => count(first),
        1.. => format!("{}-{}", count(first), count(last)),
    };
    let n_jobs: u64 = rows.iter().map(|(first, last)| last - first + 1).sum();
    let (first, rest) = rows.split_at(rows.len().min(NAMED));
    let mut told: Vec<String> = first.iter().map(name).collect();
    let n_rest: u64 = rest.iter().map(|(first, last)| last - first + 1).sum();
    told.extend((n_rest > 0).then(|| format!("{} more", count(n_rest))));
    let told = match told.split_last() {
        None => return "no job is skipped".to_owned(),
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
    };
    let jobs = if n_jobs == 1 { "job" } else { "jobs" };
    format!("skipping {jobs} {told} by number, as GNU parallel does")
}

/// Whether the same job has the same command line in each run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CommandLines {
    /// It has.
    Stay,
    /// Not where the slot is part of it.
    DependOnSlot,
}

/// Opens the files that each job gets a row in; with `--dry-run` none, for no
/// job is run.
pub(super) fn open(typed: &Typed, interrupt: &Interrupt) -> Result<Vec<Box<dyn Journal>>, Fault> {
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
        let opened = if path == Path::new("-") {
            on_stdout(&path)
        } else {
            RowFile::open_waiting(&path, rest, RowsEnd::AtNewline, |time| interrupt.sleep(time))
        };
        opened.map_err(|error| Fault::Usage(format!("{option} {shown}: {error}")))
    };
    if let Some(joblog) = &typed.output.joblog {
        let rows = rows("--joblog", joblog)?;
        // As GNU parallel: what is appended to has its header.
        let log =
            if appended(joblog).1 && !goes_on { JobLog::without_header(rows) } else { JobLog::new(rows)? };
        journals.push(Box::new(log));
    }
    if let Some(records) = &typed.output.records {
        journals.push(Box::new(JsonLines::new(rows("--records", records.as_os_str())?)));
    }
    Ok(journals)
}

/// `-`: rows among what the jobs print.
fn on_stdout(path: &Path) -> io::Result<RowFile> {
    Terminal::has_stdout().map_err(io::Error::other)?;
    let stdout = io::stdout().as_fd().try_clone_to_owned()?;
    Ok(RowFile::behind(stdout.into(), path))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_that_are_skipped_are_named_as_far_as_there_are_few() {
        let by = " by number, as GNU parallel does";
        assert_eq!(skipping(&[]), "no job is skipped");
        assert_eq!(skipping(&[(3, 3)]), format!("skipping job 3{by}"));
        assert_eq!(skipping(&[(1, 2)]), format!("skipping jobs 1-2{by}"));
        assert_eq!(skipping(&[(1, 2), (5, 5), (7, 9)]), format!("skipping jobs 1-2, 5 and 7-9{by}"));
        let many: Vec<(u64, u64)> = (0..8).map(|n| (3 * n + 1, 3 * n + 2)).collect();
        assert_eq!(skipping(&many), format!("skipping jobs 1-2, 4-5, 7-8, 10-11, 13-14 and 6 more{by}"));
    }
}
