//! How far a run has come: what is done, what runs and for how long, when it may
//! be over.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use super::eta::{Pace, RunTimes};
use crate::event::{Event, Observer, PlannedRun};
use crate::inputs::{InputCount, JobsFound};
use crate::numbers;
use crate::sync::Mutex;
use crate::task::Column;

/// So many bytes of a line fill those of a terminal.
const LATEST: usize = 1000;

/// Takes note of runs' events.
#[derive(Debug, Default)]
pub struct ProgressState {
    /// How many tasks there will be, where somebody knows that beforehand.
    expected: Option<u64>,
    /// How many there are for all that was found out meanwhile.
    count: InputCount,
    tally: Mutex<Tally>,
}

#[derive(Debug, Default)]
struct Tally {
    /// When the run that goes on began.
    began: Option<Instant>,
    /// How far it is, or the last one came.
    now: Snapshot,
    /// The run that goes on, or the last one.
    this: Option<PlannedRun>,
    /// How many were begun.
    n_begun: usize,
    to_come: VecDeque<PlannedRun>,
    /// How long the others took.
    took: RunTimes,
}

/// How far a run has come at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Which of several runs it is.
    pub which: Option<WhichRun>,
    /// Since it began.
    pub elapsed: Duration,
    /// How many tasks there are, once that is known.
    pub total: Option<u64>,
    /// How many there are at least.
    pub at_least: u64,
    /// How many bytes they will produce, where that is known.
    pub total_bytes: Option<u64>,
    /// How many were started.
    pub started: u64,
    /// How many are over.
    pub done: u64,
    /// How long those took, each by itself.
    pub task_time: Duration,
    /// How many of them failed.
    pub failed: u64,
    /// How many bytes they have produced.
    pub bytes: u64,
    /// Why nothing is started for now.
    pub waits: Option<String>,
    /// Those that run, by slot from 0.
    pub running: BTreeMap<u32, RunningTask>,
    /// When all runs may be over.
    pub eta: Option<Duration>,
}

/// One of several runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WhichRun {
    /// Which one, from 1.
    pub number: usize,
    /// How many there are for all that is known.
    pub of: usize,
    /// How the batch is run.
    pub column: Column,
}

/// A task that runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunningTask {
    /// Its position in input order, from 0.
    pub seq: u64,
    /// Since when.
    pub since: Instant,
    /// The task in a person's words.
    pub label: String,
    /// Whether a signal stopped it, so that it does nothing.
    pub is_stopped: bool,
    /// What it wrote last, where that is to be seen.
    pub latest: String,
}

impl ProgressState {
    /// The state of a run of `tasks`, where their number is known although the run itself
    /// does not tell it, or of as many as `count` comes to know of.
    pub fn expecting(tasks: Option<u64>, count: InputCount) -> Self {
        Self { expected: tasks, count, tally: Mutex::default() }
    }

    /// How far the run is now; `None` while there is none.
    pub fn snapshot(&self) -> Option<Snapshot> {
        let tally = self.tally.lock();
        let mut now = Snapshot { elapsed: tally.began?.elapsed(), ..self.counted(&tally.now) };
        now.eta = tally.this.as_ref().and_then(|this| {
            // With fewer tasks than slots some slots are idle.
            let n_tasks = now.total.and_then(|total| usize::try_from(total).ok()).unwrap_or(usize::MAX);
            let width_used = |run: &PlannedRun| PlannedRun { width: run.width.min(n_tasks), ..run.clone() };
            let to_come: Vec<_> = tally.to_come.iter().map(width_used).collect();
            tally.took.rest(&width_used(this), now.elapsed, now.rest(), to_come.iter())
        });
        Some(now)
    }

    /// The task in `slot` wrote `line` last.
    pub fn wrote(&self, slot: u32, line: &[u8]) {
        if let Some(task) = self.tally.lock().now.running.get_mut(&slot) {
            task.latest = String::from_utf8_lossy(&line[..line.len().min(LATEST)]).into_owned();
        }
    }

    /// How far the last run came, whether or not it is over.
    pub fn last(&self) -> Snapshot {
        self.counted(&self.tally.lock().now)
    }

    /// `now` with what is known of the number of tasks.
    fn counted(&self, now: &Snapshot) -> Snapshot {
        let (found, at_least) = match self.count.jobs() {
            JobsFound::Exactly(jobs) => (Some(jobs), jobs),
            JobsFound::AtLeast(jobs) => (None, jobs),
        };
        // Who expected fewer was mistaken.
        let total = now.total.or(self.expected).or(found).filter(|&total| total >= now.started);
        Snapshot { total, at_least, ..now.clone() }
    }
}

