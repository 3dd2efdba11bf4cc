//! Pages of studies that are large, small or lack something.

use std::time::Duration;

use super::*;
use crate::report::timeline::tests::record;
use crate::study::{ColumnResult, RunResult};
use crate::task::{Column, Outcome, Record};

/// `n_tasks` of 10 ms each, shared out over `width` slots.
fn column(column: Column, width: u32, n_tasks: u64) -> ColumnResult {
    let place = |seq: u64| {
        let slot = u32::try_from(seq % u64::from(width)).unwrap();
        record(seq, slot, seq / u64::from(width) * 10, 10)
    };
    let records: Vec<Record> = (0..n_tasks).map(place).collect();
    let wall = Duration::from_millis(n_tasks.div_ceil(u64::from(width)) * 10);
    let mut run = RunResult { wall, ..RunResult::default() };
    for record in &records {
        run.add(record);
    }
    run.records = records;
    ColumnResult::new(column, width as usize, vec![run])
}

fn page(columns: Vec<ColumnResult>) -> String {
    super::page(&Study { columns, ..crate::study::tests::empty() })
}

#[test]
fn a_page_of_a_hundred_thousand_tasks_is_small_and_one_of_two_thousand_has_every_tooltip() {
    let page_of = |n| page(vec![column(Column::SERIAL, 1, n), column(Column::PARALLEL, 64, n)]);
    let large = page_of(100_000);
    assert!(large.len() < 1_500_000, "{} bytes", large.len());
    assert!(!large.contains("<title>task "));
    let small = page_of(2000);
    assert_eq!(small.matches("<title>task ").count(), 3 * 2000);
    assert!(small.len() < 1_500_000, "{} bytes", small.len());
}

#[test]
fn a_failure_is_seen_among_boxes_that_merged() {
    let mut parallel = column(Column::PARALLEL, 2, 50_000);
    parallel.runs[0].records[777].outcome = Outcome::Exited(3);
    let page = page(vec![parallel]);
    assert_eq!(page.matches("<path class=\"failed\"").count(), 1);
}

#[test]
fn one_way_alone_has_pictures_but_no_speed_up() {
    for (way, width) in [(Column::SERIAL, 1), (Column::PARALLEL, 3)] {
        let page = page(vec![column(way, width, 12)]);
        assert!(page.contains("slot by slot") && page.contains("CPU use during"));
        assert!(!page.contains("peed-up") && !page.contains("one time axis"));
    }
}

#[test]
fn without_records_the_page_says_what_is_missing() {
    let mut columns = vec![column(Column::SERIAL, 1, 4), column(Column::PARALLEL, 2, 4)];
    for column in &mut columns {
        column.runs[0].records.clear();
    }
    let page = page(columns);
    assert!(page.contains("The records of single tasks are not in this study"));
    assert!(page.contains("2.00x") && !page.contains("<svg"));
}

#[test]
fn times_of_nothing_are_drawn_without_numbers_that_are_none() {
    let mut idle = column(Column::PARALLEL, 2, 4);
    idle.runs[0].wall = Duration::ZERO;
    for record in &mut idle.runs[0].records {
        (record.start, record.wall, record.cpu) = (Duration::ZERO, Duration::ZERO, Duration::ZERO);
    }
    let mut still = column(Column::PARALLEL, 2, 4);
    for record in &mut still.runs[0].records {
        record.wall = Duration::ZERO;
    }
    for column in [idle, still, column(Column::PARALLEL, 5, 0)] {
        let page = page(vec![self::column(Column::SERIAL, 1, 4), column]);
        assert!(!page.contains("NaN") && !page.contains("inf"));
    }
}

/// A page of tasks that were run serially and at these widths.
fn sweep(widths: &[u32]) -> String {
    let parallel = widths.iter().map(|width| column(Column::PARALLEL, *width, 40));
    page(std::iter::once(column(Column::SERIAL, 1, 40)).chain(parallel).collect())
}

#[test]
fn several_widths_are_drawn_against_the_ideal() {
    let page = sweep(&[1, 2, 4]);
    assert_eq!(page.matches("class=\"point\"").count(), 2 * 3);
    assert_eq!(page.matches("class=\"ideal\"").count(), 2);
    assert!(page.contains("4 slots: speed-up 4.00x, efficiency 100 %"));
}

#[test]
fn laws_are_drawn_only_where_there_are_widths_enough_to_fit_them() {
    let lines = |page: &str, law: &str| page.matches(&format!("<polyline class=\"{law}\"")).count();
    for (widths, amdahl, usl) in
        [(&[2][..], 0, 0), (&[1, 2], 0, 0), (&[1, 2, 4], 2, 0), (&[1, 2, 3, 4], 2, 2)]
    {
        let page = sweep(widths);
        assert_eq!((lines(&page, "amdahl"), lines(&page, "usl")), (amdahl, usl), "{widths:?}");
        assert_eq!(page.matches("class=\"beyond\"").count(), amdahl, "{widths:?}");
    }
    let page = sweep(&[1, 2]);
    assert!(page.contains("Amdahl: not fitted: it takes 3 different widths, and 2 count"), "{page}");
    let page = sweep(&[1, 2, 4]);
    assert!(page.contains("USL: not fitted: it takes 4 different widths, and 3 count"), "{page}");
    assert!(page.contains(">extrapolated</text>") && lines(&page, "amdahl far") == 2);
}

#[test]
fn widths_beyond_the_cores_are_seen_but_no_curve_rests_on_them() {
    let mut columns = vec![column(Column::SERIAL, 1, 40)];
    columns.extend([1, 2, 4, 20].map(|width| column(Column::PARALLEL, width, 40)));
    for run in columns.iter_mut().flat_map(|column| &mut column.runs) {
        run.usage.user = Duration::from_millis(400);
    }
    let page = page(columns);
    assert_eq!(page.matches("class=\"point beside\"").count(), 2);
    assert_eq!(page.matches("class=\"point\"").count(), 2 * 3);
}
