//! What is said of two ways by their noisy times: through the library, with an
//! engine whose times are drawn at random from a fixed seed.

use std::cell::{Cell, RefCell};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use parsim::experiment::{Experiment, Repeats};
use parsim::study::{ColumnResult, Comparison, Gates, Interval, RunResult, Study, Verdict};
use parsim::task::{Column, Task};
use parsim::testing::engine::{Engine, Mock};
use parsim::testing::measure::FakeClock;
use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt as _, SeedableRng as _};
use rand_distr::{Distribution as _, LogNormal, Normal};

use crate::support::Scripted;

/// How often each figure is tried.
const TRIES: usize = 1000;

/// The noise of a run as a factor, from chance and the share of the experiment that is over.
type Noise = fn(&mut Xoshiro256PlusPlus, f64) -> f64;

/// How real machines are noisy.
const KINDS: [(&str, Noise); 8] = [
    ("normal, 1 %", |rng, _| normal(rng, 0.01)),
    ("normal, 2 %", |rng, _| normal(rng, 0.02)),
    ("normal, 5 %", |rng, _| normal(rng, 0.05)),
    ("skewed", |rng, _| 1.0 + 0.03 * log_normal(rng, 0.8)),
    ("skewed, with outliers", |rng, _| log_normal(rng, 0.03) * outlier(rng, 0.05, 0.5)),
    ("large outliers", |rng, _| log_normal(rng, 0.02) * outlier(rng, 0.1, 2.0)),
    ("a slow drift", |rng, over| normal(rng, 0.02) * (1.0 + 0.05 * over)),
    ("a drift that ends", |rng, over| normal(rng, 0.02) * (1.0 + 0.1 * over.min(0.5))),
];

fn normal(rng: &mut Xoshiro256PlusPlus, sigma: f64) -> f64 {
    Normal::new(1.0, sigma).unwrap().sample(rng).max(0.01)
}

fn log_normal(rng: &mut Xoshiro256PlusPlus, sigma: f64) -> f64 {
    LogNormal::new(0.0, sigma).unwrap().sample(rng)
}

/// Now and then a run is up to so much longer.
fn outlier(rng: &mut Xoshiro256PlusPlus, share: f64, most: f64) -> f64 {
    if rng.random::<f64>() < share { 1.1 + most * rng.random::<f64>() } else { 1.0 }
}

/// `runs` runs of one second beside as many that take `slowdown` times as long, each with
/// noise of its kind, in the order in which an experiment makes them.
///
/// The clock is not asked a million times: a study that was measured once lends its rest.
fn measured(rng: &RefCell<Xoshiro256PlusPlus>, runs: usize, slowdown: f64, noise: [Noise; 2]) -> Study {
    static MEASURED: LazyLock<Study> = LazyLock::new(|| {
        experiment(&RefCell::new(Xoshiro256PlusPlus::seed_from_u64(1)), 1, 1.0, [KINDS[1].1; 2])
    });
    let mut study = Study::clone(&MEASURED);
    let [serial, parallel] = &mut study.columns[..] else { panic!("two columns") };
    let template: RunResult = serial.runs[0].clone();
    let mut columns = [(serial, noise[0], 1.0), (parallel, noise[1], slowdown)];
    for (column, ..) in &mut columns {
        column.runs.clear();
    }
    for number in 0..2 * runs {
        // A B, B A, A B ...
        let (column, noise, seconds) = &mut columns[number.div_ceil(2) % 2];
        let over = number as f64 / (2 * runs) as f64;
        let wall = Duration::from_secs_f64(*seconds * noise(&mut rng.borrow_mut(), over));
        column.runs.push(RunResult { wall, ..template.clone() });
    }
    study
}

/// The same through all of an experiment, by a clock that the engines move.
fn experiment(rng: &RefCell<Xoshiro256PlusPlus>, runs: usize, slowdown: f64, noise: [Noise; 2]) -> Study {
    let done = Cell::new(0);
    let time = |seconds: f64, noise: Noise| {
        let done = &done;
        move |_: &Task| {
            let over = f64::from(done.replace(done.get() + 1)) / (2 * runs) as f64;
            Duration::from_secs_f64(seconds * noise(&mut rng.borrow_mut(), over))
        }
    };
    let clock = Arc::new(FakeClock::new());
    let executors: Vec<Box<dyn Engine + '_>> = vec![
        Box::new(Mock::new(Column::SERIAL, 1, &clock, time(1.0, noise[0]))),
        Box::new(Mock::new(Column::PARALLEL, 1, &clock, time(slowdown, noise[1]))),
    ];
    Experiment::new(&mut Scripted::numbered(1))
        .unwrap()
        .clock(Arc::<FakeClock>::clone(&clock))
        .engines(executors)
        .repeats(Repeats::Times(runs))
        .run()
        .unwrap()
}

