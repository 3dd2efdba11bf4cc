//! An experiment: prepares, warms up, alternates the ways, saves as it goes,
//! and yields the [`Study`].
//!
//! Decides the order of runs and what is inside the clock. Does not know what
//! tasks do, who watches, or what is reported.

mod judge;
mod ledger;
mod pass;
mod saving;

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

pub use self::saving::Save;

use self::judge::Judge;
use self::pass::RunPlace;
use self::saving::Saving;
use crate::engine::{Engine, Pool, Serial};
use crate::event::{Event, Journal, Observer, PlannedRun, Unobserved};
use crate::host::{Host, Limits, SurroundingsWatch};
use crate::measure::{Clock, MonotonicClock};
use crate::moment::Moment;
use crate::policy::Policy;
use crate::process::Interrupt;
use crate::study::{Agreement, ColumnResult, SCHEMA, Study};
use crate::task::Column;
use crate::workload::{Outlet, Portable, Workload};

/// How often each way is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeats {
    /// That many times, at least once.
    Times(usize),
    /// Until `measured` has been measured over all ways together, but at most
    /// `most` times: for work too short to be told from one run.
    Until {
        /// How much wall time is enough.
        measured: Duration,
        /// How many times at most.
        most: usize,
    },
}

/// What counts as a task's result where ways are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ComparedBy {
    /// What it produced; a task that failed has none.
    Products,
    /// All it wrote, to either channel, and how it ended: failing alike is to
    /// agree. What the first run writes is put aside, so that the first difference
    /// can be quoted.
    Endings {
        /// What a person calls the files that are compared besides.
        files: &'static str,
        /// What a person can do where tasks find what an earlier run left.
        advice: &'static str,
    },
}

/// A command or function that runs before or after each run, outside the clock. Its
/// error names it.
pub type Hook<'a> = Box<dyn FnMut(&Column) -> anyhow::Result<()> + 'a>;

/// A workload, the ways to run it, and how.
///
/// ```
/// # fn main() -> anyhow::Result<()> {
/// use parsim::experiment::Experiment;
/// use parsim::workload::sleep::{Sleep, SleepOptions};
///
/// let mut sleep = Sleep::new(SleepOptions { tasks: 4, seconds: 0.01 })?;
/// let study = Experiment::new(&mut sleep)?.width(4).run()?;
/// assert!(study.agrees());
/// assert_eq!(study.columns[1].output, "1\n2\n3\n4\n");
/// # Ok(())
/// # }
/// ```
pub struct Experiment<'a> {
    workload: &'a mut dyn Workload,
    engines: Vec<Box<dyn Engine + 'a>>,
    repeats: Repeats,
    warmup: usize,
    keep_records: bool,
    compared_by: ComparedBy,
    before: Option<Hook<'a>>,
    after: Option<Hook<'a>>,
    saving: Saving<'a>,
    clock: Arc<dyn Clock>,
    interrupt: Interrupt,
    observer: &'a dyn Observer,
    policy: Policy,
    journals: Vec<&'a dyn Journal>,
    /// The machine; looked up at the start of the run if nobody told.
    host: Option<Host>,
    /// What else the machine does; not asked about a way that runs alone.
    watch: Option<SurroundingsWatch>,
    /// Whether it is looked who wants a core while a run goes on.
    watches_queue: bool,
    command: Vec<String>,
    name: Option<String>,
    time_unit: Option<String>,
    startup: Duration,
    /// What [`Results::verify`](crate::workload::Results::verify) said.
    checked: Option<String>,
}

/// So many rounds are told of before they are begun; each of the others when its turn comes.
const MOST_ANNOUNCED: usize = 1000;

impl<'a> Experiment<'a> {
    /// Both ways once, the parallel one on all usable cores.
    ///
    /// # Errors
    /// When the process has no descriptors left.
    pub fn new(workload: &'a mut dyn Workload) -> anyhow::Result<Self> {
        let width = NonZeroUsize::new(Limits::detect().usable).unwrap_or(NonZeroUsize::MIN);
        Ok(Self {
            workload,
            engines: vec![Box::new(Serial), Box::new(Pool::new(width))],
            repeats: Repeats::Times(1),
            warmup: 0,
            keep_records: true,
            compared_by: ComparedBy::Products,
            before: None,
            after: None,
            saving: Saving::default(),
            clock: Arc::new(MonotonicClock::start()),
            interrupt: Interrupt::unbound()?,
            observer: &Unobserved,
            policy: Policy::default(),
            journals: Vec::new(),
            host: None,
            watch: None,
            watches_queue: false,
            command: Vec::new(),
            name: None,
            time_unit: None,
            startup: Duration::ZERO,
            checked: None,
        })
    }

