//! A parallel column against the serial one: speed-up, how sure it is, what
//! the cores made of it, and the best that was to be had.

use super::interval::{Interval, ratio_of_rounds};
use super::{ColumnResult, RunResult, Study};
use crate::numbers;
use crate::task::{Mode, Record};

/// Below this many runs of each way the ratio is told without a test.
pub const FEWEST_RUNS_FOR_A_TEST: usize = 5;

/// A way that read this many bytes more from disk than the other is not
/// compared with it: its time is the disk's.
const DISK_READ_THAT_MATTERS: f64 = 8e6;

/// Short work is the disk's with less: a slow disk takes a twentieth of each
/// second for this much.
const DISK_READ_OF_A_SECOND: f64 = 5e6;

/// Less than this is a program and its libraries, not the work.
const DISK_READ_THAT_IS_NOTHING: f64 = 1e6;

/// Writing this many bytes a second more than the other way is a twentieth of each second,
/// even where they go to memory first.
const WRITTEN_OF_A_SECOND: f64 = 5e7;

/// Less than this is written in no time.
const WRITTEN_THAT_IS_NOTHING: f64 = 8e6;

/// So much is written at the disk's pace sooner or later.
const WRITTEN_THAT_MATTERS: f64 = 200e6;

/// So many page faults that had to wait for the disk are as good as reading.
const FAULTS_THAT_MATTER: f64 = 1000.0;

/// What can be said of the ratio.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// Too few runs to say how sure the ratio is.
    Untested {
        /// How many runs of each way there are.
        runs: usize,
    },
    /// The interval holds 1.
    NoDifference(Interval),
    /// The interval does not hold 1.
    Different(Interval),
    /// The times are not those of the same work; the text says why, and what to do.
    Unclaimed(String),
}

impl Verdict {
    /// Whether the ratio is one of the same work, however sure it is.
    #[must_use]
    pub fn is_claimed(&self) -> bool {
        !matches!(self, Self::Unclaimed(_))
    }

    /// The 95 % interval of the ratio, where there were runs enough.
    #[must_use]
    pub fn interval(&self) -> Option<Interval> {
        match self {
            Self::NoDifference(interval) | Self::Different(interval) => Some(*interval),
            Self::Untested { .. } | Self::Unclaimed(_) => None,
        }
    }
}

/// A parallel column against the serial one.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// Median serial wall time over median parallel wall time.
    pub speedup: f64,
    /// Speed-up over the number of slots.
    pub efficiency: f64,
    /// How sure the speed-up is.
    pub verdict: Verdict,
    /// `max(serial / slots, longest task)`, in seconds: no schedule of these
    /// tasks on these slots is shorter, if tasks take as long as they did
    /// serially. Where requests are limited to a rate, the time that they wait for
    /// it takes no slot, and what they take at that rate stands for the longest task.
    pub lower_bound: f64,
}

/// What a limited rate of requests allows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RateFloor {
    /// Requests a second.
    pub rate: f64,
    /// How many were sent.
    pub requests: u64,
    /// From the first to the last of them, in seconds.
    pub seconds: f64,
}

impl RateFloor {
    /// That of `column`; `None` where there is no limit.
    #[must_use]
    pub fn of(study: &Study, column: &ColumnResult) -> Option<Self> {
        let rate = study.rate.filter(|rate| *rate > 0.0)?;
        let sent = |run: &RunResult| {
            let sent = |record: &Record| record.finding.as_ref().map_or(0, |it| u64::from(it.attempts));
            let sent = run.records.iter().map(|record| sent(&record)).sum();
            if run.records.is_empty() { run.tasks } else { sent }
        };
        let requests = column.runs.iter().map(sent).max()?;
        Some(Self { rate, requests, seconds: requests.saturating_sub(1) as f64 / rate })
    }
}

impl Comparison {
    /// Compares `parallel` with the serial column of `study`, if both ran and
    /// took any time.
    #[must_use]
    pub fn of(study: &Study, parallel: &ColumnResult) -> Option<Self> {
        Self::between(study, study.serial()?, parallel)
    }

