//! A worker on a run directory: it claims tasks, does as many at a time as it has slots,
//! records what became of them, and gives back what it does not do.
//!
//! Tasks are done as everywhere (`run_one`). Knows nothing of who reads what it records.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::AtomicU64;
use std::thread::Builder;
use std::time::Duration;

use anyhow::{Context as _, ensure};

use super::claims::Claims;
use super::heartbeat::{CutOff, Heart, HeartWatch, leave_word};
use super::layout::RunLayout;
use super::run_spec::{RunIdentity, RunSpec};
use super::scribe::{AWAKE, Scribe, ScribedTask, SlotScribe};
use super::segment::{BegunEntry, ByeEntry, DoneEntry, Entry, WorkerEntry};
use super::segment_writer::SegmentWriter;
use super::task_file::TaskReader;
use super::time_limit::TimeLimit;
use super::work_list::{AssignedTask, Returned, WorkList};
use crate::engine::{Run, StartOrder, TaskQueue, ThreadCpu, run_one};
use crate::host::{FileSystem, STACK};
use crate::measure::{Clock, MonotonicClock};
use crate::moment::Moment;
use crate::policy::Policy;
use crate::process::child::Guard;
use crate::process::{Interrupt, Waker};
use crate::sync::{Condvar, Mutex};
use crate::task::{Outcome, Record, Task};
use crate::text::without_numbers;
use crate::workload::{RunProcess, Workload};

/// Whoever ends all reaches this process so soon after its tasks.
const A_MOMENT: Duration = Duration::from_millis(50);

/// Whoever kills all may be in the middle of it when a task ends: before that is recorded, it
/// is waited for this part of the time that the task took, never longer than [`A_MOMENT`] ...
const BREATH: u32 = 50;

/// ... and not at all where that is less.
const SHORTEST_BREATH: Duration = Duration::from_millis(1);

/// A status of a shell above this tells of a signal.
const SIGNAL_STATUS: i32 = 128;

/// A task for which the time of a worker was too short so often is too long.
const MOST_LOST: u32 = 2;

/// Builds a workload, by its name, from its blueprint.
type BuildWorkload<'a> = &'a dyn Fn(&str, serde_json::Value) -> anyhow::Result<Box<dyn Workload>>;

/// Which worker this is.
#[derive(Clone, Debug)]
pub struct RunElement {
    /// Its number in the run, from 0.
    pub number: u32,
    /// What the run is called.
    pub run: String,
    /// The machine, as its users know it.
    pub node: String,
    /// Seconds since 1970 at which it will be ended, where that is known.
    pub end: Option<u64>,
    /// Who ends its jobs where it cannot, and lives as long as it does.
    pub guard: Option<Guard>,
}

/// Does tasks of the run in `root` until there are none, it is told to stop, its time is
/// over, or `stops` is set.
///
/// # Errors
/// When it cannot begin, or cannot record what it did.
pub fn work_in(
    root: &Path,
    element: &RunElement,
    stops: &Interrupt,
    build: BuildWorkload<'_>,
) -> anyhow::Result<()> {
    let clock = MonotonicClock::start();
    let epoch = Moment::now();
    clock.reset_peak();
    let layout = RunLayout::open(root)?;
    let file = layout.identity().context("cannot look at the run")?;
    let spec = RunSpec::read(&layout)?;
    let identity = RunIdentity::new(&spec.name, file);
    // A batch system may start what was forgotten, when there is another run in its place.
    ensure!(spec.name == element.run, "{} is another run by now", layout.root().display());
    let (name, heart) = Heart::begin(&layout, element.number)
        .with_context(|| format!("cannot write in {}", layout.root().display()))?;
    let segment = SegmentWriter::create(&layout, &name).context("cannot record what is done")?;
    let scribe = Scribe::new(segment);
    scribe.put(&Entry::Worker(WorkerEntry {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        node: element.node.clone(),
        process: std::process::id(),
        slots: spec.slots(),
        epoch: epoch.millis(),
    }))?;
    let done = prepared(&layout, &spec, build).and_then(|workload| {
        let worker = DirectoryWorker {
            tasks: TaskReader::open(&layout)?,
            claims: Mutex::new(Claims::new(&layout, &name).context("cannot look at the claims")?),
            watch: Mutex::new(HeartWatch::new(&layout, spec.lease)),
            heart: Mutex::new(heart),
            list: Mutex::new(WorkList::new(spec.slots())),
            rung: Condvar::new(),
            start_order: StartOrder::default(),
            turns: AtomicU64::new(0),
            trouble: Mutex::default(),
            ends_tasks: Interrupt::unbound()?,
            left: Waker::new().context("cannot open what wakes")?,
            end: TimeLimit::of(element.end, spec.cluster.walltime, epoch),
            first_slot: (element.number % spec.cluster.elements.max(1)) * spec.slots(),
            workload: &*workload,
            clock: &clock,
            scribe: &scribe,
            layout: &layout,
            spec: &spec,
            name: &name,
            element: element.number,
            is_seen_late: FileSystem::of(layout.root()).is_some_and(|system| system.is_shared()),
            stops,
            guard: element.guard.as_ref(),
            identity: &identity,
            cut_off: OnceLock::new(),
        };
        worker.work()?;
        workload.finish()
    });
    let said = match &done {
        Ok(()) => Ok(()),
        Err(error) => {
            let why = without_numbers(&format!("{error:#}"));
            scribe.put(&Entry::Failed(why.clone())).inspect_err(|_| {
                // It is in the log in any case.
                let _ = if identity.is_there(&layout) { leave_word(&layout, &name, &why) } else { Ok(()) };
            })
        }
    };
    let bye = ByeEntry { peak_memory: clock.peak_memory(), usage: clock.usage() };
    let said = said.and_then(|()| scribe.put(&Entry::Bye(bye)));
    if identity.is_there(&layout) {
        layout.bury(&name).context("cannot say that this worker is gone")?;
    }
    done.and(said.map_err(Into::into))
}

