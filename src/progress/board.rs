//! Where a batch stands: what is done, what runs and for how long, when it may
//! be over.
//!
//! Knows events and the time, not how it is shown.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
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
}

#[derive(Debug)]
struct Job {
    seq: u64,
    since: Instant,
    label: String,
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
                running,
            })
        })
    }

    /// How many tasks were not started, where it is known how many there are.
    #[must_use]
    pub fn not_started(&self) -> Option<u64> {
        self.with(|state| Some(state.total?.saturating_sub(state.started)))
    }

    fn with<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
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
                let job = Job { seq, since: Instant::now(), label: label.to_owned() };
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
            Event::TasksEnded { tasks } => state.total = Some(tasks),
            Event::RunFinished { .. } => state.began = None,
            Event::Advanced { .. }
            | Event::OutputHeldUp { .. }
            | Event::StartHeldUp { .. }
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
        if let Some(left) = self.left() {
            line += &format!(", {left} left");
        }
        if self.failed > 0 {
            line += &format!(", {} failed", self.failed);
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
    use crate::record::Way;

    fn standing(total: Option<u64>) -> Standing {
        let task = RunningTask { slot: 1, seq: 4, lasts: Duration::from_secs(75), label: "sleep 99".into() };
        let elapsed = Duration::from_secs(3700);
        Standing { unit: "job".into(), elapsed, total, started: 5, done: 4, failed: 1, running: vec![task] }
    }

    #[test]
    fn the_line_tells_what_is_left_once_the_total_is_known() {
        assert_eq!(standing(None).line(40), "4 jobs, 1 running, 1 failed, 1:01:40, longest 1:15: sleep 99");
        let line = "4/8 jobs, 1 running, 3 left, 1 failed, 1:01:40, ETA 1:01:40, longest 1:15: sle...";
        assert_eq!(standing(Some(8)).line(6), line);
    }

    #[test]
    fn the_total_is_known_when_the_tasks_have_ended_and_not_before() {
        let board = Board::default();
        assert_eq!(board.standing(), None);
        let (way, unit) = (Way::Parallel, "job");
        board.observe(&Event::RunStarted { way, width: 2, run: 1, tasks: None, bytes: None, unit });
        board.observe(&Event::TaskStarted { seq: 0, slot: 0, label: "" });
        board.observe(&Event::TaskNamed { slot: 0, label: "true" });
        let standing = board.standing().unwrap();
        assert_eq!((standing.total, standing.started, standing.running[0].label.as_str()), (None, 1, "true"));
        board.observe(&Event::TasksEnded { tasks: 1 });
        assert_eq!(board.standing().unwrap().left(), Some(0));
        board.observe(&Event::RunFinished { way });
        assert_eq!((board.standing(), board.not_started()), (None, Some(0)));
    }
}
