//! Where a batch stands: what is done, what runs and for how long, when it may
//! be over.
//!
//! Knows events and the time, not how it is shown.

use crate::sync::Mutex;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::event::{Event, Observer};
use crate::format;

/// Takes note of a batch's events.
#[derive(Debug, Default)]
pub struct Board {
    /// How many tasks there will be, where somebody knows that beforehand.
    expected: Option<u64>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// When the run that goes on began.
    began: Option<Instant>,
    unit: String,
    total: Option<u64>,
    started: u64,
    done: u64,
    failed: u64,
    /// By slot.
    running: BTreeMap<u32, Job>,
    /// Why nothing is started for now.
    waits: Option<String>,
}

#[derive(Debug)]
struct Job {
    seq: u64,
    since: Instant,
    label: String,
    is_stopped: bool,
}

/// Where a batch stands at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// What one task makes: `job`.
    pub unit: String,
    /// Since the run began.
    pub elapsed: Duration,
    /// How many tasks there are, once that is known.
    pub total: Option<u64>,
    /// How many were started.
    pub started: u64,
    /// How many are over.
    pub done: u64,
    /// How many of them failed.
    pub failed: u64,
    /// How many were stopped by a signal and do nothing.
    pub stopped: usize,
    /// Why nothing is started for now.
    pub waits: Option<String>,
    /// Those that run, the longest-running first.
    pub running: Vec<RunningTask>,
}

/// A task that runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunningTask {
    /// Its slot, from 0.
    pub slot: u32,
    /// Position in input order, from 0.
    pub seq: u64,
    /// How long it has run.
    pub lasts: Duration,
    /// The task in a person's words.
    pub label: String,
}

impl Board {
    /// A board for a batch of `tasks`, where their number is known although the
    /// batch itself does not tell it.
    #[must_use]
    pub fn expecting(tasks: Option<u64>) -> Self {
        Self { expected: tasks, state: Mutex::default() }
    }

    /// Where the batch stands now; `None` while none runs.
    #[must_use]
    pub fn standing(&self) -> Option<Standing> {
        self.with(|state| {
            let began = state.began?;
            let mut running: Vec<RunningTask> = state
                .running
                .iter()
                .map(|(&slot, job)| RunningTask {
                    slot,
                    seq: job.seq,
                    lasts: job.since.elapsed(),
                    label: job.label.clone(),
                })
                .collect();
            running.sort_by_key(|task| std::cmp::Reverse(task.lasts));
            Some(Standing {
                unit: state.unit.clone(),
                elapsed: began.elapsed(),
                total: state.total,
                started: state.started,
                done: state.done,
                failed: state.failed,
                stopped: state.running.values().filter(|job| job.is_stopped).count(),
                waits: state.waits.clone(),
                running,
            })
        })
    }

    /// How many tasks were not started, where it is known how many there are.
    #[must_use]
    pub fn not_started(&self) -> Option<u64> {
        self.with(|state| Some(state.total?.saturating_sub(state.started)))
    }

    /// How many tasks were started.
    #[must_use]
    pub fn started(&self) -> u64 {
        self.with(|state| state.started)
    }

    /// How many tasks there are, once that is known.
    #[must_use]
    pub fn total(&self) -> Option<u64> {
        self.with(|state| state.total)
    }

    fn with<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.state.lock())
    }
}

impl Observer for Board {
    fn observe(&self, event: &Event<'_>) {
        self.with(|state| match *event {
            Event::RunStarted { tasks, unit, .. } => {
                let began = Some(Instant::now());
                *state = State {
                    began,
                    unit: unit.to_owned(),
                    total: tasks.or(self.expected),
                    ..State::default()
                };
            }
            Event::TaskStarted { seq, slot, label } => {
                state.started += 1;
                let job = Job { seq, since: Instant::now(), label: label.to_owned(), is_stopped: false };
                state.running.insert(slot, job);
            }
            Event::TaskNamed { slot, label } => {
                if let Some(job) = state.running.get_mut(&slot) {
                    label.clone_into(&mut job.label);
                }
            }
            Event::TaskFinished(record) => {
                state.running.remove(&record.slot);
                state.done += 1;
                state.failed += u64::from(record.outcome.is_failure());
            }
            Event::TaskStopped { slot, .. } | Event::TaskContinued { slot } => {
                if let Some(job) = state.running.get_mut(&slot) {
                    job.is_stopped = matches!(event, Event::TaskStopped { .. });
                }
            }
            Event::StartsHeldUp { why, .. } => state.waits = Some(why.to_owned()),
            Event::StartsGoOn => state.waits = None,
            Event::TasksEnded { tasks } => state.total = Some(tasks),
            Event::RunFinished { .. } => state.began = None,
            Event::Advanced { .. }
            | Event::OutputHeldUp { .. }
            | Event::TaskWaitsToStart { .. }
            | Event::FewerSlots { .. } => {}
        });
    }
}

impl Standing {
    /// How many are neither over nor running, where it is known how many there are.
    #[must_use]
    pub fn left(&self) -> Option<u64> {
        Some(self.total?.saturating_sub(self.started))
    }

