//! Which jobs of a batch are left to be run, by what a log says of an earlier
//! run.
//!
//! A job is known by its command line, so that inputs may be appended, inserted
//! and put in another order: as often as a command stands in the log, so often it
//! is taken as done. Only where no command of the batch is in the log at all
//! (another command, the same inputs) it is known by its number, which is GNU
//! parallel's way. A row of the log takes 50 bytes here, however long its line is.

use std::collections::HashMap;
use std::io::BufRead;
use std::sync::Arc;

use xxhash_rust::xxh3::xxh3_128;

use super::row::{JobLogEntry, Unreadable, read};

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
    #[must_use]
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
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Whether `command` is in the log.
    #[must_use]
    pub fn knows(&self, command: &[u8]) -> bool {
        let command = xxh3_128(command);
        self.rows.binary_search_by_key(&command, |row| row.command).is_ok()
    }

    /// Whether job `seq`, from 1, has to be run. To be asked once for each job of
    /// the batch.
    pub fn leaves(&mut self, mode: FoundBy, seq: u64, command: &[u8]) -> bool {
        let succeeded = match mode {
            FoundBy::Number => self.by_number(seq),
            FoundBy::Command => self.find(seq, xxh3_128(command)),
        };
        match (succeeded, self.wanted) {
            (None, _) => true,
            (Some(_), ResumeJobs::New) => false,
            (Some(succeeded), ResumeJobs::NewAndFailed) => !succeeded,
        }
    }

    /// Which of the jobs up to `last`, from 1, need not be run again by their numbers:
    /// first and last of those in a row.
    #[must_use]
    pub fn left_out_by_number(&self, last: u64) -> Vec<(u64, u64)> {
        let mut rows: Vec<(u64, u64)> = Vec::new();
        let done = |succeeded: bool| succeeded || self.wanted == ResumeJobs::New;
        let left_out = self.numbers.iter().filter(|&&(seq, succeeded)| seq <= last && done(succeeded));
        for &(seq, _) in left_out {
            match rows.last_mut() {
                Some((_, end)) if *end + 1 == seq => *end = seq,
                _ => rows.push((seq, seq)),
            }
        }
        rows
    }

    fn by_number(&self, seq: u64) -> Option<bool> {
        let at = self.numbers.binary_search_by_key(&seq, |&(number, _)| number).ok()?;
        Some(self.numbers[at].1)
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn of_each_command_so_many_are_left_as_there_are_more_than_in_the_log(
            jobs in prop::collection::vec((0..3_usize, any::<bool>()), 0..20),
            batch in prop::collection::vec((0..3_usize, 1..40_u64), 0..30),
            wanted in prop_oneof![Just(ResumeJobs::New), Just(ResumeJobs::NewAndFailed)],
        ) {
            const COMMANDS: [&str; 3] = ["a", "b", "c"];
            let jobs: Vec<_> = jobs.iter().map(|&(command, succeeded)| (COMMANDS[command], succeeded)).collect();
            let mut done = log(&jobs, wanted);
            // Numbers that are not in the log, so that those that succeeded come first.
            let mut left = [0; 3];
            for &(command, seq) in &batch {
                left[command] += usize::from(done.leaves(FoundBy::Command, 100 + seq, COMMANDS[command].as_bytes()));
            }
            for (index, command) in COMMANDS.iter().enumerate() {
                let counts = |job: &&(&str, bool)| job.0 == *command && (wanted == ResumeJobs::New || job.1);
                let in_log = jobs.iter().filter(counts).count();
                let in_batch = batch.iter().filter(|job| job.0 == index).count();
                prop_assert_eq!(left[index], in_batch.saturating_sub(in_log));
            }
        }
    }

    #[test]
    fn a_row_that_another_job_was_found_by_is_no_second_job() {
        let row_of_the_second = vec![row(2, "a", true)];
        assert_eq!(left(LoggedJobs::of(row_of_the_second, ResumeJobs::New), FoundBy::Command, "a a"), "a");
    }

    /// A log of jobs in the order of their numbers, and whether they succeeded.
    fn log(jobs: &[(&str, bool)], wanted: ResumeJobs) -> LoggedJobs {
        LoggedJobs::of(
            (1..).zip(jobs).map(|(seq, &(command, succeeded))| row(seq, command, succeeded)).collect(),
            wanted,
        )
    }

    fn row(seq: u64, command: &str, succeeded: bool) -> LoggedJob {
        LoggedJob { command: xxh3_128(command.as_bytes()), seq, succeeded }
    }

    /// What is run of `batch`.
    fn left(mut done: LoggedJobs, mode: FoundBy, batch: &str) -> String {
        let mut left = Vec::new();
        for (seq, command) in (1..).zip(batch.split(' ')) {
            if done.leaves(mode, seq, command.as_bytes()) {
                left.push(command);
            }
        }
        left.join(" ")
    }

    #[test]
    fn inserted_appended_and_reordered_jobs_are_told_from_those_done() {
        let done = log(&[("a", true), ("b", false), ("c", true)], ResumeJobs::New);
        assert_eq!(left(done.clone(), FoundBy::Command, "x c y a b z"), "x y z");
        assert_eq!(left(done, FoundBy::Command, "a b c"), "");
        let done = log(&[("a", true), ("b", false), ("c", true)], ResumeJobs::NewAndFailed);
        assert_eq!(left(done, FoundBy::Command, "x c y a b z"), "x y b z");
    }

    #[test]
    fn a_command_is_done_as_often_as_it_is_in_the_log() {
        let done = log(&[("a", true), ("a", true)], ResumeJobs::New);
        assert_eq!(left(done, FoundBy::Command, "a b a a a"), "b a a");
        let done = log(&[("a", true), ("a", false)], ResumeJobs::NewAndFailed);
        assert_eq!(left(done, FoundBy::Command, "b a a a"), "b a a");
    }

    #[test]
    fn of_jobs_with_one_command_those_that_succeeded_are_found_first() {
        let jobs = [("a", false), ("a", true), ("a", false), ("a", true)];
        let mut done = log(&jobs, ResumeJobs::NewAndFailed);
        // Other numbers than in the log: two are done, two failed, more are new.
        let left: Vec<bool> = (11..17).map(|seq| done.leaves(FoundBy::Command, seq, b"a")).collect();
        assert_eq!(left, [false, false, true, true, true, true]);
        let mut done = log(&jobs, ResumeJobs::New);
        // Job 2 is the one of its number, and is not found once more for another.
        let left: Vec<bool> =
            [2, 11, 12, 13, 14].map(|seq| done.leaves(FoundBy::Command, seq, b"a")).to_vec();
        assert_eq!(left, [false, false, false, false, true]);
    }

    #[test]
    fn a_job_with_two_rows_is_one_job_and_its_last_row_counts() {
        let rows = vec![row(1, "a", false), row(2, "b", true), row(1, "a", true)];
        let done = LoggedJobs::of(rows, ResumeJobs::NewAndFailed);
        assert_eq!(left(done.clone(), FoundBy::Command, "a b a"), "a");
        assert_eq!(left(done, FoundBy::Number, "x y z"), "z");
    }
}
