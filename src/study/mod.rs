//! What an experiment found out, and the arithmetic on it.
//!
//! Pure data and pure functions: nothing here reads a clock, a file or a
//! terminal, so that a saved study says the same later and elsewhere.

mod agreement;
mod change;
mod comparison;
mod estimate;
mod explanation;
mod gate;
mod history;
mod interval;
mod news;
mod one_by_one;
mod parameters;
mod prediction;
mod quantiles;
mod record_list;
mod run_result;
mod scaling;
mod sound;
mod spread;
mod streaming;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use agreement::{Agreement, Difference, FilesAgreement};
pub(crate) use agreement::{Comparer, Known, Produced};
pub use change::{Change, Changes};
pub use comparison::{Comparison, FEWEST_RUNS_FOR_A_TEST, RateFloor, Verdict};
pub use estimate::{Estimate, Ground, SerialTime, serial_time};
pub use explanation::explain;
pub use gate::Gates;
pub use history::{History, HistoryLine, Outage, ServiceDay, ServiceHistory};
pub use interval::{Interval, median, ratio_of_medians, ratio_of_rounds};
pub use news::{KnownServices, NewsKind, Observation, ServiceNews};
pub use one_by_one::OneByOne;
pub use parameters::Parameters;
pub use prediction::{Caution, Prediction};
pub use quantiles::{Remedian, Sketch};
pub use record_list::{RecordIter, RecordList};
pub use run_result::{ElsewhereCosts, NodeTotal, RunResult, SlotTotal, SpanTotal, StartWaits, WorkerCosts};
pub use scaling::{Base, Fit, Law, NoFit, Point, Scaling, efficiency_within, karp_flatt};
pub use spread::Spread;
pub use streaming::{Long, Streaming};

use crate::host::Host;
use crate::measure::seconds;
use crate::moment::Moment;
use crate::task::{Column, ConeChart, Mode, SharedText};

/// The version of the saved form. A reader refuses a number it does not know.
pub const SCHEMA: &str = "parsim-study/2";

/// Earlier versions that are read, too: as [`SCHEMA`] from then on.
pub(crate) const EARLIER_SCHEMAS: [&str; 1] = ["parsim-study/1"];

/// A whole experiment: one workload, run in one or several columns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Study {
    /// [`SCHEMA`].
    pub schema: String,
    /// The version of parsim that measured.
    pub version: String,
    /// The command line, word by word; empty when a program used the library.
    pub command: Vec<String>,
    /// What reports call it instead, if somebody named it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The unit of times in its table, if one was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_unit: Option<String>,
    /// When the experiment began, seconds since 1970 (for people only; every
    /// duration comes from the monotonic clock).
    pub started: u64,
    /// The same, to the millisecond; `None` in studies of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<Moment>,
    /// Where it ran.
    pub host: Host,
    /// The workload's name.
    pub workload: String,
    /// What a task of it makes: `file`, `block`, `task`.
    pub unit: String,
    /// The workload's parameters.
    pub parameters: Parameters,
    /// Whether its tasks wait rather than compute.
    pub waits: bool,
    /// How many requests a second all tasks together might send, each one, where that was
    /// limited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<f64>,
    /// From the start of the process to the start of the experiment.
    #[serde(with = "seconds")]
    pub startup: Duration,
    /// Whether every way was repeated only because its work is short.
    pub repeated: bool,
    /// Where a signal cut the experiment short, if one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cut: Option<Cut>,
    /// The exit status that a rule for stopping early asks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub halt_status: Option<u8>,
    /// Whether tasks were left unstarted, though nothing had gone wrong: a rule
    /// for stopping early, a limit of time, a HUP.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub left_some: bool,
    /// Of how many tasks those that were run are a sample, if they are one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample_of: Option<u64>,
    /// What ended the experiment before its time, if something did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
    /// One column for each way and width, serial first.
    pub columns: Vec<ColumnResult>,
    /// Whether the ways produced the same; `None` when only one way ran.
    pub agreement: Option<Agreement>,
    /// What failed in any run, by item: all of it where records are kept, else
    /// the first ones to fail.
    pub failures: BTreeMap<u64, Failure>,
    /// How many more failed.
    #[serde(default)]
    pub unnamed_failures: u64,
    /// What is new about the services that were checked, where it was asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub news: Vec<ServiceNews>,
    /// What a person should know, in the order it came up.
    pub remarks: Vec<String>,
    /// Charts of what was found in the sky, of the first targets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub charts: Vec<ConeChart>,
    /// What to try when a span takes most of the time, by the span's name.
    pub advice: BTreeMap<String, String>,
}

