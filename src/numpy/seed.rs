//! Seeds: as a user writes them, checked the way NumPy checks them, and NumPy's
//! `SeedSequence`, entropy of any size spread over a small pool, with as many
//! independent children as wanted.
//!
//! Source: O'Neill's `seed_seq_fe128` in the form NumPy gave it (NEP 19). It
//! does not know which generator is seeded with its words.

/// Words in the pool, `pool_size` of NumPy (its default).
const POOL: usize = 4;

/// Where the seeds of [`Pcg64`](super::Pcg64) come from.
///
/// A child has its parent's entropy and one more index in its spawn key, so
/// child `i` can be made anywhere, in any order, without its elder siblings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeedSequence {
    entropy: Vec<u32>,
    /// The words of all the indices that lead here from the root.
    spawn_key: Vec<u32>,
    pool: [u32; POOL],
}

impl SeedSequence {
    /// `SeedSequence(n)` for a non-negative decimal integer of any size.
    ///
    /// # Errors
    ///
    /// Those of [`default_rng_entropy`].
    pub fn from_decimal(text: &str) -> Result<Self, SeedError> {
        Ok(Self::from_words(&default_rng_entropy(text)?))
    }

    /// `SeedSequence(entropy)` for one integer.
    #[cfg(any(test, feature = "testing"))]
    pub fn from_u128(entropy: u128) -> Self {
        Self::from_words(&integer_words(entropy))
    }

    /// `SeedSequence([...])` for a list of integers below 2^32, or for larger
    /// integers cut into words, low first.
    pub fn from_words(entropy: &[u32]) -> Self {
        Self::mixed(entropy.to_vec(), Vec::new())
    }

    /// This entropy with a spawn key of its own: `SeedSequence(entropy,
    /// spawn_key=(...))`.
    pub fn with_spawn_key(&self, indices: &[u64]) -> Self {
        let key = indices.iter().flat_map(|&i| integer_words(i.into())).collect();
        Self::mixed(self.entropy.clone(), key)
    }

    /// Child `i`, the `i`-th this sequence would spawn, counted from 0.
    pub fn child(&self, i: u64) -> Self {
        let key = [&self.spawn_key[..], &integer_words(i.into())].concat();
        Self::mixed(self.entropy.clone(), key)
    }

    /// The words of the spawn key; empty for a root.
    #[cfg(test)]
    pub fn spawn_key(&self) -> &[u32] {
        &self.spawn_key
    }

    /// The mixed entropy all seeds are made of.
    #[cfg(test)]
    pub fn pool(&self) -> [u32; POOL] {
        self.pool
    }

    /// `n` words of seed. The first words do not depend on `n`.
    pub fn generate_state_u32(&self, n: usize) -> Vec<u32> {
        let mut factor = 0x8b51_f9dd_u32;
        let pool = self.pool.iter().cycle().take(n);
        pool.map(|&word| {
            let mixed = word ^ factor;
            factor = factor.wrapping_mul(0x58f3_8ded);
            let mixed = mixed.wrapping_mul(factor);
            mixed ^ (mixed >> 16)
        })
        .collect()
    }

    /// `n` seeds of 64 bits, each of two words, the low one first.
    pub fn generate_state_u64(&self, n: usize) -> Vec<u64> {
        self.generate_state_u32(2 * n)
            .chunks_exact(2)
            .map(|words| u64::from(words[1]) << 32 | u64::from(words[0]))
            .collect()
    }

    fn mixed(entropy: Vec<u32>, spawn_key: Vec<u32>) -> Self {
        let mut assembled = entropy.clone();
        if !spawn_key.is_empty() {
            // Padding keeps (entropy, key) apart from the longer entropy that
            // would otherwise have the same words.
            assembled.resize(assembled.len().max(POOL), 0);
            assembled.extend(&spawn_key);
        }
        Self { pool: mix_entropy(&assembled), entropy, spawn_key }
    }
}

fn mix_entropy(entropy: &[u32]) -> [u32; POOL] {
    let mut factor = 0x43b0_d7e5_u32;
    let mut hash = move |word: u32| {
        let mixed = word ^ factor;
        factor = factor.wrapping_mul(0x931e_8875);
        let mixed = mixed.wrapping_mul(factor);
        mixed ^ (mixed >> 16)
    };
    let mut pool: [u32; POOL] = std::array::from_fn(|i| hash(entropy.get(i).copied().unwrap_or(0)));
    for from in 0..POOL {
        for to in (0..POOL).filter(|&to| to != from) {
            pool[to] = mix(pool[to], hash(pool[from]));
        }
    }
    for &word in entropy.iter().skip(POOL) {
        for slot in &mut pool {
            *slot = mix(*slot, hash(word));
        }
    }
    pool
}

