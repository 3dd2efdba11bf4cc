//! What is put down of each job (`--joblog`, `--records`), and what an earlier
//! run put down (`--resume`, `--resume-failed`, `--retry-failed`).

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, BufReader};
use std::os::fd::AsFd as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::cli::exit::{Fault, refuse};
use crate::cli::flags::{Flag, Typed};
use crate::cli::terminal::{Terminal, say};
use crate::event::Journal;
use crate::joblog::{self, FoundBy, LoggedJobs, ResumeJobs, Unreadable};
use crate::numbers::count;
use crate::output::{EarlierRows, JobLog, JsonLines, RowFile, RowsEnd};
use crate::process::Interrupt;
use crate::task::Task;
use crate::workload::command::{EarlierRun, Resume};

/// Whether a job's results are there already.
pub(super) type HasResults = Arc<dyn Fn(&Task) -> bool + Send + Sync>;

/// What leaves out jobs that an earlier run did.
pub(super) const RESUMES: &[Flag] = &[Flag::Resume, Flag::ResumeFailed];

/// `typed` as it is to be run: with `--retry-failed` each line of the log is a
/// command, whatever else was typed.
pub(super) fn effective(mut typed: Typed) -> Result<Typed, Fault> {
    let (has_log, has_results) = (typed.output.joblog.is_some(), typed.output.results.is_some());
    if typed.has(Flag::ResumeFailed) && !has_log && has_results {
        return refuse("--resume-failed needs --joblog FILE: results do not tell which jobs failed");
    }
    if typed.has_any(RESUMES) && !has_log && !has_results {
        return refuse(
            "--resume and --resume-failed need --joblog FILE or --results OUT, which tell what is done",
        );
    }
    if typed.has(Flag::RetryFailed) {
        if !has_log {
            return refuse("--retry-failed needs --joblog FILE, which tells what failed");
        }
        typed.command.clear();
        typed.sources.clear();
    }
    Ok(typed)
}

