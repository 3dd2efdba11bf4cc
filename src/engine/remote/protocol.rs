//! What an engine and a worker in another process say to each other.
//!
//! [Frames](super::frame) both ways, over anything that keeps their order: a pair of
//! pipes, a socket, the standard streams of a remote shell. A task is told by its number,
//! from 0: 8 bytes, as all numbers.
//!
//! | kind | to the worker | payload |
//! |---|---|---|
//! | `H` | who is spoken to, and what it is to be ([`Hello`]) | JSON |
//! | `L` | the slots that it has in the batch ([`SlotRange`]) | two numbers of 4 bytes |
//! | `S` | what tasks share, as the workload made bytes of it | raw |
//! | `P` | make by yourself what tasks share | none |
//! | `T` | do this task as soon as a slot is free ([`TaskRequest`](super::request::TaskRequest)) | binary |
//! | `U` | hand back tasks that have not begun, the last ones first | how many |
//! | `K` | end this task, or all that have begun | its number, or none |
//! | `C` | the answer to a question of a task | its number, JSON |
//! | `?` | tell the time | the asker's |
//! | `X` | give up all tasks and end | none |
//!
//! | kind | from the worker | payload |
//! |---|---|---|
//! | `R` | ready for what comes next | [`WorkerHost`] as JSON behind `H`; none later |
//! | `G` | a task begins ([`TaskBegun`]) | binary |
//! | `O`, `E` | what a task wrote to its output, to its errors | its number, raw |
//! | `A` | a task produced so many more bytes | its number, how many |
//! | `N` | what a task is called turned out | its number, text |
//! | `I` | something happened to a task ([`Incident`]) | its number, JSON |
//! | `C` | what a task asks whoever began the run | its number, JSON |
//! | `D` | a task is over ([`TaskReport`](super::request::TaskReport)) | binary and JSON |
//! | `V` | these tasks have not begun and will not | their numbers |
//! | `!` | the time ([`ClockReading`]) | binary |
//! | `W` | it is still there; every five seconds | none |
//! | `F` | it cannot go on, and why | text |
//! | `B` | nothing more will be done ([`Bye`]) | JSON |
//!
//! `H` is answered by `R`; then `L`, and `S` or `P`, answered by `R`. From then on more `T` may
//! come than there are slots: the others wait there. Each is answered by one `V`, or by
//! `G`, any number of `O`, `E`, `A`, `N`, `I`, `C`, and one `D`; those of different tasks
//! come as it happens. Each `C` is answered by one before the task asks again. Each `U` is answered by one `V`, which may name none. Whoever hears the
//! other's stream end ends as well, a worker after `B`. One that is to be [`NOTHING`] answers
//! `H` and `?` alone. A task that was sent and is not
//! answered has begun if there was a `G`, and not otherwise.
//!
//! [`PROTOCOL`] names the version; whatever changes here changes it. Frames and the
//! `protocol` of an `H` stay what they are in all versions, so that a worker of
//! another one can say so. Knows nothing of what carries the bytes.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::frame::PayloadCursor;
use crate::event::Event;
use crate::task::{Column, NodeName, Task};

/// The version of the protocol.
pub const PROTOCOL: &str = "parsim-worker/5";

/// The workload of a worker that is only asked where it is and what its clock shows.
pub(super) const NOTHING: &str = "";

/// How often a worker says that it is still there.
pub(super) const BEAT: Duration = Duration::from_secs(5);

/// What the bytes of a frame mean; the table above.
pub(super) mod kind {
    pub(in super::super) const HELLO: u8 = b'H';
    pub(in super::super) const SLOTS: u8 = b'L';
    pub(in super::super) const SHARED: u8 = b'S';
    pub(in super::super) const PREPARE: u8 = b'P';
    pub(in super::super) const TASK: u8 = b'T';
    pub(in super::super) const HAND_BACK: u8 = b'U';
    pub(in super::super) const END_TASK: u8 = b'K';
    /// Both ways: a question, and its answer.
    pub(in super::super) const CONSULT: u8 = b'C';
    pub(in super::super) const TIME: u8 = b'?';
    pub(in super::super) const STOP: u8 = b'X';
    pub(in super::super) const READY: u8 = b'R';
    pub(in super::super) const BEGUN: u8 = b'G';
    pub(in super::super) const OUT: u8 = b'O';
    pub(in super::super) const ERR: u8 = b'E';
    pub(in super::super) const ADVANCED: u8 = b'A';
    pub(in super::super) const NAMED: u8 = b'N';
    pub(in super::super) const INCIDENT: u8 = b'I';
    pub(in super::super) const DONE: u8 = b'D';
    pub(in super::super) const NOT_BEGUN: u8 = b'V';
    pub(in super::super) const TIME_IS: u8 = b'!';
    pub(in super::super) const BEAT: u8 = b'W';
    pub(in super::super) const FAILED: u8 = b'F';
    pub(in super::super) const BYE: u8 = b'B';
}

