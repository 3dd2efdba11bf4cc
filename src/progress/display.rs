//! How far a run is, on stderr: a bar that is drawn over itself on a terminal,
//! lines elsewhere, and what a person is to hear at once: why nothing happens, and
//! what helps.
//!
//! Whoever attends to signals calls [`ProgressDisplay::tick`], too.

use std::io::{self, Write as _};
use std::os::fd::AsFd as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, MutexGuard};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::screen::{Screen, TerminalSize};
use super::state::{ProgressState, Snapshot};
use crate::event::{Event, Observer};
use crate::numbers;
use crate::process;
use crate::sorting;
use crate::sync::Mutex;
use crate::task::Record;
use crate::text;

/// The bar comes only when a run has lasted this long: what is over at once
/// needs none.
const PATIENCE: Duration = Duration::from_millis(300);

/// A bar is drawn so often.
const REDRAW: Duration = Duration::from_millis(125);

/// How progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Show {
    /// A bar that is drawn over itself.
    Bar,
    /// A line for each slot, drawn the same way.
    Slots,
    /// Both.
    SlotsAndBar,
    /// A line at most once in this long.
    Lines(Duration),
    /// Nothing.
    Nothing,
}

/// Shows a [`ProgressState`].
pub struct ProgressDisplay {
    state: Arc<ProgressState>,
    show: Show,
    drawn: Mutex<DrawnProgress>,
    /// Whether it was told that output is held up.
    told_of_trouble: AtomicBool,
}

struct DrawnProgress {
    /// Whether progress is to be seen.
    on: bool,
    screen: Screen,
    bar: Option<ProgressBar>,
    last: Instant,
}

impl ProgressDisplay {
    /// Shows `state` as `show` says, when it is `on`.
    pub fn new(state: Arc<ProgressState>, show: Show, on: bool) -> Self {
        Self {
            state,
            show,
            drawn: Mutex::new(DrawnProgress {
                on,
                screen: Screen::default(),
                bar: None,
                last: Instant::now(),
            }),
            told_of_trouble: AtomicBool::new(false),
        }
    }

    /// Whether it draws over itself.
    pub fn is_drawn(&self) -> bool {
        matches!(self.show, Show::Bar | Show::Slots | Show::SlotsAndBar)
    }

    /// Whether each slot has a line of its own.
    pub fn shows_slots(&self) -> bool {
        matches!(self.show, Show::Slots | Show::SlotsAndBar)
    }

    /// Whether somebody sees how far it is.
    pub fn is_on(&self) -> bool {
        !matches!(self.show, Show::Nothing | Show::Slots) && self.drawn().on
    }

    /// The task in `slot` wrote `line` last.
    pub fn show_latest(&self, slot: u32, line: &[u8]) {
        self.state.wrote(slot, line);
    }

    /// Draws, if it is time to; says when to come again.
    pub fn tick(&self) -> Option<Duration> {
        let mut drawn = self.drawn();
        let interval = match self.show {
            _ if !drawn.on => return None,
            Show::Bar | Show::Slots | Show::SlotsAndBar => REDRAW,
            Show::Lines(interval) => interval,
            Show::Nothing => return None,
        };
        let due = interval.saturating_sub(drawn.last.elapsed());
        if !due.is_zero() {
            return Some(due);
        }
        drawn.last = Instant::now();
        match self.state.snapshot() {
            Some(now) if !self.is_drawn() => tell(&now.line()),
            Some(now) if now.elapsed >= PATIENCE && !is_in_background() => {
                let picture = self.picture(&now, drawn.screen.measure());
                drawn.draw(picture);
            }
            _ => drawn.clear(),
        }
        Some(interval)
    }

    /// What is drawn on a terminal of this size.
    fn picture(&self, now: &Snapshot, TerminalSize { columns, lines }: TerminalSize) -> String {
        let columns = usize::from(columns).saturating_sub(1);
        let mut picture = Vec::new();
        if self.shows_slots() {
            // One line is left of what was there before, and one is the bar's.
            picture = now.slots(columns, usize::from(lines).saturating_sub(2));
        }
        if self.show != Show::Slots {
            picture.push(now.line_within(columns));
        }
        picture.join("\n")
    }

    /// Shows progress from now on, or no more.
    pub fn toggle(&self) {
        let mut drawn = self.drawn();
        drawn.on = !drawn.on;
        // The next line is due at once.
        if let (Show::Lines(interval), true) = (self.show, drawn.on) {
            drawn.last = Instant::now().checked_sub(interval).unwrap_or(drawn.last);
        }
        drawn.clear();
    }

    /// Takes what is drawn off the screen, until it is time to draw again.
    pub fn clear(&self) {
        self.drawn().clear();
    }

    /// Nothing is due before an interval has passed.
    pub(super) fn start_over(&self) {
        let mut drawn = self.drawn();
        drawn.clear();
        drawn.last = Instant::now();
    }

    /// No progress any more.
    pub fn end(&self) {
        let mut drawn = self.drawn();
        drawn.on = false;
        drawn.clear();
    }

    /// Tells a person something on stderr.
    pub fn say(&self, text: &str) {
        self.beside(|_| tell(text));
    }

    /// Lists what runs, the longest-running first, with slot and time.
    pub fn list(&self) {
        let Some(now) = self.state.snapshot() else { return };
        let mut running: Vec<_> = now.running.iter().collect();
        sorting::sort_by_key(&mut running, |(_, task)| task.since);
        let mut text = format!("parsim: {}\n", now.line());
        for (slot, task) in running {
            let lasts = numbers::duration(task.since.elapsed());
            text += &format!("parsim: slot {}, {lasts}: {}\n", slot + 1, text::printable(&task.label));
        }
        self.write(&text);
    }

