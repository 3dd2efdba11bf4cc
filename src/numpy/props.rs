//! Properties: the fast form is the plain form, values and position, for any
//! mean, seed and cutting of the output, and any misalignment of the stream.

use std::fmt::Debug;

use proptest::prelude::*;
use rand::SeedableRng;
use rand::rngs::Xoshiro256PlusPlus;

use super::*;

/// Means on both sides of the limits where the method changes.
fn means() -> impl Strategy<Value = f64> {
    prop_oneof![0.0..12.0, 10.0..100.0, 100.0..30_000.0, 19_990.0..20_010.0]
}

/// Draws in the given portions, some plain and some fast, after some words
/// that put MT19937 out of step with its blocks.
fn assert_fill_is_plain<S: DoubleStream + Clone + PartialEq + Debug>(
    mut fast: S,
    means: &[f64],
    portions: &[(usize, bool)],
    words: usize,
) {
    for _ in 0..words {
        fast.next_u32();
    }
    let mut plain = fast.clone();
    let poissons: Vec<Poisson> = means.iter().map(|&lam| Poisson::new(lam).unwrap()).collect();
    for (&(n, filled), poisson) in portions.iter().zip(poissons.iter().cycle()) {
        let mut counts = vec![-1; n];
        if filled {
            poisson.fill(&mut fast, &mut counts);
        } else {
            counts.fill_with(|| poisson.sample_plain(&mut fast));
        }
        let expected: Vec<i64> = (0..n).map(|_| poisson.sample_plain(&mut plain)).collect();
        assert_eq!(counts, expected, "means {means:?}");
        assert_eq!(fast, plain, "position, means {means:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    #[test]
    fn fill_gives_the_values_and_the_position_of_the_plain_form(
        seed: u32,
        means in proptest::collection::vec(means(), 1..3),
        portions in proptest::collection::vec((0..400usize, proptest::bool::weighted(0.8)), 1..6),
        words in 0..700usize,
    ) {
        let pcg = Pcg64::new(&SeedSequence::from_u128(seed.into()));
        assert_fill_is_plain(Mt19937::from_seed(seed), &means, &portions, words);
        assert_fill_is_plain(pcg, &means, &portions, words);
        assert_fill_is_plain(Xoshiro256PlusPlus::seed_from_u64(seed.into()), &means, &portions, words);
    }
}
