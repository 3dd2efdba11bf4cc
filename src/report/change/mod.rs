//! Two studies side by side: what changed from one to the other, as a document
//! and for programs.

pub(super) mod json;
#[cfg(test)]
mod tests;

use super::document::{Cells, Chart, Content, Document, Grid, Section, Sentence, Subject, Tile};
use super::sentences;
use crate::format::{self, seconds};
use crate::study::{Change, Changes, ColumnResult, Interval, Study, Verdict};

/// Of so many columns there is a tile each.
const MOST_TILES: usize = 3;

/// Two studies, and what changed from the first to the second.
#[derive(Clone, Debug)]
pub struct StudyPair<'a> {
    /// The earlier one.
    pub before: Side<'a>,
    /// The later one.
    pub after: Side<'a>,
    /// What changed.
    pub changes: Changes<'a>,
}

/// One of the two.
#[derive(Clone, Copy, Debug)]
pub struct Side<'a> {
    /// What a person calls it: the name of its file.
    pub name: &'a str,
    /// What was measured.
    pub study: &'a Study,
}

/// What became of a column's time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trend {
    Slower,
    Faster,
    /// No measurable difference.
    Same,
    /// Too few runs to tell.
    Untested,
    /// The times are not those of the same work.
    Unclaimed,
}

impl<'a> StudyPair<'a> {
    /// `before` and `after` with what lies between.
    #[must_use]
    pub fn new(before: Side<'a>, after: Side<'a>) -> Self {
        Self { before, after, changes: Changes::between(before.study, after.study) }
    }

    /// What there is to see of it.
    pub(super) fn document(&self) -> Document<'_> {
        let columns = &self.changes.columns;
        let results = self.results().map(Sentence::plain).into_iter().collect();
        let mut figures = vec![Content::Lines(results)];
        let mut charts = Vec::new();
        if !columns.is_empty() {
            figures.insert(0, Content::Table(self.table()));
            let medians = columns.iter().map(|it| (self.head(it), it.before, it.after)).collect();
            charts.push(Content::Chart(Chart::BeforeAfter(medians)));
        }
        Document {
            headline: format::printable(&format!("{}: before and after", self.after.study.workload)),
            subjects: self.sides().map(|(when, side)| side.subject(when)).into(),
            tiles: self.tiles(),
            sections: vec![
                Section::new("Side by side", figures),
                Section::new("", charts),
                Section::new("Notes", vec![Content::Notes(self.notes())]),
            ],
            conclusion: self.verdicts().into_iter().map(|(trend, text)| trend.say(text)).collect(),
            hint: None,
        }
    }

    /// Both, with what each is called in front of everything about it.
    fn sides(&self) -> [(&'static str, Side<'a>); 2] {
        [("before", self.before), ("after", self.after)]
    }

    fn tiles(&self) -> Vec<Tile> {
        // Of many columns the first and the widest.
        let columns = &self.changes.columns;
        let left_out = 1..columns.len().saturating_sub(MOST_TILES - 1).max(1);
        let shown = columns.iter().enumerate().filter(|(at, _)| !left_out.contains(at));
        let mut tiles: Vec<Tile> = shown.map(|(_, change)| tile(&self.head(change), change)).collect();
        if let Some((same, of)) = self.changes.results {
            let figure = format!("{} of {}", format::count(same), format::count(of));
            tiles.push(Tile { is_bad: same < of, ..Tile::new(figure, "results the same as before") });
        }
        tiles
    }

    /// What a column of both is called.
    fn head(&self, change: &Change<'_>) -> String {
        let several = [self.before, self.after].iter().any(|side| side.study.parallel().count() > 1);
        if several && !change.after.is_serial() {
            return change.after.short_name();
        }
        change.after.way().to_owned()
    }

    /// The cells: what each column took before and after.
    fn table(&self) -> Grid {
        let columns = [
            (Cells::Labels, ""),
            (Cells::Figures, "before"),
            (Cells::Figures, "after"),
            (Cells::Remarks, "change"),
        ];
        let columns = columns.map(|(kind, head)| (kind, head.to_owned())).into();
        let mut grid = Grid { columns, ..Grid::default() };
        for change in &self.changes.columns {
            let head = self.head(change);
            let mut line = |what: &str, before: String, after: String, told: String| {
                grid.add(vec![format!("{head} {what}"), before, after, told]);
            };
            let (one, other) = (change.before, change.after);
            let changed = |one: f64, other: f64| match change.verdict {
                Verdict::Unclaimed(_) => String::new(),
                _ => changed(one, other),
            };
            line("wall", seconds(one.wall()), seconds(other.wall()), short(change));
            line("CPU", seconds(one.cpu()), seconds(other.cpu()), changed(one.cpu(), other.cpu()));
            if let (Some(one), Some(other)) = (peak(one), peak(other)) {
                line("memory", format::memory(one), format::memory(other), changed(one, other));
            }
            if let Some((one, other)) = change.speedups {
                line("speed-up", format::factor(one), format::factor(other), String::new());
            }
        }
        grid
    }

    /// What can be said of each column, in sentences; the last word first where
    /// nothing can.
    fn verdicts(&self) -> Vec<(Trend, String)> {
        if let Some(why) = &self.changes.unlike {
            return vec![(Trend::Unclaimed, format!("not comparable: {}", format::printable(why)))];
        }
        if self.changes.columns.is_empty() {
            let text = "not comparable: no way and width was run in both".to_owned();
            return vec![(Trend::Unclaimed, text)];
        }
        let verdict = |change: &Change<'_>| (trend(change), sentence(&self.head(change), change));
        self.changes.columns.iter().map(verdict).collect()
    }

    /// Whether the tasks gave what they gave before, where that is known.
    fn results(&self) -> Option<String> {
        let (same, of) = self.changes.results?;
        Some(format!("{} of {} gave the same as before", format::count(same), format::plural(of, "task")))
    }

    /// What else a person should know.
    fn notes(&self) -> Vec<String> {
        let mut notes: Vec<String> = self.changes.notes.iter().map(|note| format::printable(note)).collect();
        for (when, side) in self.sides() {
            notes.extend(sentences::other_load(side.study).map(|load| format!("{when}: {load}")));
        }
        notes
    }
}

