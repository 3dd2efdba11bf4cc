//! When a study is saved, and that nothing measured is lost.

use std::cell::Cell;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use parsim::experiment::{Experiment, Repeats};
use parsim::task::{Column, Outcome, Task};
use parsim::testing::engine::{Engine, Mock};
use parsim::testing::measure::FakeClock;
use parsim::workload::{Cx, Results, Tasks, Workload, numbered};

use crate::support::Scripted;

/// Runs pairs of `seconds` each and tells how many runs there were when the
/// study was saved.
fn saved_after(seconds: f64, n_pairs: usize) -> Vec<usize> {
    let clock = Arc::new(FakeClock::new());
    let mock = |way| -> Box<dyn Engine> {
        Box::new(Mock::new(way, 1, &clock, |_| Duration::from_secs_f64(seconds)))
    };
    let saved = Mutex::new(Vec::new());
    Experiment::new(&mut Scripted::numbered(1))
        .unwrap()
        .engines(vec![mock(Column::SERIAL), mock(Column::PARALLEL)])
        .repeats(Repeats::Times(n_pairs))
        .clock(clock.clone())
        .save(Box::new(|study| {
            saved.lock().unwrap().push(study.columns.iter().map(|column| column.runs.len()).sum());
            Ok(())
        }))
        .run()
        .unwrap();
    saved.into_inner().unwrap()
}

#[test]
fn a_study_is_saved_after_each_long_run_but_not_after_each_short_one() {
    assert_eq!(saved_after(2.0, 2), [1, 2, 3, 4]);
    assert_eq!(saved_after(0.25, 4), [1, 5, 8]);
    assert_eq!(saved_after(0.01, 5), [1, 10]);
}

/// Cannot make room for its fourth run; counts what was finished.
#[derive(Default)]
struct Breaking {
    n_clears: Mutex<usize>,
    n_finished: Mutex<usize>,
}

impl Workload for Breaking {
    fn name(&self) -> &'static str {
        "breaking"
    }

    fn tasks(&self) -> Tasks<'_> {
        numbered(1)
    }

    fn run(&self, _task: &Task, _cx: &mut Cx<'_>) -> Outcome {
        Outcome::Failed("no room".into())
    }

    fn finish(&self) -> anyhow::Result<()> {
        *self.n_finished.lock().unwrap() += 1;
        Ok(())
    }

    fn results(&self) -> Option<&dyn Results> {
        Some(self)
    }
}

impl Results for Breaking {
    fn clear(&self, _column: &Column) -> anyhow::Result<Vec<String>> {
        *self.n_clears.lock().unwrap() += 1;
        anyhow::ensure!(*self.n_clears.lock().unwrap() < 4, "no room at all");
        Ok(Vec::new())
    }
}

#[test]
fn what_was_measured_before_an_error_is_saved_and_each_run_finished() {
    let mut breaking = Breaking::default();
    let last = Cell::new(0);
    let study = Experiment::new(&mut breaking)
        .unwrap()
        .width(1)
        .repeats(Repeats::Times(5))
        .save(Box::new(|study| {
            last.set(study.columns.iter().map(|column| column.runs.len()).sum());
            Ok(())
        }))
        .run()
        .unwrap();
    assert_eq!((study.trouble.as_deref(), last.get()), (Some("no room at all"), 3));
    assert_eq!(*breaking.n_finished.lock().unwrap(), 3);
}
