//! One attempt at one task: the only place with a task's clocks.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::{Run, Ticket};
use crate::output::TaskOutput;
use crate::record::{Outcome, Record, Spec, Task};
use crate::workload::{Cx, Setting, Workload};

/// Does the task of `ticket` on this thread and hands its record to the batch.
pub fn run_one(run: &Run<'_>, ticket: Ticket, workload: &dyn Workload) {
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
    let cpu_before = run.clock.thread_cpu();
    let outcome = caught(workload, &task, &mut cx);
    let (found, output) = cx.into_parts();
    let outcome = closed(output, outcome);
    let cpu = run.clock.thread_cpu().saturating_sub(cpu_before);
    let wall = run.clock.now().saturating_sub(start);

    let item = match task.spec {
        Spec::Part { item, .. } => Some(item),
        Spec::Sequence | Spec::Json(_) => None,
    };
    run.batch.finish(Record {
        seq: task.seq,
        label: task.label,
        item,
        slot,
        attempt,
        start: start.saturating_sub(run.started),
        wall,
        cpu,
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
