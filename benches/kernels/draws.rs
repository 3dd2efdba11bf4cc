//! Random words and draws: the generators and distributions alone, a million
//! values at a time into memory that is there already.

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, SamplingMode, Throughput};
use parsim::testing::numpy::{DoubleStream, Mt19937, Pcg64, Poisson, SeedSequence, Uniform};
use rand::rngs::Xoshiro256PlusPlus;
use rand::{Rng, SeedableRng as _};

const N: usize = 1_000_000;

fn mt19937() -> Mt19937 {
    Mt19937::from_seed(123)
}

fn pcg64() -> Pcg64 {
    Pcg64::new(&SeedSequence::from_u128(123))
}

fn xoshiro() -> Xoshiro256PlusPlus {
    Xoshiro256PlusPlus::from_seed([123; 32])
}

fn group<'a>(criterion: &'a mut Criterion, name: &str) -> BenchmarkGroup<'a, WallTime> {
    let mut group = criterion.benchmark_group(name);
    // The same work for every iteration: the slowest take 40 ms each.
    group.throughput(Throughput::Elements(N as u64)).sampling_mode(SamplingMode::Flat);
    group
}

/// The words that all else is made of: 32 bits each of MT19937, 64 of the others.
pub(crate) fn words(criterion: &mut Criterion) {
    let mut group = group(criterion, "words");
    // The sums are NumPy's, of a million `random_raw()`.
    sum_words(&mut group, "mt19937", &mut mt19937(), |rng| rng.next_u32().into(), 2_150_010_898_190_928);
    sum_words(&mut group, "pcg64", &mut pcg64(), Rng::next_u64, 12_147_443_912_227_236_144);
    group.finish();
}

fn sum_words<R>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    rng: &mut R,
    next: impl Fn(&mut R) -> u64,
    expected: u64,
) {
    let mut sum = || (0..N).fold(0_u64, |sum, _| sum.wrapping_add(next(rng)));
    assert_eq!(sum(), expected, "the sum of the first words of {name}");
    group.bench_function(name, |bencher| bencher.iter(&mut sum));
}

/// Poisson counts of mean 20, one after another (`plain`) and in blocks.
pub(crate) fn poisson(criterion: &mut Criterion) {
    let mut group = group(criterion, "poisson20");
    // NumPy's sums; xoshiro256++ is not in NumPy, its sum is that of the plain form.
    draw_poisson(&mut group, "mt19937", mt19937, 20_001_331);
    draw_poisson(&mut group, "pcg64", pcg64, 19_994_961);
    draw_poisson(&mut group, "xoshiro", xoshiro, 19_997_622);
    group.finish();
}

fn draw_poisson<S: DoubleStream>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    stream: impl Fn() -> S,
    expected: i64,
) {
    let poisson = Poisson::new(20.0).expect("20 is a mean that NumPy takes");
    let plain = |stream: &mut S, counts: &mut [i64]| counts.fill_with(|| poisson.sample_plain(stream));
    let block = |stream: &mut S, counts: &mut [i64]| poisson.fill(stream, counts);

    let (mut counts, mut same) = (vec![0; N], vec![0; N]);
    plain(&mut stream(), &mut counts);
    assert_eq!(counts.iter().sum::<i64>(), expected, "the sum of the first counts of {name}");
    block(&mut stream(), &mut same);
    assert!(counts == same, "{name}: blocks are not what the plain form draws");

    let mut rng = stream();
    group.bench_function(format!("{name}/plain"), |bencher| bencher.iter(|| plain(&mut rng, &mut counts)));
    group.bench_function(format!("{name}/block"), |bencher| bencher.iter(|| block(&mut rng, &mut counts)));
}

/// Doubles in `[0, 1)`.
pub(crate) fn uniform(criterion: &mut Criterion) {
    let mut group = group(criterion, "uniform");
    // The first and the millionth are NumPy's, but for xoshiro256++.
    draw_uniform(&mut group, "mt19937", mt19937(), [0.696_469_185_597_861_6, 0.446_860_204_426_730_6]);
    draw_uniform(&mut group, "pcg64", pcg64(), [0.682_351_863_248_143_5, 0.033_274_225_647_598_08]);
    draw_uniform(&mut group, "xoshiro", xoshiro(), [0.964_705_882_352_941_1, 0.054_028_873_396_790_3]);
    group.finish();
}

fn draw_uniform<S: DoubleStream>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    mut stream: S,
    expected: [f64; 2],
) {
    let uniform = Uniform::new(0.0, 1.0).expect("the range is finite");
    let mut reals = vec![0.0; N];
    uniform.fill(&mut stream, &mut reals);
    let ends = [reals[0], reals[N - 1]].map(f64::to_bits);
    assert_eq!(ends, expected.map(f64::to_bits), "{name}: {} and {}", reals[0], reals[N - 1]);
    group.bench_function(name, |bencher| bencher.iter(|| uniform.fill(&mut stream, &mut reals)));
}
