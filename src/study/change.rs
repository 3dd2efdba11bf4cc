//! Two studies of the same work, one before and one after: what changed, with
//! a verdict that respects how much the runs differ among themselves.

use super::bootstrap::{Interval, ratio_of_medians};
use super::comparison::FEWEST_RUNS_FOR_A_TEST;
use super::{Column, Comparison, Study, Verdict};
use crate::format;
use crate::record::Way;

/// One column before and after.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// Serial or parallel.
    pub way: Way,
    /// At most how many tasks at a time.
    pub width: usize,
    /// The median wall time before, in seconds.
    pub before: f64,
    /// The median wall time after, in seconds.
    pub after: f64,
    /// What can be said of [`Change::ratio`].
    pub verdict: Verdict,
}

/// Everything that changed between two studies.
#[derive(Clone, Debug, PartialEq)]
pub struct Changes {
    /// The columns that both have, in the order of the later one.
    pub columns: Vec<Change>,
    /// The speed-up of the widest column of each, where it is claimed.
    pub speedups: Option<(f64, f64)>,
    /// What else differs, so that the times may not be those of the change.
    pub caveats: Vec<String>,
}

impl Change {
    /// The median wall time after over the one before: above 1 is slower.
    #[must_use]
    pub fn ratio(&self) -> f64 {
        self.after / self.before
    }

    /// Whether it is slower by more than `share` (0.05 is 5 %): the median is, and
    /// where there are runs enough for an interval, this lies above 1 as a whole.
    #[must_use]
    pub fn is_slower_than(&self, share: f64) -> bool {
        is_slower(self.ratio(), &self.verdict, share)
    }
}

/// Whether `ratio` is above 1 by more than `share` and by more than the spread.
pub(super) fn is_slower(ratio: f64, verdict: &Verdict, share: f64) -> bool {
    let is_told_apart = match verdict {
        Verdict::Untested { .. } => true,
        Verdict::Different(interval) => interval.low > 1.0,
        Verdict::NoDifference(_) | Verdict::Unclaimed(_) => false,
    };
    is_told_apart && ratio > 1.0 + share
}

impl Changes {
    /// What changed from `before` to `after`.
    #[must_use]
    pub fn between(before: &Study, after: &Study) -> Self {
        let other_work = other_work(before, after);
        let columns = after.columns.iter().filter_map(|column| {
            let mut known = before.columns.iter();
            let same = known.find(|known| (known.way, known.width) == (column.way, column.width))?;
            change(same, column, other_work.as_deref())
        });
        let speedup = |study: &Study| {
            let widest = study.parallel().max_by_key(|column| column.width)?;
            let comparison = Comparison::of(study, widest)?;
            (!matches!(comparison.verdict, Verdict::Unclaimed(_))).then_some(comparison.speedup)
        };
        Self {
            columns: columns.collect(),
            speedups: speedup(before).zip(speedup(after)),
            caveats: other_work.into_iter().chain(other_place(before, after)).collect(),
        }
    }
}

fn change(before: &Column, after: &Column, other_work: Option<&str>) -> Option<Change> {
    let walls =
        |column: &Column| -> Vec<f64> { column.runs.iter().map(|run| run.wall.as_secs_f64()).collect() };
    let (under, over) = (walls(before), walls(after));
    if before.wall() <= 0.0 || after.wall() <= 0.0 {
        return None;
    }
    let runs = under.len().min(over.len());
    let verdict = match other_work {
        Some(text) => Verdict::Unclaimed(text.to_owned()),
        None if runs < FEWEST_RUNS_FOR_A_TEST => Verdict::Untested { runs },
        None => told(ratio_of_medians(&over, &under)),
    };
    Some(Change { way: after.way, width: after.width, before: before.wall(), after: after.wall(), verdict })
}

fn told(interval: Interval) -> Verdict {
    if interval.holds(1.0) { Verdict::NoDifference(interval) } else { Verdict::Different(interval) }
}

