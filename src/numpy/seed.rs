//! Seeds as a user writes them, checked the way NumPy checks them.
//!
//! It knows digits and limits, not which option or file they stood in, nor
//! the generators that are seeded.

use std::error::Error;
use std::fmt;

/// A seed that NumPy would refuse, or that is no integer at all.
///
/// `Display` gives NumPy's own text wherever NumPy has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SeedError {
    /// A legacy seed outside `0..=2^32 - 1`.
    OutOfRange,
    /// A legacy seed list without elements.
    Empty,
    /// A negative seed for `default_rng`.
    Negative,
    /// A legacy seed that is not a decimal integer. NumPy speaks of dtypes
    /// here; this text is our own.
    LegacyNotInteger(String),
    /// A seed for `default_rng` that is not a decimal integer.
    EntropyNotInteger(String),
}

impl fmt::Display for SeedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutOfRange => f.write_str("Seed must be between 0 and 2**32 - 1"),
            Self::Empty => f.write_str("Seed must be non-empty"),
            Self::Negative => f.write_str("expected non-negative integer"),
            Self::LegacyNotInteger(text) => write!(f, "Seed must be an integer, not {text}"),
            Self::EntropyNotInteger(text) => {
                write!(f, "SeedSequence expects int or sequence of ints for entropy not {text}")
            }
        }
    }
}

impl Error for SeedError {}

/// A decimal integer as a seed of `np.random.seed`, for
/// [`Mt19937::from_seed`](super::Mt19937::from_seed).
///
/// # Errors
///
/// [`SeedError::OutOfRange`] outside `0..=2^32 - 1`, however many digits;
/// [`SeedError::LegacyNotInteger`] for anything but an optional sign and digits.
pub fn legacy_seed(text: &str) -> Result<u32, SeedError> {
    match words_of(text) {
        Parsed::Words(words) => match words[..] {
            [seed] => Ok(seed),
            _ => Err(SeedError::OutOfRange),
        },
        Parsed::Negative => Err(SeedError::OutOfRange),
        Parsed::NotInteger => Err(SeedError::LegacyNotInteger(text.to_owned())),
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
    match words_of(text) {
        Parsed::Words(words) => Ok(words),
        Parsed::Negative => Err(SeedError::Negative),
        Parsed::NotInteger => Err(SeedError::EntropyNotInteger(text.to_owned())),
    }
}

enum Parsed {
    /// Low word first, without leading zero words, never empty.
    Words(Vec<u32>),
    Negative,
    NotInteger,
}

fn words_of(text: &str) -> Parsed {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return Parsed::NotInteger;
    }
    let mut words = vec![0];
    for digit in digits.bytes() {
        push_digit(&mut words, digit - b'0');
    }
    if negative && words != [0] {
        return Parsed::Negative;
    }
    Parsed::Words(words)
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
    fn seeds_are_integers_of_any_length_with_an_optional_sign() {
        assert_eq!(legacy_seed("+0004294967295"), Ok(u32::MAX));
        assert_eq!(legacy_seed("-0"), Ok(0));
        assert_eq!(default_rng_entropy("18446744073709551621"), Ok(vec![5, 0, 1]));
        for text in ["", "-", "1 ", "0x1", "1_0", "\u{663}"] {
            assert_eq!(legacy_seed(text), Err(SeedError::LegacyNotInteger(text.to_owned())));
        }
    }
}