    /// Every parallel column of `study` against [`Study::base`], in the order of
    /// the columns; `None` for the others. Testing many runs takes a while, so
    /// this is for computing once and handing on.
    #[must_use]
    pub fn of_each(study: &Study) -> Vec<Option<Self>> {
        let base = study.base();
        let compared = |column: &ColumnResult| match column.column.mode {
            Mode::Parallel => Self::between(study, base?, column),
            Mode::Serial | Mode::Whole => None,
        };
        study.columns.iter().map(compared).collect()
    }

    fn between(study: &Study, serial: &ColumnResult, parallel: &ColumnResult) -> Option<Self> {
        let (over, under) = (serial.walls(), parallel.walls());
        let idle =
            |column: &ColumnResult| column.wall() <= 0.0 || column.runs.iter().all(|run| run.tasks == 0);
        if idle(serial) || idle(parallel) {
            return None;
        }
        let speedup = serial.wall() / parallel.wall();
        let longest = serial.median(|run| run.longest.as_secs_f64());
        let (busy, floor) = match RateFloor::of(study, serial) {
            Some(floor) => (serial.wall() - serial.median(|run| run.span("rate_wait")), floor.seconds),
            None => (serial.wall(), longest),
        };
        let verdict = match failure_guard(study)
            .or_else(|| disk_guard((serial.way(), serial), (parallel.way(), parallel)))
        {
            Some(text) => Verdict::Unclaimed(text),
            None => tested(&over, &under),
        };
        Some(Self {
            speedup,
            efficiency: speedup / parallel.width as f64,
            verdict,
            lower_bound: (busy / parallel.width as f64).max(floor),
        })
    }
}

fn tested(over: &[f64], under: &[f64]) -> Verdict {
    let runs = over.len().min(under.len());
    if runs < FEWEST_RUNS_FOR_A_TEST {
        return Verdict::Untested { runs };
    }
    let interval = ratio_of_rounds(over, under);
    if interval.holds(1.0) { Verdict::NoDifference(interval) } else { Verdict::Different(interval) }
}

/// Why no ratio is claimed, when something failed: it took less time than the work.
pub(super) fn failure_guard(study: &Study) -> Option<String> {
    // What said the same both times was the same work, even if it said no.
    if study.agreement.as_ref().is_some_and(|agreement| agreement.outside && agreement.holds()) {
        return None;
    }
    let failed = study.n_failed() as u64;
    // What failed alike each time took its time each time.
    let alike = study.agreement.as_ref().map_or(0, |agreement| agreement.failed_alike);
    (failed > alike).then(|| format!("{} failed", numbers::plural(failed, "task")))
}

/// Why no ratio is claimed, when one of two columns waited for the disk or wrote to it, and
/// the other did not; each comes with what it is called.
pub(super) fn disk_guard(
    (one, first): (&str, &ColumnResult),
    (other, second): (&str, &ColumnResult),
) -> Option<String> {
    let both = |figure: fn(&RunResult) -> f64| (first.median(figure), second.median(figure));
    let read = both(|run| run.usage.bytes_read() as f64);
    let wall = first.wall().min(second.wall());
    let matters = (DISK_READ_OF_A_SECOND * wall).clamp(DISK_READ_THAT_IS_NOTHING, DISK_READ_THAT_MATTERS);
    if lopsided(read.0, read.1, matters) {
        let (first, second) = (numbers::bytes(read.0), numbers::bytes(read.1));
        return Some(format!("{one} read {first} from disk, {other} {second}: repeat with --warmup 1"));
    }
    let written = both(|run| run.usage.bytes_written() as f64);
    let matters = (WRITTEN_OF_A_SECOND * wall).clamp(WRITTEN_THAT_IS_NOTHING, WRITTEN_THAT_MATTERS);
    if lopsided(written.0, written.1, matters) {
        let (first, second) = (numbers::bytes(written.0), numbers::bytes(written.1));
        return Some(format!("{one} wrote {first} to disk, {other} {second}: repeat with --warmup 1"));
    }
    let faults = both(|run| run.usage.major_faults as f64);
    lopsided(faults.0, faults.1, FAULTS_THAT_MATTER).then(|| {
        format!(
            "{one} waited for the disk at {:.0} page faults, {other} at {:.0}: repeat with --warmup 1",
            faults.0, faults.1
        )
    })
}