/// The workload, ready for tasks.
fn prepared(
    layout: &RunLayout,
    spec: &RunSpec,
    build: BuildWorkload<'_>,
) -> anyhow::Result<Box<dyn Workload>> {
    let directory = spec.directory();
    // Whoever started this process put it there, or where else it could.
    let is_here = fs::metadata(&directory)
        .and_then(|there| Ok((there, fs::metadata(".")?)))
        .is_ok_and(|(there, here)| (there.dev(), there.ino()) == (here.dev(), here.ino()));
    ensure!(is_here, "the working directory {} is not there", directory.display());
    let mut workload = build(&spec.workload, spec.blueprint.clone())?;
    let shared = layout.path("files/shared");
    if shared.exists() {
        let bytes = fs::read(&shared).with_context(|| format!("cannot read {}", shared.display()))?;
        workload.begin(RunProcess::Worker(Some(&bytes)))?;
    } else {
        workload.begin(RunProcess::Worker(None))?;
    }
    Ok(workload)
}

/// What the threads of a worker share.
pub(super) struct DirectoryWorker<'a> {
    pub(super) layout: &'a RunLayout,
    pub(super) spec: &'a RunSpec,
    pub(super) name: &'a str,
    /// Its number.
    pub(super) element: u32,
    /// Whether what others write is seen here later.
    pub(super) is_seen_late: bool,
    pub(super) workload: &'a dyn Workload,
    pub(super) clock: &'a MonotonicClock,
    pub(super) scribe: &'a Scribe,
    /// Set when the process is to end.
    pub(super) stops: &'a Interrupt,
    pub(super) guard: Option<&'a Guard>,
    pub(super) identity: &'a RunIdentity,
    pub(super) cut_off: OnceLock<CutOff>,
    /// Set when what runs is to end.
    pub(super) ends_tasks: Interrupt,
    /// Woken when all slots are left.
    pub(super) left: Waker,
    pub(super) tasks: TaskReader,
    pub(super) claims: Mutex<Claims>,
    pub(super) watch: Mutex<HeartWatch>,
    pub(super) heart: Mutex<Heart>,
    pub(super) list: Mutex<WorkList>,
    pub(super) rung: Condvar,
    pub(super) start_order: StartOrder,
    pub(super) turns: AtomicU64,
    /// Why it cannot go on.
    pub(super) trouble: Mutex<Option<anyhow::Error>>,
    pub(super) end: TimeLimit,
    pub(super) first_slot: u32,
}

