//! Two studies side by side: what changed from one to the other, as a document
//! and for programs.

#[cfg(test)]
mod tests;

use std::io::Write;

use anyhow::Context as _;
use serde::Serialize;

use super::document::{
    Audience, Cells, Chart, Content, Document, Grid, ReportSection, Sentence, Subject, Tile, Tone,
};
use super::tables::{changed, peak};
use super::{sentences, services};
use crate::numbers::{self, nanos, seconds};
use crate::study::{Change, Changes, ColumnResult, Interval, ServiceNews, Study, Verdict};
use crate::text::printable;

/// Of so many columns besides the widest there is a tile each.
const MOST_TILES: usize = 2;

/// Two studies, and what changed from the first to the second.
#[derive(Clone, Debug)]
pub struct StudyPair<'a> {
    /// The earlier one.
    pub before: Side<'a>,
    /// The later one.
    pub after: Side<'a>,
    /// What changed.
    pub changes: Changes<'a>,
    /// What is new about the services that were checked.
    pub news: Vec<ServiceNews>,
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
    pub fn new(before: Side<'a>, after: Side<'a>) -> Self {
        let changes = Changes::between(before.study, after.study);
        Self { before, after, changes, news: services::news_between(before.study, after.study) }
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
            headline: printable(&format!("{}: before and after", self.after.study.workload)),
            subjects: self.sides().map(subject).into(),
            hero: self.hero(),
            tiles: self.tiles(),
            lead: None,
            sections: services::news(&self.news)
                .into_iter()
                .chain([
                    ReportSection { audience: Audience::Pages, ..ReportSection::new("", charts.clone()) },
                    ReportSection::new("Side by side", figures),
                    ReportSection { audience: Audience::Texts, ..ReportSection::new("", charts) },
                    ReportSection::new("Notes", vec![Content::Notes(self.notes())]),
                ])
                .collect(),
            conclusion: self.verdicts(),
            hint: None,
        }
    }

    /// Both, with what each is called in front of everything about it.
    fn sides(&self) -> [(&'static str, Side<'a>); 2] {
        [("before", self.before), ("after", self.after)]
    }

    /// What became of the widest column.
    fn hero(&self) -> Option<Tile> {
        self.widest().map(|change| tile(&self.head(change), change))
    }

    /// The widest parallel column; of studies without one the last.
    fn widest(&self) -> Option<&Change<'a>> {
        let columns = &self.changes.columns;
        let parallel = columns.iter().filter(|it| it.after.column.is_parallel());
        parallel.max_by_key(|it| it.after.width).or_else(|| columns.last())
    }

    /// The others, and the results.
    fn tiles(&self) -> Vec<Tile> {
        let is_widest = |it: &&Change<'_>| self.widest().is_some_and(|widest| std::ptr::eq(*it, widest));
        let shown = self.changes.columns.iter().filter(|it| !is_widest(it)).take(MOST_TILES);
        let mut tiles: Vec<Tile> = shown.map(|change| tile(&self.head(change), change)).collect();
        if let Some((same, of)) = self.changes.results {
            let figure = format!("{} of {}", numbers::count(same), numbers::count(of));
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
        if change.after.column.is_parallel() {
            return change.after.way().to_owned();
        }
        change.after.short_name()
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
            let claimed = |told: String| if change.verdict.is_claimed() { told } else { String::new() };
            line("wall", seconds(one.wall()), seconds(other.wall()), short(change));
            let more = numbers::cpu_change(one.cpu(), other.cpu()).unwrap_or_default();
            line(
                "CPU",
                numbers::cpu_time(one.cpu(), None),
                numbers::cpu_time(other.cpu(), None),
                claimed(more),
            );
            if let (Some(one), Some(other)) = (peak(one), peak(other)) {
                line("memory", numbers::memory(one), numbers::memory(other), claimed(changed(one, other)));
            }
            if let Some((one, other)) = change.speedups {
                line("speed-up", numbers::factor(one), numbers::factor(other), String::new());
            }
        }
        grid
    }

    /// What can be said of each column, in sentences; the last word first where
    /// nothing can.
    fn verdicts(&self) -> Vec<Sentence> {
        if let Some(why) = &self.changes.unlike {
            return vec![Sentence::bad(format!("not comparable: {}", printable(why)))];
        }
        if self.changes.columns.is_empty() {
            return vec![Sentence::bad("not comparable: no way and width was run in both")];
        }
        let verdict = |change: &Change<'_>| {
            let text = sentence(&self.head(change), change);
            Sentence { tone: trend(change).tone(), ..Sentence::plain(text) }
        };
        self.changes.columns.iter().map(verdict).collect()
    }

    /// Whether the tasks gave what they gave before, where that is known.
    fn results(&self) -> Option<String> {
        let (same, of) = self.changes.results?;
        Some(format!("{} of {} gave the same as before", numbers::count(same), numbers::plural(of, "task")))
    }

    /// What else a person should know.
    fn notes(&self) -> Vec<String> {
        let mut notes: Vec<String> = self.changes.notes.iter().map(|note| printable(note)).collect();
        for (when, side) in self.sides() {
            notes.extend(sentences::other_load(side.study).map(|load| format!("{when}: {load}")));
        }
        notes
    }
}

fn subject((when, side): (&'static str, Side<'_>)) -> Subject {
    Subject { when, name: printable(side.name), ..sentences::subject(side.study) }
}

