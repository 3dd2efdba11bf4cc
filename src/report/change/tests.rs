//! What is said of made-up studies.

use super::*;
use crate::report::{Look, Pictures, text};
use crate::study::tests::both_ways;

fn said(before: &Study, after: &Study) -> Vec<String> {
    let pair = StudyPair::new(Side { name: "a", study: before }, Side { name: "b", study: after });
    pair.verdicts().into_iter().map(|verdict| verdict.words()).collect()
}

fn of_serial(before: &[u64], after: &[u64]) -> String {
    said(&both_ways(before, &[50], 2), &both_ways(after, &[50], 2)).swap_remove(0)
}

#[test]
fn a_change_is_told_in_per_cent_and_as_a_factor_where_it_is_large() {
    assert_eq!(of_serial(&[100], &[104]), "serial: 4 % more time than before (1 run each, no test)");
    assert_eq!(of_serial(&[200], &[171]), "serial: 15 % less time than before (1 run each, no test)");
    assert_eq!(of_serial(&[100], &[310]), "serial: 3.10x slower than before (1 run each, no test)");
    assert_eq!(of_serial(&[310], &[100]), "serial: 3.10x faster than before (1 run each, no test)");
    assert_eq!(of_serial(&[100, 100], &[100]), "serial: as long as before (2 and 1 run, no test)");
}

#[test]
fn from_five_runs_on_the_interval_decides() {
    let noisy = of_serial(&[100, 120, 90, 110, 80], &[104, 124, 94, 114, 84]);
    assert!(noisy.starts_with("serial: no measurable difference (-"), "{noisy}");
    assert_eq!(
        of_serial(&[100; 5], &[300; 5]),
        "serial: 3.00x slower than before (3.00-3.00 with 95 % confidence)"
    );
    let faster = of_serial(&[300, 310, 290, 300, 300], &[100; 5]);
    assert!(faster.starts_with("serial: 3.00x faster than before (2.9"), "{faster}");
    assert_eq!(
        of_serial(&[100; 5], &[112; 5]),
        "serial: 12 % more time than before (+12 to +12 % with 95 % confidence)"
    );
}

#[test]
fn studies_that_are_not_alike_get_one_verdict_and_no_changes() {
    let (before, mut after) = (both_ways(&[100], &[50], 2), both_ways(&[300], &[50], 2));
    after.workload = "other\u{1b}".to_owned();
    assert_eq!(said(&before, &after), ["not comparable: the work was made-up and is other\\u{1b}"]);
    let pair = StudyPair::new(Side { name: "a", study: &before }, Side { name: "b", study: &after });
    let changes: Vec<String> =
        pair.table().rows.into_iter().map(|mut row| row.cells.swap_remove(3)).collect();
    assert!(changes.iter().all(|change| change.is_empty() || change == "not compared"), "{changes:?}");
    after.workload.clone_from(&before.workload);
    after.columns.remove(0);
    after.columns[0].width = 8;
    assert_eq!(said(&before, &after), ["not comparable: no way and width was run in both"]);
}

#[test]
fn the_picture_has_both_medians_of_each_column_on_one_axis() {
    let (before, after) = (both_ways(&[100], &[50], 2), both_ways(&[200], &[100], 2));
    let pair = StudyPair::new(Side { name: "a", study: &before }, Side { name: "b", study: &after });
    let look = Look { unicode: false, width: 60, pictures: Pictures::Drawn, ..Look::plain() };
    let text = text::render_change(&pair, look);
    let lengths: Vec<usize> =
        text.lines().map(|line| line.matches('#').count()).filter(|count| *count > 0).collect();
    assert_eq!(lengths, [18, 35, 9, 18], "{text}");
    assert!(text.lines().any(|line| line.starts_with("serial before   ####")), "{text}");
}
