//! What can be chosen; the defaults are the notebook's job to the byte.

use std::fmt;
use std::path::PathBuf;

use anyhow::ensure;
use clap::{Args, ValueEnum};
use serde::{Deserialize, Serialize};

use crate::workload::paths;

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

impl fmt::Display for Dist {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Poisson => "poisson",
            Self::Uniform => "uniform",
            Self::Normal => "normal",
            Self::Exponential => "exponential",
        })
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
    /// How many files
    #[arg(long, value_name = "N", default_value_t = 20, allow_hyphen_values = true)]
    pub files: i64,
    /// Rows of each
    #[arg(long, value_name = "N", default_value_t = 1000, allow_hyphen_values = true)]
    pub rows: i64,
    /// Columns of each
    #[arg(long, value_name = "N", default_value_t = 1000, allow_hyphen_values = true)]
    pub cols: i64,
    /// Mean of the Poisson counts [default: 20]
    #[arg(long, value_name = "MEAN", allow_hyphen_values = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lam: Option<f64>,
    /// Seed, as NumPy takes it: up to 2^32-1 for numpy-legacy, of any size for the others
    #[arg(long, value_name = "SEED", default_value = "123", allow_hyphen_values = true)]
    pub seed: String,
    /// Generator
    #[arg(long, value_enum, value_name = "RNG", default_value_t)]
    pub rng: Rng,
    /// The same numbers in all files, or others in each
    #[arg(long, value_enum, value_name = "WHICH", default_value_t)]
    pub matrix: MatrixChoice,
    /// Distribution
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

/// The numbers that make a distribution, those left out by their default.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Parameters {
    pub(super) lam: f64,
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) loc: f64,
    pub(super) scale: f64,
}

impl Default for CsvOptions {
    fn default() -> Self {
        Self {
            files: 20,
            rows: 1000,
            cols: 1000,
            lam: None,
            seed: "123".to_owned(),
            rng: Rng::default(),
            matrix: MatrixChoice::default(),
            dist: Dist::default(),
            low: None,
            high: None,
            loc: None,
            scale: None,
            out_dir: None,
        }
    }
}

impl CsvOptions {
    /// The parameters of the distribution. One that belongs to another is
    /// refused: whoever gave it meant something that would not happen.
    pub(super) fn parameters(&self) -> anyhow::Result<Parameters> {
        let Self { dist, lam, low, high, loc, scale, .. } = *self;
        let of = |dists: &'static [Dist]| dists;
        for (option, value, dists) in [
            ("--lam", lam, of(&[Dist::Poisson])),
            ("--low", low, of(&[Dist::Uniform])),
            ("--high", high, of(&[Dist::Uniform])),
            ("--loc", loc, of(&[Dist::Normal])),
            ("--scale", scale, of(&[Dist::Normal, Dist::Exponential])),
        ] {
            let names: Vec<String> = dists.iter().map(|dist| format!("--dist {dist}")).collect();
            ensure!(
                value.is_none() || dists.contains(&dist),
                "{option} has no effect with --dist {dist}: it goes with {}",
                names.join(" and ")
            );
        }
        Ok(Parameters {
            lam: lam.unwrap_or(20.0),
            low: low.unwrap_or(0.0),
            high: high.unwrap_or(1.0),
            loc: loc.unwrap_or(0.0),
            scale: scale.unwrap_or(1.0),
        })
    }

    /// The same with the defaults that apply written down, for a report.
    pub(super) fn spelled_out(self) -> anyhow::Result<Self> {
        let Parameters { lam, low, high, loc, scale } = self.parameters()?;
        Ok(match self.dist {
            Dist::Poisson => Self { lam: Some(lam), ..self },
            Dist::Uniform => Self { low: Some(low), high: Some(high), ..self },
            Dist::Normal => Self { loc: Some(loc), scale: Some(scale), ..self },
            Dist::Exponential => Self { scale: Some(scale), ..self },
        })
    }

    /// How many files, checked by `Shape::new` not to be negative.
    pub(super) fn n_files(&self) -> u64 {
        u64::try_from(self.files).unwrap_or(0)
    }
}