/// Why the times are not those of the same work, if so.
fn other_work(before: &Study, after: &Study) -> Option<String> {
    let tasks = |study: &Study| {
        study.columns.iter().flat_map(|column| &column.runs).map(|run| run.tasks).max().unwrap_or(0)
    };
    if before.workload != after.workload {
        return Some(format!("the work was {} and is {}", before.workload, after.workload));
    }
    if before.parameters != after.parameters {
        return Some(format!("the options of {} differ", after.workload));
    }
    if tasks(before) != tasks(after) {
        let told = [before, after].map(|study| format::count(tasks(study)));
        return Some(format!("there were {} tasks and are {}", told[0], told[1]));
    }
    let failed = [before, after].map(Study::n_failed);
    (failed != [0, 0]).then(|| {
        let told = failed.map(|failed| format::count(failed as u64));
        format!("of the tasks {} failed before and {} after", told[0], told[1])
    })
}

/// What differs of the machine and the program.
fn other_place(before: &Study, after: &Study) -> Vec<String> {
    let mut caveats = Vec::new();
    let mut compare = |what: &str, one: Option<String>, other: Option<String>| {
        if let (Some(one), Some(other)) = (one, other)
            && one != other
        {
            caveats.push(format!("{what} was {one} and is {other}"));
        }
    };
    let (one, other) = (&before.host, &after.host);
    compare("the machine", one.hostname.clone(), other.hostname.clone());
    compare("the processor", one.cpu_model.clone(), other.cpu_model.clone());
    compare("the number of usable cores", Some(one.usable.to_string()), Some(other.usable.to_string()));
    compare("the version of parsim", Some(before.version.clone()), Some(after.version.clone()));
    caveats
}

#[cfg(test)]
mod tests {
    use super::*;

    fn study(serial: &[u64], parallel: &[u64]) -> Study {
        crate::study::tests::both_ways(serial, parallel, 4)
    }

    #[test]
    fn a_change_beyond_the_spread_is_told_from_one_within() {
        let before = study(&[400, 404, 396, 401, 399], &[100, 130, 90, 120, 80]);
        let after = study(&[440, 444, 436, 441, 439], &[104, 134, 94, 124, 84]);
        let changes = Changes::between(&before, &after);
        assert!(changes.caveats.is_empty());
        let [serial, parallel] = &changes.columns[..] else { panic!("two columns") };
        assert!(matches!(serial.verdict, Verdict::Different(_)) && (serial.ratio() - 1.1).abs() < 1e-9);
        assert!(matches!(parallel.verdict, Verdict::NoDifference(_)));
        assert!(serial.is_slower_than(0.05) && !serial.is_slower_than(0.15));
        assert!(!parallel.is_slower_than(0.01));
        let (one, other) = changes.speedups.unwrap();
        assert!((one - 4.0).abs() < 1e-9 && (other - 440.0 / 104.0).abs() < 1e-9);
    }

    #[test]
    fn few_runs_are_taken_at_their_word() {
        let changes = Changes::between(&study(&[100], &[50]), &study(&[120], &[50]));
        assert_eq!(changes.columns[0].verdict, Verdict::Untested { runs: 1 });
        assert!(changes.columns[0].is_slower_than(0.1) && !changes.columns[1].is_slower_than(0.1));
    }

    #[test]
    fn other_work_is_not_compared() {
        let before = study(&[100], &[50]);
        let after = Study { parameters: serde_json::json!({"files": 3}), ..study(&[200], &[50]) };
        let changes = Changes::between(&before, &after);
        assert_eq!(changes.caveats, ["the options of made-up differ"]);
        assert!(matches!(changes.columns[0].verdict, Verdict::Unclaimed(_)));
        assert!(!changes.columns[0].is_slower_than(0.0));
    }

    #[test]
    fn another_machine_is_told() {
        let mut after = study(&[100], &[50]);
        after.host.usable = 8;
        let changes = Changes::between(&study(&[100], &[50]), &after);
        assert_eq!(changes.caveats, ["the number of usable cores was 4 and is 8"]);
    }

    #[test]
    fn only_columns_that_both_have_are_compared() {
        let mut after = study(&[100], &[50]);
        after.columns[1].width = 2;
        assert_eq!(Changes::between(&study(&[100], &[50]), &after).columns.len(), 1);
    }
}
