//! Outputs of a few tasks put in order by hand, and at random.

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::output::Kept;
use crate::output::traits_tests::Acknowledged;
use crate::task::tests::record;
use crate::task::{Block, Span};

/// Does `steps` in order: each is a task's write of its own letter, until
/// the task has none left; then it is closed.
fn play(order: &[u64], pieces: usize, budget: usize) -> Vec<u8> {
    let kept = Kept::new(1 << 20);
    let ordered = Ordered::new(kept.clone(), budget);
    let n_tasks = order.iter().max().map_or(0, |&last| last + 1);
    let tasks: Vec<Task> = (0..n_tasks).map(|seq| Task::numbered(seq, "")).collect();
    let mut left = vec![pieces; tasks.len()];
    for &seq in order.iter().cycle().take(order.len() * (pieces + 1)) {
        let index = usize::try_from(seq).unwrap();
        let task = &tasks[index];
        let mut output = ordered.open(task.into());
        if left[index] > 0 {
            left[index] -= 1;
            output.write(Channel::Out, format!("{seq}.").as_bytes()).unwrap();
        } else {
            output.close(record(0), &Acknowledged::default());
        }
    }
    kept.head()
}

proptest! {
    #[test]
    fn bytes_come_out_in_input_order_whatever_the_order_and_the_budget(
        order in Just((0..6_u64).collect::<Vec<_>>()).prop_shuffle(),
        pieces in 0..4_usize,
        budget in 0..20_usize,
    ) {
        let expected: String = (0..6).map(|seq| format!("{seq}.").repeat(pieces)).collect();
        prop_assert_eq!(String::from_utf8(play(&order, pieces, budget)).unwrap(), expected);
    }
}

#[test]
fn without_room_a_task_is_held_up_until_its_turn_and_loses_nothing() {
    let kept = Kept::new(100);
    let ordered = Ordered::new(kept.clone(), 0);
    ordered.with_state(|state| state.spill = SpillFile::full());
    let woken = Arc::new(AtomicBool::new(false));
    let rings = Arc::clone(&woken);
    let wake: Wake = Arc::new(move || rings.store(true, Ordering::Relaxed));
    let (first, second) = (Task::numbered(0, ""), Task::numbered(1, ""));
    let (mut one, mut two) = (ordered.open((&first).into()), ordered.open((&second).into()));
    two.write(Channel::Out, b"b1 ").unwrap();
    assert!(two.holds_up(&wake).is_some());
    one.write(Channel::Out, b"a1 ").unwrap();
    assert_eq!(one.holds_up(&wake), None);
    one.close(record(0), &Acknowledged::default());
    assert!(woken.load(Ordering::Relaxed));
    assert_eq!(two.holds_up(&wake), None);
    two.write(Channel::Out, b"b2 ").unwrap();
    two.close(record(0), &Acknowledged::default());
    assert_eq!(kept.head(), b"a1 b1 b2 ");
}

#[test]
fn a_task_is_acknowledged_behind_its_output_in_input_order_whatever_the_budget() {
    for budget in [0, 1 << 20] {
        let kept = Kept::new(100);
        let ordered = Ordered::new(kept.clone(), budget);
        let acknowledged = Acknowledged::default();
        let seqs = || -> Vec<u64> { acknowledged.0.lock().iter().map(|it| it.seq).collect() };
        let tasks: Vec<Task> = (0..3).map(|seq| Task::numbered(seq, "")).collect();
        for seq in [2, 1] {
            let mut output = ordered.open((&tasks[seq]).into());
            output.write(Channel::Out, b"x").unwrap();
            output.close(record(seq as u64), &acknowledged);
        }
        assert!(seqs().is_empty() && kept.head().is_empty(), "{budget}");
        ordered.open((&tasks[0]).into()).close(record(0), &acknowledged);
        assert_eq!((seqs(), kept.head()), (vec![0, 1, 2], b"xx".to_vec()), "{budget}");
        assert_eq!(ordered.with_state(|state| state.in_memory), 0, "{budget}");
    }
}

#[test]
fn waiting_records_leave_memory_when_they_are_many() {
    let ordered = Ordered::new(Kept::new(0), 80_000);
    let acknowledged = Acknowledged::default();
    for seq in (1..1000).rev() {
        let task = Task::numbered(seq, "a command line");
        ordered
            .open((&task).into())
            .close(Record { label: "a command line".into(), ..record(seq) }, &acknowledged);
    }
    let in_memory = ordered.with_state(|state| {
        state.waiting.values().filter(|it| matches!(it.closed, Some(Early::Memory(_)))).count()
    });
    assert!((1..30).contains(&in_memory), "{in_memory}");
    ordered.open((&Task::numbered(0, "")).into()).close(record(0), &acknowledged);
    let seqs: Vec<u64> = acknowledged.0.lock().iter().map(|it| it.seq).collect();
    assert_eq!(seqs, (0..1000).collect::<Vec<_>>());
}

