//! Two neighbouring pixels of a depthwise convolution at a time, where four
//! lanes a vector make loading weights dear.
//!
//! Half of a block's channels of both pixels is in registers. Each vector of
//! weights is read once for the two, and the transposed input under one of the
//! filter's columns is what the next column meets for the first pixel.

use super::super::simd::Int8;
use super::depthwise::{Block, CONSTANTS};
use crate::micro::unroll;
use crate::simd::Simd;

/// Times 4 input rows that [`pair`] takes.
pub(super) const FOURS: usize = 2;

/// Pixels `x` and `x + 1` of `R` output rows, of a filter whose stride is its
/// dilation.
///
/// # Safety
/// As for [`run`](super::depthwise::run); both pixels are of the call, and the
/// packed weights have [`FOURS`] and `R` rows.
#[inline(always)]
pub(super) unsafe fn pair<S: Int8, const R: usize>(b: &Block<'_>, x: usize, n: usize) {
    // SAFETY: the plan proved all rows, columns and outputs of the call inside
    // the arena, and the packed weights inside the model's. Builds with `checks`
    // look again.
    unsafe {
        let (vector, step) = (4 * S::L, b.d.dilation * b.call.ipix);
        let skip = x * step + b.channel;
        let first: [*const u8; 4 * FOURS] =
            std::array::from_fn(|i| b.cx.base.add(*b.rows.add(i) as usize + skip).cast_const());
        first.iter().for_each(|&p| b.cx.check(p, b.d.kernel_width * step + vector));
        let none = S::narrow(S::zero(), S::zero());
        let mut halves = [[[none; 2]; 2]; R];
        unroll!(2: H < 2, {
            let start = [
                S::load(b.weights.add(2 * H * vector)),
                S::load(b.weights.add((2 * H + 1) * vector)),
            ];
            let mut acc = [[start; 2]; R];
            let mut w = b.weights.add((CONSTANTS + 2 * H) * vector);
            let mut rows = [[first[0]; 4]; FOURS];
            let mut here = [[S::zero(); 2]; FOURS];
            unroll!(2: K < FOURS, {
                unroll!(4: I < 4, {
                    rows[K][I] = first[4 * K + I];
                });
                here[K] = S::transpose::<H>(rows[K]);
            });
            for _ in 0..b.d.kernel_width {
                unroll!(2: K < FOURS, {
                    unroll!(4: I < 4, {
                        rows[K][I] = S::Float::running(rows[K][I].add(step));
                    });
                    let next = S::transpose::<H>(rows[K]);
                    unroll!(4: Y < R, {
                        unroll!(2: Q < 2, {
                            let wv = S::load(w.add((Y * 4 + Q) * vector));
                            acc[Y][0][Q] = S::dot(acc[Y][0][Q], here[K][Q], wv);
                            acc[Y][1][Q] = S::dot(acc[Y][1][Q], next[Q], wv);
                        });
                    });
                    w = S::Float::running(w.add(R * 4 * vector));
                    here[K] = next;
                });
            }
            unroll!(4: Y < R, {
                unroll!(2: D < 2, {
                    let q = b.requantise::<S, { 2 * H }>(acc[Y][D][0]);
                    let r = b.requantise::<S, { 2 * H + 1 }>(acc[Y][D][1]);
                    halves[Y][D][H] = S::narrow(q, r);
                });
            });
        });
        unroll!(4: Y < R, {
            unroll!(2: D < 2, {
                b.store::<S>(Y, x + D, halves[Y][D], n);
            });
        });
    }
}
