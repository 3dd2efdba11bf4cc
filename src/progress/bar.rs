//! A progress bar on a terminal: tasks done, bytes per second, time left.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::event::{Event, Observer};
use crate::format;
use crate::progress::WORTH_A_RATE;

/// The bar comes only when a run has lasted this long: what is over at once
/// needs none.
const PATIENCE: Duration = Duration::from_millis(300);

/// Draws the run that goes on; wiped when it is over.
#[derive(Default)]
pub struct Bar {
    state: Mutex<State>,
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
}

impl Observer for Bar {
    fn observe(&self, event: &Event<'_>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match *event {
            Event::RunStarted { way, run, tasks, bytes, unit, .. } => {
                // The bar moves by bytes where a few large tasks make up the run.
                let by_bytes = bytes.is_some_and(|bytes| bytes > 0);
                let length = if by_bytes { bytes } else { tasks };
                let bar = ProgressBar::with_draw_target(length, ProgressDrawTarget::hidden());
                let name = if run == 0 { format!("{way} warm-up") } else { format!("{way} {run}") };
                bar.set_prefix(name);
                bar.set_style(style(length.is_some()));
                *state = State {
                    bar: Some(bar),
                    started: Some(Instant::now()),
                    by_bytes,
                    unit: unit.to_owned(),
                    tasks,
                    ..State::default()
                };
            }
            Event::Advanced { bytes } => {
                state.bytes += bytes;
                state.draw();
            }
            Event::TaskFinished(record) => {
                state.done += 1;
                state.failed += u64::from(record.outcome.is_failure());
                state.draw();
            }
            Event::RunFinished { .. } => {
                if let Some(bar) = state.bar.take() {
                    bar.finish_and_clear();
                }
            }
            Event::TaskStarted { .. } | Event::TaskNamed { .. } => state.draw(),
        }
    }
}

impl State {
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
        bar.set_message(message);
        bar.set_position(if self.by_bytes { self.bytes } else { self.done });
    }
}

fn style(bounded: bool) -> ProgressStyle {
    let template = if bounded {
        "{prefix} {wide_bar} {percent:>3}%  {msg}  {elapsed} ETA {eta}"
    } else {
        "{prefix} {spinner} {msg}  {elapsed}"
    };
    ProgressStyle::with_template(template).expect("the template is tested")
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