    /// Both ways, the parallel one with `width` tasks at a time (at least one).
    #[must_use]
    pub fn width(self, width: usize) -> Self {
        let width = NonZeroUsize::new(width).unwrap_or(NonZeroUsize::MIN);
        self.engines(vec![Box::new(Serial), Box::new(Pool::new(width))])
    }

    /// The columns, serial first.
    #[must_use]
    pub fn engines(self, engines: Vec<Box<dyn Engine + 'a>>) -> Self {
        Self { engines, ..self }
    }

    /// How often each way is run.
    #[must_use]
    pub fn repeats(self, repeats: Repeats) -> Self {
        Self { repeats, ..self }
    }

    /// That many runs of each way first, which do not count.
    #[must_use]
    pub fn warmup(self, warmup: usize) -> Self {
        Self { warmup, ..self }
    }

    /// Only the sums of each run are kept, not the record of each task.
    #[must_use]
    pub fn without_records(self) -> Self {
        Self { keep_records: false, ..self }
    }

    /// The machine, where less of it has to be known than a report of it all shows.
    #[must_use]
    pub fn host(self, host: Host) -> Self {
        Self { host: Some(host), ..self }
    }

    /// While a run goes on it is looked now and then how many threads of the machine want
    /// a core, for an estimate of what its tasks take one after another.
    #[must_use]
    pub fn watching_the_cores(self) -> Self {
        Self { watches_queue: true, ..self }
    }

    /// What counts as a task's result where ways are compared.
    #[must_use]
    pub fn compared_by(self, compared_by: ComparedBy) -> Self {
        Self { compared_by, ..self }
    }

    /// Runs before each run, outside the clock.
    #[must_use]
    pub fn before_each(self, hook: Hook<'a>) -> Self {
        Self { before: Some(hook), ..self }
    }

    /// Runs after each run, outside the clock.
    #[must_use]
    pub fn after_each(self, hook: Hook<'a>) -> Self {
        Self { after: Some(hook), ..self }
    }

    /// Is handed the study after each run that counts, but not more often than
    /// once a second: many short runs would be slowed by it. Whatever was not
    /// handed on is at the end, on an error too.
    #[must_use]
    pub fn save(self, save: Save<'a>) -> Self {
        Self { saving: Saving::by(save), ..self }
    }

    /// The clock of all durations.
    #[must_use]
    pub fn clock(self, clock: Arc<dyn Clock>) -> Self {
        Self { clock, ..self }
    }

    /// What asks the experiment to end early.
    #[must_use]
    pub fn interrupt(self, interrupt: Interrupt) -> Self {
        Self { interrupt, ..self }
    }

    /// Who hears of what happens.
    #[must_use]
    pub fn observer(self, observer: &'a dyn Observer) -> Self {
        Self { observer, ..self }
    }

    /// When tasks start, are tried again, are given up.
    #[must_use]
    pub fn policy(self, policy: Policy) -> Self {
        Self { policy, ..self }
    }

    /// Who puts down each finished task.
    #[must_use]
    pub fn journals(self, journals: Vec<&'a dyn Journal>) -> Self {
        Self { journals, ..self }
    }

    /// The command line and how long the process took to get here, for the report.
    #[must_use]
    pub fn command(self, command: Vec<String>, startup: Duration) -> Self {
        Self { command, startup, ..self }
    }

    /// The unit of times in the report's table; without one, what reads best.
    #[must_use]
    pub fn time_unit(self, time_unit: Option<String>) -> Self {
        Self { time_unit, ..self }
    }

    /// What reports call it instead of its command line.
    #[must_use]
    pub fn called(self, name: Option<String>) -> Self {
        Self { name, ..self }
    }

    /// Runs it all.
    ///
    /// # Errors
    /// When parsim itself cannot do its job; failed tasks are in the study, and so is,
    /// as its trouble, what went wrong once a run had been measured.
    pub fn run(mut self) -> anyhow::Result<Study> {
        self.watch = (self.engines.len() > 1).then(SurroundingsWatch::detect);
        let mut study = self.empty_study();
        let done = self.run_all(&mut study);
        study.charts = self.workload.outlet().map(Outlet::charts).unwrap_or_default();
        let saved = self.saving.last_words(&study);
        done.and(saved)?;
        Ok(study)
    }

