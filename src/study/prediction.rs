//! What a whole batch would take, from a sample of it.
//!
//! How sure that is comes from how much neighbours in the sample differ, for it has one
//! task of each of as many equal shares (Wolter, Introduction to Variance Estimation, 1985,
//! section 7.2, successive differences): a list that only grows is predicted well. The
//! interval leans to the long side as far as the sample does (Hall, On the removal of
//! skewness by transformation, Journal of the Royal Statistical Society B 54, 1992).

use std::collections::BTreeMap;
use std::fmt;

use super::interval::{median, student};
use super::{ColumnResult, Estimate, RunResult};
use crate::numbers;
use crate::sorting;

/// A task is long from so many medians on.
const LONG: f64 = 3.0;

/// No more long tasks than this are few: how many there are of them in the whole is
/// little known.
const FEW: usize = 10;

/// From this share of the sample's time on the long tasks decide.
const DECISIVE: f64 = 0.1;

/// So few tasks may have met none of a kind that is one in ten: of `n` tasks none is of a
/// kind that is `3 / n` of all in one of twenty samples.
const SMALL: usize = 30;

/// What all tasks would take the way a sample of them ran.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    /// The best guess, in seconds.
    pub middle: f64,
    /// With 95 % confidence; `None` where the sample does not tell how much tasks differ.
    pub range: Option<Estimate>,
    /// Why the truth may be beyond the range after all.
    pub caution: Option<Caution>,
}

/// Why a sample may mislead.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Caution {
    /// A few long tasks decide, and others like them may be missing.
    FewLong {
        /// How many there are in the sample.
        long: usize,
        /// Their share of its time.
        share: f64,
    },
    /// So few tasks were run that one in so many can be another kind and not be among them.
    Small(usize),
}

impl Prediction {
    /// Of all `total` tasks the way `column` ran a sample of them; `None` where nothing ran.
    ///
    /// A slot does one task after the other, each as long as those of the sample on
    /// average, with the pause between two of them that the sample had where all
    /// slots were taken; but no batch is shorter than its longest task.
    #[must_use]
    pub fn of(column: &ColumnResult, total: u64) -> Option<Self> {
        let tasks = column.median(|run| run.tasks as f64);
        if tasks <= 0.0 {
            return None;
        }
        let slots = (column.width as f64).min(total as f64).max(1.0);
        let task_wall = column.median(|run| run.task_wall.as_secs_f64());
        let longest = column.median(|run| run.longest.as_secs_f64());
        // At the end of a batch slots are empty while the last tasks run: so does the
        // sample's end weigh more than the whole's. The truth is between a batch with
        // no such end and one that is the sample over and over.
        let repeated = column.wall() / tasks * total as f64;
        let full = if column.width == 1 { repeated } else { task_wall / tasks * total as f64 / slots };
        let (low, high) = (full.min(repeated).max(longest), full.max(repeated).max(longest));
        let walls = typical_walls(column);
        let spread = spread(&walls, total);
        let range = match spread {
            Some((less, more)) => {
                Some(Estimate { low: (low * less).max(longest).max(column.wall()), high: high * more })
            }
            None => (low < high).then_some(Estimate { low, high }),
        };
        let least = range.map_or(0.0, |range| range.low);
        Some(Self { middle: f64::midpoint(low, high).max(least), range, caution: Caution::of(&walls) })
    }
}

/// `est. 4.012 s`, `est. 4.012 s (3.512 s to 4.998 s)`
impl fmt::Display for Prediction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "est. {}", numbers::seconds(self.middle))?;
        let Some(Estimate { low, high }) = self.range else { return Ok(()) };
        write!(f, " ({} to {})", numbers::seconds(low), numbers::seconds(high))
    }
}

impl Caution {
    /// What a sample of tasks that took `walls` keeps back.
    fn of(walls: &[f64]) -> Option<Self> {
        let bound = LONG * median(walls);
        let long: Vec<f64> = walls.iter().copied().filter(|wall| *wall > bound).collect();
        let share = long.iter().sum::<f64>() / walls.iter().sum::<f64>();
        if (1..=FEW).contains(&long.len()) && share > DECISIVE {
            return Some(Self::FewLong { long: long.len(), share });
        }
        let is_small = !walls.is_empty() && walls.len() <= SMALL;
        is_small.then_some(Self::Small((walls.len() / 3).max(1)))
    }

    /// In a sentence about a sample of such `unit`s.
    #[must_use]
    pub fn sentence(self, unit: &str) -> String {
        match self {
            Self::FewLong { long, share } => format!(
                "{} of the sample took {} of its time: long {unit}s that it missed may make the whole \
                 longer than that",
                numbers::plural(long as u64, &format!("long {unit}")),
                numbers::percent(share),
            ),
            Self::Small(1) => format!("a sample so small may miss whole kinds of {unit}s"),
            Self::Small(rare) => {
                format!("a sample so small may miss a kind of {unit} that is rarer than 1 in {rare}")
            }
        }
    }
}

/// How long each task took, in input order, in the run that was the most usual; of nothing
/// where records were not kept. What was tried again took all its tries.
fn typical_walls(column: &ColumnResult) -> Vec<f64> {
    let mut runs: Vec<&RunResult> = column.runs.iter().filter(|run| !run.records.is_empty()).collect();
    sorting::sort_by_key(&mut runs, |run| run.task_wall);
    let Some(run) = runs.get(runs.len() / 2) else { return Vec::new() };
    let mut walls: BTreeMap<u64, f64> = BTreeMap::new();
    for record in &run.records {
        *walls.entry(record.seq).or_default() += record.wall.as_secs_f64();
    }
    walls.into_values().collect()
}

