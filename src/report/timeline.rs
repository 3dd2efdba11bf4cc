//! What happened when during one run, worked out from its records: which run of
//! a column is shown, how much CPU time it took at each moment, what each slot
//! did.
//!
//! Numbers only: seconds since the run's start. Does not know how they are drawn.

use std::collections::BTreeMap;
use std::time::Duration;

pub(super) use crate::numbers::TimeUnit;
use crate::sorting;
use crate::study::{ColumnResult, RecordList, RunResult, Study};
use crate::task::Record;

/// A run that stands for its column.
#[derive(Clone, Copy)]
pub(super) struct ShownRun<'a> {
    /// The column it is of.
    pub(super) column: &'a ColumnResult,
    /// What its way is called.
    pub(super) name: &'a str,
    /// Its place among the runs, from 1.
    number: usize,
    /// The run itself.
    pub(super) run: &'a RunResult,
}

/// What is looked at of a study: of several widths the fastest.
pub(super) struct ShownRuns<'a> {
    /// All that was measured.
    pub(super) study: &'a Study,
    /// One task at a time.
    pub(super) serial: Option<ShownRun<'a>>,
    /// The ways that did several at a time, on threads first.
    pub(super) side_by_side: Vec<ShownRun<'a>>,
}

impl<'a> ShownRuns<'a> {
    /// Those of `study`.
    pub(super) fn of(study: &'a Study) -> Self {
        let shown = |column: &'a ColumnResult| {
            let name = study.called(column.way());
            shown(column).map(|(number, run)| ShownRun { column, name, number, run })
        };
        let side_by_side = study.fastest_of_each().filter_map(shown).collect();
        Self { study, serial: study.serial().and_then(shown), side_by_side }
    }

    /// All of them, serial first.
    pub(super) fn all(&self) -> impl Iterator<Item = ShownRun<'a>> {
        self.serial.into_iter().chain(self.side_by_side.iter().copied())
    }

    /// The one that serial is compared with.
    pub(super) fn parallel(&self) -> Option<ShownRun<'a>> {
        self.side_by_side.first().copied()
    }

    /// The fastest of those that did several at a time.
    pub(super) fn best(&self) -> Option<ShownRun<'a>> {
        let wall = |shown: &ShownRun<'a>| shown.column.wall();
        self.side_by_side.iter().copied().min_by(|one, other| wall(one).total_cmp(&wall(other)))
    }

    /// The one that most pictures are of.
    pub(super) fn main(&self) -> Option<ShownRun<'a>> {
        self.parallel().or(self.serial)
    }
}

impl ShownRun<'_> {
    /// Wall time in seconds.
    pub(super) fn wall(&self) -> f64 {
        self.run.wall.as_secs_f64()
    }

    /// `parallel run (3 of 5)`, or without the number where there is just one.
    pub(super) fn title(&self) -> String {
        match self.column.runs.len() {
            1 => format!("{} run", self.name),
            n_runs => format!("{} run ({} of {n_runs})", self.name, self.number),
        }
    }
}

/// The nearest of 1, 2, 2.5 and 5 times a power of ten that is not below `least`.
pub(super) fn round_step(least: f64) -> f64 {
    let power = 10_f64.powf(least.log10().floor());
    let factor = [1.0, 2.0, 2.5, 5.0].into_iter().find(|factor| factor * power >= least * (1.0 - 1e-9));
    factor.unwrap_or(10.0) * power
}

/// The run of `column` that stands for all of them, and its place from 1: of
/// those that kept their records, else of all, the one nearest the median wall
/// time. `None` where nothing was run.
pub(super) fn shown(column: &ColumnResult) -> Option<(usize, &RunResult)> {
    let median = column.wall();
    let off = |run: &RunResult| (run.wall.as_secs_f64() - median).abs();
    let keeps_any = column.runs.iter().any(|run| !run.records.is_empty());
    (1..)
        .zip(&column.runs)
        .filter(|(_, run)| !keeps_any || !run.records.is_empty())
        .min_by(|(_, one), (_, other)| off(one).total_cmp(&off(other)))
}

/// What one slot did.
pub(super) struct Lane {
    /// The machine that it is of, where several were named.
    pub(super) node: Option<Box<str>>,
    /// From 0.
    pub(super) slot: u32,
    /// In the order of their start.
    pub(super) tasks: Vec<LaneTask>,
}

