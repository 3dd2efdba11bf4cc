//! One pass over the batch: what is outside the clock, what is inside, and what
//! is kept of it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use anyhow::Context as _;

use super::judge::{Judge, OutputWatch};
use super::ledger::{Against, RunLedger, RunNotes};
use super::{ComparedBy, Experiment, Hook};
use crate::engine::{Closing, Engine, Run, StartOrder, TaskQueue};
use crate::event::{Event, Observer};
use crate::host::{RunQueue, RunQueueWatch, Surroundings, SurroundingsWatch};
use crate::measure::Usage;
use crate::output::{HeadCapture, OutputCopy, Sink};
use crate::study::{Cut, Failure, Produced, RecordList, RunResult, Study, WorkerCosts};
use crate::task::{Column, Digest, Task};
use crate::workload::{Product, Profile, RunProcess, Size};

/// So much of what the tasks write is kept for the report.
const SHOWN_OUTPUT: usize = 4096;

/// Which run it is.
#[derive(Clone, Copy)]
pub(super) struct RunPlace {
    /// Its column, from 0.
    pub(super) index: usize,
    /// Which one of this, from 1; 0 for those that do not count.
    pub(super) number: usize,
}

/// A run that is over, and nothing of it judged yet.
struct Pass {
    notes: RunNotes,
    /// What the tasks wrote, where outputs are compared.
    copy: Option<OutputCopy>,
    closing: Closing,
    /// The head of what the tasks wrote.
    head: String,
    /// Whether what the run left could be put where it belongs.
    kept: anyhow::Result<()>,
}

