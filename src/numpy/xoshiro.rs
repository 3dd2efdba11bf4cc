//! Generators of 64-bit words as [`Stream`]s: the parts PCG64 and
//! xoshiro256++ share, and xoshiro256++ itself.
//!
//! NumPy has no xoshiro256++. Its doubles are made here as PCG64's are, so
//! that all samplers work on it, but there is nothing in NumPy to equal.

use rand::Rng;
use rand::rngs::Xoshiro256PlusPlus;

use super::Stream;

impl Stream for Xoshiro256PlusPlus {
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

/// [`Stream::judge_pairs`] for a generator that is cheap to copy: when not all
/// pairs were used, it starts again from the copy and steps to the right place.
#[inline]
pub(super) fn judge_pairs_of_u64<S: Stream + Clone>(
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