impl DirectoryWorker<'_> {
    /// Works, and leaves nothing behind that nobody knows of.
    fn work(&self) -> anyhow::Result<()> {
        std::thread::scope(|scope| -> anyhow::Result<()> {
            let thread = || Builder::new().stack_size(STACK);
            thread().spawn_scoped(scope, || self.attend()).context("cannot start a thread")?;
            let mut slots = Vec::new();
            for slot in 1..self.spec.slots() {
                // Those that there are do the work.
                let Ok(started) = thread().spawn_scoped(scope, move || self.do_tasks(slot)) else { break };
                slots.push(started);
            }
            self.do_tasks(0);
            for slot in slots {
                let _ = slot.join();
            }
            self.left.wake();
            Ok(())
        })?;
        self.settle_held(true)?;
        if self.is_cut_off().is_some() {
            // Others have done with it, or do it already.
            return self.trouble.lock().take().map_or(Ok(()), Err);
        }
        let begun = u32::from(self.end.is_over() && !self.stops.is_set());
        for returned in self.list.lock().take_all(begun) {
            self.give_back(returned)?;
        }
        self.trouble.lock().take().map_or(Ok(()), Err)
    }

    /// Gives tasks back, or fails them if that was done before.
    pub(super) fn give_back(&self, returned: Returned) -> anyhow::Result<()> {
        let Returned { item, tasks, lost, is_last } = returned;
        if lost >= MOST_LOST {
            for place in tasks {
                let why = format!("it ran longer than --walltime allows, {lost} times");
                self.fail(place, &why)?;
            }
        } else {
            self.claims.lock().give_back(&item, tasks, lost).context("cannot give tasks back")?;
        }
        if is_last {
            self.claims.lock().finish(&item).context("cannot say that a claim is done")?;
        }
        Ok(())
    }

    /// Records that the task at `place` failed without being done.
    pub(super) fn fail(&self, place: u64, why: &str) -> anyhow::Result<()> {
        let task = self.tasks.read(place)?;
        let record =
            Record { label: task.label, ..Record::without_measures(task.seq, Outcome::Failed(why.into())) };
        let begun = BegunEntry { place, slot: self.first_slot, at: self.now() };
        let (execution, written) = (self.scribe.execution(), Vec::new());
        Ok(self.scribe.put(&Entry::Done(Box::new(DoneEntry { begun, execution, written, record })))?)
    }

    fn now(&self) -> u64 {
        u64::try_from(self.clock.now().as_nanos()).unwrap_or(u64::MAX)
    }

    /// It cannot go on.
    pub(super) fn fails(&self, error: anyhow::Error) {
        self.trouble.lock().get_or_insert(error);
        self.list.lock().is_over = true;
        self.rung.notify_all();
    }

    /// Records what was held back for long enough, or all that `is_last` now; where the worker is
    /// to end, it was given up.
    pub(super) fn settle_held(&self, is_last: bool) -> anyhow::Result<()> {
        loop {
            let due = self.scribe.due(self.is_being_ended());
            for (task, done) in due {
                if self.is_being_ended() {
                    self.list.lock().gave_up(&task);
                } else {
                    self.record(&task, done)?;
                }
            }
            match self.scribe.next_due().filter(|_| is_last) {
                Some(wait) => drop(self.stops.sleep(wait.min(AWAKE))),
                None => return Ok(()),
            }
        }
    }

    /// Records that a task is over.
    fn record(&self, task: &AssignedTask, done: Box<DoneEntry>) -> anyhow::Result<()> {
        self.scribe.put(&Entry::Done(done)).context("cannot record what was done")?;
        let is_done = self.list.lock().recorded(&task.item);
        if is_done && self.is_cut_off() != Some(CutOff::OtherRun) {
            self.claims.lock().finish(&task.item).context("cannot say that a claim is done")?;
        }
        Ok(())
    }

    /// Does tasks in a slot, until there are none any more.
    fn do_tasks(&self, slot: u32) {
        let number = self.first_slot + slot;
        let voice = SlotScribe::new(self.scribe);
        let mut ledger = &voice;
        let policy = Policy { retry: self.spec.retry, ..Policy::default() };
        let no_tasks = Box::new(std::iter::empty());
        let run = Run {
            column: self.spec.column.clone(),
            batch: TaskQueue::new(no_tasks, None, &policy, &mut ledger, &[], &self.ends_tasks, &voice),
            start_order: &self.start_order,
            ordered_starts: self.workload.profile().ordered_starts,
            desk: None,
            sink: &voice,
            digested: self.spec.digested,
            clock: self.clock,
            started: self.clock.now(),
            interrupt: &self.ends_tasks,
            observer: &voice,
        };
        while let Some((turn, assigned)) = self.next() {
            if let Err(error) = self.do_one(&run, &voice, &assigned, turn, number) {
                self.fails(error);
            }
            self.list.lock().ended(assigned.place);
        }
    }

    fn do_one(
        &self,
        run: &Run<'_>,
        voice: &SlotScribe<'_>,
        assigned: &AssignedTask,
        turn: u64,
        slot: u32,
    ) -> anyhow::Result<()> {
        let task = match self.tasks.read(assigned.place) {
            Ok(task) => Task { turn, slot, ..task },
            Err(error) => {
                self.start_order.begin(turn);
                return Err(error);
            }
        };
        let begun = BegunEntry { place: assigned.place, slot, at: self.now() };
        voice.begins();
        self.scribe.put(&Entry::Begun(begun)).context("cannot record what begins").inspect_err(|_| {
            self.start_order.begin(turn);
        })?;
        run_one(run, &mut ThreadCpu::now(run), &task, 1, self.workload);
        let Some(ScribedTask { record, execution, written }) = voice.ended()? else { return Ok(()) };
        match record.outcome {
            Outcome::Interrupted => self.list.lock().gave_up(assigned),
            Outcome::Success => {
                let breath = A_MOMENT.min(record.wall / BREATH);
                if breath >= SHORTEST_BREATH {
                    self.stops.sleep(breath);
                }
                if self.is_being_ended() {
                    let mut list = self.list.lock();
                    list.gave_up(assigned);
                    list.is_over = true;
                    return Ok(());
                }
                self.record(assigned, Box::new(DoneEntry { begun, execution, written, record }))?;
            }
            // It may be that all is being ended, and nobody told this process yet.
            _ => {
                let is_by_signal = match record.outcome {
                    Outcome::Signaled(_) => true,
                    Outcome::Exited(status) => status > SIGNAL_STATUS,
                    _ => false,
                };
                if is_by_signal {
                    // Whoever ends all is about to end this process, too: nothing is begun that
                    // would be done again.
                    self.stops.sleep(A_MOMENT);
                }
                self.scribe.hold(assigned.clone(), Box::new(DoneEntry { begun, execution, written, record }));
            }
        }
        Ok(())
    }
}