#[test]
fn what_the_clock_of_an_experiment_says_is_what_these_tests_put_together() {
    for (_, noise) in KINDS {
        let walls = |measure: fn(&RefCell<Xoshiro256PlusPlus>, usize, f64, [Noise; 2]) -> Study| {
            let study = measure(&RefCell::new(Xoshiro256PlusPlus::seed_from_u64(2)), 6, 1.05, [noise; 2]);
            let of = |column: &ColumnResult| column.runs.iter().map(|run| run.wall).collect::<Vec<_>>();
            study.columns.iter().map(of).collect::<Vec<_>>()
        };
        assert_eq!(walls(experiment), walls(measured));
    }
}

fn verdict(study: &Study) -> Verdict {
    Comparison::of(study, &study.columns[1]).unwrap().verdict
}

/// What a test of `study` said.
fn interval(study: &Study) -> Interval {
    match verdict(study) {
        Verdict::NoDifference(interval) | Verdict::Different(interval) => interval,
        other => panic!("no test: {other:?}"),
    }
}

/// How many of as many tries as asked for end as `expected`.
fn count(
    tries: usize,
    runs: usize,
    slowdown: f64,
    noise: [Noise; 2],
    expected: impl Fn(&Study) -> bool,
) -> usize {
    let rng = RefCell::new(Xoshiro256PlusPlus::seed_from_u64(13));
    (0..tries).filter(|_| expected(&measured(&rng, runs, slowdown, noise))).count()
}

fn is_slower(study: &Study) -> bool {
    interval(study).high < 1.0
}

#[test]
fn the_interval_holds_the_truth_in_95_of_100_tries_whatever_the_noise() {
    for (name, noise) in KINDS {
        for runs in [5, 10, 20] {
            // The ways take as long as each other, so a truth outside is a false alarm, too.
            let held = count(TRIES, runs, 1.0, [noise; 2], |study| interval(study).holds(1.0));
            assert!(held >= 945, "{name}, {runs} runs: {held} of {TRIES}");
        }
    }
}

#[test]
fn the_interval_holds_the_ratio_of_the_medians_where_one_way_is_noisier() {
    let (quiet, loud, skewed) = (KINDS[0].1, KINDS[2].1, KINDS[3].1);
    for runs in [5, 10, 20] {
        let held = count(TRIES, runs, 1.5, [quiet, loud], |study| interval(study).holds(1.0 / 1.5));
        assert!(held >= 940, "{runs} runs, more noise: {held}");
        // The median of the skewed noise is 1.03.
        let held =
            count(TRIES, runs, 1.5, [quiet, skewed], |study| interval(study).holds(1.0 / (1.5 * 1.03)));
        assert!(held >= 940, "{runs} runs, skewed: {held}");
    }
}

#[test]
fn five_per_cent_are_found_by_five_runs_in_three_of_four_tries() {
    for (kind, least) in [(1, 780), (6, 750)] {
        let (name, noise) = KINDS[kind];
        let found = count(TRIES, 5, 1.05, [noise; 2], is_slower);
        assert!(found >= least, "{name}: {found} of {TRIES}");
    }
    let found = count(TRIES, 10, 1.05, [KINDS[1].1; 2], is_slower);
    assert!(found >= 970, "{found} of {TRIES}");
}

#[test]
fn what_is_told_as_the_smallest_difference_is_found_in_about_four_of_five_tries() {
    for runs in [5, 10, 20] {
        let rng = RefCell::new(Xoshiro256PlusPlus::seed_from_u64(7));
        let noise = [KINDS[1].1; 2];
        let told: f64 = (0..200).map(|_| interval(&measured(&rng, runs, 1.0, noise)).finds()).sum();
        let found = count(TRIES, runs, 1.0 + told / 200.0, noise, is_slower);
        assert!((700..=900).contains(&found), "{runs} runs, {:.3}: {found}", told / 200.0);
    }
}

#[test]
fn fewer_than_five_runs_are_not_tested() {
    let untested = |study: &Study| verdict(study) == Verdict::Untested { runs: 4 };
    assert_eq!(count(10, 4, 2.0, [KINDS[1].1; 2], untested), 10);
}

