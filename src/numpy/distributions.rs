//! Uniform doubles and Poisson counts, `uniform(low, high)` and `poisson(lam)` of both
//! NumPy interfaces.
//!
//! The method for Poisson counts is chosen by the mean, as NumPy does, and each draw is
//! offered twice: the plain way, one after another, and the fast way, in blocks. Uniform
//! doubles use no function of the platform's maths library: the bits are the same
//! everywhere. Nothing here knows the generator.

use super::DoubleStream;
use super::block::BlockPtrs;

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

/// The largest mean NumPy takes: 2^63 - 1 less ten standard deviations.
const LAM_MAX: f64 = 9.223_372_006_484_771e18;

/// The Poisson distribution of one mean.
///
/// Counts and stream positions are NumPy's, whether drawn by
/// [`fill`](Self::fill) or by [`sample_plain`](Self::sample_plain), and in
/// whatever mixture.
#[derive(Debug, Clone)]
pub struct Poisson {
    method: Method,
}

#[derive(Debug, Clone)]
enum Method {
    Zero,
    /// Products of doubles until they fall below `exp(-lam)`.
    Multiply {
        exp_minus_lam: f64,
    },
    Reject(Ptrs),
    /// The same, with the table that lets whole blocks be judged at once.
    RejectInBlocks(BlockPtrs),
}

impl Poisson {
    /// The distribution of mean `lam`; -0.0 is 0.
    ///
    /// For `10 <= lam <= 20000` this fills a table of some 16 sqrt(lam)
    /// probabilities, a matter of microseconds: make it once, draw often.
    ///
    /// # Errors
    ///
    /// [`DistError::LamNegativeOrNan`], and [`DistError::LamTooLarge`] above
    /// about 2^63 - 3.04e10, both with NumPy's message.
    pub fn new(lam: f64) -> Result<Self, DistError> {
        if lam.is_nan() || lam < 0.0 {
            return Err(DistError::LamNegativeOrNan);
        }
        if lam > LAM_MAX {
            return Err(DistError::LamTooLarge);
        }
        let method = if lam == 0.0 {
            Method::Zero
        } else if lam < 10.0 {
            Method::Multiply { exp_minus_lam: (-lam).exp() }
        } else if lam <= BlockPtrs::LAM_MAX {
            Method::RejectInBlocks(BlockPtrs::new(Ptrs::new(lam)))
        } else {
            Method::Reject(Ptrs::new(lam))
        };
        Ok(Self { method })
    }

    /// The next count, drawn exactly as NumPy's C code draws it.
    pub fn sample_plain(&self, stream: &mut (impl DoubleStream + ?Sized)) -> i64 {
        match &self.method {
            Method::Zero => 0,
            Method::Multiply { exp_minus_lam } => multiply(*exp_minus_lam, stream),
            Method::Reject(ptrs) => reject(ptrs, stream),
            Method::RejectInBlocks(block) => reject(&block.ptrs, stream),
        }
    }

    /// Fills `out` with the counts that as many calls of
    /// [`sample_plain`](Self::sample_plain) would give, and leaves the stream
    /// where they would leave it.
    ///
    /// For `10 <= lam <= 20000` it takes about a fifth of the time.
    pub fn fill(&self, stream: &mut (impl DoubleStream + ?Sized), out: &mut [i64]) {
        match &self.method {
            Method::RejectInBlocks(block) => block.fill(stream, out),
            _ => out.fill_with(|| self.sample_plain(stream)),
        }
    }
}

fn multiply(exp_minus_lam: f64, stream: &mut (impl DoubleStream + ?Sized)) -> i64 {
    let mut count = 0;
    let mut product = stream.next_f64();
    while product > exp_minus_lam {
        count += 1;
        product *= stream.next_f64();
    }
    count
}

fn reject(ptrs: &Ptrs, stream: &mut (impl DoubleStream + ?Sized)) -> i64 {
    loop {
        let first = stream.next_f64();
        let second = stream.next_f64();
        if let Some(count) = ptrs.attempt(first, second) {
            return count;
        }
    }
}

/// The constants of transformed rejection, for a mean of at least 10.
///
/// Source: Hörmann, "The transformed rejection method for generating Poisson
/// random variables", Insurance: Mathematics and Economics 12 (1993), in
/// NumPy's order of operations, which decides the last bits.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Ptrs {
    pub(super) lam: f64,
    pub(super) a: f64,
    pub(super) b: f64,
    pub(super) inv_alpha: f64,
    pub(super) v_r: f64,
    ln_lam: f64,
    ln_inv_alpha: f64,
}

