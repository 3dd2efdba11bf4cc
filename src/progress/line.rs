//! How far a run is in one line, however narrow: what matters most is there in 40
//! columns, and more where there is room.

use std::time::Duration;

use unicode_width::UnicodeWidthStr as _;

use super::state::{RunningTask, Snapshot};
use crate::numbers;
use crate::text::{printable, shortened};

/// Fewer bytes than this are results, not a stream to be told the rate of.
const WORTH_A_RATE: u64 = 1_000_000;

/// What is told of a command takes no more columns, where a line has no end.
const LONGEST_LABEL: usize = 60;

/// A command is told of if there are this many columns for it.
const LEAST_LABEL: usize = 16;

/// One column of a bar for so many of the line.
const COLUMNS_PER_BAR: usize = 8;

impl Snapshot {
    /// All of it, in as many columns as it takes.
    pub(super) fn line(&self) -> String {
        let label = self.label(LONGEST_LABEL).unwrap_or_default();
        let line = self.done() + &self.at_work().unwrap_or_default() + &label;
        let times = [self.waiting(), self.rate(), Some(clock_time(self.elapsed)), self.expected_end()];
        times.into_iter().flatten().fold(line, |line, told| line + ", " + &told)
    }

    /// As much as `width` columns hold, what matters most first.
    pub(super) fn line_within(&self, width: usize) -> String {
        let done = self.done();
        let mut room = width.saturating_sub(done.width());
        let mut taken = |text: Option<String>| {
            let text = text.filter(|text| text.width() <= room).unwrap_or_default();
            room -= text.width();
            text
        };
        let apart = |text: Option<String>| text.map(|text| format!("  {text}"));
        let end = taken(apart(self.expected_end()));
        let at_work = taken(self.at_work());
        let waiting = taken(self.waiting().map(|why| format!(", {why}")));
        let label = taken(self.label(LEAST_LABEL).filter(|_| !at_work.is_empty()));
        let percent = taken(self.percent().map(|percent| format!("{percent:3}% ")));
        let rate = taken(apart(self.rate()));
        let bar = taken(self.share().map(|share| bar(share, width / COLUMNS_PER_BAR)));
        let elapsed = taken(apart(Some(clock_time(self.elapsed))));
        // What is left goes to a command that was cut.
        let longer = self.label(label.width() + room).filter(|_| !label.is_empty());
        let label = longer.unwrap_or(label);
        cut_to(&format!("{bar}{percent}{done}{at_work}{label}{waiting}{rate}{elapsed}{end}"), width)
    }

    /// A line of `width` for each task that runs, `most` at most: where it runs, what it is,
    /// and what it wrote last.
    pub(super) fn slots(&self, width: usize, most: usize) -> Vec<String> {
        let n_shown = if self.running.len() <= most { most } else { most.saturating_sub(1) };
        let shown = self.running.iter().take(n_shown).map(|(slot, task)| {
            let label = printable(&task.label);
            // A task is known by the beginning of its command.
            let label = if task.latest.is_empty() { label } else { cut_to(&label, width / 3) };
            let line = format!("{} {label}{}: {}", slot + 1, lasts(task), printable(&task.latest));
            cut_to(line.trim_end_matches([':', ' ']), width)
        });
        let n_more = self.running.len().saturating_sub(n_shown);
        let rest = (n_more > 0 && most > 0).then(|| cut_to(&format!("and {n_more} more"), width));
        shown.chain(rest).collect()
    }

    /// Which run it is, and how many tasks are over.
    fn done(&self) -> String {
        let which = self.which.as_ref().map(|which| {
            let (number, of) = (which.number, which.of);
            format!("run {number}/{of} {}: ", which.column.name)
        });
        let done = match self.total {
            Some(total) => format!("{}/{total} done", self.done),
            None if self.at_least > self.started => format!("{} of {}+ done", self.done, self.at_least),
            None => format!("{} done", self.done),
        };
        let failed = if self.failed > 0 { format!(", {} failed", self.failed) } else { String::new() };
        which.unwrap_or_default() + &done + &failed
    }

    /// How many run.
    fn at_work(&self) -> Option<String> {
        let stopped = self.running.values().filter(|task| task.is_stopped).count();
        let stopped = if stopped > 0 { format!(" ({stopped} stopped)") } else { String::new() };
        (!self.running.is_empty()).then(|| format!(", {} running{stopped}", self.running.len()))
    }

    /// What runs longest and for how long, in so many columns at most.
    fn label(&self, columns: usize) -> Option<String> {
        let longest = self.longest()?;
        let rest = lasts(longest);
        let label = cut_to(&printable(&longest.label), columns.saturating_sub(rest.width() + 2));
        Some(label).filter(|label| !label.is_empty()).map(|label| format!(": {label}{rest}"))
    }

    fn waiting(&self) -> Option<String> {
        self.waits.as_ref().map(|why| format!("waiting: {}", printable(why)))
    }

    /// How much is done in a time: bytes where there are many, and tasks elsewhere.
    fn rate(&self) -> Option<String> {
        let seconds = self.elapsed.as_secs_f64().max(1e-3);
        if self.bytes >= WORTH_A_RATE {
            return Some(numbers::rate(self.bytes as f64 / seconds));
        }
        let each_second = self.done as f64 / seconds;
        let (each, unit) = match each_second {
            0.0 => return None,
            rate if rate >= 1.0 => (rate, "s"),
            rate if rate >= 1.0 / 60.0 => (rate * 60.0, "min"),
            rate => (rate * 3600.0, "h"),
        };
        Some(if each >= 10.0 { format!("{each:.0}/{unit}") } else { format!("{each:.1}/{unit}") })
    }

