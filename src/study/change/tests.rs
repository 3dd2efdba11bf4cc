//! Made-up studies, before and after.

use super::*;
use crate::study::tests::both_ways;
use crate::task::Record;

fn study(serial: &[u64], parallel: &[u64]) -> Study {
    both_ways(serial, parallel, 4)
}

/// The same with records of tasks: their names and their results.
fn with_results(results: &[(&str, u8)]) -> Study {
    let mut study = study(&[100], &[50]);
    let record = |(seq, (label, digest)): (u64, &(&str, u8))| -> Record {
        let saved = serde_json::json!({
            "seq": seq, "label": label, "slot": 0, "attempt": 1, "start": 0.0, "wall": 0.1, "cpu": 0.1,
            "bytes": 0, "outcome": {"kind": "success"}, "digest": format!("{digest:032x}"),
        });
        serde_json::from_value(saved).unwrap()
    };
    study.columns[0].runs[0].records = (0..).zip(results).map(record).collect();
    study
}

/// What stands in the way of comparing a study with `after`.
fn unlike(after: &Study) -> Option<String> {
    let before = study(&[100], &[50]);
    let changes = Changes::between(&before, after);
    let is_claimed = |change: &Change<'_>| !matches!(change.verdict, Verdict::Unclaimed(_));
    assert_eq!(changes.columns.iter().all(is_claimed), changes.unlike.is_none());
    changes.unlike
}

#[test]
fn a_change_beyond_the_spread_is_told_from_one_within() {
    let before = study(&[400, 404, 396, 401, 399], &[100, 130, 90, 120, 80]);
    let after = study(&[440, 444, 436, 441, 439], &[104, 134, 94, 124, 84]);
    let changes = Changes::between(&before, &after);
    assert!(changes.notes.is_empty() && changes.unlike.is_none() && changes.results.is_none());
    let [serial, parallel] = &changes.columns[..] else { panic!("two columns") };
    assert!(matches!(serial.verdict, Verdict::Different(it) if it.low > 1.05 && it.high < 1.15));
    assert!((serial.ratio() - 1.1).abs() < 1e-9 && serial.speedups.is_none());
    assert!(matches!(parallel.verdict, Verdict::NoDifference(_)));
    let (one, other) = parallel.speedups.unwrap();
    assert!((one - 4.0).abs() < 1e-9 && (other - 440.0 / 104.0).abs() < 1e-9);
}

#[test]
fn fewer_runs_than_five_are_told_without_a_test() {
    let (before, after) = (study(&[100; 5], &[50; 5]), study(&[120; 4], &[50; 5]));
    let changes = Changes::between(&before, &after);
    assert_eq!(changes.columns[0].verdict, Verdict::Untested { runs: 4 });
    assert!(matches!(changes.columns[1].verdict, Verdict::NoDifference(_)));
}

#[test]
fn other_work_is_not_compared() {
    let other = || study(&[200], &[50]);
    assert_eq!(unlike(&other()), None);
    assert_eq!(
        unlike(&Study { workload: "sleep".to_owned(), ..other() }).unwrap(),
        "the work was made-up and is sleep"
    );
    let mut more = other();
    more.columns[1].runs[0].tasks = 1005;
    assert_eq!(unlike(&more).unwrap(), "there were 4 tasks and are 1,005");
    let failed = Study { unnamed_failures: 2, ..other() };
    assert_eq!(unlike(&failed).unwrap(), "2 tasks failed after");
}

#[test]
fn options_that_differ_are_named_but_for_those_that_say_where() {
    let with = |options: serde_json::Value| Study { parameters: options.into(), ..study(&[100], &[50]) };
    let before = with(serde_json::json!({"files": 3, "rng": "fast", "out_dir": "a"}));
    let elsewhere = with(serde_json::json!({"files": 3, "rng": "fast", "out_dir": "b"}));
    assert_eq!(Changes::between(&before, &elsewhere).unlike, None);
    let other = with(serde_json::json!({"files": 4, "rng": "fast", "out_dir": "b", "seed": 1}));
    assert_eq!(
        Changes::between(&before, &other).unlike.unwrap(),
        "the options of made-up differ: files 3 -> 4, seed nothing -> 1"
    );
}

#[test]
fn another_machine_is_not_compared_but_another_name_of_one_is() {
    let mut wider = study(&[100], &[50]);
    wider.host.usable = 8;
    assert_eq!(unlike(&wider).unwrap(), "the number of usable cores was 4 and is 8");
    let named = |name: &str, model: &str| {
        let mut study = study(&[100], &[50]);
        (study.host.hostname, study.host.cpu_model) = (Some(name.to_owned()), Some(model.to_owned()));
        study
    };
    let (before, renamed, other) = (named("a", "X1"), named("b", "X1"), named("a", "X2"));
    let changes = Changes::between(&before, &renamed);
    assert_eq!((changes.unlike, &changes.notes[..]), (None, &["the host was a and is b".to_owned()][..]));
    assert_eq!(Changes::between(&before, &other).unlike.unwrap(), "the processor was X1 and is X2");
}

#[test]
fn only_columns_that_both_have_are_compared_and_the_others_named() {
    let mut after = study(&[100], &[50]);
    after.columns[1].width = 2;
    let before = study(&[100], &[50]);
    let changes = Changes::between(&before, &after);
    assert_eq!(changes.columns.len(), 1);
    assert_eq!(changes.notes, ["only before: -j 4", "only after: -j 2"]);
}

#[test]
fn a_time_of_the_disk_is_not_compared_with_one_of_the_memory() {
    let mut before = study(&[400; 5], &[100; 5]);
    for run in &mut before.columns[0].runs {
        run.usage.block_reads = 410_000;
    }
    let after = study(&[200; 5], &[100; 5]);
    let changes = Changes::between(&before, &after);
    let expected = "before read 210 MB from disk, after 0 B: repeat with --warmup 1";
    assert_eq!(changes.columns[0].verdict, Verdict::Unclaimed(expected.to_owned()));
    assert!(matches!(changes.columns[1].verdict, Verdict::NoDifference(_)) && changes.unlike.is_none());
}

#[test]
fn results_and_names_are_compared_task_by_task() {
    let before = with_results(&[("a", 1), ("b", 2), ("c", 3)]);
    let after = with_results(&[("a", 1), ("B", 5), ("C", 3), ("d", 9)]);
    let changes = Changes::between(&before, &after);
    assert_eq!(changes.results, Some((2, 3)));
    assert_eq!(changes.notes, ["2 tasks had another name, the first b: now B"]);
}
