//! Reads what workers record, and makes of it what became of each task: the first whole
//! record of a task counts, later ones are duplicates.
//!
//! Does not know how workers are started, nor whether they live.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::time::{Duration, Instant};

use anyhow::Context as _;

use super::accepted::{AcceptedFile, NumberSet, RankedSet};
use super::heartbeat::{element_of, worker_name};
use super::layout::RunLayout;
use super::segment::{
    BegunEntry, ByeEntry, DoneEntry, Entry, RawEntry, SegmentReader, WorkerEntry, written_before,
};
use super::task_file::TaskReader;
use crate::engine::halt::AfterTask;
use crate::engine::lifecycle::TaskLife;
use crate::engine::{Run, TaskQueue};
use crate::moment::Moment;
use crate::output::{Acknowledge, TaskRef};
use crate::study::NodeTotal;
use crate::sync::Mutex;
use crate::task::{Outcome, Record, Task};

/// Whether an element was started again is looked for so often.
const ANOTHER: Duration = Duration::from_secs(1);

/// So often a segment is read before it is another one's turn.
const MOST_READS: usize = 16;

/// Reads all records of a run.
pub(super) struct Collector<'r, 'q> {
    run: &'r Run<'q>,
    layout: RunLayout,
    tasks: TaskReader,
    /// Tasks that are not part of this: their results were handed on by an earlier client.
    earlier: RankedSet,
    /// Tasks of which a record was taken.
    taken: NumberSet,
    /// Tasks that began.
    begun: NumberSet,
    /// Those that began and are not over.
    lives: BTreeMap<u64, TaskLife<'r, 'q>>,
    pub(super) workers: Vec<WorkerView>,
    /// By element: how many workers it had.
    restarts: Vec<u32>,
    next_look: Instant,
    /// Whether there was more to be read than was read.
    is_behind: bool,
    handed_on: HandedOn<'r, 'q>,
    pub(super) counts: CollectedCounts,
    /// When this began: by the calendar, and by the run's clock.
    epoch: Moment,
    began: Duration,
    /// Since when workers are waited for, until there is one.
    pub(super) waits_since: Option<Instant>,
    /// How long the first one was waited for, which is not part of the run.
    pub(super) queue_wait: Duration,
    /// Whether a rule has the running tasks ended.
    pub(super) is_halted: bool,
}

/// What was counted beside results.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct CollectedCounts {
    /// Tasks that were done again, as far as they had begun.
    pub(super) reruns: u64,
    /// Records of tasks that had one.
    pub(super) duplicates: u64,
}

/// What is known of a worker.
pub(super) struct WorkerView {
    reader: SegmentReader,
    pub(super) about: Option<WorkerEntry>,
    /// Where it put down what tasks wrote that are not over, by execution.
    pieces: HashMap<u32, Vec<(u32, u64)>>,
    /// Why it could not go on.
    pub(super) failed: Option<String>,
    pub(super) bye: Option<ByeEntry>,
    /// What it did.
    pub(super) total: NodeTotal,
    /// Whether it is known that it will record nothing more.
    pub(super) is_gone: bool,
}

