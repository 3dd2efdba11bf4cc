//! GNU parallel's job log: nine columns, a row for each job that ended, and what
//! an earlier log says of a batch that is run again.
//!
//! Text only: no file is opened here and no job is known. Rows are written and
//! read as GNU parallel does, so that either program goes on where the other
//! stopped.
//!
//! A job is known by its command line, so that inputs may be appended, inserted
//! and put in another order: as often as a command stands in the log, so often it
//! is taken as done. Only where no command of the batch is in the log at all
//! (another command, the same inputs) it is known by its number, which is GNU
//! parallel's way. A row of the log takes 50 bytes here, however long its line is.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, BufRead, Write as _};
use std::sync::Arc;
use std::time::Duration;

use xxhash_rust::xxh3::xxh3_128;

#[cfg(test)]
mod tests;

/// The first line of a log.
pub const HEADER: &[u8] = b"Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand\n";

/// What a row tells of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JobLogRow<'a> {
    /// Its number, from 1.
    pub seq: u64,
    /// On which machine it ran, as the user calls it; `:` on this one.
    pub host: &'a str,
    /// When it started, since 1970.
    pub start: Duration,
    /// How long it ran.
    pub runtime: Duration,
    /// Bytes it was given on standard input.
    pub sent: u64,
    /// Bytes it wrote to standard output.
    pub received: u64,
    /// Its exit status; -1 for one that lasted too long, -2 for one left out.
    pub exit: i32,
    /// The signal that ended it, or 0.
    pub signal: i32,
    /// The command line.
    pub command: &'a [u8],
}

impl JobLogRow<'_> {
    /// The row with its newline. A newline in the command becomes a NUL, so that
    /// a row is a line; a tab stays, for the command is the last column.
    pub fn line(&self) -> Vec<u8> {
        let mut line = Vec::with_capacity(64 + self.command.len());
        let Self { seq, host, sent, received, exit, signal, .. } = self;
        let (start, runtime) = (decimal(self.start), decimal(self.runtime));
        write!(line, "{seq}\t{host}\t{start}\t{runtime:>10}\t{sent}\t{received}\t{exit}\t{signal}\t")
            .expect("memory takes all that is written");
        line.extend(self.command.iter().map(|&byte| if byte == b'\n' { 0 } else { byte }));
        line.push(b'\n');
        line
    }

    /// [`Self::start`] as it is written, in seconds with three decimals.
    pub fn start_text(&self) -> String {
        decimal(self.start)
    }

    /// [`Self::runtime`] as it is written, without the blanks before it.
    pub fn runtime_text(&self) -> String {
        decimal(self.runtime)
    }
}

/// Whole milliseconds, cut and not rounded: a log is no place for a moment that
/// has not come.
fn decimal(time: Duration) -> String {
    format!("{}.{:03}", time.as_secs(), time.subsec_millis())
}

/// What a row says of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
struct JobLogEntry {
    /// Its number, from 1.
    seq: u64,
    /// Whether exit status and signal were 0.
    succeeded: bool,
    /// The command line, newlines as they were.
    command: Vec<u8>,
}

/// Why a log cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// The file cannot be read on.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// A line that is no row.
    #[error("line {number} is not a row of a job log: {}", .text.escape_debug())]
    NoRow {
        /// Its number, from 1.
        number: u64,
        /// Its beginning.
        text: String,
    },
}

/// Hands the rows of `log` to `take`, in order. A line without its newline was
/// cut off when it was written, and is no row; nor is one that was cut off and
/// ended by who wrote behind it.
///
/// # Errors
/// When `log` cannot be read, or is no job log.
fn read(mut log: impl BufRead, mut take: impl FnMut(JobLogEntry)) -> Result<(), Unreadable> {
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        log.read_until(b'\n', &mut line)?;
        if line.pop() != Some(b'\n') {
            break;
        }
        // Appended to, GNU parallel's logs have no header.
        if number == 1 && line.starts_with(b"Seq\t") {
            continue;
        }
        let Some(entry) = entry(&line) else {
            if is_cut_off(&line) {
                continue;
            }
            let text = String::from_utf8_lossy(&line[..line.len().min(80)]).into_owned();
            return Err(Unreadable::NoRow { number, text });
        };
        take(entry);
    }
    Ok(())
}