/// A column of the experiment, and its runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ColumnResult {
    /// How the batch was run, and by which engine.
    #[serde(flatten)]
    pub column: Column,
    /// At most how many tasks at a time.
    pub width: usize,
    /// The runs that count, in the order they were made.
    pub runs: Vec<RunResult>,
    /// Where a person finds what the runs left behind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub whereabouts: Option<String>,
    /// The head of what the tasks wrote, in input order.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub output: String,
}

/// The run during which a signal came; it is not among the runs that count.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cut {
    /// The name of its column.
    pub way: Cow<'static, str>,
    /// How many tasks had done what they were to do.
    pub finished: u64,
    /// Of how many, where that is known.
    pub tasks: Option<u64>,
    /// Their records, where what they found out is worth telling by itself.
    #[serde(default, skip_serializing_if = "RecordList::is_empty")]
    pub records: RecordList,
}

/// A task, or an item made of several tasks, that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The task in a person's words.
    pub label: SharedText,
    /// Object and cause.
    pub why: SharedText,
    /// The name of the column in which it failed first.
    pub way: Cow<'static, str>,
    /// In which run of that column, from 1; 0 where that is not known.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub run: usize,
    /// The other columns in which it failed, too, each with the first run of that.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<FailedAlso>,
}

/// Another column in which a task failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedAlso {
    /// The name of the column.
    pub way: Cow<'static, str>,
    /// In which run of it, from 1.
    pub run: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

impl Failure {
    /// The task failed as `other` says, in another run.
    pub fn again(&mut self, other: &Self) {
        if !self.is_of(&other.way) {
            self.also.push(FailedAlso { way: other.way.clone(), run: other.run });
        }
    }

    /// Whether the task failed in a run of the column `way`.
    #[must_use]
    pub fn is_of(&self, way: &str) -> bool {
        self.way == way || self.also.iter().any(|also| also.way == way)
    }
}

impl ColumnResult {
    /// Those of `column` with at most `width` tasks at a time.
    #[must_use]
    pub fn new(column: Column, width: usize, runs: Vec<RunResult>) -> Self {
        Self { column, width, runs, whereabouts: None, output: String::new() }
    }

    /// The column's name, as folders and JSON have it.
    #[must_use]
    pub fn way(&self) -> &str {
        &self.column.name
    }

    /// Whether it ran one task at a time by design.
    #[must_use]
    pub fn is_serial(&self) -> bool {
        self.column.is_serial()
    }

    /// The median over the runs of whatever `figure` picks.
    pub fn median(&self, figure: impl Fn(&RunResult) -> f64) -> f64 {
        // Compiled once, not once a figure: there are as many as a report has.
        let figure: &dyn Fn(&RunResult) -> f64 = &figure;
        median(&self.runs.iter().map(figure).collect::<Vec<_>>())
    }

    /// The same of what its worker processes cost; `None` where it had none.
    pub fn of_crew(&self, figure: impl Fn(&WorkerCosts) -> f64) -> Option<f64> {
        let figure: &dyn Fn(&WorkerCosts) -> f64 = &figure;
        let figures: Vec<f64> = self.runs.iter().filter_map(|run| run.crew.as_ref()).map(figure).collect();
        (!figures.is_empty()).then(|| median(&figures))
    }

    /// The same of what it took to have tasks done elsewhere; `None` where they were done here.
    pub fn of_elsewhere(&self, figure: impl Fn(&ElsewhereCosts) -> f64) -> Option<f64> {
        let crews = self.runs.iter().filter_map(|run| run.crew.as_ref()?.elsewhere.as_ref());
        let figure: &dyn Fn(&ElsewhereCosts) -> f64 = &figure;
        let figures: Vec<f64> = crews.map(figure).collect();
        (!figures.is_empty()).then(|| median(&figures))
    }

