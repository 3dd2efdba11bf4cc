//! One attempt at one task: the only place with a task's clocks.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use super::{Run, Ticket};
use crate::output::TaskOutput;
use crate::record::{Outcome, Record, Spec, Task};
use crate::workload::{Cx, Setting, Workload};

/// What a worker knows from one task to the next.
#[derive(Debug)]
pub struct Worker {
    /// The thread's CPU time at the end of the last task. Reading that clock is
    /// most of what a short task costs, so each task starts with the reading its
    /// predecessor ended with; handing out (about 0.1 us) counts with the task.
    cpu: Duration,
}

impl Worker {
    /// The calling thread as a worker of `run`.
    #[must_use]
    pub fn new(run: &Run<'_>) -> Self {
        Self { cpu: run.clock.thread_cpu() }
    }
}

/// Does the task of `ticket` on this thread and hands its record to the batch.
pub fn run_one(run: &Run<'_>, worker: &mut Worker, ticket: Ticket, workload: &dyn Workload) {
    let Ticket { task, slot, attempt } = ticket;
    let setting = Setting {
        way: run.way,
        slot,
        attempt,
        digested: run.digested,
        clock: run.clock,
        interrupt: run.interrupt,
        observer: run.observer,
    };
    let mut cx = Cx::new(setting, run.sink.open(&task));

    let start = run.clock.now();
    let outcome = caught(workload, &task, &mut cx);
    let (found, output) = cx.into_parts();
    let outcome = closed(output, outcome);
    let cpu_now = run.clock.thread_cpu();
    let cpu = cpu_now.saturating_sub(worker.cpu);
    worker.cpu = cpu_now;
    let wall = run.clock.now().saturating_sub(start);

    let item = match task.spec {
        Spec::Part { item, .. } => Some(item),
        Spec::Sequence | Spec::Values(_) | Spec::Json(_) => None,
    };
    run.batch.finish(Record {
        seq: task.seq,
        label: found.label.unwrap_or(task.label),
        item,
        slot,
        attempt,
        start: start.saturating_sub(run.started),
        wall,
        cpu: found.child_cpu.unwrap_or(cpu),
        peak_memory: found.peak_memory,
        bytes: found.bytes,
        outcome,
        digest: found.digest,
        spans: found.spans,
        facts: found.facts,
    });
}

/// A panic is an ending of the task, not of parsim.
fn caught(workload: &dyn Workload, task: &Task, cx: &mut Cx<'_>) -> Outcome {
    catch_unwind(AssertUnwindSafe(|| workload.run(task, cx)))
        .unwrap_or_else(|panic| Outcome::Panicked(panic_text(&*panic)))
}

/// Output that could not be handed on makes a failure of a success; it says
/// nothing new about a task that failed anyway.
fn closed(output: Box<dyn TaskOutput + '_>, outcome: Outcome) -> Outcome {
    match output.close(&outcome) {
        Err(error) if outcome.is_success() => Outcome::Failed(format!("hand on its output: {error}")),
        Err(_) | Ok(()) => outcome,
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no text").to_owned()
}