/// Both channels in one, as `2>&1` has them.
#[derive(Clone, Default)]
struct Both(Arc<Mutex<Vec<u8>>>);

impl Both {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().clone()).unwrap()
    }
}

impl Destination for Both {
    fn write(&mut self, _task: &Task, _channel: Channel, bytes: &[u8]) -> io::Result<()> {
        self.0.lock().extend_from_slice(bytes);
        Ok(())
    }

    fn close(&mut self, _task: &Task, _outcome: &Outcome) -> io::Result<()> {
        Ok(())
    }
}

/// Writes of (task, channel, text) in this order, then both tasks end.
fn of_two(ordered: &Ordered<Both>, writes: &[(usize, Channel, &str)]) {
    let tasks = [Task::numbered(0, ""), Task::numbered(1, "")];
    let mut outputs = tasks.each_ref().map(|task| ordered.open(task.into()));
    for &(index, channel, text) in writes {
        outputs[index].write(channel, text.as_bytes()).unwrap();
    }
    for output in outputs.into_iter().rev() {
        output.close(record(0), &Acknowledged::default());
    }
}

const MIXED: [(usize, Channel, &str); 6] = [
    (1, Channel::Err, "b!"),
    (1, Channel::Out, "b1 "),
    (0, Channel::Err, "a! "),
    (0, Channel::Out, "a1 "),
    (0, Channel::Out, "a2 "),
    (1, Channel::Out, "b2 "),
];

#[test]
fn messages_come_behind_what_a_task_produces_where_that_is_asked_for() {
    for budget in [0, 1 << 20] {
        let kept = Both::default();
        of_two(&Ordered::grouped(kept.clone(), budget), &MIXED);
        assert_eq!(kept.text(), "a1 a2 a! b1 b2 b!", "{budget}");
        let kept = Both::default();
        of_two(&Ordered::new(kept.clone(), budget), &MIXED);
        assert_eq!(kept.text(), "a! a1 a2 b!b1 b2 ", "{budget}");
    }
}

#[test]
fn messages_that_find_no_place_do_not_wait_for_the_end() {
    let kept = Both::default();
    let ordered = Ordered::grouped(kept.clone(), 0);
    ordered.with_state(|state| state.spill = SpillFile::full());
    let task = Task::numbered(0, "");
    let mut output = ordered.open((&task).into());
    output.write(Channel::Err, b"a! ").unwrap();
    assert_eq!(kept.text(), "a! ");
    output.write(Channel::Out, b"a1 ").unwrap();
    output.close(record(0), &Acknowledged::default());
    assert_eq!(kept.text(), "a! a1 ");
}

#[test]
fn the_task_whose_turn_it_is_streams_through_at_once() {
    let kept = Kept::new(100);
    let ordered = Ordered::new(kept.clone(), 0);
    let task = Task::numbered(0, "");
    ordered.open((&task).into()).write(Channel::Out, b"live").unwrap();
    assert_eq!(kept.head(), b"live");
}

#[test]
fn a_record_comes_back_from_the_file_as_it_was_without_what_was_read() {
    let values = vec![b"a\xff".to_vec(), Vec::new()];
    let block = Block { values: values.clone(), bytes: vec![b'x'; 10_000], stretch: None };
    let task =
        Task { slot: 3, turn: 4, spec: TaskInput::Block(Box::new(block)), ..Task::numbered(7, "seven") };
    let record = Record {
        slot: 3,
        line: Some(b"cat \xff".as_slice().into()),
        wall: Duration::new(1, 234_567_891),
        spans: [Span { name: Cow::Borrowed("write"), wall: Duration::from_nanos(5) }].into_iter().collect(),
        input_offered: 10_000,
        input_read: Some(9_000),
        user: Some(Duration::from_millis(5)),
        skipped: true,
        facts: vec![(Cow::Borrowed("name"), "10000".to_owned())],
        ..Record::without_measures(7, Outcome::Exited(3))
    };
    let mut over = Over::new(&task, record.clone());
    assert!(over.size() < 1000, "{}", over.size());
    let mut spill = SpillFile::default();
    let Ok(early) = over.put_into(&mut spill) else { panic!("it finds room") };
    let back = early.take(&spill);
    assert_eq!(back.record, record);
    assert_eq!(back.task, Task { spec: TaskInput::Values(values), ..task });
}

#[test]
fn a_record_that_cannot_be_read_back_is_a_failure_of_that_task() {
    let mut spill = SpillFile::default();
    let mut over = Over::new(&Task::numbered(5, ""), Record::without_measures(5, Outcome::Success));
    let Ok(early) = over.put_into(&mut spill) else { panic!("it finds room") };
    spill.reset().unwrap();
    let back = early.take(&spill);
    assert!(back.record.seq == 5 && back.record.outcome.is_failure(), "{:?}", back.record.outcome);
}