/// As much of a task as is seen from afar.
pub(super) struct LaneTask {
    /// The place of its record.
    pub(super) at: usize,
    /// When it started, since the start of its run.
    start: Duration,
    /// How long it took.
    wall: Duration,
    /// Whether it failed.
    pub(super) is_failure: bool,
}

impl LaneTask {
    fn of(at: usize, record: &Record) -> Self {
        Self { at, start: record.start, wall: record.wall, is_failure: record.outcome.is_failure() }
    }

    /// How long it took, in seconds.
    pub(super) fn wall(&self) -> f64 {
        self.wall.as_secs_f64()
    }

    /// When it started and ended, in seconds since the start of its run.
    pub(super) fn span(&self) -> (f64, f64) {
        (self.start.as_secs_f64(), (self.start + self.wall).as_secs_f64())
    }
}

/// The slots that had a task, those of a machine together, in the order of their numbers.
pub(super) fn lanes(records: &RecordList) -> Vec<Lane> {
    let mut lanes: BTreeMap<(Option<Box<str>>, u32), Vec<LaneTask>> = BTreeMap::new();
    let mut first_slots: BTreeMap<Option<Box<str>>, u32> = BTreeMap::new();
    for (at, record) in records.iter().enumerate() {
        let node = || record.node.clone();
        lanes.entry((node(), record.slot)).or_default().push(LaneTask::of(at, &record));
        let first = first_slots.entry(node()).or_insert(record.slot);
        *first = record.slot.min(*first);
    }
    let in_order = |((node, slot), mut tasks): ((_, _), Vec<_>)| {
        tasks.sort_by_key(|task: &LaneTask| (task.start, task.wall));
        Lane { node, slot, tasks }
    };
    let mut lanes: Vec<Lane> = lanes.into_iter().map(in_order).collect();
    sorting::sort_by_key(&mut lanes, |lane| (first_slots[&lane.node], lane.node.clone(), lane.slot));
    lanes
}

/// Whether lanes are of several machines, so that it has to be told of which.
pub(super) fn are_of_several(nodes: impl Iterator<Item = Option<impl PartialEq>>) -> bool {
    let mut nodes = nodes;
    let first = nodes.next();
    first.is_some_and(|first| nodes.any(|node| node != first))
}

/// CPU time per wall time in each of `n_bins` equal parts of `wall` seconds,
/// where 1 is one core: each task's CPU time is spread evenly over its wall time.
pub(super) fn cpu(records: &RecordList, wall: f64, n_bins: usize) -> Vec<f64> {
    spread(records, wall, n_bins, |record| record.cpu.as_secs_f64())
}

/// How many tasks ran in each of `n_bins` equal parts of `wall` seconds, on average.
pub(super) fn running(records: &RecordList, wall: f64, n_bins: usize) -> Vec<f64> {
    spread(records, wall, n_bins, |record| record.wall.as_secs_f64())
}

/// Spreads `amount` of each record evenly over its wall time. A task costs as
/// much as the bins it begins and ends in, not those it spans.
fn spread(records: &RecordList, wall: f64, n_bins: usize, amount: impl Fn(&Record) -> f64) -> Vec<f64> {
    let bin = wall / n_bins as f64;
    // What each bin gets itself, and by how much the level of those after it changes.
    let mut own = vec![0.0; n_bins];
    let mut steps = vec![0.0; n_bins + 1];
    if !bin.is_finite() || bin <= 0.0 {
        return own;
    }
    for record in records {
        let start = record.start.as_secs_f64();
        let (end, amount) = (start + record.wall.as_secs_f64(), amount(&record));
        let (first, last) = (place(start, bin, n_bins), place(end, bin, n_bins));
        if first == last {
            own[first] += amount / bin;
            continue;
        }
        let level = amount / (end - start);
        own[first] += level * (((first + 1) as f64 * bin - start) / bin).clamp(0.0, 1.0);
        own[last] += level * ((end - last as f64 * bin) / bin).clamp(0.0, 1.0);
        steps[first + 1] += level;
        steps[last] -= level;
    }
    let mut level = 0.0;
    for (own, step) in own.iter_mut().zip(steps) {
        level += step;
        // What additions lost must not be seen below the axis.
        *own = (*own + level).max(0.0);
    }
    own
}

