//! Plain data that travels between the floors: a task, how it ended, and what
//! was measured of it.
//!
//! Knows nothing of where tasks come from, who runs them, or who reads this.

mod chart;
mod column;
mod facts;
mod finding;
mod node;
mod outcome;
mod phases;
mod process_counts;
mod shared_text;
mod spans;

use std::borrow::Cow;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use self::chart::{ConeChart, ConeSource};
pub use self::column::{Column, Mode};
pub use self::finding::{
    ConeFinding, ConeStatus, ErrorClass, Finding, Redirect, SelfReport, ServiceVerdict, Warning,
};
pub use self::node::{JobPlace, NodeName};
pub use self::outcome::{Outcome, status_of_failures};
pub(crate) use self::phases::{LatencyLimit, PHASES};
pub use self::process_counts::{ProcessCounts, WaitTime};
pub use self::shared_text::SharedText;
pub use self::spans::{Span, Spans};
use crate::measure::seconds;
pub use crate::process::child::Awaited;

/// What a task is to do, in a form that can be sent to another process.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TaskInput {
    /// The sequence number says it all.
    #[default]
    Sequence,
    /// One piece of a larger item: a block of rows of a file.
    Part {
        /// Which item, from 0.
        item: u64,
        /// Which part of the item, from 0.
        part: u64,
    },
    /// The values that a command line is made of.
    Values(Vec<Vec<u8>>),
    /// The same, and what the command reads.
    Block(Box<Block>),
    /// Whatever else a workload understands.
    Json(serde_json::Value),
}

impl TaskInput {
    /// The values that a command line is made of; none where there is none.
    #[must_use]
    pub fn values(&self) -> &[Vec<u8>] {
        match self {
            Self::Values(values) => values,
            Self::Block(block) => &block.values,
            Self::Sequence | Self::Part { .. } | Self::Json(_) => &[],
        }
    }
}

/// What a command of `--pipe` is given. Aside, for most tasks have none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// The values that its line is made of.
    pub values: Vec<Vec<u8>>,
    /// What it reads.
    pub bytes: Vec<u8>,
    /// What it reads after that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stretch: Option<Stretch>,
}

impl Block {
    /// How many bytes the command reads.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.bytes.len() as u64 + self.stretch.map_or(0, |stretch| stretch.length)
    }
}

/// Bytes of one of the files that a batch reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stretch {
    /// Which file, from 0.
    pub file: usize,
    /// Where they begin.
    pub from: u64,
    /// How many there are.
    pub length: u64,
}

/// One unit of a batch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// Position in input order, from 0.
    pub seq: u64,
    /// How many tasks of its run were handed out before it. Less than `seq` where
    /// earlier ones were left out: done in an earlier run.
    #[serde(default)]
    pub turn: u64,
    /// The slot it was handed out to, from 0. Worker processes are told of it aside.
    #[serde(skip)]
    pub slot: u32,
    /// The task in a person's words: a file's name, a command line.
    pub label: SharedText,
    /// What to do.
    pub spec: TaskInput,
    /// Only hosts of these groups may do it, where there are any: hosts are groups, too.
    #[serde(skip)]
    pub hosts: Vec<String>,
}

impl Task {
    /// What stands for a position that nobody has given yet.
    const UNNUMBERED: u64 = u64::MAX;

    /// A task called `label`, whose place among the others is where it comes.
    #[must_use]
    pub fn new(label: impl Into<SharedText>) -> Self {
        Self::numbered(Self::UNNUMBERED, label)
    }

    /// The task is the one at `position`, from 0, unless it knows its own.
    pub(crate) fn comes_at(&mut self, position: u64) {
        if self.seq == Self::UNNUMBERED {
            self.seq = position;
        }
    }

    /// A task told by its sequence number alone.
    #[must_use]
    pub fn numbered(seq: u64, label: impl Into<SharedText>) -> Self {
        Self { seq, turn: seq, slot: 0, label: label.into(), spec: TaskInput::Sequence, hosts: Vec::new() }
    }
}

/// XXH3-128 of what a task produced.
///
/// Aligned as all else in a record is: aligned as its number, it would take 8 bytes more there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
#[repr(Rust, packed(8))]
pub struct Digest(pub u128);

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        let Digest(number) = digest;
        format!("{number:032x}")
    }
}

impl TryFrom<String> for Digest {
    type Error = std::num::ParseIntError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        u128::from_str_radix(&text, 16).map(Self)
    }
}

/// A file that a run left, to be compared with that of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftFile {
    /// Its name, the same for the same file of another run.
    pub name: String,
    /// What it holds.
    pub digest: Digest,
    /// How it differs from that of the first run, in words, if it does.
    pub why: Option<String>,
}

