//! A report before it is drawn: what there is to see, in the one order in which
//! every format shows it.
//!
//! Texts, Markdown and pages only draw a document: what is in it, and where, is
//! decided by whoever builds it. Every text of it is safe to be shown: what acts
//! on a terminal or on the order of reading has been made visible, while markup is
//! the business of the format.

use std::ops::Range;

use crate::study::{ColumnResult, History, Study};
use crate::task::ConeChart;

/// A report, from its title to its last word.
#[derive(Clone, Debug, Default)]
pub(super) struct Document<'a> {
    /// What it is about, in a line: the title of a page.
    pub(super) headline: String,
    /// What was run: one study, or the two that are compared.
    pub(super) subjects: Vec<Subject>,
    /// The one figure that is read first; where there is room for it.
    pub(super) hero: Option<Tile>,
    /// A few figures more, beside it.
    pub(super) tiles: Vec<Tile>,
    /// What stands beside the figure where there is no conclusion.
    pub(super) lead: Option<String>,
    /// Everything else, in order.
    pub(super) sections: Vec<ReportSection<'a>>,
    /// What it comes to. It stands where the reader looks first: at the head of a
    /// page, at the end of what scrolls by.
    pub(super) conclusion: Vec<Sentence>,
    /// What to type next, for whoever sits at a terminal.
    pub(super) hint: Option<String>,
}

/// A study as a title names it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Subject {
    /// `before`, `after`; empty where it is the only one.
    pub(super) when: &'static str,
    /// Its file, where it is one of two.
    pub(super) name: String,
    /// What was typed.
    pub(super) command: String,
    /// How many tasks, how many at a time; empty where no task was run.
    pub(super) about: String,
    /// When it was measured.
    pub(super) moment: String,
    /// On which machine.
    pub(super) place: String,
}

/// A figure that is read at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tile {
    /// The figure.
    pub(super) figure: String,
    /// Of what it is.
    pub(super) about: String,
    /// Whether it is nothing to be glad of.
    pub(super) is_bad: bool,
}

/// What belongs together under one heading.
#[derive(Clone, Debug)]
pub(super) struct ReportSection<'a> {
    /// Shown on pages only; empty where each picture has its own.
    pub(super) heading: String,
    /// Where it is shown.
    pub(super) audience: Audience,
    /// What is in it, in order.
    pub(super) content: Vec<Content<'a>>,
}

/// Where a section is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Audience {
    /// By every format.
    #[default]
    Everybody,
    /// On a page, where there is room to look things up.
    Pages,
    /// In a text for whom a table is not enough.
    Lists,
    /// In text and Markdown, for a page says it in more detail.
    Texts,
}

/// A piece of a section.
#[derive(Clone, Debug)]
pub(super) enum Content<'a> {
    /// Cells under their heads.
    Table(Grid),
    /// One below the other.
    Lines(Vec<Sentence>),
    /// What a person should know besides.
    Notes(Vec<String>),
    /// A picture, for formats that have any of this kind.
    Chart(Chart<'a>),
}

/// A sentence, and whether it is good news.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sentence {
    /// How it begins, in no particular tone; mostly empty.
    pub(super) lead: String,
    /// The words.
    pub(super) text: String,
    /// How they are meant.
    pub(super) tone: Tone,
}

/// What a line or a row says to a glance. Colour is never all that says it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Tone {
    /// Nothing in particular.
    #[default]
    Plain,
    /// What is looked for first.
    Strong,
    /// All is well.
    Good,
    /// Something is not.
    Bad,
}

/// A table as cells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Grid {
    /// What is in each column, and its head.
    pub(super) columns: Vec<(Cells, String)>,
    /// As many cells in each as there are columns.
    pub(super) rows: Vec<GridRow>,
    /// What it comes to, right below it; mostly empty.
    pub(super) caption: String,
    /// Columns that are left out where there is room for few.
    pub(super) lesser: Vec<usize>,
}