/// A study whose parallel way takes `factor` of a second and whose serial one takes one.
fn gated(rng: &RefCell<Xoshiro256PlusPlus>, runs: usize, factor: f64) -> Study {
    measured(rng, runs, factor, [KINDS[1].1; 2])
}

#[test]
fn a_gate_with_an_interval_does_not_fail_what_just_reaches_it() {
    let gates = Gates { min_speedup: Some(1.5), slower_by: None };
    for runs in [5, 10, 20] {
        let rng = RefCell::new(Xoshiro256PlusPlus::seed_from_u64(5));
        let missed = (0..TRIES).filter(|_| !gates.missed(&gated(&rng, runs, 1.0 / 1.515)).is_empty()).count();
        assert!(missed <= 15, "{runs} runs: {missed} of {TRIES}");
    }
}

#[test]
fn a_gate_with_an_interval_fails_what_is_surely_below_it() {
    let gates = Gates { min_speedup: Some(1.5), slower_by: None };
    let rng = RefCell::new(Xoshiro256PlusPlus::seed_from_u64(5));
    let missed = (0..100).filter(|_| !gates.missed(&gated(&rng, 5, 1.0 / 1.3)).is_empty()).count();
    assert!(missed >= 95, "{missed} of 100");
}

#[test]
fn what_a_gate_lets_pass_near_its_edge_it_calls_undecided() {
    let gates = Gates { min_speedup: None, slower_by: Some(0.05) };
    let (mut missed, mut noted, mut silent) = (0, 0, 0);
    let rng = RefCell::new(Xoshiro256PlusPlus::seed_from_u64(5));
    for _ in 0..TRIES {
        let study = gated(&rng, 10, 1.08);
        match (gates.missed(&study).is_empty(), &gates.undecided(&study)[..]) {
            (false, []) => missed += 1,
            (true, [note]) => {
                assert!(note.contains("; the smallest difference these runs can find is "), "{note}");
                noted += 1;
            }
            (true, []) => silent += 1,
            (passed, told) => panic!("{passed} {told:?}"),
        }
    }
    assert!(missed >= 600 && silent == 0 && missed + noted == TRIES, "{missed} {noted} {silent}");
}

#[test]
fn without_an_interval_a_gate_at_its_edge_is_called_a_coin_toss() {
    let gates = Gates { min_speedup: Some(1.5), slower_by: None };
    let rng = RefCell::new(Xoshiro256PlusPlus::seed_from_u64(5));
    let mut missed = 0;
    for _ in 0..100 {
        let study = gated(&rng, 1, 1.0 / 1.515);
        missed += usize::from(!gates.missed(&study).is_empty());
        let notes = gates.undecided(&study);
        assert!(notes[0].ends_with("(1 run, no test); use --runs 10"), "{notes:?}");
    }
    assert!((15..=60).contains(&missed), "{missed} of 100");
}

#[test]
fn two_studies_of_the_same_differ_in_at_most_six_of_a_hundred_tries() {
    let differ = count_changes(TRIES, 1.0, KINDS[4].1, |_| true);
    assert!(differ <= 60, "{differ} of {TRIES}");
}

#[test]
fn two_studies_of_which_one_is_a_tenth_slower_differ_that_way() {
    let slower = count_changes(100, 1.1, KINDS[1].1, |interval| interval.low > 1.0);
    assert!(slower >= 95, "{slower} of 100");
}

/// How many of as many pairs of studies, of five runs each, are told to differ as `expected`,
/// where the second takes `slowdown` times as long.
fn count_changes(tries: usize, slowdown: f64, noise: Noise, expected: fn(Interval) -> bool) -> usize {
    let rng = RefCell::new(Xoshiro256PlusPlus::seed_from_u64(3));
    let study = |slowdown: f64| {
        let study = measured(&rng, 5, slowdown, [noise; 2]);
        let runs: Vec<RunResult> = study.columns[1].runs.clone();
        Study { columns: vec![ColumnResult::new(Column::SERIAL, 1, runs)], ..study }
    };
    let differs = |_: &usize| {
        let (before, after) = (study(1.0), study(slowdown));
        let changes = parsim::study::Changes::between(&before, &after);
        matches!(changes.columns[0].verdict, Verdict::Different(interval) if expected(interval))
    };
    (0..tries).filter(differs).count()
}
