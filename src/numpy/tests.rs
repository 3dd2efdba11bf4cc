//! Golden runner: every case that NumPy wrote down and this module can draw,
//! compared by the hash of all values and by the extracts a person can read.

use std::fmt::Write as _;

use rand::Rng;
use rand_distr::Distribution;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::seed::SeedError;
use super::seed::default_rng_entropy;
use super::*;

/// The cases of one kind, and a check that their number is what it was.
fn cases(kind: &str, expected_count: usize) -> Vec<Value> {
    let text = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/numpy.json"));
    let golden: Value = serde_json::from_str(text).unwrap();
    let cases = golden["cases"].as_array().unwrap().iter();
    let cases: Vec<Value> = cases.filter(|case| case["kind"] == kind).cloned().collect();
    assert_eq!(cases.len(), expected_count, "cases of kind {kind}");
    cases
}

fn sha256(bytes: impl IntoIterator<Item = u8>) -> String {
    let bytes: Vec<u8> = bytes.into_iter().collect();
    Sha256::digest(bytes).iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    })
}

fn n_values(case: &Value) -> usize {
    let side = |name: &str| usize::try_from(case["params"][name].as_u64().unwrap()).unwrap();
    side("rows") * side("cols")
}

fn lam(case: &Value) -> f64 {
    case["params"]["lam"]["repr"].as_str().unwrap().parse().unwrap()
}

fn u32_of(value: &Value) -> u32 {
    value.as_u64().unwrap().try_into().unwrap()
}

fn u32s(list: &Value) -> Vec<u32> {
    list.as_array().unwrap().iter().map(u32_of).collect()
}

fn u64s(list: &Value) -> Vec<u64> {
    list.as_array().unwrap().iter().map(|n| n.as_str().unwrap().parse().unwrap()).collect()
}

/// The root sequence of a case whose entropy is one integer or a list of them.
fn seed_sequence(params: &Value) -> SeedSequence {
    let words = |n: &Value| default_rng_entropy(n.as_str().unwrap()).unwrap();
    match params["entropy"].as_array() {
        Some(list) => SeedSequence::from_words(&list.iter().flat_map(words).collect::<Vec<_>>()),
        None => SeedSequence::from_decimal(params["entropy"].as_str().unwrap()).unwrap(),
    }
}

fn assert_golden<T: Copy + PartialEq + std::fmt::Debug>(
    case: &Value,
    values: &[T],
    bytes: impl Fn(T) -> [u8; 8],
    read: impl Fn(&Value) -> T,
) {
    let (id, expect) = (&case["id"], &case["expect"]);
    let list = |name: &str| expect[name].as_array().unwrap().iter().map(&read).collect::<Vec<_>>();
    assert_eq!(values[..values.len().min(10)], list("first"), "first values of {id}");
    assert_eq!(values[values.len().saturating_sub(3)..], list("last"), "last values of {id}");
    let hash = sha256(values.iter().flat_map(|&value| bytes(value)));
    assert_eq!(hash, expect["raw_le_sha256"].as_str().unwrap(), "all values of {id}");
}

fn assert_golden_counts(case: &Value, counts: &[i64]) {
    let (id, expect) = (&case["id"], &case["expect"]);
    assert_golden(case, counts, i64::to_le_bytes, |n| n.as_i64().unwrap());
    let sum: i128 = counts.iter().copied().map(i128::from).sum();
    assert_eq!(sum.to_string(), expect["sum"].as_str().unwrap_or("0"), "sum of {id}");
    assert_eq!(counts.iter().min().copied(), expect["min"].as_i64(), "min of {id}");
    assert_eq!(counts.iter().max().copied(), expect["max"].as_i64(), "max of {id}");
}

fn assert_golden_floats(case: &Value, floats: &[f64]) {
    let read = |x: &Value| x["repr"].as_str().unwrap().parse::<f64>().unwrap();
    assert_golden(case, floats, f64::to_le_bytes, read);
    let min = floats.iter().copied().reduce(f64::min).unwrap();
    let max = floats.iter().copied().reduce(f64::max).unwrap();
    let extremes = ["min", "max"].map(|name| read(&case["expect"][name]).to_bits());
    assert_eq!([min.to_bits(), max.to_bits()], extremes, "min and max of {}", case["id"]);
}

