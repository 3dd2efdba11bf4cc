//! What parsim costs for each task, told by tasks that do nothing.
//!
//! One iteration is one task: a batch of as many tasks as criterion asks
//! iterations for. The slope over batches of different lengths leaves out what
//! a run costs once.

use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use anyhow::ensure;
use criterion::Criterion;
use parsim::experiment::Experiment;
use parsim::prelude::{Cx, Outcome, Task, Tasks, Workload, numbered};
use parsim::testing::engine::{Engine, Pool, Serial};
use parsim::testing::measure::{Clock as _, MonotonicClock};

/// So many tasks that do nothing.
struct Nothing(u64);

impl Workload for Nothing {
    fn name(&self) -> &'static str {
        "nothing"
    }

    fn tasks(&self) -> Tasks<'_> {
        numbered(self.0)
    }

    fn run(&self, _task: &Task, _cx: &mut Cx<'_>) -> Outcome {
        Outcome::Success
    }
}

/// Whether the record of each task is kept.
#[derive(Clone, Copy, PartialEq)]
enum Records {
    Summed,
    Kept,
}

type Engines = fn() -> Vec<Box<dyn Engine>>;

fn serial() -> Vec<Box<dyn Engine>> {
    vec![Box::new(Serial)]
}

fn twice_serial() -> Vec<Box<dyn Engine>> {
    vec![Box::new(Serial), Box::new(Serial)]
}

fn two_threads() -> Vec<Box<dyn Engine>> {
    const TWO: NonZeroUsize = NonZeroUsize::new(2).expect("2 is not 0");
    vec![Box::new(Pool::new(TWO))]
}

/// Runs `tasks` tasks on each of the engines, checks that every one was done,
/// and tells how long it took: sorting of records included, their release not.
fn run(tasks: u64, engines: Engines, records: Records) -> anyhow::Result<Duration> {
    let mut nothing = Nothing(tasks);
    let mut experiment = Experiment::new(&mut nothing)?.engines(engines());
    if records == Records::Summed {
        experiment = experiment.without_records();
    }
    let start = Instant::now();
    let study = experiment.run()?;
    let wall = start.elapsed();
    for run in study.columns.iter().flat_map(|column| &column.runs) {
        ensure!(run.succeeded == tasks, "{} of {tasks} tasks were done", run.succeeded);
        let in_order = run.records.iter().map(|record| record.seq).eq(0..tasks);
        ensure!(records == Records::Summed || in_order, "a record is missing or out of order");
    }
    Ok(wall)
}

fn bench(criterion: &mut Criterion, group: &str, kinds: &[(&str, Engines, Records)]) -> anyhow::Result<()> {
    let mut group = criterion.benchmark_group(group);
    for &(name, engines, records) in kinds {
        run(1000, engines, records)?;
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|tasks| run(tasks, engines, records).expect("it was tried before"));
        });
    }
    group.finish();
    Ok(())
}

/// The clocks that every task is measured with, two readings each: the floor
/// under what a task costs.
pub(crate) fn clocks(criterion: &mut Criterion) {
    let clock = MonotonicClock::start();
    let mut group = criterion.benchmark_group("clocks");
    group.bench_function("wall", |bencher| bencher.iter(|| [clock.now(), clock.now()]));
    group.bench_function("cpu", |bencher| bencher.iter(|| [clock.thread_cpu(), clock.thread_cpu()]));
    group.finish();
}

/// A task timed on the calling thread: summed, recorded, or compared (its
/// output digested; two runs, so two tasks).
pub(crate) fn task(criterion: &mut Criterion) -> anyhow::Result<()> {
    let kinds: [(&str, Engines, Records); 3] = [
        ("summed", serial, Records::Summed),
        ("recorded", serial, Records::Kept),
        ("compared twice", twice_serial, Records::Summed),
    ];
    bench(criterion, "task", &kinds)
}

/// The same on two threads that take tasks from one batch.
pub(crate) fn dispatch(criterion: &mut Criterion) -> anyhow::Result<()> {
    let kinds: [(&str, Engines, Records); 2] =
        [("summed", two_threads, Records::Summed), ("recorded", two_threads, Records::Kept)];
    bench(criterion, "dispatch on 2 threads", &kinds)
}

/// What an experiment costs once: describing the machine, and one run of one task.
pub(crate) fn experiment(criterion: &mut Criterion) -> anyhow::Result<()> {
    let whole = |engines: Engines| -> anyhow::Result<u64> {
        let mut one = Nothing(1);
        let study = Experiment::new(&mut one)?.engines(engines()).run()?;
        Ok(study.columns[0].runs[0].succeeded)
    };
    let mut group = criterion.benchmark_group("experiment");
    for (name, engines) in [("serial", serial as Engines), ("2 threads", two_threads)] {
        ensure!(whole(engines)? == 1, "the task was not done");
        group.bench_function(name, |bencher| bencher.iter(|| whole(engines)));
    }
    group.finish();
    Ok(())
}