    /// Does `write`, which writes to the terminal, with the bar out of the way; it
    /// is told whether there is one.
    pub fn beside<T>(&self, write: impl FnOnce(bool) -> T) -> T {
        let drawn = self.drawn();
        if let Some(bar) = &drawn.bar {
            return bar.suspend(|| write(true));
        }
        drop(drawn);
        write(false)
    }

    fn write(&self, text: &str) {
        self.beside(|_| {
            // With stderr closed there is nobody left to tell.
            let _ = process::stderr().write_all(text.as_bytes());
        });
    }

    fn drawn(&self) -> MutexGuard<'_, DrawnProgress> {
        self.drawn.lock()
    }
}

impl Observer for ProgressDisplay {
    fn observe(&self, event: &Event<'_>) {
        self.state.observe(event);
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

impl DrawnProgress {
    fn draw(&mut self, text: String) {
        let bar = self.bar.get_or_insert_with(|| {
            let screen = ProgressDrawTarget::term_like(Box::new(self.screen.clone()));
            let style = ProgressStyle::with_template("{msg}").expect("a part that there is");
            ProgressBar::with_draw_target(None, screen).with_style(style)
        });
        bar.set_message(text);
    }

    fn clear(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

/// Whether somebody else has the terminal now: a shell, whose line is not to be drawn over.
fn is_in_background() -> bool {
    process::is_in_background(io::stderr().as_fd())
}

/// An observer that shows progress of runs that nobody else draws: whenever something
/// happens. A bar needs somebody who calls [`ProgressDisplay::tick`] as time passes.
pub struct RunProgress {
    display: Arc<ProgressDisplay>,
    /// Whether there was a run whose results were told.
    has_told_results: AtomicBool,
}

impl RunProgress {
    /// Shows progress of one run after another on `display`.
    pub fn on(display: Arc<ProgressDisplay>) -> Self {
        Self { display, has_told_results: AtomicBool::new(false) }
    }
}

impl Observer for RunProgress {
    fn observe(&self, event: &Event<'_>) {
        let display = &self.display;
        if display.show == Show::Nothing {
            if let Some(text) = notice(event) {
                tell(&text);
            }
            return;
        }
        display.observe(event);
        if !display.is_drawn() {
            display.tick();
        }
        match *event {
            // A line comes an interval after the start at the earliest.
            Event::RunStarted { .. } => display.start_over(),
            Event::RunFinished { .. } => {
                self.has_told_results.store(true, Ordering::Relaxed);
                display.clear();
            }
            Event::TaskFinished(record) => {
                let tells = display.is_drawn() && !self.has_told_results.load(Ordering::Relaxed);
                if let Some(line) = verdict(record).filter(|_| tells) {
                    display.write(&line);
                }
            }
            _ => {}
        }
    }
}

impl Drop for RunProgress {
    fn drop(&mut self) {
        self.display.end();
    }
}

/// What was found out about somebody outside: it is told at once.
fn verdict(record: &Record) -> Option<String> {
    let finding = record.finding.as_ref()?;
    let reason = if finding.reason.is_empty() { String::new() } else { format!("  {}", finding.reason) };
    let (verdict, time) = (&finding.verdict, numbers::duration(record.wall));
    let line = format!("{verdict:5} {time:>9}  {}{reason}", record.label);
    Some(text::printable(&line) + "\n")
}

/// What is to be said of `event`, if anything is.
fn notice(event: &Event<'_>) -> Option<String> {
    match *event {
        Event::StartsHeldUp { why, is_news: true } => Some(format!("waiting to start jobs: {why}")),
        Event::Told { text } => Some(text.to_owned()),
        Event::FewerSlots { slots, wanted, why } => Some(fewer_slots(slots, wanted, why)),
        Event::TaskWaitsToStart { why, is_news: true } => Some(format!(
            "{why}: jobs wait until others have ended (a smaller -j needs less; see ulimit -u and -n)"
        )),
        Event::TaskStopped { seq, signal, group, is_news: true, .. } => {
            let job = seq + 1;
            Some(if [libc::SIGTTIN, libc::SIGTTOU].contains(&signal) {
                format!(
                    "job {job} has stopped: it asks for the terminal; parsim parallel --tty lends it \
                     to one job at a time"
                )
            } else {
                format!("job {job} was stopped by signal {signal}; kill -CONT -- -{group} lets it go on")
            })
        }
        _ => None,
    }
}

/// Why, where files cannot be opened.
pub const NO_DESCRIPTORS: &str = "there are no descriptors for more: raise the limit (ulimit -n)";

/// That fewer slots run than were wanted.
pub fn fewer_slots(slots: usize, wanted: usize, why: &str) -> String {
    format!("running {slots} at a time, not {wanted}: {why}")
}

/// Says it on stderr.
fn tell(text: &str) {
    // What cannot be told is no reason to stop the work.
    let _ = writeln!(process::stderr(), "parsim: {}", text::without_numbers(&text::printable(text)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_that_asks_for_the_terminal_is_told_of_once_and_with_what_helps() {
        let of = |signal, is_news| {
            notice(&Event::TaskStopped { seq: 2, slot: 0, signal, group: 4711, is_news }).unwrap_or_default()
        };
        for signal in [libc::SIGTTIN, libc::SIGTTOU] {
            let text = of(signal, true);
            assert!(text.starts_with("job 3 has stopped: it asks for the terminal;"), "{text}");
            assert!(text.contains("--tty"), "{text}");
        }
        assert_eq!(of(19, true), "job 3 was stopped by signal 19; kill -CONT -- -4711 lets it go on");
        assert_eq!(of(libc::SIGTTIN, false), "");
    }
}