impl WorkerView {
    fn new(worker: &str) -> Self {
        Self {
            reader: SegmentReader::new(worker),
            about: None,
            pieces: HashMap::new(),
            failed: None,
            bye: None,
            total: NodeTotal::default(),
            is_gone: false,
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.reader.worker
    }

    pub(super) fn element(&self) -> Option<u32> {
        element_of(self.name())
    }

    pub(super) fn has_left(&self) -> bool {
        self.bye.is_some() || self.is_gone
    }

    /// The node as its users know it.
    pub(super) fn node(&self) -> &str {
        self.about.as_ref().map_or("a node", |about| &about.node)
    }
}

/// Notes of each task that its result was handed on.
struct HandedOn<'r, 'q> {
    batch: &'r TaskQueue<'q>,
    file: AcceptedFile,
    /// The places of tasks whose results are on their way, by their numbers.
    places: Mutex<HashMap<u64, u64>>,
}

impl Acknowledge for HandedOn<'_, '_> {
    fn acknowledge(&self, record: Record) {
        let place = self.places.lock().remove(&record.seq);
        let is_result = record.outcome != Outcome::Interrupted;
        self.batch.acknowledge(record);
        if let Some(place) = place.filter(|_| is_result) {
            self.file.put(place);
        }
    }
}

impl<'r, 'q> Collector<'r, 'q> {
    /// Those of the run in `layout` that were not handed on yet.
    pub(super) fn open(run: &'r Run<'q>, layout: &RunLayout) -> anyhow::Result<Self> {
        let (file, taken) = AcceptedFile::open(layout).context("cannot see which tasks are done")?;
        Ok(Self {
            run,
            layout: layout.clone(),
            tasks: TaskReader::open(layout)?,
            earlier: RankedSet::new(taken.clone()),
            taken,
            begun: NumberSet::default(),
            lives: BTreeMap::new(),
            workers: Vec::new(),
            restarts: Vec::new(),
            next_look: Instant::now(),
            is_behind: false,
            handed_on: HandedOn { batch: &run.batch, file, places: Mutex::default() },
            counts: CollectedCounts::default(),
            epoch: Moment::now(),
            began: run.clock.now(),
            waits_since: None,
            queue_wait: Duration::ZERO,
            is_halted: false,
        })
    }

    /// How many tasks are done.
    pub(super) fn n_done(&self) -> u64 {
        self.taken.count()
    }

    /// How many tasks there are, once that is known.
    pub(super) fn n_tasks(&self) -> io::Result<Option<u64>> {
        let (count, is_all) = self.tasks.count()?;
        Ok(is_all.then_some(count))
    }

    /// How many have begun and are not over.
    pub(super) fn n_running(&self) -> usize {
        self.lives.len()
    }

    /// Takes note of all that was recorded since. Says whether that was something.
    pub(super) fn collect(&mut self, n_elements: u32) -> anyhow::Result<bool> {
        self.find_workers(n_elements)?;
        let mut is_news = false;
        self.is_behind = false;
        for index in 0..self.workers.len() {
            // One that never rests is not to keep whoever reads from all else.
            for n_reads in 1..=MOST_READS {
                let entries = self.workers[index].reader.read(&self.layout);
                let entries = entries.context("cannot read what a worker recorded")?;
                if entries.is_empty() {
                    break;
                }
                is_news = true;
                self.is_behind |= n_reads == MOST_READS;
                for raw in entries {
                    self.hear(index, &raw)?;
                }
            }
        }
        match self.handed_on.file.trouble() {
            Some(error) => Err(error).context("cannot note what is done in the run directory"),
            None => Ok(is_news),
        }
    }

    /// Takes note of all that is recorded by now.
    pub(super) fn catch_up(&mut self, n_elements: u32) -> anyhow::Result<()> {
        self.collect(n_elements)?;
        while self.is_behind {
            self.collect(n_elements)?;
        }
        Ok(())
    }

    fn find_workers(&mut self, n_elements: u32) -> anyhow::Result<()> {
        let looks_for_others = Instant::now() >= self.next_look;
        if looks_for_others {
            self.next_look = Instant::now() + ANOTHER;
            self.layout.check_is_there()?;
        }
        self.restarts.resize(n_elements as usize, 0);
        for (element, restarts) in (0..).zip(&mut self.restarts) {
            while *restarts == 0 || looks_for_others {
                let worker = worker_name(element, *restarts);
                if !self.layout.segment(&worker, 0).exists() {
                    break;
                }
                self.workers.push(WorkerView::new(&worker));
                *restarts += 1;
            }
        }
        Ok(())
    }

