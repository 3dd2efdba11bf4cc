//! The order of runs and tasks, what counts, and what is done about trouble:
//! through the library, with an engine and a clock in which no time passes.

use std::cell::Cell;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use parsim::experiment::{Experiment, Repeats};
use parsim::study::{Comparison, Study, Verdict};
use parsim::task::{Column, Digest, Outcome, Task};
use parsim::testing::engine::{Engine, Mock, Pool, Serial};
use parsim::testing::event::{Event, Observer};
use parsim::testing::measure::{FakeClock, Usage};
use parsim::testing::process::Interrupt;
use parsim::workload::{Product, Tasks, Workload, numbered};

use crate::support::Scripted;

/// Writes down what happens.
#[derive(Default)]
struct Log {
    lines: Mutex<Vec<String>>,
}

impl Observer for Log {
    fn observe(&self, event: &Event<'_>) {
        let line = match *event {
            Event::RunStarted { column, run, .. } => format!("{column} {run}"),
            Event::TaskStarted { seq, slot, .. } => format!("{seq} in {slot}"),
            _ => return,
        };
        self.lines.lock().unwrap().push(line);
    }
}

impl Log {
    fn runs(&self) -> Vec<String> {
        let lines = self.lines.lock().unwrap();
        lines.iter().filter(|line| !line.contains(" in ")).cloned().collect()
    }

    fn starts(&self) -> Vec<String> {
        let lines = self.lines.lock().unwrap();
        lines.iter().filter(|line| line.contains(" in ")).cloned().collect()
    }
}

/// Both ways of tasks that take a second, or what `parallel` says.
fn both_ways<'a>(
    clock: &'a FakeClock,
    parallel: impl Fn(&Task) -> Duration + 'a,
) -> Vec<Box<dyn Engine + 'a>> {
    let serial = Mock::new(Column::SERIAL, 1, clock, |_: &Task| Duration::from_secs(1));
    vec![Box::new(serial), Box::new(Mock::new(Column::PARALLEL, 2, clock, parallel))]
}

fn second(_task: &Task) -> Duration {
    Duration::from_secs(1)
}

fn experiment<'a>(workload: &'a mut dyn Workload, clock: &Arc<FakeClock>) -> Experiment<'a> {
    Experiment::new(workload).unwrap().clock(Arc::<FakeClock>::clone(clock))
}

#[test]
fn ways_take_turns_in_the_order_a_b_b_a_and_warm_ups_do_not_count() {
    let clock = Arc::new(FakeClock::new());
    let log = Log::default();
    let mut workload = Scripted::numbered(2);
    let study = experiment(&mut workload, &clock)
        .engines(both_ways(&clock, second))
        .warmup(2)
        .repeats(Repeats::Times(3))
        .observer(&log)
        .run()
        .unwrap();
    let expected = [
        ["serial 0", "parallel 0", "parallel 0", "serial 0"].as_slice(),
        &["serial 1", "parallel 1", "parallel 2", "serial 2", "serial 3", "parallel 3"],
    ];
    assert_eq!(log.runs(), expected.concat());
    let walls =
        |column: usize| study.columns[column].runs.iter().map(|run| run.wall.as_secs()).collect::<Vec<_>>();
    assert_eq!((walls(0), walls(1)), (vec![2; 3], vec![1; 3]));
}

#[test]
fn a_sweep_turns_its_columns_round_from_round_to_round() {
    let clock = Arc::new(FakeClock::new());
    let log = Log::default();
    let mut workload = Scripted::numbered(4);
    let mut executors = both_ways(&clock, second);
    executors.push(Box::new(Mock::new(Column::PARALLEL, 4, &clock, second)));
    let study = experiment(&mut workload, &clock)
        .engines(executors)
        .repeats(Repeats::Times(2))
        .observer(&log)
        .run()
        .unwrap();
    assert_eq!(log.runs(), ["serial 1", "parallel 1", "parallel 1", "parallel 2", "parallel 2", "serial 2"]);
    let walls: Vec<u64> = study.columns.iter().map(|column| column.runs[1].wall.as_secs()).collect();
    assert_eq!(walls, [4, 2, 1]);
}