    fn run_all(&mut self, study: &mut Study) -> anyhow::Result<()> {
        let mut judge = Judge::default();
        let certain = match self.repeats {
            Repeats::Times(times) => times.clamp(1, MOST_ANNOUNCED),
            Repeats::Until { .. } => 1,
        };
        let warmups = self.warmup.min(MOST_ANNOUNCED);
        self.announce((1..=warmups).chain(1..=certain));
        for number in 1..=self.warmup {
            if number > warmups {
                self.announce(number..=number);
            }
            for index in order(self.engines.len(), number) {
                if self.one_run(study, RunPlace { index, number: 0 }, &mut Judge::default())?.is_none() {
                    return Ok(());
                }
            }
        }
        let mut measured = Duration::ZERO;
        for number in 1.. {
            if number > certain {
                self.announce(number..=number);
            }
            for index in order(self.engines.len(), number) {
                let result = self.one_run(study, RunPlace { index, number }, &mut judge);
                let Some(result) = result.or_else(|error| given_up(study, error))? else {
                    return Ok(());
                };
                measured += result.wall;
                study.columns[index].runs.push(result);
                let checked = self.checked.clone();
                let outside = self.workload.profile().external;
                let agreement = judge.comparer.agreement();
                study.agreement = agreement.map(|agreement| Agreement { outside, checked, ..agreement });
                self.saving.measured(study, &*self.clock)?;
                if study.trouble.is_some() {
                    return Ok(());
                }
            }
            if self.enough(number, measured, study) {
                break;
            }
        }
        Ok(())
    }

    /// Tells which runs the rounds of these numbers are going to be.
    fn announce(&self, rounds: impl IntoIterator<Item = usize>) {
        let rounds = rounds.into_iter().flat_map(|number| order(self.engines.len(), number));
        let planned = |index: usize| PlannedRun {
            column: self.engines[index].column(),
            width: self.engines[index].width(),
        };
        let runs: Vec<_> = rounds.map(planned).collect();
        self.observer.observe(&Event::RunsPlanned { runs: &runs });
    }

    fn enough(&self, number: usize, measured: Duration, study: &Study) -> bool {
        match self.repeats {
            Repeats::Times(times) => number >= times,
            // What fails is not measured again and again.
            Repeats::Until { measured: wanted, most } => {
                measured >= wanted || number >= most || study.n_failed() > 0
            }
        }
    }

    fn empty_study(&self) -> Study {
        let column = |engine: &(dyn Engine + 'a)| {
            let column = engine.column();
            let whereabouts = self.workload.results().and_then(|results| results.location(&column));
            ColumnResult { whereabouts, ..ColumnResult::new(column, engine.width(), Vec::new()) }
        };
        let profile = self.workload.profile();
        let now = Moment::now();
        Study {
            schema: SCHEMA.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            command: self.command.clone(),
            name: self.name.clone(),
            time_unit: self.time_unit.clone(),
            started: u64::try_from(now.seconds()).unwrap_or(0),
            time: Some(now),
            host: self.host.clone().unwrap_or_else(Host::detect),
            workload: self.workload.name().to_owned(),
            unit: profile.unit.to_owned(),
            parameters: self.workload.portable().map(Portable::parameters).unwrap_or_default(),
            waits: profile.waits,
            rate: profile.rate,
            startup: self.startup,
            repeated: matches!(self.repeats, Repeats::Until { .. }),
            cut: None,
            halt_status: None,
            left_some: false,
            sample_of: profile.sample_of,
            trouble: None,
            columns: self.engines.iter().map(|engine| column(&**engine)).collect(),
            agreement: None,
            failures: std::collections::BTreeMap::new(),
            unnamed_failures: 0,
            news: Vec::new(),
            remarks: Vec::new(),
            charts: Vec::new(),
            advice: std::collections::BTreeMap::new(),
        }
    }
}

/// The order of columns in round `number`, from 1: A B, B A, A B ... so that a
/// drift of the machine falls on all of them alike.
fn order(n_columns: usize, number: usize) -> Vec<usize> {
    let mut columns: Vec<usize> = (0..n_columns).collect();
    if number.is_multiple_of(2) {
        columns.reverse();
    }
    columns
}

/// What was measured before a run that could not be made is not lost with it.
fn given_up<T>(study: &mut Study, error: anyhow::Error) -> anyhow::Result<Option<T>> {
    if study.columns.iter().all(|column| column.runs.is_empty()) {
        return Err(error);
    }
    study.trouble.get_or_insert(crate::text::without_numbers(&format!("{error:#}")));
    Ok(None)
}
