//! Generators of 64-bit words: PCG64 (XSL-RR 128/64), the generator of
//! `np.random.default_rng`, and xoshiro256++ with the same doubles.
//!
//! Source: O'Neill, "PCG: A Family of Simple Fast Space-Efficient
//! Statistically Good Algorithms", HMC-CS-2014-0905 (2014). It does not know
//! how entropy becomes a seed: that is the [`SeedSequence`]'s.

use std::convert::Infallible;

use rand::rand_core::utils;
use rand::rngs::Xoshiro256PlusPlus;
use rand::{Rng, TryRng};

use super::{DoubleStream, SeedSequence};

const MULTIPLIER: u128 = 0x2360_ed05_1fc6_5da4_4385_df64_9fcc_f645;

/// NumPy's default generator: `Pcg64::new(&SeedSequence::from_u128(123))` is
/// the bit generator of `np.random.default_rng(123)`.
///
/// `next_u32` gives the low half of a 64-bit word and keeps the high half for
/// the following `next_u32`; doubles and `next_u64` pass by the kept half.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pcg64 {
    state: u128,
    increment: u128,
    kept_half: Option<u32>,
}

impl Pcg64 {
    /// The generator NumPy makes of this seed sequence.
    pub fn new(seed: &SeedSequence) -> Self {
        let words = seed.generate_state_u64(4);
        let wide = |i: usize| u128::from(words[i]) << 64 | u128::from(words[i + 1]);
        let increment = wide(2) << 1 | 1;
        let mut pcg = Self { state: increment.wrapping_add(wide(0)), increment, kept_half: None };
        pcg.step();
        pcg
    }

    /// The 128-bit state, `state["state"]["state"]` in NumPy.
    #[cfg(test)]
    pub fn state(&self) -> u128 {
        self.state
    }

    /// The 128-bit increment that selects the sequence, always odd.
    #[cfg(test)]
    pub fn increment(&self) -> u128 {
        self.increment
    }

    #[inline]
    fn step(&mut self) {
        self.state = self.state.wrapping_mul(MULTIPLIER).wrapping_add(self.increment);
    }

    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "the halves of the state are meant")]
    fn next_word(&mut self) -> u64 {
        self.step();
        let high = (self.state >> 64) as u64;
        (high ^ self.state as u64).rotate_right((high >> 58) as u32)
    }
}

impl DoubleStream for Pcg64 {
    #[inline]
    fn next_f64(&mut self) -> f64 {
        double(self.next_word())
    }

    fn judge_pairs(&mut self, room: &mut [[f64; 2]], judge: &mut dyn FnMut(&[[f64; 2]]) -> usize) {
        judge_pairs_of_u64(self, room, judge);
    }
}

impl TryRng for Pcg64 {
    type Error = Infallible;

    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "the halves of the word are meant")]
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.kept_half.take().unwrap_or_else(|| {
            let word = self.next_word();
            self.kept_half = Some((word >> 32) as u32);
            word as u32
        }))
    }

    #[inline]
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.next_word())
    }

    fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), Infallible> {
        utils::fill_bytes_via_next_word(dst, || self.try_next_u64())
    }
}

/// NumPy has no xoshiro256++. Its doubles are made as PCG64's are, so that all samplers
/// work on it, but there is nothing in NumPy to equal.
impl DoubleStream for Xoshiro256PlusPlus {
    #[inline]
    fn next_f64(&mut self) -> f64 {
        double(self.next_u64())
    }

    fn judge_pairs(&mut self, room: &mut [[f64; 2]], judge: &mut dyn FnMut(&[[f64; 2]]) -> usize) {
        judge_pairs_of_u64(self, room, judge);
    }
}

/// The upper 53 bits of a word as a double in `[0, 1)`.
#[inline]
pub(super) fn double(word: u64) -> f64 {
    // Through i64, because SSE2 converts that and not u64.
    (word >> 11).cast_signed() as f64 * (1.0 / 9_007_199_254_740_992.0)
}

/// [`DoubleStream::judge_pairs`] for a generator that is cheap to copy: when not all
/// pairs were used, it starts again from the copy and steps to the right place.
#[inline]
pub(super) fn judge_pairs_of_u64<S: DoubleStream + Clone>(
    stream: &mut S,
    room: &mut [[f64; 2]],
    judge: &mut dyn FnMut(&[[f64; 2]]) -> usize,
) {
    let before = stream.clone();
    for pair in &mut *room {
        *pair = [stream.next_f64(), stream.next_f64()];
    }
    let used = judge(room);
    debug_assert!((1..=room.len()).contains(&used), "{used} of {} pairs used", room.len());
    if used < room.len() {
        *stream = before;
        for _ in 0..2 * used {
            stream.next_u64();
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::Rng;

    use super::*;

    #[test]
    fn pcg64_keeps_the_upper_half_of_a_word_for_the_next_u32() {
        let mut pcg = Pcg64::new(&SeedSequence::from_u128(123));
        assert_eq!(pcg.next_u32(), 66_316_749);
        assert_eq!(pcg.next_f64().to_bits(), 0.053_821_018_802_222_675_f64.to_bits());
        assert_eq!(pcg.next_u32(), 2_930_678_937);
        assert_eq!(pcg.next_u64(), 4_064_922_177_151_560_342);
        assert_eq!(pcg.next_u32(), 1_095_601_157);
    }
}
