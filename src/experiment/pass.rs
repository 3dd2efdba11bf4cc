//! One pass over the batch: what is outside the clock, what is inside, and what
//! is kept of it.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use anyhow::Context as _;

use super::judge::{Judge, Seen};
use super::ledger::{Against, RunLedger};
use super::{Experiment, Hook, Results};
use crate::engine::Engine;
use crate::engine::StartOrder;
use crate::engine::{Closing, Run, TaskQueue};
use crate::event::Event;
use crate::host::{Surroundings, Watch};
use crate::measure::Usage;
use crate::output::{Grouped, HeadCapture, Lines, Ordered};
use crate::output::{Outlet, Sink};
use crate::process::Interrupt;
use crate::study::{Cut, Produced, RunResult, Study, WorkerCosts};
use crate::task::{Digest, LeftFile, Way};
use crate::workload::{Product, Profile, Size, Workload};

/// Output that has to wait for its turn takes at most this much memory.
const WAITING_OUTPUT: usize = 8 << 20;

/// So much of what the tasks write is kept for the report.
const SHOWN_OUTPUT: usize = 4096;

impl Experiment<'_> {
    /// One run of one column; `None` when a signal cut it short.
    pub(super) fn one_run(
        &mut self,
        study: &mut Study,
        column: usize,
        number: usize,
        judge: &mut Judge,
    ) -> anyhow::Result<Option<RunResult>> {
        let executor = &*self.executors[column];
        let (way, width) = (executor.way(), executor.width());
        let both_ways = self.executors.len() > 1;
        let cut_before =
            Cut { way, finished: 0, tasks: self.workload.profile().size.tasks, records: Vec::new() };
        if self.interrupt.is_set() {
            study.cut = Some(cut_before);
            return Ok(None);
        }
        // A hook may restore what was there before all runs.
        if let Some(results) = self.workload.results() {
            results.check_clear(way)?;
        }
        if !run_hook(&mut self.before, "--prepare", way, study) {
            return Ok(None);
        }
        if self.interrupt.is_set() {
            study.cut = Some(cut_before);
            return Ok(None);
        }

        let before = self.clock.now();
        prepare(&mut *self.workload, way, study)?;
        let preparation = self.clock.now().saturating_sub(before);

        let workload = &*self.workload;
        let profile = workload.profile();
        let size = profile.size;
        self.observer.observe(&Event::RunStarted {
            way,
            width,
            run: number,
            tasks: size.tasks,
            bytes: size.bytes,
            unit: profile.unit,
        });
        let against =
            both_ways.then(|| Against { results: self.results, reference: judge.comparer.reference() });
        let mut ledger = RunLedger::new(against, self.keep_records).of(workload);
        let heads = HeadCapture::new(SHOWN_OUTPUT);
        let sink = in_order(workload.outlet(way));
        let shown = sink.as_deref().unwrap_or(&heads);
        // A warm-up has nothing to be compared with, and nothing is compared with it.
        let results = if both_ways && number > 0 { self.results } else { Results::Products };
        let watch = judge.watch(results, way, shown);
        let timed = self.timed(executor, watch.sink(), &mut ledger);
        let seen = Seen::of(watch, judge.comparer.first_way(), way);
        drop(sink);
        workload.finish();
        self.observer.observe(&Event::RunFinished { way });
        let Timed { wall, usage, peak_memory, surroundings, closing, crew } = timed?;

        study.halt_status = closing.status;
        study.left_some |= closing.left_some;
        let RunLedger { result, digests, failures, unnamed, differing, .. } = ledger.closed(wall);
        let failed: BTreeSet<u64> = failures.keys().copied().collect();
        let endings = failures.iter().map(|(&item, failure)| (item, failure.why.clone())).collect();
        let cut = cut_in(workload, way, &result);
        if number > 0 {
            study.unnamed_failures += unnamed;
            for (item, mut failure) in failures {
                (failure.way, failure.run) = (way, number);
                study.failures.entry(item).and_modify(|first| first.again(&failure)).or_insert(failure);
            }
        }
        if self.interrupt.is_set() {
            run_hook(&mut self.after, "--cleanup", way, study);
            study.cut = Some(cut);
            return Ok(None);
        }
        // What a warm-up left behind is not looked at.
        if both_ways && number > 0 {
            let workload = &*self.workload;
            // After a failure the failure is what there is to say.
            if failed.is_empty() && self.checked.is_none() {
                self.checked = verified(workload, way)?;
            }
            let items = produced(workload, way, width, digests, &failed, &self.interrupt)?;
            let produced = match self.results {
                Results::Products => items,
                Results::Endings => {
                    let files = left_files(workload, way, &self.interrupt)?;
                    let differences = judge.note(seen, &result, study);
                    note_missing(files.as_deref(), way, study);
                    let known = Judge::known(differing, differences, &endings, &judge.comparer, way);
                    Produced { known, failed: endings, files, ..items }
                }
            };
            if self.interrupt.is_set() {
                run_hook(&mut self.after, "--cleanup", way, study);
                // Not all of it was read back.
                study.cut = Some(cut);
                return Ok(None);
            }
            judge.comparer.take(produced);
        }
        for total in &result.spans {
            if let Some((_, advice)) = profile.advice.iter().find(|(span, _)| *span == total.name) {
                study.advice.insert(total.name.clone(), (*advice).to_owned());
            }
        }
        study.columns[column].output = String::from_utf8_lossy(&heads.into_head()).into_owned();
        run_hook(&mut self.after, "--cleanup", way, study);
        Ok(Some(RunResult { preparation, wall, usage, peak_memory, crew, surroundings, ..result }))
    }

    /// The part inside the clock.
    fn timed(
        &self,
        executor: &dyn Engine,
        sink: &dyn Sink,
        ledger: &mut RunLedger<'_>,
    ) -> anyhow::Result<Timed> {
        let clock = &*self.clock;
        let workload = &*self.workload;
        let profile = workload.profile();
        clock.reset_peak();
        for journal in &self.journals {
            journal.begin(SystemTime::now());
        }
        let look = || self.watch.as_ref().and_then(Watch::look);
        let around_before = look();
        let usage_before = clock.usage();
        let started = clock.now();
        let run = Run {
            way: executor.way(),
            batch: TaskQueue::new(
                workload.tasks(),
                profile.size.tasks,
                &self.policy,
                ledger,
                &self.journals,
                &self.interrupt,
                self.observer,
            ),
            start_order: StartOrder::default(),
            ordered_starts: profile.ordered_starts,
            sink,
            digested: self.executors.len() > 1,
            clock,
            started,
            interrupt: &self.interrupt,
            observer: self.observer,
        };
        let driven = executor.drive(&run, workload);
        let wall = clock.now().saturating_sub(started);
        let usage = clock.usage().since(&usage_before);
        let peak_memory = clock.peak_memory();
        let surroundings = look().zip(around_before).map(|(after, before)| after.since(&before));
        let closing = run.batch.close()?;
        driven.map(|crew| Timed { wall, usage, peak_memory, surroundings, closing, crew })
    }
}

