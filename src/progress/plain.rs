//! Progress where there is no terminal: a line now and then, so that a log of
//! long work shows that it goes on, and one of short work shows nothing.

use crate::sync::Mutex;
use std::io::Write as _;
use std::time::{Duration, Instant};

use crate::event::{Event, Observer};
use crate::format;
use crate::process;
use crate::progress::WORTH_A_RATE;
use crate::progress::notice::{notice, tell};

/// Prints how far the run has come, at most once in an interval.
pub struct Plain {
    interval: Duration,
    state: Mutex<Option<State>>,
}

struct State {
    name: String,
    unit: String,
    started: Instant,
    told: Instant,
    done: u64,
    tasks: Option<u64>,
    bytes: u64,
    failed: u64,
}

impl Plain {
    /// At most one line in each `interval`.
    #[must_use]
    pub fn every(interval: Duration) -> Self {
        Self { interval, state: Mutex::default() }
    }
}

impl Observer for Plain {
    fn observe(&self, event: &Event<'_>) {
        if let Some(text) = notice(event) {
            tell(&text);
        }
        let mut guard = self.state.lock();
        if let Event::RunStarted { column, tasks, unit, .. } = *event {
            let now = Instant::now();
            *guard = Some(State {
                name: column.to_string(),
                unit: unit.to_owned(),
                started: now,
                told: now,
                done: 0,
                tasks,
                bytes: 0,
                failed: 0,
            });
        }
        let Some(state) = guard.as_mut() else { return };
        match *event {
            Event::Advanced { bytes } => state.bytes += bytes,
            Event::TaskFinished(record) => {
                state.done += 1;
                state.failed += u64::from(record.outcome.is_failure());
            }
            Event::RunStarted { .. }
            | Event::TaskStarted { .. }
            | Event::TaskNamed { .. }
            | Event::TasksEnded { .. }
            | Event::OutputHeldUp { .. }
            | Event::StartsHeldUp { .. }
            | Event::StartsGoOn
            | Event::TaskStopped { .. }
            | Event::TaskContinued { .. }
            | Event::TaskWaitsToStart { .. }
            | Event::FewerSlots { .. }
            | Event::RunFinished { .. } => return,
        }
        if state.told.elapsed() >= self.interval {
            state.told = Instant::now();
            // Progress that cannot be told is no reason to stop the work.
            let _ = writeln!(process::stderr(), "{}", state.line());
        }
    }
}

impl State {
    fn line(&self) -> String {
        let elapsed = self.started.elapsed();
        let of = self.tasks.map_or_else(String::new, |tasks| format!(" of {tasks}"));
        let mut line = format!("parsim: {}: {}{of} {}s", self.name, self.done, self.unit);
        if self.bytes >= WORTH_A_RATE {
            let rate = self.bytes as f64 / elapsed.as_secs_f64().max(1e-3);
            line += &format!(", {} at {}", format::bytes(self.bytes as f64), format::rate(rate));
        }
        if self.failed > 0 {
            line += &format!(", {} failed", self.failed);
        }
        line + &format!(", {} elapsed", format::duration(elapsed))
    }
}
