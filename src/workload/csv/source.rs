//! Where the numbers come from: a generator, a distribution and a seed.
//!
//! NumPy's generators give one stream a file. The fast one starts a child
//! stream with each block of [`BLOCK`] values, which makes the bytes the same
//! whatever the number of threads: the block is part of the format.

use anyhow::{Context as _, bail, ensure};
use rand::SeedableRng as _;
use rand::rngs::Xoshiro256PlusPlus;
use rand_distr::{Distribution as _, Exp, Normal};

use super::{CsvOptions, Dist, MatrixChoice, Rng};
use crate::numpy::{Mt19937, Pcg64, Poisson, SeedSequence, Uniform, legacy_seed};

/// How many values of the fast generator come from one child stream, in row
/// order.
pub(super) const BLOCK: u64 = 1 << 17;

/// Up to this mean no Poisson count needs more than 16 bits: 65,535 lies 69
/// standard deviations above it.
const SMALL_MEAN: f64 = 50_000.0;

/// Everything needed to draw any file's numbers.
#[derive(Clone, Debug)]
pub(super) struct Source {
    seed: Seed,
    law: Law,
}

#[derive(Clone, Debug)]
enum Seed {
    Legacy(u32),
    Numpy(SeedSequence),
    Fast(SeedSequence),
}

#[derive(Clone, Debug)]
enum Law {
    Poisson { poisson: Poisson, lam: f64 },
    Uniform(Uniform),
    Normal(Normal<f64>),
    Exponential(Exp<f64>),
}

/// Numbers of one of the two kinds there are.
#[derive(Clone, Debug)]
pub(super) enum Values {
    Counts(Vec<i64>),
    Reals(Vec<f64>),
}

impl Source {
    pub(super) fn new(options: &CsvOptions) -> anyhow::Result<Self> {
        let law = law(options)?;
        let text = &options.seed;
        let in_words = || format!("--seed {text}");
        let seed = match options.rng {
            Rng::NumpyLegacy => {
                let seed = legacy_seed(text).with_context(in_words)?;
                let last = options.n_files().saturating_sub(1);
                if options.matrix == MatrixChoice::PerFile && u64::from(seed) + last > u64::from(u32::MAX) {
                    bail!(
                        "--seed {text} --files {}: file i takes the seed {text}+i: Seed must be between 0 and 2**32 - 1",
                        options.files
                    );
                }
                Seed::Legacy(seed)
            }
            Rng::Numpy => Seed::Numpy(SeedSequence::from_decimal(text).with_context(in_words)?),
            Rng::Fast => Seed::Fast(SeedSequence::from_decimal(text).with_context(in_words)?),
        };
        Ok(Self { seed, law })
    }

    /// Whether a file's blocks can be drawn apart from each other.
    pub(super) fn has_blocks(&self) -> bool {
        matches!(self.seed, Seed::Fast(_))
    }

    /// Whether every value is a count below 65,536.
    pub(super) fn is_small(&self) -> bool {
        matches!(self.law, Law::Poisson { lam, .. } if lam <= SMALL_MEAN)
    }

    /// About how many bytes a value takes as text.
    pub(super) fn text_length(&self) -> u64 {
        match self.law {
            Law::Poisson { lam, .. } => 2 + digits_before_point(lam),
            Law::Uniform(_) | Law::Normal(_) | Law::Exponential(_) => 25,
        }
    }

    /// Room for `length` values of the right kind.
    pub(super) fn room(&self, length: usize) -> Values {
        match self.law {
            Law::Poisson { .. } => Values::Counts(vec![0; length]),
            Law::Uniform(_) | Law::Normal(_) | Law::Exponential(_) => Values::Reals(vec![0.0; length]),
        }
    }

    /// The stream of file number `file`, where each file has its own (`seed + file` for
    /// legacy, `SeedSequence(seed).spawn(n)[file]` for PCG64); else that of the matrix
    /// that all files share.
    pub(super) fn of(&self, file: Option<u64>) -> Draw<'_> {
        let number = file.unwrap_or(0);
        let stream = match &self.seed {
            Seed::Legacy(seed) => {
                let own = u64::from(*seed) + number;
                let own = u32::try_from(own).expect("the largest seed was checked with the options");
                Stream::Mt(Box::new(Mt19937::from_seed(own)))
            }
            // The shared matrix of default_rng(SEED) is the root stream's, not a child's.
            Seed::Numpy(sequence) => Stream::Pcg(match file {
                Some(file) => Pcg64::new(&sequence.child(file)),
                None => Pcg64::new(sequence),
            }),
            Seed::Fast(_) => return self.block(number, 0),
        };
        Draw { source: self, stream, file: number, position: 0 }
    }

    /// The fast stream of `file` from the start of one block on.
    pub(super) fn block(&self, file: u64, block: u64) -> Draw<'_> {
        let stream = Stream::Fast(self.child(file, block));
        Draw { source: self, stream, file, position: block * BLOCK }
    }

    fn child(&self, file: u64, block: u64) -> Xoshiro256PlusPlus {
        let Seed::Fast(sequence) = &self.seed else { unreachable!("only the fast generator has blocks") };
        let words = sequence.with_spawn_key(&[file, block]).generate_state_u64(4);
        let mut seed = [0; 32];
        for (bytes, word) in seed.chunks_exact_mut(8).zip(words) {
            bytes.copy_from_slice(&word.to_le_bytes());
        }
        Xoshiro256PlusPlus::from_seed(seed)
    }
}