/// Makes room for the run and what its tasks share.
fn prepare(workload: &mut dyn Workload, way: Way, study: &mut Study) -> anyhow::Result<()> {
    let mut remarks = workload.profile().remarks;
    if let Some(results) = workload.results() {
        remarks.extend(results.clear(way)?);
    }
    for remark in remarks {
        if !study.remarks.contains(&remark) {
            study.remarks.push(remark);
        }
    }
    workload.begin(None)
}

/// What was found when a result was read as the data it should be.
fn verified(workload: &dyn Workload, way: Way) -> anyhow::Result<Option<String>> {
    let verified = workload.results().map_or(Ok(None), |results| results.verify(way));
    verified.context("read a result back as data")
}

/// The files that the run left beside what its tasks wrote.
fn left_files(
    workload: &dyn Workload,
    way: Way,
    interrupt: &Interrupt,
) -> anyhow::Result<Option<Vec<LeftFile>>> {
    let files = workload.results().map_or(Ok(None), |results| results.files(way, interrupt));
    files.context("read back the --outputs")
}

/// What puts the tasks' outputs in order; `None` where they are kept for the report.
fn in_order(outlet: Outlet<'_>) -> Option<Box<dyn Sink + '_>> {
    match outlet {
        Outlet::Kept => None,
        Outlet::InOrder(destination) => Some(Box::new(Ordered::new(destination, WAITING_OUTPUT))),
        Outlet::GroupedInOrder(destination) => Some(Box::new(Ordered::grouped(destination, WAITING_OUTPUT))),
        Outlet::Grouped(destination) => Some(Box::new(Grouped::new(destination, WAITING_OUTPUT))),
        Outlet::Lines(destination) => Some(Box::new(Lines::new(destination))),
        Outlet::Torn(destination) => Some(Box::new(Lines::torn(destination))),
        Outlet::Own(sink) => Some(sink),
    }
}

/// Runs a hook, if there is one. That it failed is told in the study, for what
/// was measured until then is to be seen; `false` says so.
fn run_hook(hook: &mut Option<Hook<'_>>, name: &str, way: Way, study: &mut Study) -> bool {
    let Some(Err(error)) = hook.as_mut().map(|hook| hook(way)) else { return true };
    study.trouble.get_or_insert(crate::format::without_numbers(&format!("the {name} command: {error:#}")));
    false
}

/// Says so when the files that were to be compared are not there.
fn note_missing(files: Option<&[LeftFile]>, way: Way, study: &mut Study) {
    if files.is_some_and(<[LeftFile]>::is_empty) {
        let remark = format!("--outputs: there was no such file after a {way} run");
        if !study.remarks.contains(&remark) {
            study.remarks.push(remark);
        }
    }
}

/// A run as it stands when it is cut short. What was asked and answered is known,
/// whatever the answer.
fn cut_in(workload: &dyn Workload, way: Way, result: &RunResult) -> Cut {
    let Profile { size: Size { tasks, .. }, external, .. } = workload.profile();
    if external {
        let finished = result.succeeded + result.failed;
        return Cut { way, finished, tasks, records: result.records.clone() };
    }
    Cut { way, finished: result.succeeded, tasks, records: Vec::new() }
}

/// What was measured of a run as a whole.
struct Timed {
    wall: Duration,
    usage: Usage,
    peak_memory: Option<u64>,
    surroundings: Option<Surroundings>,
    closing: Closing,
    crew: Option<WorkerCosts>,
}

/// What a run produced: what is on disk, or else the digests of what its tasks
/// wrote.
fn produced(
    workload: &dyn Workload,
    way: Way,
    width: usize,
    digests: Vec<Option<Digest>>,
    failed: &BTreeSet<u64>,
    interrupt: &Interrupt,
) -> anyhow::Result<Produced> {
    // What a failed task left there is not its own.
    let wanted = |item: u64| !failed.contains(&item);
    let Profile { unit, external, .. } = workload.profile();
    let products = workload.results().map_or(Ok(None), |results| results.products(way, &wanted, interrupt));
    if let Some(products) = products.context("read the results back")? {
        let unit = products.first().map_or(unit, |product| product.unit);
        let why = |product: &Product| Some((product.item, product.unread.clone()?));
        let unread = products.iter().filter_map(why).collect();
        let items = products.into_iter().map(|product| (product.label, product.digest)).collect();
        return Ok(Produced { unread, ..Produced::new(way, width, unit, items) });
    }
    if external {
        // Who was asked is what there is to call it.
        let labels = workload.tasks().map(|task| task.map_or_else(|_| String::new(), |task| task.label));
        let items = labels.zip(digests).collect();
        return Ok(Produced::new(way, width, unit, items));
    }
    let items = (1..).zip(digests).map(|(number, digest): (u64, _)| (number.to_string(), digest));
    Ok(Produced::new(way, width, unit, items.collect()))
}
