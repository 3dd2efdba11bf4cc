//! The Mersenne Twister behind `np.random.seed` and `RandomState`.
//!
//! Source: Matsumoto and Nishimura, "Mersenne Twister", ACM TOMACS 8 (1998),
//! and their `mt19937ar.c`. It does not know what is drawn from its words, nor
//! the cached Gaussian that NumPy keeps beside them.

use std::convert::Infallible;
use std::fmt;

use rand::TryRng;
use rand::rand_core::utils;

use super::DoubleStream;
use super::wide::{Wide, run_wide};

/// Words of state, and words made by one refill.
const N: usize = 624;
/// How far ahead the twist looks.
const M: usize = 397;

/// NumPy's legacy generator: MT19937, seeded as `np.random.seed` does it.
///
/// `next_u64` puts the earlier word in the upper half, as NumPy does.
#[derive(Clone, PartialEq, Eq)]
pub struct Mt19937 {
    key: [u32; N],
    /// The tempered words of `key`; those before `pos` are used up.
    words: [u32; N],
    pos: usize,
}

impl Mt19937 {
    /// The stream of `np.random.seed(seed)` for one integer (Knuth's
    /// initialisation; `std::mt19937` of C++ starts the same way).
    pub fn from_seed(seed: u32) -> Self {
        let mut key = [seed; N];
        for i in 1..N {
            let before = key[i - 1];
            key[i] = (before ^ (before >> 30)).wrapping_mul(1_812_433_253).wrapping_add(index_word(i));
        }
        Self { key, words: [0; N], pos: N }
    }

    #[inline]
    fn next_word(&mut self) -> u32 {
        if self.pos >= N {
            self.refill();
        }
        let word = self.words[self.pos];
        self.pos += 1;
        word
    }

    /// Makes the next 624 words.
    #[cold]
    fn refill(&mut self) {
        run_wide(Refill { key: &mut self.key, words: &mut self.words });
        self.pos = 0;
    }
}

/// Makes words from the state. The loops are cut where the twist's operands
/// wrap around, so that each is straight and can be vectorised.
struct Refill<'a> {
    key: &'a mut [u32; N],
    words: &'a mut [u32; N],
}

impl Wide for Refill<'_> {
    type Output = ();

    #[expect(clippy::inline_always, reason = "else it is not compiled for wide vectors")]
    #[inline(always)]
    fn run(self) {
        let Self { key, words } = self;
        for i in 0..N - M {
            key[i] = key[i + M] ^ twist(key[i], key[i + 1]);
        }
        // In two parts, each of which reads nothing that it writes but its own place:
        // one loop would be held to narrower vectors.
        let (first, rest) = key.split_at_mut(N - M);
        for i in 0..N - M {
            rest[i] = first[i] ^ twist(rest[i], rest[i + 1]);
        }
        let (second, rest) = rest.split_at_mut(N - M);
        for i in 0..rest.len() - 1 {
            rest[i] = second[i] ^ twist(rest[i], rest[i + 1]);
        }
        key[N - 1] = key[M - 1] ^ twist(key[N - 1], key[0]);
        for (i, word) in words.iter_mut().enumerate() {
            *word = temper(key[i]);
        }
    }
}

/// Makes `out` of doubles from as many words.
struct Doubles<'a> {
    words: &'a [[u32; 2]],
    out: &'a mut [f64],
}

impl Wide for Doubles<'_> {
    type Output = ();

    #[expect(clippy::inline_always, reason = "else it is not compiled for wide vectors")]
    #[inline(always)]
    fn run(self) {
        let Self { words, out } = self;
        let n = out.len();
        let words = &words[..n];
        for i in 0..n {
            let [first, second] = words[i];
            out[i] = double(first, second);
        }
    }
}

impl DoubleStream for Mt19937 {
    #[inline]
    fn next_f64(&mut self) -> f64 {
        let first = self.next_word();
        let second = self.next_word();
        double(first, second)
    }

    fn judge_pairs(&mut self, room: &mut [[f64; 2]], judge: &mut dyn FnMut(&[[f64; 2]]) -> usize) {
        if self.pos >= N {
            self.refill();
        }
        let (left, _) = self.words[self.pos..].as_chunks();
        let shown = room.len().min(left.len() / 2);
        if shown == 0 {
            // One to three words are left: this pair lies across the refill
            // and cannot be given back, but one pair is always used.
            room[0] = [self.next_f64(), self.next_f64()];
            judge(&room[..1]);
            return;
        }
        run_wide(Doubles { words: left, out: room[..shown].as_flattened_mut() });
        let used = judge(&room[..shown]);
        debug_assert!((1..=shown).contains(&used), "{used} of {shown} pairs used");
        self.pos += 4 * used;
    }
}

impl TryRng for Mt19937 {
    type Error = Infallible;

    #[inline]
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.next_word())
    }

    #[inline]
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let high = u64::from(self.next_word());
        Ok(high << 32 | u64::from(self.next_word()))
    }

    fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), Infallible> {
        utils::fill_bytes_via_next_word(dst, || self.try_next_u32())
    }
}

impl fmt::Debug for Mt19937 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mt19937").field("pos", &self.pos).finish_non_exhaustive()
    }
}

/// A double of 53 bits out of two words: 27 bits of the first, 26 of the next.
///
/// The bits are put behind the exponents of 2^25 and 2^-1, where they count as
/// much as they have to, and both powers are taken off again, which is exact:
/// faster than to convert integers.
#[inline]
fn double(first: u32, second: u32) -> f64 {
    const HIGH: f64 = 33_554_432.0;
    const LOW: f64 = 0.5;
    let high = f64::from_bits(HIGH.to_bits() | u64::from(first >> 5));
    let low = f64::from_bits(LOW.to_bits() | u64::from(second >> 6));
    high - (HIGH + LOW) + low
}

#[inline]
fn twist(upper: u32, lower: u32) -> u32 {
    let y = (upper & 0x8000_0000) | (lower & 0x7fff_ffff);
    (y >> 1) ^ ((y & 1).wrapping_neg() & 0x9908_b0df)
}

#[inline]
fn temper(mut y: u32) -> u32 {
    y ^= y >> 11;
    y ^= (y << 7) & 0x9d2c_5680;
    y ^= (y << 15) & 0xefc6_0000;
    y ^ (y >> 18)
}

/// An index as the word that seeding adds, which is modulo 2^32.
#[expect(clippy::cast_possible_truncation, reason = "the seeding is defined modulo 2^32")]
fn index_word(i: usize) -> u32 {
    i as u32
}

#[cfg(test)]
mod tests {
    use rand::Rng;

    use super::*;

    #[test]
    fn mt19937_puts_the_earlier_word_in_the_upper_half() {
        assert_eq!(Mt19937::from_seed(123).next_u64(), 12_847_588_855_871_978_861);
    }
}