fn lopsided(one: f64, other: f64, matters: f64) -> bool {
    let (more, less) = (one.max(other), one.min(other));
    more >= matters && less < more / 10.0
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::measure::Usage;
    use crate::task::Column;

    fn column(column: Column, width: usize, walls_ms: &[u64], blocks_read: u64) -> ColumnResult {
        let usage = Usage { block_reads: blocks_read, ..Usage::default() };
        let run = |&ms: &u64| RunResult {
            wall: Duration::from_millis(ms),
            usage,
            tasks: 4,
            ..RunResult::default()
        };
        ColumnResult::new(column, width, walls_ms.iter().map(run).collect())
    }

    fn compare(serial: ColumnResult, parallel: ColumnResult) -> Comparison {
        let study = Study { columns: vec![serial, parallel], ..crate::study::tests::empty() };
        Comparison::of(&study, study.parallel().next().unwrap()).unwrap()
    }

    #[test]
    fn four_runs_are_told_without_a_test_and_five_with_one() {
        let ways =
            |n| (column(Column::SERIAL, 1, &vec![400; n], 0), column(Column::PARALLEL, 4, &vec![100; n], 0));
        let (serial, parallel) = ways(4);
        assert_eq!(compare(serial, parallel).verdict, Verdict::Untested { runs: 4 });
        let (serial, parallel) = ways(5);
        let comparison = compare(serial, parallel);
        assert_eq!(comparison.verdict, Verdict::Different(Interval { low: 4.0, high: 4.0 }));
        assert!((comparison.speedup - 4.0).abs() < 1e-9 && (comparison.efficiency - 1.0).abs() < 1e-9);
    }

    #[test]
    fn no_ratio_is_claimed_when_only_one_way_read_the_disk() {
        let serial = column(Column::SERIAL, 1, &[400; 5], 410_000);
        let Verdict::Unclaimed(text) = compare(serial, column(Column::PARALLEL, 2, &[100; 5], 0)).verdict
        else {
            panic!("the guard slept");
        };
        assert_eq!(text, "serial read 210 MB from disk, parallel 0 B: repeat with --warmup 1");
    }

    #[test]
    fn a_ratio_is_claimed_when_both_ways_read_the_disk_or_hardly_any() {
        for blocks in [(410_000, 400_000), (1000, 0)] {
            let comparison = compare(
                column(Column::SERIAL, 1, &[400; 5], blocks.0),
                column(Column::PARALLEL, 2, &[100; 5], blocks.1),
            );
            assert!(matches!(comparison.verdict, Verdict::Different(_)));
        }
    }

    #[test]
    fn no_ratio_is_claimed_when_only_one_way_wrote_to_the_disk() {
        let way = |mode, blocks| {
            let mut way = column(mode, 2, &[400; 5], 0);
            way.runs.iter_mut().for_each(|run| run.usage.block_writes = blocks);
            way
        };
        let verdict =
            |serial, parallel| compare(way(Column::SERIAL, serial), way(Column::PARALLEL, parallel)).verdict;
        let text = "serial wrote 210 MB to disk, parallel 0 B: repeat with --warmup 1".to_owned();
        assert_eq!(verdict(410_000, 0), Verdict::Unclaimed(text));
        // In a file that is overwritten, a few blocks are new each time; and what both write is the work.
        for (serial, parallel) in [(15_000, 0), (410_000, 400_000)] {
            assert!(!matches!(verdict(serial, parallel), Verdict::Unclaimed(_)));
        }
    }

    #[test]
    fn the_longest_task_bounds_the_parallel_time_from_below() {
        let mut serial = column(Column::SERIAL, 1, &[400], 0);
        serial.runs[0].longest = Duration::from_millis(300);
        let comparison = compare(serial, column(Column::PARALLEL, 4, &[310], 0));
        assert!((comparison.lower_bound - 0.3).abs() < 1e-9);
    }
}
