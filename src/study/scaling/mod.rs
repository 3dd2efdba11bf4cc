//! How the speed-up grows with the width: what a sweep measured (speed-up, efficiency
//! and Karp-Flatt's share at each width), and the laws of Amdahl and Gunther fitted to
//! it.
//!
//! Pure arithmetic on a study's columns. Does not know how a curve is drawn.

mod fit;
mod gauss_newton;

use std::borrow::Cow;

pub use fit::{Fit, Law, NoFit};

use crate::sorting;
use crate::study::{ColumnResult, Comparison, Interval, Study};
use crate::task::Column;

/// Tasks that ask for this much more than the cores can give still count as
/// within them: a pool's own work, and readings that are a little off.
const ALLOWANCE: f64 = 1.1;

/// A speed-up up to so many times the width is that width, within the error of a reading.
const READING_ERROR: f64 = 1.05;

/// Shares are told in whole per cents: what is rounded to 0 or to 100 % is that.
const ROUNDED: f64 = 0.005;

/// What the speed-ups are relative to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Base {
    /// The serial way.
    Serial,
    /// The parallel way with one task at a time, for want of a serial one.
    OneAtATime,
}

impl Base {
    /// What it is called where a speed-up is told.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Serial => "serial",
            Self::OneAtATime => "-j 1",
        }
    }
}

/// One width of a sweep.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// At most how many tasks at a time.
    pub width: usize,
    /// Median wall time in seconds.
    pub wall: f64,
    /// Median wall time of the base over this one's.
    pub speedup: f64,
    /// How sure that is, where there were runs enough for a test.
    pub interval: Option<Interval>,
    /// Speed-up over the width.
    pub efficiency: f64,
    /// [`karp_flatt`] of the speed-up; `None` for one task at a time, and where none
    /// explains it.
    pub serial_share: Option<f64>,
    /// Whether the laws may be fitted to it: with more tasks at a time than
    /// there are cores or tasks, it is these that the speed-up tells of.
    pub is_fitted: bool,
}

/// How the speed-up grows with the width.
#[derive(Clone, Debug, PartialEq)]
pub struct Scaling {
    /// The name of the columns whose widths these are.
    pub way: Cow<'static, str>,
    /// What the speed-ups are relative to.
    pub base: Base,
    /// The widths that can be compared with the base, narrowest first.
    pub points: Vec<Point>,
    /// Amdahl's law.
    pub amdahl: Result<Fit, NoFit>,
    /// Gunther's law.
    pub usl: Result<Fit, NoFit>,
}

impl Scaling {
    /// The scaling by each engine of `study` of which a column can be compared with a
    /// serial one or with one task at a time.
    #[must_use]
    pub fn of_each(study: &Study) -> Vec<Self> {
        study.parallel_ways().into_iter().filter_map(|column| Self::of(study, column)).collect()
    }

    /// The scaling by one engine; `None` when no column of it can be compared.
    ///
    /// The base counts as one worker where no column has a width of 1.
    #[must_use]
    pub fn of(study: &Study, of: &Column) -> Option<Self> {
        let comparisons = Comparison::of_each(study);
        let base = study.base()?;
        let most = most_that_the_cores_carry(study, base);
        let mut points: Vec<Point> = Vec::new();
        for (column, comparison) in study.columns.iter().zip(&comparisons) {
            let known = points.iter().any(|point| point.width == column.width);
            if let Some(comparison) = comparison.as_ref().filter(|_| column.column == *of && !known) {
                points.extend(Point::new(column, comparison, most));
            }
        }
        if points.is_empty() {
            return None;
        }
        sorting::sort_by_key(&mut points, |point| point.width);
        let mut fitted: Vec<(usize, f64)> =
            points.iter().filter(|point| point.is_fitted).map(|point| (point.width, point.speedup)).collect();
        if points[0].width > 1 {
            fitted.insert(0, (1, 1.0));
        }
        let base = if base.is_serial() { Base::Serial } else { Base::OneAtATime };
        let [amdahl, usl] = [Law::Amdahl, Law::Usl].map(|law| {
            let is_beyond = |&(width, speedup): &(usize, f64)| efficiency_within(speedup, width).is_none();
            let has_gained = fitted.iter().any(|&(width, speedup)| width > 1 && speedup >= 1.0);
            // Too few widths are too few whatever they say.
            match Fit::new(law, &fitted) {
                Err(few @ NoFit::TooFew { .. }) => Err(few),
                _ if !has_gained => Err(NoFit::Slower(base.name())),
                _ if fitted.iter().any(is_beyond) => Err(NoFit::Beyond),
                fit => fit,
            }
        });
        Some(Self { way: of.name.clone(), base, points, amdahl, usl })
    }