impl Side<'_> {
    fn subject(&self, when: &'static str) -> Subject {
        Subject { when, name: format::printable(self.name), ..sentences::subject(self.study) }
    }
}

fn tile(name: &str, change: &Change<'_>) -> Tile {
    let trend = trend(change);
    let figure = match trend {
        Trend::Slower | Trend::Faster | Trend::Untested => format::fine_change(change.ratio()),
        Trend::Same => "no difference".to_owned(),
        Trend::Unclaimed => "–".to_owned(),
    };
    let told = match trend {
        Trend::Slower | Trend::Faster => "",
        Trend::Same => " that can be measured",
        Trend::Untested => " (no test)",
        Trend::Unclaimed => ": not compared",
    };
    let about = format!("{name}: wall time against before{told}");
    Tile { is_bad: trend.is_bad(), ..Tile::new(figure, about) }
}

/// The median over the runs; nothing where a system does not tell.
pub(super) fn peak(column: &ColumnResult) -> Option<f64> {
    let is_known = column.runs.iter().all(|run| run.memory().is_some());
    is_known.then(|| column.median(|run| run.memory().unwrap_or_default() as f64))
}

/// How a figure changed; nothing where there was none.
fn changed(one: f64, other: f64) -> String {
    if one > 0.0 { format::change(other / one) } else { String::new() }
}

/// What became of the wall time.
pub(super) fn trend(change: &Change<'_>) -> Trend {
    match change.verdict {
        Verdict::Unclaimed(_) => Trend::Unclaimed,
        Verdict::Untested { .. } => Trend::Untested,
        Verdict::NoDifference(_) => Trend::Same,
        Verdict::Different(interval) if interval.low > 1.0 => Trend::Slower,
        Verdict::Different(_) => Trend::Faster,
    }
}

impl Trend {
    fn is_bad(self) -> bool {
        matches!(self, Self::Slower | Self::Unclaimed)
    }

    /// A verdict in the tone it deserves.
    fn say(self, verdict: String) -> Sentence {
        match self {
            Self::Slower | Self::Unclaimed => Sentence::bad(verdict),
            Self::Faster => Sentence::good(verdict),
            Self::Same | Self::Untested => Sentence::plain(verdict),
        }
    }

    /// For programs.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Slower => "slower",
            Self::Faster => "faster",
            Self::Same => "no measurable difference",
            Self::Untested => "not tested",
            Self::Unclaimed => "not compared",
        }
    }
}

/// The 95 % interval of the ratio, where there were runs enough.
pub(super) fn interval(change: &Change<'_>) -> Option<Interval> {
    match change.verdict {
        Verdict::NoDifference(interval) | Verdict::Different(interval) => Some(interval),
        Verdict::Untested { .. } | Verdict::Unclaimed(_) => None,
    }
}

/// What stands behind the times in a table.
fn short(change: &Change<'_>) -> String {
    let by = format::fine_change(change.ratio());
    match &change.verdict {
        Verdict::Unclaimed(_) => "not compared".to_owned(),
        Verdict::NoDifference(_) => "no measurable difference".to_owned(),
        Verdict::Untested { .. } => format!("{by} (no test)"),
        Verdict::Different(interval) => format!("{by} ({})", percents(*interval)),
    }
}

/// A ratio of times is told in per cent, and as a factor from 2 on.
fn sentence(name: &str, change: &Change<'_>) -> String {
    let ratio = change.ratio();
    let by = match ratio {
        ratio if ratio >= 2.0 => format!("{} slower than before", format::factor(ratio)),
        ratio if ratio <= 0.5 => format!("{} faster than before", format::factor(1.0 / ratio)),
        ratio => match format::fine_change(ratio).as_str() {
            "0 %" => "as long as before".to_owned(),
            text => match text.strip_prefix('-') {
                Some(less) => format!("{less} less time than before"),
                None => format!("{} more time than before", text.trim_start_matches('+')),
            },
        },
    };
    let told = match &change.verdict {
        Verdict::Unclaimed(why) => format!("not compared: {}", format::printable(why)),
        Verdict::NoDifference(interval) => {
            format!("no measurable difference ({} with 95 % confidence)", percents(*interval))
        }
        Verdict::Untested { .. } => format!("{by} ({}, no test)", runs(change)),
        Verdict::Different(interval) => {
            let range = match ratio {
                ratio if ratio >= 2.0 => factors(interval.low, interval.high),
                ratio if ratio <= 0.5 => factors(1.0 / interval.high, 1.0 / interval.low),
                _ => percents(*interval),
            };
            format!("{by} ({range} with 95 % confidence)")
        }
    };
    format!("{name}: {told}")
}

fn runs(change: &Change<'_>) -> String {
    match [change.before, change.after].map(|column| column.runs.len()) {
        [one, other] if one == other => format!("{} each", format::plural(one as u64, "run")),
        [one, other] => format!("{one} and {}", format::plural(other as u64, "run")),
    }
}

/// `+9.1 to +15 %`
fn percents(interval: Interval) -> String {
    let [low, high] = [interval.low, interval.high].map(format::fine_change);
    format!("{} to {high}", low.trim_end_matches(" %"))
}

fn factors(low: f64, high: f64) -> String {
    format!("{}-{}", format::three_digits(low), format::three_digits(high))
}
