//! Poisson draws by transformed rejection, a whole block of attempts at once.
//!
//! For means of at least 10 every attempt takes exactly two doubles, so the
//! attempts of a block do not depend on each other: they are judged without
//! branches, in loops the compiler turns into vector code, and only the
//! picking of the accepted ones goes one by one. The test used here has a
//! table in place of the logarithms. It does not know NumPy's last bits, only
//! when it is too close to the limit to tell; then [`Ptrs`] is asked.

use super::DoubleStream;
use super::distributions::Ptrs;
use super::wide::{Wide, run_wide};

/// Attempts in a block: as many as one refill of MT19937 gives.
const BLOCK: usize = 156;
/// Slots of the table, a power of two.
const SLOTS: usize = 4096;
/// How close to the limit, relative to it, the exact test decides. For the
/// means taken here rounding moves the exact test by less than 1e-9, and this
/// one by less still.
const GUARD: f64 = 1e-7;
/// Counts further than this many standard deviations from the mean are left
/// to the exact test: less than 1e-4 of all attempts.
const REACH: f64 = 8.0;
/// Has no bits for fractions: `x + MAGIC` is `x` rounded to an integer, and
/// holds that integer in its lowest bits. SSE2 has no `floor`.
const MAGIC: f64 = 6_755_399_441_055_744.0;

const ACCEPTED: u64 = 1;
const UNDECIDED: u64 = 2;

/// Transformed rejection with a table of probabilities.
#[derive(Debug, Clone)]
pub(super) struct BlockPtrs {
    pub(super) ptrs: Ptrs,
    /// The probability of each count from `lowest` on: 0 for negative counts,
    /// and infinity in the first and last slot, which stand for all counts
    /// beyond the table (the first only if they are not all negative).
    probability: Box<[f64; SLOTS]>,
    lowest: i64,
    highest: i64,
}

/// A block of attempts while it is judged. An attempt is accepted if its
/// `hat` is below its `limit`.
struct AttemptBlock {
    /// How many attempts it has; what lies behind them is left over from
    /// earlier blocks.
    attempts: usize,
    /// Where its count is in the table: the count less the lowest.
    slot: [u64; BLOCK],
    hat: [f64; BLOCK],
    limit: [f64; BLOCK],
    /// `ACCEPTED`, with `UNDECIDED` added or in its place; 0 is rejected.
    verdict: [u64; BLOCK],
}

impl BlockPtrs {
    /// The largest mean whose table has room.
    pub(super) const LAM_MAX: f64 = 20_000.0;

    /// The mean must be between 10 and [`LAM_MAX`](Self::LAM_MAX).
    #[expect(clippy::cast_possible_truncation, reason = "mean and reach are small")]
    pub(super) fn new(ptrs: Ptrs) -> Self {
        let mode = ptrs.lam as i64;
        let reach = (REACH * ptrs.lam.sqrt()) as i64;
        let (lowest, highest) = (mode - reach, mode + reach);
        let slot = |k: i64| usize::try_from(k - lowest).expect("k is not below the lowest");
        let mut probability: Box<[f64; SLOTS]> =
            vec![f64::INFINITY; SLOTS].try_into().expect("the vector has SLOTS elements");
        let at_mode = ptrs.ln_probability(mode).exp();
        let mut p = at_mode;
        for k in mode..highest {
            probability[slot(k)] = p;
            p *= ptrs.lam / (k + 1) as f64;
        }
        p = at_mode;
        for k in (lowest + 1..mode).rev() {
            p *= (k + 1) as f64 / ptrs.lam;
            probability[slot(k)] = p;
        }
        if lowest < 0 {
            probability[..=slot(-1)].fill(0.0);
        }
        Self { ptrs, probability, lowest, highest }
    }

    /// Fills `out` and leaves the stream behind the last attempt needed.
    pub(super) fn fill(&self, stream: &mut (impl DoubleStream + ?Sized), out: &mut [i64]) {
        let mut room = [[0.0; 2]; BLOCK];
        let mut block = AttemptBlock::new();
        let mut done = 0;
        while done < out.len() {
            let rest = &mut out[done..];
            // Two draws take 2.3 attempts on average at a mean of 20, more
            // below and less above.
            let wanted = (rest.len() + rest.len() / 4 + 1).min(BLOCK);
            stream.judge_pairs(&mut room[..wanted], &mut |pairs| {
                self.judge(pairs, &mut block);
                let (used, drawn) = block.pick(self.lowest, rest);
                done += drawn;
                used
            });
        }
    }

    fn judge(&self, pairs: &[[f64; 2]], block: &mut AttemptBlock) {
        if run_wide(Judging { ptrs: self, pairs, block }) & UNDECIDED != 0 {
            self.settle(pairs, block);
        }
    }