/// By which factors the mean of `walls`, one of each share of `total`, may be off, with
/// 95 % confidence.
fn spread(walls: &[f64], total: u64) -> Option<(f64, f64)> {
    let count = walls.len() as f64;
    let mean = walls.iter().sum::<f64>() / count;
    if walls.len() < 2 || mean <= 0.0 {
        return None;
    }
    let moment = |power: i32| walls.iter().map(|wall| (wall - mean).powi(power)).sum::<f64>() / count;
    let differences: f64 = walls.windows(2).map(|pair| (pair[1] - pair[0]).powi(2)).sum();
    let left = 1.0 - (count / total as f64).min(1.0);
    let error = (differences / (2.0 * (count - 1.0)) * left / count).sqrt();
    // Of two the skewness is nothing, of equal ones not a number.
    let skewness = moment(3) / moment(2).powf(1.5);
    let lean = if skewness.is_finite() { skewness / count.sqrt() } else { 0.0 };
    // Hall's cubic solved for the error, in standard errors.
    let unskewed = |point: f64| {
        if lean.abs() < 1e-9 {
            return point;
        }
        3.0 / lean * ((1.0 + lean * (point - lean / 6.0)).cbrt() - 1.0)
    };
    let point = student(count - 1.0);
    let at = |point: f64| (mean - error * unskewed(point)) / mean;
    Some((at(point).clamp(0.0, 1.0), at(-point).max(1.0)))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::task::{Column, Record, tests::record};

    fn ran(walls: &[f64]) -> RunResult {
        let mut run = RunResult::default();
        for (seq, wall) in (0..).zip(walls) {
            let record = Record { wall: Duration::from_secs_f64(*wall), ..record(seq) };
            run.add(&record);
            run.records.push(record);
        }
        run.wall = run.task_wall;
        run
    }

    fn serial(walls: &[f64], total: u64) -> Prediction {
        Prediction::of(&ColumnResult::new(Column::SERIAL, 1, vec![ran(walls)]), total).unwrap()
    }

    #[test]
    fn a_sample_of_one_way_stands_for_the_whole() {
        let run = |tasks: u64, wall: f64| RunResult {
            wall: Duration::from_secs_f64(wall),
            tasks,
            task_wall: Duration::from_secs(tasks),
            longest: Duration::from_secs(1),
            ..RunResult::default()
        };
        let column = |column, width, run| ColumnResult::new(column, width, vec![run]);
        let one = Prediction::of(&column(Column::SERIAL, 1, run(10, 10.5)), 100).unwrap();
        assert_eq!((one.to_string().as_str(), one.caution), ("est. 105.0 s", None));
        // Five tasks on two slots: three rounds, of which the last is half empty.
        let two = Prediction::of(&column(Column::PARALLEL, 2, run(5, 3.0)), 100).unwrap();
        assert_eq!(two.to_string(), "est. 55.00 s (50.00 s to 60.00 s)");
    }

    #[test]
    fn the_range_is_as_wide_as_the_tasks_differ_and_no_wider_for_a_list_that_grows() {
        let width = |prediction: &Prediction| {
            let range = prediction.range.unwrap();
            (range.high - range.low) / prediction.middle
        };
        let alike = serial(&[1.0; 40], 1000);
        assert!(width(&alike) < 1e-9 && (alike.middle - 1000.0).abs() < 1e-6, "{alike:?}");
        let growing: Vec<f64> = (0..40).map(|task| 1.0 + f64::from(task)).collect();
        assert!(width(&serial(&growing, 1000)) < 0.1);
        let mixed: Vec<f64> = (0..40).map(|task| 1.0 + f64::from(task * 17 % 40)).collect();
        assert!((0.2..0.8).contains(&width(&serial(&mixed, 1000))));
        // A sample that is nearly the whole leaves little to guess.
        assert!(width(&serial(&mixed, 41)) < 0.1);
    }

    #[test]
    fn the_range_leans_to_the_side_of_the_long_tasks() {
        let mut walls = vec![1.0; 50];
        walls[20] = 30.0;
        let prediction = serial(&walls, 1000);
        let range = prediction.range.unwrap();
        assert!(range.high - prediction.middle > prediction.middle - range.low, "{prediction:?}");
        // What was measured is part of the whole.
        assert!(range.low >= 79.0, "{prediction:?}");
    }

    #[test]
    fn a_few_long_tasks_that_decide_are_a_caution() {
        let mut walls = vec![1.0; 50];
        walls[20] = 30.0;
        let caution = serial(&walls, 1000).caution.unwrap();
        assert_eq!(
            caution.sentence("job"),
            "1 long job of the sample took 38 % of its time: long jobs that it missed may make the whole \
             longer than that"
        );
        assert_eq!(serial(&[1.0; 50], 1000).caution, None);
        // Half of them are no few.
        let halves: Vec<f64> = (0..50).map(|task| if task % 2 == 0 { 1.0 } else { 9.0 }).collect();
        assert_eq!(serial(&halves, 1000).caution, None);
    }

    #[test]
    fn a_small_sample_says_how_rare_a_kind_it_may_have_missed() {
        let told = |tasks: usize| serial(&vec![1.0; tasks], 1000).caution.map(|it| it.sentence("job"));
        let small = "a sample so small may miss a kind of job that is rarer than 1 in 6";
        assert_eq!(told(20).as_deref(), Some(small));
        assert_eq!(told(1).as_deref(), Some("a sample so small may miss whole kinds of jobs"));
        assert_eq!(told(31), None);
        let one = serial(&[2.0], 1000);
        assert_eq!(one.range, None);
    }
}
