//! The columns of a study as hyperfine exports its commands, so that scripts
//! and spreadsheets made for it draw a study, too.
//!
//! Times in seconds. Holds no more than hyperfine's own fields and does not know
//! how they are written down.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::study::{ColumnResult, Study};

/// One column, as an entry of hyperfine's `results`.
#[derive(Debug, Serialize)]
pub(super) struct Result {
    /// The column's name: `csv-gen serial`.
    pub(super) command: String,
    pub(super) mean: f64,
    /// Of the sample; none of a single run.
    pub(super) stddev: Option<f64>,
    pub(super) median: f64,
    pub(super) user: f64,
    pub(super) system: f64,
    pub(super) min: f64,
    pub(super) max: f64,
    /// The wall time of each run.
    pub(super) times: Vec<f64>,
    /// By name, as text, which is how hyperfine writes numbers, too.
    pub(super) parameters: BTreeMap<&'static str, String>,
}

/// The columns that were run, serial first.
pub(super) fn results(study: &Study) -> Vec<Result> {
    study
        .columns
        .iter()
        .filter(|column| !column.runs.is_empty())
        .map(|column| result(study, column))
        .collect()
}

/// To the nanosecond, below which there is only what arithmetic left over.
pub(super) fn nanos(seconds: f64) -> f64 {
    (seconds * 1e9).round() / 1e9
}

fn result(study: &Study, column: &ColumnResult) -> Result {
    let times: Vec<f64> = column.runs.iter().map(|run| nanos(run.wall.as_secs_f64())).collect();
    let n_runs = times.len() as f64;
    let mean = times.iter().sum::<f64>() / n_runs;
    let squares: f64 = times.iter().map(|time| (time - mean).powi(2)).sum();
    Result {
        command: format!("{} {}", study.workload, study.name(column)),
        mean: nanos(mean),
        stddev: (times.len() > 1).then(|| nanos((squares / (n_runs - 1.0)).sqrt())),
        median: nanos(column.wall()),
        user: nanos(column.runs.iter().map(|run| run.usage.user.as_secs_f64()).sum::<f64>() / n_runs),
        system: nanos(column.runs.iter().map(|run| run.usage.sys.as_secs_f64()).sum::<f64>() / n_runs),
        min: times.iter().copied().fold(f64::INFINITY, f64::min),
        max: times.iter().copied().fold(0.0, f64::max),
        times,
        parameters: BTreeMap::from([("way", column.way().to_owned()), ("jobs", column.width.to_string())]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::tests::both_ways;

    #[test]
    fn the_spread_is_that_of_the_sample_and_a_single_run_has_none() {
        let study = both_ways(&[1000], &[400, 600, 500], 2);
        let [serial, parallel] = &results(&study)[..] else { panic!("two columns") };
        assert_eq!((serial.stddev, parallel.stddev), (None, Some(0.1)));
        assert!((parallel.mean - 0.5).abs() < 1e-12 && (parallel.max - 0.6).abs() < 1e-12);
        assert_eq!(parallel.parameters["jobs"], "2");
        assert_eq!(serial.command, "made-up serial");
    }
}