    /// What it is called where others are near: `serial`, `-j 4`, `processes -j 4`.
    #[must_use]
    pub fn short_name(&self) -> String {
        if !self.column.is_parallel() {
            // Serial is a word, and what is done in one go a few: `one query`.
            return self.way().replace('-', " ");
        }
        let engine = if self.column == Column::PARALLEL { String::new() } else { format!("{} ", self.way()) };
        format!("{engine}-j {}", self.width)
    }

    /// The median wall time of the runs, in seconds.
    #[must_use]
    pub fn wall(&self) -> f64 {
        self.median(|run| run.wall.as_secs_f64())
    }

    /// The median CPU time of the runs, in seconds.
    #[must_use]
    pub fn cpu(&self) -> f64 {
        self.median(|run| run.usage.cpu().as_secs_f64())
    }
}

impl Study {
    /// The serial column, if the batch was run serially.
    #[must_use]
    pub fn serial(&self) -> Option<&ColumnResult> {
        self.columns.iter().find(|column| column.is_serial() && !column.runs.is_empty())
    }

    /// The columns that may do several tasks at a time, engine by engine, narrowest
    /// first as they were asked for.
    #[must_use]
    pub fn parallel(&self) -> impl DoubleEndedIterator<Item = &ColumnResult> {
        self.columns.iter().filter(|column| column.column.is_parallel() && !column.runs.is_empty())
    }

    /// The parallel column that most is told of: the widest, of the first engine that
    /// has one so wide.
    #[must_use]
    pub fn widest(&self) -> Option<&ColumnResult> {
        self.parallel().rev().max_by_key(|column| column.width)
    }

    /// How many times as fast the widest parallel column was as the serial one, by the
    /// medians of their wall times. `None` where one of them did not run, or took no
    /// time. How sure that is, and whether it is of the same work, says
    /// [`Comparison`](Comparison::of).
    #[must_use]
    pub fn speed_up(&self) -> Option<f64> {
        let (serial, parallel) = (self.serial()?.wall(), self.widest()?.wall());
        (serial > 0.0 && parallel > 0.0).then(|| serial / parallel)
    }

    /// The column in which everything was done in one go, if there is one.
    #[must_use]
    pub fn in_one_go(&self) -> Option<&ColumnResult> {
        self.columns.iter().find(|column| column.column.mode == Mode::Whole && !column.runs.is_empty())
    }

    /// The parallel columns apart from their widths, in the order of the study.
    #[must_use]
    pub fn parallel_ways(&self) -> Vec<&Column> {
        let mut ways: Vec<&Column> = Vec::new();
        for ColumnResult { column, .. } in self.parallel() {
            if !ways.contains(&column) {
                ways.push(column);
            }
        }
        ways
    }

    /// The widest column of each engine, in the order of the study.
    pub fn widest_of_each(&self) -> impl Iterator<Item = &ColumnResult> {
        self.parallel_ways().into_iter().filter_map(|way| {
            self.parallel().filter(|column| column.column == *way).max_by_key(|column| column.width)
        })
    }

    /// The fastest column of each engine by the medians of their wall times, in the
    /// order of the study; of equals the narrowest.
    pub fn fastest_of_each(&self) -> impl Iterator<Item = &ColumnResult> {
        self.parallel_ways().into_iter().filter_map(|way| {
            let columns = self.parallel().filter(|column| column.column == *way);
            columns.min_by(|one, other| one.wall().total_cmp(&other.wall()).then(one.width.cmp(&other.width)))
        })
    }

    /// What the column `way` is called here: by its engine where there are several of
    /// these, so that `parallel` is `threads`.
    #[must_use]
    pub fn called<'a>(&'a self, way: &'a str) -> &'a str {
        let mut parallel = self.columns.iter().map(|it| &it.column).filter(|column| column.is_parallel());
        let first = parallel.clone().next();
        let several = parallel.clone().any(|column| Some(column) != first);
        parallel.find(|column| several && column.name == way).map_or(way, |column| &column.engine)
    }

    /// The same in a person's words: that in which all was done in one go, `one query`.
    #[must_use]
    pub fn shown_name<'a>(&'a self, way: &'a str) -> Cow<'a, str> {
        match self.columns.iter().find(|it| it.way() == way) {
            Some(column) if column.column.mode == Mode::Whole => column.short_name().into(),
            _ => self.called(way).into(),
        }
    }

