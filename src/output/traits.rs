//! Where the bytes of a task go: the traits between a task that writes, the
//! sink that puts tasks in order, and the place that takes the bytes in the end.
//!
//! Knows nothing of files, terminals or memory.

use std::io;
use std::ops::Deref;
use std::sync::Arc;

use crate::task::{Outcome, Record, Task};
use crate::text::reason;

/// The two streams a task can write to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Channel {
    /// What the task produces.
    Out,
    /// What it has to say about it.
    Err,
}

/// Takes the output of every task of a run.
pub trait Sink: Sync {
    /// The writer of one task. It must be closed, whatever became of the task.
    fn open<'a>(&'a self, task: TaskRef<'a>) -> Box<dyn TaskOutput + 'a>;
}

/// A task as whoever takes its output has it, for as long as that is open.
#[derive(Clone, Debug)]
pub enum TaskRef<'a> {
    /// On loan from the thread that does it.
    Lent(&'a Task),
    /// One of many that are under way at a time, done elsewhere.
    Shared(Arc<Task>),
}

impl Deref for TaskRef<'_> {
    type Target = Task;

    fn deref(&self) -> &Task {
        match self {
            Self::Lent(task) => task,
            Self::Shared(task) => task,
        }
    }
}

impl<'a> From<&'a Task> for TaskRef<'a> {
    fn from(task: &'a Task) -> Self {
        Self::Lent(task)
    }
}

/// Called, from any thread, when there may be a place for more bytes.
pub type Wake = Arc<dyn Fn() + Send + Sync>;

/// Takes the output of one task as it comes.
pub trait TaskOutput {
    /// Takes all of `bytes`.
    fn write(&mut self, channel: Channel, bytes: &[u8]) -> io::Result<()>;

    /// Why more bytes would find no place now, though all that were written have
    /// one: whoever writes is to wait until `wake` was called, and to ask again.
    fn holds_up(&mut self, wake: &Wake) -> Option<String> {
        let _ = wake;
        None
    }

    /// The task is over, as `record` says. `acknowledge` gets the record once all
    /// that the task wrote has been handed on, or could not be: now, or when the
    /// outputs that come before it are closed.
    fn close(self: Box<Self>, record: Record, acknowledge: &dyn Acknowledge);
}

/// Takes the record of each task whose output has been handed on to where it
/// belongs: only then is the task done for whoever counts it or goes on from there.
pub trait Acknowledge {
    /// `record` says how the task ended, and counts as failed what [could not be
    /// handed on](handed_on). It may be another task's than the one that is closed.
    fn acknowledge(&self, record: Record);
}

/// `record` of a task of whose output `result` came. Output that could not be handed
/// on makes a failure of a success; it says nothing new about a task that failed
/// anyway.
pub fn handed_on(record: Record, result: io::Result<()>) -> Record {
    match result {
        Err(error) if record.outcome.is_success() => Record {
            outcome: Outcome::Failed(format!("cannot write its output: {}", reason(&error)).into()),
            ..record
        },
        Err(_) | Ok(()) => record,
    }
}

/// The place that a sink hands bytes on to, task after task in input order.
pub trait Destination: Send {
    /// Takes all of `bytes`, which belong to `task`.
    fn write(&mut self, task: &Task, channel: Channel, bytes: &[u8]) -> io::Result<()>;

    /// All bytes of `task` have been handed over.
    fn close(&mut self, task: &Task, outcome: &Outcome) -> io::Result<()>;
}

impl<S: Sink + Send + ?Sized> Sink for Arc<S> {
    fn open<'a>(&'a self, task: TaskRef<'a>) -> Box<dyn TaskOutput + 'a> {
        (**self).open(task)
    }
}

impl<D: Destination + ?Sized> Destination for Box<D> {
    fn write(&mut self, task: &Task, channel: Channel, bytes: &[u8]) -> io::Result<()> {
        (**self).write(task, channel, bytes)
    }

    fn close(&mut self, task: &Task, outcome: &Outcome) -> io::Result<()> {
        (**self).close(task, outcome)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use crate::sync::Mutex;

    use super::*;

    /// Keeps what is acknowledged, in order.
    #[derive(Default)]
    pub(crate) struct Acknowledged(pub(crate) Mutex<Vec<Record>>);

    impl Acknowledge for Acknowledged {
        fn acknowledge(&self, record: Record) {
            self.0.lock().push(record);
        }
    }

    #[test]
    fn output_that_could_not_be_handed_on_makes_a_failure_of_a_success_only() {
        let ended = |outcome, result| handed_on(Record::without_measures(0, outcome), result).outcome;
        let full = || Err(io::Error::other("disk full"));
        assert_eq!(ended(Outcome::Success, Ok(())), Outcome::Success);
        assert_eq!(
            ended(Outcome::Success, full()),
            Outcome::Failed("cannot write its output: disk full".into())
        );
        assert_eq!(ended(Outcome::Exited(3), full()), Outcome::Exited(3));
        assert_eq!(ended(Outcome::Interrupted, full()), Outcome::Interrupted);
    }
}
