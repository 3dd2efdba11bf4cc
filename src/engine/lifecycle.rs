//! One task, in as many tries as it takes: the only place with a task's clocks.

use std::any::Any;
use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use super::{Run, Then, Ticket};
use crate::output::RetryBuffer;
use crate::output::TaskOutput;
use crate::task::{Outcome, Record, Span, Task, TaskInput};
use crate::workload::{Cx, Setting, Turn, Workload};

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

/// Does the task of `ticket` on this thread, again where it failed and may be
/// tried again, and hands the record of the last try to the batch: how it ended at
/// once, that it is done when its output has been handed on.
pub fn run_one(run: &Run<'_>, worker: &mut Worker, ticket: Ticket, workload: &dyn Workload) {
    let Ticket { task, slot, turn } = ticket;
    let mut earlier = Duration::ZERO;
    let mut attempt = 1;
    let in_order = run.start_order.turn(turn);
    let (mut record, output) = loop {
        // Only the last try's output is anybody's, and which that is shows at its
        // end: until then it is held back.
        let output: Box<dyn TaskOutput + '_> = if run.batch.may_try_again(attempt) {
            Box::new(RetryBuffer::new(run.sink, &task))
        } else {
            run.sink.open(&task)
        };
        let (record, output) = try_once(run, worker, (&task, slot, &in_order, attempt), output, workload);
        if !run.batch.tries_again(attempt, &record.outcome) {
            break (record, output);
        }
        earlier += record.wall;
        attempt += 1;
    };
    if run.ordered_starts {
        // It may have ended without a start.
        run.start_order.begin(turn);
    }
    if attempt > 1 {
        record.spans.push(Span { name: Cow::Borrowed("earlier tries"), wall: earlier });
    }
    if run.batch.ended(&record) == Then::End {
        workload.cancel();
    }
    output.close(record, &run.batch);
}

/// One try, and its output, which is still to be closed.
fn try_once<'s>(
    run: &'s Run<'_>,
    worker: &mut Worker,
    (task, slot, turn, attempt): (&Task, u32, &'s dyn Turn, u32),
    output: Box<dyn TaskOutput + 's>,
    workload: &dyn Workload,
) -> (Record, Box<dyn TaskOutput + 's>) {
    let setting = Setting {
        way: run.way,
        slot,
        attempt,
        digested: run.digested,
        clock: run.clock,
        interrupt: run.interrupt,
        observer: run.observer,
        turn,
    };
    let mut cx = Cx::new(setting, output);

    let start = run.clock.now();
    let outcome = caught(workload, task, &mut cx);
    let cpu_now = run.clock.thread_cpu();
    let wall = run.clock.now().saturating_sub(start);
    let cpu = cpu_now.saturating_sub(worker.cpu);
    worker.cpu = cpu_now;
    let (found, output) = cx.into_parts();

    let item = match task.spec {
        TaskInput::Part { item, .. } => Some(item),
        TaskInput::Sequence | TaskInput::Values(_) | TaskInput::Block(_) | TaskInput::Json(_) => None,
    };
    let record = Record {
        seq: task.seq,
        label: found.label.unwrap_or_else(|| task.label.clone()),
        line: found.line,
        item,
        slot,
        attempt,
        start: start.saturating_sub(run.started),
        wall,
        cpu: found.child_cpu.map_or(cpu, |(user, sys)| user + sys),
        user: found.child_cpu.map(|(user, _)| user),
        sys: found.child_cpu.map(|(_, sys)| sys),
        peak_memory: found.peak_memory,
        peak_memory_is_bound: found.peak_memory_is_bound,
        bytes: found.bytes,
        input_offered: found.input_offered,
        input_read: found.input_read,
        outcome,
        skipped: found.skipped,
        digest: found.digest,
        spans: found.spans,
        facts: found.facts,
    };
    (record, output)
}

/// A panic is an ending of the task, not of parsim.
fn caught(workload: &dyn Workload, task: &Task, cx: &mut Cx<'_>) -> Outcome {
    catch_unwind(AssertUnwindSafe(|| workload.run(task, cx)))
        .unwrap_or_else(|panic| Outcome::Panicked(panic_text(&*panic)))
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no text").to_owned()
}