/// The first message: what the worker is to be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Hello {
    /// [`PROTOCOL`].
    pub(super) protocol: String,
    /// The version of the program that asks.
    pub(super) version: String,
    /// The workload's name.
    pub(super) workload: String,
    /// What it is built from.
    pub(super) blueprint: serde_json::Value,
    /// How the batch is run.
    pub(super) column: Column,
    /// Whether what tasks write is digested, for a comparison of ways.
    pub(super) digested: bool,
    /// Which machine it is on, as the user names it; `None`: this one.
    pub(super) node: Option<NodeName>,
}

/// Slots of a batch that belong to one worker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct SlotRange {
    /// The first one, from 0.
    pub(super) first: u32,
    /// How many; 0 as long as it is not known how many there are to be.
    pub(super) count: u32,
}

impl SlotRange {
    pub(super) fn encoded(self) -> [u8; 8] {
        let mut bytes = [0; 8];
        bytes[..4].copy_from_slice(&self.first.to_le_bytes());
        bytes[4..].copy_from_slice(&self.count.to_le_bytes());
        bytes
    }

    pub(super) fn decoded(payload: &[u8]) -> Option<Self> {
        let mut cursor = PayloadCursor(payload);
        let range = Self { first: cursor.u32()?, count: cursor.u32()? };
        (range.count > 0 && cursor.0.is_empty()).then_some(range)
    }
}

/// As much of a [`Hello`] as every version understands.
#[derive(Deserialize)]
pub(super) struct Greeting {
    pub(super) protocol: String,
}

/// Where a worker is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct WorkerHost {
    /// The version of the program there.
    pub(super) version: String,
    /// The name of the machine.
    pub(super) host: String,
    /// How many logical cores it may use there.
    pub(super) cores: usize,
    /// How many bytes of memory can be had there, where the system tells.
    pub(super) memory: Option<u64>,
    /// How many processes run there or want to, on average over the last minute, where the
    /// system tells.
    pub(super) load: Option<f64>,
    /// What tells this start of the machine from any other, where the system tells.
    pub(super) boot_id: Option<String>,
    /// Whether it knows no templates, and makes no digests: it is given lines, as
    /// [`Portable::spelled_out`](crate::workload::Portable::spelled_out) has them, and what
    /// its tasks write is digested by who hears of it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) takes_lines: bool,
}

/// No machine has more cores: Linux itself counts no further.
const MOST_CORES: usize = 1 << 13;

impl WorkerHost {
    /// What a worker said, as far as it is believed: it may be nobody's of ours that answers,
    /// and room is made for as many tasks as there are cores.
    pub(super) fn decoded(payload: &[u8]) -> serde_json::Result<Self> {
        let told: Self = serde_json::from_slice(payload)?;
        Ok(Self { cores: told.cores.clamp(1, MOST_CORES), ..told })
    }
}

/// A task begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TaskBegun {
    pub(super) seq: u64,
    /// In this slot of the batch, from 0.
    pub(super) slot: u32,
    /// At this time by the worker's clock.
    pub(super) at: Duration,
}

impl TaskBegun {
    pub(super) fn encoded(&self) -> [u8; 20] {
        let mut bytes = [0; 20];
        bytes[..8].copy_from_slice(&self.seq.to_le_bytes());
        bytes[8..12].copy_from_slice(&self.slot.to_le_bytes());
        bytes[12..].copy_from_slice(&nanoseconds(self.at));
        bytes
    }

    pub(super) fn decoded(payload: &[u8]) -> Option<Self> {
        let mut cursor = PayloadCursor(payload);
        let (seq, slot) = (cursor.u64()?, cursor.u32()?);
        Some(Self { seq, slot, at: Duration::from_nanos(cursor.u64()?) })
    }
}

/// What two clocks showed when one side asked the other for the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ClockReading {
    /// When it was asked, by the asker's clock.
    pub(super) asked: Duration,
    /// When it was answered, by the worker's.
    pub(super) answered: Duration,
}