fn tile(name: &str, change: &Change<'_>) -> Tile {
    let by = || numbers::fine_change(change.ratio());
    let trend = trend(change);
    let (figure, told) = match trend {
        Trend::Slower | Trend::Faster => (by(), "wall time against before"),
        Trend::Same => ("no difference".to_owned(), "wall time, as far as can be measured"),
        Trend::Untested => (by(), "wall time against before (no test)"),
        Trend::Unclaimed => ("–".to_owned(), "wall time not compared"),
    };
    let about = format!("{name}: {told}");
    Tile { is_bad: trend.tone() == Tone::Bad, ..Tile::new(figure, about) }
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
    /// Whether it is good news.
    fn tone(self) -> Tone {
        match self {
            Self::Slower | Self::Unclaimed => Tone::Bad,
            Self::Faster => Tone::Good,
            Self::Same | Self::Untested => Tone::Plain,
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

/// What stands behind the times in a table.
fn short(change: &Change<'_>) -> String {
    let by = numbers::fine_change(change.ratio());
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
        ratio if ratio >= 2.0 => format!("{} slower than before", numbers::factor(ratio)),
        ratio if ratio <= 0.5 => format!("{} faster than before", numbers::factor(1.0 / ratio)),
        ratio => match numbers::fine_change(ratio).as_str() {
            "0 %" => "as long as before".to_owned(),
            text => match text.strip_prefix('-') {
                Some(less) => format!("{less} less time than before"),
                None => format!("{} more time than before", text.trim_start_matches('+')),
            },
        },
    };
    let told = match &change.verdict {
        Verdict::Unclaimed(why) => format!("not compared: {}", printable(why)),
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
        [one, other] if one == other => format!("{} each", numbers::plural(one as u64, "run")),
        [one, other] => format!("{one} and {}", numbers::plural(other as u64, "run")),
    }
}

/// `+9.1 to +15 %`
fn percents(interval: Interval) -> String {
    let [low, high] = [interval.low, interval.high].map(numbers::fine_change);
    format!("{} to {high}", low.trim_end_matches(" %"))
}

fn factors(low: f64, high: f64) -> String {
    format!("{}-{}", numbers::three_digits(low), numbers::three_digits(high))
}

/// The version of the written form.
const SCHEMA: &str = "parsim-change/1";

#[derive(Serialize)]
struct SavedChange<'a> {
    schema: &'a str,
    before: SavedSide<'a>,
    after: SavedSide<'a>,
    unlike: Option<&'a str>,
    columns: Vec<ColumnChange<'a>>,
    results: Option<SameResults>,
    notes: Vec<String>,
    news: &'a [ServiceNews],
}

#[derive(Serialize)]
struct SavedSide<'a> {
    name: &'a str,
    version: &'a str,
    command: &'a [String],
    started: u64,
    workload: &'a str,
}

#[derive(Serialize)]
struct ColumnChange<'a> {
    way: &'a str,
    width: usize,
    before: SideFigures,
    after: SideFigures,
    verdict: &'static str,
    ratio: Option<f64>,
    ratio_low: Option<f64>,
    ratio_high: Option<f64>,
    why: Option<&'a str>,
}

#[derive(Serialize)]
struct SideFigures {
    wall: f64,
    runs: usize,
    cpu: f64,
    peak_memory: Option<f64>,
    speedup: Option<f64>,
}

#[derive(Serialize)]
struct SameResults {
    same: u64,
    of: u64,
}

/// Writes what changed as JSON.
#[doc = include_str!("json.md")]
pub(super) fn render_json(pair: &StudyPair<'_>, out: &mut dyn Write) -> anyhow::Result<()> {
    let written = SavedChange {
        schema: SCHEMA,
        before: source(&pair.before),
        after: source(&pair.after),
        unlike: pair.changes.unlike.as_deref(),
        columns: pair.changes.columns.iter().map(entry).collect(),
        results: pair.changes.results.map(|(same, of)| SameResults { same, of }),
        notes: pair.notes(),
        news: &pair.news,
    };
    serde_json::to_writer_pretty(&mut *out, &written).context("cannot write the change as JSON")?;
    Ok(out.write_all(b"\n")?)
}

fn source<'a>(side: &Side<'a>) -> SavedSide<'a> {
    let Side { name, study } = *side;
    SavedSide {
        name,
        version: &study.version,
        command: &study.command,
        started: study.started,
        workload: &study.workload,
    }
}

fn entry<'a>(change: &'a Change<'_>) -> ColumnChange<'a> {
    let why = match &change.verdict {
        Verdict::Unclaimed(why) => Some(why.as_str()),
        _ => None,
    };
    let interval = change.verdict.interval();
    ColumnChange {
        way: change.after.way(),
        width: change.after.width,
        before: figures(change.before, change.speedups.map(|speedups| speedups.0)),
        after: figures(change.after, change.speedups.map(|speedups| speedups.1)),
        verdict: trend(change).name(),
        ratio: change.verdict.is_claimed().then(|| nanos(change.ratio())),
        ratio_low: interval.map(|it| nanos(it.low)),
        ratio_high: interval.map(|it| nanos(it.high)),
        why,
    }
}

fn figures(column: &ColumnResult, speedup: Option<f64>) -> SideFigures {
    SideFigures {
        wall: nanos(column.wall()),
        runs: column.runs.len(),
        cpu: nanos(column.cpu()),
        peak_memory: peak(column),
        speedup: speedup.map(nanos),
    }
}