/// Draws a case both ways, which must agree with NumPy and on the position of
/// the stream.
fn assert_golden_poisson<S: DoubleStream + Clone + PartialEq + std::fmt::Debug>(
    case: &Value,
    stream: &mut S,
) {
    let poisson = Poisson::new(lam(case)).unwrap();
    let mut counts = vec![0; n_values(case)];
    let mut plain = stream.clone();
    counts.fill_with(|| poisson.sample_plain(&mut plain));
    assert_golden_counts(case, &counts);
    counts.fill(-1);
    poisson.fill(stream, &mut counts);
    assert_golden_counts(case, &counts);
    assert_eq!(*stream, plain, "position after {}", case["id"]);
}

#[test]
fn legacy_poisson_counts_are_numpys() {
    for case in cases("legacy_poisson", 52) {
        assert_golden_poisson(&case, &mut Mt19937::from_seed(u32_of(&case["params"]["seed"])));
    }
}

#[test]
fn legacy_poisson_calls_on_one_stream_follow_each_other_as_in_numpy() {
    let mut stream = Mt19937::from_seed(123);
    for (i, case) in cases("legacy_poisson_stream", 6).iter().enumerate() {
        assert_eq!([123, i as u64], ["seed", "call_index"].map(|p| case["params"][p].as_u64().unwrap()));
        assert_golden_poisson(case, &mut stream);
    }
}

#[test]
fn legacy_poisson_counts_of_one_seed_per_file_are_numpys() {
    for case in cases("legacy_poisson_per_file", 10) {
        assert_golden_poisson(&case, &mut Mt19937::from_seed(u32_of(&case["params"]["seed"])));
    }
}

#[test]
fn generator_poisson_counts_are_numpys() {
    for case in cases("generator_poisson", 44) {
        let mut seed = seed_sequence(&case["params"]);
        if let Some(key) = case["params"]["spawn_key"].as_array() {
            let key: Vec<u64> = key.iter().map(|i| i.as_u64().unwrap()).collect();
            assert_eq!(seed.with_spawn_key(&key), seed.child(key[0]));
            seed = seed.with_spawn_key(&key);
        }
        assert_golden_poisson(&case, &mut Pcg64::new(&seed));
    }
}

#[test]
fn mt19937_words_are_numpys() {
    for case in cases("mt19937_raw32", 3) {
        let mut stream = Mt19937::from_seed(u32_of(&case["params"]["seed"]));
        let words: Vec<u32> = (0..1300).map(|_| stream.next_u32()).collect();
        assert_eq!(words[..10], u32s(&case["expect"]["first"]));
        assert_eq!(words[1297..], u32s(&case["expect"]["last"]));
        let hash = sha256(words.iter().flat_map(|word| word.to_le_bytes()));
        assert_eq!(hash, case["expect"]["raw_le_sha256"].as_str().unwrap());
    }
}

#[test]
fn seed_sequences_and_pcg64_states_are_numpys() {
    for case in cases("seedsequence_pcg64", 7) {
        let expect = &case["expect"];
        let seed = seed_sequence(&case["params"]);
        assert_eq!(seed.pool()[..], u32s(&expect["pool"]));
        assert_eq!(seed.generate_state_u32(8), u32s(&expect["state_u32x8"]));
        assert_eq!(seed.generate_state_u64(4), u64s(&expect["state_u64x4"]));

        let mut pcg = Pcg64::new(&seed);
        assert_eq!(pcg.state().to_string(), expect["pcg64_state"].as_str().unwrap());
        assert_eq!(pcg.increment().to_string(), expect["pcg64_inc"].as_str().unwrap());
        let words: Vec<u64> = (0..10).map(|_| pcg.next_u64()).collect();
        assert_eq!(words, u64s(&expect["pcg64_raw10"]));

        let children: Vec<SeedSequence> = (0..3).map(|i| seed.child(i)).collect();
        let spawned = expect["spawn3_u64x4"].as_array().unwrap();
        assert_eq!(children.len(), spawned.len());
        for (child, words) in children.iter().zip(spawned) {
            assert_eq!(child.generate_state_u64(4), u64s(words));
        }
        let grandchild = children[2].child(1);
        assert_eq!(grandchild.generate_state_u64(4), u64s(&expect["spawn_2_then_1_u64x4"]));
    }
}