/// The numbers and commands of the jobs that failed when they were run last, in
/// order of their numbers.
///
/// # Errors
/// As [`read`].
pub fn failed(log: impl BufRead) -> Result<Vec<(u64, Vec<u8>)>, Unreadable> {
    let mut failed = BTreeMap::new();
    read(log, |JobLogEntry { seq, succeeded, command }| {
        if succeeded {
            failed.remove(&seq);
        } else {
            failed.insert(seq, command);
        }
    })?;
    Ok(failed.into_iter().collect())
}

/// Whether `line` is the beginning of a row, up to its command.
fn is_cut_off(line: &[u8]) -> bool {
    let columns: Vec<&[u8]> = line.split(|&byte| byte == b'\t').collect();
    let is_number = |column: &&[u8]| column.trim_ascii().iter().all(|&byte| is_of_number(byte));
    columns.len() < 9 && columns[0].iter().all(u8::is_ascii_digit) && columns.iter().skip(2).all(is_number)
}

fn is_of_number(byte: u8) -> bool {
    byte.is_ascii_digit() || b"-.".contains(&byte)
}

fn entry(line: &[u8]) -> Option<JobLogEntry> {
    let mut columns = line.splitn(9, |&byte| byte == b'\t');
    let seq = std::str::from_utf8(columns.next()?).ok()?.parse().ok()?;
    let _host = columns.next()?;
    let mut numbers = [&line[..0]; 6];
    for number in &mut numbers {
        *number = columns.next()?.trim_ascii();
        if number.is_empty() || !number.iter().all(|&byte| is_of_number(byte)) {
            return None;
        }
    }
    let command = columns.next()?.iter().map(|&byte| if byte == 0 { b'\n' } else { byte }).collect();
    Some(JobLogEntry { seq, succeeded: numbers[4] == b"0" && numbers[5] == b"0", command })
}

/// Which jobs of the log need not be run again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResumeJobs {
    /// Those that are not in the log: `--resume`.
    New,
    /// Those that failed as well: `--resume-failed`.
    NewAndFailed,
}

/// How the jobs of a batch are found in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FoundBy {
    /// By their command lines.
    Command,
    /// By their numbers.
    Number,
}

/// What a log says of the jobs of a batch.
#[derive(Clone, Debug)]
pub struct LoggedJobs {
    wanted: ResumeJobs,
    /// By number, sorted: whether the job succeeded when it was run last.
    numbers: Arc<[(u64, bool)]>,
    /// Sorted by command, then by number: one row for both.
    rows: Arc<[LoggedJob]>,
    /// Which rows have been found in the batch.
    taken: Vec<bool>,
    /// By command: where to look on among its rows for one that succeeded, from
    /// the first, and for any, from the last.
    ends: HashMap<u128, [usize; 2]>,
}

/// A job with a command.
#[derive(Clone, Copy, Debug)]
struct LoggedJob {
    command: u128,
    seq: u64,
    succeeded: bool,
}

impl LoggedJob {
    const fn key(&self) -> (u128, u64) {
        (self.command, self.seq)
    }
}

impl LoggedJobs {
    /// Nothing was done.
    pub fn nothing(wanted: ResumeJobs) -> Self {
        Self::of(Vec::new(), wanted)
    }

    /// What `log` says.
    ///
    /// # Errors
    /// When it cannot be read, or is no job log.
    pub fn read(log: impl BufRead, wanted: ResumeJobs) -> Result<Self, Unreadable> {
        let mut rows = Vec::new();
        read(log, |JobLogEntry { seq, succeeded, command }| {
            rows.push(LoggedJob { command: xxh3_128(&command), seq, succeeded });
        })?;
        Ok(Self::of(rows, wanted))
    }

