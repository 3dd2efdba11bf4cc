//! Many tasks in flight on one link, held by one thread: they are sent ahead, begin and
//! end in any order, are tried again while others go on, and end together when a rule
//! says so.

use std::collections::BTreeMap;
use std::num::NonZeroU64;

use super::*;
use crate::engine::tests::Elsewhere;
use crate::engine::{RecordSink, StartOrder, TaskQueue};
use crate::event::{Journal, Unobserved};
use crate::measure::FakeClock;
use crate::output::{Kept, Ordered};
use crate::policy::{Amount, Halt, HaltWhen, HaltWhy, Policy, Retry};
use crate::process::Interrupt;
use crate::sync::Mutex;
use crate::task::Column;

const WAIT: Duration = Duration::from_secs(3600);

/// What is heard of a task over the link.
enum Word {
    Begun,
    Wrote(&'static str),
    Ended(Outcome),
}

use Word::{Begun, Ended, Wrote};

/// The near end of the link.
struct NearEnd<'r, 'q> {
    run: &'r Run<'q>,
    /// Those that were sent and have not begun.
    sent: BTreeMap<u64, Task>,
    running: BTreeMap<u64, TaskLife<'r, 'q>>,
    /// Those that wait for their next try, and how the last one ended.
    waiting: BTreeMap<u64, (TaskLife<'r, 'q>, Record)>,
}

impl<'r, 'q> NearEnd<'r, 'q> {
    /// Sends all tasks at once.
    fn new(run: &'r Run<'q>) -> Self {
        let tasks = std::iter::from_fn(|| run.batch.take_ahead());
        let sent = tasks.map(|task| (task.seq, task)).collect();
        Self { run, sent, running: BTreeMap::new(), waiting: BTreeMap::new() }
    }

    fn hear(&mut self, seq: u64, word: Word) {
        match word {
            Begun => {
                let mut task = self.sent.remove(&seq).unwrap();
                self.run.batch.start_in(self.free_slot(), &mut task);
                let life = TaskLife::begin_elsewhere(self.run, self.run.sink, task, self.run.clock.now());
                self.running.insert(seq, life);
            }
            Wrote(text) => self.running.get_mut(&seq).unwrap().wrote(Channel::Out, text.as_bytes()),
            Ended(outcome) => {
                let mut life = self.running.remove(&seq).unwrap();
                let mut record = life.unmeasured(outcome);
                match life.ended(&mut record) {
                    AfterTry::Again(wait) => {
                        assert_eq!(wait, WAIT);
                        self.waiting.insert(seq, (life, record));
                    }
                    AfterTry::Over(next) => {
                        if next == AfterTask::EndRunning {
                            self.stop();
                        }
                        life.hand_on(record);
                    }
                }
            }
        }
    }

    /// The lowest slot that no task has: the other end hands them out.
    fn free_slot(&self) -> u32 {
        let has_it = |slot: &u32| self.running.values().any(|life| life.task.slot == *slot);
        (0..8).find(|slot| !has_it(slot)).unwrap()
    }

    /// The wait of the task is over.
    fn again(&mut self, seq: u64) {
        let (mut life, ended) = self.waiting.remove(&seq).unwrap();
        life.again_elsewhere(&ended, self.free_slot(), self.run.clock.now());
        self.running.insert(seq, life);
    }

