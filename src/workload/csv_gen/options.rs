//! What can be chosen; the defaults are the notebook's job to the byte.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde::{Deserialize, Serialize, Serializer};

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
    /// Mean of the Poisson counts
    #[arg(long, value_name = "MEAN", default_value_t = 20.0, allow_hyphen_values = true)]
    pub lam: f64,
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
    /// Lower bound of uniform numbers
    #[arg(long, value_name = "X", default_value_t = 0.0, allow_hyphen_values = true)]
    pub low: f64,
    /// Upper bound of uniform numbers
    #[arg(long, value_name = "X", default_value_t = 1.0, allow_hyphen_values = true)]
    pub high: f64,
    /// Mean of normal numbers
    #[arg(long, value_name = "X", default_value_t = 0.0, allow_hyphen_values = true)]
    pub loc: f64,
    /// Deviation of normal numbers, mean of exponential ones
    #[arg(long, value_name = "X", default_value_t = 1.0, allow_hyphen_values = true)]
    pub scale: f64,
    /// The folder of the folders `data_serial` and `data_parallel` (default: here)
    #[arg(long, value_name = "DIR")]
    #[serde(serialize_with = "lossy")]
    pub out_dir: Option<PathBuf>,
}

/// JSON has no words for a name that is not Unicode.
#[expect(clippy::ref_option, reason = "the signature that serde asks for")]
fn lossy<S: Serializer>(path: &Option<PathBuf>, serializer: S) -> Result<S::Ok, S::Error> {
    path.as_ref().map(|path| path.to_string_lossy()).serialize(serializer)
}

impl Default for CsvOptions {
    fn default() -> Self {
        Self {
            files: 20,
            rows: 1000,
            cols: 1000,
            lam: 20.0,
            seed: "123".to_owned(),
            rng: Rng::default(),
            matrix: MatrixChoice::default(),
            dist: Dist::default(),
            low: 0.0,
            high: 1.0,
            loc: 0.0,
            scale: 1.0,
            out_dir: None,
        }
    }
}

impl CsvOptions {
    /// How many files, checked by `Shape::new` not to be negative.
    pub(super) fn n_files(&self) -> u64 {
        u64::try_from(self.files).unwrap_or(0)
    }
}