#[test]
fn short_work_is_repeated_until_enough_is_measured_but_not_for_ever() {
    let repeated = |measured, most, n_tasks| {
        let clock = Arc::new(FakeClock::new());
        let mut workload = Scripted::numbered(n_tasks);
        let study = experiment(&mut workload, &clock)
            .engines(both_ways(&clock, second))
            .repeats(Repeats::Until { measured: Duration::from_secs(measured), most })
            .run()
            .unwrap();
        assert!(study.repeated);
        assert_eq!(study.columns[0].runs.len(), study.columns[1].runs.len());
        study.columns[0].runs.len()
    };
    // A pair takes 2 s and 1 s.
    assert_eq!(repeated(7, 10, 2), 3);
    assert_eq!(repeated(6, 10, 2), 2);
    assert_eq!(repeated(7, 2, 2), 2);
    assert_eq!(repeated(1, 10, 0), 10);
}

#[test]
fn what_failed_is_not_repeated() {
    let mut failing = Scripted::numbered(3).job(|task, _| match task.seq {
        1 => Outcome::Failed("no".into()),
        _ => Outcome::Success,
    });
    let repeats = Repeats::Until { measured: Duration::from_secs(60), most: 10 };
    let study = Experiment::new(&mut failing).unwrap().width(2).repeats(repeats).run().unwrap();
    assert_eq!(study.columns[0].runs.len(), 1);
    assert_eq!(study.n_failed(), 1);
}

#[test]
fn tasks_with_names_are_numbered_as_they_come_and_both_ways_are_one_speed_up() {
    let mut workload = Scripted::of(|| Box::new(["a", "b", "c"].iter().map(|name| Ok(Task::new(*name)))));
    let clock = Arc::new(FakeClock::new());
    let time = |task: &Task| Duration::from_secs([2, 2, 4][usize::try_from(task.seq).unwrap()]);
    let mock = |column, width| -> Box<dyn Engine> { Box::new(Mock::new(column, width, &clock, time)) };
    let engines = vec![mock(Column::SERIAL, 1), mock(Column::PARALLEL, 2)];
    let study = experiment(&mut workload, &clock).engines(engines).repeats(Repeats::Times(1)).run().unwrap();
    let records = &study.columns[1].runs[0].records;
    let names: Vec<String> =
        records.iter().map(|record| format!("{} {}", record.seq, record.label)).collect();
    assert_eq!(names, ["0 a", "1 b", "2 c"]);
    // 8 s one after the other; 2 and 4 s beside 2 s.
    assert_eq!(study.speed_up(), Some(8.0 / 6.0));
}

#[test]
fn tasks_start_in_input_order_each_in_the_lowest_free_slot() {
    let clock = Arc::new(FakeClock::new());
    let log = Log::default();
    let mut workload = Scripted::numbered(7);
    let time = |task: &Task| Duration::from_secs([5, 2, 3, 9, 1, 1, 1][usize::try_from(task.seq).unwrap()]);
    let executors: Vec<Box<dyn Engine + '_>> = vec![Box::new(Mock::new(Column::PARALLEL, 3, &clock, time))];
    let study = experiment(&mut workload, &clock).engines(executors).observer(&log).run().unwrap();
    // Ends: 1 at 2 s, 2 at 3 s, 4 at 4 s, 0 and 5 at 5 s.
    assert_eq!(log.starts(), ["0 in 0", "1 in 1", "2 in 2", "3 in 1", "4 in 2", "5 in 2", "6 in 0"]);
    let run = &study.columns[0].runs[0];
    assert_eq!(run.wall, Duration::from_secs(11));
    let starts: Vec<u64> = run.records.iter().map(|record| record.start.as_secs()).collect();
    assert_eq!(starts, [0, 0, 0, 2, 3, 4, 5]);
    assert_eq!((run.longest.as_secs(), run.longest_label.as_str()), (9, "4"));
}