    /// The other end gives up whatever it does.
    fn stop(&mut self) {
        while let Some(&seq) = self.running.keys().next() {
            self.hear(seq, Ended(Outcome::Interrupted));
        }
        while let Some((_, (mut life, mut record))) = self.waiting.pop_first() {
            assert_eq!(life.over(&mut record), AfterTask::GoOn);
            life.hand_on(record);
        }
    }
}

#[derive(Default)]
struct Records(Vec<Record>);

impl RecordSink for Records {
    fn enter(&mut self, record: Record) {
        self.0.push(record);
    }
}

#[derive(Default)]
struct Rows(Mutex<Vec<u64>>);

impl Journal for Rows {
    fn enter(&self, record: &Record) -> anyhow::Result<()> {
        self.0.lock().push(record.seq);
        Ok(())
    }
}

#[test]
fn one_thread_holds_eight_lives_that_end_in_any_order_with_retries_and_a_halt() {
    let (clock, interrupt) = (FakeClock::default(), Interrupt::unbound().unwrap());
    let kept = Kept::new(1000);
    let sink = Ordered::new(kept.clone(), 1000);
    let (mut records, rows) = (Records::default(), Rows::default());
    let journals: [&dyn Journal; 1] = [&rows];
    let policy = Policy {
        halt: Some(Halt { when: HaltWhen::Now, why: HaltWhy::Fail, amount: Amount::Count(1) }),
        retry: Retry { tries: NonZeroU64::new(2), wait: WAIT, backoff: 1.0 },
        ..Policy::default()
    };
    let tasks = Elsewhere(12).tasks();
    let closing = {
        let run = Run {
            column: Column::of_engine("elsewhere"),
            batch: TaskQueue::new(tasks, None, &policy, &mut records, &journals, &interrupt, &Unobserved),
            start_order: &StartOrder::default(),
            ordered_starts: false,
            desk: None,
            sink: &sink,
            digested: false,
            clock: &clock,
            started: Duration::ZERO,
            interrupt: &interrupt,
            observer: &Unobserved,
        };
        let mut link = NearEnd::new(&run);
        assert_eq!((link.sent.len(), link.running.len()), (12, 0));
        for (slot, seq) in (0..).zip([2, 0, 1, 3, 4, 6, 5, 7]) {
            link.hear(seq, Begun);
            link.hear(seq, Wrote("a"));
            assert_eq!(link.running[&seq].task.slot, slot);
        }
        assert_eq!(link.running.len(), 8);

        link.hear(5, Wrote("5 "));
        link.hear(5, Ended(Outcome::Success));
        link.hear(3, Ended(Outcome::Exited(1)));
        link.hear(8, Begun);
        assert_eq!(link.running[&8].task.slot, 3, "whoever waits for another try has no slot");
        link.hear(0, Ended(Outcome::Success));
        link.again(3);
        link.hear(3, Wrote("3 again "));
        link.hear(3, Ended(Outcome::Success));
        assert!(!interrupt.is_draining());

        link.hear(6, Ended(Outcome::Exited(1)));
        link.hear(2, Ended(Outcome::Exited(1)));
        link.again(2);
        link.hear(2, Wrote("2 fails "));
        link.hear(2, Ended(Outcome::Exited(7)));
        assert!(link.running.is_empty() && link.waiting.is_empty() && interrupt.is_draining());
        drop(link);
        run.batch.close().unwrap()
    };
    assert_eq!((closing.status, closing.left_some), (Some(7), true));
    assert_eq!(String::from_utf8(kept.head()).unwrap(), "aa2 fails 3 again aa5 aa");
    assert_eq!(rows.0.into_inner(), [0, 2, 3, 5, 6]);
    let ends: Vec<_> = records.0.iter().map(|it| (it.seq, it.attempt, it.outcome.clone())).collect();
    let cut = Outcome::Interrupted;
    let expected = [
        (0, 1, Outcome::Success),
        (1, 1, cut.clone()),
        (2, 2, Outcome::Exited(7)),
        (3, 2, Outcome::Success),
        (4, 1, cut.clone()),
        (5, 1, Outcome::Success),
        (6, 1, Outcome::Exited(1)),
        (7, 1, cut.clone()),
        (8, 1, cut),
    ];
    assert_eq!(ends, expected);
    let is_retried = |record: &&Record| record.spans.get("earlier tries").is_some();
    assert_eq!(records.0.iter().filter(is_retried).map(|it| it.seq).collect::<Vec<_>>(), [2, 3]);
}
