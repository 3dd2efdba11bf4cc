//! Which jobs of a batch are run, where an earlier run left some.
//!
//! Whether jobs are told by their command lines or by their numbers shows at the
//! first one whose command is in the log: usually the first of all. Until then
//! jobs wait in a file without a name, so that memory stays flat; where no
//! command of the batch is in the log, that is until the inputs have ended. Jobs
//! keep their numbers in the whole batch.

use std::sync::Arc;

use super::saved_inputs::InputSaver;
use super::{JobInputs, task};
use crate::inputs::InputCount;
use crate::joblog::{FoundBy, LoggedJobs};
use crate::task::{Task, TaskInput};

/// What an earlier run did.
pub enum EarlierRun {
    /// Nothing is known of one.
    Nothing,
    /// What its log, or its results, tell.
    Log(Resume),
    /// The jobs that failed, by number from 1, and nothing else: they are done
    /// again, and no inputs are read.
    Failed(Vec<(u64, Vec<u8>)>),
}

/// How a batch goes on where an earlier run stopped.
pub struct Resume {
    /// What the job log says.
    pub log: LoggedJobs,
    /// How jobs are found in the log, where that need not be found out.
    pub mode: Option<FoundBy>,
    /// Whether a job's results are there already.
    pub has_results: Arc<dyn Fn(&Task) -> bool + Send + Sync>,
    /// Is told which jobs are left out by their numbers, first and last of those in a
    /// row: because no command of the batch is in the log, or `mode` says so.
    pub goes_by_number: SkipListener,
    /// Is told how many jobs there are when none of them is left to be done.
    pub nothing_left: Box<dyn Fn(u64) + Send + Sync>,
}

/// Hears of first and last jobs of rows.
pub type SkipListener = Box<dyn Fn(&[(u64, u64)]) + Send + Sync>;

/// The tasks that are left.
pub(super) struct Remaining<'a, L> {
    /// Those that waited, then those to come.
    jobs: JobInputs<'a>,
    seq: u64,
    done: LoggedJobs,
    mode: Option<FoundBy>,
    resume: &'a Resume,
    count: &'a InputCount,
    /// The command line of a job by number, from 1.
    line: L,
    /// Whether there was a job to be done.
    has_some: bool,
}

impl<'a, L: Fn(u64, &TaskInput) -> Vec<u8>> Remaining<'a, L> {
    pub(super) fn new(jobs: JobInputs<'a>, resume: &'a Resume, count: &'a InputCount, line: L) -> Self {
        let done = resume.log.clone();
        let mode = if done.is_empty() { Some(FoundBy::Number) } else { resume.mode };
        if resume.mode == Some(FoundBy::Number) && !done.is_empty() {
            (resume.goes_by_number)(&done.left_out_by_number(u64::MAX));
        }
        Self { jobs, seq: 0, done, mode, resume, count, line, has_some: false }
    }

    /// Reads on until a job's command is in the log, and puts back what was read.
    fn find_mode(&mut self) -> anyhow::Result<FoundBy> {
        let Some(first) = self.jobs.next().transpose()? else { return Ok(FoundBy::Number) };
        if self.done.knows(&(self.line)(1, &first)) {
            self.put_back(std::iter::once(Ok(first)));
            return Ok(FoundBy::Command);
        }
        let mut saver = InputSaver::new()?;
        saver.put(&first)?;
        let mut mode = FoundBy::Number;
        let mut last = 1;
        for seq in 2.. {
            let Some(job) = self.jobs.next().transpose()? else { break };
            last = seq;
            saver.put(&job)?;
            if self.done.knows(&(self.line)(seq, &job)) {
                mode = FoundBy::Command;
                break;
            }
        }
        let waited = saver.finish()?.into_inputs();
        self.put_back(waited);
        if mode == FoundBy::Number {
            (self.resume.goes_by_number)(&self.done.left_out_by_number(last));
        }
        Ok(mode)
    }

    fn put_back(&mut self, jobs: impl Iterator<Item = anyhow::Result<TaskInput>> + Send + 'a) {
        let to_come = std::mem::replace(&mut self.jobs, Box::new(std::iter::empty()));
        self.jobs = Box::new(jobs.chain(to_come));
    }
}

impl<L: Fn(u64, &TaskInput) -> Vec<u8>> Iterator for Remaining<'_, L> {
    type Item = anyhow::Result<Task>;

    fn next(&mut self) -> Option<Self::Item> {
        let mode = match self.mode {
            Some(mode) => mode,
            None => match self.find_mode() {
                Ok(mode) => *self.mode.insert(mode),
                Err(error) => return Some(Err(error)),
            },
        };
        loop {
            let job = match self.jobs.next() {
                Some(Ok(job)) => job,
                Some(Err(error)) => return Some(Err(error)),
                None => {
                    if !self.has_some && self.seq > 0 {
                        (self.resume.nothing_left)(self.seq);
                    }
                    return None;
                }
            };
            self.seq += 1;
            let line = (self.line)(self.seq, &job);
            let is_left = self.done.leaves(mode, self.seq, &line);
            let task = task(self.seq, job);
            if is_left && !(self.resume.has_results)(&task) {
                self.has_some = true;
                return Some(Ok(task));
            }
            self.count.leave_out();
        }
    }
}
