//! Two studies of the same work, one before and one after: what changed, with
//! a verdict that respects how much the runs differ among themselves.
//!
//! Does not know how it is told.

mod comparable;
#[cfg(test)]
mod tests;

use super::comparison::{FEWEST_RUNS_FOR_A_TEST, disk_guard};
use super::interval::{Interval, ratio_of_medians};
use super::{ColumnResult, Comparison, Study, Verdict};

/// One column before and after.
#[derive(Clone, Debug, PartialEq)]
pub struct Change<'a> {
    /// The column of the earlier study.
    pub before: &'a ColumnResult,
    /// The same column of the later study.
    pub after: &'a ColumnResult,
    /// What can be said of [`Change::ratio`].
    pub verdict: Verdict,
    /// The speed-up over the serial way before and after, where both are claimed.
    pub speedups: Option<(f64, f64)>,
}

/// Everything that changed between two studies.
#[derive(Clone, Debug, PartialEq)]
pub struct Changes<'a> {
    /// The columns that both have, in the order of the later one.
    pub columns: Vec<Change<'a>>,
    /// Why the times cannot be compared, if so: it is not the same work, or not
    /// the same machine.
    pub unlike: Option<String>,
    /// What else differs and a person should know.
    pub notes: Vec<String>,
    /// How many tasks' results are what they were, and of how many, where both
    /// studies know them and it is the same work.
    pub results: Option<(u64, u64)>,
}

impl Change<'_> {
    /// The median wall time after over the one before: above 1 is slower.
    #[must_use]
    pub fn ratio(&self) -> f64 {
        self.after.wall() / self.before.wall()
    }
}

impl<'a> Changes<'a> {
    /// What changed from `before` to `after`.
    #[must_use]
    pub fn between(before: &'a Study, after: &'a Study) -> Self {
        let unlike = comparable::unlike(before, after);
        let change = |after_column: &'a ColumnResult| {
            let before_column = counterpart(before, after_column)?;
            let claimed = |study, column| {
                let comparison = Comparison::of(study, column)?;
                comparison.verdict.is_claimed().then_some(comparison.speedup)
            };
            let speedups = (!is_base(after, after_column))
                .then(|| claimed(before, before_column).zip(claimed(after, after_column)))
                .flatten();
            let verdict = verdict(before_column, after_column, unlike.as_deref())?;
            Some(Change { before: before_column, after: after_column, verdict, speedups })
        };
        let columns = after.columns.iter().filter_map(change).collect();
        let mut notes = comparable::notes(before, after);
        let mut results = None;
        if unlike.is_none() {
            notes.extend(comparable::other_names(before, after));
            results = comparable::results(before, after);
        }
        notes.extend(alone(before, after, "before"));
        notes.extend(alone(after, before, "after"));
        Self { columns, unlike, notes, results }
    }
}

/// Whether `column` is what speed-ups are relative to.
fn is_base(study: &Study, column: &ColumnResult) -> bool {
    study.serial().is_some_and(|serial| std::ptr::eq(serial, column))
}

/// The column of `study` that was run as `column` was.
fn counterpart<'a>(study: &'a Study, column: &ColumnResult) -> Option<&'a ColumnResult> {
    let ran = |column: &&ColumnResult| !column.runs.is_empty();
    let alike = |known: &&ColumnResult| (known.way(), known.width) == (column.way(), column.width);
    study.columns.iter().filter(ran).find(alike)
}

/// What only `study` has.
fn alone(study: &Study, other: &Study, when: &str) -> Option<String> {
    let ran = study.columns.iter().filter(|column| !column.runs.is_empty());
    let alone = ran.filter(|column| counterpart(other, column).is_none());
    let names: Vec<String> = alone.map(ColumnResult::short_name).collect();
    (!names.is_empty()).then(|| format!("only {when}: {}", names.join(", ")))
}

/// `None` where nothing took any time.
fn verdict(before: &ColumnResult, after: &ColumnResult, unlike: Option<&str>) -> Option<Verdict> {
    if before.wall() <= 0.0 || after.wall() <= 0.0 {
        return None;
    }
    if let Some(why) = unlike {
        return Some(Verdict::Unclaimed(why.to_owned()));
    }
    if let Some(why) = disk_guard(("before", before), ("after", after)) {
        return Some(Verdict::Unclaimed(why));
    }
    let walls = |column: &ColumnResult| -> Vec<f64> {
        column.runs.iter().map(|run| run.wall.as_secs_f64()).collect()
    };
    let (under, over) = (walls(before), walls(after));
    let runs = under.len().min(over.len());
    Some(match runs {
        ..FEWEST_RUNS_FOR_A_TEST => Verdict::Untested { runs },
        _ => told(ratio_of_medians(&over, &under)),
    })
}

fn told(interval: Interval) -> Verdict {
    if interval.holds(1.0) { Verdict::NoDifference(interval) } else { Verdict::Different(interval) }
}