    fn expected_end(&self) -> Option<String> {
        // What is not over yet is never over in no time.
        let eta = self.eta?.as_secs_f64().ceil().max(1.0);
        Some(format!("ETA {}", clock_time(Duration::try_from_secs_f64(eta).ok()?)))
    }
}

/// For how long `task` has run, once that is worth a word.
fn lasts(task: &RunningTask) -> String {
    let lasts = task.since.elapsed();
    match lasts.as_secs() {
        0 => String::new(),
        seconds @ 1..60 => format!(" ({seconds} s)"),
        _ => format!(" ({})", clock_time(lasts)),
    }
}

/// So many columns, of which `share` is full.
fn bar(share: f64, columns: usize) -> String {
    let full = (1..=columns).filter(|column| *column as f64 <= share * columns as f64).count();
    format!("{}{} ", "█".repeat(full), "░".repeat(columns - full))
}

/// As a clock shows it: `0:07`, `12:30`, `1:02:03`.
fn clock_time(time: Duration) -> String {
    let seconds = time.as_secs();
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

/// `text` in so many columns, with a mark where something is left out.
pub(super) fn cut_to(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    (0..columns)
        .rev()
        .map(|most| shortened(text, most))
        .find(|cut| cut.width() <= columns)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Instant;

    use super::super::state::WhichRun;
    use super::*;
    use crate::task::Column;

    fn running(label: &str, seconds: u64) -> BTreeMap<u32, RunningTask> {
        let since = Instant::now().checked_sub(Duration::from_secs(seconds)).unwrap();
        let (label, latest) = (label.into(), String::new());
        BTreeMap::from([(1, RunningTask { seq: 0, since, label, is_stopped: false, latest })])
    }

    fn snapshot(total: Option<u64>) -> Snapshot {
        Snapshot {
            elapsed: Duration::from_secs(3700),
            total,
            started: 6,
            done: 5,
            failed: 1,
            running: running("sleep 8", 4),
            eta: total.map(|_| Duration::from_millis(3400)),
            ..Snapshot::default()
        }
    }

    #[test]
    fn the_line_tells_what_matters_in_any_width() {
        let now = snapshot(Some(6));
        let lines = [40, 60, 80, 120].map(|width| now.line_within(width));
        assert_eq!(
            lines,
            [
                "5/6 done, 1 failed, 1 running  ETA 0:04",
                " 83% 5/6 done, 1 failed, 1 running: sleep 8 (4 s)  ETA 0:04",
                "████████░░  83% 5/6 done, 1 failed, 1 running: sleep 8 (4 s)  4.9/h  ETA 0:04",
                "████████████░░░  83% 5/6 done, 1 failed, 1 running: sleep 8 (4 s)  4.9/h  1:01:40  \
                 ETA 0:04",
            ]
        );
        assert_eq!(now.line(), "5/6 done, 1 failed, 1 running: sleep 8 (4 s), 4.9/h, 1:01:40, ETA 0:04");
    }

    #[test]
    fn no_line_is_wider_than_it_may_be_and_all_it_may_be_is_used_for_a_long_command() {
        for label in ["x".repeat(300), "名前".repeat(100), "\u{1b}[2J".repeat(50), String::new()] {
            let now = Snapshot { running: running(&label, 75), ..snapshot(Some(6)) };
            for width in 0..200 {
                let line = now.line_within(width);
                assert!(line.width() <= width, "{width}: {line}");
                assert!(label.len() < 300 || width < 60 || line.width() + 1 >= width, "{width}: {line}");
            }
        }
    }

    #[test]
    fn a_total_that_is_not_known_yet_is_told_as_far_as_inputs_are_there() {
        let line = |at_least| Snapshot { at_least, ..snapshot(None) }.line_within(60);
        assert_eq!(line(40), "5 of 40+ done, 1 failed, 1 running: sleep 8 (4 s)  4.9/h");
        assert_eq!(line(6), "5 done, 1 failed, 1 running: sleep 8 (4 s)  4.9/h  1:01:40");
    }

    #[test]
    fn the_line_tells_why_nothing_happens() {
        let mut now = Snapshot { waits: Some("load 9".into()), ..snapshot(None) };
        now.running.values_mut().for_each(|task| task.is_stopped = true);
        assert_eq!(
            now.line_within(80),
            "5 done, 1 failed, 1 running (1 stopped): sleep 8 (4 s), waiting: load 9  4.9/h"
        );
    }

    #[test]
    fn each_slot_has_a_line_with_its_job_and_what_it_wrote_last_as_far_as_there_are_lines() {
        let mut now = snapshot(None);
        let first = RunningTask { latest: "44 %\u{1b}[K".into(), ..now.running[&1].clone() };
        now.running.insert(0, first.clone());
        assert_eq!(now.slots(40, 5), ["1 sleep 8 (4 s): 44 %\\u{1b}[K", "2 sleep 8 (4 s)"]);
        assert_eq!(now.slots(14, 2), ["1 sle… (4 s):…", "2 sleep 8 (4 …"]);
        now.running.insert(7, first);
        assert_eq!(now.slots(40, 2), ["1 sleep 8 (4 s): 44 %\\u{1b}[K", "and 2 more"]);
        assert_eq!(now.slots(40, 0), [""; 0]);
    }

    #[test]
    fn one_of_several_runs_says_which_it_is() {
        let which = Some(WhichRun { number: 3, of: 10, column: Column::PARALLEL });
        let now = Snapshot { which, failed: 0, ..snapshot(Some(6)) };
        assert_eq!(now.line_within(40), "run 3/10 parallel: 5/6 done  ETA 0:04");
        assert_eq!(now.line_within(50), "run 3/10 parallel: 5/6 done, 1 running  ETA 0:04");
    }
}
