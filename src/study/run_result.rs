//! One run: what was measured of the whole, the sums over its tasks, and what its
//! worker processes cost.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{RecordList, Sketch, Streaming};
use crate::host::{RunQueue, Surroundings};
use crate::measure::{Usage, seconds};
use crate::task::{ProcessCounts, Record};

/// One run over the whole batch.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RunResult {
    /// Clearing and preparing, outside the clock of the tasks.
    #[serde(with = "seconds")]
    pub preparation: Duration,
    /// From the first task's start to the last task's end, the engine's own
    /// start-up included.
    #[serde(with = "seconds")]
    pub wall: Duration,
    /// CPU time and the rest of what the kernel counted: the process and its
    /// children, over the wall time.
    pub usage: Usage,
    /// The most memory the process held during the run, in bytes.
    pub peak_memory: Option<u64>,
    /// What processes of their own cost, where tasks ran in such.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crew: Option<WorkerCosts>,
    /// How many tasks finished.
    pub tasks: u64,
    /// How many of them did what they were to do.
    pub succeeded: u64,
    /// How many of them failed.
    pub failed: u64,
    /// Bytes that the tasks produced.
    pub bytes: u64,
    /// The tasks' wall times added up: what they would take one after another
    /// if each took as long as here. Not a wall time of anything.
    #[serde(with = "seconds")]
    pub task_wall: Duration,
    /// The tasks' CPU times added up.
    #[serde(with = "seconds")]
    pub task_cpu: Duration,
    /// The slots' time without a task at the end, when none were left to be
    /// started, added up over the slots that had one before.
    #[serde(with = "seconds", default)]
    pub tail: Duration,
    /// What else the machine did meanwhile; `None` where it does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub surroundings: Option<Surroundings>,
    /// Who wanted the machine's cores meanwhile, where somebody looked; not saved.
    #[serde(skip)]
    pub queue: Option<RunQueue>,
    /// The longest task's wall time.
    #[serde(with = "seconds")]
    pub longest: Duration,
    /// The longest task.
    pub longest_label: String,
    /// The tasks' spans added up by name.
    pub spans: Vec<SpanTotal>,
    /// What the kernel counted of the tasks' processes, added up; `None` where none was
    /// counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counts: Option<ProcessCounts>,
    /// What slots without a task waited for; `None` where nobody knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_waits: Option<StartWaits>,
    /// From the start of the run until its first task began: starting threads, and what
    /// it takes to hand out a task.
    #[serde(with = "seconds::optional", default, skip_serializing_if = "Option::is_none")]
    pub lead: Option<Duration>,
    /// What each slot did, by number.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub slots: Vec<SlotTotal>,
    /// The tasks folded, where their records are not kept; not saved.
    #[serde(skip)]
    pub folded: Option<Streaming>,
    /// The records, in input order; empty where keeping them would take too
    /// much memory.
    #[serde(default, skip_serializing_if = "RecordList::is_empty")]
    pub records: RecordList,
}

/// The time of all spans of one name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SpanTotal {
    /// What was done.
    pub name: String,
    /// Wall time, added up over the tasks.
    #[serde(with = "seconds")]
    pub wall: Duration,
}

/// The tasks of one slot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlotTotal {
    /// How many there were.
    pub tasks: u64,
    /// Their wall times added up.
    #[serde(with = "seconds")]
    pub wall: Duration,
    /// Their CPU times added up.
    #[serde(default, with = "seconds")]
    pub cpu: Duration,
}

impl SlotTotal {
    /// Both together.
    #[must_use]
    pub fn and(self, other: &Self) -> Self {
        Self { tasks: self.tasks + other.tasks, wall: self.wall + other.wall, cpu: self.cpu + other.cpu }
    }

    /// The wall time of a task, on average.
    #[must_use]
    pub fn wall_each(&self) -> Duration {
        self.each(self.wall)
    }

    /// The CPU time of a task, on average.
    #[must_use]
    pub fn cpu_each(&self) -> Duration {
        self.each(self.cpu)
    }

    fn each(&self, time: Duration) -> Duration {
        time / u32::try_from(self.tasks.max(1)).unwrap_or(u32::MAX)
    }
}

/// What slots without a task waited for, in wall time of the run; of the output in slots'
/// time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct StartWaits {
    /// The next input, which was not there yet.
    #[serde(with = "seconds", skip_serializing_if = "Duration::is_zero")]
    pub input: Duration,
    /// The pause between two starts (`--delay`).
    #[serde(with = "seconds", skip_serializing_if = "Duration::is_zero")]
    pub delay: Duration,
    /// A quieter machine (`--load`, `--memfree`, `--noswap`).
    #[serde(with = "seconds", skip_serializing_if = "Duration::is_zero")]
    pub busy: Duration,
    /// Whoever takes the output of tasks that are over.
    #[serde(with = "seconds", skip_serializing_if = "Duration::is_zero")]
    pub output: Duration,
}

impl RunResult {
    /// The most memory that was held, in bytes: by the process, and by each of its
    /// workers where it had some.
    #[must_use]
    pub fn memory(&self) -> Option<u64> {
        let workers = self.crew.as_ref().map_or(Some(0), |crew| crew.peak_memory);
        Some(self.peak_memory?.saturating_add(workers?))
    }