impl Experiment<'_> {
    /// One run of one column; `None` when a signal cut it short.
    pub(super) fn one_run(
        &mut self,
        study: &mut Study,
        place: RunPlace,
        judge: &mut Judge,
    ) -> anyhow::Result<Option<RunResult>> {
        let column = self.engines[place.index].column();
        let Some(preparation) = self.prepare(&column, study)? else { return Ok(None) };
        let profile = self.workload.profile();
        let Pass { notes, copy, closing, head, kept } = self.pass(place, judge, &profile)?;
        if let Err(error) = kept {
            // What was measured is told all the same.
            study.trouble.get_or_insert(crate::text::without_numbers(&format!("{error:#}")));
        }
        study.halt_status = closing.status;
        study.left_some |= closing.left_some;
        let RunNotes { result, digests, failures, unnamed, differing } = notes;
        let is_compared = self.is_compared(place) && !self.interrupt.is_set();
        let whys =
            failures.iter().filter(|_| is_compared).map(|(&item, failure)| (item, failure.why.to_string()));
        let endings = whys.collect();
        if place.number > 0 {
            note_failures(study, &column, place.number, failures);
            study.unnamed_failures += unnamed;
        }
        if is_compared {
            let products = RunProducts { result: &result, digests, endings, differing, copy };
            self.compare(place, products, &profile, judge, study)?;
        }
        if self.interrupt.is_set() {
            run_hook(&mut self.after, &column, study);
            // Not all of it was done, or read back.
            study.cut = Some(cut_in(&profile, &column, result));
            return Ok(None);
        }
        for total in &result.spans {
            if let Some((_, advice)) = profile.advice.iter().find(|(span, _)| *span == total.name) {
                study.advice.insert(total.name.clone(), (*advice).to_owned());
            }
        }
        study.columns[place.index].output = head;
        // How many slots other machines have is known once they were there.
        study.columns[place.index].width = self.engines[place.index].width();
        run_hook(&mut self.after, &column, study);
        Ok(Some(RunResult { preparation, ..result }))
    }

    /// Whether there is something to compare the run with. A warm-up has nothing, and
    /// what it left behind is not looked at.
    fn is_compared(&self, place: RunPlace) -> bool {
        place.number > 0 && self.engines.len() > 1
    }

    /// Makes room for a run of `column`, and what its tasks share. How long that took;
    /// `None` when it is not to be run.
    fn prepare(&mut self, column: &Column, study: &mut Study) -> anyhow::Result<Option<Duration>> {
        if self.is_cut_before(column, study) {
            return Ok(None);
        }
        // A hook may restore what was there before all runs.
        if let Some(results) = self.workload.results() {
            results.check_clear(column)?;
        }
        if !run_hook(&mut self.before, column, study) || self.is_cut_before(column, study) {
            return Ok(None);
        }
        let before = self.clock.now();
        let mut remarks = self.workload.profile().remarks;
        if let Some(results) = self.workload.results() {
            remarks.extend(results.clear(column)?);
        }
        for remark in remarks {
            study.remark(remark);
        }
        self.workload.begin(RunProcess::Client(&self.interrupt))?;
        if self.is_cut_before(column, study) {
            return Ok(None);
        }
        Ok(Some(self.clock.now().saturating_sub(before)))
    }

    /// Whether a signal came before the run was begun.
    fn is_cut_before(&self, column: &Column, study: &mut Study) -> bool {
        let is_cut = self.interrupt.is_set();
        if is_cut {
            let tasks = self.workload.profile().size.tasks;
            study.cut =
                Some(Cut { way: column.name.clone(), finished: 0, tasks, records: RecordList::default() });
        }
        is_cut
    }

    /// The run itself, watched, with its beginning and its end told.
    fn pass(&self, place: RunPlace, judge: &Judge, profile: &Profile) -> anyhow::Result<Pass> {
        let workload = &*self.workload;
        let engine = &*self.engines[place.index];
        let column = &engine.column();
        self.observer.observe(&Event::RunStarted {
            column,
            width: engine.width(),
            run: place.number,
            tasks: profile.size.tasks,
            bytes: profile.size.bytes,
            unit: profile.unit,
        });
        let reference = judge.comparer.reference();
        let against = (self.engines.len() > 1).then_some(Against { by: self.compared_by, reference });
        let mut ledger =
            RunLedger::new(against, self.keep_records, profile.external).with_room_for(profile.size.tasks);
        let heads = HeadCapture::new(SHOWN_OUTPUT);
        let sink = workload.outlet().and_then(|outlet| outlet.open(column));
        let shown = sink.as_deref().unwrap_or(&heads);
        let compared_by = if self.is_compared(place) { self.compared_by } else { ComparedBy::Products };
        let watch = OutputWatch::of(compared_by, shown);
        let timed = self.timed(engine, watch.sink(), profile, &mut ledger);
        let copy = watch.finish();
        drop(sink);
        let kept = workload.finish();
        self.observer.observe(&Event::RunFinished { column });
        let Timed { wall, usage, peak_memory, surroundings, queue, closing, crew } = timed?;
        let elsewhere = crew.as_ref().and_then(|crew| crew.elsewhere.as_ref());
        let mut notes = ledger.closed(wall, elsewhere.map_or(Duration::ZERO, |it| it.queue_wait));
        let start_waits = Some(closing.waits);
        notes.result =
            RunResult { wall, usage, peak_memory, crew, surroundings, queue, start_waits, ..notes.result };
        let head = String::from_utf8_lossy(&heads.into_head()).into_owned();
        Ok(Pass { notes, copy, closing, head, kept })
    }

    /// The part inside the clock.
    fn timed(
        &self,
        engine: &dyn Engine,
        sink: &dyn Sink,
        profile: &Profile,
        ledger: &mut RunLedger<'_>,
    ) -> anyhow::Result<Timed> {
        let clock = &*self.clock;
        let workload = &*self.workload;
        clock.reset_peak();
        for journal in &self.journals {
            journal.begin(SystemTime::now())?;
        }
        let look = || self.watch.as_ref().and_then(SurroundingsWatch::look);
        let around_before = look();
        let counter = TaskCounter { observer: self.observer, under_way: Arc::default() };
        let watch =
            self.watches_queue.then(|| RunQueueWatch::start(Arc::clone(&counter.under_way))).flatten();
        let observer: &dyn Observer = if watch.is_some() { &counter } else { self.observer };
        let usage_before = clock.usage();
        let started = clock.now();
        let run = Run {
            column: engine.column(),
            batch: TaskQueue::new(
                workload.tasks(),
                profile.size.tasks,
                &self.policy,
                ledger,
                &self.journals,
                &self.interrupt,
                observer,
            ),
            start_order: &StartOrder::default(),
            ordered_starts: profile.ordered_starts,
            desk: None,
            sink,
            digested: self.engines.len() > 1,
            clock,
            started,
            interrupt: &self.interrupt,
            observer,
        };
        let driven = engine.drive(&run, workload);
        let wall = clock.now().saturating_sub(started);
        let usage = clock.usage().since(&usage_before);
        let queue = watch.and_then(RunQueueWatch::stop);
        let peak_memory = clock.peak_memory();
        let surroundings = look().zip(around_before).map(|(after, before)| after.since(&before));
        let closing = run.batch.close()?;
        // That a batch system had no room is nothing that the run took.
        let queued = driven.as_ref().ok().and_then(|crew| crew.as_ref()?.elsewhere.as_ref());
        let wall = wall.saturating_sub(queued.map_or(Duration::ZERO, |it| it.queue_wait));
        let usage = queued.map_or(usage, |it| usage + it.usage);
        driven.map(|crew| Timed { wall, usage, peak_memory, surroundings, queue, closing, crew })
    }

    /// Reads back what a run left, and has it compared with what the first one did.
    fn compare(
        &mut self,
        place: RunPlace,
        products: RunProducts<'_>,
        profile: &Profile,
        judge: &mut Judge,
        study: &mut Study,
    ) -> anyhow::Result<()> {
        let engine = &*self.engines[place.index];
        let (column, width) = (engine.column(), engine.width());
        let results = self.workload.results();
        let RunProducts { result, digests, endings, differing, copy } = products;
        // After a failure the failure is what there is to say.
        if let (true, None, Some(results)) = (endings.is_empty(), &self.checked, results) {
            self.checked = results.verify(&column).context("cannot read a result back as data")?;
        }
        let items = self.produced(&column, width, digests, &endings, profile)?;
        let produced = match self.compared_by {
            ComparedBy::Products => items,
            ComparedBy::Endings { files: name, advice } => {
                let files = results.map_or(Ok(None), |results| results.files(&column, &self.interrupt));
                let files = files.with_context(|| format!("cannot read back the {name}"))?;
                judge.note(result, advice, study);
                let differences = judge.output_differences(copy, &differing, &column, study);
                if files.as_ref().is_some_and(Vec::is_empty) {
                    study.remark(format!("{name}: there was no such file after a {column} run"));
                }
                let known = judge.known(differing, differences, &endings, &column);
                Produced { known, failed: endings, files, ..items }
            }
        };
        if !self.interrupt.is_set() {
            judge.comparer.take(produced);
        }
        Ok(())
    }

    /// What a run produced: what is on disk, or else the digests of what its tasks
    /// wrote.
    fn produced(
        &self,
        column: &Column,
        width: usize,
        digests: Vec<Option<Digest>>,
        failed: &BTreeMap<u64, String>,
        &Profile { unit, external, .. }: &Profile,
    ) -> anyhow::Result<Produced> {
        // What a failed task left there is not its own.
        let wanted = |item: u64| !failed.contains_key(&item);
        let products = self
            .workload
            .results()
            .map_or(Ok(None), |results| results.products(column, &wanted, &self.interrupt));
        if let Some(products) = products.context("cannot read the results back")? {
            let unit = products.first().map_or(unit, |product| product.unit);
            let why = |product: &Product| Some((product.item, product.unread.clone()?));
            let unread = products.iter().filter_map(why).collect();
            let items = products.into_iter().map(|product| (product.label, product.digest)).collect();
            return Ok(Produced { unread, ..Produced::new(column.clone(), width, unit, items) });
        }
        let items = if external {
            // Who was asked is what there is to call it.
            let label =
                |task: anyhow::Result<Task>| task.map_or_else(|_| String::new(), |task| task.label.into());
            self.workload.tasks().map(label).zip(digests).collect()
        } else {
            (1_u64..).map(|number| number.to_string()).zip(digests).collect()
        };
        Ok(Produced::new(column.clone(), width, unit, items))
    }
}

