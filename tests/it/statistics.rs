//! What is said of two ways by their noisy times: through the library, with an
//! engine whose times are drawn at random from a fixed seed.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use parsim::experiment::{Experiment, Repeats};
use parsim::study::{Comparison, Verdict};
use parsim::task::{Column, Task};
use parsim::testing::engine::{Engine, Mock};
use parsim::testing::measure::FakeClock;
use rand::SeedableRng as _;
use rand::rngs::Xoshiro256PlusPlus;
use rand_distr::{Distribution as _, Normal};

use crate::support::Scripted;

/// A share of the time, as on a quiet machine.
const NOISE: f64 = 0.03;

/// Compares `runs` runs of one second with as many that take `slowdown` times
/// as long, both with noise.
fn compared(rng: &RefCell<Xoshiro256PlusPlus>, runs: usize, slowdown: f64) -> Verdict {
    let noise = Normal::new(1.0, NOISE).unwrap();
    let time = |seconds: f64| {
        move |_: &Task| Duration::from_secs_f64(seconds * noise.sample(&mut *rng.borrow_mut()).max(0.0))
    };
    let clock = Arc::new(FakeClock::new());
    let executors: Vec<Box<dyn Engine + '_>> = vec![
        Box::new(Mock::new(Column::SERIAL, 1, &clock, time(1.0))),
        Box::new(Mock::new(Column::PARALLEL, 1, &clock, time(slowdown))),
    ];
    let study = Experiment::new(&mut Scripted::numbered(1))
        .unwrap()
        .clock(Arc::<FakeClock>::clone(&clock))
        .engines(executors)
        .repeats(Repeats::Times(runs))
        .run()
        .unwrap();
    Comparison::of(&study, &study.columns[1]).unwrap().verdict
}

/// How many of `tries` comparisons end as `expected` says.
fn count(tries: usize, seed: u64, runs: usize, slowdown: f64, expected: fn(&Verdict) -> bool) -> usize {
    let rng = RefCell::new(Xoshiro256PlusPlus::seed_from_u64(seed));
    (0..tries).filter(|_| expected(&compared(&rng, runs, slowdown))).count()
}

fn is_no_difference(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::NoDifference(_))
}

fn is_slower(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Different(interval) if interval.high < 1.0)
}

#[test]
fn two_identical_ways_show_no_measurable_difference() {
    for runs in [5, 10, 20] {
        let found = count(400, 1, runs, 1.0, is_no_difference);
        assert!(found >= 380, "{found} of 400 with {runs} runs");
    }
}

#[test]
fn a_slowdown_of_five_per_cent_is_found_by_twenty_runs() {
    let found = count(100, 1, 20, 1.05, is_slower);
    assert!(found >= 90, "{found} of 100");
}

#[test]
fn fewer_than_five_runs_are_not_tested() {
    assert_eq!(count(10, 1, 4, 2.0, |verdict| *verdict == Verdict::Untested { runs: 4 }), 10);
}
