//! How far a run has come: what is done, what runs and for how long, when it may
//! be over.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use indicatif::HumanDuration;

use crate::event::{Event, Observer};
use crate::numbers;
use crate::sync::Mutex;
use crate::text;

/// Fewer bytes than this are results, not a stream to be told the rate of.
const WORTH_A_RATE: u64 = 1_000_000;

/// Takes note of a run's events.
#[derive(Debug, Default)]
pub struct ProgressState {
    /// How many tasks there will be, where somebody knows that beforehand.
    expected: Option<u64>,
    tally: Mutex<Tally>,
}

#[derive(Debug, Default)]
struct Tally {
    /// When the run that goes on began.
    began: Option<Instant>,
    /// How far it is, or the last one came.
    now: Snapshot,
}

/// How far a run has come at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// The run's name: `serial 1`.
    pub run: String,
    /// What one task makes: `job`.
    pub unit: String,
    /// Since the run began.
    pub elapsed: Duration,
    /// How many tasks there are, once that is known.
    pub total: Option<u64>,
    /// How many bytes they will produce, where that is known.
    pub total_bytes: Option<u64>,
    /// How many were started.
    pub started: u64,
    /// How many are over.
    pub done: u64,
    /// How many of them failed.
    pub failed: u64,
    /// How many bytes they have produced.
    pub bytes: u64,
    /// Why nothing is started for now.
    pub waits: Option<String>,
    /// Those that run, by slot from 0.
    pub running: BTreeMap<u32, RunningTask>,
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
}

impl ProgressState {
    /// The state of a run of `tasks`, where their number is known although the
    /// run itself does not tell it.
    pub fn expecting(tasks: Option<u64>) -> Self {
        Self { expected: tasks, tally: Mutex::default() }
    }

    /// How far the run is now; `None` while there is none.
    pub fn snapshot(&self) -> Option<Snapshot> {
        let tally = self.tally.lock();
        Some(Snapshot { elapsed: tally.began?.elapsed(), ..tally.now.clone() })
    }

    /// How far the last run came, whether or not it is over.
    pub fn last(&self) -> Snapshot {
        self.tally.lock().now.clone()
    }
}

impl Observer for ProgressState {
    fn observe(&self, event: &Event<'_>) {
        let mut tally = self.tally.lock();
        let Tally { began, now } = &mut *tally;
        match *event {
            Event::RunStarted { column, run, tasks, bytes, unit, .. } => {
                *began = Some(Instant::now());
                *now = Snapshot {
                    run: if run == 0 { format!("{column} warm-up") } else { format!("{column} {run}") },
                    unit: unit.to_owned(),
                    total: tasks.or(self.expected),
                    total_bytes: bytes.filter(|&bytes| bytes > 0),
                    ..Snapshot::default()
                };
            }
            Event::TaskStarted { seq, slot, label } => {
                now.started += 1;
                let label = label.to_owned();
                now.running
                    .insert(slot, RunningTask { seq, since: Instant::now(), label, is_stopped: false });
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
            Event::RunFinished { .. } => *began = None,
            Event::OutputHeldUp { .. } | Event::TaskWaitsToStart { .. } | Event::FewerSlots { .. } => {}
        }
    }
}

impl Snapshot {
    /// How many are neither over nor running, where it is known how many there are.
    pub fn left(&self) -> Option<u64> {
        Some(self.total?.saturating_sub(self.started))
    }

    /// How much is done, and of how much, where that is known: bytes where those
    /// are known, as a few large tasks may make up the run, and tasks elsewhere.
    pub fn position(&self) -> (u64, Option<u64>) {
        match self.total_bytes {
            Some(total) => (self.bytes, Some(total)),
            None => (self.done, self.total),
        }
    }

    /// When it may be over, if the rest goes as what is done went.
    pub fn eta(&self) -> Option<Duration> {
        let (done, total) = self.position();
        let to_do = total?.saturating_sub(done);
        (done > 0 && to_do > 0).then(|| self.elapsed.mul_f64(to_do as f64 / done as f64))
    }