impl Observer for ProgressState {
    fn observe(&self, event: &Event<'_>) {
        let mut tally = self.tally.lock();
        let Tally { began, now, this, n_begun, to_come, took } = &mut *tally;
        match *event {
            Event::RunsPlanned { runs } => to_come.extend(runs.iter().cloned()),
            Event::RunStarted { column, width, tasks, bytes, .. } => {
                *began = Some(Instant::now());
                *n_begun += 1;
                to_come.pop_front();
                *this = Some(PlannedRun { column: column.clone(), width });
                let of = *n_begun + to_come.len();
                let which = WhichRun { number: *n_begun, of, column: column.clone() };
                *now = Snapshot {
                    which: Some(which).filter(|_| of > 1),
                    total: tasks,
                    total_bytes: bytes.filter(|&bytes| bytes > 0),
                    ..Snapshot::default()
                };
            }
            Event::TaskStarted { seq, slot, label } => {
                now.started += 1;
                let label = label.to_owned();
                let since = Instant::now();
                let task = RunningTask { seq, since, label, is_stopped: false, latest: String::new() };
                now.running.insert(slot, task);
            }
            Event::TaskNamed { slot, label } => {
                if let Some(task) = now.running.get_mut(&slot) {
                    label.clone_into(&mut task.label);
                }
            }
            Event::TaskFinished(record) => {
                // Elsewhere, the next one may have its slot before its end is sure.
                if now.running.get(&record.slot).is_some_and(|task| task.seq == record.seq) {
                    now.running.remove(&record.slot);
                } else {
                    now.running.retain(|_, task| task.seq != record.seq);
                }
                now.done += 1;
                now.task_time += record.wall;
                now.failed += u64::from(record.outcome.is_failure());
            }
            Event::TaskStopped { slot, .. } | Event::TaskContinued { slot } => {
                if let Some(task) = now.running.get_mut(&slot) {
                    task.is_stopped = matches!(event, Event::TaskStopped { .. });
                }
            }
            Event::StartsHeldUp { why, .. } => now.waits = Some(why.to_owned()),
            Event::StartsGoOn => now.waits = None,
            Event::TasksEnded { tasks } => now.total = Some(tasks),
            Event::Advanced { bytes } => now.bytes += bytes,
            Event::RunFinished { .. } => {
                if let (Some(began), Some(this)) = (began.take(), this.clone()) {
                    took.add(this, began.elapsed());
                }
            }
            Event::OutputHeldUp { .. }
            | Event::TaskWaitsToStart { .. }
            | Event::FewerSlots { .. }
            | Event::Told { .. } => {}
        }
    }
}

impl Snapshot {
    /// How many are neither over nor running, where it is known how many there are.
    pub fn left(&self) -> Option<u64> {
        Some(self.total?.saturating_sub(self.started))
    }

    /// The share that is done, from 0 to 1, where that is known: of bytes where those are
    /// known, as a few large tasks may make up the run, and of tasks elsewhere.
    pub fn share(&self) -> Option<f64> {
        self.parts().map(|(done, total)| (done as f64 / total as f64).min(1.0))
    }

    /// The same in whole percent.
    pub fn percent(&self) -> Option<u64> {
        self.parts().map(|(done, total)| numbers::down_to(done, total, 100).min(100))
    }

    /// How much of how much is done, where there is anything.
    fn parts(&self) -> Option<(u64, u64)> {
        let parts = match self.total_bytes {
            Some(total) => (self.bytes, total),
            None => (self.done, self.total?),
        };
        Some(parts).filter(|(_, total)| *total > 0)
    }

    /// What is left of the run, if it goes on as it went.
    fn rest(&self) -> Option<Duration> {
        if self.total_bytes.is_some() {
            let done = self.share().filter(|share| *share > 0.0)?;
            return Some(self.elapsed.mul_f64((1.0 - done) / done));
        }
        let running: Vec<_> = self.running.values().map(|task| task.since.elapsed()).collect();
        let Self { elapsed, done, task_time, .. } = *self;
        Pace { elapsed, done, task_time, running: &running, not_started: self.left()? }.rest()
    }

