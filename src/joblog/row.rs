//! Rows of a log: a finished job as it is written, and what a later run reads of it.

use std::collections::BTreeMap;
use std::io::{self, BufRead, Write as _};
use std::time::Duration;

/// The first line of a log.
pub const HEADER: &[u8] = b"Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand\n";

/// What a row tells of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JobLogRow<'a> {
    /// Its number, from 1.
    pub seq: u64,
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
    #[must_use]
    pub fn line(&self) -> Vec<u8> {
        let mut line = Vec::with_capacity(64 + self.command.len());
        let Self { seq, sent, received, exit, signal, .. } = self;
        let (start, runtime) = (decimal(self.start), decimal(self.runtime));
        write!(line, "{seq}\t:\t{start}\t{runtime:>10}\t{sent}\t{received}\t{exit}\t{signal}\t")
            .expect("memory takes all that is written");
        line.extend(self.command.iter().map(|&byte| if byte == b'\n' { 0 } else { byte }));
        line.push(b'\n');
        line
    }

    /// [`Self::start`] as it is written, in seconds with three decimals.
    #[must_use]
    pub fn start_text(&self) -> String {
        decimal(self.start)
    }

    /// [`Self::runtime`] as it is written, without the blanks before it.
    #[must_use]
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
pub struct JobLogEntry {
    /// Its number, from 1.
    pub seq: u64,
    /// Whether exit status and signal were 0.
    pub succeeded: bool,
    /// The command line, newlines as they were.
    pub command: Vec<u8>,
}

/// Why a log cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// The file cannot be read on.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// A line that is no row.
    #[error("line {number} is no row of a job log: {}", .text.escape_debug())]
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
pub fn read(mut log: impl BufRead, mut take: impl FnMut(JobLogEntry)) -> Result<(), Unreadable> {
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
    let numbers = columns.iter().skip(2);
    columns.len() < 9
        && columns[0].iter().all(u8::is_ascii_digit)
        && numbers.copied().all(|it| is_number(&it))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_gnu_parallels_byte_for_byte() {
        let row = JobLogRow {
            seq: 12,
            start: Duration::new(1_795_352_267, 492_999_999),
            runtime: Duration::from_micros(9_500),
            sent: 0,
            received: 7,
            exit: 3,
            signal: 0,
            command: b"printf \"a\nb\"\t#",
        };
        let expected = b"12\t:\t1795352267.492\t     0.009\t0\t7\t3\t0\tprintf \"a\0b\"\t#\n";
        assert_eq!(row.line(), expected);
    }
    use std::time::Duration;

    use proptest::prelude::*;

    fn entries(log: &[u8]) -> Result<Vec<JobLogEntry>, Unreadable> {
        let mut entries = Vec::new();
        read(log, |entry| entries.push(entry))?;
        Ok(entries)
    }

    fn row(seq: u64, exit: i32, command: &[u8]) -> Vec<u8> {
        let (start, runtime) = (Duration::from_secs(1), Duration::ZERO);
        JobLogRow { seq, start, runtime, sent: 0, received: 0, exit, signal: 0, command }.line()
    }

    proptest! {
        #[test]
        fn what_was_written_is_read_but_for_nul_and_a_row_cut_off(
            commands in prop::collection::vec(prop::collection::vec(1..=255_u8, 0..20), 0..6),
            torn in 0..100_usize,
        ) {
            let mut log = HEADER.to_vec();
            let mut expected = Vec::new();
            for (seq, command) in (1..).zip(commands) {
                let exit = i32::from(seq % 2 == 0);
                log.extend(row(seq, exit, &command));
                expected.push(JobLogEntry { seq, succeeded: exit == 0, command });
            }
            let last = row(99, 0, b"this one is cut off");
            log.extend(&last[..torn.min(last.len() - 1)]);
            prop_assert_eq!(entries(&log).unwrap(), expected);
        }
    }

    #[test]
    fn a_log_without_its_header_and_of_other_hosts_is_read() {
        let log = b"3\tserver.example\t1.5\t     0.010\t1\t2\t-1\t15\tsleep\t9\n";
        assert_eq!(
            entries(log).unwrap(),
            [JobLogEntry { seq: 3, succeeded: false, command: b"sleep\t9".to_vec() }]
        );
    }

    #[test]
    fn a_row_that_was_cut_off_and_ended_by_the_next_writer_is_none() {
        let whole = row(7, 0, b"echo");
        for cut in 0..whole.len() - b"echo\n".len() {
            let log = [HEADER, &row(1, 0, b"a"), &whole[..cut], b"\n", &row(2, 0, b"b")].concat();
            let seqs: Vec<u64> = entries(&log).unwrap().iter().map(|entry| entry.seq).collect();
            assert_eq!(seqs, [1, 2], "cut at {cut}");
        }
    }

    #[test]
    fn what_is_no_row_is_told_with_its_number() {
        let log = [HEADER, b"1\t:\tten\t0\t0\t0\t0\t0\techo\n"].concat();
        assert!(entries(&log).unwrap_err().to_string().starts_with("line 2 is no row of a job log: 1\\t:"));
        assert!(entries(b"a,b,c\n").is_err());
    }

    #[test]
    fn a_job_that_failed_and_succeeded_later_has_not_failed() {
        let log =
            [row(2, 1, b"b"), row(1, 7, b"a\nA"), row(2, 0, b"b"), row(3, 0, b"c"), row(3, 1, b"c")].concat();
        assert_eq!(failed(&log[..]).unwrap(), [(1, b"a\nA".to_vec()), (3, b"c".to_vec())]);
    }
}