fn law(options: &CsvOptions) -> anyhow::Result<Law> {
    let CsvOptions { lam, low, high, loc, scale, .. } = *options;
    // Those that it has were spelled out.
    let [lam, low, high, loc, scale] = [lam, low, high, loc, scale].map(Option::unwrap_or_default);
    let exact = options.rng != Rng::Fast;
    match options.dist {
        Dist::Poisson => {
            let poisson = Poisson::new(lam).with_context(|| format!("--lam {lam}"))?;
            Ok(Law::Poisson { poisson, lam })
        }
        Dist::Uniform => {
            let uniform = match options.rng {
                Rng::Numpy => Uniform::of_generator(low, high),
                Rng::NumpyLegacy | Rng::Fast => Uniform::new(low, high),
            };
            Ok(Law::Uniform(uniform.with_context(|| format!("--low {low} --high {high}"))?))
        }
        Dist::Normal | Dist::Exponential if exact => {
            bail!("NumPy's streams are offered for --dist poisson and uniform: add --rng fast for this one")
        }
        Dist::Normal => {
            ensure!(loc.is_finite(), "--loc {loc}: give a finite number");
            ensure!(scale.is_finite() && scale >= 0.0, "--scale {scale}: scale < 0 or not a number");
            Ok(Law::Normal(Normal::new(loc, scale).with_context(|| format!("--scale {scale}"))?))
        }
        Dist::Exponential => {
            ensure!(scale.is_finite() && scale > 0.0, "--scale {scale}: give a number above 0");
            Ok(Law::Exponential(Exp::new(1.0 / scale).with_context(|| format!("--scale {scale}"))?))
        }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a float cast saturates")]
fn digits_before_point(value: f64) -> u64 {
    value.max(1.0).log10() as u64
}

/// Numbers of one file, in row order from some position on.
pub(super) struct Draw<'a> {
    source: &'a Source,
    stream: Stream,
    file: u64,
    /// How many values of the file come before the next one.
    position: u64,
}

enum Stream {
    Mt(Box<Mt19937>),
    Pcg(Pcg64),
    Fast(Xoshiro256PlusPlus),
}

impl Draw<'_> {
    /// Draws the next `length` values to the front of `values`. A chunk may
    /// not reach from one block of the fast generator into the next.
    pub(super) fn fill(&mut self, values: &mut Values, length: usize) {
        if self.source.has_blocks() && self.position > 0 && self.position.is_multiple_of(BLOCK) {
            self.stream = Stream::Fast(self.source.child(self.file, self.position / BLOCK));
        }
        match (&self.source.law, values) {
            (Law::Poisson { poisson, .. }, Values::Counts(counts)) => {
                let counts = &mut counts[..length];
                match &mut self.stream {
                    Stream::Mt(stream) => poisson.fill(&mut **stream, counts),
                    Stream::Pcg(stream) => poisson.fill(stream, counts),
                    Stream::Fast(stream) => poisson.fill(stream, counts),
                }
            }
            (law, Values::Reals(reals)) => self.stream.reals(law, &mut reals[..length]),
            (_, Values::Counts(_)) => unreachable!("room() makes the kind that the law draws"),
        }
        self.position += length as u64;
    }
}

impl Stream {
    fn reals(&mut self, law: &Law, reals: &mut [f64]) {
        match (law, self) {
            (Law::Uniform(uniform), Self::Mt(stream)) => uniform.fill(&mut **stream, reals),
            (Law::Uniform(uniform), Self::Pcg(stream)) => uniform.fill(stream, reals),
            (Law::Uniform(uniform), Self::Fast(stream)) => uniform.fill(stream, reals),
            (Law::Normal(normal), Self::Fast(stream)) => reals.fill_with(|| normal.sample(stream)),
            (Law::Exponential(exponential), Self::Fast(stream)) => {
                reals.fill_with(|| exponential.sample(stream));
            }
            (Law::Poisson { .. } | Law::Normal(_) | Law::Exponential(_), _) => {
                unreachable!("the options were checked to have a law that their generator draws")
            }
        }
    }
}
