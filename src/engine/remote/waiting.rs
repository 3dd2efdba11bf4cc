//! Tasks that no worker has for now and that are not over: those whose next try is yet to
//! begin, those of which it is not sure yet what their end means, and those whose output
//! finds no place.
//!
//! Knows nothing of workers. Waits for nothing: it is asked what is due.

use std::time::{Duration, Instant};

use crate::engine::Run;
use crate::engine::lifecycle::TaskLife;
use crate::output::{Sink, TaskOutput, TaskRef, Wake};
use crate::process::Interrupt;
use crate::task::{Outcome, Record, Task};

/// Whoever ends everything at once, as a batch system, a service manager or a terminal
/// does, ends a task before its worker hears that it is to end as well, and a worker before
/// parsim does. So long it is open what the end of a task means that ended so.
const LAG: Duration = Duration::from_millis(300);

/// A status of a shell above this tells of a signal.
const SIGNAL_STATUS: i32 = 128;

/// A task that ended by a signal, or that its worker gave up.
pub(super) struct DoubtfulEnd<'r, 'q> {
    until: Instant,
    life: TaskLife<'r, 'q>,
    record: Record,
    /// What its worker is called.
    worker: String,
    /// Of which link it is, and how many came before it there.
    link: (usize, u64),
}

/// Whether `outcome` may mean that all was ended, and not the task alone.
pub(super) fn is_doubtful(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Interrupted | Outcome::Signaled(_) => true,
        Outcome::Exited(status) => *status > SIGNAL_STATUS,
        _ => false,
    }
}

impl<'r, 'q> DoubtfulEnd<'r, 'q> {
    /// It ended just now, by the worker of `link`.
    pub(super) fn new(life: TaskLife<'r, 'q>, record: Record, worker: String, link: (usize, u64)) -> Self {
        Self { until: Instant::now() + LAG, life, record, worker, link }
    }

    /// Whether it is clear what it means: parsim is to end, its worker was asked to end, or
    /// nothing of that came.
    fn is_clear(&self, interrupt: &Interrupt, left: Option<(usize, u64)>, now: Instant) -> bool {
        now >= self.until || left == Some(self.link) || interrupt.is_draining()
    }

    /// What it means.
    fn judged(self, interrupt: &Interrupt, left: Option<(usize, u64)>) -> (TaskLife<'r, 'q>, Record) {
        let Self { life, mut record, worker, link, .. } = self;
        let was_given_up = record.outcome == Outcome::Interrupted;
        if interrupt.is_set() {
            record.outcome = Outcome::Interrupted;
        } else if left == Some(link) || (was_given_up && !interrupt.is_draining()) {
            record.outcome = Outcome::Failed(format!("its worker ({worker}) was asked to end").into());
        }
        (life, record)
    }
}

/// Output that finds no place until there is one.
enum HeldUp<'r, 'q> {
    Life(TaskLife<'r, 'q>, Record),
    /// That of a task which was never begun: nothing, but others come behind it.
    Left(Box<dyn TaskOutput + 'r>, Record),
}

/// All of them.
pub(super) struct WaitingLives<'r, 'q> {
    run: &'r Run<'q>,
    sink: &'r dyn Sink,
    wake: Wake,
    retries: Vec<(Instant, TaskLife<'r, 'q>, Record)>,
    doubtful: Vec<DoubtfulEnd<'r, 'q>>,
    held_up: Vec<HeldUp<'r, 'q>>,
}

impl<'r, 'q> WaitingLives<'r, 'q> {
    /// None. What tasks write goes to `sink`; `wake` wakes whoever asks what is due.
    pub(super) fn new(run: &'r Run<'q>, sink: &'r dyn Sink, wake: Wake) -> Self {
        Self { run, sink, wake, retries: Vec::new(), doubtful: Vec::new(), held_up: Vec::new() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.retries.is_empty() && self.doubtful.is_empty() && self.held_up.is_empty()
    }

    /// How many keep others from beginning.
    pub(super) fn n_slots(&self) -> usize {
        self.retries.len() + self.held_up.len()
    }

    /// How many there are of a link whose end is in doubt.
    pub(super) fn n_doubtful(&self, index: usize) -> usize {
        self.doubtful.iter().filter(|end| end.link.0 == index).count()
    }

    /// When to ask next.
    pub(super) fn due(&self) -> Option<Instant> {
        let retries = self.retries.iter().map(|(due, ..)| *due);
        retries.chain(self.doubtful.iter().map(|it| it.until)).min()
    }

    /// The life waits so long for its next try.
    pub(super) fn retry_after(&mut self, wait: Duration, life: TaskLife<'r, 'q>, ended: Record) {
        // Beyond what the clock can tell is for ever.
        let due = Instant::now().checked_add(wait);
        let due = due.unwrap_or_else(|| Instant::now() + Duration::from_secs(u32::MAX.into()));
        self.retries.push((due, life, ended));
    }

    pub(super) fn doubt(&mut self, end: DoubtfulEnd<'r, 'q>) {
        self.doubtful.push(end);
    }

    /// Hands on what the task wrote, now or when there is a place for it.
    pub(super) fn hand_on(&mut self, life: TaskLife<'r, 'q>, record: Record) {
        self.hand_on_or_hold(HeldUp::Life(life, record));
    }

    /// `task` will not begin: those behind it do not wait for it.
    pub(super) fn leave(&mut self, task: Task) {
        self.run.batch.leave_ahead(task.seq);
        let record = Record::without_measures(task.seq, Outcome::Interrupted);
        let output = self.sink.open(TaskRef::Shared(task.into()));
        self.hand_on_or_hold(HeldUp::Left(output, record));
    }

    fn hand_on_or_hold(&mut self, mut held: HeldUp<'r, 'q>) {
        let is_held_up = match &mut held {
            HeldUp::Life(life, _) => life.is_held_up(&self.wake),
            HeldUp::Left(output, _) => output.holds_up(&self.wake).is_some(),
        };
        match held {
            held if is_held_up => self.held_up.push(held),
            HeldUp::Life(life, record) => life.hand_on(record),
            HeldUp::Left(output, record) => output.close(record, &self.run.batch),
        }
    }

    /// Asks again whether there is a place.
    pub(super) fn try_held_up(&mut self) {
        for held in std::mem::take(&mut self.held_up) {
            self.hand_on_or_hold(held);
        }
    }

    /// Those whose next try may begin.
    pub(super) fn due_retries(&mut self) -> Vec<(TaskLife<'r, 'q>, Record)> {
        let now = Instant::now();
        let due = self.retries.extract_if(.., |(due, ..)| *due <= now);
        due.map(|(_, life, ended)| (life, ended)).collect()
    }

    /// Those whose next try will not begin.
    pub(super) fn given_up_retries(&mut self) -> impl Iterator<Item = (TaskLife<'r, 'q>, Record)> {
        std::mem::take(&mut self.retries).into_iter().map(|(_, life, ended)| (life, ended))
    }

    /// Those of which it is clear by now what their end means; `left` was a worker that
    /// left by itself just now.
    pub(super) fn judged(&mut self, left: Option<(usize, u64)>) -> Vec<(TaskLife<'r, 'q>, Record)> {
        let (interrupt, now) = (self.run.interrupt, Instant::now());
        let clear = self.doubtful.extract_if(.., |it| it.is_clear(interrupt, left, now));
        clear.map(|it| it.judged(interrupt, left)).collect()
    }
}