/// What there is to be compared of a run.
struct RunProducts<'a> {
    result: &'a RunResult,
    /// The digest of each task by sequence number; `None` where it failed.
    digests: Vec<Option<Digest>>,
    /// How items failed.
    endings: BTreeMap<u64, String>,
    /// The labels of the first tasks whose results are not the reference's.
    differing: BTreeMap<u64, String>,
    /// What the tasks wrote, where outputs are compared.
    copy: Option<OutputCopy>,
}

/// What was measured of a run as a whole.
struct Timed {
    wall: Duration,
    usage: Usage,
    peak_memory: Option<u64>,
    surroundings: Option<Surroundings>,
    queue: Option<RunQueue>,
    closing: Closing,
    crew: Option<WorkerCosts>,
}

/// Counts the tasks that are under way.
struct TaskCounter<'a> {
    observer: &'a dyn Observer,
    under_way: Arc<AtomicU64>,
}

impl Observer for TaskCounter<'_> {
    fn observe(&self, event: &Event<'_>) {
        match event {
            Event::TaskStarted { .. } => _ = self.under_way.fetch_add(1, Ordering::Relaxed),
            Event::TaskFinished(_) => _ = self.under_way.fetch_sub(1, Ordering::Relaxed),
            _ => {}
        }
        self.observer.observe(event);
    }
}

/// Runs a hook, if there is one. That it failed is told in the study, for what
/// was measured until then is to be seen; `false` says so.
fn run_hook(hook: &mut Option<Hook<'_>>, column: &Column, study: &mut Study) -> bool {
    let Some(Err(error)) = hook.as_mut().map(|hook| hook(column)) else { return true };
    study.trouble.get_or_insert(crate::text::without_numbers(&format!("{error:#}")));
    false
}

/// Puts down what failed in run `number` of `column`.
fn note_failures(study: &mut Study, column: &Column, number: usize, mut failures: BTreeMap<u64, Failure>) {
    for failure in failures.values_mut() {
        (failure.way, failure.run) = (column.name.clone(), number);
    }
    // Most often one run is all there is, and as many may have failed as there are tasks.
    if study.failures.is_empty() {
        study.failures = failures;
        return;
    }
    for (item, failure) in failures {
        study.failures.entry(item).and_modify(|first| first.again(&failure)).or_insert(failure);
    }
}

/// A run as it stands when it is cut short. What was asked and answered is known,
/// whatever the answer.
fn cut_in(profile: &Profile, column: &Column, result: RunResult) -> Cut {
    let Profile { size: Size { tasks, .. }, external, .. } = *profile;
    let (finished, records) = if external {
        (result.succeeded + result.failed, result.records)
    } else {
        (result.succeeded, RecordList::default())
    };
    Cut { way: column.name.clone(), finished, tasks, records }
}