    /// The geometry of each attempt: its slot, and both sides of the test but
    /// for the probability. Where position alone accepts or rejects, the hat
    /// is put out of the limit's reach.
    #[expect(clippy::needless_bitwise_bool, reason = "a branch would stop vectorisation: 10 % slower")]
    #[expect(clippy::inline_always, reason = "see `Wide::run`")]
    #[inline(always)]
    fn place(&self, pairs: &[[f64; 2]], block: &mut AttemptBlock) {
        let Ptrs { lam, a, b, inv_alpha, v_r, .. } = self.ptrs;
        let (lowest, highest) = (self.lowest as f64, self.highest as f64);
        let first_slot = (lowest + MAGIC).to_bits();
        // One length and one index for all: zipped iterators are not sure to be inlined.
        let n = pairs.len();
        block.attempts = n;
        let (slot, hat, limit) = (&mut block.slot[..n], &mut block.hat[..n], &mut block.limit[..n]);
        for i in 0..n {
            let [first, v] = pairs[i];
            let u = first - 0.5;
            let us = 0.5 - u.abs();
            let x = (2.0 * a / us + b) * u + lam + 0.43;
            // Not f64::clamp, which keeps NaNs and so takes more than minpd.
            let x = if x > lowest { x } else { lowest };
            let x = if x < highest { x } else { highest };
            let rounded = x + MAGIC;
            let rounded_up = u64::from(rounded - MAGIC > x);
            slot[i] = rounded.to_bits() - first_slot - rounded_up;

            let us2 = us * us;
            limit[i] = a + b * us2;
            let corner = (us < 0.013) & (v > us);
            let inside = (us >= 0.07) & (v <= v_r);
            let side = if corner { f64::INFINITY } else { v * inv_alpha * us2 };
            hat[i] = if inside { -1.0 } else { side };
        }
    }

    /// Completes the limits. The table look-ups have a loop of their own
    /// because they are the one thing that is not vectorised.
    #[expect(clippy::cast_possible_truncation, reason = "slots are small")]
    #[expect(clippy::inline_always, reason = "see `Wide::run`")]
    #[inline(always)]
    fn look_up(&self, block: &mut AttemptBlock) {
        let n = block.attempts;
        let (limit, slot) = (&mut block.limit[..n], &block.slot[..n]);
        for i in 0..n {
            limit[i] *= self.probability[slot[i] as usize % SLOTS];
        }
    }

    /// Asks the exact test about the attempts that are undecided.
    #[cold]
    fn settle(&self, pairs: &[[f64; 2]], block: &mut AttemptBlock) {
        let outcomes = block.verdict.iter_mut().zip(&mut block.slot);
        for (&[first, second], (verdict, slot)) in pairs.iter().zip(outcomes) {
            if *verdict & UNDECIDED != 0 {
                let count = self.ptrs.attempt(first, second);
                *verdict = u64::from(count.is_some()) * ACCEPTED;
                *slot = (count.unwrap_or(self.lowest) - self.lowest).cast_unsigned();
            }
        }
    }
}

/// What is judged without asking the exact test.
struct Judging<'a> {
    ptrs: &'a BlockPtrs,
    pairs: &'a [[f64; 2]],
    block: &'a mut AttemptBlock,
}

impl Wide for Judging<'_> {
    /// All verdicts or-ed together.
    type Output = u64;

    #[expect(clippy::inline_always, reason = "else it is not compiled for wide vectors")]
    #[inline(always)]
    fn run(self) -> u64 {
        self.ptrs.place(self.pairs, self.block);
        self.ptrs.look_up(self.block);
        self.block.compare()
    }
}

impl AttemptBlock {
    fn new() -> Self {
        let (slot, hat) = ([0; BLOCK], [0.0; BLOCK]);
        Self { attempts: 0, slot, hat, limit: hat, verdict: slot }
    }

    /// Sets the verdicts, and gives all of them or-ed together. An infinite
    /// limit leaves an attempt undecided, but not if the hat is infinite too:
    /// the difference is then NaN, and no comparison true.
    #[expect(clippy::inline_always, reason = "see `Wide::run`")]
    #[inline(always)]
    fn compare(&mut self) -> u64 {
        let mut all = 0;
        let n = self.attempts;
        let (hat, limit, verdict) = (&self.hat[..n], &self.limit[..n], &mut self.verdict[..n]);
        for i in 0..n {
            let excess = hat[i] - limit[i];
            let accepted = u64::from(excess < 0.0) * ACCEPTED;
            verdict[i] = accepted | (u64::from(excess.abs() <= limit[i] * GUARD) * UNDECIDED);
            all |= verdict[i];
        }
        all
    }

