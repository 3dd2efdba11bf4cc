//! That a row says done only of a task whose output is where it belongs: whatever
//! fails, at whatever write, and wherever parsim is killed.

use crate::sync::Mutex;
use std::cell::Cell;
use std::io;
use std::time::Duration;

use proptest::prelude::*;

use super::{Engine as _, Mock};
use crate::engine::StartOrder;
use crate::engine::{RecordSink, Run, TaskQueue};
use crate::event::{Journal, Unobserved};
use crate::measure::FakeClock;
use crate::output::{Channel, Destination, Sink};
use crate::output::{Grouped, Lines, Ordered};
use crate::policy::Policy;
use crate::process::Interrupt;
use crate::task::{Column, Outcome, Record, Task};
use crate::workload::{Cx, Tasks, Workload, numbered};

/// What reaches a disk or a pipe, one write after the other, and the one that fails.
struct World {
    writes: Mutex<Vec<Write>>,
    fails: Fails,
}

/// One write, and whether it failed.
#[derive(Clone, Debug)]
struct Write {
    seq: u64,
    what: What,
    failed: bool,
}

#[derive(Clone, Debug, PartialEq)]
enum What {
    Bytes(Vec<u8>),
    /// A row, and whether it says that the task succeeded.
    Row(bool),
}

/// Which writes fail, counted from 0.
#[derive(Clone, Copy, Debug)]
enum Fails {
    Never,
    At(usize),
    From(usize),
}

impl World {
    fn write(&self, seq: u64, what: What) -> io::Result<()> {
        let mut writes = self.writes.lock();
        let failed = match self.fails {
            Fails::Never => false,
            Fails::At(at) => writes.len() == at,
            Fails::From(at) => writes.len() >= at,
        };
        writes.push(Write { seq, what, failed });
        if failed { Err(io::Error::other("no space left")) } else { Ok(()) }
    }
}

impl Destination for &World {
    fn write(&mut self, task: &Task, _channel: Channel, bytes: &[u8]) -> io::Result<()> {
        World::write(self, task.seq, What::Bytes(bytes.to_vec()))
    }

    fn close(&mut self, _task: &Task, _outcome: &Outcome) -> io::Result<()> {
        Ok(())
    }
}

impl Journal for World {
    fn enter(&self, record: &Record) -> anyhow::Result<()> {
        Ok(self.write(record.seq, What::Row(record.outcome.is_success()))?)
    }
}

/// How outputs are put in order.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Order {
    Kept,
    KeptGrouped,
    Grouped,
    Lines,
}

const ORDERS: [Order; 4] = [Order::Kept, Order::KeptGrouped, Order::Grouped, Order::Lines];

fn sink(order: Order, world: &World, budget: usize) -> Box<dyn Sink + '_> {
    match order {
        Order::Kept => Box::new(Ordered::new(world, budget)),
        Order::KeptGrouped => Box::new(Ordered::grouped(world, budget)),
        Order::Grouped => Box::new(Grouped::new(world, budget)),
        Order::Lines => Box::new(Lines::new(world)),
    }
}

/// The records as they are counted.
#[derive(Default)]
struct Counted(Vec<Record>);

impl RecordSink for Counted {
    fn enter(&mut self, record: Record) {
        self.0.push(record);
    }
}

/// So many tasks, which are done elsewhere.
pub(super) struct Elsewhere(pub(super) u64);

impl Workload for Elsewhere {
    fn name(&self) -> &'static str {
        "elsewhere"
    }

    fn tasks(&self) -> Tasks<'_> {
        numbered(self.0)
    }

    fn run(&self, _task: &Task, _cx: &mut Cx<'_>) -> Outcome {
        unreachable!("no task is done here")
    }
}

fn text(seq: u64, lines: usize) -> Vec<u8> {
    format!("task {seq}\n").repeat(lines).into_bytes()
}

