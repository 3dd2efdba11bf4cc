//! Poisson draws by transformed rejection, for means of at least 10.
//!
//! Source: Hörmann, "The transformed rejection method for generating Poisson
//! random variables", Insurance: Mathematics and Economics 12 (1993), in
//! NumPy's order of operations, which decides the last bits. It knows one
//! attempt at a time; where the doubles come from is the caller's.

/// The constants of the method for one mean.
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