/// One row of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct GridRow {
    /// From left to right.
    pub(super) cells: Vec<String>,
    /// What it says to a glance.
    pub(super) tone: Tone,
}

/// What the cells of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cells {
    /// What the row is about; only in the first column. A table that has such is
    /// cut into several side by side where it is too wide for a terminal.
    Labels,
    /// Words, which may come from anywhere.
    Texts,
    /// Words that say what the tone of the row says.
    Verdicts,
    /// Numbers.
    Figures,
    /// A word on the numbers before it.
    Remarks,
}

/// What a picture shows. A format that has none of a kind leaves it out.
#[derive(Clone, Debug)]
pub(super) enum Chart<'a> {
    /// Speed-up against the number of slots, where several were tried.
    SpeedUp(&'a Study),
    /// CPU use over time.
    CpuUse(&'a Study),
    /// How long single tasks took.
    TaskTimes(&'a Study),
    /// The ways on one axis of time.
    Ways(&'a Study),
    /// What each slot did when.
    Slots(&'a Study),
    /// What each service was waited for.
    Phases(&'a Study),
    /// What was found in the sky.
    Sky(&'a ConeChart),
    /// How often services were up, day by day.
    Days(&'a History),
    /// The same columns of two studies on one axis of time: what each is called,
    /// before and after.
    BeforeAfter(Vec<(String, &'a ColumnResult, &'a ColumnResult)>),
}

impl Tile {
    /// One that is nothing to worry about.
    pub(super) fn new(figure: impl Into<String>, about: impl Into<String>) -> Self {
        Self { figure: figure.into(), about: about.into(), is_bad: false }
    }
}

impl Sentence {
    /// In no particular tone.
    pub(super) fn plain(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    /// Bad news.
    pub(super) fn bad(text: impl Into<String>) -> Self {
        Self { tone: Tone::Bad, ..Self::plain(text) }
    }

    /// All of it, for a format without tones.
    pub(super) fn words(&self) -> String {
        format!("{}{}", self.lead, self.text)
    }
}

impl<'a> ReportSection<'a> {
    /// For everybody.
    pub(super) fn new(heading: impl Into<String>, content: Vec<Content<'a>>) -> Self {
        Self { heading: heading.into(), audience: Audience::Everybody, content }
    }
}

impl Grid {
    /// Whether its rows are named by their first cell.
    pub(super) fn has_labels(&self) -> bool {
        self.columns.first().is_some_and(|(cells, _)| *cells == Cells::Labels)
    }

    /// A row in no particular tone.
    pub(super) fn add(&mut self, cells: Vec<String>) {
        self.rows.push(GridRow { cells, tone: Tone::Plain });
    }

    /// The first column and those of `range`, without rows that say nothing there.
    pub(super) fn cut(&self, range: Range<usize>) -> Self {
        let row = |row: &GridRow| GridRow {
            cells: [&row.cells[..1], &row.cells[range.clone()]].concat(),
            tone: row.tone,
        };
        let columns = [&self.columns[..1], &self.columns[range.clone()]].concat();
        let says_anything = |row: &GridRow| row.cells[1..].iter().any(|cell| !cell.is_empty());
        let rows = self.rows.iter().map(row).filter(says_anything).collect();
        Self { columns, rows, ..Self::default() }
    }

    /// The same as tables of at most `most` columns besides the labels; itself where there
    /// are none or it is no wider.
    pub(super) fn in_parts(&self, most: usize) -> Vec<Self> {
        let end = self.columns.len();
        if !self.has_labels() || end <= most + 1 {
            return vec![self.clone()];
        }
        (1..end).step_by(most).map(|from| self.cut(from..(from + most).min(end))).collect()
    }

    /// How many columns hold figures.
    pub(super) fn n_figures(&self) -> usize {
        self.columns.iter().filter(|(cells, _)| *cells == Cells::Figures).count()
    }
}