/// What was measured of one attempt at one task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The task's position in input order, from 0.
    pub seq: u64,
    /// The task in a person's words.
    pub label: SharedText,
    /// The task's command line where the label cannot hold it, for it is no text.
    #[serde(skip)]
    pub line: Option<Box<[u8]>>,
    /// Which item's part this was, where an item takes several tasks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<u64>,
    /// The slot it ran in, from 0: the lowest one that was free.
    pub slot: u32,
    /// Which attempt this was, from 1.
    pub attempt: u32,
    /// When it started, since the start of its run.
    #[serde(with = "seconds")]
    pub start: Duration,
    /// How long it took.
    #[serde(with = "seconds")]
    pub wall: Duration,
    /// CPU time: of the task's own thread, or of its own child process.
    #[serde(with = "seconds")]
    pub cpu: Duration,
    /// The part of it in user mode, where the kernel told them apart: that of a child
    /// process, split by ticks.
    #[serde(with = "seconds::optional", default, skip_serializing_if = "Option::is_none")]
    pub user: Option<Duration>,
    /// The part of it in the kernel, likewise.
    #[serde(with = "seconds::optional", default, skip_serializing_if = "Option::is_none")]
    pub sys: Option<Duration>,
    /// Most memory that its child process held, in bytes; never below the
    /// runner's own at the child's start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peak_memory: Option<u64>,
    /// Whether that is the runner's own, below which the kernel tells nothing: the
    /// child process held less.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub peak_memory_is_bound: bool,
    /// What the kernel counted of its child process; `None` where it had none. Aside,
    /// for tasks of workloads within this process have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counts: Option<Box<ProcessCounts>>,
    /// Bytes it produced: files, or what it wrote to its output.
    pub bytes: u64,
    /// Bytes it was given to read: of a block all of it, whether or not the command
    /// read on to its end.
    #[serde(default, skip_serializing_if = "is_zero", alias = "sent")]
    pub input_offered: u64,
    /// Bytes of these that it did read, where that was counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_read: Option<u64>,
    /// On which machine it was done, as the user calls it, where several were named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<Box<str>>,
    /// How it ended.
    pub outcome: Outcome,
    /// Whether it was left out because of its values (`{uniq}`): nothing was run.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub skipped: bool,
    /// Digest of what it wrote to its outputs, when ways are compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// Named shares of the wall time.
    #[serde(default, skip_serializing_if = "Spans::are_none")]
    pub spans: Spans,
    /// Named facts about the task, as text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub facts: Vec<(Cow<'static, str>, String)>,
    /// What was found out about a service, where the task asked one. Aside, for most
    /// tasks ask none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finding: Option<Box<Finding>>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Record {
    /// Its task is called by its command line, whatever bytes that is.
    pub fn called(&mut self, line: &[u8]) {
        self.label = String::from_utf8_lossy(line).into();
        self.line = std::str::from_utf8(line).is_err().then(|| line.into());
    }

    /// Exit status and signal, as a job log tells them: of another machine all there is
    /// to tell is a status, as a shell has it, and 255 where that machine had none.
    #[must_use]
    pub fn status_and_signal(&self) -> (i32, i32) {
        const NO_STATUS: i32 = 255;
        match (&self.outcome, self.outcome.status_and_signal()) {
            (_, told) if self.node.as_deref().is_none_or(|node| node == ":") => told,
            (Outcome::Signaled(signal), _) => (128 + signal, 0),
            (Outcome::TimedOut | Outcome::Failed(_) | Outcome::Interrupted, _) => (NO_STATUS, 0),
            (_, told) => told,
        }
    }

    /// The record of task `seq` of which nothing was measured.
    #[must_use]
    pub fn without_measures(seq: u64, outcome: Outcome) -> Self {
        Self {
            seq,
            label: SharedText::default(),
            line: None,
            item: None,
            slot: 0,
            attempt: 1,
            start: Duration::ZERO,
            wall: Duration::ZERO,
            cpu: Duration::ZERO,
            user: None,
            sys: None,
            peak_memory: None,
            peak_memory_is_bound: false,
            counts: None,
            bytes: 0,
            input_offered: 0,
            input_read: None,
            node: None,
            outcome,
            skipped: false,
            digest: None,
            spans: Spans::default(),
            facts: Vec::new(),
            finding: None,
        }
    }

    /// Makes what a study of `parsim-study/1` has among the facts what it is now.
    pub(crate) fn renew(&mut self) {
        if self.finding.is_none() {
            self.finding = facts::take_finding(&mut self.facts).map(Box::new);
        }
    }

    /// What is known about `name`.
    #[must_use]
    pub fn fact(&self, name: &str) -> Option<&str> {
        self.facts.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The task's command line, byte for byte.
    #[must_use]
    pub fn command_line(&self) -> &[u8] {
        self.line.as_deref().unwrap_or(self.label.as_bytes())
    }

    /// When the task ended, since the start of its run.
    #[must_use]
    pub fn end(&self) -> Duration {
        self.start + self.wall
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) use super::finding::tests::full as full_finding;

    /// A task that did nothing, and well.
    pub(crate) fn record(seq: u64) -> Record {
        let json = serde_json::json!({
            "seq": seq, "label": "", "slot": 0, "attempt": 1, "start": 0.0, "wall": 0.0, "cpu": 0.0,
            "bytes": 0, "outcome": { "kind": "success" },
        });
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn a_record_is_small_and_so_is_what_it_keeps_aside() {
        // There is one for each task, and a finding for each service.
        assert!(size_of::<Record>() <= 336, "{}", size_of::<Record>());
        assert!(size_of::<Finding>() <= 280, "{}", size_of::<Finding>());
    }
}
