//! NumPy's random streams, bit for bit, and the draws made from them.
//!
//! `np.random.seed(123); np.random.poisson(20, n)` is
//! `Poisson::new(20.0)?.fill(&mut Mt19937::from_seed(123), &mut out)`, and
//! `np.random.default_rng(123)` is `Pcg64::new(&SeedSequence::from_u128(123))`.
//! Values are those of NumPy 1.26 and 2.4, checked on x86-64 Linux. Poisson
//! draws use logarithms only to decide, and up to a mean of 1e10 no decision
//! is known to hang on their last bits; beyond, the platform's `ln` shows, in
//! NumPy itself too.
//!
//! The module knows generators and distributions only: no matrices, no files,
//! no threads. What is drawn, in which order and for whom is the caller's.

mod block;
mod distributions;
mod mt19937;
mod pcg64;
mod seed;
mod wide;

#[cfg(test)]
mod props;
#[cfg(test)]
mod tests;

pub use distributions::{Poisson, Uniform};
pub use mt19937::Mt19937;
pub use pcg64::Pcg64;
pub use seed::{SeedSequence, legacy_seed};

/// A generator that makes doubles the way NumPy does, and lets a sampler look
/// at many of them before it says how many it wanted.
///
/// Rejection samplers do not know beforehand how many attempts they need. They
/// are fast if they may judge a whole block at once, and exact only if the
/// stream is afterwards where one attempt at a time would have left it.
pub trait DoubleStream: rand::Rng {
    /// The next double in `[0, 1)`, a multiple of 2^-53.
    fn next_f64(&mut self) -> f64;

    /// Writes the coming doubles, two by two, to the front of `room`, shows
    /// them to `judge`, and moves on by the number of pairs `judge` returns.
    ///
    /// The stream may show fewer pairs than `room` takes, but always at least
    /// one, and `judge` has to use at least one. `room` must not be empty.
    fn judge_pairs(&mut self, room: &mut [[f64; 2]], judge: &mut dyn FnMut(&[[f64; 2]]) -> usize);
}
