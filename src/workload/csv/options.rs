//! What can be chosen; the defaults are the notebook's job to the byte. The sizes are
//! checked once.

use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use clap::{Args, ValueEnum};
use serde::{Deserialize, Serialize};

use crate::workload::row::{paths, typed_nothing};

/// The generator of random numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rng {
    /// `np.random.seed(SEED)`: MT19937, bit for bit
    #[default]
    NumpyLegacy,
    /// `np.random.default_rng(SEED)`: PCG64, bit for bit
    Numpy,
    /// xoshiro256++, split over all cores; the same whatever the number of threads
    Fast,
}

/// The distribution drawn from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Dist {
    /// Counts with mean --lam, written as %d
    #[default]
    Poisson,
    /// Between --low and --high, written as %.18e
    Uniform,
    /// Around --loc with deviation --scale (only --rng fast)
    Normal,
    /// With mean --scale (only --rng fast)
    Exponential,
}

impl Dist {
    /// The word for it.
    fn word(self) -> String {
        self.to_possible_value().map_or_else(String::new, |word| word.get_name().to_owned())
    }
}

/// Whether the files hold the same numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MatrixChoice {
    /// One matrix, drawn beforehand, written to every file
    #[default]
    Shared,
    /// A matrix for each file, drawn by its task
    PerFile,
}

/// The options of `csv-gen`.
#[derive(Args, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CsvOptions {
    /// Number of files
    #[arg(long, value_name = "N", default_value_t = 20, allow_hyphen_values = true)]
    pub files: i64,
    /// Rows in each file
    #[arg(long, value_name = "N", default_value_t = 1000, allow_hyphen_values = true)]
    pub rows: i64,
    /// Columns in each file
    #[arg(long, value_name = "N", default_value_t = 1000, allow_hyphen_values = true)]
    pub cols: i64,
    /// Mean of the Poisson counts [default: 20]
    #[arg(long, value_name = "MEAN", allow_hyphen_values = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lam: Option<f64>,
    /// Seed, as NumPy takes it: up to 2^32-1 for numpy-legacy, of any size for the others
    #[arg(long, value_name = "SEED", default_value = "123", allow_hyphen_values = true)]
    pub seed: String,
    /// Random number generator
    #[arg(long, value_enum, value_name = "RNG", default_value_t)]
    pub rng: Rng,
    /// The same numbers in every file, or different ones
    #[arg(long, value_enum, value_name = "WHICH", default_value_t)]
    pub matrix: MatrixChoice,
    /// Distribution of the numbers
    #[arg(long, value_enum, value_name = "DIST", default_value_t)]
    pub dist: Dist,
    /// Lower bound of uniform numbers [default: 0]
    #[arg(long, value_name = "X", allow_hyphen_values = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub low: Option<f64>,
    /// Upper bound of uniform numbers [default: 1]
    #[arg(long, value_name = "X", allow_hyphen_values = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub high: Option<f64>,
    /// Mean of normal numbers [default: 0]
    #[arg(long, value_name = "X", allow_hyphen_values = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loc: Option<f64>,
    /// Deviation of normal numbers, mean of exponential ones [default: 1]
    #[arg(long, value_name = "X", allow_hyphen_values = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scale: Option<f64>,
    /// The folder of the folders `data_serial`, `data_parallel` and `data_processes` (default: here)
    #[arg(long, value_name = "DIR")]
    #[serde(with = "paths")]
    pub out_dir: Option<PathBuf>,
}

impl Default for CsvOptions {
    fn default() -> Self {
        typed_nothing()
    }
}

impl CsvOptions {
    /// The same with the parameters of the distribution that were left out, for a report,
    /// too. One that belongs to another is refused: whoever gave it meant something that
    /// would not happen.
    pub(super) fn spelled_out(mut self) -> anyhow::Result<Self> {
        let dist = self.dist;
        let of = |dists: &'static [Dist]| dists;
        for (option, value, usual, dists) in [
            ("--lam", &mut self.lam, 20.0, of(&[Dist::Poisson])),
            ("--low", &mut self.low, 0.0, of(&[Dist::Uniform])),
            ("--high", &mut self.high, 1.0, of(&[Dist::Uniform])),
            ("--loc", &mut self.loc, 0.0, of(&[Dist::Normal])),
            ("--scale", &mut self.scale, 1.0, of(&[Dist::Normal, Dist::Exponential])),
        ] {
            if dists.contains(&dist) {
                value.get_or_insert(usual);
                continue;
            }
            let names: Vec<String> = dists.iter().map(|dist| format!("--dist {}", dist.word())).collect();
            ensure!(
                value.is_none(),
                "{option} has no effect with --dist {}: it goes with {}",
                dist.word(),
                names.join(" and ")
            );
        }
        Ok(self)
    }

    /// How many files, checked by `Shape::new` not to be negative.
    pub(super) fn n_files(&self) -> u64 {
        u64::try_from(self.files).unwrap_or(0)
    }
}

/// Rows and columns of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) rows: u64,
    pub(super) cols: u64,
}

impl Shape {
    pub(super) fn new(options: &CsvOptions) -> anyhow::Result<Self> {
        let CsvOptions { files, rows, cols, .. } = *options;
        ensure!(files >= 0, "--files {files}: give 0 or more");
        // The words of NumPy's ValueErrors.
        let sized = |size: i64| u64::try_from(size).ok();
        let negative = || format!("--rows {rows} --cols {cols}: negative dimensions are not allowed");
        let shape =
            Self { rows: sized(rows).with_context(negative)?, cols: sized(cols).with_context(negative)? };
        let values = shape.rows.checked_mul(shape.cols).and_then(|values| values.checked_mul(8));
        let in_reach = values.is_some_and(|bytes| i64::try_from(bytes).is_ok());
        ensure!(
            in_reach,
            "--rows {rows} --cols {cols}: array is too big; `arr.size * arr.dtype.itemsize` is larger than the maximum possible size"
        );
        Ok(shape)
    }

    /// How many values a file holds.
    pub(super) fn values(self) -> u64 {
        self.rows * self.cols
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_that_numpy_refuses_are_refused_in_its_words() {
        let shape = |rows, cols| Shape::new(&CsvOptions { rows, cols, ..CsvOptions::default() });
        assert_eq!(shape(0, 0).unwrap().values(), 0);
        assert_eq!(shape(3, 4).unwrap().values(), 12);
        for (rows, cols, words) in [
            (-1, 2, "negative dimensions are not allowed"),
            (2, -1, "negative dimensions are not allowed"),
            (i64::MAX, i64::MAX, "array is too big"),
            (1 << 31, 1 << 31, "array is too big"),
        ] {
            let error = shape(rows, cols).unwrap_err().to_string();
            assert!(error.contains(words) && error.contains(&format!("--rows {rows}")), "{error}");
        }
    }
}
