//! Pictures of made-up studies, at several widths.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::study::{RecordList, RunResult};
use crate::task::{Column, Outcome, Record};

fn look(width: usize, unicode: bool) -> Look {
    Look { styles: Styles::plain(), unicode, width, wraps: true, lists_runs: true, pictures: Pictures::Drawn }
}

/// All pictures, with an empty line before each.
fn pictures(study: &Study, look: Look) -> Vec<String> {
    let charts = [Chart::SpeedUp(study), Chart::Ways(study), Chart::Slots(study)];
    let drawn = charts.iter().map(|chart| picture(chart, look)).filter(|lines| !lines.is_empty());
    drawn.flat_map(|lines| std::iter::once(String::new()).chain(lines)).collect()
}

fn drawn(study: &Study, look: Look) -> String {
    pictures(study, look).join("\n")
}

/// A column of one run with `tasks` as (slot, start, wall, cpu) in milliseconds.
fn column(column: Column, width: usize, wall: u64, tasks: &[(u32, u64, u64, u64)]) -> ColumnResult {
    let mut run = RunResult { wall: Duration::from_millis(wall), ..RunResult::default() };
    for (seq, &(slot, start, wall, cpu)) in (0..).zip(tasks) {
        let outcome = if seq == 4 { Outcome::Exited(1) } else { Outcome::Success };
        let record = Record {
            label: seq.to_string().into(),
            slot,
            start: Duration::from_millis(start),
            wall: Duration::from_millis(wall),
            cpu: Duration::from_millis(cpu),
            ..Record::without_measures(seq, outcome)
        };
        run.add(&record);
        run.records.push(record);
    }
    ColumnResult::new(column, width, vec![run])
}

fn pair() -> Study {
    let mut study = crate::study::tests::empty();
    let serial: Vec<_> = (0..6).map(|number| (0, number * 100, 100, 90)).collect();
    study.columns.push(column(Column::SERIAL, 1, 600, &serial));
    let parallel = [
        (0, 0, 100, 90),
        (1, 0, 130, 90),
        (0, 100, 110, 90),
        (1, 130, 100, 90),
        (0, 210, 20, 10),
        (1, 230, 20, 20),
    ];
    study.columns.push(column(Column::PARALLEL, 2, 250, &parallel));
    study
}

fn sweep(widths: &[usize]) -> Study {
    let mut study = crate::study::tests::empty();
    study.host.physical = Some(2);
    study.columns.push(column(Column::SERIAL, 1, 12_000, &[(0, 0, 12_000, 12_000); 3]));
    study.columns.extend(widths.iter().map(|&width| {
        let wall = 1_200 + 10_800 / width as u64;
        column(Column::PARALLEL, width, wall, &[(0, 0, wall, 0); 3])
    }));
    for run in study.columns.iter_mut().flat_map(|column| &mut column.runs) {
        run.records = RecordList::default();
    }
    study
}

