//! The same loops, compiled once more for wider vectors.
//!
//! A program for every x86-64 may use vectors of two doubles only; nearly all
//! processors that it meets have four. What is computed is the same to the last
//! bit: nothing is fused or reordered. Does not know what the loops are for.

/// Work whose loops gain from wider vectors.
pub(super) trait Wide: Sized {
    type Output;

    /// Does it. `#[inline(always)]`, and so must be all that has loops in it:
    /// only what is inlined is compiled for the wider vectors.
    fn run(self) -> Self::Output;
}

/// Runs `work` with the widest vectors this processor has.
#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "only here is it known whether the processor has the instructions")]
pub(super) fn run_wide<W: Wide>(work: W) -> W::Output {
    #[target_feature(enable = "avx2")]
    fn with_avx2<W: Wide>(work: W) -> W::Output {
        work.run()
    }
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has what the function was compiled for.
        unsafe { with_avx2(work) }
    } else {
        work.run()
    }
}

/// Runs `work`; the vectors of other processors are as wide for every program.
#[cfg(not(target_arch = "x86_64"))]
pub(super) fn run_wide<W: Wide>(work: W) -> W::Output {
    work.run()
}
