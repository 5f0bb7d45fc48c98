//! A loop of nothing but multiply-adds: the rate that no kernel can exceed.
//!
//! Decides how many chains run side by side: as many as the matrix kernel's
//! tile of two vectors has accumulators, which covers the latency of every
//! core it is made for without a spill.

use super::unroll;
use crate::simd::Simd;

/// Floating point operations of one round: a product and a sum a lane.
pub(crate) const fn operations<S: Simd>() -> usize {
    2 * S::L * 2 * S::MR[1]
}

/// Runs `rounds` rounds. The result depends on every operation and is finite.
///
/// # Safety
/// The CPU has `S`.
#[inline(always)]
pub(crate) unsafe fn run<S: Simd>(rounds: usize) -> f32 {
    const { assert!(S::MR[1] <= 14) };
    // SAFETY: register arithmetic, and a store to an array of the largest
    // vector's length; the caller vouches for the CPU.
    unsafe {
        let (a, b) = (S::splat(std::hint::black_box(0.999)), S::splat(0.001));
        let mut acc = [[b; 2]; 14];
        for _ in 0..rounds {
            unroll!(14: I < S::MR[1], {
                acc[I] = [S::fma(acc[I][0], a, b), S::fma(acc[I][1], a, b)];
            });
        }
        let mut sum = b;
        unroll!(14: I < S::MR[1], {
            sum = S::add(sum, S::add(acc[I][0], acc[I][1]));
        });
        let mut lanes = [0.0; 16];
        S::store(lanes.as_mut_ptr(), sum);
        lanes[0]
    }
}