/// Which bin a moment falls into; the end of the run into the last.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a float cast saturates")]
fn place(moment: f64, bin: f64, n_bins: usize) -> usize {
    ((moment / bin) as usize).min(n_bins - 1)
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::task::Column;

    /// A task that took as much CPU as wall time.
    pub(crate) fn record(seq: u64, slot: u32, start_ms: u64, wall_ms: u64) -> Record {
        let seconds = |ms: u64| ms as f64 / 1e3;
        // As a saved study has it: what a record has besides is as if it were not there.
        let saved = serde_json::json!({
            "seq": seq,
            "label": format!("task {seq}"),
            "slot": slot,
            "attempt": 1,
            "start": seconds(start_ms),
            "wall": seconds(wall_ms),
            "cpu": seconds(wall_ms),
            "bytes": 0,
            "outcome": {"kind": "success"},
        });
        serde_json::from_value(saved).unwrap()
    }

    #[test]
    fn the_run_nearest_the_median_that_kept_its_records_is_shown() {
        let run = |ms| RunResult { wall: Duration::from_millis(ms), ..RunResult::default() };
        let mut column = ColumnResult::new(Column::PARALLEL, 2, [100, 300, 210, 150].map(run).to_vec());
        assert_eq!(shown(&column).unwrap().0, 3);
        column.runs[1].records.push(record(0, 0, 0, 300));
        assert_eq!(shown(&column).unwrap().0, 2);
        column.runs.clear();
        assert!(shown(&column).is_none());
    }

    #[test]
    fn cpu_time_is_spread_over_the_bins_that_a_task_spans() {
        let records = [record(0, 0, 0, 1000), record(1, 1, 500, 250)].into_iter().collect();
        let levels = cpu(&records, 1.0, 4);
        assert_eq!(levels, [1.0, 1.0, 2.0, 1.0]);
    }

    #[test]
    fn each_lane_is_in_order_of_time() {
        let records = [record(0, 1, 0, 10), record(1, 0, 20, 10), record(2, 0, 0, 10)];
        let order = |records: &[Record]| -> Vec<Vec<usize>> {
            let places = |lane: &Lane| lane.tasks.iter().map(|task| task.at).collect();
            lanes(&records.iter().cloned().collect()).iter().map(places).collect()
        };
        assert_eq!(order(&records), [vec![2, 1], vec![0]]);
        // Those of a machine stand together, also where it came back with other slots.
        let on = |node: &str, record| Record { node: Some(node.into()), ..record };
        let records = [
            on("b", record(0, 0, 0, 10)),
            on("a", record(1, 1, 0, 10)),
            on("b", record(2, 2, 0, 10)),
            on("a", record(3, 0, 5, 10)),
        ];
        assert_eq!(order(&records), [vec![3], vec![1], vec![0], vec![2]]);
        let lanes = lanes(&records.into_iter().collect());
        assert!(are_of_several(lanes.iter().map(|lane| lane.node.as_deref())));
    }

    #[test]
    fn times_are_told_in_the_unit_that_reads_best() {
        assert_eq!(TimeUnit::of(6.48).name, "s");
        assert_eq!((TimeUnit::of(0.25).name, TimeUnit::of(0.25).scaled(0.25)), ("ms", 250.0));
        assert_eq!(TimeUnit::of(2e-5).name, "us");
    }

    #[test]
    fn steps_are_those_that_people_count_in() {
        for (least, step) in [(0.25, 0.25), (2.0, 2.0), (0.7, 1.0), (150.0, 200.0), (0.075, 0.1)] {
            assert!((round_step(least) - step).abs() < 1e-9, "{least}: {}", round_step(least));
        }
    }

    proptest! {
        #[test]
        fn no_cpu_time_is_lost_or_made(
            tasks in prop::collection::vec((0_u64..900, 0_u64..100), 0..50),
            n_bins in 1_usize..200,
        ) {
            let records: RecordList =
                tasks.iter().map(|&(start, wall)| record(0, 0, start, wall)).collect();
            let total: f64 = records.iter().map(|record| record.cpu.as_secs_f64()).sum();
            let drawn: f64 = cpu(&records, 1.0, n_bins).iter().sum::<f64>() / n_bins as f64;
            prop_assert!((total - drawn).abs() < 1e-6, "{total} {drawn}");
        }
    }
}