#[test]
fn real_threads_share_the_lowest_slots_and_records_come_in_input_order() {
    for width in [1, 3, 301] {
        let mut workload = Scripted::numbered(1000);
        let executors: Vec<Box<dyn Engine>> = vec![Box::new(Pool::new(NonZeroUsize::new(width).unwrap()))];
        let study = Experiment::new(&mut workload).unwrap().engines(executors).run().unwrap();
        let records = &study.columns[0].runs[0].records;
        assert!(records.iter().map(|record| record.seq).eq(0..1000));
        assert!(records.iter().all(|record| (record.slot as usize) < width));
        assert!(records.iter().any(|record| record.slot == 0));
    }
}

#[test]
fn no_ratio_is_claimed_when_only_one_way_read_the_disk() {
    let clock = Arc::new(FakeClock::new());
    let mut workload = Scripted::numbered(2);
    let disk = Arc::clone(&clock);
    let serial = Mock::new(Column::SERIAL, 1, &clock, move |_: &Task| {
        disk.advance_usage(Usage { block_reads: 100_000, ..Usage::default() });
        Duration::from_secs(1)
    });
    let executors: Vec<Box<dyn Engine + '_>> =
        vec![Box::new(serial), Box::new(Mock::new(Column::PARALLEL, 2, &clock, second))];
    let study =
        experiment(&mut workload, &clock).engines(executors).repeats(Repeats::Times(5)).run().unwrap();
    let Verdict::Unclaimed(text) = verdict(&study) else { panic!("a ratio was claimed") };
    assert_eq!(text, "serial read 102 MB from disk, parallel 0 B: repeat with --warmup 1");
    let report = parsim::report::text::plain(&study);
    assert!(report.contains(&format!("no speed-up is claimed: {text}")), "{report}");
    assert!(!report.contains("faster"), "{report}");
}

fn verdict(study: &Study) -> Verdict {
    Comparison::of(study, &study.columns[1]).unwrap().verdict
}

#[test]
fn a_panicking_task_is_a_failure_and_the_others_finish() {
    let mut panicking = Scripted::numbered(20).job(|task, cx| {
        if task.seq == 7 {
            // As a panic, but without its message in the log of the tests.
            std::panic::resume_unwind(Box::new("seven".to_owned()));
        }
        Outcome::from(cx.write(b"."))
    });
    let study = Experiment::new(&mut panicking).unwrap().width(3).run().unwrap();
    for column in &study.columns {
        let run = &column.runs[0];
        assert_eq!((run.tasks, run.succeeded, run.failed), (20, 19, 1));
        assert_eq!(run.records.get(7).unwrap().outcome, Outcome::Panicked("seven".into()));
        assert_eq!(column.output.len(), 19);
    }
    assert_eq!(study.failures[&7].why, "panicked: seven");
    assert!(!study.agrees());
}

#[test]
fn tasks_that_cannot_be_read_to_their_end_are_an_error_of_the_experiment() {
    let tasks = || -> Tasks<'static> {
        let torn = || Err(anyhow::anyhow!("line 3 cannot be read"));
        Box::new(numbered(2).chain(std::iter::once_with(torn)).chain(numbered(9)))
    };
    for executor in [Box::new(Serial) as Box<dyn Engine>, Box::new(Pool::new(NonZeroUsize::MIN))] {
        let done = Mutex::new(Vec::new());
        let mut workload = Scripted::of(tasks).job(|task, _| {
            done.lock().unwrap().push(task.seq);
            Outcome::Success
        });
        let error = Experiment::new(&mut workload).unwrap().engines(vec![executor]).run().unwrap_err();
        assert_eq!(error.to_string(), "line 3 cannot be read");
        assert_eq!(*done.lock().unwrap(), [0, 1]);
    }
}

