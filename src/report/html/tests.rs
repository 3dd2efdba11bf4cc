//! Pages of studies that are large, small or lack something.

use std::time::Duration;

use super::*;
use crate::report::timeline::tests::record;
use crate::study::{ColumnResult, RecordList, RunResult};
use crate::task::{Column, Outcome, Record};

/// `n_tasks` of 10 ms each, shared out over `width` slots.
fn column(column: Column, width: u32, n_tasks: u64) -> ColumnResult {
    let place = |seq: u64| {
        let slot = u32::try_from(seq % u64::from(width)).unwrap();
        record(seq, slot, seq / u64::from(width) * 10, 10)
    };
    let records: RecordList = (0..n_tasks).map(place).collect();
    let wall = Duration::from_millis(n_tasks.div_ceil(u64::from(width)) * 10);
    let mut run = RunResult { wall, ..RunResult::default() };
    for record in &records {
        run.add(&record);
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
    let failed = |record: &mut Record| {
        if record.seq == 777 {
            record.outcome = Outcome::Exited(3);
        }
    };
    parallel.runs[0].records.change(failed);
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
fn without_records_the_page_says_what_is_missing_and_each_way_is_one_bar() {
    let mut columns = vec![column(Column::SERIAL, 1, 4), column(Column::PARALLEL, 2, 4)];
    for column in &mut columns {
        column.runs[0].records = RecordList::default();
    }
    let page = page(columns);
    assert!(page.contains("The records of single tasks are not in this study"));
    assert!(page.contains("2.00x") && page.contains("20.0 ms saved<"), "{page}");
    assert_eq!((page.matches("<svg").count(), page.matches("<rect").count()), (1, 2));
}

#[test]
fn times_of_nothing_are_drawn_without_numbers_that_are_none() {
    let mut idle = column(Column::PARALLEL, 2, 4);
    idle.runs[0].wall = Duration::ZERO;
    idle.runs[0].records.change(|record| {
        (record.start, record.wall, record.cpu) = (Duration::ZERO, Duration::ZERO, Duration::ZERO);
    });
    let mut still = column(Column::PARALLEL, 2, 4);
    still.runs[0].records.change(|record| record.wall = Duration::ZERO);
    for column in [idle, still, column(Column::PARALLEL, 5, 0)] {
        let page = page(vec![self::column(Column::SERIAL, 1, 4), column]);
        assert!(!page.contains("NaN") && !page.contains("inf"));
    }
}

/// Tasks that were run serially and at widths, each of which took so many milliseconds.
fn sweep_of(walls: &[(u32, u64)]) -> Vec<ColumnResult> {
    let mut columns = vec![column(Column::SERIAL, 1, 40)];
    for (width, wall) in walls {
        let mut swept = column(Column::PARALLEL, *width, 40);
        swept.runs[0].wall = Duration::from_millis(*wall);
        columns.push(swept);
    }
    columns
}

/// The same where each width is as fast as can be.
fn ideal(widths: &[u32]) -> Vec<ColumnResult> {
    sweep_of(&widths.iter().map(|width| (*width, 400 / u64::from(*width))).collect::<Vec<_>>())
}

fn n_lines(page: &str, law: &str) -> usize {
    page.matches(&format!("<polyline class=\"{law}\"")).count()
}

/// How many widths are drawn as a dot.
fn n_dots(page: &str, class: &str) -> usize {
    let begin = format!("<circle class=\"{class}\"");
    let dots = page.split(&begin).skip(1);
    dots.filter(|dot| dot.split('>').nth(2).is_some_and(|title| title.contains(": speed-up "))).count()
}

#[test]
fn several_widths_are_drawn_against_the_ideal() {
    let page = page(ideal(&[1, 2, 4]));
    assert_eq!(n_dots(&page, "point"), 2 * 3);
    assert_eq!(n_lines(&page, "ideal"), 2);
    assert!(page.contains("4 slots: speed-up 4.00x, efficiency 100 %"));
}

#[test]
fn two_widths_are_no_picture() {
    let page = page(ideal(&[1, 2]));
    assert!(!page.contains("against slots") && page.contains("efficiency"), "{page}");
    assert!(page.contains("Amdahl: not fitted: it takes 3 different widths, and 2 count"), "{page}");
}

#[test]
fn a_law_is_drawn_only_where_there_are_widths_enough_to_fit_it() {
    let three = page(ideal(&[1, 2, 4]));
    assert_eq!((n_lines(&three, "amdahl"), n_lines(&three, "usl")), (2, 0));
    assert!(three.contains("USL: not fitted: it takes 4 different widths, and 3 count"), "{three}");
    assert!(three.contains(">extrapolated</text>") && n_lines(&three, "amdahl far") == 2);
    assert_eq!(three.matches("class=\"beyond\"").count(), 2);
}

#[test]
fn laws_that_are_the_same_curve_are_one_line_and_others_are_told_apart_by_their_dashes() {
    let same = page(ideal(&[1, 2, 3, 4]));
    assert_eq!((n_lines(&same, "amdahl"), n_lines(&same, "usl")), (2, 0));
    assert!(same.contains("Amdahl, and USL the same"), "{same}");
    let falling = page(sweep_of(&[(1, 400), (2, 240), (3, 210), (4, 220)]));
    assert_eq!((n_lines(&falling, "amdahl"), n_lines(&falling, "usl")), (2, 2));
    for law in ["ideal", "amdahl", "usl"] {
        let key = format!(
            "<svg class=\"key\" width=\"28\" height=\"12\" aria-hidden=\"true\"><line class=\"{law}\""
        );
        assert_eq!(falling.matches(&key).count(), 2, "{law}");
    }
}

#[test]
fn of_several_widths_the_first_figures_speak_of_the_best() {
    let page = page(sweep_of(&[(1, 400), (2, 200), (4, 250)]));
    assert!(page.contains("speed-up over serial at -j 2, the best of 1, 2, 4 (1 run, no test)"), "{page}");
    assert!(page.contains("<b>2.00x</b>") && page.contains("<b>100 %</b>"), "{page}");
    assert!(page.contains("400 → 200 ms"), "{page}");
}

#[test]
fn tasks_that_wait_or_take_as_long_are_a_sentence_and_no_picture() {
    let mut waiting = column(Column::PARALLEL, 2, 12);
    waiting.runs[0].records.change(|record| record.cpu = Duration::from_micros(20));
    let page = page(vec![waiting]);
    assert!(page.contains("The tasks took 240.0 us of CPU time in 60.00 ms: they waited."), "{page}");
    assert!(page.contains("All took about as long: 10.00 ms."), "{page}");
    assert!(!page.contains("CPU use over time") && !page.contains("wall time of a task"));
}

#[test]
fn a_batch_that_ran_one_way_is_told_by_what_is_done_how_long_it_took_and_its_slowest() {
    let mut batch = column(Column::PARALLEL, 2, 12);
    batch.runs[0].longest = Duration::from_millis(10);
    batch.runs[0].longest_label = "the <last>".to_owned();
    let well = page(vec![batch.clone()]);
    assert!(well.contains("<b class=\"long\">12 done</b>") && well.contains("slowest: the &lt;last&gt;"));
    let failure = crate::study::Failure {
        label: "gzip b".into(),
        why: "exit status 3".into(),
        way: "parallel".into(),
        run: 1,
        also: Vec::new(),
    };
    let failures = [(1, failure)].into();
    let study = Study { columns: vec![batch], failures, ..crate::study::tests::empty() };
    let page = super::page(&study);
    assert!(page.contains("11 of 12 done</b><span>1 failed: gzip b: exit status 3</span>"), "{page}");
}

#[test]
fn a_table_of_many_widths_is_in_parts_on_a_telephone_and_no_column_is_lost() {
    let widths: Vec<u32> = (1..=6).collect();
    let page = page(ideal(&widths));
    let narrow = page.split("<div class=\"if-narrow\">").nth(1).unwrap().split("</section>").next().unwrap();
    assert_eq!(narrow.matches("<table").count(), 3);
    for width in widths {
        assert_eq!(narrow.matches(&format!("<th>-j {width}</th>")).count(), 1, "{width}");
    }
}

#[test]
fn widths_beyond_the_cores_are_seen_but_no_curve_rests_on_them() {
    let mut columns = ideal(&[1, 2, 4, 20]);
    for run in columns.iter_mut().flat_map(|column| &mut column.runs) {
        run.usage.user = Duration::from_millis(400);
    }
    let page = page(columns);
    assert_eq!((n_dots(&page, "point beside"), n_dots(&page, "point")), (2, 2 * 3));
}