impl Ptrs {
    /// `lam` must be at least 10.
    pub(super) fn new(lam: f64) -> Self {
        let b = 0.931 + 2.53 * lam.sqrt();
        let inv_alpha = 1.1239 + 1.1328 / (b - 3.4);
        Self {
            lam,
            a: -0.059 + 0.02483 * b,
            b,
            inv_alpha,
            v_r: 0.9277 - 3.6224 / (b - 2.0),
            ln_lam: lam.ln(),
            ln_inv_alpha: inv_alpha.ln(),
        }
    }

    /// One attempt: the count that two doubles of `[0, 1)` give, if any.
    #[inline]
    pub(super) fn attempt(&self, first: f64, second: f64) -> Option<i64> {
        let u = first - 0.5;
        let v = second;
        let us = 0.5 - u.abs();
        let k = c_int64(((2.0 * self.a / us + self.b) * u + self.lam + 0.43).floor());
        if us >= 0.07 && v <= self.v_r {
            return Some(k);
        }
        if k < 0 || (us < 0.013 && v > us) {
            return None;
        }
        let hat = v.ln() + self.ln_inv_alpha - (self.a / (us * us) + self.b).ln();
        (hat <= self.ln_probability(k)).then_some(k)
    }

    /// The logarithm of the probability of the count `k`, which is not negative.
    pub(super) fn ln_probability(&self, k: i64) -> f64 {
        -self.lam + k as f64 * self.ln_lam - ln_gamma((k + 1) as f64)
    }
}

/// C's cast of a double to `int64_t` on x86, which NumPy's draws show: what
/// does not fit becomes the smallest integer, where Rust would saturate.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "values that do not fit are sorted out")]
fn c_int64(x: f64) -> i64 {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    if (-LIMIT..LIMIT).contains(&x) { x as i64 } else { i64::MIN }
}

/// `ln Γ(x)` for integer `x >= 1`, NumPy's `random_loggam`: Stirling's series
/// from 7 on, recurrence below.
#[expect(clippy::float_cmp, reason = "the arguments are integers")]
fn ln_gamma(x: f64) -> f64 {
    const SERIES: [f64; 10] = [
        8.333_333_333_333_333e-2,
        -2.777_777_777_777_778e-3,
        7.936_507_936_507_937e-4,
        -5.952_380_952_380_952e-4,
        8.417_508_417_508_418e-4,
        -1.917_526_917_526_918e-3,
        6.410_256_410_256_41e-3,
        -2.955_065_359_477_124e-2,
        1.796_443_723_688_307e-1,
        -1.392_432_216_905_9,
    ];
    const LN_TAU: f64 = 1.837_877_066_409_345_3;
    if x == 1.0 || x == 2.0 {
        return 0.0;
    }
    let shift = (7.0 - x).max(0.0);
    let mut x0 = x + shift;
    let x2 = (1.0 / x0) * (1.0 / x0);
    let [rest @ .., last] = SERIES;
    let series = rest.iter().rev().fold(last, |sum, &term| sum * x2 + term);
    let mut ln_gamma = series / x0 + 0.5 * LN_TAU + (x0 - 0.5) * x0.ln() - x0;
    while x0 > x {
        ln_gamma -= (x0 - 1.0).ln();
        x0 -= 1.0;
    }
    ln_gamma
}

/// A parameter no distribution can be made of.
///
/// `Display` gives the text of NumPy's exception, so that a user who knows the
/// one recognises the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DistError {
    /// A Poisson mean below zero or not a number (`ValueError`).
    #[error("lam < 0 or lam is NaN")]
    LamNegativeOrNan,
    /// A Poisson mean whose draws might not fit an `i64` (`ValueError`).
    #[error("lam value too large")]
    LamTooLarge,
    /// Uniform bounds whose difference is not finite (`OverflowError`).
    #[error("Range exceeds valid bounds")]
    RangeNotFinite,
    /// The same, as a `Generator` says it.
    #[error("high - low range exceeds valid bounds")]
    GeneratorRangeNotFinite,
    /// Uniform bounds in the wrong order, which only a `Generator` refuses
    /// (`ValueError`).
    #[error("high - low < 0")]
    RangeNegative,
}

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