    /// What rows in the order of the log say: run again, a job has a second one.
    fn of(mut rows: Vec<LoggedJob>, wanted: ResumeJobs) -> Self {
        let mut numbers: Vec<_> = rows.iter().map(|row| (row.seq, row.succeeded)).collect();
        numbers.sort_by_key(|&(seq, _)| seq);
        keep_last(&mut numbers, |&(seq, _)| seq);
        rows.sort_by_key(LoggedJob::key);
        keep_last(&mut rows, LoggedJob::key);
        let taken = vec![false; rows.len()];
        Self { wanted, numbers: numbers.into(), rows: rows.into(), taken, ends: HashMap::new() }
    }

    /// Whether there is nothing in the log.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Whether `command` is in the log.
    pub fn knows(&self, command: &[u8]) -> bool {
        let command = xxh3_128(command);
        self.rows.binary_search_by_key(&command, |row| row.command).is_ok()
    }

    /// Whether job `seq`, from 1, has to be run. To be asked once for each job of
    /// the batch.
    pub fn leaves(&mut self, mode: FoundBy, seq: u64, command: &[u8]) -> bool {
        let succeeded = match mode {
            FoundBy::Number => {
                let at = self.numbers.binary_search_by_key(&seq, |&(number, _)| number);
                at.ok().map(|at| self.numbers[at].1)
            }
            FoundBy::Command => self.find(seq, xxh3_128(command)),
        };
        !succeeded.is_some_and(|succeeded| self.is_done(succeeded))
    }

    /// Which of the jobs up to `last`, from 1, need not be run again by their numbers:
    /// first and last of those in a row.
    pub fn left_out_by_number(&self, last: u64) -> Vec<(u64, u64)> {
        let mut rows: Vec<(u64, u64)> = Vec::new();
        let left_out =
            self.numbers.iter().filter(|&&(seq, succeeded)| seq <= last && self.is_done(succeeded));
        for &(seq, _) in left_out {
            match rows.last_mut() {
                Some((_, end)) if *end + 1 == seq => *end = seq,
                _ => rows.push((seq, seq)),
            }
        }
        rows
    }

    /// Whether a job in the log need not be run again.
    fn is_done(&self, succeeded: bool) -> bool {
        succeeded || self.wanted == ResumeJobs::New
    }

    /// Takes a job with this command out of those not found yet: the one of the
    /// same number, else one that succeeded.
    fn find(&mut self, seq: u64, command: u128) -> Option<bool> {
        let same = self.rows.binary_search_by_key(&(command, seq), LoggedJob::key);
        let at = same.ok().filter(|&at| !self.taken[at]).or_else(|| self.find_another(command))?;
        self.taken[at] = true;
        Some(self.rows[at].succeeded)
    }

    /// The first that succeeded, else the last.
    fn find_another(&mut self, command: u128) -> Option<usize> {
        let (rows, taken) = (&self.rows, &self.taken);
        // One command may have many rows: none is looked at again and again.
        let start = rows.partition_point(|row| row.command < command);
        let [first, end] = self
            .ends
            .entry(command)
            .or_insert_with(|| [start, rows.partition_point(|row| row.command <= command)]);
        let succeeded = (*first..*end).find(|&at| rows[at].succeeded && !taken[at]);
        *first = succeeded.unwrap_or(*end);
        if succeeded.is_some() {
            return succeeded;
        }
        let any = (start..*end).rev().find(|&at| !taken[at]);
        *end = any.map_or(start, |at| at + 1);
        *first = (*first).min(*end);
        any
    }
}

/// Of neighbours with the same key the last one is kept.
fn keep_last<T: Copy, K: PartialEq>(sorted: &mut Vec<T>, key: impl Fn(&T) -> K) {
    sorted.dedup_by(|next, kept| {
        let same = key(next) == key(kept);
        if same {
            *kept = *next;
        }
        same
    });
}