    /// Adds one task to the sums.
    pub fn add(&mut self, record: &Record) {
        if let Some(folded) = &mut self.folded {
            folded.add(record);
        }
        self.tasks += 1;
        self.succeeded += u64::from(record.outcome.is_success());
        self.failed += u64::from(record.outcome.is_failure());
        self.bytes += record.bytes;
        self.task_wall += record.wall;
        self.task_cpu += record.cpu;
        self.lead = Some(self.lead.map_or(record.start, |lead| lead.min(record.start)));
        let slot = record.slot as usize;
        if self.slots.len() <= slot {
            self.slots.resize(slot + 1, SlotTotal::default());
        }
        self.slots[slot].tasks += 1;
        self.slots[slot].wall += record.wall;
        self.slots[slot].cpu += record.cpu;
        if record.wall > self.longest || self.tasks == 1 {
            self.longest = record.wall;
            record.label.as_str().clone_into(&mut self.longest_label);
        }
        if let Some(counts) = record.counts.as_deref() {
            match &mut self.counts {
                Some(sum) => sum.add(counts),
                none => *none = Some(counts.clone()),
            }
        }
        for (name, wall) in record.spans.iter() {
            match self.spans.iter_mut().find(|total| total.name == name) {
                Some(total) => total.wall += wall,
                None => self.spans.push(SpanTotal { name: name.to_owned(), wall }),
            }
        }
    }

    /// Seconds spent in the spans called `name`, over all tasks.
    #[must_use]
    pub fn span(&self, name: &str) -> f64 {
        self.spans.iter().find(|total| total.name == name).map_or(0.0, |total| total.wall.as_secs_f64())
    }
}

/// The worker processes of one run, and what they cost beside the tasks' own time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct WorkerCosts {
    /// How many there were at a time.
    pub workers: usize,
    /// From the start of the first until all of them were ready; part of the run's
    /// wall time.
    #[serde(with = "seconds")]
    pub startup: Duration,
    /// The most memory that each of them held, added up, in bytes. What they share,
    /// such as the program itself, counts with each. `None` where the system does
    /// not tell.
    pub peak_memory: Option<u64>,
    /// How many bytes were passed to them and back.
    pub passed: u64,
    /// How long they waited for something to be passed, added up over the workers:
    /// what tasks share, tasks on their way there, records on their way back.
    #[serde(with = "seconds")]
    pub passing: Duration,
    /// How many were started in place of others that had ended.
    #[serde(default)]
    pub replaced: u64,
    /// What there is to say of those that found their tasks in a directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub elsewhere: Option<ElsewhereCosts>,
}

/// What one of several machines did.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NodeTotal {
    /// What the user calls it.
    pub node: String,
    /// How many tasks at a time it does.
    pub slots: u32,
    /// Tasks that ended there.
    pub tasks: u64,
    /// Those of them that failed.
    pub failed: u64,
    /// How long they took, one after the other.
    #[serde(with = "seconds")]
    pub task_wall: Duration,
    /// The CPU time that they took.
    #[serde(with = "seconds")]
    pub cpu: Duration,
    /// How long half of them took at most, once all are there; `None` where nobody knows.
    #[serde(with = "seconds::optional", default, skip_serializing_if = "Option::is_none")]
    pub median: Option<Duration>,
    /// How long they took, as long as there may be more; not saved.
    #[serde(skip)]
    pub(crate) walls: Sketch,
}

impl NodeTotal {
    /// Adds a task that ended there.
    pub fn add(&mut self, record: &Record) {
        self.walls.add(record.wall);
        self.tasks += 1;
        self.failed += u64::from(record.outcome.is_failure());
        self.task_wall += record.wall;
        self.cpu += record.cpu;
    }

    /// Adds what others did on the same machine.
    pub fn add_all(&mut self, other: &Self) {
        self.walls.add_all(&other.walls);
        self.tasks += other.tasks;
        self.failed += other.failed;
        self.task_wall += other.task_wall;
        self.cpu += other.cpu;
    }

    /// All of what `node` did, which has so many `slots`.
    #[must_use]
    pub fn concluded(self, node: String, slots: u32) -> Self {
        Self { node, slots, median: self.walls.quantile(0.5), ..self }
    }
}

/// What it took to have tasks done by workers on other machines.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ElsewhereCosts {
    /// How long the first worker was waited for; not part of the run's wall time.
    #[serde(with = "seconds")]
    pub queue_wait: Duration,
    /// What workers used that were not this process's children.
    #[serde(default)]
    pub usage: Usage,
    /// The nodes that worked.
    pub nodes: Vec<String>,
    /// What each of them did, where that was added up.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub by_node: Vec<NodeTotal>,
    /// Tasks that were begun again because their worker had ended.
    pub reruns: u64,
    /// Results of tasks that had one already.
    pub duplicates: u64,
}

impl WorkerCosts {
    /// How long each worker waited for something to be passed, in seconds.
    #[must_use]
    pub fn passing_each(&self) -> f64 {
        self.passing.as_secs_f64() / self.workers.max(1) as f64
    }
}
