//! Random order for `--shuf`, another one each time.

use std::hash::{BuildHasher as _, RandomState};

use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt as _, SeedableRng as _};

use crate::inputs::Shuffler;

/// Draws a number below the one it is given, from a seed of the system's.
pub(super) fn below() -> Shuffler {
    // The standard library's one source of the system's random bytes.
    let mut generator = Xoshiro256PlusPlus::seed_from_u64(RandomState::new().hash_one(()));
    Box::new(move |end| generator.random_range(0..end))
}