fn mix(x: u32, y: u32) -> u32 {
    let mixed = x.wrapping_mul(0xca01_f9dd).wrapping_sub(y.wrapping_mul(0x4973_f715));
    mixed ^ (mixed >> 16)
}

/// The 32-bit words of an integer, low first, and one zero word for 0.
#[expect(clippy::cast_possible_truncation, reason = "the low word is meant")]
fn integer_words(mut n: u128) -> Vec<u32> {
    let mut words = vec![n as u32];
    while n > u128::from(u32::MAX) {
        n >>= 32;
        words.push(n as u32);
    }
    words
}

/// A seed that NumPy would refuse, or that is no integer at all.
///
/// `Display` gives NumPy's own text wherever NumPy has one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SeedError {
    /// A legacy seed outside `0..=2^32 - 1`.
    #[error("Seed must be between 0 and 2**32 - 1")]
    OutOfRange,
    /// A negative seed for `default_rng`.
    #[error("expected non-negative integer")]
    Negative,
    /// A legacy seed that is not a decimal integer. NumPy speaks of dtypes
    /// here; this text is our own.
    #[error("Seed must be an integer, not {0}")]
    LegacyNotInteger(String),
    /// A seed for `default_rng` that is not a decimal integer.
    #[error("SeedSequence expects int or sequence of ints for entropy not {0}")]
    EntropyNotInteger(String),
}

/// A decimal integer as a seed of `np.random.seed`, for
/// [`Mt19937::from_seed`](super::Mt19937::from_seed).
///
/// # Errors
///
/// [`SeedError::OutOfRange`] outside `0..=2^32 - 1`, however many digits;
/// [`SeedError::LegacyNotInteger`] for anything but an optional sign and digits.
pub fn legacy_seed(text: &str) -> Result<u32, SeedError> {
    let (is_negative, words) = integer(text).ok_or_else(|| SeedError::LegacyNotInteger(text.to_owned()))?;
    match words[..] {
        [seed] if !is_negative => Ok(seed),
        _ => Err(SeedError::OutOfRange),
    }
}

/// A decimal integer of any size as entropy of `np.random.default_rng`: its
/// 32-bit words, low first, and one zero word for 0.
///
/// The entropy of a list of integers is the concatenation of their words.
///
/// # Errors
///
/// [`SeedError::Negative`] below zero; [`SeedError::EntropyNotInteger`] for
/// anything but an optional sign and digits.
pub fn default_rng_entropy(text: &str) -> Result<Vec<u32>, SeedError> {
    let (is_negative, words) = integer(text).ok_or_else(|| SeedError::EntropyNotInteger(text.to_owned()))?;
    if is_negative { Err(SeedError::Negative) } else { Ok(words) }
}

/// Whether the integer is below zero, and its size: the low word first, without leading
/// zero words, never empty.
fn integer(text: &str) -> Option<(bool, Vec<u32>)> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let mut words = vec![0];
    for digit in digits.bytes() {
        push_digit(&mut words, digit - b'0');
    }
    Some((text.starts_with('-') && words != [0], words))
}

/// Multiplies the number by ten and adds the digit.
#[expect(clippy::cast_possible_truncation, reason = "the halves of the product are meant")]
fn push_digit(words: &mut Vec<u32>, digit: u8) {
    let mut carry = u64::from(digit);
    for word in &mut *words {
        let product = u64::from(*word) * 10 + carry;
        *word = product as u32;
        carry = product >> 32;
    }
    if carry > 0 {
        words.push(carry as u32);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_entropy_is_the_entropy_zero_and_large_spawn_keys_have_two_words() {
        let zero = SeedSequence::from_u128(0);
        assert_eq!(SeedSequence::from_words(&[]).pool(), zero.pool());
        let large = SeedSequence::from_words(&[0, 256, 1]);
        assert_eq!(large.pool(), [934_366_202, 2_262_164_171, 533_464_364, 3_208_902_606]);
        let child = large.with_spawn_key(&[1 << 33, 0]);
        assert_eq!(child.pool(), [57_122_505, 1_957_163_910, 3_271_651_143, 1_834_540_681]);
        assert_eq!(child, large.child(1 << 33).child(0));
        assert_eq!(child.spawn_key(), [0, 2, 0]);
    }

    #[test]
    fn seeds_are_integers_of_any_length_with_an_optional_sign() {
        assert_eq!(legacy_seed("+0004294967295"), Ok(u32::MAX));
        assert_eq!(legacy_seed("-0"), Ok(0));
        assert_eq!(default_rng_entropy("18446744073709551621"), Ok(vec![5, 0, 1]));
        for text in ["", "-", "1 ", "0x1", "1_0", "\u{663}"] {
            assert_eq!(legacy_seed(text), Err(SeedError::LegacyNotInteger(text.to_owned())));
        }
    }
}