    /// What runs longest.
    pub fn longest(&self) -> Option<&RunningTask> {
        self.running.values().min_by_key(|task| task.since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn started(state: &ProgressState, column: &Column, width: usize) {
        let (run, tasks, bytes, unit) = (1, None, None, "job");
        state.observe(&Event::RunStarted { column, width, run, tasks, bytes, unit });
    }

    #[test]
    fn who_was_stopped_and_continued_is_not_stopped_and_a_wait_that_is_over_is_none() {
        let state = ProgressState::default();
        started(&state, &Column::PARALLEL, 2);
        state.observe(&Event::TaskStarted { seq: 0, slot: 0, label: "" });
        state.observe(&Event::TaskStopped { seq: 0, slot: 0, signal: 21, group: 9, is_news: true });
        state.observe(&Event::StartsHeldUp { why: "load 9", is_news: false });
        let now = state.snapshot().unwrap();
        assert_eq!((now.running[&0].is_stopped, now.waits.as_deref()), (true, Some("load 9")));
        state.observe(&Event::TaskContinued { slot: 0 });
        state.observe(&Event::StartsGoOn);
        let now = state.snapshot().unwrap();
        assert_eq!((now.running[&0].is_stopped, now.waits), (false, None));
    }

    #[test]
    fn the_total_is_known_when_the_tasks_have_ended_and_not_before() {
        let state = ProgressState::default();
        assert_eq!(state.snapshot(), None);
        started(&state, &Column::PARALLEL, 2);
        state.observe(&Event::TaskStarted { seq: 0, slot: 0, label: "" });
        state.observe(&Event::TaskNamed { slot: 0, label: "true" });
        let now = state.snapshot().unwrap();
        assert_eq!((now.total, now.started, now.running[&0].label.as_str()), (None, 1, "true"));
        state.observe(&Event::TasksEnded { tasks: 1 });
        assert_eq!(state.snapshot().unwrap().left(), Some(0));
        state.observe(&Event::RunFinished { column: &Column::PARALLEL });
        assert_eq!((state.snapshot(), state.last().left()), (None, Some(0)));
    }

    #[test]
    fn inputs_that_were_counted_meanwhile_tell_the_total() {
        let count = InputCount::default();
        let state = ProgressState::expecting(None, count.clone());
        started(&state, &Column::PARALLEL, 2);
        count.add(3);
        let total = || state.snapshot().map(|now| (now.total, now.at_least)).unwrap();
        assert_eq!(total(), (None, 3));
        count.leave_out();
        count.end();
        assert_eq!(total(), (Some(2), 2));
        let mistaken = ProgressState::expecting(Some(0), InputCount::default());
        started(&mistaken, &Column::PARALLEL, 2);
        mistaken.observe(&Event::TaskStarted { seq: 0, slot: 0, label: "" });
        assert_eq!(mistaken.snapshot().unwrap().total, None);
    }

    #[test]
    fn a_run_is_one_of_those_that_were_planned_and_one_alone_is_none_of_several() {
        let state = ProgressState::default();
        let plan = |columns: &[Column]| {
            let planned = |column: &Column| PlannedRun { column: column.clone(), width: 2 };
            state.observe(&Event::RunsPlanned { runs: &columns.iter().map(planned).collect::<Vec<_>>() });
        };
        let begin = |column: &Column| {
            started(&state, column, 2);
            let which = state.snapshot().unwrap().which;
            state.observe(&Event::RunFinished { column });
            which.map(|which| (which.number, which.of, which.column.name.to_string()))
        };
        plan(&[Column::SERIAL]);
        assert_eq!(begin(&Column::SERIAL), None);
        plan(&[Column::PARALLEL, Column::PARALLEL]);
        assert_eq!(begin(&Column::PARALLEL), Some((2, 3, "parallel".to_owned())));
    }

    #[test]
    fn the_end_is_told_by_bytes_where_a_few_large_tasks_make_up_the_run() {
        let elapsed = Duration::from_secs(100);
        let by_tasks = Snapshot { elapsed, total: Some(8), started: 4, done: 4, ..Snapshot::default() };
        assert_eq!((by_tasks.share(), by_tasks.rest()), (Some(0.5), Some(elapsed)));
        let by_bytes = Snapshot { bytes: 1_500_000, total_bytes: Some(4_500_000), ..by_tasks };
        assert_eq!(by_bytes.rest().map(|rest| rest.as_secs()), Some(200));
    }
}
