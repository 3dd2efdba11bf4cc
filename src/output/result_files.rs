//! Output of each job in files of its own, whole or absent.
//!
//! The file with the job's number comes last: where it is, the others are, and hold
//! the result of a job that came to its end.

use std::collections::HashMap;
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::Arc;

use super::result_place::{ResultPaths, ResultPlace};
use super::traits::{Acknowledge, Channel, Sink, TaskOutput, TaskRef, handed_on};
use crate::sync::Mutex;
use crate::task::{Outcome, Record, Task};
use crate::whole_file::WholeFile;

/// Writes files, and their names if asked to.
pub struct ResultFiles {
    place: ResultPlace,
    tails: Arc<FailureTails>,
    names: Option<Box<dyn Sink + Send>>,
}

impl ResultFiles {
    /// Files at `place`. The tails of what failed jobs had to say go to `tails`,
    /// the names of the files of standard output to `names`.
    pub fn new(place: ResultPlace, tails: Arc<FailureTails>, names: Option<Box<dyn Sink + Send>>) -> Self {
        Self { place, tails, names }
    }

    /// Whether the results of `task` are there, all of them.
    pub fn has(&self, task: &Task) -> bool {
        let paths = self.place.paths(task);
        paths.seq.is_some_and(|seq| seq.is_file()) && paths.stdout.is_file()
    }
}

impl Sink for ResultFiles {
    fn open<'a>(&'a self, task: TaskRef<'a>) -> Box<dyn TaskOutput + 'a> {
        let paths = self.place.paths(&task);
        let files = OpenFiles::create(&paths);
        let name = self.names.as_ref().map(|names| names.open(task.clone()));
        let tail = Tail::default();
        Box::new(ResultFilesOutput {
            results: self,
            task,
            paths,
            files: Some(files),
            is_whole: true,
            tail,
            name,
        })
    }
}

struct ResultFilesOutput<'a> {
    results: &'a ResultFiles,
    task: TaskRef<'a>,
    paths: ResultPaths,
    /// None when the error was told.
    files: Option<io::Result<OpenFiles>>,
    /// Whether all that was written found room.
    is_whole: bool,
    tail: Tail,
    name: Option<Box<dyn TaskOutput + 'a>>,
}

/// The files while they are written.
struct OpenFiles {
    stdout: WholeFile,
    stderr: Option<WholeFile>,
}

impl OpenFiles {
    fn create(paths: &ResultPaths) -> io::Result<Self> {
        let stderr = paths.stderr.as_deref().map(create).transpose()?;
        let stdout = if paths.is_private {
            WholeFile::create_private(&paths.stdout).map_err(|error| named(&error, &paths.stdout))?
        } else {
            create(&paths.stdout)?
        };
        Ok(Self { stdout, stderr })
    }
}

impl TaskOutput for ResultFilesOutput<'_> {
    fn write(&mut self, channel: Channel, bytes: &[u8]) -> io::Result<()> {
        if channel == Channel::Err {
            self.tail.add(bytes);
        }
        let written = match (&mut self.files, channel) {
            (Some(Ok(files)), Channel::Out) => files.stdout.write_all(bytes),
            (Some(Ok(OpenFiles { stderr: Some(stderr), .. })), Channel::Err) => stderr.write_all(bytes),
            (Some(Ok(_)) | None, _) => Ok(()),
            (Some(Err(_)), _) => match self.files.take() {
                Some(Err(error)) => Err(error),
                _ => Ok(()),
            },
        };
        self.is_whole &= written.is_ok();
        written
    }

    fn close(mut self: Box<Self>, record: Record, acknowledge: &dyn Acknowledge) {
        let was_cut_off = record.outcome == Outcome::Interrupted;
        let put = match self.files.take() {
            // Dropped, the files vanish.
            _ if was_cut_off => Ok(()),
            Some(Ok(files)) => {
                put(files, &self.paths, &self.task, self.is_whole && is_result(&record.outcome))
            }
            Some(Err(error)) => Err(error),
            None => Ok(()),
        };
        if record.outcome.is_failure() {
            self.results.tails.keep(self.task.seq, self.tail);
        }
        let is_in_place = !was_cut_off && put.is_ok();
        let record = handed_on(record, put);
        let Some(mut output) = self.name else { return acknowledge.acknowledge(record) };
        let mut line = self.paths.stdout.into_os_string().into_encoded_bytes();
        line.push(b'\n');
        let told = if is_in_place { output.write(Channel::Out, &line) } else { Ok(()) };
        output.close(handed_on(record, told), acknowledge);
    }
}