    /// When it may be over, if the rest goes as what is done went.
    #[must_use]
    pub fn eta(&self) -> Option<Duration> {
        let to_do = self.total?.saturating_sub(self.done);
        (self.done > 0).then(|| self.elapsed.mul_f64(to_do as f64 / self.done as f64))
    }

    /// All of it in one line; `longest` characters at most of what runs longest.
    #[must_use]
    pub fn line(&self, longest: usize) -> String {
        let mut line = match self.total {
            Some(total) => format!("{}/{total} {}s", self.done, self.unit),
            None => format::plural(self.done, &self.unit),
        };
        line += &format!(", {} running", self.running.len());
        if self.stopped > 0 {
            line += &format!(" ({} stopped)", self.stopped);
        }
        if let Some(left) = self.left() {
            line += &format!(", {left} left");
        }
        if self.failed > 0 {
            line += &format!(", {} failed", self.failed);
        }
        if let Some(why) = &self.waits {
            line += &format!(", waiting: {why}");
        }
        line += &format!(", {}", clock_time(self.elapsed));
        if let Some(eta) = self.eta().filter(|_| self.total > Some(self.done)) {
            line += &format!(", ETA {}", clock_time(eta));
        }
        if let Some(first) = self.running.first() {
            let label = shortened(&format::printable(&first.label), longest);
            line += &format!(", longest {}: {label}", clock_time(first.lasts));
        }
        line
    }
}

/// As a clock shows it: `0:07`, `12:30`, `1:02:03`.
fn clock_time(time: Duration) -> String {
    let seconds = time.as_secs();
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

fn shortened(text: &str, longest: usize) -> String {
    if text.chars().count() <= longest {
        return text.to_owned();
    }
    let head: String = text.chars().take(longest.saturating_sub(3)).collect();
    head + "..."
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::Column;

    fn standing(total: Option<u64>) -> Standing {
        let task = RunningTask { slot: 1, seq: 4, lasts: Duration::from_secs(75), label: "sleep 99".into() };
        let elapsed = Duration::from_secs(3700);
        let running = vec![task];
        Standing {
            unit: "job".into(),
            elapsed,
            total,
            started: 5,
            done: 4,
            failed: 1,
            running,
            ..Standing::default()
        }
    }

    #[test]
    fn the_line_tells_what_is_left_once_the_total_is_known() {
        assert_eq!(standing(None).line(40), "4 jobs, 1 running, 1 failed, 1:01:40, longest 1:15: sleep 99");
        let line = "4/8 jobs, 1 running, 3 left, 1 failed, 1:01:40, ETA 1:01:40, longest 1:15: sle...";
        assert_eq!(standing(Some(8)).line(6), line);
    }

    #[test]
    fn the_line_tells_why_nothing_happens() {
        let standing = Standing { stopped: 1, waits: Some("load 9".into()), ..standing(None) };
        let line =
            "4 jobs, 1 running (1 stopped), 1 failed, waiting: load 9, 1:01:40, longest 1:15: sleep 99";
        assert_eq!(standing.line(40), line);
    }

    #[test]
    fn who_was_stopped_and_continued_is_not_stopped_and_a_wait_that_is_over_is_none() {
        let board = Board::default();
        let (column, unit) = (&Column::PARALLEL, "job");
        board.observe(&Event::RunStarted { column, width: 2, run: 1, tasks: None, bytes: None, unit });
        board.observe(&Event::TaskStarted { seq: 0, slot: 0, label: "" });
        board.observe(&Event::TaskStopped { seq: 0, slot: 0, signal: 21, group: 9, is_news: true });
        board.observe(&Event::StartsHeldUp { why: "load 9", is_news: false });
        let now = board.standing().unwrap();
        assert_eq!((now.stopped, now.waits.as_deref()), (1, Some("load 9")));
        board.observe(&Event::TaskContinued { slot: 0 });
        board.observe(&Event::StartsGoOn);
        let now = board.standing().unwrap();
        assert_eq!((now.stopped, now.waits), (0, None));
    }

    #[test]
    fn the_total_is_known_when_the_tasks_have_ended_and_not_before() {
        let board = Board::default();
        assert_eq!(board.standing(), None);
        let (column, unit) = (&Column::PARALLEL, "job");
        board.observe(&Event::RunStarted { column, width: 2, run: 1, tasks: None, bytes: None, unit });
        board.observe(&Event::TaskStarted { seq: 0, slot: 0, label: "" });
        board.observe(&Event::TaskNamed { slot: 0, label: "true" });
        let standing = board.standing().unwrap();
        assert_eq!((standing.total, standing.started, standing.running[0].label.as_str()), (None, 1, "true"));
        board.observe(&Event::TasksEnded { tasks: 1 });
        assert_eq!(board.standing().unwrap().left(), Some(0));
        board.observe(&Event::RunFinished { column });
        assert_eq!((board.standing(), board.not_started()), (None, Some(0)));
    }
}
