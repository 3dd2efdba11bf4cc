//! How far a run is, on stderr: a bar that is drawn over itself on a terminal,
//! lines elsewhere, and what a person is to hear at once: why nothing happens, and
//! what helps.
//!
//! A batch of commands has a thread of its own for signals, which calls
//! [`ProgressDisplay::tick`]; for other runs there is [`RunProgress`].

use std::io::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::state::{ProgressState, Snapshot};
use crate::event::{Event, Observer};
use crate::numbers;
use crate::process;
use crate::sync::Mutex;
use crate::task::Record;
use crate::text;

/// The bar comes only when a run has lasted this long: what is over at once
/// needs none.
const PATIENCE: Duration = Duration::from_millis(300);

/// A bar is drawn so often.
const REDRAW: Duration = Duration::from_millis(125);

/// A line ends after so many characters of a command.
const LABEL: usize = 50;

/// How progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Show {
    /// A bar that is drawn over itself.
    Bar,
    /// A line at most once in this long.
    Lines(Duration),
    /// Nothing.
    Nothing,
}

/// Shows a [`ProgressState`].
pub struct ProgressDisplay {
    state: Arc<ProgressState>,
    show: Show,
    layout: Layout,
    drawn: Mutex<DrawnProgress>,
    /// Whether it was told that output is held up.
    told_of_trouble: AtomicBool,
}

/// What is shown, and where the bar stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Layout {
    /// Of one batch: all that is known of its jobs.
    Batch,
    /// Of one run after another: its name and how far it is.
    Runs,
}

struct DrawnProgress {
    /// Whether progress is to be seen.
    on: bool,
    bar: Option<ProgressBar>,
    last: Instant,
}

impl ProgressDisplay {
    /// Shows `state` as `show` says, when it is `on`.
    pub fn new(state: Arc<ProgressState>, show: Show, on: bool) -> Self {
        Self {
            state,
            show,
            layout: Layout::Batch,
            drawn: Mutex::new(DrawnProgress { on, bar: None, last: Instant::now() }),
            told_of_trouble: AtomicBool::new(false),
        }
    }

    /// Draws, if it is time to; says when to come again.
    pub fn tick(&self) -> Option<Duration> {
        let mut drawn = self.drawn();
        let interval = match self.show {
            _ if !drawn.on => return None,
            Show::Bar => REDRAW,
            Show::Lines(interval) => interval,
            Show::Nothing => return None,
        };
        let due = interval.saturating_sub(drawn.last.elapsed());
        if !due.is_zero() {
            return Some(due);
        }
        drawn.last = Instant::now();
        match (self.show, self.state.snapshot()) {
            (Show::Bar, Some(now)) if now.elapsed >= PATIENCE => drawn.draw(&now, self.layout),
            (Show::Bar, _) => drawn.clear(),
            (_, Some(now)) => tell(&self.layout.line(&now)),
            (_, None) => {}
        }
        Some(interval)
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
        running.sort_by_key(|(_, task)| task.since);
        let mut text = format!("parsim: {}\n", now.line(LABEL));
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
    fn draw(&mut self, now: &Snapshot, layout: Layout) {
        let bar =
            self.bar.get_or_insert_with(|| ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr()));
        let (done, total) = now.position();
        if bar.length() != total || bar.position() == 0 {
            bar.set_style(layout.style(total.is_some()));
            match total {
                Some(total) => bar.set_length(total),
                None => bar.unset_length(),
            }
        }
        bar.set_position(done);
        bar.set_prefix(now.run.clone());
        bar.set_message(layout.message(now));
        bar.tick();
    }

    fn clear(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

impl Layout {
    fn style(self, bounded: bool) -> ProgressStyle {
        let template = match (self, bounded) {
            (Self::Batch, true) => "{bar:20} {percent:>3}% {wide_msg}",
            (Self::Batch, false) => "{spinner} {wide_msg}",
            (Self::Runs, true) => "{prefix} {wide_bar} {percent:>3}%  {msg}",
            (Self::Runs, false) => "{prefix} {spinner} {msg}",
        };
        ProgressStyle::with_template(template).expect("the template is tested")
    }

    /// What stands beside the bar.
    fn message(self, now: &Snapshot) -> String {
        match self {
            Self::Batch => now.line(LABEL),
            Self::Runs => now.brief(),
        }
    }

    /// What stands alone.
    fn line(self, now: &Snapshot) -> String {
        match self {
            Self::Batch => now.line(LABEL),
            Self::Runs => format!("{}: {}", now.run, now.brief()),
        }
    }
}

/// The observer that shows progress of one run after another as asked for.
pub fn observer(show: Show) -> Box<dyn Observer> {
    let display =
        ProgressDisplay { layout: Layout::Runs, ..ProgressDisplay::new(Arc::default(), show, true) };
    Box::new(RunProgress {
        display: Arc::new(display),
        ticker: Mutex::default(),
        has_told_results: AtomicBool::new(false),
    })
}

/// Shows progress of runs that nobody else draws: whenever something happens, and a
/// bar as time passes, too.
struct RunProgress {
    display: Arc<ProgressDisplay>,
    /// A task that lasts says nothing: a thread looks at the clock, for the length of a
    /// run, until this end of its channel is gone.
    ticker: Mutex<Option<(Sender<()>, JoinHandle<()>)>>,
    /// Whether there was a run whose results were told.
    has_told_results: AtomicBool,
}

impl RunProgress {
    /// Without a thread the bar moves when something happens.
    fn start_ticker(&self) {
        let (over, is_over) = mpsc::channel();
        let display = Arc::clone(&self.display);
        let next = move || is_over.recv_timeout(display.tick().unwrap_or(REDRAW));
        let tick = move || while next() == Err(RecvTimeoutError::Timeout) {};
        let thread = thread::Builder::new().name("progress".to_owned()).spawn(tick);
        *self.ticker.lock() = thread.ok().map(|thread| (over, thread));
    }

    /// Takes what shows the time away; a bar goes with it.
    fn stop(&self) {
        if let Some((over, thread)) = self.ticker.lock().take() {
            drop(over);
            // It has nothing to tell.
            let _ = thread.join();
        }
        self.display.drawn().clear();
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
        match *event {
            Event::RunStarted { .. } => {
                self.stop();
                // A line comes an interval after the start at the earliest.
                display.drawn().last = Instant::now();
                if display.show == Show::Bar {
                    self.start_ticker();
                }
            }
            Event::RunFinished { .. } => {
                self.has_told_results.store(true, Ordering::Relaxed);
                self.stop();
            }
            Event::TaskFinished(record) => {
                let tells = display.show == Show::Bar && !self.has_told_results.load(Ordering::Relaxed);
                if let Some(line) = verdict(record).filter(|_| tells) {
                    display.write(&line);
                }
                display.tick();
            }
            _ => drop(display.tick()),
        }
    }
}

impl Drop for RunProgress {
    fn drop(&mut self) {
        self.stop();
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
    let _ = writeln!(process::stderr(), "parsim: {}", text::printable(text));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_templates_are_sound() {
        for layout in [Layout::Batch, Layout::Runs] {
            layout.style(true);
            layout.style(false);
        }
    }

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