#[test]
fn ways_that_wrote_something_else_are_told_apart_by_task() {
    let mut unlike = Scripted::numbered(3).job(|task, cx| {
        let text = if task.seq == 1 { &*cx.column().name } else { "the same" };
        Outcome::from(cx.write(text.to_owned().as_bytes()))
    });
    let study = Experiment::new(&mut unlike).unwrap().width(2).run().unwrap();
    assert!(!study.agrees());
    assert_eq!(study.n_failed(), 0);
    let agreement = study.agreement.as_ref().unwrap();
    assert_eq!((agreement.identical, agreement.items), (2, 3));
    assert_eq!(agreement.differences.len(), 1);
    let report = parsim::report::text::plain(&study);
    assert!(report.contains("2 of 3 tasks identical"), "{report}");
    assert!(report.contains("differs: 2 (parallel)"), "{report}");
}

#[test]
fn an_interrupted_run_does_not_count_and_no_other_is_started() {
    let interrupt = Interrupt::unbound().unwrap();
    let saved = Cell::new(0);
    let mut workload = Scripted::numbered(10).job(|task, cx| {
        if task.seq == 3 && !cx.column().is_serial() {
            interrupt.trigger(15);
        }
        Outcome::Success
    });
    let executors: Vec<Box<dyn Engine>> = vec![Box::new(Serial), Box::new(Pool::new(NonZeroUsize::MIN))];
    let study = Experiment::new(&mut workload)
        .unwrap()
        .engines(executors)
        .repeats(Repeats::Times(5))
        .interrupt(interrupt.clone())
        .save(Box::new(|_| {
            saved.set(saved.get() + 1);
            Ok(())
        }))
        .run()
        .unwrap();
    let cut = study.cut.as_ref().unwrap();
    assert_eq!((&*cut.way, cut.finished, cut.tasks), ("parallel", 4, None));
    assert_eq!((study.columns[0].runs.len(), study.columns[1].runs.len(), saved.get()), (1, 0, 1));
    assert!(study.agreement.is_none());
}

fn thing(item: u64, digest: Option<Digest>) -> Product {
    Product { item, unit: "thing", label: item.to_string(), digest, unread: None }
}

#[test]
fn products_that_an_interrupt_left_unread_are_no_difference() {
    let interrupt = Interrupt::unbound().unwrap();
    let mut unread = Scripted::numbered(2).products(|column, _, told| {
        if !column.is_serial() {
            interrupt.trigger(15);
        }
        (0..2).take_while(|_| !told.is_set()).map(|item| thing(item, Some(Digest(0)))).collect()
    });
    let study = Experiment::new(&mut unread).unwrap().width(1).interrupt(interrupt.clone()).run().unwrap();
    assert!(study.agrees(), "{:?}", study.agreement);
    assert_eq!(study.cut.as_ref().map(|cut| &*cut.way), Some("parallel"));
}

#[test]
fn outputs_are_compared_by_their_bytes_however_they_were_cut() {
    // Each task writes its number in pieces, other ones in each way.
    let mut pieces = Scripted::numbered(2).job(|task, cx| {
        let text = format!("task {} of two\n", task.seq);
        let size = if cx.column().is_serial() { 1 } else { 5 };
        Outcome::from(text.as_bytes().chunks(size).try_for_each(|piece| cx.write(piece)))
    });
    let study = Experiment::new(&mut pieces).unwrap().width(2).run().unwrap();
    assert!(study.agrees(), "{:?}", study.agreement);
    assert_eq!(study.columns[1].output, "task 0 of two\ntask 1 of two\n");
}

#[test]
fn what_a_failed_task_found_there_is_not_taken_for_its_own() {
    let mut stale = Scripted::numbered(2)
        .job(|task, _| match task.seq {
            0 => Outcome::Failed("no room".into()),
            _ => Outcome::Success,
        })
        .products(|_, wanted, _| (0..2).map(|item| thing(item, wanted(item).then_some(Digest(7)))).collect());
    let study = Experiment::new(&mut stale).unwrap().width(1).run().unwrap();
    let agreement = study.agreement.unwrap();
    assert_eq!((agreement.items, agreement.identical), (2, 1));
}