#[test]
fn two_ways_are_two_bars_and_lanes() {
    insta::assert_snapshot!(drawn(&pair(), look(60, true)), @r"

    serial   ██████████████████████████████████████████ 600.0 ms
    parallel █████████████████▌ 250.0 ms

    lanes      -j 2, one cell = 5.102 ms, shade = task
               x failed, · idle
      1  92 %  ████████████████████▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒xxxxx···
      2 100 %  █████████████████████████▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒████
               0                  100              200 ms
    CPU        ▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▆▆▆▆▅▅▅▅
               █ = 200 %
    ");
}

#[test]
fn ascii_tells_the_same() {
    insta::assert_snapshot!(drawn(&pair(), look(60, false)), @r"

    serial   ########################################## 600.0 ms
    parallel ################## 250.0 ms

    lanes      -j 2, one cell = 5.102 ms, shade = task
               x failed, . idle
      1  92 %  ####################=====================xxxxx...
      2 100 %  #########################====================####
               0                  100              200 ms
    CPU        7777777777777777777777777888888888888888877775555
               9 = 200 %
    ");
}

#[test]
fn a_sweep_has_a_bar_and_an_ideal_for_each_width() {
    insta::assert_snapshot!(drawn(&sweep(&[1, 2, 3, 4]), look(80, true)), @r"

        -j        wall  speed-up    eff  share  0        1        2       3        4
    ────────────────────────────────────────────────────────────────────────────────
         1     12.00 s     1.00x  100 %         ━━━━━━━━━●
         2*    6.600 s     1.82x   91 %   10 %  ━━━━━━━━━━━━━━━━● ┊
         3     4.800 s     2.50x   83 %   10 %  ━━━━━━━━━━━━━━━━━━━━━━●   ┊
         4     3.900 s     3.08x   77 %   10 %  ━━━━━━━━━━━━━━━━━━━━━━━━━━━●       ┊
    ────────────────────────────────────────────────────────────────────────────────
    ● speed-up over serial   ┊ ideal   * physical cores
    ");
    insta::assert_snapshot!(drawn(&sweep(&[2, 4, 64]), look(60, false)), @r"

        -j        wall  speed-up    eff  share  0       10
    ------------------------------------------------------------
         2*    6.600 s     1.82x   91 %   10 %  --o
         4     3.900 s     3.08x   77 %   10 %  ---o
        64     1.368 s     8.77x   14 %   10 %  --------o
    ------------------------------------------------------------
    o speed-up over serial   : ideal   * physical cores
    ");
}

#[test]
fn a_failed_task_is_seen_however_short_and_without_colours() {
    let mut study = pair();
    let shortened = |record: &mut Record| {
        if record.seq == 4 {
            record.wall = Duration::from_micros(1);
        }
    };
    study.columns[1].runs[0].records.change(shortened);
    assert!(drawn(&study, look(60, true)).contains('x'));
    let colored = Look { styles: Styles::colored(), ..look(60, true) };
    assert!(drawn(&study, colored).contains("\u{1b}[1m\u{1b}[31mx\u{1b}[0m"));
}

#[test]
fn many_slots_are_told_of_in_a_line() {
    let mut study = crate::study::tests::empty();
    let tasks: Vec<_> = (0..40).map(|slot| (slot, 0, 100, 0)).collect();
    study.columns.push(column(Column::PARALLEL, 40, 100, &tasks));
    let text = drawn(&study, look(60, true));
    assert!(text.contains("\n... and 24 more slots, 100 % busy\n"), "{text}");
}

#[test]
fn nothing_is_drawn_of_tasks_whose_records_were_not_kept() {
    let mut study = pair();
    study.columns.remove(0);
    study.columns[0].runs[0].records = RecordList::default();
    assert!(pictures(&study, look(80, true)).is_empty());
}

#[test]
fn labels_never_run_into_each_other() {
    let texts: Vec<(usize, String)> = (0..20).map(|place| (place, place.to_string())).collect();
    assert_eq!(labels(20, &texts), "0 2 4 6 8 11 14 17");
}

proptest! {
    #[test]
    fn no_picture_is_wider_than_the_terminal(
        width in 40..121_usize,
        unicode: bool,
        wall in 1..100_000_u64,
        tasks in prop::collection::vec((0..20_u32, 0..100_000_u64, 0..100_000_u64, 0..100_000_u64), 0..40),
        widths in prop::collection::vec(1..200_usize, 0..4),
    ) {
        let mut study = crate::study::tests::empty();
        study.columns.push(column(Column::SERIAL, 1, 100_000, &[(0, 0, 100_000, 50_000)]));
        study.columns.push(column(Column::PARALLEL, 20, wall, &tasks));
        study.columns.extend(widths.iter().map(|&width| column(Column::PARALLEL, width, wall, &tasks)));
        for line in pictures(&study, look(width, unicode)) {
            prop_assert!(line.chars().count() <= width, "{width}: {line}");
            prop_assert!(unicode || line.is_ascii(), "{line}");
        }
    }
}

mod tables {
    use super::*;
    use crate::report::document::{Cells, Grid};

    fn table(grid: &Grid, width: usize) -> String {
        super::super::table::drawn(grid, look(width, false)).join("\n")
    }

    /// Two ways, and a word on each row.
    fn pair_of_ways() -> Grid {
        let columns = [
            (Cells::Labels, ""),
            (Cells::Figures, "serial"),
            (Cells::Figures, "parallel"),
            (Cells::Remarks, "change"),
        ];
        let mut grid =
            Grid { columns: columns.map(|(kind, head)| (kind, head.to_owned())).into(), ..Grid::default() };
        for cells in [["wall", "802.1 ms", "203.1 ms", "no measurable difference"], ["failed", "0", "0", ""]]
        {
            grid.add(cells.map(str::to_owned).into());
        }
        grid
    }

    #[test]
    fn words_go_on_below_where_there_is_no_room_beside_figures() {
        insta::assert_snapshot!(table(&pair_of_ways(), 60), @r"
                    serial   parallel   change
        ---------------------------------------------------------
         wall     802.1 ms   203.1 ms   no measurable difference
         failed          0          0
        ---------------------------------------------------------
        ");
        insta::assert_snapshot!(table(&pair_of_ways(), 50), @r"
                    serial   parallel   change
        --------------------------------------------------
         wall     802.1 ms   203.1 ms   no measurable
                                        difference
         failed          0          0
        --------------------------------------------------
        ");
    }

    #[test]
    fn what_has_no_room_side_by_side_stands_one_below_the_other_with_its_labels() {
        insta::assert_snapshot!(table(&pair_of_ways(), 40), @r"
                    serial   parallel
        ------------------------------
         wall     802.1 ms   203.1 ms
         failed          0          0
        ------------------------------
                change
        ---------------------------------
         wall   no measurable difference
        ---------------------------------
        ");
    }

    #[test]
    fn a_word_without_end_is_broken_so_that_its_column_stays_in_line() {
        let columns = [(Cells::Texts, "service"), (Cells::Verdicts, "verdict"), (Cells::Figures, "total")];
        let mut grid =
            Grid { columns: columns.map(|(kind, head)| (kind, head.to_owned())).into(), ..Grid::default() };
        grid.add(["http://archive.example/services/tap", "up", "12.35 ms"].map(str::to_owned).into());
        grid.add(["天文台天文台", "down", "1.000 s"].map(str::to_owned).into());
        insta::assert_snapshot!(table(&grid, 50), @r"
         service                       verdict      total
        --------------------------------------------------
         http://archive.example/serv   up        12.35 ms
         ices/tap
         天文台天文台                  down       1.000 s
        --------------------------------------------------
        ");
    }

    proptest! {
        #[test]
        fn no_table_is_wider_than_the_terminal(
            width in 40..121_usize,
            labels in prop::collection::vec("[a-z ]{0,30}", 1..4),
            figures in prop::collection::vec("[0-9]{1,12}", 1..8),
            remark in "[a-z ]{0,60}",
        ) {
            let mut grid = Grid { columns: vec![(Cells::Labels, String::new())], ..Grid::default() };
            grid.columns.extend(figures.iter().map(|_| (Cells::Figures, "figure".to_owned())));
            grid.columns.push((Cells::Remarks, "change".to_owned()));
            for label in labels {
                grid.add(std::iter::once(label).chain(figures.clone()).chain([remark.clone()]).collect());
            }
            for line in table(&grid, width).lines() {
                prop_assert!(line.chars().count() <= width, "{width}: {line}");
            }
        }
    }
}