    /// Whether several widths were run.
    #[must_use]
    pub fn is_sweep(&self) -> bool {
        self.points.len() > 1
    }
}

impl Point {
    /// `None` where no speed-up may be claimed.
    fn new(column: &ColumnResult, comparison: &Comparison, most: f64) -> Option<Self> {
        comparison.verdict.is_claimed().then(|| Self {
            width: column.width,
            wall: column.wall(),
            speedup: comparison.speedup,
            interval: comparison.verdict.interval(),
            efficiency: comparison.efficiency,
            serial_share: karp_flatt(comparison.speedup, column.width),
            is_fitted: column.width as f64 <= most,
        })
    }
}

/// How many tasks at a time the cores can carry, and there are: a task that
/// computes a tenth of its time takes a tenth of a core.
fn most_that_the_cores_carry(study: &Study, base: &ColumnResult) -> f64 {
    let tasks = base.median(|run| run.tasks as f64);
    let cores_per_task = base.cpu() / base.wall();
    let carried = study.host.usable as f64 / cores_per_task.max(f64::MIN_POSITIVE) * ALLOWANCE;
    tasks.min(carried)
}

/// The serial share that explains a speed-up at a width: `(1/S - 1/p) / (1 - 1/p)`
/// (Karp and Flatt, Measuring parallel processor performance, Communications of
/// the ACM 33, 1990). One that grows with the width tells of overhead rather
/// than of serial work. `None` for a width of 1, and where no share does: slower than
/// serial by more than the noise of a reading, or faster than ideal.
#[must_use]
pub fn karp_flatt(speedup: f64, width: usize) -> Option<f64> {
    let speedup = efficiency_within(speedup, width)? * width as f64;
    let inverse = 1.0 / width as f64;
    let share = (width > 1 && speedup > 0.0).then(|| (1.0 / speedup - inverse) / (1.0 - inverse))?;
    (-ROUNDED..=1.0 + ROUNDED).contains(&share).then(|| share.clamp(0.0, 1.0))
}