#[test]
fn legacy_random_sample_is_numpys() {
    let cases = cases("legacy_other", 20);
    let cases = cases.iter().filter(|case| case["params"]["dist"] == "random_sample");
    for case in cases {
        let mut stream = Mt19937::from_seed(u32_of(&case["params"]["seed"]));
        assert_golden_floats(case, &uniform_floats(n_values(case), &mut stream));
    }
}

#[test]
fn generator_random_is_numpys() {
    let cases = cases("generator_other", 20);
    let cases = cases.iter().filter(|case| case["params"]["dist"] == "random");
    for case in cases {
        let mut stream = Pcg64::new(&seed_sequence(&case["params"]));
        assert_golden_floats(case, &uniform_floats(n_values(case), &mut stream));
    }
}

fn uniform_floats(n: usize, stream: &mut impl DoubleStream) -> Vec<f64> {
    let mut floats = vec![0.0; n];
    Uniform::new(0.0, 1.0).unwrap().fill(stream, &mut floats);
    floats
}

#[test]
fn poisson_means_are_refused_in_numpys_words() {
    for kind in ["error_legacy_poisson", "error_generator_poisson"] {
        for case in cases(kind, 11) {
            let (expect, lam) = (&case["expect"], case["params"]["lam"].as_str().unwrap());
            // A list of means is not for one distribution to judge.
            let Ok(lam) = lam.parse() else { continue };
            match Poisson::new(lam) {
                Err(error) => assert_eq!(error.to_string(), expect["message"].as_str().unwrap()),
                Ok(poisson) => {
                    let mut counts = [0; 2];
                    match kind {
                        "error_legacy_poisson" => poisson.fill(&mut Mt19937::from_seed(1), &mut counts),
                        _ => poisson.fill(&mut pcg64(1), &mut counts),
                    }
                    assert_eq!(format!("[{counts:?}]"), expect["value"].as_str().unwrap());
                }
            }
        }
    }
}

#[test]
fn legacy_seeds_are_refused_in_numpys_words() {
    for case in cases("error_seed", 10) {
        let seed = case["params"]["seed"].as_str().unwrap();
        let message = case["expect"]["message"].as_str().unwrap();
        match legacy_seed(seed).unwrap_err() {
            // NumPy names dtypes and shapes here. Lists are nobody's seeds.
            SeedError::LegacyNotInteger(_) if seed == "[]" => {}
            SeedError::LegacyNotInteger(_) => assert!(seed.parse::<i64>().is_err(), "{seed}"),
            error => assert_eq!(error.to_string(), message),
        }
    }
}

#[test]
fn default_rng_seeds_are_refused_in_numpys_words() {
    for case in cases("error_default_rng", 6) {
        let seed = case["params"]["seed"].as_str().unwrap().trim_matches('\'');
        // Lists are the caller's to take apart.
        if !seed.starts_with('[') {
            let error = SeedSequence::from_decimal(seed).unwrap_err();
            assert_eq!(error.to_string(), case["expect"]["message"].as_str().unwrap());
        }
    }
}

#[test]
fn distributions_of_other_crates_draw_from_these_streams() {
    let poisson = rand_distr::Poisson::new(20.0).unwrap();
    let mean = |stream: &mut dyn DoubleStream| poisson.sample_iter(stream).take(1000).sum::<f64>() / 1000.0;
    for mean in [mean(&mut Mt19937::from_seed(123)), mean(&mut pcg64(123))] {
        assert!((19.0..21.0).contains(&mean), "{mean}");
    }
}

fn pcg64(seed: u128) -> Pcg64 {
    Pcg64::new(&SeedSequence::from_u128(seed))
}