    /// All of it in one line; `longest` characters at most of what runs longest.
    pub fn line(&self, longest: usize) -> String {
        let mut line = match self.total {
            Some(total) => format!("{}/{total} {}s", self.done, self.unit),
            None => numbers::plural(self.done, &self.unit),
        };
        line += &format!(", {} running", self.running.len());
        let stopped = self.running.values().filter(|task| task.is_stopped).count();
        if stopped > 0 {
            line += &format!(" ({stopped} stopped)");
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
        if let Some(eta) = self.eta() {
            line += &format!(", ETA {}", clock_time(eta));
        }
        if let Some(first) = self.running.values().min_by_key(|task| task.since) {
            let label = shortened(&text::printable(&first.label), longest);
            line += &format!(", longest {}: {label}", clock_time(first.since.elapsed()));
        }
        line
    }

    /// How far it is in few words, for a run of which there are several: with the
    /// rate of what it produces.
    pub fn brief(&self) -> String {
        let of = self.total.map_or_else(String::new, |total| format!("/{total}"));
        let mut text = format!("{}{of} {}s", self.done, self.unit);
        if self.bytes >= WORTH_A_RATE {
            let rate = self.bytes as f64 / self.elapsed.as_secs_f64().max(1e-3);
            text += &format!("  {}", numbers::rate(rate));
        }
        if self.failed > 0 {
            text += &format!("  {} failed", self.failed);
        }
        if let Some(why) = &self.waits {
            text += &format!("  waiting: {why}");
        }
        text += &format!("  {:#}", HumanDuration(self.elapsed));
        if let Some(eta) = self.eta() {
            text += &format!(" ETA {:#}", HumanDuration(eta));
        }
        text
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

    fn snapshot(total: Option<u64>) -> Snapshot {
        let since = Instant::now().checked_sub(Duration::from_secs(75)).unwrap();
        let task = RunningTask { seq: 0, since, label: "sleep 99".into(), is_stopped: false };
        let elapsed = Duration::from_secs(3700);
        let running = BTreeMap::from([(1, task)]);
        Snapshot {
            unit: "job".into(),
            elapsed,
            total,
            started: 5,
            done: 4,
            failed: 1,
            running,
            ..Snapshot::default()
        }
    }

    #[test]
    fn the_line_tells_what_is_left_once_the_total_is_known() {
        assert_eq!(snapshot(None).line(40), "4 jobs, 1 running, 1 failed, 1:01:40, longest 1:15: sleep 99");
        let line = "4/8 jobs, 1 running, 3 left, 1 failed, 1:01:40, ETA 1:01:40, longest 1:15: sle...";
        assert_eq!(snapshot(Some(8)).line(6), line);
    }

    #[test]
    fn the_line_tells_why_nothing_happens() {
        let mut now = Snapshot { waits: Some("load 9".into()), ..snapshot(None) };
        now.running.values_mut().for_each(|task| task.is_stopped = true);
        let line =
            "4 jobs, 1 running (1 stopped), 1 failed, waiting: load 9, 1:01:40, longest 1:15: sleep 99";
        assert_eq!(now.line(40), line);
    }

    #[test]
    fn who_was_stopped_and_continued_is_not_stopped_and_a_wait_that_is_over_is_none() {
        let state = ProgressState::default();
        let (column, unit) = (&Column::PARALLEL, "job");
        state.observe(&Event::RunStarted { column, width: 2, run: 1, tasks: None, bytes: None, unit });
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
        let (column, unit) = (&Column::PARALLEL, "job");
        state.observe(&Event::RunStarted { column, width: 2, run: 1, tasks: None, bytes: None, unit });
        state.observe(&Event::TaskStarted { seq: 0, slot: 0, label: "" });
        state.observe(&Event::TaskNamed { slot: 0, label: "true" });
        let now = state.snapshot().unwrap();
        assert_eq!((now.total, now.started, now.running[&0].label.as_str()), (None, 1, "true"));
        state.observe(&Event::TasksEnded { tasks: 1 });
        assert_eq!(state.snapshot().unwrap().left(), Some(0));
        state.observe(&Event::RunFinished { column });
        assert_eq!((state.snapshot(), state.last().left()), (None, Some(0)));
    }

    #[test]
    fn the_end_is_told_by_bytes_where_a_few_large_tasks_make_up_the_run() {
        let by_tasks = Snapshot { bytes: 1_500_000, run: "serial 1".into(), ..snapshot(Some(8)) };
        assert_eq!((by_tasks.position(), by_tasks.eta()), ((4, Some(8)), Some(by_tasks.elapsed)));
        let by_bytes = Snapshot { total_bytes: Some(4_500_000), ..by_tasks };
        assert_eq!(by_bytes.eta(), Some(2 * by_bytes.elapsed));
        assert_eq!(by_bytes.brief(), "4/8 jobs  405 B/s  1 failed  62m ETA 2h");
    }
}