    /// What an entry of a worker means.
    fn hear(&mut self, index: usize, raw: &RawEntry) -> anyhow::Result<()> {
        if let Some(place) = raw.done_place()
            && self.taken.has(place)
        {
            self.counts.duplicates += 1;
            return Ok(());
        }
        let view = &mut self.workers[index];
        if let Some(execution) = raw.written_execution() {
            let at = (view.reader.number(), raw.offset);
            view.pieces.entry(execution).or_default().push(at);
            return Ok(());
        }
        match raw.entry().context("a worker recorded what means nothing")? {
            Entry::Worker(about) => {
                view.about = Some(about);
                if self.queue_wait.is_zero() {
                    self.queue_wait = self.waits_since.take().map_or(Duration::ZERO, |since| since.elapsed());
                }
            }
            Entry::Failed(why) => view.failed = Some(why),
            Entry::Bye(bye) => view.bye = Some(bye),
            Entry::Begun(begun) => self.begins(index, begun)?,
            Entry::Done(done) => self.ends(index, *done)?,
            Entry::Written { .. } => {}
        }
        Ok(())
    }

    fn begins(&mut self, index: usize, begun: BegunEntry) -> anyhow::Result<()> {
        if !self.begun.insert(begun.place) {
            self.counts.reruns += 1;
        }
        if !self.taken.has(begun.place) && !self.lives.contains_key(&begun.place) {
            let life = self.life(index, begun)?;
            self.lives.insert(begun.place, life);
        }
        Ok(())
    }

    /// The life of a task that begins now.
    fn life(&self, index: usize, begun: BegunEntry) -> anyhow::Result<TaskLife<'r, 'q>> {
        let mut task = self.task(begun.place)?;
        self.run.batch.start_in(begun.slot, &mut task);
        Ok(TaskLife::begin_elsewhere(self.run, self.run.sink, task, self.time_of(index, begun)))
    }

    /// The task at a place, with its turn among those that are done now.
    fn task(&self, place: u64) -> anyhow::Result<Task> {
        let task = self.tasks.read(place)?;
        Ok(Task { turn: place - self.earlier.below(place), ..task })
    }

    /// When that was by the run's clock, as far as calendars agree: it was after the
    /// run's start, and is over.
    fn time_of(&self, index: usize, begun: BegunEntry) -> Duration {
        let epoch = self.workers[index].about.as_ref().map_or(0, |about| about.epoch);
        let after = Duration::from_millis(epoch) + Duration::from_nanos(begun.at);
        let since = after.saturating_sub(Duration::from_millis(self.epoch.millis()));
        (self.began + since).min(self.run.clock.now()).max(self.run.started)
    }

    fn ends(&mut self, index: usize, done: DoneEntry) -> anyhow::Result<()> {
        let DoneEntry { begun, execution, written, mut record } = done;
        let mut life = match self.lives.remove(&begun.place) {
            Some(life) => life,
            None => self.life(index, begun)?,
        };
        let view = &mut self.workers[index];
        if let Some(pieces) = view.pieces.remove(&execution) {
            let wrote = written_before(&self.layout, &view.reader.worker, &pieces, |channel, bytes| {
                life.wrote(channel, bytes);
            });
            wrote.context("cannot read what a task wrote")?;
        }
        for (channel, bytes) in written {
            life.wrote(channel, &bytes);
        }
        life.advanced_to(record.bytes);
        record.node = view.about.as_ref().map(|about| about.node.as_str().into());
        let at = self.time_of(index, begun);
        let next = life.ended_elsewhere(&mut record, at);
        self.is_halted |= next == AfterTask::EndRunning;
        self.workers[index].total.add(&record);
        self.taken.insert(begun.place);
        self.handed_on.places.lock().insert(record.seq, begun.place);
        life.hand_on_to(record, &self.handed_on);
        Ok(())
    }

    /// Nothing more will come: what has begun was given up, and whoever waits for what has not
    /// does so no more.
    pub(super) fn give_up_rest(&mut self) -> anyhow::Result<()> {
        while let Some((place, mut life)) = self.lives.pop_first() {
            let mut record = life.unmeasured(Outcome::Interrupted);
            life.over(&mut record);
            self.taken.insert(place);
            life.hand_on_to(record, &self.handed_on);
        }
        for place in 0..self.taken.end() {
            if self.taken.has(place) {
                continue;
            }
            let task = self.task(place)?;
            self.run.batch.leave_ahead(task.seq);
            let record = Record::without_measures(task.seq, Outcome::Interrupted);
            let output = self.run.sink.open(TaskRef::Shared(task.into()));
            output.close(record, &self.handed_on);
        }
        Ok(())
    }
}