impl ClockReading {
    /// The answer to a question with this payload.
    pub(super) fn answer(question: &[u8], now: Duration) -> [u8; 16] {
        let mut bytes = [0; 16];
        let length = question.len().min(8);
        bytes[..length].copy_from_slice(&question[..length]);
        bytes[8..].copy_from_slice(&nanoseconds(now));
        bytes
    }

    pub(super) fn decoded(payload: &[u8]) -> Option<Self> {
        let mut cursor = PayloadCursor(payload);
        let mut time = || cursor.u64().map(Duration::from_nanos);
        Some(Self { asked: time()?, answered: time()? })
    }
}

/// A time as it travels: enough for five hundred years.
pub(super) fn nanoseconds(time: Duration) -> [u8; 8] {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX).to_le_bytes()
}

/// The numbers of tasks, one behind the other.
pub(super) fn numbers_of(tasks: &[u64]) -> Vec<u8> {
    tasks.iter().flat_map(|seq| seq.to_le_bytes()).collect()
}

/// Those of [`numbers_of`].
pub(super) fn numbers_in(payload: &[u8]) -> impl Iterator<Item = u64> {
    payload.as_chunks().0.iter().map(|bytes| u64::from_le_bytes(*bytes))
}

/// What happened to a task, for whoever watches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Incident {
    /// [`Event::TaskStopped`].
    Stopped { signal: i32, group: i32, is_news: bool },
    /// [`Event::TaskContinued`].
    Continued,
    /// [`Event::TaskWaitsToStart`].
    WaitsToStart { why: String, is_news: bool },
}

impl Incident {
    /// What `event` tells of the one task that a slot does.
    pub(super) fn of(event: &Event<'_>) -> Option<Self> {
        Some(match *event {
            Event::TaskStopped { signal, group, is_news, .. } => Self::Stopped { signal, group, is_news },
            Event::TaskContinued { .. } => Self::Continued,
            Event::TaskWaitsToStart { why, is_news } => Self::WaitsToStart { why: why.to_owned(), is_news },
            _ => return None,
        })
    }

    /// The same of `task`.
    pub(super) fn event(&self, task: &Task) -> Event<'_> {
        let Task { seq, slot, .. } = *task;
        match self {
            &Self::Stopped { signal, group, is_news } => {
                Event::TaskStopped { seq, slot, signal, group, is_news }
            }
            Self::Continued => Event::TaskContinued { slot },
            Self::WaitsToStart { why, is_news } => Event::TaskWaitsToStart { why, is_news: *is_news },
        }
    }
}

/// The last message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Bye {
    /// The most memory that the worker held, in bytes.
    pub(super) peak_memory: Option<u64>,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn small_messages_are_read_back_and_others_are_none(
            seq: u64, slot: u32, asked: u64, at: u64, tasks: Vec<u64>,
            bytes in prop::collection::vec(any::<u8>(), 0..30)
        ) {
            let (asked, at) = (Duration::from_nanos(asked), Duration::from_nanos(at));
            let begun = TaskBegun { seq, slot, at };
            prop_assert_eq!(TaskBegun::decoded(&begun.encoded()), Some(begun));
            let answer = ClockReading::answer(&nanoseconds(asked), at);
            prop_assert_eq!(ClockReading::decoded(&answer), Some(ClockReading { asked, answered: at }));
            prop_assert_eq!(numbers_in(&numbers_of(&tasks)).collect::<Vec<_>>(), tasks);
            prop_assert_eq!(TaskBegun::decoded(&bytes).is_some(), bytes.len() >= 20);
            prop_assert_eq!(ClockReading::decoded(&bytes).is_some(), bytes.len() >= 16);
            prop_assert_eq!(numbers_in(&bytes).count(), bytes.len() / 8);
            // Whatever is asked is answered.
            prop_assert!(ClockReading::decoded(&ClockReading::answer(&bytes, at)).is_some());
        }
    }

    #[test]
    fn no_more_cores_are_believed_than_a_machine_has() {
        let cores = |cores: u64| {
            let told = format!(
                r#"{{"version":"1","host":"h","cores":{cores},"memory":null,"load":null,"boot_id":null}}"#
            );
            WorkerHost::decoded(told.as_bytes()).unwrap().cores
        };
        assert_eq!([0, 1, 384, 4_000_000_000].map(cores), [1, 1, 384, 8192]);
    }

    #[test]
    fn a_greeting_is_understood_whatever_else_is_said() {
        let text = r#"{"protocol":"parsim-worker/99","wishes":[1,2]}"#;
        assert_eq!(serde_json::from_str::<Greeting>(text).unwrap().protocol, "parsim-worker/99");
        assert!(serde_json::from_str::<Hello>(text).is_err());
    }
}