/// What an earlier run did, jobs being `found_by` something else than usual if their
/// command lines are not the same in each run.
pub(super) fn earlier(
    typed: &Typed,
    found_by: Option<FoundBy>,
    has_results: HasResults,
    interrupt: &Interrupt,
) -> Result<EarlierRun, Fault> {
    let path = typed.output.joblog.as_deref().map(|typed| appended(typed).0);
    if typed.has(Flag::RetryFailed)
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
    if !typed.has_any(RESUMES) {
        return Ok(EarlierRun::Nothing);
    }
    let (option, wanted) = if typed.has(Flag::ResumeFailed) {
        ("--resume-failed", ResumeJobs::NewAndFailed)
    } else {
        ("--resume", ResumeJobs::New)
    };
    // From a pipe or a device nothing comes back.
    let kept = path.filter(|path| !std::fs::metadata(path).is_ok_and(|data| !data.is_file()));
    let log = match kept.as_ref().map(|path| (path, File::open(path))) {
        None => LoggedJobs::nothing(wanted),
        // The first run may be called as the later ones are.
        Some((_, Err(error))) if error.kind() == io::ErrorKind::NotFound => LoggedJobs::nothing(wanted),
        Some((path, log)) => {
            let log =
                log.map_err(Unreadable::from).and_then(|log| LoggedJobs::read(BufReader::new(log), wanted));
            log.map_err(|error| unreadable(path, &error))?
        }
    };
    // Where there is a log, it decides: a job whose results are there but not its row
    // was cut off between the two, and how it ended is not known. Failed jobs have
    // left results, too.
    let results_decide = kept.is_none() && typed.has(Flag::Resume);
    let has_results = if results_decide { has_results } else { Arc::new(|_: &Task| false) };
    let place = if kept.is_some() { "in the job log" } else { "among the results" };
    let why = match found_by {
        None => "no command of this batch is in the job log",
        Some(_) => "commands with {%} in them are not the same in each run",
    };
    // Inputs that were not waited for are not known.
    let draining = interrupt.clone();
    let say_if_known = Arc::new(move |text: String| {
        if !draining.has_left_input() {
            say(&text);
        }
    });
    let (say_number, say_nothing) = (Arc::clone(&say_if_known), say_if_known);
    Ok(EarlierRun::Log(Resume {
        log,
        mode: found_by,
        has_results,
        goes_by_number: Box::new(move |jobs| say_number(format!("{why}: {}", skipping(jobs)))),
        nothing_left: Box::new(move |jobs| {
            let are =
                if jobs == 1 { "the job is".to_owned() } else { format!("all {} jobs are", count(jobs)) };
            say_nothing(format!("{option}: nothing to do: {are} {place}"));
        }),
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
    let total = |rows: &[(u64, u64)]| rows.iter().map(|(first, last)| last - first + 1).sum::<u64>();
    let (first, rest) = rows.split_at(rows.len().min(NAMED));
    let mut told: Vec<String> = first.iter().map(name).collect();
    told.extend((!rest.is_empty()).then(|| format!("{} more", count(total(rest)))));
    let told = match told.split_last() {
        None => return "no job is skipped".to_owned(),
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
    };
    let jobs = if total(rows) == 1 { "job" } else { "jobs" };
    format!("skipping {jobs} {told} by number, as GNU parallel does")
}

/// Opens the files that each job gets a row in; with `--dry-run` none, for no
/// job is run.
pub(super) fn open(typed: &Typed, interrupt: &Interrupt) -> Result<Vec<Box<dyn Journal>>, Fault> {
    let mut journals: Vec<Box<dyn Journal>> = Vec::new();
    if typed.has(Flag::DryRun) {
        return Ok(journals);
    }
    let goes_on = goes_on(typed);
    let rows = |option: &str, name: &OsStr| {
        let (path, is_appended) = appended(name);
        if path == Path::new("-") {
            return on_stdout(&path).or_else(|error| refuse(format!("{option} -: {error}")));
        }
        let earlier = match (goes_on, is_appended) {
            (true, _) => EarlierRows::Kept,
            (false, true) => EarlierRows::AppendedTo,
            (false, false) => EarlierRows::Dropped,
        };
        row_file(option, &path, earlier, RowsEnd::AtNewline, interrupt)
    };
    if let Some(joblog) = &typed.output.joblog {
        let rows = rows("--joblog", joblog)?;
        // As GNU parallel: what is appended to has its header.
        let is_begun = appended(joblog).1 && !goes_on;
        let log = if is_begun { JobLog::without_header(rows) } else { JobLog::new(rows) };
        journals.push(Box::new(log));
    }
    if let Some(records) = &typed.output.records {
        journals.push(Box::new(JsonLines::new(rows("--records", records.as_os_str())?)));
    }
    Ok(journals)
}

/// Whether files go on where an earlier run left them.
pub(super) fn goes_on(typed: &Typed) -> bool {
    typed.has_any(RESUMES) || typed.has(Flag::RetryFailed)
}

/// The file of rows that `option` names, once nobody else writes it.
pub(super) fn row_file(
    option: &str,
    path: &Path,
    earlier: EarlierRows,
    ends: RowsEnd,
    interrupt: &Interrupt,
) -> Result<RowFile, Fault> {
    let file = RowFile::open_waiting(path, earlier, ends, |time| interrupt.sleep(time));
    file.or_else(|error| refuse(format!("{option} {}: {error}", path.display())))
}

/// `-`: rows among what the jobs print.
fn on_stdout(path: &Path) -> io::Result<RowFile> {
    Terminal::has_stdout().map_err(io::Error::other)?;
    let stdout = io::stdout().as_fd().try_clone_to_owned()?;
    Ok(RowFile::behind(stdout.into(), path))
}

/// `+FILE`: the file, and that it is appended to.
fn appended(typed: &OsStr) -> (PathBuf, bool) {
    let path = without_plus(typed);
    (PathBuf::from(path), path.len() < typed.len())
}

/// The name of a file that is perhaps appended to.
pub(super) fn without_plus(typed: &OsStr) -> &OsStr {
    typed.as_bytes().strip_prefix(b"+").map_or(typed, OsStr::from_bytes)
}

fn unreadable(path: &Path, error: &Unreadable) -> Fault {
    Fault::Usage(format!("cannot read the job log {}: {error}", path.display()))
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
