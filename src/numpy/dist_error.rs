//! Why a distribution cannot be made, in NumPy's own words.
//!
//! It does not know where the parameter came from: the caller says which task
//! or option was meant.

use std::error::Error;
use std::fmt;

/// A parameter no distribution can be made of.
///
/// `Display` gives the text of NumPy's exception, so that a user who knows the
/// one recognises the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DistError {
    /// A Poisson mean below zero or not a number (`ValueError`).
    LamNegativeOrNan,
    /// A Poisson mean whose draws might not fit an `i64` (`ValueError`).
    LamTooLarge,
    /// Uniform bounds whose difference is not finite (`OverflowError`).
    RangeNotFinite,
    /// The same, as a `Generator` says it.
    GeneratorRangeNotFinite,
    /// Uniform bounds in the wrong order, which only a `Generator` refuses
    /// (`ValueError`).
    RangeNegative,
}

impl fmt::Display for DistError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::LamNegativeOrNan => "lam < 0 or lam is NaN",
            Self::LamTooLarge => "lam value too large",
            Self::RangeNotFinite => "Range exceeds valid bounds",
            Self::GeneratorRangeNotFinite => "high - low range exceeds valid bounds",
            Self::RangeNegative => "high - low < 0",
        })
    }
}

impl Error for DistError {}