/// A batch of tasks that last so long and write so many lines each, on three slots:
/// what was counted, and whether the batch came to a good end.
fn run(
    world: &World,
    (order, budget): (Order, usize),
    tasks: &[(u64, usize)],
) -> (Vec<Record>, anyhow::Result<()>) {
    let clock = FakeClock::default();
    let interrupt = Interrupt::unbound().unwrap();
    let mut counted = Counted::default();
    let sink = sink(order, world, budget);
    let journals: [&dyn Journal; 1] = [world];
    let all = (0..tasks.len() as u64).map(|seq| Ok(Task::numbered(seq, format!("task {seq}"))));
    let closed = {
        let run = Run {
            column: Column::PARALLEL,
            batch: TaskQueue::new(
                Box::new(all),
                None,
                &Policy::default(),
                &mut counted,
                &journals,
                &interrupt,
                &Unobserved,
            ),
            start_order: &StartOrder::default(),
            ordered_starts: false,
            desk: None,
            sink: &*sink,
            digested: false,
            clock: &clock,
            started: Duration::ZERO,
            interrupt: &interrupt,
            observer: &Unobserved,
        };
        let of = |task: &Task| tasks[usize::try_from(task.seq).unwrap()];
        let mock = Mock::new(Column::PARALLEL, 3, &clock, |task| Duration::from_secs(of(task).0));
        let mock = mock.writing(|task| text(task.seq, of(task).1));
        mock.drive(&run, &Elsewhere(0)).unwrap();
        run.batch.close().map(drop)
    };
    (counted.0, closed)
}

/// What of a task's output is in `writes`.
fn output(writes: &[Write], seq: u64) -> Vec<u8> {
    let own = writes.iter().filter(|write| write.seq == seq && !write.failed);
    own.filter_map(|write| match &write.what {
        What::Bytes(bytes) => Some(bytes.clone()),
        What::Row(_) => None,
    })
    .collect::<Vec<_>>()
    .concat()
}

/// Rows that say done without the output being there.
fn lies(writes: &[Write], tasks: &[(u64, usize)]) -> Vec<u64> {
    let rows = writes.iter().filter(|write| write.what == What::Row(true) && !write.failed);
    rows.map(|row| row.seq)
        .filter(|&seq| output(writes, seq) != text(seq, tasks[usize::try_from(seq).unwrap()].1))
        .collect()
}

fn batches() -> impl Strategy<Value = (Vec<(u64, usize)>, usize)> {
    (prop::collection::vec((1..9_u64, 0..3_usize), 1..9), prop::sample::select(vec![0, 600, 1 << 20]))
}

proptest! {
    #[test]
    fn wherever_it_is_killed_a_row_that_says_done_stands_for_output_that_is_there(
        (tasks, budget) in batches()
    ) {
        for order in ORDERS {
            let world = World { writes: Mutex::default(), fails: Fails::Never };
            let (_, closed) = run(&world, (order, budget), &tasks);
            closed.unwrap();
            let writes = world.writes.into_inner();
            for killed_at in 0..=writes.len() {
                prop_assert_eq!(lies(&writes[..killed_at], &tasks), Vec::<u64>::new(), "{:?}", order);
            }
            let rows: Vec<u64> =
                writes.iter().filter(|write| write.what == What::Row(true)).map(|write| write.seq).collect();
            prop_assert_eq!(rows.len(), tasks.len());
            if matches!(order, Order::Kept | Order::KeptGrouped) {
                prop_assert!(rows.is_sorted(), "{:?}", rows);
            }
        }
    }

    #[test]
    fn a_write_that_fails_is_a_failure_of_the_task_whose_bytes_they_were(
        (tasks, budget) in batches()
    ) {
        for order in ORDERS {
            let n_writes = Cell::new(1);
            for at in (0..).take_while(|at| *at < n_writes.get()) {
                for fails in [Fails::At(at), Fails::From(at)] {
                    let world = World { writes: Mutex::default(), fails };
                    let (counted, closed) = run(&world, (order, budget), &tasks);
                    let writes = world.writes.into_inner();
                    n_writes.set(n_writes.get().max(writes.len()));
                    prop_assert_eq!(lies(&writes, &tasks), Vec::<u64>::new(), "{:?} {:?}", order, fails);
                    let is_lost = |seq: u64| {
                        writes.iter().any(|it| it.seq == seq && it.failed && matches!(it.what, What::Bytes(_)))
                    };
                    for record in &counted {
                        prop_assert_eq!(record.outcome.is_failure(), is_lost(record.seq), "{}", record.seq);
                    }
                    let row_failed = writes.iter().any(|it| it.failed && matches!(it.what, What::Row(_)));
                    prop_assert_eq!(closed.is_err(), row_failed);
                    if !row_failed {
                        prop_assert_eq!(counted.len(), tasks.len());
                        let rows = writes.iter().filter(|it| matches!(it.what, What::Row(_))).count();
                        prop_assert_eq!(rows, tasks.len());
                    }
                }
            }
        }
    }
}
