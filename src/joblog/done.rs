//! Which jobs of a batch are left to be run, by what a log says of an earlier
//! run.
//!
//! A job is known by its command line, so that inputs may be appended, inserted
//! and put in another order: as often as a command stands in the log, so often it
//! is taken as done. Only where no command of the batch is in the log at all
//! (another command, the same inputs) it is known by its number, which is GNU
//! parallel's way. A command is 16 bytes here, however long its line is.

use std::collections::HashMap;
use std::io::BufRead;

use xxhash_rust::xxh3::xxh3_128;

use super::read::{Entry, Unreadable, read};

/// Which jobs of the log need not be run again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Those that are not in the log: `--resume`.
    New,
    /// Those that failed as well: `--resume-failed`.
    NewAndFailed,
}

/// How the jobs of a batch are found in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// By their command lines.
    Command,
    /// By their numbers.
    Number,
}

/// What a log says of the jobs of a batch.
#[derive(Clone, Debug)]
pub struct Done {
    wanted: Wanted,
    /// By number: whether it succeeded when it was run last.
    numbers: HashMap<u64, bool>,
    /// By command: the jobs with it that have not been found in the batch yet,
    /// by number, and whether they succeeded.
    commands: HashMap<u128, Vec<(u64, bool)>>,
}

impl Done {
    /// Nothing was done.
    #[must_use]
    pub fn nothing(wanted: Wanted) -> Self {
        Self { wanted, numbers: HashMap::new(), commands: HashMap::new() }
    }

    /// What `log` says.
    ///
    /// # Errors
    /// When it cannot be read, or is no job log.
    pub fn read(log: impl BufRead, wanted: Wanted) -> Result<Self, Unreadable> {
        let mut done = Self::nothing(wanted);
        read(log, |entry| done.note(&entry))?;
        Ok(done)
    }

    fn note(&mut self, &Entry { seq, succeeded, ref command }: &Entry) {
        self.numbers.insert(seq, succeeded);
        let jobs = self.commands.entry(xxh3_128(command)).or_default();
        // Run again, a job has a second row.
        match jobs.iter_mut().find(|job| job.0 == seq) {
            Some(job) => job.1 = succeeded,
            None => jobs.push((seq, succeeded)),
        }
    }

    /// Whether there is nothing in the log.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.numbers.is_empty()
    }

    /// Whether `command` is in the log.
    #[must_use]
    pub fn knows(&self, command: &[u8]) -> bool {
        self.commands.contains_key(&xxh3_128(command))
    }

    /// Whether job `seq`, from 1, has to be run. To be asked once for each job of
    /// the batch.
    pub fn leaves(&mut self, mode: Mode, seq: u64, command: &[u8]) -> bool {
        let succeeded = match mode {
            Mode::Number => self.numbers.get(&seq).copied(),
            Mode::Command => self.find(seq, command),
        };
        match (succeeded, self.wanted) {
            (None, _) => true,
            (Some(_), Wanted::New) => false,
            (Some(succeeded), Wanted::NewAndFailed) => !succeeded,
        }
    }

    /// Takes a job with this command out of those not found yet: the one of the
    /// same number, else one that succeeded.
    fn find(&mut self, seq: u64, command: &[u8]) -> Option<bool> {
        let jobs = self.commands.get_mut(&xxh3_128(command))?;
        let at = jobs
            .iter()
            .position(|job| job.0 == seq)
            .or_else(|| jobs.iter().position(|job| job.1))
            .or_else(|| jobs.len().checked_sub(1))?;
        Some(jobs.swap_remove(at).1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A log of jobs in the order of their numbers, and whether they succeeded.
    fn log(jobs: &[(&str, bool)], wanted: Wanted) -> Done {
        let mut done = Done::nothing(wanted);
        for (seq, (command, succeeded)) in (1..).zip(jobs) {
            done.note(&Entry { seq, succeeded: *succeeded, command: command.as_bytes().to_vec() });
        }
        done
    }

    /// What is run of `batch`.
    fn left(mut done: Done, mode: Mode, batch: &str) -> String {
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
        let done = log(&[("a", true), ("b", false), ("c", true)], Wanted::New);
        assert_eq!(left(done.clone(), Mode::Command, "x c y a b z"), "x y z");
        assert_eq!(left(done, Mode::Command, "a b c"), "");
        let done = log(&[("a", true), ("b", false), ("c", true)], Wanted::NewAndFailed);
        assert_eq!(left(done, Mode::Command, "x c y a b z"), "x y b z");
    }

    #[test]
    fn a_command_is_done_as_often_as_it_is_in_the_log() {
        let done = log(&[("a", true), ("a", true)], Wanted::New);
        assert_eq!(left(done, Mode::Command, "a b a a a"), "b a a");
        let done = log(&[("a", true), ("a", false)], Wanted::NewAndFailed);
        assert_eq!(left(done, Mode::Command, "b a a a"), "b a a");
    }

    #[test]
    fn a_job_with_two_rows_is_one_job_and_its_last_row_counts() {
        let mut done = log(&[("a", false), ("b", true)], Wanted::NewAndFailed);
        done.note(&Entry { seq: 1, succeeded: true, command: b"a".to_vec() });
        assert_eq!(left(done.clone(), Mode::Command, "a b a"), "a");
        assert_eq!(left(done, Mode::Number, "x y z"), "z");
    }
}