/// Speed-up over slots, at most 1; `None` where it is above that by more than the error of a
/// reading: so many slots cannot be so much faster, so something slowed the serial run.
#[must_use]
pub fn efficiency_within(speedup: f64, width: usize) -> Option<f64> {
    let efficiency = speedup / width as f64;
    (efficiency <= READING_ERROR).then(|| efficiency.min(1.0))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::measure::Usage;
    use crate::study::RunResult;

    fn column(column: Column, width: usize, wall: f64, cpu: f64) -> ColumnResult {
        let run = RunResult {
            wall: Duration::from_secs_f64(wall),
            usage: Usage { user: Duration::from_secs_f64(cpu), ..Usage::default() },
            tasks: 64,
            ..RunResult::default()
        };
        ColumnResult::new(column, width, vec![run])
    }

    /// A sweep by Amdahl's law with a tenth serial, on four cores.
    fn sweep(widths: &[usize], cpu: f64) -> Study {
        let mut study = crate::study::tests::empty();
        study.columns.push(column(Column::SERIAL, 1, 10.0, cpu));
        study.columns.extend(widths.iter().map(|&width| {
            let wall = 10.0 * (0.1 + 0.9 / width as f64);
            column(Column::PARALLEL, width, wall, cpu)
        }));
        study
    }

    #[test]
    fn karp_flatt_finds_the_serial_share_of_amdahls_law_at_every_width() {
        let scaling = Scaling::of(&sweep(&[1, 2, 4], 10.0), &Column::PARALLEL).unwrap();
        let shares: Vec<Option<f64>> = scaling.points.iter().map(|point| point.serial_share).collect();
        assert_eq!(shares[0], None);
        assert!(shares[1..].iter().all(|share| (share.unwrap() - 0.1).abs() < 1e-9), "{shares:?}");
        assert!((scaling.points[2].efficiency - 10.0 / 3.25 / 4.0).abs() < 1e-9);
        assert_eq!((scaling.base, scaling.is_sweep()), (Base::Serial, true));
    }

    #[test]
    fn no_serial_share_is_below_nothing_or_above_everything() {
        assert_eq!(karp_flatt(0.5, 2), None);
        assert_eq!(karp_flatt(0.42, 8), None);
        assert_eq!(karp_flatt(2.4, 2), None);
        assert_eq!((karp_flatt(1.0, 4), karp_flatt(2.004, 2)), (Some(1.0), Some(0.0)));
        assert_eq!((efficiency_within(2.08, 2), efficiency_within(2.2, 2)), (Some(1.0), None));
    }

    #[test]
    fn no_law_is_fitted_to_what_was_slower_than_serial_at_every_width() {
        let mut slower = sweep(&[1, 2, 3, 4], 10.0);
        for column in &mut slower.columns[1..] {
            column.runs[0].wall = Duration::from_secs_f64(10.5 + column.width as f64);
        }
        let scaling = Scaling::of(&slower, &Column::PARALLEL).unwrap();
        let refused = NoFit::Slower("serial");
        assert_eq!((scaling.amdahl, scaling.usl), (Err(refused), Err(refused)));
        assert_eq!(refused.to_string(), "slower than serial at every width: no law fits");
        assert!(scaling.points.iter().all(|point| point.serial_share.is_none()));
    }

    #[test]
    fn three_widths_are_enough_for_amdahl_and_four_for_gunther() {
        let three = Scaling::of(&sweep(&[1, 2, 4], 10.0), &Column::PARALLEL).unwrap();
        assert!((three.amdahl.unwrap().alpha - 0.1).abs() < 1e-6);
        assert_eq!(three.usl, Err(NoFit::TooFew { law: Law::Usl, widths: 3 }));
        let four = Scaling::of(&sweep(&[4, 3, 2, 1], 10.0), &Column::PARALLEL).unwrap();
        assert!((four.usl.unwrap().alpha - 0.1).abs() < 1e-6);
        assert_eq!(four.points[0].width, 1);
    }

    #[test]
    fn the_serial_way_is_one_worker_where_no_column_is() {
        let scaling = Scaling::of(&sweep(&[2, 3, 4], 10.0), &Column::PARALLEL).unwrap();
        let usl = scaling.usl.unwrap();
        assert_eq!((usl.from, usl.to, scaling.points.len()), (1, 4, 3));
    }

    #[test]
    fn widths_beyond_the_cores_are_not_fitted_unless_the_tasks_wait() {
        let computing = Scaling::of(&sweep(&[1, 2, 4, 8, 16], 10.0), &Column::PARALLEL).unwrap();
        assert_eq!(computing.amdahl.unwrap().to, 4);
        assert!(computing.usl.is_err() && !computing.points[3].is_fitted);
        let waiting = Scaling::of(&sweep(&[1, 2, 4, 8, 16, 128], 0.1), &Column::PARALLEL).unwrap();
        // There are 64 tasks.
        assert_eq!(waiting.usl.unwrap().to, 16);
    }

    #[test]
    fn one_task_at_a_time_stands_in_for_a_serial_way() {
        let mut study = sweep(&[1, 2, 4], 10.0);
        study.columns.remove(0);
        let scaling = Scaling::of(&study, &Column::PARALLEL).unwrap();
        assert_eq!((scaling.base, scaling.points.len()), (Base::OneAtATime, 3));
        assert!((scaling.points[0].speedup - 1.0).abs() < 1e-12);
        study.columns.remove(0);
        assert_eq!(Scaling::of(&study, &Column::PARALLEL), None);
    }

    #[test]
    fn no_speedup_is_told_when_tasks_failed() {
        let mut study = sweep(&[1, 2], 10.0);
        let failure = crate::study::Failure {
            label: String::new().into(),
            why: String::new().into(),
            way: "serial".into(),
            run: 0,
            also: Vec::new(),
        };
        study.failures.insert(0, failure);
        assert_eq!(Scaling::of(&study, &Column::PARALLEL), None);
    }
}