    /// Writes the accepted counts to the front of `out`, as far as it goes:
    /// gives the attempts used and the counts written.
    #[inline]
    fn pick(&self, lowest: i64, out: &mut [i64]) -> (usize, usize) {
        let (slots, verdicts) = (&self.slot[..self.attempts], &self.verdict[..self.attempts]);
        let mut drawn = 0;
        // Room for a whole block: rejected counts are written as well, and
        // then overwritten by the next.
        if let Some(out) = out.first_chunk_mut::<{ BLOCK.next_power_of_two() }>() {
            let mut write = |slot: u64, verdict| {
                out[drawn % BLOCK.next_power_of_two()] = lowest + slot.cast_signed();
                drawn += usize::from(verdict == ACCEPTED);
            };
            // Unrolled by hand, as compilers do it only by chance.
            let ((slots, last_slots), (verdicts, last_verdicts)) =
                (slots.as_chunks::<4>(), verdicts.as_chunks::<4>());
            for (&[a, b, c, d], &[va, vb, vc, vd]) in slots.iter().zip(verdicts) {
                write(a, va);
                write(b, vb);
                write(c, vc);
                write(d, vd);
            }
            for (&slot, &verdict) in last_slots.iter().zip(last_verdicts) {
                write(slot, verdict);
            }
            return (self.attempts, drawn);
        }
        for (i, slot) in slots.iter().enumerate() {
            if verdicts[i] == ACCEPTED {
                out[drawn] = lowest + slot.cast_signed();
                drawn += 1;
                if drawn == out.len() {
                    return (i + 1, drawn);
                }
            }
        }
        (self.attempts, drawn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEANS: [f64; 6] = [10.0, 10.5, 20.0, 99.9, 1234.5, BlockPtrs::LAM_MAX];
    const EPSILON: f64 = f64::EPSILON / 2.0;

    /// Judges attempts in blocks and compares each with the exact test; gives
    /// the number that needed it.
    fn assert_judged_exactly(ptrs: &BlockPtrs, attempts: &[[f64; 2]]) -> usize {
        let mut block = AttemptBlock::new();
        let mut undecided = 0;
        for pairs in attempts.chunks(BLOCK) {
            ptrs.place(pairs, &mut block);
            ptrs.look_up(&mut block);
            block.compare();
            undecided += block.verdict.iter().take(pairs.len()).filter(|&v| v & UNDECIDED != 0).count();
            ptrs.judge(pairs, &mut block);
            for (i, &[first, second]) in pairs.iter().enumerate() {
                let count = ptrs.lowest + block.slot[i].cast_signed();
                let judged = (block.verdict[i] == ACCEPTED).then_some(count);
                assert_eq!(judged, ptrs.ptrs.attempt(first, second), "{first:e} {second:e}, {ptrs:?}");
            }
        }
        undecided
    }

    #[test]
    fn the_table_holds_nearly_all_probability() {
        for lam in MEANS {
            let BlockPtrs { probability, lowest, highest, .. } = BlockPtrs::new(Ptrs::new(lam));
            let slots = usize::try_from(highest - lowest).unwrap();
            assert!(slots < SLOTS);
            let sum: f64 = probability[1..slots].iter().sum();
            assert!((sum - 1.0).abs() < 1e-8, "{sum} at {lam}");
        }
    }

    #[test]
    fn doubles_at_the_ends_of_their_range_are_judged_exactly() {
        let near_zero = (0..50).map(|i| EPSILON * f64::from(1 << (i / 2)) * f64::from(1 << (i - i / 2)));
        let near_half = (0..50).map(|i| 0.5 + f64::from(i - 25) * 0.02);
        let ends: Vec<f64> = near_zero.flat_map(|x| [x, 1.0 - x]).chain([0.0]).chain(near_half).collect();
        let attempts: Vec<[f64; 2]> =
            ends.iter().flat_map(|&first| ends.iter().map(move |&second| [first, second])).collect();
        for lam in MEANS {
            assert!(assert_judged_exactly(&BlockPtrs::new(Ptrs::new(lam)), &attempts) > 0);
        }
    }

    #[test]
    #[expect(clippy::cast_possible_truncation, reason = "only a start for the limit is wanted")]
    fn attempts_close_to_the_limit_are_judged_exactly() {
        for lam in MEANS {
            let block = BlockPtrs::new(Ptrs::new(lam));
            let Ptrs { a, b, inv_alpha, .. } = block.ptrs;
            let mut attempts = Vec::new();
            for step in 1..500 {
                let first = f64::from(step) / 500.0;
                let us = 0.5 - (first - 0.5).abs();
                let count = (2.0 * a / us + b) * (first - 0.5) + lam + 0.43;
                let limit = block.ptrs.ln_probability(count.max(0.0) as i64).exp();
                let second = limit * (a / (us * us) + b) / inv_alpha;
                let off = [0.0, 1e-15, 1e-12, 1e-9, 0.99e-7, 1.01e-7, 1e-5];
                let around = off.iter().flat_map(|off| [second * (1.0 - off), second * (1.0 + off)]);
                attempts.extend(around.filter(|&v| v < 1.0).map(|v| [first, v]));
            }
            let undecided = assert_judged_exactly(&block, &attempts);
            assert!(undecided > attempts.len() / 4, "{undecided} of {} at {lam}", attempts.len());
        }
    }
}