/// Whether what a job left counts as its result: not if it was killed in the middle,
/// by a time limit or by a signal, nor if it could not be started or attended to.
fn is_result(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Success | Outcome::Exited(_) => true,
        Outcome::TimedOut
        | Outcome::Signaled(_)
        | Outcome::Interrupted
        | Outcome::Failed(_)
        | Outcome::NotStarted { .. }
        | Outcome::Panicked(_)
        | Outcome::Skipped(_) => false,
    }
}

/// Gives the files their names, the number last, and only to a result.
fn put(files: OpenFiles, paths: &ResultPaths, task: &Task, is_result: bool) -> io::Result<()> {
    let OpenFiles { stdout, stderr } = files;
    if let Some(seq) = &paths.seq {
        // Until all is in place again, what was there is not whole.
        match fs::remove_file(seq) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(named(&error, seq)),
            _ => {}
        }
    }
    stdout.commit().map_err(|error| named(&error, &paths.stdout))?;
    if let (Some(stderr), Some(path)) = (stderr, &paths.stderr) {
        stderr.commit().map_err(|error| named(&error, path))?;
    }
    if let Some(path) = paths.seq.as_ref().filter(|_| is_result) {
        let mut seq = create(path)?;
        write!(seq, "{}", task.seq + 1).and_then(|()| seq.commit()).map_err(|error| named(&error, path))?;
    }
    Ok(())
}

/// The file with the folders that lead to it.
fn create(path: &Path) -> io::Result<WholeFile> {
    WholeFile::create_with_folders(path).map_err(|error| named(&error, path))
}

fn named(error: &io::Error, path: &Path) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// So much is kept of a job.
const LONGEST: usize = 4096;

/// Of so many jobs something is kept.
const MOST: usize = 20;

/// The last of what failed jobs had to say where it was not shown, for the list
/// of failed jobs at the end: tails by job.
#[derive(Debug, Default)]
pub struct FailureTails {
    tails: Mutex<HashMap<u64, Vec<u8>>>,
}

impl FailureTails {
    /// The tail of job `seq`, from 0.
    pub fn of(&self, seq: u64) -> Option<Vec<u8>> {
        self.tails.lock().get(&seq).cloned()
    }

    pub(super) fn keep(&self, seq: u64, tail: Tail) {
        let mut tails = self.tails.lock();
        if tails.len() < MOST && !tail.bytes.is_empty() {
            tails.insert(seq, tail.cut());
        }
    }
}

/// The tail of one job, as it comes.
#[derive(Debug, Default)]
pub(super) struct Tail {
    bytes: Vec<u8>,
}

impl Tail {
    pub(super) fn add(&mut self, bytes: &[u8]) {
        let bytes = &bytes[bytes.len().saturating_sub(LONGEST)..];
        self.bytes.extend_from_slice(bytes);
        if self.bytes.len() > 4 * LONGEST {
            self.bytes.drain(..self.bytes.len() - LONGEST);
        }
    }

    fn cut(mut self) -> Vec<u8> {
        self.bytes.drain(..self.bytes.len().saturating_sub(LONGEST));
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_4_kib_of_at_most_20_jobs_are_kept() {
        let tails = FailureTails::default();
        for seq in 0..30 {
            let mut tail = Tail::default();
            for at in 0..10_000_u32 {
                tail.add(format!("{at}\n").as_bytes());
            }
            tails.keep(seq, tail);
        }
        let tail = tails.of(19).unwrap();
        assert!(tail.len() == 4096 && tail.ends_with(b"9998\n9999\n"));
        assert_eq!(tails.of(20), None);
    }
}