    /// Where a task failed: `serial`, `serial and parallel`, with the first run each
    /// where there were several.
    #[must_use]
    pub fn failed_in(&self, failure: &Failure) -> String {
        let several = self.columns.iter().any(|column| column.runs.len() > 1);
        let places = std::iter::once((&failure.way, failure.run))
            .chain(failure.also.iter().map(|also| (&also.way, also.run)))
            .map(|(way, run)| match run {
                1.. if several => format!("{} run {run}", self.shown_name(way)),
                _ => self.shown_name(way).into_owned(),
            });
        places.collect::<Vec<_>>().join(" and ")
    }

    /// Whether the column `way` was run at several widths.
    #[must_use]
    pub fn is_swept(&self, way: &str) -> bool {
        self.parallel().filter(|column| column.way() == way).count() > 1
    }

    /// What a column is called where it stands alone: `serial`, `parallel -j 4`.
    #[must_use]
    pub fn name(&self, column: &ColumnResult) -> String {
        let way = self.shown_name(column.way());
        if self.is_swept(column.way()) { format!("{way} -j {}", column.width) } else { way.into_owned() }
    }

    /// What speed-ups are relative to: the serial column, or else the first parallel one
    /// with one task at a time.
    #[must_use]
    pub fn base(&self) -> Option<&ColumnResult> {
        self.serial().or_else(|| self.parallel().find(|column| column.width == 1))
    }

    /// Whether the compared ways produced the same (true where nothing was
    /// compared, and where what was compared can change by itself).
    #[must_use]
    pub fn agrees(&self) -> bool {
        self.agreement.as_ref().is_none_or(|agreement| agreement.holds() || agreement.outside)
    }

    /// Whether a run was finished, in whichever way.
    #[must_use]
    pub fn has_whole_run(&self) -> bool {
        self.columns.iter().any(|column| !column.runs.is_empty())
    }

    /// Whether there is something to tell: a whole run, or what half a one found
    /// out.
    #[must_use]
    pub fn found_something(&self) -> bool {
        self.has_whole_run() || self.cut.as_ref().is_some_and(|cut| !cut.records.is_empty())
    }

    /// Adds what a person should know, once.
    pub(crate) fn remark(&mut self, remark: String) {
        if !self.remarks.contains(&remark) {
            self.remarks.push(remark);
        }
    }

    /// How many distinct tasks failed in any run.
    #[must_use]
    pub fn n_failed(&self) -> usize {
        self.failures.len().saturating_add(usize::try_from(self.unnamed_failures).unwrap_or(usize::MAX))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A study of runs that lasted so many milliseconds, with `width` at a time.
    pub(crate) fn both_ways(serial: &[u64], parallel: &[u64], width: usize) -> Study {
        let run = |&ms: &u64| RunResult { wall: Duration::from_millis(ms), tasks: 4, ..RunResult::default() };
        let column =
            |column, width, walls: &[u64]| ColumnResult::new(column, width, walls.iter().map(run).collect());
        Study {
            columns: vec![column(Column::SERIAL, 1, serial), column(Column::PARALLEL, width, parallel)],
            ..empty()
        }
    }

    /// A study of nothing on a machine of four cores.
    pub(crate) fn empty() -> Study {
        let host = Host {
            hostname: None,
            os: "linux".to_owned(),
            kernel: None,
            arch: "x86_64".to_owned(),
            cpu_model: None,
            logical: 4,
            physical: Some(4),
            usable: 4,
            quota: None,
            usable_by: "affinity mask".to_owned(),
            memory: None,
            load: None,
        };
        Study {
            schema: SCHEMA.to_owned(),
            version: "0.0.0".to_owned(),
            command: Vec::new(),
            name: None,
            time_unit: None,
            started: 0,
            time: None,
            host,
            workload: "made-up".to_owned(),
            unit: "task".to_owned(),
            parameters: Parameters::default(),
            waits: false,
            rate: None,
            startup: Duration::ZERO,
            repeated: false,
            cut: None,
            halt_status: None,
            left_some: false,
            sample_of: None,
            trouble: None,
            columns: Vec::new(),
            agreement: None,
            failures: BTreeMap::new(),
            unnamed_failures: 0,
            news: Vec::new(),
            remarks: Vec::new(),
            charts: Vec::new(),
            advice: BTreeMap::new(),
        }
    }
}
