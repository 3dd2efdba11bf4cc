//! Uniform doubles, `uniform(low, high)` of both NumPy interfaces.
//!
//! It does not know the generator, and uses no function of the platform's
//! maths library: the bits are the same everywhere.

use std::error::Error;
use std::fmt;

use super::DoubleStream;

/// The uniform distribution on `[low, high)`.
///
/// As in `np.random.uniform`, `high` may lie below `low` (a `Generator` refuses
/// that), and rounding may yield `high` itself. `Uniform::new(0.0, 1.0)` gives
/// the values of `random`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Uniform {
    low: f64,
    range: f64,
}

impl Uniform {
    /// The distribution on `[low, high)`.
    ///
    /// # Errors
    ///
    /// [`DistError::RangeNotFinite`] if `high - low` is infinite or NaN.
    pub fn new(low: f64, high: f64) -> Result<Self, DistError> {
        let range = high - low;
        if !range.is_finite() {
            return Err(DistError::RangeNotFinite);
        }
        Ok(Self { low, range })
    }

    /// The same as a `Generator` has it, which wants the bounds in order.
    ///
    /// # Errors
    ///
    /// [`DistError::GeneratorRangeNotFinite`] if `high - low` is infinite or NaN,
    /// [`DistError::RangeNegative`] if it is negative, minus zero included.
    pub fn of_generator(low: f64, high: f64) -> Result<Self, DistError> {
        let uniform = Self::new(low, high).map_err(|_| DistError::GeneratorRangeNotFinite)?;
        if uniform.range.is_sign_negative() { Err(DistError::RangeNegative) } else { Ok(uniform) }
    }

    /// The next draw; uses one double of the stream.
    #[inline]
    pub fn sample(&self, stream: &mut (impl DoubleStream + ?Sized)) -> f64 {
        self.low + self.range * stream.next_f64()
    }

    /// Fills `out` with draws, in order.
    pub fn fill(&self, stream: &mut (impl DoubleStream + ?Sized), out: &mut [f64]) {
        for value in out {
            *value = self.sample(stream);
        }
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numpy::{Mt19937, Pcg64, SeedSequence};

    #[test]
    #[expect(clippy::float_cmp, reason = "every bit is meant")]
    fn uniform_values_are_numpys() {
        let draw = |low, high, stream: &mut dyn DoubleStream| {
            let mut floats = [0.0; 2];
            Uniform::new(low, high).unwrap().fill(stream, &mut floats);
            floats
        };
        let mut pcg = Pcg64::new(&SeedSequence::from_u128(123));
        let legacy = || Mt19937::from_seed(123);
        assert_eq!(draw(-3.0, 7.5, &mut legacy()), [4.312_926_448_777_548, 0.004_463_016_978_984_324]);
        assert_eq!(draw(5.0, 2.0, &mut legacy()), [2.910_592_443_206_415, 4.141_581_995_148_861_5]);
        assert_eq!(draw(-3.0, 7.5, &mut pcg), [4.164_694_564_105_506, -2.434_879_302_576_662]);
    }

    #[test]
    fn uniform_bounds_are_refused_in_numpys_words() {
        for (low, high) in [(-1e308, 1e308), (0.0, f64::NAN), (0.0, f64::INFINITY)] {
            let error = Uniform::new(low, high).unwrap_err();
            assert_eq!(error.to_string(), "Range exceeds valid bounds");
            let error = Uniform::of_generator(low, high).unwrap_err();
            assert_eq!(error.to_string(), "high - low range exceeds valid bounds");
        }
        for (low, high) in [(5.0, 2.0), (0.0, -0.0)] {
            assert!(Uniform::new(low, high).is_ok());
            assert_eq!(Uniform::of_generator(low, high).unwrap_err().to_string(), "high - low < 0");
        }
        assert_eq!(Uniform::of_generator(2.0, 2.0), Uniform::new(2.0, 2.0));
    }
}
