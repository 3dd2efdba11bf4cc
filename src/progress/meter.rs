//! A batch's standing on stderr, drawn whenever it is time, so that it moves
//! although nothing ends: a bar on a terminal, plain lines elsewhere.
//!
//! Has no thread: whoever has one calls [`Meter::tick`].

use crate::sync::Mutex;
use std::io::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, MutexGuard};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::notice::{notice, tell};
use super::{Board, Show, Standing};
use crate::event::{Event, Observer};
use crate::format;
use crate::process;

/// The bar comes only when a run has lasted this long: what is over at once
/// needs none.
const PATIENCE: Duration = Duration::from_millis(300);

/// A bar is drawn so often.
const REDRAW: Duration = Duration::from_millis(125);

/// A line ends after so many characters of a command.
const LABEL: usize = 50;

/// Shows a [`Board`].
pub struct Meter {
    board: Arc<Board>,
    show: Show,
    face: Mutex<Face>,
    /// Whether it was told that output is held up.
    told_of_trouble: AtomicBool,
}

struct Face {
    /// Whether progress is to be seen.
    on: bool,
    bar: Option<ProgressBar>,
    told: Instant,
}

impl Meter {
    /// Shows `board` as `show` says, when it is `on`.
    #[must_use]
    pub fn new(board: Arc<Board>, show: Show, on: bool) -> Self {
        let face = Mutex::new(Face { on, bar: None, told: Instant::now() });
        Self { board, show, face, told_of_trouble: AtomicBool::new(false) }
    }

    /// Draws, if it is time to; says when to come again.
    pub fn tick(&self) -> Option<Duration> {
        let standing = self.board.standing();
        let mut face = self.face();
        if !face.on {
            return None;
        }
        match (self.show, standing) {
            (Show::Nothing, _) => None,
            (Show::Bar, standing) => {
                match standing {
                    Some(standing) if standing.elapsed >= PATIENCE => face.draw(&standing),
                    _ => face.clear(),
                }
                Some(REDRAW)
            }
            (Show::Lines(interval), standing) => {
                let due = interval.saturating_sub(face.told.elapsed());
                if !due.is_zero() {
                    return Some(due);
                }
                face.told = Instant::now();
                if let Some(standing) = standing {
                    tell(&standing.line(LABEL));
                }
                Some(interval)
            }
        }
    }

    /// Shows progress from now on, or no more.
    pub fn toggle(&self) {
        let mut face = self.face();
        face.on = !face.on;
        // The next line is due at once.
        if let (Show::Lines(interval), true) = (self.show, face.on) {
            face.told = Instant::now().checked_sub(interval).unwrap_or(face.told);
        }
        face.clear();
    }

    /// No progress any more.
    pub fn end(&self) {
        let mut face = self.face();
        face.on = false;
        face.clear();
    }

    /// Tells a person something on stderr.
    pub fn say(&self, text: &str) {
        self.beside(|_| tell(text));
    }

    /// Lists what runs, with slot and time.
    pub fn list(&self) {
        let Some(standing) = self.board.standing() else { return };
        let tasks = standing.running.iter().map(|task| {
            let lasts = format::duration(task.lasts);
            let label = format::printable(&task.label);
            format!("parsim: slot {}, {lasts}: {label}\n", task.slot + 1)
        });
        let text: String =
            std::iter::once(format!("parsim: {}\n", standing.line(LABEL))).chain(tasks).collect();
        self.beside(|_| {
            // With stderr closed there is nobody left to tell.
            let _ = process::stderr().write_all(text.as_bytes());
        });
    }

    /// Does `write`, which writes to the terminal, with the bar out of the way; it
    /// is told whether there is one.
    pub fn beside<T>(&self, write: impl FnOnce(bool) -> T) -> T {
        let face = self.face();
        if let Some(bar) = &face.bar {
            return bar.suspend(|| write(true));
        }
        drop(face);
        write(false)
    }

    fn face(&self) -> MutexGuard<'_, Face> {
        self.face.lock()
    }
}

impl Observer for Meter {
    fn observe(&self, event: &Event<'_>) {
        self.board.observe(event);
        if let Some(text) = notice(event) {
            self.say(&text);
        }
        if let Event::OutputHeldUp { why } = event
            && !self.told_of_trouble.swap(true, Ordering::Relaxed)
        {
            self.say(&format!("{why}: jobs wait until there is a place for what they write"));
        }
    }
}

impl Face {
    fn draw(&mut self, standing: &Standing) {
        let bar =
            self.bar.get_or_insert_with(|| ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr()));
        if bar.length() != standing.total || bar.position() == 0 {
            bar.set_style(style(standing.total.is_some()));
            match standing.total {
                Some(total) => bar.set_length(total),
                None => bar.unset_length(),
            }
        }
        bar.set_position(standing.done);
        bar.set_message(standing.line(LABEL));
        bar.tick();
    }

    fn clear(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

fn style(bounded: bool) -> ProgressStyle {
    let template = if bounded { "{bar:20} {percent:>3}% {wide_msg}" } else { "{spinner} {wide_msg}" };
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
