//! A progress bar on a terminal: tasks done, bytes per second, time left.

use crate::sync::{Condvar, Mutex};
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use crate::event::{Event, Observer};
use crate::format;
use crate::progress::WORTH_A_RATE;
use crate::progress::notice::{notice, tell};
use crate::task::Record;

/// The bar comes only when a run has lasted this long: what is over at once
/// needs none.
const PATIENCE: Duration = Duration::from_millis(300);

/// The time that has passed is shown this often while nothing happens.
const TICK: Duration = Duration::from_millis(500);

/// Draws the run that goes on; wiped when it is over.
#[derive(Default)]
pub struct Bar {
    shared: Arc<Shared>,
    ticker: Mutex<Option<JoinHandle<()>>>,
    /// Whether there was a run whose results were told.
    told: AtomicBool,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    /// Rung when the run is over.
    over: Condvar,
}

#[derive(Default)]
struct State {
    bar: Option<ProgressBar>,
    started: Option<Instant>,
    /// Whether the bar counts bytes; it counts tasks otherwise.
    by_bytes: bool,
    unit: String,
    done: u64,
    tasks: Option<u64>,
    bytes: u64,
    failed: u64,
    /// Why nothing is started for now.
    waits: Option<String>,
    /// Whether each result is told as it comes: in the first run only.
    tells: bool,
}

impl Observer for Bar {
    fn observe(&self, event: &Event<'_>) {
        match *event {
            Event::RunStarted { column, run, tasks, bytes, unit, .. } => {
                // The bar moves by bytes where a few large tasks make up the run.
                let by_bytes = bytes.is_some_and(|bytes| bytes > 0);
                let length = if by_bytes { bytes } else { tasks };
                let bar = ProgressBar::with_draw_target(length, ProgressDrawTarget::hidden());
                let name = if run == 0 { format!("{column} warm-up") } else { format!("{column} {run}") };
                bar.set_prefix(name);
                bar.set_style(style(length.is_some()));
                let unit = unit.to_owned();
                let (bar, started) = (Some(bar), Some(Instant::now()));
                let tells = !self.told.swap(true, Ordering::Relaxed);
                self.start(State { bar, started, by_bytes, unit, tasks, tells, ..State::default() });
            }
            Event::Advanced { bytes } => self.shared.draw(|state| state.bytes += bytes),
            Event::TaskFinished(record) => self.shared.draw(|state| {
                state.tell(record);
                state.done += 1;
                state.failed += u64::from(record.outcome.is_failure());
            }),
            Event::TaskStarted { .. } | Event::TaskNamed { .. } => self.shared.draw(|_| ()),
            Event::StartsHeldUp { why, .. } => self.shared.draw(|state| {
                state.say(event);
                state.waits = Some(why.to_owned());
            }),
            Event::StartsGoOn => self.shared.draw(|state| state.waits = None),
            Event::TaskStopped { .. } | Event::TaskWaitsToStart { .. } | Event::FewerSlots { .. } => {
                self.shared.draw(|state| state.say(event));
            }
            Event::TasksEnded { .. } | Event::OutputHeldUp { .. } | Event::TaskContinued { .. } => {}
            Event::RunFinished { .. } => self.stop(),
        }
    }
}

impl Bar {
    /// A task that lasts says nothing: somebody has to look at the clock. Beside
    /// the work, for the length of a run, and only where a bar is drawn.
    fn start(&self, state: State) {
        self.stop();
        *self.shared.lock() = state;
        let shared = Arc::clone(&self.shared);
        let ticker = thread::Builder::new().name("progress".to_owned()).spawn(move || shared.tick());
        // Without a thread the bar moves when something happens.
        *self.ticker.lock() = ticker.ok();
    }

    /// Wipes the bar; its thread is gone when the next run begins.
    fn stop(&self) {
        if let Some(bar) = self.shared.lock().bar.take() {
            bar.finish_and_clear();
        }
        self.shared.over.notify_all();
        let ticker = self.ticker.lock().take();
        if let Some(ticker) = ticker {
            // It has nothing to tell.
            let _ = ticker.join();
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    /// Something happened.
    fn draw(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.lock();
        change(&mut state);
        state.draw();
    }

    /// Draws every now and then until the run is over.
    fn tick(&self) {
        let mut state = self.lock();
        let mut wait = PATIENCE;
        while state.bar.is_some() {
            (state, _) = self.over.wait_timeout_while(state, wait, |state| state.bar.is_some());
            state.draw();
            wait = TICK;
        }
    }
}

impl State {
    /// What was found out about somebody outside is told above the bar at once.
    fn tell(&mut self, record: &Record) {
        let (Some(bar), Some(finding), true) = (&self.bar, &record.finding, self.tells) else { return };
        if bar.is_hidden() {
            bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        let reason = if finding.reason.is_empty() { String::new() } else { format!("  {}", finding.reason) };
        let (verdict, time) = (&finding.verdict, format::duration(record.wall));
        let line = format!("{verdict:5} {time:>9}  {}{reason}", record.label);
        bar.println(format::printable(&line));
    }

    /// Says what there is to say of `event`, with the bar out of its way.
    fn say(&self, event: &Event<'_>) {
        let Some(text) = notice(event) else { return };
        match &self.bar {
            Some(bar) => bar.suspend(|| tell(&text)),
            None => tell(&text),
        }
    }

    fn draw(&mut self) {
        let (Some(bar), Some(started)) = (&self.bar, self.started) else { return };
        if bar.is_hidden() {
            if started.elapsed() < PATIENCE {
                return;
            }
            bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        let of = self.tasks.map_or_else(String::new, |tasks| format!("/{tasks}"));
        let mut message = format!("{}{of} {}s", self.done, self.unit);
        if self.bytes >= WORTH_A_RATE {
            let rate = self.bytes as f64 / started.elapsed().as_secs_f64().max(1e-3);
            message += &format!("  {}", format::rate(rate));
        }
        if self.failed > 0 {
            message += &format!("  {} failed", self.failed);
        }
        if let Some(why) = &self.waits {
            message += &format!("  waiting: {why}");
        }
        bar.set_message(message);
        bar.set_position(if self.by_bytes { self.bytes } else { self.done });
    }
}

fn style(bounded: bool) -> ProgressStyle {
    let template = if bounded {
        "{prefix} {wide_bar} {percent:>3}%  {msg}  {elapsed}{left}"
    } else {
        "{prefix} {spinner} {msg}  {elapsed}"
    };
    let left = |state: &ProgressState, text: &mut dyn fmt::Write| {
        // What has not begun to move is at no rate.
        if state.pos() > 0 {
            let _ = write!(text, " ETA {:#}", HumanDuration(state.eta()));
        }
    };
    ProgressStyle::with_template(template).expect("the template is tested").with_key("left", left)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_templates_are_sound() {
        style(true);
        style(false);
    }
}
